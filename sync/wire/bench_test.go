package wire_test

import (
	"bytes"
	"testing"

	"holdfast/sync/wire"
)

// BenchmarkFrame packs a feed message of a few changes.
func BenchmarkFrame(b *testing.B) {
	body := bytes.Repeat([]byte("a title that is much like the others, "), 60)
	b.ReportAllocs()
	for b.Loop() {
		wire.Frame(body)
	}
}

// BenchmarkUnframe reads it again.
func BenchmarkUnframe(b *testing.B) {
	frame := wire.Frame(bytes.Repeat([]byte("a title that is much like the others, "), 60))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wire.Unframe(frame); err != nil {
			b.Fatal(err)
		}
	}
}
