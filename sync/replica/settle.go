package replica

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/sqlite"
	"holdfast/sync/wire"
)

// PushRequest is what waits, oldest first, within the wire's bounds.
func (r *Replica) PushRequest(ctx context.Context) (wire.PushRequest, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	req := wire.PushRequest{Replica: r.replica, Cursor: r.cursor.Clone(), NowMS: r.cfg.Now().UnixMilli()}
	// An own change that was accepted but has not come back yet is seen too: another edge must not call its rows unknown.
	for _, s := range r.sent {
		req.Cursor[s.origin] = max(req.Cursor[s.origin], s.seq)
	}
	size := 0
	for _, p := range r.pending {
		if size += len(p.tx.Encode()); len(req.Txs) == wire.PushTxsMax || (len(req.Txs) > 0 && size > wire.PushBytesMax) {
			break
		}
		req.Txs = append(req.Txs, p.tx)
	}
	return req, nil
}

// Settle takes the fates of a push: accepted changes take the stamp they were given and are shown until the log brings them;
// refused ones leave the rows and wait for the person. Fates that do not continue what is settled already are ignored: they repeat older news.
// The edge's clock, taken half a round trip ago, corrects this device's.
//
// A reply of kind Conflict says that this replica's numbers were used by another copy of it: it takes a new identity and
// offers what waits again.
func (r *Replica) Settle(ctx context.Context, reply wire.PushReply, roundTrip time.Duration) error {
	const op = "replica.Settle"
	r.mu.Lock()
	defer r.mu.Unlock()
	fates := r.next(reply.Fates)
	offset := r.measure(reply.NowMS, roundTrip)
	cloned := fault.KindOf(reply.Err) == fault.Conflict && reply.Err != nil
	if len(fates) == 0 && offset == r.offset && !cloned {
		return nil
	}
	rebased := false
	err := r.follow(ctx, func(tx *sql.Tx) error {
		var err error
		if rebased, err = r.settle(ctx, tx, fates); err != nil {
			return err
		}
		if cloned {
			if err := r.rename(ctx, tx, r.newID()); err != nil {
				return err
			}
		}
		r.offset = offset
		_, err = tx.ExecContext(ctx, q("setSelf"), int64(r.replica), r.floor[:], r.offset.Milliseconds())
		return err
	})
	if err != nil {
		return sqlite.Wrap(op, err)
	}
	if cloned {
		r.cfg.Log.Warn("this copy of the workspace takes a new identity", "tenant", r.cfg.Tenant, "replica", r.replica)
	}
	if cloned || rebased {
		for _, o := range r.pending {
			r.mirror.put(o.tx, false)
		}
	}
	r.setClock()
	for _, f := range fates {
		if i := r.refusal(f.Num); i >= 0 {
			r.mirror.refuse(r.refused[i], r.cfg.MirrorFirst)
		} else {
			r.mirror.remove(f.Num, false)
		}
	}
	return nil
}

// next keeps the fates of the oldest pending changes, in their order.
func (r *Replica) next(fates []wire.Fate) []wire.Fate {
	for len(fates) > 0 && len(r.pending) > 0 && fates[0].Num < r.pending[0].tx.Num {
		fates = fates[1:]
	}
	n := 0
	for n < len(fates) && n < len(r.pending) && fates[n].Num == r.pending[n].tx.Num {
		n++
	}
	return fates[:n]
}

// measure is what this device's clock is off by; deviations that the round trip may explain, and small ones, are none.
func (r *Replica) measure(nowMS int64, roundTrip time.Duration) time.Duration {
	if nowMS == 0 {
		return r.offset
	}
	off := time.UnixMilli(nowMS).Add(roundTrip / 2).Sub(r.cfg.Now())
	if off.Abs() < offsetMinMS*time.Millisecond+roundTrip/2 {
		return 0
	}
	// A new measurement that agrees with the correction in force is no news.
	if (off - r.offset).Abs() < offsetMinMS*time.Millisecond+roundTrip/2 {
		return r.offset
	}
	return off.Truncate(time.Millisecond)
}

