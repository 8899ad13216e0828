//go:build !js

package sqlite

import (
	"database/sql/driver"
	"encoding/binary"
	"math"
	"testing"
)

func FuzzCursor(f *testing.F) {
	for _, v := range []driver.Value{nil, int64(1), int64(math.MinInt64), 1.5, "text", []byte{1, 2}} {
		b, _ := appendValue(nil, v)
		f.Add(b)
	}
	f.Add(binary.LittleEndian.AppendUint32([]byte{tagBlob}, math.MaxUint32))
	f.Add(binary.LittleEndian.AppendUint64([]byte{tagInt53}, math.Float64bits(1<<53-1)))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := cursor{b: b}
		for len(c.b) > 0 && c.err == nil {
			before := len(c.b)
			c.value()
			if c.err == nil && len(c.b) >= before {
				t.Fatal("a value took no bytes")
			}
		}
		c = cursor{b: b}
		c.texts(c.u32()) // must not make room for more names than there are bytes
	})
}
