package store

import (
	"context"
	"maps"
	"slices"

	"holdfast/sync/change"
	"holdfast/sync/crdt"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

// Build turns what a person did into changed rows, as seen from the rows present now: cells in order of column, each with
// the stamp of the value it replaces, wanted presence as the next causal length. Cells of a shown row that would not
// change, and rows without cells, are left out, so the result may be empty.
//
// It does not check anything: an unknown column goes through, for work.Check to refuse.
func Build(ctx context.Context, q Q, rows []port.EditRow) ([]change.Row, error) {
	out := make([]change.Row, 0, len(rows))
	for _, e := range rows {
		row := change.Row{Table: e.Table, ID: e.ID}
		var present Row
		if layoutOf[e.Table] != nil {
			var err error
			if present, _, err = Get(ctx, q, e.Table, e.ID); err != nil {
				return nil, fault.Wrap("store.Build", err)
			}
		}
		row.Cells = buildCells(present, e.Set)
		if len(row.Cells) > 0 || present.Table == nil {
			out = append(out, row)
		}
	}
	return out, nil
}

func buildCells(present Row, set map[string]change.Value) []change.Cell {
	cells := make([]change.Cell, 0, len(set))
	shown := present.Table != nil && present.Born()
	for _, name := range slices.Sorted(maps.Keys(set)) {
		c := change.Cell{Col: name, Val: set[name]}
		if present.Table == nil {
			cells = append(cells, c)
			continue
		}
		_, col := present.Table.Column(name)
		if col == nil {
			cells = append(cells, c)
			continue
		}
		old := present.Cell(name)
		if col.Merge == work.Length {
			c.Val = change.V(crdt.NextLength(old.Val.Int, c.Val.Int&1 == 1))
			if c.Val.Int == old.Val.Int {
				if !shown {
					return nil // taking away what was never there
				}
				continue
			}
		}
		if shown && !old.Stamp.IsZero() && c.Val == old.Val {
			continue
		}
		c.Base = old.Stamp
		cells = append(cells, c)
	}
	return cells
}

// Known is a work.Lookup of the rows in q.
func Known(ctx context.Context, q Q) work.Lookup { return known{ctx, q} }

type known struct {
	ctx context.Context
	q   Q
}

func (k known) Row(table string, row id.ID) (work.Cells, bool, error) {
	r, found, err := Get(k.ctx, k.q, table, row)
	if err != nil || !found {
		return nil, false, err
	}
	return r.Values(), r.Born(), nil
}
