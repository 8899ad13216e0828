// Package crdt is the arithmetic of merging: what one column holds after any set of writes, in whatever order they came.
//
// Every merge here is commutative, associative and idempotent, so replicas that have seen the same writes are equal. It
// is pure: no storage, no clock.
package crdt

import (
	"slices"

	"holdfast/sync/change"
	"holdfast/sync/hlc"
)

// Mark is when a column was last written. The zero Mark means never.
type Mark struct {
	Stamp hlc.Stamp
	Birth bool // by the write that created the row: such a value enters the history only when it is replaced
}

// Cell is a column's value and when it was written.
type Cell struct {
	Mark
	Val change.Value
}

// Register is the cell of the later stamp. Two different writes under one stamp come only from a broken or hostile
// replica; they are ordered by value, so that replicas stay equal even then.
func Register(a, b Cell) Cell {
	if compareWrite(a, b) < 0 {
		return b
	}
	return a
}

// Length is the cell of the greater causal length; equal lengths keep the later stamp. An odd length means present, and
// each writer adds one to what it saw, so adding and removing at once leaves what most writes ended with.
//
// Source: W. Yu, S. Rostad, "A low-cost set CRDT based on causal lengths", PaPoC 2020.
func Length(a, b Cell) Cell {
	c := a.Val.Compare(b.Val)
	if c == 0 {
		c = compareWrite(a, b)
	}
	if c < 0 {
		return b
	}
	return a
}

// NextLength is the causal length that makes an element present or absent, given the length seen. It is seen itself when
// nothing has to change.
func NextLength(seen int64, present bool) int64 {
	if (seen&1 == 1) == present {
		return seen
	}
	return seen + 1
}

func compareWrite(a, b Cell) int {
	if c := a.Stamp.Compare(b.Stamp); c != 0 {
		return c
	}
	if c := a.Val.Compare(b.Val); c != 0 {
		return c
	}
	switch {
	case a.Birth == b.Birth:
		return 0
	case b.Birth:
		return -1
	}
	return 1
}

// Write is one write of one column, as far as judging conflicts needs it.
type Write struct {
	Stamp hlc.Stamp
	Base  hlc.Stamp // stamp of the value that the writer saw and meant to replace
	Val   change.Value
}

// Lost tells, for all writes of one column, which of them lost a conflict: a later write of another value replaced them
// without knowing of them, and nobody replaced them knowingly. The result depends on the set only, not on its order.
//
// A base that is not before its own write's stamp is from before that replica's clock was clamped: its writer knew its
// own earlier writes, so none of those can be lost to it.
//
// It goes from the latest write to the earliest, so that what is kept of those seen is all later ones, and of those the ones
// that knew least: n log n, because nobody bounds how often one cell may be written.
func Lost(writes []Write) []bool {
	lost := make([]bool, len(writes))
	order := make([]int, len(writes))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return writes[j].Stamp.Compare(writes[i].Stamp) })
	replaced := make(map[hlc.Stamp]bool, len(writes)) // stamps that a later write knew
	var least ignorant
	for len(order) > 0 {
		same := 1
		for same < len(order) && writes[order[same]].Stamp == writes[order[0]].Stamp {
			same++
		}
		for _, i := range order[:same] {
			lost[i] = !replaced[writes[i].Stamp] && least.of(writes[i])
		}
		for _, i := range order[:same] {
			replaced[writes[i].Base] = true
			least.add(writes[i])
		}
		order = order[same:]
	}
	return lost
}

// ignorant holds, of some writes, the one with the earliest base, and the one with the earliest base among those of another
// value.
type ignorant struct {
	first, other Write
	n            int // how many of the two there are
}

func (g *ignorant) add(w Write) {
	switch {
	case g.n == 0:
		g.first, g.n = w, 1
	case w.Val == g.first.Val:
		if w.Base.Before(g.first.Base) {
			g.first.Base = w.Base
		}
	case g.n == 1 || w.Base.Before(g.other.Base):
		g.other, g.n = w, 2
	}
	if g.n == 2 && g.other.Base.Before(g.first.Base) {
		g.first, g.other = g.other, g.first
	}
}

// of tells whether one of the writes has another value and did not know w.
func (g *ignorant) of(w Write) bool {
	return g.n > 0 && g.first.Val != w.Val && g.first.Base.Before(w.Stamp) ||
		g.n > 1 && g.other.Val != w.Val && g.other.Base.Before(w.Stamp)
}
