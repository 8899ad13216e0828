package replica

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/crdt"
	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/pack"
	"holdfast/sync/sqlite"
	"holdfast/sync/store"
	"holdfast/sync/work"
)

// load reads everything that is kept in memory: at the start, and after a transaction that failed.
func (r *Replica) load(ctx context.Context) error {
	r.cursor, r.shadow, r.byRow = change.Vector{}, map[key]store.Row{}, map[key][]*own{}
	r.pending, r.sent, r.refused, r.marks = nil, nil, nil, newMarks()
	for _, step := range []func(context.Context) error{r.loadSelf, r.loadCursor, r.loadOutbox, r.loadShadow, r.loadSent, r.loadRefused, r.loadMarks} {
		if err := step(ctx); err != nil {
			return sqlite.Wrap("replica.load", err)
		}
	}
	r.setClock()
	return nil
}

// setClock makes a clock that goes on after everything this replica has ever stamped.
func (r *Replica) setClock() {
	last := r.floor
	for _, p := range r.pending {
		if last.Before(p.tx.Stamp) {
			last = p.tx.Stamp
		}
	}
	r.clock = hlc.NewClock(r.replica, r.cfg.Now, last)
	r.clock.Correct(r.offset)
}

func (r *Replica) loadSelf(ctx context.Context) error {
	var replica, offset int64
	var member string
	var floor []byte
	if err := r.db.QueryRowContext(ctx, q("self")).Scan(&replica, &member, &floor, &offset); err != nil {
		return err
	}
	r.replica, r.offset = uint64(replica), time.Duration(offset)*time.Millisecond
	copy(r.floor[:], floor)
	return r.db.QueryRowContext(ctx, q("lastNum")).Scan(&r.last)
}

// each runs a query and calls fn for every row.
func each(ctx context.Context, db store.Q, fn func(*sql.Rows) error, query string, args ...any) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (r *Replica) loadCursor(ctx context.Context) error {
	return each(ctx, r.db, func(rows *sql.Rows) error {
		var origin string
		var seq uint64
		err := rows.Scan(&origin, &seq)
		r.cursor[origin] = seq
		return err
	}, q("cursor"))
}

func (r *Replica) loadOutbox(ctx context.Context) error {
	return each(ctx, r.db, func(rows *sql.Rows) error {
		var num uint64
		var raw []byte
		if err := rows.Scan(&num, &raw); err != nil {
			return err
		}
		t, err := decode(raw)
		if err != nil {
			return err
		}
		r.last = max(r.last, num)
		r.addPending(t)
		return nil
	}, q("outbox"))
}

// decode reads a stored change; one that cannot be read was damaged on the disk.
func decode(raw []byte) (change.Tx, error) {
	t, err := change.Decode(raw)
	return t, fault.As("replica.decode", fault.Corrupt, err)
}

func (r *Replica) addPending(t change.Tx) {
	o := &own{t}
	r.pending = append(r.pending, o)
	r.link(o)
}

// link has a change shown over the confirmed rows.
func (r *Replica) link(o *own) {
	for _, row := range o.tx.Rows {
		k := key{row.Table, row.ID}
		r.byRow[k] = append(r.byRow[k], o)
	}
}

// unlink ends that; the rows are to be shown anew.
func (r *Replica) unlink(o *own) {
	for _, row := range o.tx.Rows {
		k := key{row.Table, row.ID}
		r.byRow[k] = slices.DeleteFunc(r.byRow[k], func(x *own) bool { return x == o })
		if len(r.byRow[k]) == 0 {
			delete(r.byRow, k)
		}
	}
}

func (r *Replica) loadShadow(ctx context.Context) error {
	return each(ctx, r.db, func(rows *sql.Rows) error {
		var table, name string
		var raw []byte
		if err := rows.Scan(&table, &name, &raw); err != nil {
			return err
		}
		row, err := decodeRow(table, id.ID(name), raw)
		r.shadow[key{table, id.ID(name)}] = row
		return err
	}, q("shadows"))
}

func (r *Replica) loadSent(ctx context.Context) error {
	return each(ctx, r.db, func(rows *sql.Rows) error {
		var s sent
		var raw []byte
		if err := rows.Scan(&s.num, &s.origin, &s.seq, &raw); err != nil {
			return err
		}
		var err error
		s.own = &own{}
		if s.own.tx, err = decode(raw); err != nil {
			return err
		}
		r.sent = append(r.sent, s)
		if s.seq > r.cursor[s.origin] {
			r.link(s.own)
		}
		return nil
	}, q("sent"))
}

func (r *Replica) loadRefused(ctx context.Context) error {
	return each(ctx, r.db, func(rows *sql.Rows) error {
		var x refused
		var raw []byte
		if err := rows.Scan(&x.num, &x.kind, &x.detail, &raw); err != nil {
			return err
		}
		var err error
		x.tx, err = decode(raw)
		r.refused = append(r.refused, x)
		return err
	}, q("refused"))
}

// loadMarks counts what was read; it may query for each row, so nothing else may be reading then.
func (r *Replica) loadMarks(ctx context.Context) error {
	for _, p := range r.pending {
		if err := r.mark(ctx, r.db, r.marks.pending, p.tx, +1); err != nil {
			return err
		}
	}
	for _, s := range r.sent {
		if err := r.mark(ctx, r.db, r.marks.sent, s.own.tx, +1); err != nil {
			return err
		}
	}
	for _, x := range r.refused {
		if err := r.mark(ctx, r.db, r.marks.refused, x.tx, +1); err != nil {
			return err
		}
	}
	return nil
}

// encodeRow writes a row's cells: the packed clock, then the values by column number.
func encodeRow(row store.Row) []byte {
	marks := make([]crdt.Mark, len(row.Cells))
	for i := range row.Cells {
		marks[i] = row.Cells[i].Mark
	}
	var w pack.Writer
	w.Uint(uint64(len(row.Cells)))
	w.Bytes(crdt.PackClock(marks))
	for _, c := range row.Cells {
		w.Byte(byte(c.Val.Type))
		switch c.Val.Type {
		case change.Int:
			w.Int(c.Val.Int)
		case change.Text:
			w.Text(c.Val.Text)
		}
	}
	return w.Buf
}

// decodeRow reads encodeRow's form, also of a version that knew fewer columns.
func decodeRow(table string, name id.ID, raw []byte) (store.Row, error) {
	const op = "replica.decodeRow"
	if work.TableOf(table) == nil {
		return store.Row{}, fault.Errorf(op, fault.Unsupported, "there is no table %.40q in this version", table)
	}
	row := store.NewRow(table, name)
	in := pack.Reader{Buf: raw}
	n := in.Count(len(row.Cells))
	marks := make([]crdt.Mark, n)
	if err := crdt.UnpackClock(in.Bytes(len(raw)), marks); err != nil {
		return row, fault.Wrap(op, err)
	}
	for i := range n {
		row.Cells[i].Mark = marks[i]
		v := &row.Cells[i].Val
		switch v.Type = change.Type(in.Byte()); v.Type {
		case change.Null:
		case change.Int:
			v.Int = in.Int()
		case change.Text:
			v.Text = in.Text(change.TextBytesMax)
		default:
			in.Fail("a value of unknown type %d", v.Type)
		}
	}
	return row, fault.As(op, fault.Corrupt, in.Close())
}
