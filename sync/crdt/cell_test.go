package crdt

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"holdfast/sync/change"
	"holdfast/sync/hlc"
)

// Few stamps and values, so that they meet in every way.
var (
	genStamp = rapid.Custom(func(t *rapid.T) hlc.Stamp {
		return hlc.Make(rapid.Int64Range(1, 3).Draw(t, "ms"), 0, rapid.Uint64Range(1, 2).Draw(t, "replica"))
	})
	genValue = rapid.SampledFrom([]change.Value{{}, change.V(1), change.V(2), change.V(3), change.V(""), change.V("a")})
	genCell  = rapid.Custom(func(t *rapid.T) Cell {
		return Cell{Mark{genStamp.Draw(t, "stamp"), rapid.Bool().Draw(t, "birth")}, genValue.Draw(t, "value")}
	})
)

func TestMergeLaws(t *testing.T) {
	for name, join := range map[string]func(a, b Cell) Cell{"register": Register, "length": Length} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				a, b, c := genCell.Draw(t, "a"), genCell.Draw(t, "b"), genCell.Draw(t, "c")
				if join(a, b) != join(b, a) {
					t.Fatalf("not commutative: %v, %v", join(a, b), join(b, a))
				}
				if join(a, join(b, c)) != join(join(a, b), c) {
					t.Fatalf("not associative: %v, %v", join(a, join(b, c)), join(join(a, b), c))
				}
				if join(a, a) != a || join(a, join(a, b)) != join(a, b) {
					t.Fatal("not idempotent")
				}
				if j := join(a, b); j != a && j != b {
					t.Fatalf("%v is neither", j)
				}
			})
		})
	}
}

func TestRegister(t *testing.T) {
	at := func(ms int64, v any) Cell { return Cell{Mark{Stamp: hlc.Make(ms, 0, 1)}, change.V(v)} }
	if got := Register(at(2, "later"), at(1, "zz")); got.Val.Text != "later" {
		t.Errorf("got %v, want the later stamp", got)
	}
	low, high := at(1, "a"), at(1, "b")
	high.Stamp = hlc.Make(1, 0, 2)
	low.Val = change.V("zz")
	if got := Register(low, high); got != high {
		t.Errorf("got %v, want the greater replica", got)
	}
}

func TestLength(t *testing.T) {
	seen := int64(0)
	for i, step := range []struct {
		present bool
		want    int64
	}{{false, 0}, {true, 1}, {true, 1}, {false, 2}, {false, 2}, {true, 3}} {
		if seen = NextLength(seen, step.present); seen != step.want {
			t.Fatalf("step %d: length %d, want %d", i, seen, step.want)
		}
	}
	short := Cell{Mark{Stamp: hlc.Make(9, 0, 1)}, change.V(1)}
	long := Cell{Mark{Stamp: hlc.Make(1, 0, 1)}, change.V(2)}
	if got := Length(short, long); got != long {
		t.Errorf("got %v, want the greater length", got)
	}
}

func TestLost(t *testing.T) {
	at := func(ms int64) hlc.Stamp {
		if ms == 0 {
			return hlc.Stamp{}
		}
		return hlc.Make(ms, 0, 1)
	}
	for _, c := range []struct {
		name   string
		writes [][3]int64 // stamp, base, value
		want   []bool
	}{
		{"knowing-chain", [][3]int64{{1, 0, 1}, {2, 1, 2}, {3, 2, 3}}, []bool{false, false, false}},
		{"two-at-once", [][3]int64{{1, 0, 1}, {2, 1, 2}, {3, 1, 3}}, []bool{false, true, false}},
		{"own-chain-then-foreign", [][3]int64{{1, 0, 1}, {2, 1, 2}, {3, 2, 3}, {4, 1, 4}}, []bool{false, false, true, false}},
		{"same-value", [][3]int64{{1, 0, 1}, {2, 1, 2}, {3, 1, 2}}, []bool{false, false, false}},
		{"blind", [][3]int64{{1, 0, 1}, {2, 0, 2}}, []bool{true, false}},
		{"clamped-writer-knew-its-own", [][3]int64{{5, 0, 1}, {6, 99, 2}}, []bool{false, false}},
		{"cleared", [][3]int64{{1, 0, 1}, {2, 1, 2}, {3, 1, 0}}, []bool{false, true, false}},
	} {
		var writes []Write
		for _, w := range c.writes {
			writes = append(writes, Write{at(w[0]), at(w[1]), change.V(w[2])})
		}
		if got := Lost(writes); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// Who lost does not depend on the order in which writes are listed; the latest never loses; without concurrent writes
// nobody does.
func TestLostLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		writes := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) Write {
			w := Write{Stamp: genStamp.Draw(t, "stamp"), Val: genValue.Draw(t, "value")}
			if rapid.Bool().Draw(t, "based") {
				w.Base = genStamp.Draw(t, "base")
			}
			return w
		}), 1, 6, func(w Write) hlc.Stamp { return w.Stamp }).Draw(t, "writes")
		lost := Lost(writes)
		shuffled := rapid.Permutation(writes).Draw(t, "shuffled")
		for i, l := range Lost(shuffled) {
			if l != lost[slices.Index(writes, shuffled[i])] {
				t.Fatal("depends on the order")
			}
		}
		slices.SortFunc(writes, func(a, b Write) int { return a.Stamp.Compare(b.Stamp) })
		if lost = Lost(writes); lost[len(lost)-1] {
			t.Fatal("the present value lost")
		}
		for i := range writes[1:] {
			writes[i+1].Base = writes[i].Stamp
		}
		if slices.Contains(Lost(writes), true) {
			t.Fatal("somebody lost although everybody knew")
		}
	})
}

// lostByPairs is what Lost says, in so many words: each write beside every other.
func lostByPairs(writes []Write) []bool {
	lost := make([]bool, len(writes))
	for i, e := range writes {
		for _, f := range writes {
			if !e.Stamp.Before(f.Stamp) {
				continue
			}
			if f.Base == e.Stamp {
				lost[i] = false
				break
			}
			if f.Base.Before(e.Stamp) && f.Val != e.Val {
				lost[i] = true
			}
		}
	}
	return lost
}

func TestLostIsWhatPairsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stamp := rapid.Custom(func(t *rapid.T) hlc.Stamp { return hlc.Make(rapid.Int64Range(1, 12).Draw(t, "ms"), 0, 1) })
		writes := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Write {
			w := Write{Stamp: stamp.Draw(t, "stamp"), Val: change.V(rapid.IntRange(0, 3).Draw(t, "value"))}
			if rapid.Bool().Draw(t, "based") {
				w.Base = stamp.Draw(t, "base")
			}
			return w
		}), 0, 12).Draw(t, "writes")
		if got, want := Lost(writes), lostByPairs(writes); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v for %v", got, want, writes)
		}
	})
}

// As pairs these would be 90 thousand million.
func TestLostOfVeryMany(t *testing.T) {
	writes := make([]Write, 300_000)
	for i := range writes {
		writes[i] = Write{Stamp: hlc.Make(int64(i+1), 0, 1), Val: change.V(i)}
	}
	for i, lost := range Lost(writes) {
		if lost != (i+1 < len(writes)) {
			t.Fatalf("%d: lost %v", i, lost)
		}
	}
}
