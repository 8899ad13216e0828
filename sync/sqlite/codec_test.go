package sqlite

import (
	"bytes"
	"database/sql/driver"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// What Go writes as arguments and reads from results is one form; JavaScript only copies it (TestValuesRoundTrip).
func TestCodecRoundTrip(t *testing.T) {
	value := rapid.OneOf(
		rapid.Just[driver.Value](nil),
		rapid.Map(rapid.Int64(), func(v int64) driver.Value { return v }),
		rapid.Map(rapid.Float64(), func(v float64) driver.Value { return v }),
		rapid.Map(rapid.String(), func(v string) driver.Value { return v }),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(v []byte) driver.Value { return v }),
	)
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOf(value).Draw(t, "values")
		var b []byte
		var err error
		for _, v := range values {
			if b, err = appendValue(b, v); err != nil {
				t.Fatal(err)
			}
		}
		c := cursor{b: b}
		for i, want := range values {
			got := c.value()
			if w, ok := want.([]byte); ok {
				if g, ok := got.([]byte); !ok || !bytes.Equal(g, w) {
					t.Fatalf("value %d: got %v, want %v", i, got, want)
				}
			} else if got != want {
				t.Fatalf("value %d: got %v, want %v", i, got, want)
			}
		}
		if c.err != nil || len(c.b) != 0 {
			t.Fatalf("%d bytes left, %v", len(c.b), c.err)
		}
	})
}

func TestAppendValueRefusesOtherTypes(t *testing.T) {
	for _, v := range []driver.Value{time.Now(), struct{}{}, int8(1), []int{1}} {
		if _, err := appendValue(nil, v); err == nil {
			t.Errorf("%T was accepted", v)
		}
	}
}
