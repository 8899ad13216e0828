// Package rule is what an edge and a workspace's rule say to each other.
//
// A rule is a WebAssembly module (core specification 2.0) that may refuse a change at the door. It imports nothing: what it knows is the
// change it is shown, so the same change always gets the same answer. It exports
//
//	memory
//	holdfast_room(size: i32) -> i32              where the next size bytes of a change may be written
//	holdfast_check(at: i32, size: i32) -> i64    0: accepted; else the sentence that a person reads, at<<32 | bytes
//
// and, if it needs to be started, _initialize(). Room is asked for before the first change and whenever one is larger than all before
// it; what was given stays the host's. A sentence is UTF-8, one line, from 1 to AnswerBytesMax bytes, and must stay where it is
// until the next call. A module is called by one thread at a time. What it keeps between two calls may be gone at any time: instances
// are thrown away.
//
// A change of several rows is shown row by row. Integers are little endian:
//
//	change  version u8 = 1, kind u8 (1 create, 2 edit, 3 delete, 4 restore),
//	        command text, table text, row text, person text, role text, columns u32, column…
//	column  name text, written u8; written: old value, new value; else the one value that it has
//	value   type u8 (0 nothing, 1 whole number, 2 text); then an i64 or a text
//	text    bytes u32, UTF-8
//
// Columns are those of the table, in the order of package work, with their values as this region knows them and as they are if the
// change is accepted. A later version has another first byte and is sent only to modules that ask for it; more columns, tables and
// kinds may come at any time.
package rule

import (
	"encoding/binary"
	"slices"

	"holdfast/sync/change"
	"holdfast/sync/id"
	"holdfast/sync/work"
)

// Names of a module's exports.
const (
	Memory     = "memory"
	Room       = "holdfast_room"
	Check      = "holdfast_check"
	Initialize = "_initialize"
)

const version = 1

// Kind is what happens to a row.
type Kind byte

// The kinds, as they are shown to rules.
const (
	Create  Kind = 1
	Edit    Kind = 2
	Delete  Kind = 3
	Restore Kind = 4
)

// Append adds a change of one row as rules are shown it. before are the row's present values; found is false when it is made new.
// The row must have passed work.Check.
func Append(b []byte, tx *change.Tx, row *change.Row, role string, before work.Cells, found bool) []byte {
	table := work.TableOf(row.Table)
	b = append(b, version, byte(kindOf(table, row, before, found)))
	for _, s := range []string{tx.Command, row.Table, string(row.ID), string(tx.Actor), role} {
		b = text(b, s)
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(table.Columns)))
	for i := range table.Columns {
		name := table.Columns[i].Name
		b = text(b, name)
		written := slices.IndexFunc(row.Cells, func(c change.Cell) bool { return c.Col == name })
		if written < 0 {
			b = value(append(b, 0), before[name])
			continue
		}
		b = value(append(b, 1), before[name])
		b = value(b, row.Cells[written].Val)
	}
	return b
}

func kindOf(table *work.Table, row *change.Row, before work.Cells, found bool) Kind {
	if !found {
		return Create
	}
	for i := range row.Cells {
		c := &row.Cells[i]
		_, col := table.Column(c.Col)
		was, is := there(col, before[c.Col]), there(col, c.Val)
		switch {
		case was && !is:
			return Delete
		case is && !was:
			return Restore
		}
	}
	return Edit
}

// there tells whether a row with this value of a column exists for people: it is in Trash while deleted is set, and a member of a set
// has an odd causal length.
func there(col *work.Column, v change.Value) bool {
	switch {
	case col.Merge == work.Length:
		return v.Int%2 == 1
	case col.Name == "deleted":
		return v.IsNull()
	}
	return true
}

func value(b []byte, v change.Value) []byte {
	switch v.Type {
	case change.Int:
		return binary.LittleEndian.AppendUint64(append(b, 1), uint64(v.Int))
	case change.Text:
		return text(append(b, 2), v.Text)
	}
	return append(b, 0)
}

func text(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
}

// Example is a change with which a module can be tried: the renaming of a task.
func Example() []byte {
	row := id.Derive("rule", "example")
	before := work.Cells{"project": change.V(row), "title": change.V("Write to the bank"), "status": change.V(work.Todo), "priority": change.V(work.NoPriority),
		"rank": change.V("V"), "author": change.V(row)}
	tx := change.Tx{Actor: row, Command: "task.rename", Rows: []change.Row{{Table: "task", ID: row, Cells: []change.Cell{{Col: "title", Val: change.V("Call the bank")}}}}}
	return Append(nil, &tx, &tx.Rows[0], work.Member, before, true)
}
