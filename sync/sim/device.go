package sim

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/ingress"
	"holdfast/sync/port"
	"holdfast/sync/replica"
	"holdfast/sync/sqlite"
	"holdfast/sync/store"
	"holdfast/sync/wire"
)

// device is one person's browser.
type device struct {
	w       *World
	name    string
	person  int
	db      *sql.DB
	replica *replica.Replica
	shelf   *replica.Shelf
	at      *region
	online  bool
	session int // of the connection: answers to an older one never arrive
	skew    time.Duration
	cursor  change.Vector
	keys    map[uint64]id.ID // number → key of the edit behind it
	runs    []func()
}

func (w *World) newDevice(i int) (*device, error) {
	d := &device{w: w, person: i % len(w.people), at: w.regions[i%len(w.regions)], online: true, shelf: replica.NewShelf(), keys: map[uint64]id.ID{}}
	d.name = fmt.Sprintf("%s#%d", w.people[d.person].name, i)
	if err := d.blank(); err != nil {
		return nil, err
	}
	if w.cfg.Steps > 0 {
		d.skew = w.skew()
	}
	return d, d.start()
}

func (d *device) blank() (err error) {
	d.db, err = sqlite.Open(d.w.ctx, ":memory:", sqlite.Options{})
	return err
}

// start opens the replica on the database as it is.
func (d *device) start() error {
	d.runs = nil
	d.replica = replica.New(replica.Config{DB: d.db, Tenant: tenant, Member: d.w.people[d.person].id, Rand: reader{d.w.rnd}, Log: d.w.cfg.Log,
		Now:      func() time.Time { return d.w.now.Add(d.skew) },
		Schedule: func(run func()) { d.runs = append(d.runs, run) }, Mirror: d.shelf, MirrorFirst: true})
	err := d.replica.Open(d.w.ctx)
	d.cursor = d.replica.Cursor()
	return err
}

// skew is how wrong a clock may be.
func (w *World) skew() time.Duration {
	switch w.rnd.IntN(6) {
	case 0:
		return 365 * 24 * time.Hour
	case 1:
		return -365 * 24 * time.Hour
	case 2, 3:
		return time.Duration(w.rnd.IntN(1200)-600) * time.Second
	}
	return time.Duration(w.rnd.IntN(2000)-1000) * time.Millisecond
}

func (d *device) setClock() {
	d.skew = d.w.skew()
	d.w.say("%s's clock is off by %v", d.name, d.skew)
}

// do makes an edit and enters it into the ledger.
func (d *device) do(e port.Edit) error {
	e.Key = id.New(d.w.now, reader{d.w.rnd})
	num, err := d.replica.Do(d.w.ctx, e)
	if err != nil || num == 0 {
		return err
	}
	d.w.report.Edits++
	d.w.ops.made(e.Key)
	d.keys[num] = e.Key
	d.w.say("%s %d: %s", d.name, num, e.Command)
	return nil
}

func (d *device) push() error {
	if !d.online {
		return nil
	}
	req, err := d.replica.PushRequest(d.w.ctx)
	if err != nil || len(req.Txs) == 0 {
		return err
	}
	if !d.w.calm && d.w.dice(3) { // a slower device, a smaller push
		req.Txs = req.Txs[:1+d.w.rnd.IntN(len(req.Txs))]
	}
	req, err = wire.DecodePushRequest(req.Encode())
	if err != nil {
		return err
	}
	to, session, sent := d.at, d.session, d.w.now
	d.w.send(fmt.Sprintf("%s pushes %d…%d to %s", d.name, req.Txs[0].Num, req.Txs[len(req.Txs)-1].Num, to.name), func() error {
		return to.take(d, session, req, sent)
	})
	return nil
}

// offer is a push that waits at a region's door.
type offer struct {
	device  *device
	session int
	req     wire.PushRequest
	sent    time.Time
}

// take is the region's end of a push. Now and then several wait and are done together.
func (r *region) take(d *device, session int, req wire.PushRequest, sent time.Time) error {
	r.held = append(r.held, offer{d, session, req, sent})
	if !r.w.calm && len(r.held) < 4 && r.w.dice(3) {
		return nil
	}
	held := r.held
	r.held = nil
	offers := make([]ingress.Offer, len(held))
	for i, o := range held {
		member := r.w.people[o.device.person].id
		offers[i] = ingress.Offer{Who: ingress.Actor{ID: member, Role: r.roles[member]}, Req: o.req}
	}
	for i, out := range r.door.PushAll(r.w.ctx, offers) {
		if err := r.answerPush(held[i], out); err != nil {
			return err
		}
	}
	return nil
}

func (r *region) answerPush(o offer, out ingress.Outcome) error {
	if err := r.w.ops.judged(r, o.req, out.Reply, out.Done); err != nil {
		return err
	}
	r.publish(out.Done)
	frame := out.Reply.Encode()
	r.w.send(fmt.Sprintf("%s answers %s: %d fates, %v", r.name, o.device.name, len(out.Reply.Fates), out.Reply.Err), func() error {
		reply, err := wire.DecodePushReply(frame)
		if err != nil || o.device.session != o.session {
			return err
		}
		return o.device.settle(reply, o.sent)
	})
	return nil
}

