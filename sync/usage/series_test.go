package usage

import (
	"testing"

	"pgregory.net/rapid"

	"holdfast/sync/id"
)

func TestRangeRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		series := rapid.StringMatching(`[a-z/.-]{1,20}`).Draw(r, "series")
		from := rapid.Uint64Range(0, 1<<62).Draw(r, "from")
		to := from + rapid.Uint64Range(0, 1<<20).Draw(r, "more")
		s, f, l, ok := ParseRange(RangeID(series, from, to))
		if !ok || s != series || f != from || l != to {
			r.Fatalf("got %q %d %d %v", s, f, l, ok)
		}
	})
}

func TestOpaque(t *testing.T) {
	for _, s := range []string{"", ":", "a", "a:1", "a:2-1", ":1-2", "a:01-2", "a:1-2-3", "a:-1-2", "a:1-99999999999999999999", "a:+1-2", StorageID(id.Derive("t"), 495000)} {
		if _, _, _, ok := ParseRange(s); ok {
			t.Errorf("%q was read as a range", s)
		}
	}
}
