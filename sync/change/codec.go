package change

import (
	"strings"
	"unicode/utf8"

	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/pack"
)

// version is the first byte of every encoded transaction.
const version = 1

const hasBase = 0x10 // in a cell's tag: a base stamp follows the value

// Encode writes a transaction in its one canonical form.
func (t Tx) Encode() []byte {
	var w pack.Writer
	t.Append(&w)
	return w.Buf
}

// Append writes the transaction's canonical form to w.
func (t Tx) Append(w *pack.Writer) {
	w.Byte(version)
	w.Uint(t.Num)
	w.Raw(t.Stamp[:])
	actor := t.Actor.Bytes()
	w.Raw(actor[:])
	w.Text(t.Command)
	w.Uint(uint64(len(t.Rows)))
	for _, r := range t.Rows {
		w.Text(r.Table)
		row := r.ID.Bytes()
		w.Raw(row[:])
		w.Uint(uint64(len(r.Cells)))
		for _, c := range r.Cells {
			c.append(w)
		}
	}
}

func (c Cell) append(w *pack.Writer) {
	w.Text(c.Col)
	tag := byte(c.Val.Type)
	if !c.Base.IsZero() {
		tag |= hasBase
	}
	w.Byte(tag)
	switch c.Val.Type {
	case Int:
		w.Int(c.Val.Int)
	case Text:
		w.Text(c.Val.Text)
	}
	if !c.Base.IsZero() {
		w.Raw(c.Base[:])
	}
}

// Decode reads one transaction and nothing else. It refuses what Encode would not have written.
func Decode(b []byte) (Tx, error) {
	if len(b) > TxBytesMax {
		return Tx{}, fault.Errorf("change.Decode", fault.TooLarge, "the change is %d bytes; at most %d fit", len(b), TxBytesMax)
	}
	r := pack.Reader{Buf: b}
	t := ReadTx(&r)
	if err := r.Close(); err != nil {
		return Tx{}, fault.Wrap("change.Decode", err)
	}
	return t, nil
}

// ReadTx takes a transaction from the front of r; r.Err tells whether it was one.
func ReadTx(r *pack.Reader) (t Tx) {
	if v := r.Byte(); v != version {
		r.Fail("a transaction of version %d; this build reads %d", v, version)
		return Tx{}
	}
	t.Num = r.Uint()
	t.Stamp = r.Fixed16()
	t.Actor = readID(r)
	t.Command = readName(r)
	n := r.Count(RowsMax)
	t.Rows = make([]Row, 0, n)
	seen := make(map[[2]string]bool, n)
	for range n {
		row := readRow(r)
		key := [2]string{row.Table, string(row.ID)}
		if r.Err() == nil && seen[key] {
			r.Fail("a row named twice in one transaction")
		}
		seen[key] = true
		t.Rows = append(t.Rows, row)
	}
	if r.Err() != nil {
		return Tx{}
	}
	return t
}

func readRow(r *pack.Reader) (row Row) {
	row.Table = readName(r)
	row.ID = readID(r)
	n := r.Count(CellsMax)
	row.Cells = make([]Cell, 0, n)
	last := ""
	for range n {
		var c Cell
		c.Col = readName(r)
		if c.Col <= last {
			r.Fail("columns out of order")
		}
		last = c.Col
		tag := r.Byte()
		c.Val = readValue(r, Type(tag&^hasBase))
		if tag&hasBase != 0 {
			c.Base = r.Fixed16()
			if c.Base.IsZero() {
				r.Fail("a base that is never")
			}
		}
		if r.Err() != nil {
			return row
		}
		row.Cells = append(row.Cells, c)
	}
	return row
}

func readValue(r *pack.Reader, t Type) Value {
	switch t {
	case Null:
		return Value{}
	case Int:
		return Value{Type: Int, Int: r.Int()}
	case Text:
		s := r.Text(TextBytesMax)
		if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
			r.Fail("a text that is not UTF-8 or holds a zero byte")
		}
		return Value{Type: Text, Text: s}
	}
	r.Fail("a value of unknown type %d", t)
	return Value{}
}

func readID(r *pack.Reader) id.ID {
	b := r.Fixed16()
	if b == [16]byte{} {
		return ""
	}
	return id.FromBytes(b)
}

func readName(r *pack.Reader) string {
	s := r.Text(NameBytesMax)
	for i := range len(s) {
		if c := s[i]; c < '!' || c > '~' {
			r.Fail("a name that is not plain ASCII")
		}
	}
	return s
}

// Append writes an entry: origin, sequence, transaction.
func (e Entry) Append(w *pack.Writer) {
	w.Text(e.Origin)
	w.Uint(e.Seq)
	e.Tx.Append(w)
}

// ReadEntry takes an entry from the front of r.
func ReadEntry(r *pack.Reader) Entry {
	return Entry{Origin: readName(r), Seq: r.Uint(), Tx: ReadTx(r)}
}

// Append writes the vector in ascending order of origin.
func (v Vector) Append(w *pack.Writer) {
	w.Uint(uint64(len(v)))
	for _, o := range v.Origins() {
		w.Text(o)
		w.Uint(v[o])
	}
}

// ReadVector takes a vector from the front of r.
func ReadVector(r *pack.Reader) Vector {
	n := r.Count(OriginsMax)
	v := make(Vector, n)
	last := ""
	for i := range n {
		o := readName(r)
		if i > 0 && o <= last {
			r.Fail("origins out of order")
		}
		last = o
		v[o] = r.Uint()
	}
	return v
}

// Replica is who made the transaction.
func (t Tx) Replica() uint64 { return t.Stamp.Replica() }

// Restamp gives the transaction another stamp, as when an edge clamps a clock that is ahead.
func (t Tx) Restamp(s hlc.Stamp) Tx { t.Stamp = s; return t }
