package ingress

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"strings"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/sqlite"
	"holdfast/sync/store"
	"holdfast/sync/wire"
	"holdfast/sync/work"
)

// Push decides the fate of each transaction, in order, and commits the accepted ones. done are the entries that this push
// added to the log, for the feed and the publisher (which may as well read them from Log).
//
// A replica pushes from its oldest transaction without a known fate on, without holes; the number before the first one is
// what it has settled. Errors in the reply: Behind when this region has not seen what the replica builds on; Full, Busy
// and the like when nothing could be written; Conflict when the replica's number is somebody else's, or its numbers
// were used before for other changes (its database is a copy or an old backup): it must take a new identity; Invalid when
// it does not keep to this protocol.
func (g *Ingress) Push(ctx context.Context, who Actor, req wire.PushRequest) (reply wire.PushReply, done []change.Entry) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.pushOne(ctx, who, req)
}

func (g *Ingress) pushOne(ctx context.Context, who Actor, req wire.PushRequest) (reply wire.PushReply, done []change.Entry) {
	now := g.cfg.Now()
	reply.NowMS = now.UnixMilli()
	if reply.Err = validPush(req); reply.Err != nil || len(req.Txs) == 0 {
		return reply, nil
	}
	b, err := g.push(ctx, who, req, now, false)
	if err != nil && poisoned(err) {
		// One of the changes cannot be merged. Find it, refuse it, and keep the others.
		g.cfg.Log.Error("push cannot be merged; trying one by one", "tenant", g.cfg.Tenant, "replica", req.Replica, "err", err)
		b, err = g.push(ctx, who, req, now, true)
	}
	if err != nil {
		g.cfg.Log.Warn("push failed", "tenant", g.cfg.Tenant, "replica", req.Replica, "err", err)
		reply.Err = err
		return reply, nil
	}
	reply.Fates, reply.Err = b.fates, b.stop
	return reply, b.done
}

func validPush(req wire.PushRequest) error {
	const op = "ingress.Push"
	if req.Replica == 0 || len(req.Txs) > wire.PushTxsMax {
		return fault.Errorf(op, fault.Invalid, "a push names its replica and has at most %d changes", wire.PushTxsMax)
	}
	for i, t := range req.Txs {
		if t.Num == 0 || t.Num > numMax || t.Replica() != req.Replica || (i > 0 && t.Num != req.Txs[i-1].Num+1) {
			return fault.Errorf(op, fault.Invalid, "the changes of a push are numbered one after another by one replica")
		}
	}
	return nil
}

// poisoned tells whether err comes from a change and not from the disk: trying again would not help.
func poisoned(err error) bool {
	if sqlite.Code(err) != 0 {
		return sqlite.IsConstraint(err) || fault.KindOf(err) == fault.Invalid || fault.KindOf(err) == fault.TooLarge
	}
	k := fault.KindOf(err)
	return !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) && k != fault.Denied && k != fault.Conflict &&
		(k == fault.Other || !k.Temporary())
}

// batch is one push under way.
type batch struct {
	*Ingress
	ctx    context.Context
	tx     *sql.Tx
	who    Actor
	req    wire.PushRequest
	now    time.Time
	one    bool // merge each change at once, in a savepoint
	own    *origin
	seen   *seen
	last   hlc.Stamp               // of the replica's newest accepted change
	newest uint64                  // nothing is known of the replica's numbers after it
	old    map[hlc.Stamp]hlc.Stamp // stamps that were clamped in this push
	todo   []change.Tx             // accepted, not yet merged

	fates []wire.Fate
	done  []change.Entry
	stop  error
}

func (g *Ingress) push(ctx context.Context, who Actor, req wire.PushRequest, now time.Time, one bool) (*batch, error) {
	b := &batch{Ingress: g, ctx: ctx, who: who, req: req, now: now, one: one, old: map[hlc.Stamp]hlc.Stamp{}}
	err := g.write(ctx, func(tx *sql.Tx) (err error) {
		b.tx, b.seen = tx, newSeen(ctx, tx)
		return b.run()
	})
	return b, sqlite.Wrap("ingress.Push", err)
}

