// Package pack writes and reads the bytes of every message and record that Holdfast keeps or sends.
//
// The form is canonical: a value has exactly one encoding, and a reader refuses any other (padded varints, trailing
// bytes), so bytes can be compared and hashed. A Reader keeps its first error and returns zero values after it; callers
// check Err (or Close, which also refuses trailing bytes) once at the end.
package pack

import (
	"encoding/binary"
	"math/bits"

	"holdfast/sync/fault"
)

// Writer appends encoded values to Buf.
type Writer struct{ Buf []byte }

func (w *Writer) Byte(b byte)      { w.Buf = append(w.Buf, b) }
func (w *Writer) Uint(v uint64)    { w.Buf = binary.AppendUvarint(w.Buf, v) }
func (w *Writer) Int(v int64)      { w.Uint(uint64(v)<<1 ^ uint64(v>>63)) }
func (w *Writer) Raw(b []byte)     { w.Buf = append(w.Buf, b...) }
func (w *Writer) Text(s string)    { w.Uint(uint64(len(s))); w.Buf = append(w.Buf, s...) }
func (w *Writer) Bytes(b []byte)   { w.Uint(uint64(len(b))); w.Buf = append(w.Buf, b...) }
func (w *Writer) Fixed64(v uint64) { w.Buf = binary.BigEndian.AppendUint64(w.Buf, v) }

// Bool is one byte, 0 or 1.
func (w *Writer) Bool(v bool) {
	if v {
		w.Byte(1)
	} else {
		w.Byte(0)
	}
}

// Reader takes values from the front of Buf.
type Reader struct {
	Buf []byte
	err error
}

// Err is the first thing that was wrong, of kind Invalid.
func (r *Reader) Err() error { return r.err }

// Close is Err, or an error when bytes are left over.
func (r *Reader) Close() error {
	if r.err == nil && len(r.Buf) > 0 {
		r.Fail("%d bytes left over", len(r.Buf))
	}
	return r.err
}

// Fail records an error unless there is one already.
func (r *Reader) Fail(format string, args ...any) {
	if r.err == nil {
		r.err = fault.Errorf("pack.Reader", fault.Invalid, format, args...)
	}
	r.Buf = nil
}

func (r *Reader) take(n uint64, what string) []byte {
	if uint64(len(r.Buf)) < n {
		r.Fail("cut short in %s", what)
		return nil
	}
	b := r.Buf[:n]
	r.Buf = r.Buf[n:]
	return b
}

func (r *Reader) Byte() byte {
	if b := r.take(1, "a byte"); b != nil {
		return b[0]
	}
	return 0
}

func (r *Reader) Bool() bool {
	b := r.Byte()
	if b > 1 {
		r.Fail("a truth value of %d", b)
	}
	return b == 1
}

func (r *Reader) Uint() uint64 {
	v, n := binary.Uvarint(r.Buf)
	if n <= 0 || n != max(1, (bits.Len64(v)+6)/7) {
		r.Fail("not a canonical number")
		return 0
	}
	r.Buf = r.Buf[n:]
	return v
}

func (r *Reader) Int() int64 {
	v := r.Uint()
	return int64(v>>1) ^ -int64(v&1)
}

func (r *Reader) Fixed64() uint64 {
	if b := r.take(8, "a fixed number"); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// Fixed16 reads 16 bytes: an id or a stamp.
func (r *Reader) Fixed16() (v [16]byte) {
	copy(v[:], r.take(16, "16 fixed bytes"))
	return v
}

// Text reads a string of at most limit bytes.
func (r *Reader) Text(limit int) string { return string(r.Bytes(limit)) }

// Bytes reads a byte string of at most limit bytes. The result shares memory with the input.
func (r *Reader) Bytes(limit int) []byte {
	n := r.Uint()
	if n > uint64(limit) {
		r.Fail("%d bytes where at most %d may be", n, limit)
		return nil
	}
	return r.take(n, "a byte string")
}

// Count reads the length of a list of at most limit items; a count that the remaining bytes cannot hold is refused, so
// that a short message cannot make the reader allocate.
func (r *Reader) Count(limit int) int {
	n := r.Uint()
	if n > uint64(limit) || n > uint64(len(r.Buf)) {
		r.Fail("a list of %d", n)
		return 0
	}
	return int(n)
}
