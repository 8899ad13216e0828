package store

import (
	"context"
	"database/sql"

	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
)

// Absorb merges the rows and the history of another database of the same workspace: afterwards this one is as if everything
// that was ever merged there had been merged here too. Like Merge it is idempotent, and what both have is no harm.
//
// It goes piece by piece, each in a transaction that write runs, so that others get their turn; what was done before an
// error stays, and does no harm either.
func Absorb(ctx context.Context, from Q, write func(func(*sql.Tx) error) error) error {
	const op = "store.Absorb"
	for _, l := range layouts {
		if err := absorbTable(ctx, from, l, write); err != nil {
			return sqlite.Wrap(op, err)
		}
	}
	return sqlite.Wrap(op, absorbHistory(ctx, from, write))
}

func absorbTable(ctx context.Context, from Q, l *layout, write func(func(*sql.Tx) error) error) error {
	for after := id.ID(""); ; {
		list, err := readSome(ctx, from, l, after)
		if err != nil || len(list) == 0 {
			return err
		}
		after = list[len(list)-1].ID
		err = write(func(tx *sql.Tx) error {
			m := merger{ctx: ctx, tx: tx, slots: make(map[slotKey]*slot, len(list))}
			for _, r := range list {
				s := &slot{l: l, row: Row{Table: l.Table, ID: r.ID}}
				m.slots[slotKey{l.Name, r.ID}] = s
				m.order = append(m.order, s)
			}
			if err := m.loadTable(m.order); err != nil {
				return err
			}
			for i, s := range m.order {
				for n, in := range list[i].Cells {
					if !in.Stamp.IsZero() {
						m.join(s, n, &l.Columns[n], in)
					}
				}
			}
			return m.write()
		})
		if err != nil {
			return err
		}
	}
}

// readSome gives rows after an id, in their order.
func readSome(ctx context.Context, from Q, l *layout, after id.ID) (list []Row, err error) {
	rows, err := from.QueryContext(ctx, l.read+" WHERE id>? ORDER BY id LIMIT ?", string(after), absorbRows)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	s := newScanner(l)
	for rows.Next() {
		r, err := s.scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

const historySome = "SELECT row, stamp, col, value, base, actor FROM history WHERE (row, stamp, col) > (?,?,?) ORDER BY row, stamp, col LIMIT ?"

func absorbHistory(ctx context.Context, from Q, write func(func(*sql.Tx) error) error) error {
	var last past
	for {
		list, err := readPast(ctx, from, last)
		if err != nil || len(list) == 0 {
			return err
		}
		last = list[len(list)-1]
		if err := write(func(tx *sql.Tx) error { m := merger{ctx: ctx, tx: tx, past: list}; return m.writePast() }); err != nil {
			return err
		}
	}
}

func readPast(ctx context.Context, from Q, last past) (list []past, err error) {
	stamp := []byte{}
	if !last.stamp.IsZero() {
		stamp = last.stamp[:]
	}
	rows, err := from.QueryContext(ctx, historySome, string(last.row), stamp, last.col, absorbRows)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p past
		var row, actor string
		var stamp, base []byte
		var val any
		if err := rows.Scan(&row, &stamp, &p.col, &val, &base, &actor); err != nil {
			return nil, err
		}
		if len(stamp) != len(p.stamp) || len(base) != 0 && len(base) != len(p.base) {
			return nil, fault.Errorf("store.readPast", fault.Corrupt, "a stamp of %d bytes", len(stamp))
		}
		if p.val, err = value(val); err != nil {
			return nil, err
		}
		p.row, p.actor = id.ID(row), id.ID(actor)
		copy(p.stamp[:], stamp)
		copy(p.base[:], base)
		list = append(list, p)
	}
	return list, rows.Err()
}