func (b *batch) run() (err error) {
	if b.own, err = b.origin(b.ctx, b.tx, b.cfg.Region); err != nil {
		return err
	}
	if err := b.settle(); err != nil {
		return err
	}
	if err := b.latest(); err != nil {
		return err
	}
	head := b.own.head
	for _, t := range b.req.Txs {
		f, known, err := b.known(t)
		if err == nil && !known {
			f, err = b.decide(t)
		}
		if err != nil {
			return err
		}
		if b.stop != nil {
			break
		}
		b.fates = append(b.fates, f)
	}
	if len(b.todo) > 0 {
		if _, err := store.Merge(b.ctx, b.tx, b.todo...); err != nil {
			return err
		}
	}
	if b.own.head == head {
		return nil
	}
	_, err = b.tx.ExecContext(b.ctx, q("setHead"), b.own.head, b.own.bytes, b.own.id)
	return err
}

// settle binds the replica to its member and forgets the fates that it knows.
func (b *batch) settle() error {
	const op = "ingress.settle"
	first := b.req.Txs[0].Num
	var member string
	var settled uint64
	var stale bool // fates that it knows now are kept
	err := b.tx.QueryRowContext(b.ctx, q("replica"), int64(b.req.Replica), first-1).Scan(&member, &settled, &stale)
	if errors.Is(err, sql.ErrNoRows) {
		if _, err := b.tx.ExecContext(b.ctx, q("addReplica"), int64(b.req.Replica), string(b.who.ID), first-1); err != nil {
			return err
		}
		_, err := b.tx.ExecContext(b.ctx, q("pruneFates"), int64(b.req.Replica), first-1)
		return err
	}
	switch {
	case err != nil:
		return err
	case member != string(b.who.ID):
		return fault.Errorf(op, fault.Conflict, "Somebody else's device has this device's number. It takes another one by itself.")
	case first <= settled:
		return fault.Errorf(op, fault.Conflict, "This device has used these numbers before. Its copy of the workspace was restored from an older one.")
	case first-1 == settled:
		return nil
	}
	if stale {
		if _, err := b.tx.ExecContext(b.ctx, q("pruneFates"), int64(b.req.Replica), first-1); err != nil {
			return err
		}
	}
	_, err = b.tx.ExecContext(b.ctx, q("setSettled"), first-1, int64(b.req.Replica))
	return err
}

// latest finds the stamp after which the replica's next one must lie, and the last number of which anything is known.
func (b *batch) latest() error {
	var stamp, raw []byte
	if err := b.tx.QueryRowContext(b.ctx, q("latest"), int64(b.req.Replica)).Scan(&stamp, &raw, &b.newest); err != nil {
		return err
	}
	copy(b.last[:], stamp)
	if raw == nil {
		return nil
	}
	t, err := change.Decode(raw)
	if err != nil {
		return err
	}
	if b.last.Before(t.Stamp) {
		b.last = t.Stamp
	}
	b.newest = max(b.newest, t.Num)
	return nil
}

// known finds the fate of a change that was pushed before, here or, as far as its log has come, to another region. What was
// accepted anywhere is accepted, even when this region had refused it: it is in effect.
func (b *batch) known(t change.Tx) (f wire.Fate, known bool, err error) {
	if t.Num > b.newest {
		return f, false, nil
	}
	in, inLog, err := b.logged(t)
	if err != nil {
		return f, false, err
	}
	kept, known, err := b.kept(b.ctx, b.tx, b.req.Replica, t.Num, sum(t))
	if err != nil {
		return f, false, err
	}
	// What this region gave out itself stands, in the log or, after a trim, beside it.
	if f = kept; inLog && (in.Origin == b.cfg.Region || !kept.Accepted) {
		f = in
	}
	b.clamped(t.Stamp, f.Stamp)
	return f, known || inLog, nil
}

