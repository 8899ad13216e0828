package metering

import (
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Spans count each member once, in whatever order and however often it comes, and stay as few as can be.
func TestSpansLaw(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var s spans
		set := map[uint64]bool{}
		for range rapid.IntRange(1, 30).Draw(r, "adds") {
			lo := rapid.Uint64Range(0, 60).Draw(r, "lo")
			x := span{lo, lo + rapid.Uint64Range(0, 12).Draw(r, "len")}
			var want uint64
			for i := x.lo; i <= x.hi; i++ {
				if !set[i] {
					want++
				}
			}
			if got := x.hi - x.lo + 1 - s.covered(x); got != want {
				r.Fatalf("covered %v in %v: %d fresh, want %d", x, s, got, want)
			}
			for i := x.lo; i <= x.hi; i++ {
				set[i] = true
			}
			if got := s.add(x); got != want {
				r.Fatalf("add %v: %d fresh, want %d", x, got, want)
			}
		}
		n := 0
		for i, x := range s {
			n += int(x.hi - x.lo + 1)
			if x.lo > x.hi || i > 0 && x.lo <= s[i-1].hi+1 {
				r.Fatalf("not sorted or not merged: %v", s)
			}
			for j := x.lo; j <= x.hi; j++ {
				if !set[j] {
					r.Fatalf("%d was never added: %v", j, s)
				}
			}
		}
		if n != len(set) {
			r.Fatalf("%d members, want %d", n, len(set))
		}
	})
}

func TestAreaLaw(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var a area
		want := new(big.Int)
		for range rapid.IntRange(1, 20).Draw(r, "steps") {
			v := rapid.Int64Range(0, 1<<46).Draw(r, "bytes") // 64 TiB
			ms := rapid.Int64Range(0, 31*24*hourMS).Draw(r, "ms")
			a.add(v, ms)
			want.Add(want, new(big.Int).Mul(big.NewInt(v), big.NewInt(ms)))
		}
		got := new(big.Int).Mul(big.NewInt(a.hours), big.NewInt(hourMS))
		if got.Add(got, big.NewInt(a.rest)).Cmp(want) != 0 || a.rest >= hourMS {
			r.Fatalf("%+v is %v, want %v", a, got, want)
		}
	})
}

func TestEachMonth(t *testing.T) {
	from := time.Date(2026, 1, 31, 23, 0, 0, 0, time.UTC)
	until := time.Date(2026, 3, 1, 1, 0, 0, 0, time.UTC)
	got := map[string]int64{}
	eachMonth(from, until, func(m time.Time, ms int64) { got[monthName(m)] += ms / hourMS })
	if got["2026-01"] != 1 || got["2026-02"] != 28*24 || got["2026-03"] != 1 || len(got) != 3 {
		t.Errorf("%v", got)
	}
	eachMonth(until, from, func(time.Time, int64) { t.Error("time ran backwards") })
}
