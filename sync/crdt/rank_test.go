package crdt

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"holdfast/sync/fault"
)

// dice is randomness from a seed.
func dice(seed uint64) *rand.ChaCha8 {
	var s [32]byte
	for i := range 8 {
		s[i] = byte(seed >> (8 * i))
	}
	return rand.NewChaCha8(s)
}

func TestBetweenKeepsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := dice(rapid.Uint64().Draw(t, "seed"))
		ranks := []string{}
		for range rapid.IntRange(1, 60).Draw(t, "n") {
			at := rapid.IntRange(0, len(ranks)).Draw(t, "at")
			lo, hi := "", ""
			if at > 0 {
				lo = ranks[at-1]
			}
			if at < len(ranks) {
				hi = ranks[at]
			}
			r, err := Between(lo, hi, src)
			if err != nil {
				t.Fatal(err)
			}
			if !ValidRank(r) || r <= lo || (hi != "" && r >= hi) {
				t.Fatalf("Between(%q, %q) = %q", lo, hi, r)
			}
			ranks = slices.Insert(ranks, at, r)
		}
	})
}

// Any two valid ranks have room between them, also those that Between would not have made next to each other.
func TestBetweenAnyPair(t *testing.T) {
	rank := rapid.Custom(func(t *rapid.T) string {
		whole := rapid.SampledFrom([]string{"a0", "a1", "az", "b00", "Zz", "Z0", "Yzz", "A" + strings.Repeat("0", 25) + "1", "z" + strings.Repeat("z", 26)}).Draw(t, "whole")
		frac := rapid.StringOfN(rapid.SampledFrom([]rune("01yz")), 0, 20, -1).Draw(t, "frac")
		return whole + strings.TrimRight(frac, "0")
	})
	rapid.Check(t, func(t *rapid.T) {
		lo, hi := rank.Draw(t, "lo"), rank.Draw(t, "hi")
		if lo == hi {
			return
		}
		lo, hi = min(lo, hi), max(lo, hi)
		r, err := Between(lo, hi, dice(rapid.Uint64().Draw(t, "seed")))
		if err != nil || r <= lo || r >= hi || !ValidRank(r) {
			t.Fatalf("Between(%q, %q) = %q, %v", lo, hi, r, err)
		}
	})
}

// Bounds that lie side by side for a long way.
func TestBetweenNeighbours(t *testing.T) {
	z, o := strings.Repeat("z", 25), strings.Repeat("0", 25)
	for _, c := range [][2]string{
		{"a0A" + z, "a0B"}, {"a0A" + z, "a0B" + o + "1"}, {"a0", "a0" + o + "1"}, {"a0A", "a0A" + o + "1"}, {"a0" + z, "a1"}, {"az" + z, "b00"},
		{"Zz" + z, "a0"}, {"a0" + o + "1", "a0" + o + "2"}, {"z" + strings.Repeat("z", 26) + z, ""}, {"", lowest + "1"}, {lowest + "1", lowest + "2"}, {"a0", "a00001"},
	} {
		r, err := Between(c[0], c[1], dice(9))
		if err != nil || r <= c[0] || (c[1] != "" && r >= c[1]) || !ValidRank(r) {
			t.Errorf("Between(%q, %q) = %q, %v", c[0], c[1], r, err)
		}
	}
}

func TestAppendingStaysShort(t *testing.T) {
	src := dice(1)
	for _, end := range []string{"bottom", "top"} {
		t.Run(end, func(t *testing.T) {
			last := ""
			for range 100_000 {
				var err error
				if end == "bottom" {
					last, err = Between(last, "", src)
				} else {
					last, err = Between("", last, src)
				}
				if err != nil {
					t.Fatal(err)
				}
				if len(last) > 8 {
					t.Fatalf("rank %q has %d bytes after appending", last, len(last))
				}
			}
		})
	}
}

func TestOneGapTakesAThousandInserts(t *testing.T) {
	for _, side := range []string{"below-the-first", "above-the-second"} {
		src := dice(2)
		lo, _ := Between("", "", src)
		hi, _ := Between(lo, "", src)
		for i := range 1000 {
			r, err := Between(lo, hi, src)
			if err != nil || len(r) > 250 { // work.RankBytesMax
				t.Fatalf("%s: insert %d: %d bytes, %v", side, i, len(r), err)
			}
			if side == "below-the-first" {
				hi = r
			} else {
				lo = r
			}
		}
	}
}

func TestBetweenEqualRanksGoesAfter(t *testing.T) {
	r, err := Between("a0V", "a0V", dice(3))
	if err != nil || r <= "a0V" || r >= "a1" {
		t.Fatalf("got %q, %v", r, err)
	}
}

func TestBetweenJitters(t *testing.T) {
	a, _ := Between("a0", "a1", dice(4))
	b, _ := Between("a0", "a1", dice(5))
	if a == b {
		t.Fatalf("two replicas chose %q", a)
	}
	c, _ := Between("a0", "a1", dice(4))
	if a != c {
		t.Fatalf("one seed gave %q and %q", a, c)
	}
}

func TestBetweenRefuses(t *testing.T) {
	for _, bad := range []string{"a", "0", "a0V0", "a-", "b0", "é0", " a0", lowest} {
		if _, err := Between(bad, "", bytes.NewReader(make([]byte, 64))); fault.KindOf(err) != fault.Invalid {
			t.Errorf("Between(%q): got %v, want invalid", bad, err)
		}
	}
}

func TestSpread(t *testing.T) {
	for _, hi := range []string{"", "a1"} {
		got, err := Spread("a0V", hi, 1000, dice(6))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != 1000 || got[0] <= "a0V" {
			t.Fatalf("hi %q: not 1000 ascending ranks", hi)
		}
		for _, r := range got {
			if len(r) > 12 {
				t.Fatalf("hi %q: rank %q is long", hi, r)
			}
		}
	}
}