func (d *device) settle(reply wire.PushReply, sent time.Time) error {
	if d.w.now.Sub(sent) > 15*time.Second {
		return nil // nobody waits so long
	}
	waiting, err := d.replica.PushRequest(d.w.ctx)
	if err != nil {
		return err
	}
	was := d.replica.ID()
	if err := d.replica.Settle(d.w.ctx, reply, d.w.now.Sub(sent)); err != nil {
		return err
	}
	if d.replica.ID() != was {
		d.w.report.Renames++
		d.w.say("%s takes a new identity: %v", d.name, reply.Err)
	}
	left, err := d.replica.PushRequest(d.w.ctx)
	if err != nil {
		return err
	}
	first := uint64(1 << 62)
	if len(left.Txs) > 0 {
		first = left.Txs[0].Num
	}
	for _, f := range reply.Fates {
		i := slices.IndexFunc(waiting.Txs, func(t change.Tx) bool { return t.Num == f.Num })
		if i < 0 || f.Num >= first {
			continue
		}
		key, ok := d.keys[f.Num]
		if !ok {
			return fmt.Errorf("%s settled %d, which it never made", d.name, f.Num)
		}
		if f.Accepted && f.Stamp != waiting.Txs[i].Stamp {
			d.w.report.Clamps++
		}
		if err := d.w.ops.settled(key, f); err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
	}
	return d.steady()
}

func (d *device) pull() error {
	if !d.online {
		return nil
	}
	from, session, cursor := d.at, d.session, d.replica.Cursor()
	d.w.send(fmt.Sprintf("%s pulls from %s", d.name, from.name), func() error {
		reply := from.door.Pull(d.w.ctx, wire.PullRequest{Cursor: cursor})
		frame := reply.Encode()
		d.w.send(fmt.Sprintf("%s answers %s's pull", from.name, d.name), func() error {
			if d.session != session {
				return nil
			}
			r, err := wire.DecodePullReply(frame)
			if err != nil {
				return err
			}
			if r.Err != nil {
				return r.Err
			}
			if r.Snapshot {
				return d.install()
			}
			return d.hear(session, r.Entries, r.Everywhere)
		})
		return nil
	})
	return nil
}

// hear takes entries from the feed or a pull.
func (d *device) hear(session int, entries []change.Entry, everywhere change.Vector) error {
	if d.session != session {
		return nil
	}
	gap, err := d.replica.Apply(d.w.ctx, entries)
	if err != nil {
		return err
	}
	if err := d.replica.Everywhere(d.w.ctx, everywhere); err != nil {
		return err
	}
	if gap {
		if err := d.pull(); err != nil {
			return err
		}
	}
	return d.steady()
}

// steady checks that the cursor did not run backwards.
func (d *device) steady() error {
	v := d.replica.Cursor()
	if !v.Covers(d.cursor) {
		return fmt.Errorf("%s's cursor ran backwards from %v to %v", d.name, d.cursor, v)
	}
	d.cursor = v
	runs := d.runs
	d.runs = nil
	for _, run := range runs {
		run()
	}
	return nil
}

// crash loses everything but the database, and checks that nothing else mattered.
func (d *device) crash() error {
	d.w.report.Crashes++
	d.w.say("%s dies", d.name)
	before, err := d.state()
	if err != nil {
		return err
	}
	d.replica.Close()
	d.session++
	if err := d.start(); err != nil {
		return err
	}
	after, err := d.state()
	if err == nil && before != after {
		err = fmt.Errorf("%s came back as\n%s\nand was\n%s", d.name, after, before)
	}
	return err
}

// state is what a person and an edge see of a device.
func (d *device) state() (string, error) {
	sum, err := store.Digest(d.w.ctx, d.db)
	if err != nil {
		return "", err
	}
	req, err := d.replica.PushRequest(d.w.ctx)
	if err != nil {
		return "", err
	}
	req.NowMS = 0
	c := d.replica.Counts()
	return fmt.Sprintf("rows %x, %+v, cursor %v, outbox %x", sum[:4], c, d.replica.Cursor(), req.Encode()), nil
}

// roam connects the device to another region.
func (d *device) roam() error {
	d.at = pick(d.w, d.w.regions)
	d.session++
	d.w.say("%s is at %s now", d.name, d.at.name)
	return nil
}

func (d *device) toggle() {
	d.online = !d.online
	d.session++
	d.w.say("%s online: %v", d.name, d.online)
}