// logged is the fate that the log tells.
func (b *batch) logged(t change.Tx) (f wire.Fate, known bool, err error) {
	var origin int64
	var seq uint64
	var raw []byte
	err = b.tx.QueryRowContext(b.ctx, q("logged"), int64(b.req.Replica), t.Num, b.own.id).Scan(&origin, &seq, &raw)
	if errors.Is(err, sql.ErrNoRows) {
		return f, false, nil
	}
	if err != nil {
		return f, false, err
	}
	was, err := change.Decode(raw)
	if err != nil {
		return f, false, err
	}
	if !bytes.Equal(sum(was), sum(t)) {
		return f, false, reused()
	}
	return wire.Fate{Num: t.Num, Accepted: true, Origin: b.names[origin], Seq: seq, Stamp: was.Stamp}, true, nil
}

// kept is the fate that was written down for a change.
func (g *Ingress) kept(ctx context.Context, tx *sql.Tx, replica, num uint64, digest []byte) (f wire.Fate, known bool, err error) {
	var was, raw []byte
	err = tx.QueryRowContext(ctx, q("fate"), int64(replica), num).Scan(&was, &raw)
	if errors.Is(err, sql.ErrNoRows) {
		return f, false, nil
	}
	if err != nil {
		return f, false, err
	}
	if !bytes.Equal(was, digest) {
		return f, false, reused()
	}
	f, err = wire.DecodeFate(raw)
	return f, true, err
}

func reused() error {
	return fault.Errorf("ingress.Push", fault.Conflict, "This device has used these numbers for other changes. Its copy of the workspace was restored from an older one.")
}

// clamped remembers a stamp that became another, for the bases of what the replica wrote after it.
func (b *batch) clamped(was, is hlc.Stamp) {
	if is.IsZero() {
		return // refused
	}
	if was != is {
		b.old[was] = is
	}
	if b.last.Before(is) {
		b.last = is
	}
}

// sum tells whether two transactions say the same: everything that an edge does not change.
func sum(t change.Tx) []byte {
	t.Stamp, t.Actor = hlc.Stamp{}, ""
	rows := make([]change.Row, len(t.Rows))
	for i, r := range t.Rows {
		rows[i] = change.Row{Table: r.Table, ID: r.ID, Cells: make([]change.Cell, len(r.Cells))}
		for j, c := range r.Cells {
			rows[i].Cells[j] = change.Cell{Col: c.Col, Val: c.Val}
		}
	}
	t.Rows = rows
	h := sha256.Sum256(t.Encode())
	return h[:16]
}

// decide checks a change that has no fate yet, and accepts or rejects it.
func (b *batch) decide(t change.Tx) (wire.Fate, error) {
	pushed := t
	t.Actor = b.who.ID
	t.Rows = b.rebase(t.Rows)
	stamp, err := b.clamp(t)
	if err != nil {
		return wire.Fate{}, err
	}
	err = work.Check(t, b.who.Role, b.seen)
	if err == nil && b.cfg.Admit != nil {
		err = b.cfg.Admit(b.ctx, b.who, t, b.seen)
	}
	t = t.Restamp(stamp)
	if err == nil {
		err = b.merge(t)
	}
	if err != nil {
		return b.refuse(pushed, err)
	}
	b.clamped(pushed.Stamp, stamp)
	e := change.Entry{Origin: b.cfg.Region, Seq: b.own.head + 1, Tx: t}
	if err := b.log(b.ctx, b.tx, b.own, e, b.now); err != nil {
		return wire.Fate{}, err
	}
	b.done = append(b.done, e)
	return wire.Fate{Num: t.Num, Accepted: true, Origin: e.Origin, Seq: e.Seq, Stamp: stamp}, nil
}

// rebase puts clamped stamps in the place of those that the replica still knew as bases.
func (b *batch) rebase(rows []change.Row) []change.Row {
	if len(b.old) == 0 {
		return rows
	}
	out := make([]change.Row, len(rows))
	for i, r := range rows {
		out[i] = change.Row{Table: r.Table, ID: r.ID, Cells: make([]change.Cell, len(r.Cells))}
		for j, c := range r.Cells {
			if s, ok := b.old[c.Base]; ok {
				c.Base = s
			}
			out[i].Cells[j] = c
		}
	}
	return out
}

