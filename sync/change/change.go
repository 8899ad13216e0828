// Package change is what travels: values, cells, transactions, log entries and cursors, and their bytes.
//
// A Tx is what one person did in one moment: some cells of some rows, one stamp. It is applied whole or not at all.
// An Entry is a Tx that an edge accepted: it has an origin (the region that accepted it) and a sequence, contiguous per
// tenant and origin from 1. A Vector holds, per origin, the last sequence up to which everything is known.
//
// Merging cells by stamp is commutative, associative and idempotent (package crdt), so entries of different origins may
// arrive in any order; entries of one origin are applied in sequence only.
package change

import (
	"cmp"
	"maps"
	"slices"

	"holdfast/sync/hlc"
	"holdfast/sync/id"
)

// Type is the kind of a Value.
type Type uint8

const (
	Null Type = iota
	Int
	Text
)

// Value is what a cell holds: nothing, an integer or a text. It is comparable.
type Value struct {
	Type Type
	Int  int64
	Text string
}

// V makes a Value from nil, bool, int, int64, string or id.ID; anything else is a programming error and panics.
func V(v any) Value {
	switch v := v.(type) {
	case nil:
		return Value{}
	case bool:
		if v {
			return Value{Type: Int, Int: 1}
		}
		return Value{Type: Int}
	case int:
		return Value{Type: Int, Int: int64(v)}
	case int64:
		return Value{Type: Int, Int: v}
	case string:
		return Value{Type: Text, Text: v}
	case id.ID:
		return Value{Type: Text, Text: string(v)}
	case Value:
		return v
	}
	panic("change.V: not a value of a cell")
}

// Any gives nil, int64 or string, as database/sql takes it.
func (v Value) Any() any {
	switch v.Type {
	case Int:
		return v.Int
	case Text:
		return v.Text
	}
	return nil
}

// Compare orders values: nothing, then integers, then texts by their bytes. It is -1, 0 or 1.
func (v Value) Compare(w Value) int {
	if c := cmp.Compare(v.Type, w.Type); c != 0 {
		return c
	}
	if c := cmp.Compare(v.Int, w.Int); c != 0 {
		return c
	}
	return cmp.Compare(v.Text, w.Text)
}

// IsNull tells whether v holds nothing.
func (v Value) IsNull() bool { return v.Type == Null }

// Cell is one column's new value. Base is the stamp of the value that its writer saw there (zero: the row was new, or
// the column never written): a value newer than Base that this one replaces was written without knowing of it, and is kept
// in the history as a loser.
type Cell struct {
	Col  string
	Val  Value
	Base hlc.Stamp
}

// Row is the changed cells of one row, in ascending order of column name, each column once.
type Row struct {
	Table string
	ID    id.ID
	Cells []Cell
}

// Tx is one person's change. Its replica is in the stamp.
type Tx struct {
	Num     uint64 // contiguous per replica from 1; 0 for changes that an edge makes itself
	Stamp   hlc.Stamp
	Actor   id.ID  // the member; an edge overwrites it with the session's
	Command string // the intent, such as "task.rename"; for people and logs, not for merging
	Rows    []Row
}

// Entry is a transaction in an edge's log.
type Entry struct {
	Origin string // region
	Seq    uint64
	Tx     Tx
}

// Vector is a cursor: the last contiguous sequence known, per origin region.
type Vector map[string]uint64

// Origins are the vector's regions in ascending order.
func (v Vector) Origins() []string { return slices.Sorted(maps.Keys(v)) }

// Covers tells whether everything in w is in v.
func (v Vector) Covers(w Vector) bool {
	for o, n := range w {
		if v[o] < n {
			return false
		}
	}
	return true
}

// Clone is a copy that shares nothing.
func (v Vector) Clone() Vector {
	if v == nil {
		return Vector{}
	}
	return maps.Clone(v)
}