// settle works the fates in; rebased tells that what still waits has other bases now.
func (r *Replica) settle(ctx context.Context, tx *sql.Tx, fates []wire.Fate) (rebased bool, err error) {
	shown := map[key]bool{} // rows that are to be shown anew
	var anew []change.Tx    // whose they are
	stamps := map[hlc.Stamp]hlc.Stamp{}
	for _, f := range fates {
		o := r.pending[0]
		r.pending = r.pending[1:]
		if _, err := tx.ExecContext(ctx, q("dropOutbox"), o.tx.Num); err != nil {
			return false, err
		}
		if err := r.mark(ctx, tx, r.marks.pending, o.tx, -1); err != nil {
			return false, err
		}
		pushed := o.tx.Stamp
		o.tx = rebase(o.tx, stamps)
		if f.Accepted {
			if pushed != f.Stamp {
				stamps[pushed] = f.Stamp
			}
			err = r.accept(ctx, tx, o, f)
		} else {
			r.unlink(o)
			err = r.refuse(ctx, tx, o.tx, f)
		}
		if err != nil {
			return false, err
		}
		if !f.Accepted || pushed != f.Stamp || f.Seq <= r.cursor[f.Origin] {
			anew = append(anew, o.tx)
			for _, row := range o.tx.Rows {
				shown[key{row.Table, row.ID}] = true
			}
		}
	}
	if err := r.placing(ctx, tx, anew, func() error { return r.showAll(ctx, tx, shown) }); err != nil {
		return false, err
	}
	if _, err := tx.ExecContext(ctx, q("pruneDone"), int64(r.last)-doneMax); err != nil {
		return false, err
	}
	return len(stamps) > 0, r.rebasePending(ctx, tx, stamps)
}

func (r *Replica) showAll(ctx context.Context, tx *sql.Tx, rows map[key]bool) error {
	for k := range rows {
		if err := r.show(ctx, tx, k); err != nil {
			return err
		}
	}
	return nil
}

// accept gives a change its final stamp and keeps it until it has come back and is everywhere.
func (r *Replica) accept(ctx context.Context, tx *sql.Tx, o *own, f wire.Fate) error {
	if r.floor.Before(f.Stamp) {
		r.floor = f.Stamp
	}
	o.tx = o.tx.Restamp(f.Stamp)
	if f.Seq <= r.cursor[f.Origin] { // the log was faster
		r.unlink(o)
		if f.Seq <= r.every[f.Origin] {
			return nil
		}
	}
	r.sent = append(r.sent, sent{o.tx.Num, f.Origin, f.Seq, o})
	if _, err := tx.ExecContext(ctx, q("addSent"), o.tx.Num, f.Origin, f.Seq, o.tx.Encode()); err != nil {
		return err
	}
	return r.mark(ctx, tx, r.marks.sent, o.tx, +1)
}

// refuse keeps a refused change for the person.
func (r *Replica) refuse(ctx context.Context, tx *sql.Tx, t change.Tx, f wire.Fate) error {
	r.cfg.Log.Info("change refused", "tenant", r.cfg.Tenant, "num", t.Num, "command", t.Command, "kind", f.Kind)
	r.refused = append(r.refused, refused{t.Num, f.Kind, f.Detail, t})
	r.dirty.attention = true
	r.touched(t)
	if _, err := tx.ExecContext(ctx, q("addRefused"), t.Num, int(f.Kind), f.Detail, t.Encode()); err != nil {
		return err
	}
	return r.mark(ctx, tx, r.marks.refused, t, +1)
}

// rebase puts the stamps that changes were given in the place of those they were made with, among the bases. The edge does
// the same to what it commits.
func rebase(t change.Tx, stamps map[hlc.Stamp]hlc.Stamp) change.Tx {
	if len(stamps) == 0 {
		return t
	}
	rows := make([]change.Row, len(t.Rows))
	for i, row := range t.Rows {
		rows[i] = change.Row{Table: row.Table, ID: row.ID, Cells: make([]change.Cell, len(row.Cells))}
		for j, c := range row.Cells {
			if s, ok := stamps[c.Base]; ok {
				c.Base = s
			}
			rows[i].Cells[j] = c
		}
	}
	t.Rows = rows
	return t
}

