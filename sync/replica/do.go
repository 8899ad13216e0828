package replica

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/sqlite"
	"holdfast/sync/store"
	"holdfast/sync/work"
)

// Do makes an edit: checked as the edge will check it, shown, and put into the outbox, in one transaction. An edit with a
// known key is done already. num is 0 when the edit changes nothing.
//
// Errors of work.Check say what the person may do; nothing has happened then. Unavailable: the workspace has not been
// loaded yet.
func (r *Replica) Do(ctx context.Context, e port.Edit) (num uint64, err error) {
	const op = "replica.Do"
	r.mu.Lock()
	defer r.mu.Unlock()
	if !e.Key.Valid() {
		return 0, fault.Errorf(op, fault.Invalid, "an edit needs a key")
	}
	err = r.db.QueryRowContext(ctx, q("doneKey"), string(e.Key)).Scan(&num)
	if err == nil {
		return num, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return 0, sqlite.Wrap(op, err)
	}
	var made change.Tx
	err = r.write(ctx, func(tx *sql.Tx) error {
		made, err = r.make(ctx, tx, string(e.Key), e.Command, e.Rows)
		return err
	})
	if err != nil || made.Num == 0 {
		return 0, sqlite.Wrap(op, err)
	}
	r.mirror.put(made, r.cfg.MirrorFirst)
	return made.Num, nil
}

// make builds, checks, shows and queues a change. A result without number says that there is nothing to change.
func (r *Replica) make(ctx context.Context, tx *sql.Tx, doneKey, command string, edits []port.EditRow) (t change.Tx, err error) {
	const op = "replica.make"
	rows, err := store.Build(ctx, tx, edits)
	if err != nil || len(rows) == 0 {
		return change.Tx{}, err
	}
	for _, row := range rows {
		for _, c := range row.Cells {
			r.clock.Observe(c.Base) // what was seen is replaced, whatever the clocks say
		}
	}
	t = change.Tx{Num: r.last + 1, Stamp: r.clock.Now(), Actor: r.cfg.Member, Command: command, Rows: rows}
	if err := r.check(ctx, tx, t); err != nil {
		return change.Tx{}, unchanged{err}
	}
	raw := t.Encode()
	if len(raw) > change.TxBytesMax {
		return change.Tx{}, unchanged{fault.Errorf(op, fault.TooLarge, "The change is %d bytes; at most %d fit. Make it in smaller steps.", len(raw), change.TxBytesMax)}
	}
	if _, err := tx.ExecContext(ctx, q("addOutbox"), t.Num, raw); err != nil {
		return change.Tx{}, err
	}
	if _, err := tx.ExecContext(ctx, q("addDone"), t.Num, doneKey); err != nil {
		return change.Tx{}, err
	}
	r.last = t.Num
	return t, r.queue(ctx, tx, t)
}

// queue shows a pending change.
func (r *Replica) queue(ctx context.Context, tx *sql.Tx, t change.Tx) error {
	for _, row := range t.Rows {
		if err := r.cover(ctx, tx, key{row.Table, row.ID}); err != nil {
			return err
		}
	}
	r.addPending(t)
	err := r.placing(ctx, tx, []change.Tx{t}, func() error {
		for _, row := range t.Rows {
			if err := r.show(ctx, tx, key{row.Table, row.ID}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.touched(t)
	return r.mark(ctx, tx, r.marks.pending, t, +1)
}

// check is what the edge will say, as far as this device knows.
func (r *Replica) check(ctx context.Context, tx *sql.Tx, t change.Tx) error {
	var role string
	err := tx.QueryRowContext(ctx, q("role"), string(r.cfg.Member)).Scan(&role)
	if errors.Is(err, sql.ErrNoRows) && len(r.cursor) == 0 {
		return fault.Errorf("replica.check", fault.Unavailable, "This workspace has not been loaded on this device yet. Connect to the network and try again.")
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return work.Check(t, role, store.Known(ctx, tx))
}

// Retry makes a refused change again, on what is there now, under a new number. An error leaves it where it was.
func (r *Replica) Retry(ctx context.Context, num uint64) error {
	const op = "replica.Retry"
	r.mu.Lock()
	defer r.mu.Unlock()
	i := r.refusal(num)
	if i < 0 {
		return fault.Errorf(op, fault.NotFound, "This change is not waiting any more.")
	}
	x := r.refused[i]
	var made change.Tx
	err := r.write(ctx, func(tx *sql.Tx) (err error) {
		made, err = r.make(ctx, tx, "retry/"+string(id.New(r.cfg.Now(), r.cfg.Rand)), x.tx.Command, editRows(x.tx))
		if err != nil {
			return err
		}
		return r.forget(ctx, tx, i)
	})
	if err != nil {
		return sqlite.Wrap(op, err)
	}
	if made.Num > 0 {
		r.mirror.put(made, r.cfg.MirrorFirst)
	}
	r.mirror.remove(num, r.cfg.MirrorFirst)
	return nil
}

// Discard gives a refused change up.
func (r *Replica) Discard(ctx context.Context, num uint64) error {
	const op = "replica.Discard"
	r.mu.Lock()
	defer r.mu.Unlock()
	i := r.refusal(num)
	if i < 0 {
		return fault.Errorf(op, fault.NotFound, "This change is not waiting any more.")
	}
	if err := r.write(ctx, func(tx *sql.Tx) error { return r.forget(ctx, tx, i) }); err != nil {
		return sqlite.Wrap(op, err)
	}
	r.mirror.remove(num, r.cfg.MirrorFirst)
	return nil
}

func (r *Replica) refusal(num uint64) int {
	return slices.IndexFunc(r.refused, func(x refused) bool { return x.num == num })
}

// forget takes a refused change out of the list.
func (r *Replica) forget(ctx context.Context, tx *sql.Tx, i int) error {
	x := r.refused[i]
	r.refused = slices.Delete(r.refused, i, i+1)
	r.dirty.attention = true
	if _, err := tx.ExecContext(ctx, q("dropRefused"), x.num); err != nil {
		return err
	}
	return r.mark(ctx, tx, r.marks.refused, x.tx, -1)
}

// editRows is a change as an edit: what the person wrote.
func editRows(t change.Tx) []port.EditRow {
	rows := make([]port.EditRow, 0, len(t.Rows))
	for _, row := range t.Rows {
		set := make(map[string]change.Value, len(row.Cells))
		table := work.TableOf(row.Table)
		for _, c := range row.Cells {
			v := c.Val
			if table != nil {
				if _, col := table.Column(c.Col); col != nil && col.Merge == work.Length {
					v = change.V(v.Int & 1) // wanted, not counted
				}
			}
			set[c.Col] = v
		}
		rows = append(rows, port.EditRow{Table: row.Table, ID: row.ID, Set: set})
	}
	return rows
}
