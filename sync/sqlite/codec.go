package sqlite

import (
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// How values cross between Go and SQLite's WebAssembly build (wasm/worker/sqlite.js is the other end). All numbers are
// little-endian. A value is a tag and what the tag says:
//
//	0 NULL   1 int32   2 int64 as float64, exact below 2^53   3 int64   4 float64   5 text: u32 length, UTF-8   6 blob: u32 length, bytes
//
// Tag 2 comes only from SQLite: JavaScript has no cheap 64-bit integer. Nothing of this outlives the process.
const (
	tagNull  = 0
	tagInt32 = 1
	tagInt53 = 2
	tagInt64 = 3
	tagFloat = 4
	tagText  = 5
	tagBlob  = 6
)

const (
	flagMore    = 1 // rows: another chunk follows
	flagColumns = 2 // rows: the column names come first, they may have changed
)

var errShort = errors.New("short result")

// appendValue appends one argument. Types beyond those of driver.Value are refused.
func appendValue(b []byte, v driver.Value) ([]byte, error) {
	le := binary.LittleEndian
	switch v := v.(type) {
	case nil:
		return append(b, tagNull), nil
	case int64:
		if v == int64(int32(v)) {
			return le.AppendUint32(append(b, tagInt32), uint32(v)), nil
		}
		return le.AppendUint64(append(b, tagInt64), uint64(v)), nil
	case float64:
		return le.AppendUint64(append(b, tagFloat), math.Float64bits(v)), nil
	case bool:
		n := uint32(0)
		if v {
			n = 1
		}
		return le.AppendUint32(append(b, tagInt32), n), nil
	case string:
		return append(le.AppendUint32(append(b, tagText), uint32(len(v))), v...), nil
	case []byte:
		if v == nil {
			return append(b, tagNull), nil
		}
		return append(le.AppendUint32(append(b, tagBlob), uint32(len(v))), v...), nil
	}
	return b, fmt.Errorf("%T cannot be stored: use integers, floats, text, bytes or nil", v)
}

// cursor reads what SQLite handed over. After the first value that does not fit, err is set and all reads return zero.
type cursor struct {
	b   []byte
	err error
}

func (c *cursor) take(n int) []byte {
	if c.err != nil || n < 0 || n > len(c.b) {
		c.err = errShort
		return nil
	}
	v := c.b[:n:n]
	c.b = c.b[n:]
	return v
}

func (c *cursor) u8() byte {
	if v := c.take(1); v != nil {
		return v[0]
	}
	return 0
}

func (c *cursor) u32() int {
	if v := c.take(4); v != nil {
		return int(binary.LittleEndian.Uint32(v))
	}
	return 0
}

func (c *cursor) u64() uint64 {
	if v := c.take(8); v != nil {
		return binary.LittleEndian.Uint64(v)
	}
	return 0
}

func (c *cursor) text() string { return string(c.take(c.u32())) }

func (c *cursor) texts(n int) []string {
	if n > len(c.b)/4 {
		c.err = errShort
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = c.text()
	}
	return list
}

// value returns the next value. Blobs are slices of the cursor's bytes, text is copied.
func (c *cursor) value() driver.Value {
	switch tag := c.u8(); tag {
	case tagNull:
	case tagInt32:
		return int64(int32(c.u32()))
	case tagInt53:
		return int64(math.Float64frombits(c.u64()))
	case tagInt64:
		return int64(c.u64())
	case tagFloat:
		return math.Float64frombits(c.u64())
	case tagText:
		return c.text()
	case tagBlob:
		return c.take(c.u32())
	default:
		c.err = fmt.Errorf("unknown tag %d in a result", tag)
	}
	return nil
}