// rebasePending does it to what still waits.
func (r *Replica) rebasePending(ctx context.Context, tx *sql.Tx, stamps map[hlc.Stamp]hlc.Stamp) error {
	if len(stamps) == 0 {
		return nil
	}
	for _, o := range r.pending {
		o.tx = rebase(o.tx, stamps)
		if _, err := tx.ExecContext(ctx, q("addOutbox"), o.tx.Num, o.tx.Encode()); err != nil {
			return err
		}
	}
	return nil
}

// rename gives the replica another identity, and what waits stamps of it, at the same times.
func (r *Replica) rename(ctx context.Context, tx *sql.Tx, replica uint64) error {
	r.replica = replica
	r.dirty.all = true
	stamps := map[hlc.Stamp]hlc.Stamp{}
	shown := map[key]bool{}
	for _, p := range r.pending {
		was := p.tx.Stamp
		p.tx = rebase(p.tx, stamps).Restamp(hlc.Make(was.MS(), was.Counter(), replica))
		stamps[was] = p.tx.Stamp
		if _, err := tx.ExecContext(ctx, q("addOutbox"), p.tx.Num, p.tx.Encode()); err != nil {
			return err
		}
		for _, row := range p.tx.Rows {
			shown[key{row.Table, row.ID}] = true
		}
	}
	return r.showAll(ctx, tx, shown)
}

// Everywhere notes what all regions have; marks of those changes end.
func (r *Replica) Everywhere(ctx context.Context, v change.Vector) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for origin, seq := range v {
		r.every[origin] = max(r.every[origin], seq)
	}
	if !slices.ContainsFunc(r.sent, r.done) {
		return nil
	}
	return sqlite.Wrap("replica.Everywhere", r.follow(ctx, func(tx *sql.Tx) error { return r.dropSent(ctx, tx) }))
}

// done tells whether an accepted change is everywhere, here too.
func (r *Replica) done(s sent) bool {
	return s.seq <= r.every[s.origin] && s.seq <= r.cursor[s.origin]
}

func (r *Replica) dropSent(ctx context.Context, tx *sql.Tx) error {
	kept := r.sent[:0:0]
	for _, s := range r.sent {
		if !r.done(s) {
			kept = append(kept, s)
			continue
		}
		if _, err := tx.ExecContext(ctx, q("dropSent"), s.num); err != nil {
			return err
		}
		if err := r.mark(ctx, tx, r.marks.sent, s.own.tx, -1); err != nil {
			return err
		}
	}
	r.sent = kept
	return nil
}

// Apply merges entries of the log: each origin's in sequence, those known already are skipped. gap tells that some are
// missing before one of them; that one and those after it of its origin are not merged.
func (r *Replica) Apply(ctx context.Context, entries []change.Entry) (gap bool, err error) {
	const op = "replica.Apply"
	r.mu.Lock()
	defer r.mu.Unlock()
	heads := change.Vector{}
	var txs []change.Tx
	for _, e := range entries {
		have := max(r.cursor[e.Origin], heads[e.Origin])
		switch {
		case e.Seq <= have:
		case e.Seq > have+1:
			gap = true
		default:
			heads[e.Origin] = e.Seq
			txs = append(txs, e.Tx)
			r.clock.Observe(e.Tx.Stamp)
		}
	}
	if len(txs) == 0 {
		return gap, nil
	}
	err = r.follow(ctx, func(tx *sql.Tx) error {
		for _, s := range r.sent {
			if s.seq > r.cursor[s.origin] && s.seq <= heads[s.origin] {
				r.unlink(s.own) // it is among the entries
			}
		}
		if err := r.confirm(ctx, tx, txs); err != nil {
			return err
		}
		for _, origin := range heads.Origins() {
			r.cursor[origin] = heads[origin]
			if _, err := tx.ExecContext(ctx, q("setCursor"), origin, heads[origin]); err != nil {
				return err
			}
		}
		return r.dropSent(ctx, tx)
	})
	return gap, sqlite.Wrap(op, err)
}
