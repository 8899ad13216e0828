package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"holdfast/sync/change"
	"holdfast/sync/crdt"
	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
	"holdfast/sync/work"
)

// Effect is what a Merge changed.
type Effect struct {
	Rows []Touched // each row once, ordered by table and id; rows that stayed as they were are left out
	Lost []Loser   // writes that lost a conflict through this Merge, ordered by table, row, column and stamp
}

// Touched is a row that changed.
type Touched struct {
	Table string
	ID    id.ID
	Cols  uint64 // bit set of the numbers of the columns written
	New   bool   // it was not shown before and is now
}

// Loser is a value that a later write replaced without knowing of it. It is in the history.
type Loser struct {
	Table string
	Row   id.ID
	Col   string
	Stamp hlc.Stamp
}

// Has tells whether any row of the table changed.
func (e Effect) Has(table string) bool {
	for i := range e.Rows {
		if e.Rows[i].Table == table {
			return true
		}
	}
	return false
}

// Merge brings transactions into the rows, in one pass: each row is read once and written once, however many of the
// transactions touch it. All of it happens in tx or, on error, must be rolled back by the caller.
//
// A table or column that this version does not know is Unsupported: nothing may be skipped, or replicas would differ.
func Merge(ctx context.Context, tx *sql.Tx, txs ...change.Tx) (Effect, error) {
	if err := ctx.Err(); err != nil {
		return Effect{}, fault.E("store.Merge", fault.Unavailable, err)
	}
	// A context that can end costs a goroutine in every statement; stopping between transactions is enough.
	m := merger{ctx: context.WithoutCancel(ctx), tx: tx, slots: make(map[slotKey]*slot), doubts: make(map[doubtKey]*doubt)}
	for _, step := range []func() error{func() error { return m.load(txs) }, func() error { return m.fold(txs) }, m.forgetOld, m.write} {
		if err := step(); err != nil {
			return Effect{}, sqlite.Wrap("store.Merge", err)
		}
	}
	return m.effect()
}

type slotKey struct {
	table string
	id    id.ID
}

// slot is a row on its way from its old state to its new one.
type slot struct {
	l       *layout
	row     Row
	stored  bool   // it has a row in the table
	born    bool   // it had been born before
	written uint64 // columns whose cell changed
	valued  uint64 // columns whose value changed
}

// past is an entry of the history to be added.
type past struct {
	row   id.ID
	col   string
	val   change.Value
	stamp hlc.Stamp
	base  hlc.Stamp
	actor id.ID
}

// doubt is a cell of which writes may have lost.
type doubt struct {
	s      *slot
	col    int
	stamps []hlc.Stamp
	came   []hlc.Stamp // they came just now and did not win
}

type doubtKey struct {
	s   *slot
	col int
}

type merger struct {
	ctx    context.Context
	tx     *sql.Tx
	slots  map[slotKey]*slot
	order  []*slot // by table, then id
	past   []past
	doubts map[doubtKey]*doubt // by cell: its history is read once, however many writes came
}

// load reads all rows that the transactions touch.
func (m *merger) load(txs []change.Tx) error {
	for i := range txs {
		for j := range txs[i].Rows {
			r := &txs[i].Rows[j]
			k := slotKey{r.Table, r.ID}
			if m.slots[k] != nil {
				continue
			}
			l, err := tableOf("store.load", r.Table)
			if err != nil {
				return err
			}
			s := &slot{l: l, row: Row{Table: l.Table, ID: r.ID}}
			m.slots[k] = s
			m.order = append(m.order, s)
		}
	}
	// Neighbours in the index are read and written one after another.
	slices.SortFunc(m.order, func(a, b *slot) int {
		if a.l != b.l {
			return cmp.Compare(a.l.Name, b.l.Name)
		}
		return cmp.Compare(a.row.ID, b.row.ID)
	})
	for from := 0; from < len(m.order); {
		to := from + 1
		for to < len(m.order) && m.order[to].l == m.order[from].l {
			to++
		}
		if err := m.loadTable(m.order[from:to]); err != nil {
			return err
		}
		from = to
	}
	return nil
}

func (m *merger) loadTable(slots []*slot) error {
	l := slots[0].l
	s := newScanner(l)
	args := make([]any, 0, readRows)
	for chunk := range slices.Chunk(slots, readRows) {
		args = args[:0]
		for _, c := range chunk {
			args = append(args, string(c.row.ID))
		}
		query := l.read1
		if len(chunk) > 1 {
			query = l.readN
			for len(args) < readRows {
				args = append(args, args[0]) // a set: twice the same is once
			}
		}
		if err := m.loadChunk(s, chunk, query, args); err != nil {
			return err
		}
	}
	for _, c := range slots {
		if c.row.Cells == nil {
			c.row.Cells = make([]crdt.Cell, len(l.Columns))
		}
	}
	return nil
}

