package store

import (
	"context"
	"database/sql"
	"slices"

	"holdfast/sync/change"
	"holdfast/sync/crdt"
	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
)

// Past is one value that a column had or has.
type Past struct {
	Col   string
	Val   change.Value
	Stamp hlc.Stamp
	Base  hlc.Stamp // stamp of the value its writer saw; zero: none
	Actor id.ID     // empty for a value the row was created with, when the row does not name its author
	Lost  bool      // replaced by somebody who had not seen it, and by nobody who had
	Now   bool      // the present value
}

const (
	historyRead = "SELECT stamp, col, value, base, actor FROM history WHERE row=? ORDER BY stamp DESC, col LIMIT ?"
	historyCol  = "SELECT stamp, col, value, base, actor FROM history WHERE row=? AND col=? ORDER BY stamp DESC LIMIT ?"
	historyHas  = "SELECT count(*) FROM history WHERE row=? AND stamp=? AND col=?"
)

// History gives the values that a row's columns had, the present ones among them, oldest first: at most the newest
// historyMax. Ranks, labels on tasks and what never changes have none. found is false when nothing is known of the row.
func History(ctx context.Context, q Q, table string, row id.ID) (list []Past, found bool, err error) {
	const op = "store.History"
	r, found, err := Get(ctx, q, table, row)
	if err != nil || !found {
		return nil, false, fault.Wrap(op, err)
	}
	rows, err := q.QueryContext(ctx, historyRead, string(row), historyMax)
	if err != nil {
		return nil, false, sqlite.Wrap(op, err)
	}
	list, err = scanPast(rows)
	if err != nil {
		return nil, false, fault.Wrap(op, err)
	}
	for i := range r.Cells {
		list = withPresent(list, r, i)
	}
	author := id.ID(r.Value("author").Text)
	for i := range list {
		if list[i].Actor == "" {
			list[i].Actor = author
		}
	}
	slices.SortFunc(list, func(a, b Past) int {
		if c := a.Stamp.Compare(b.Stamp); c != 0 {
			return c
		}
		return change.V(a.Col).Compare(change.V(b.Col))
	})
	for i := range r.Cells {
		judge(list, r.Table.Columns[i].Name, r.Cells[i])
	}
	return list, true, nil
}

// pastOf is the history of one column of a row, judged, in no particular order.
func pastOf(ctx context.Context, q Q, r Row, col int) ([]Past, error) {
	name := r.Table.Columns[col].Name
	rows, err := q.QueryContext(ctx, historyCol, string(r.ID), name, historyMax)
	if err != nil {
		return nil, sqlite.Wrap("store.pastOf", err)
	}
	list, err := scanPast(rows)
	if err != nil {
		return nil, fault.Wrap("store.pastOf", err)
	}
	list = withPresent(list, r, col)
	judge(list, name, r.Cells[col])
	return list, nil
}

func scanPast(rows *sql.Rows) (list []Past, err error) {
	defer rows.Close()
	for rows.Next() {
		var p Past
		var stamp, base []byte
		var val any
		var actor string
		if err := rows.Scan(&stamp, &p.Col, &val, &base, &actor); err != nil {
			return nil, sqlite.Wrap("store.scanPast", err)
		}
		if p.Val, err = value(val); err != nil {
			return nil, err
		}
		copy(p.Stamp[:], stamp)
		copy(p.Base[:], base)
		p.Actor = id.ID(actor)
		list = append(list, p)
	}
	return list, sqlite.Wrap("store.scanPast", rows.Err())
}

// withPresent adds the present value of a column when it is one that the row was created with, which the history does not
// hold.
func withPresent(list []Past, r Row, col int) []Past {
	c := &r.Table.Columns[col]
	if cell := r.Cells[col]; c.Kept() && cell.Birth {
		list = append(list, Past{Col: c.Name, Val: cell.Val, Stamp: cell.Stamp})
	}
	return list
}

// judge sets Lost and Now of a column's entries.
func judge(list []Past, col string, present crdt.Cell) {
	var at []int
	var writes []crdt.Write
	for i, p := range list {
		if p.Col == col {
			at = append(at, i)
			writes = append(writes, crdt.Write{Stamp: p.Stamp, Base: p.Base, Val: p.Val})
		}
	}
	for i, lost := range crdt.Lost(writes) {
		p := &list[at[i]]
		p.Lost = lost
		p.Now = p.Stamp == present.Stamp && p.Val == present.Val
	}
}
