package pack

import (
	"bytes"
	"math"
	"testing"

	"pgregory.net/rapid"

	"holdfast/sync/fault"
)

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u, i, s := rapid.Uint64().Draw(t, "u"), rapid.Int64().Draw(t, "i"), rapid.String().Draw(t, "s")
		b, y := rapid.Bool().Draw(t, "b"), rapid.Byte().Draw(t, "y")
		raw := rapid.SliceOf(rapid.Byte()).Draw(t, "raw")
		var w Writer
		w.Uint(u)
		w.Int(i)
		w.Text(s)
		w.Bool(b)
		w.Byte(y)
		w.Bytes(raw)
		w.Fixed64(u)
		w.Raw(make([]byte, 16))
		r := Reader{Buf: w.Buf}
		if r.Uint() != u || r.Int() != i || r.Text(len(s)) != s || r.Bool() != b || r.Byte() != y || !bytes.Equal(r.Bytes(len(raw)), raw) || r.Fixed64() != u || r.Fixed16() != [16]byte{} {
			t.Fatal("not what was written")
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		for cut := range w.Buf { // no beginning of a message is a message
			r := Reader{Buf: w.Buf[:cut]}
			r.Uint()
			r.Int()
			r.Text(len(s))
			r.Bool()
			r.Byte()
			r.Bytes(len(raw))
			r.Fixed64()
			r.Fixed16()
			if fault.KindOf(r.Close()) != fault.Invalid {
				t.Fatalf("cut after %d of %d bytes and read", cut, len(w.Buf))
			}
		}
	})
}

func TestReaderRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []byte
		read func(*Reader)
	}{
		{"padded-number", []byte{0x80, 0x00}, func(r *Reader) { r.Uint() }},
		{"padded-one", []byte{0x81, 0x00}, func(r *Reader) { r.Uint() }},
		{"number-over-64-bits", bytes.Repeat([]byte{0xff}, 11), func(r *Reader) { r.Uint() }},
		{"number-cut", []byte{0x80}, func(r *Reader) { r.Uint() }},
		{"truth-of-two", []byte{2}, func(r *Reader) { r.Bool() }},
		{"text-over-limit", []byte{3, 'a', 'b', 'c'}, func(r *Reader) { r.Text(2) }},
		{"text-longer-than-message", []byte{9, 'a'}, func(r *Reader) { r.Text(100) }},
		{"list-longer-than-message", []byte{200, 1, 0, 0}, func(r *Reader) { r.Count(1000) }},
		{"list-over-limit", []byte{3, 0, 0, 0}, func(r *Reader) { r.Count(2) }},
		{"bytes-left-over", []byte{1, 2}, func(r *Reader) { r.Byte() }},
	} {
		r := Reader{Buf: c.in}
		c.read(&r)
		if err := r.Close(); fault.KindOf(err) != fault.Invalid || err == nil {
			t.Errorf("%s: got %v, want invalid", c.name, err)
		}
	}
}

func TestFirstErrorStays(t *testing.T) {
	r := Reader{Buf: []byte{2, 1, 1}}
	r.Bool()
	first := r.Err()
	if r.Uint() != 0 || r.Byte() != 0 || r.Text(5) != "" || r.Count(5) != 0 || r.Close() != first {
		t.Errorf("reading went on after %v", first)
	}
}

func TestExtremes(t *testing.T) {
	for _, i := range []int64{0, -1, 1, math.MinInt64, math.MaxInt64} {
		var w Writer
		w.Int(i)
		if r := (Reader{Buf: w.Buf}); r.Int() != i || r.Close() != nil {
			t.Errorf("%d", i)
		}
	}
	var w Writer
	w.Text("at the limit")
	if r := (Reader{Buf: w.Buf}); r.Text(12) != "at the limit" {
		t.Error("a text at its limit is refused")
	}
}