func (m *merger) loadChunk(s *scanner, chunk []*slot, query string, args []any) error {
	rows, err := m.tx.QueryContext(m.ctx, query, args...)
	if err != nil {
		return sqlite.Wrap("store.load", err)
	}
	defer rows.Close()
	for rows.Next() {
		r, err := s.scan(rows)
		if err != nil {
			return err
		}
		c := m.slots[slotKey{s.l.Name, r.ID}]
		c.row, c.stored, c.born = r, true, r.Born()
	}
	return sqlite.Wrap("store.load", rows.Err())
}

// fold applies the transactions to the loaded rows.
func (m *merger) fold(txs []change.Tx) error {
	for i := range txs {
		t := &txs[i]
		if t.Stamp.IsZero() {
			return fault.Errorf("store.fold", fault.Invalid, "a change without a stamp")
		}
		for j := range t.Rows {
			r := &t.Rows[j]
			s := m.slots[slotKey{r.Table, r.ID}]
			birth := work.Creates(*r)
			for k := range r.Cells {
				n, col := s.l.Column(r.Cells[k].Col)
				if col == nil {
					return fault.Errorf("store.fold", fault.Unsupported, "there is no column %.40q of %s in this version", r.Cells[k].Col, r.Table)
				}
				m.foldCell(s, n, col, t, &r.Cells[k], birth)
			}
		}
	}
	return nil
}

func (m *merger) foldCell(s *slot, n int, col *work.Column, t *change.Tx, c *change.Cell, birth bool) {
	in := crdt.Cell{Mark: crdt.Mark{Stamp: t.Stamp, Birth: birth}, Val: c.Val}
	old, won := m.join(s, n, col, in)
	if !col.Kept() {
		return
	}
	if !birth {
		m.past = append(m.past, past{s.row.ID, col.Name, in.Val, in.Stamp, c.Base, t.Actor})
	}
	if old.Stamp.IsZero() || in == old {
		return
	}
	switch {
	case won != in:
		d := m.doubt(s, n)
		d.came = append(d.came, in.Stamp)
	case c.Base.Before(old.Stamp):
		d := m.doubt(s, n)
		d.stamps = append(d.stamps, old.Stamp)
	}
}

func (m *merger) doubt(s *slot, col int) *doubt {
	k := doubtKey{s, col}
	if m.doubts[k] == nil {
		m.doubts[k] = &doubt{s: s, col: col}
	}
	return m.doubts[k]
}

// join brings a value into a cell. The history holds every write but a birth that is still the present value.
func (m *merger) join(s *slot, n int, col *work.Column, in crdt.Cell) (old, won crdt.Cell) {
	old, won = s.row.Cells[n], in
	if !old.Stamp.IsZero() {
		won = col.Join(old, in)
	}
	if won != old {
		s.written |= 1 << n
		if won.Val != old.Val {
			s.valued |= 1 << n
		}
		s.row.Cells[n] = won
	}
	if !col.Kept() {
		return old, won
	}
	if in.Birth && won != in {
		m.past = append(m.past, past{row: s.row.ID, col: col.Name, val: in.Val, stamp: in.Stamp})
	}
	if old.Birth && in != old && won == in {
		m.past = append(m.past, past{row: s.row.ID, col: col.Name, val: old.Val, stamp: old.Stamp})
	}
	return old, won
}

// forgetOld drops doubts about writes that came before: their loss was told then.
func (m *merger) forgetOld() error {
	for _, d := range m.doubts {
		for _, stamp := range d.came {
			var n int
			if err := m.tx.QueryRowContext(m.ctx, historyHas, string(d.s.row.ID), stamp[:], d.s.l.Columns[d.col].Name).Scan(&n); err != nil {
				return err
			}
			if n == 0 {
				d.stamps = append(d.stamps, stamp)
			}
		}
	}
	return nil
}

// effect tells what changed; it reads the history of doubtful cells, which are few.
func (m *merger) effect() (Effect, error) {
	e := Effect{Rows: make([]Touched, 0, len(m.order))}
	for _, s := range m.order {
		if s.written != 0 {
			e.Rows = append(e.Rows, Touched{s.l.Name, s.row.ID, s.written, !s.born && s.row.Born()})
		}
	}
	for _, d := range m.doubts {
		if len(d.stamps) == 0 {
			continue
		}
		list, err := pastOf(m.ctx, m.tx, d.s.row, d.col)
		if err != nil {
			return Effect{}, fault.Wrap("store.Merge", err)
		}
		lost := make(map[hlc.Stamp]bool, len(list))
		for _, p := range list {
			lost[p.Stamp] = lost[p.Stamp] || p.Lost
		}
		for _, stamp := range d.stamps {
			if lost[stamp] {
				e.Lost = append(e.Lost, Loser{d.s.l.Name, d.s.row.ID, d.s.l.Columns[d.col].Name, stamp})
			}
		}
	}
	slices.SortFunc(e.Lost, func(a, b Loser) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Row, b.Row), cmp.Compare(a.Col, b.Col), a.Stamp.Compare(b.Stamp))
	})
	e.Lost = slices.Compact(e.Lost)
	return e, nil
}