// clamp brings a stamp from a clock that is ahead down to what this edge's clock allows, but never before the values
// that the change replaces knowingly, and never out of the replica's own order.
func (b *batch) clamp(t change.Tx) (hlc.Stamp, error) {
	limit := b.now.Add(clampAheadMS * time.Millisecond)
	if t.Stamp.MS() <= limit.UnixMilli() {
		return t.Stamp, nil
	}
	floor := b.last
	for _, r := range t.Rows {
		row, ok, err := b.seen.get(r.Table, r.ID)
		if err != nil {
			return t.Stamp, err
		}
		for _, c := range r.Cells {
			// A base is believed only when it is what is there.
			if ok && !c.Base.IsZero() && row.Cell(c.Col).Stamp == c.Base && floor.Before(c.Base) {
				floor = c.Base
			}
		}
	}
	return hlc.Clamp(t.Stamp, limit, floor), nil
}

// merge makes an accepted change visible to the checks of those after it.
func (b *batch) merge(t change.Tx) error {
	if !b.one {
		b.todo = append(b.todo, t)
		return b.seen.fold(t)
	}
	if _, err := b.tx.ExecContext(b.ctx, "SAVEPOINT one"); err != nil {
		return err
	}
	_, err := store.Merge(b.ctx, b.tx, t)
	if err != nil && poisoned(err) {
		if _, rerr := b.tx.ExecContext(b.ctx, "ROLLBACK TO one"); rerr != nil {
			return rerr
		}
		b.cfg.Log.Error("change cannot be merged", "tenant", b.cfg.Tenant, "replica", t.Replica(), "num", t.Num, "err", err)
		err = fault.Errorf("ingress.Push", fault.Invalid, "This change could not be stored. Copy what you need from it and make it again.")
	}
	if _, rerr := b.tx.ExecContext(b.ctx, "RELEASE one"); rerr != nil {
		return rerr
	}
	if err != nil {
		return err
	}
	return b.seen.fold(t)
}

// refuse gives a permanent refusal its durable fate, and lets a temporary one stop the push.
func (b *batch) refuse(t change.Tx, cause error) (wire.Fate, error) {
	k := fault.KindOf(cause)
	switch {
	case sqlite.Code(cause) != 0 || k == fault.Other || b.ctx.Err() != nil:
		return wire.Fate{}, cause
	case k.Temporary():
		b.stop = cause
		return wire.Fate{}, nil
	case k == fault.NotFound && !b.heads().Covers(b.req.Cursor):
		b.stop = fault.Errorf("ingress.Push", fault.Behind, "This region has not received everything that these changes build on yet.")
		return wire.Fate{}, nil
	}
	f := wire.Fate{Num: t.Num, Kind: k, Detail: fault.DetailOf(cause)}
	if p, ok := work.PlaceOf(cause); ok {
		f.Table, f.Row, f.Col = clip(p.Table, change.NameBytesMax), p.Row, clip(p.Col, change.NameBytesMax)
		if !p.Row.Valid() {
			f.Row = ""
		}
	}
	f.Detail = clip(f.Detail, wire.DetailMax)
	_, err := b.tx.ExecContext(b.ctx, q("addFate"), int64(b.req.Replica), t.Num, sum(t), wire.EncodeFate(f))
	b.cfg.Log.Info("change refused", "tenant", b.cfg.Tenant, "replica", b.req.Replica, "num", t.Num, "command", t.Command, "kind", k)
	return f, err
}

func clip(s string, n int) string { return strings.ToValidUTF8(s[:min(len(s), n)], "") }

// log adds an entry and moves the origin's head, which the caller writes at the end.
func (g *Ingress) log(ctx context.Context, tx *sql.Tx, o *origin, e change.Entry, now time.Time) error {
	replica := int64(0)
	if e.Tx.Num > 0 {
		replica = int64(e.Tx.Replica())
	}
	raw := e.Tx.Encode()
	_, err := tx.ExecContext(ctx, q("addLog"), o.id, e.Seq, replica, e.Tx.Num, now.UnixMilli(), raw)
	if err == nil {
		o.head, o.bytes = e.Seq, o.bytes+int64(len(raw))
	}
	return err
}
