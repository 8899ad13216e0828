package store

import (
	"context"
	"database/sql"

	"holdfast/sync/change"
	"holdfast/sync/crdt"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
	"holdfast/sync/work"
)

// Row is all that is known of one row.
type Row struct {
	Table *work.Table
	ID    id.ID
	Cells []crdt.Cell // by column number; a cell whose mark is zero was never written
}

// NewRow is a row of which nothing is known. The table must be one of package work.
func NewRow(table string, row id.ID) Row {
	l := layoutOf[table]
	return Row{Table: l.Table, ID: row, Cells: make([]crdt.Cell, len(l.Columns))}
}

// Cell is a column's cell; a column that does not exist was never written.
func (r Row) Cell(col string) crdt.Cell {
	if i, _ := r.Table.Column(col); i >= 0 {
		return r.Cells[i]
	}
	return crdt.Cell{}
}

// Value is a column's value.
func (r Row) Value(col string) change.Value { return r.Cell(col).Val }

// Born tells whether every required column has been written, so that the row is shown.
func (r Row) Born() bool {
	required := layoutOf[r.Table.Name].required
	for i := range r.Cells {
		if required&(1<<i) != 0 && r.Cells[i].Stamp.IsZero() {
			return false
		}
	}
	return true
}

// Values are the written values by column.
func (r Row) Values() work.Cells {
	m := make(work.Cells, len(r.Cells))
	for i, c := range r.Cells {
		if !c.Stamp.IsZero() {
			m[r.Table.Columns[i].Name] = c.Val
		}
	}
	return m
}

// Known tells whether any column was ever written.
func (r Row) Known() bool {
	for i := range r.Cells {
		if !r.Cells[i].Stamp.IsZero() {
			return true
		}
	}
	return false
}

// Clone shares nothing with r.
func (r Row) Clone() Row {
	r.Cells = append([]crdt.Cell(nil), r.Cells...)
	return r
}

// clock packs the cells' marks.
func (r Row) clock() []byte {
	var marks [crdt.ColumnsMax]crdt.Mark
	for i := range r.Cells {
		marks[i] = r.Cells[i].Mark
	}
	return crdt.PackClock(marks[:len(r.Cells)])
}

// args are the values of an INSERT: id, columns, born, clock.
func (r Row) args(to []any) []any {
	to = append(to, string(r.ID))
	for i := range r.Cells {
		to = append(to, r.Cells[i].Val.Any())
	}
	return append(to, change.V(r.Born()).Int, r.clock())
}

// Get reads a row. found is true when any cell of it is known; Born tells whether it is shown.
func Get(ctx context.Context, q Q, table string, row id.ID) (r Row, found bool, err error) {
	const op = "store.Get"
	l, err := tableOf(op, table)
	if err != nil {
		return Row{}, false, err
	}
	r = Row{Table: l.Table, ID: row, Cells: make([]crdt.Cell, len(l.Columns))}
	rows, err := q.QueryContext(ctx, l.read1, string(row))
	if err != nil {
		return Row{}, false, sqlite.Wrap(op, err)
	}
	defer rows.Close()
	s := newScanner(l)
	for rows.Next() {
		if r, err = s.scan(rows); err != nil {
			return Row{}, false, err
		}
		found = true
	}
	return r, found, sqlite.Wrap(op, rows.Err())
}

// Show sets a row to exactly r and leaves the history alone: for what a device shows over the confirmed row, and for taking
// that away again. A row of which nothing is known is removed.
func Show(ctx context.Context, tx *sql.Tx, r Row) error {
	const op = "store.Show"
	l, err := tableOf(op, r.Table.Name)
	if err != nil {
		return err
	}
	if !r.Known() {
		_, err := tx.ExecContext(ctx, l.remove, string(r.ID))
		return sqlite.Wrap(op, err)
	}
	_, err = tx.ExecContext(ctx, l.replace, r.args(nil)...)
	return sqlite.Wrap(op, err)
}

// scanner reads rows of "id, columns, clock".
type scanner struct {
	l    *layout
	vals []any
	dest []any
}

func newScanner(l *layout) *scanner {
	s := &scanner{l: l, vals: make([]any, len(l.Columns)+2), dest: make([]any, len(l.Columns)+2)}
	for i := range s.vals {
		s.dest[i] = &s.vals[i]
	}
	return s
}

func (s *scanner) scan(rows *sql.Rows) (Row, error) {
	const op = "store.scan"
	if err := rows.Scan(s.dest...); err != nil {
		return Row{}, sqlite.Wrap(op, err)
	}
	n := len(s.l.Columns)
	name, _ := s.vals[0].(string)
	clock, _ := s.vals[n+1].([]byte)
	r := Row{Table: s.l.Table, ID: id.ID(name), Cells: make([]crdt.Cell, n)}
	var marks [crdt.ColumnsMax]crdt.Mark
	if err := crdt.UnpackClock(clock, marks[:n]); err != nil {
		return Row{}, fault.Wrap(op, err)
	}
	for i := range n {
		v, err := value(s.vals[1+i])
		if err != nil {
			return Row{}, fault.Wrap(op, err)
		}
		r.Cells[i] = crdt.Cell{Mark: marks[i], Val: v}
	}
	return r, nil
}

// value reads what a cell's column holds.
func value(v any) (change.Value, error) {
	switch v := v.(type) {
	case nil:
		return change.Value{}, nil
	case int64:
		return change.Value{Type: change.Int, Int: v}, nil
	case string:
		return change.Value{Type: change.Text, Text: v}, nil
	}
	return change.Value{}, fault.Errorf("store.value", fault.Corrupt, "a cell holds a %T", v)
}
