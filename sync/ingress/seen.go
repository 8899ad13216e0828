package ingress

import (
	"context"
	"database/sql"

	"holdfast/sync/change"
	"holdfast/sync/crdt"
	"holdfast/sync/id"
	"holdfast/sync/store"
	"holdfast/sync/work"
)

// seen is the rows as a push sees them: what is stored, and over it what the push has accepted so far but not merged yet,
// so that a whole push can be checked change by change and merged at once.
type seen struct {
	ctx  context.Context
	tx   *sql.Tx
	rows map[key]*store.Row // nil: nothing is known of the row
}

type key struct {
	table string
	row   id.ID
}

func newSeen(ctx context.Context, tx *sql.Tx) *seen {
	return &seen{ctx: ctx, tx: tx, rows: map[key]*store.Row{}}
}

func (s *seen) get(table string, row id.ID) (*store.Row, bool, error) {
	k := key{table, row}
	if r, ok := s.rows[k]; ok {
		return r, r != nil, nil
	}
	if work.TableOf(table) == nil {
		return nil, false, nil
	}
	r, ok, err := store.Get(s.ctx, s.tx, table, row)
	if err != nil {
		return nil, false, err
	}
	if !ok {
		s.rows[k] = nil
		return nil, false, nil
	}
	s.rows[k] = &r
	return &r, true, nil
}

// Row answers work.Check.
func (s *seen) Row(table string, row id.ID) (work.Cells, bool, error) {
	r, ok, err := s.get(table, row)
	if err != nil || !ok {
		return nil, false, err
	}
	return r.Values(), r.Born(), nil
}

// fold merges an accepted change into what is seen.
func (s *seen) fold(t change.Tx) error {
	for _, r := range t.Rows {
		row, ok, err := s.get(r.Table, r.ID)
		if err != nil {
			return err
		}
		if !ok {
			table := work.TableOf(r.Table)
			row = &store.Row{Table: table, ID: r.ID, Cells: make([]crdt.Cell, len(table.Columns))}
			s.rows[key{r.Table, r.ID}] = row
		}
		birth := work.Creates(r)
		for _, c := range r.Cells {
			i, col := row.Table.Column(c.Col)
			row.Cells[i] = col.Join(row.Cells[i], crdt.Cell{Mark: crdt.Mark{Stamp: t.Stamp, Birth: birth}, Val: c.Val})
		}
	}
	return nil
}