// install replaces the rows by a snapshot; now and then the process dies in the middle.
func (d *device) install() error {
	if !d.online {
		return nil
	}
	path := d.w.file()
	v, err := d.at.door.Snapshot(d.w.ctx, path)
	if err != nil {
		return err
	}
	fresh, err := sqlite.Open(d.w.ctx, path, sqlite.Options{})
	if err != nil {
		return err
	}
	d.w.report.Installs++
	d.w.say("%s installs the snapshot of %s at %v", d.name, d.at.name, v)
	if !d.w.calm && d.w.dice(3) {
		died := fault.Errorf("sim", fault.Unavailable, "the process died before the new database was kept")
		if err := d.replica.Install(d.w.ctx, fresh, func(context.Context) error { return died }); fault.KindOf(err) != fault.Unavailable {
			return fmt.Errorf("install went on: %w", err)
		}
		fresh.Close()
		return d.crash()
	}
	counts := d.replica.Counts()
	if err := d.replica.Install(d.w.ctx, fresh, func(context.Context) error { return nil }); err != nil {
		return err
	}
	d.db.Close()
	d.db = fresh
	d.cursor = d.replica.Cursor()
	if now := d.replica.Counts(); now.Waiting != counts.Waiting || now.Attention != counts.Attention {
		return fmt.Errorf("%s had %+v before a snapshot and %+v after", d.name, counts, now)
	}
	d.session++
	return d.crash()
}

// lose destroys the database. What waits and what was refused comes back from the mirror, but now and then without the last
// change: a browser was killed before it had written it there.
func (d *device) lose() error {
	d.w.report.Losses++
	attention := d.replica.Counts().Attention
	d.replica.Close()
	d.db.Close()
	d.session++
	saved, err := d.shelf.Saved()
	if err != nil || len(saved.Refused) != attention {
		return fmt.Errorf("%s: %d of %d refused changes are in the mirror: %w", d.name, len(saved.Refused), attention, err)
	}
	if n := len(saved.Pending); n > 0 && !d.w.calm && d.w.dice(3) {
		last := saved.Pending[n-1]
		saved.Pending = saved.Pending[:n-1]
		d.w.ops.lost(d.keys[last.Num])
		if err := d.shelf.Delete(d.w.ctx, last.Num); err != nil {
			return err
		}
	}
	d.w.say("%s loses its database; %d changes wait in the mirror, %d were refused", d.name, len(saved.Pending), attention)
	if err := d.blank(); err != nil {
		return err
	}
	keys := d.keys
	d.keys = map[uint64]id.ID{}
	if err := d.start(); err != nil {
		return err
	}
	n, err := d.replica.Restore(d.w.ctx, saved)
	if err != nil || n != len(saved.Pending)+attention || d.replica.Counts().Attention != attention {
		return fmt.Errorf("%s: %d of %d changes restored: %w", d.name, n, len(saved.Pending)+attention, err)
	}
	req, err := d.replica.PushRequest(d.w.ctx)
	if err != nil || len(req.Txs) != len(saved.Pending) {
		return fmt.Errorf("%s: %d changes wait after %d were restored: %w", d.name, len(req.Txs), len(saved.Pending), err)
	}
	for i, t := range req.Txs {
		d.keys[t.Num] = keys[saved.Pending[i].Num]
	}
	again, err := d.shelf.Saved()
	if err != nil || len(again.Pending) != len(saved.Pending) || len(again.Refused) != attention {
		return fmt.Errorf("%s: the mirror holds %d and %d after %d and %d were restored: %w", d.name,
			len(again.Pending), len(again.Refused), len(saved.Pending), attention, err)
	}
	return nil
}

// decide is what a person does about a refused change.
func (d *device) decide() error {
	if d.replica.Counts().Attention == 0 {
		return nil
	}
	items, err := d.attention()
	if err != nil {
		return err
	}
	item := pick(d.w, items)
	if d.w.dice(2) {
		d.w.say("%s gives %d up", d.name, item.Num)
		return d.replica.Discard(d.w.ctx, item.Num)
	}
	err = d.retry(item.Num)
	switch fault.KindOf(err) {
	case fault.Denied, fault.NotFound, fault.Invalid, fault.Unavailable:
		return nil // it stays where it is
	}
	return err
}

// retry makes a refused change again, and enters it into the ledger as a new edit.
func (d *device) retry(num uint64) error {
	before := d.replica.Counts()
	if err := d.replica.Retry(d.w.ctx, num); err != nil {
		return err
	}
	after := d.replica.Counts()
	if after.Attention != before.Attention-1 {
		return fmt.Errorf("%s tried %d again and has %+v, had %+v", d.name, num, after, before)
	}
	if after.Waiting == before.Waiting {
		return nil // it changes nothing any more
	}
	req, err := d.replica.PushRequest(d.w.ctx)
	if err != nil {
		return err
	}
	d.w.report.Resent++
	as := req.Txs[0].Num + uint64(after.Waiting) - 1
	d.keys[as] = id.New(d.w.now, reader{d.w.rnd})
	d.w.ops.made(d.keys[as])
	d.w.say("%s makes %d again as %d", d.name, num, as)
	return nil
}

func (d *device) attention() (items []port.AttentionItem, err error) {
	r, err := ask[port.AttentionResult](d, port.Query{Kind: port.Attention})
	return r.Items, err
}
