// Package desk answers the page's requests (package port) for all tabs of one device: edits and watches go to the
// replica, presence and wake-ups to the link, and the status goes out to every tab when it changes.
//
// Requests are taken in the order in which they come, one at a time, so what a person does is done in that order.
package desk

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/link"
	"holdfast/sync/port"
	"holdfast/sync/replica"
)

// Replica is what the desk needs of a replica.
type Replica interface {
	Do(ctx context.Context, e port.Edit) (num uint64, err error)
	Retry(ctx context.Context, num uint64) error
	Discard(ctx context.Context, num uint64) error
	Watch(watch int, q port.Query, to func(port.Result))
	Unwatch(watch int)
}

// Link is what the desk needs of a link.
type Link interface {
	State() link.State
	Push()
	Wake()
	View(view string)
}

// Config is what a desk needs.
type Config struct {
	Replica Replica
	Link    Link
	Person  id.ID
	// Send hands a message to a tab; re is the number of the request it answers, or 0.
	Send   func(tab string, re int, text []byte)
	Counts func() replica.Counts
	// Rebuild and SignOut do what only the worker around can.
	Rebuild func(ctx context.Context) error
	SignOut func(ctx context.Context, forget bool) error
	// Base is the part of the status that the desk does not know: Storage, Problem, Ready, Loading.
	Base func() port.Status
	Log  *slog.Logger
}

type request struct {
	tab  string
	text []byte
}

// Desk serves tabs. It is safe for concurrent use.
type Desk struct {
	cfg      Config
	requests chan request
	changed  chan struct{} // 1: the status may have changed
	results  chan struct{} // 1: results wait to be sent

	mu      sync.Mutex
	tabs    map[string]map[int]int   // tab → its watch number → the replica's
	watches int                      // the last watch number given to the replica
	ready   map[string][]port.Result // by tab: results that go out together
	last    []byte                   // the last status sent
	problem *port.Error              // of the device's files: Full until something fits again, Corrupt for good
}

// New makes a desk; Run serves it.
func New(cfg Config) *Desk {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Desk{cfg: cfg, requests: make(chan request, requestsMax), changed: make(chan struct{}, 1), results: make(chan struct{}, 1),
		tabs: map[string]map[int]int{}, ready: map[string][]port.Result{}}
}

// Request takes a tab's request. It never blocks: when too many wait already, this one is answered as Busy.
func (d *Desk) Request(tab string, text []byte) {
	select {
	case d.requests <- request{tab, text}:
	default:
		var q port.Request
		if json.Unmarshal(text, &q) == nil && q.ID != 0 {
			err := fault.Errorf("desk.Request", fault.Busy, "Too much at once. Try again in a moment.")
			d.send(tab, q.ID, port.Message{Reply: &port.Reply{ID: q.ID, Error: port.ErrorOf(err)}})
		}
	}
}

// Gone forgets a tab.
func (d *Desk) Gone(tab string) {
	d.mu.Lock()
	watches := d.tabs[tab]
	delete(d.tabs, tab)
	delete(d.ready, tab)
	d.mu.Unlock()
	for _, w := range watches {
		d.cfg.Replica.Unwatch(w)
	}
}

// Changed says that the status may have changed.
func (d *Desk) Changed() { poke(d.changed) }

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run serves until ctx is done.
func (d *Desk) Run(ctx context.Context) {
	status := time.NewTimer(0)
	defer status.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-d.requests:
			d.serve(ctx, r)
		case <-d.results:
			d.sendNews()
		case <-d.changed:
			status.Reset(statusEvery)
		case <-status.C:
			d.sendNews()
		}
	}
}

func (d *Desk) serve(ctx context.Context, r request) {
	var q port.Request
	err := json.Unmarshal(r.text, &q)
	if err == nil {
		d.meet(r.tab)
		err = d.handle(ctx, r.tab, q)
	} else {
		err = fault.E("desk.serve", fault.Invalid, err)
	}
	if err != nil {
		d.cfg.Log.Info("request failed", "op", q.Op, "err", err)
	}
	d.note(err, q.Op == port.OpDo || q.Op == port.OpRetry)
	if q.ID != 0 {
		d.send(r.tab, q.ID, port.Message{Reply: &port.Reply{ID: q.ID, Error: port.ErrorOf(err)}})
	}
}

// note keeps what an outcome says about the device's files; wrote tells that the request had to write.
func (d *Desk) note(err error, wrote bool) {
	d.mu.Lock()
	before := d.problem
	switch kind := fault.KindOf(err); {
	case err == nil && wrote && before != nil && before.Kind == fault.Full:
		d.problem = nil
	case err != nil && (kind == fault.Full && before == nil || kind == fault.Corrupt):
		d.problem = port.ErrorOf(err)
	}
	fresh := d.problem != before
	d.mu.Unlock()
	if fresh {
		d.Changed()
	}
}

// meet sends a new tab the status.
func (d *Desk) meet(tab string) {
	d.mu.Lock()
	_, known := d.tabs[tab]
	if !known {
		d.tabs[tab] = map[int]int{}
	}
	d.mu.Unlock()
	if !known {
		s := d.status()
		d.send(tab, 0, port.Message{Status: &s})
	}
}

func (d *Desk) handle(ctx context.Context, tab string, q port.Request) error {
	switch q.Op {
	case port.OpDo:
		e, err := args[port.Edit](q)
		if err == nil {
			_, err = d.cfg.Replica.Do(ctx, e)
		}
		d.cfg.Link.Push()
		return err
	case port.OpWatch:
		query, err := args[port.Query](q)
		if err != nil {
			return err
		}
		d.watch(tab, q.Watch, query)
	case port.OpUnwatch:
		d.unwatch(tab, q.Watch)
	case port.OpRetry, port.OpDiscard:
		a, err := args[struct{ Num uint64 }](q)
		if err != nil {
			return err
		}
		if q.Op == port.OpDiscard {
			return d.cfg.Replica.Discard(ctx, a.Num)
		}
		defer d.cfg.Link.Push()
		return d.cfg.Replica.Retry(ctx, a.Num)
	case port.OpView:
		a, err := args[struct{ View string }](q)
		if err != nil {
			return err
		}
		d.cfg.Link.View(a.View)
	case port.OpWake:
		d.cfg.Link.Wake()
	case port.OpRebuild:
		return d.cfg.Rebuild(ctx)
	case port.OpSignOut:
		a, err := args[struct{ Forget bool }](q)
		if err != nil {
			return err
		}
		return d.cfg.SignOut(ctx, a.Forget)
	default:
		return fault.Errorf("desk.handle", fault.Unsupported, "This version does not know %q. Reload the page.", q.Op)
	}
	return nil
}

func args[T any](q port.Request) (v T, err error) {
	if err := json.Unmarshal(q.Args, &v); err != nil {
		return v, fault.E("desk."+q.Op, fault.Invalid, err)
	}
	return v, nil
}

func (d *Desk) watch(tab string, n int, q port.Query) {
	d.unwatch(tab, n)
	d.mu.Lock()
	if d.tabs[tab] == nil { // it went while its request waited
		d.mu.Unlock()
		return
	}
	d.watches++
	w := d.watches
	d.tabs[tab][n] = w
	d.mu.Unlock()
	d.cfg.Replica.Watch(w, q, func(r port.Result) {
		d.mu.Lock()
		current := d.tabs[tab][n] == w
		if current {
			r.Watch = n
			d.ready[tab] = append(d.ready[tab], r)
		}
		d.mu.Unlock()
		if r.Error != nil && r.Error.Kind == fault.Corrupt {
			d.note(fault.E("desk.watch", fault.Corrupt, nil), false)
		}
		poke(d.results)
	})
}

func (d *Desk) unwatch(tab string, n int) {
	d.mu.Lock()
	w, ok := d.tabs[tab][n]
	delete(d.tabs[tab], n)
	if waiting := d.ready[tab]; ok && len(waiting) > 0 {
		d.ready[tab] = slices.DeleteFunc(waiting, func(r port.Result) bool { return r.Watch == n })
	}
	d.mu.Unlock()
	if ok {
		d.cfg.Replica.Unwatch(w)
	}
}

// send sends a message, and in it the results that wait: a reply must not overtake those that do not hold its edit yet.
func (d *Desk) send(tab string, re int, m port.Message) {
	d.mu.Lock()
	m.Results = d.ready[tab]
	delete(d.ready, tab)
	d.mu.Unlock()
	if len(m.Results) == 0 && m.Reply == nil && m.Status == nil {
		return
	}
	text, err := json.Marshal(m)
	if err != nil {
		d.cfg.Log.Error("message cannot be encoded", "err", err)
		return
	}
	d.cfg.Send(tab, re, text)
}

func (d *Desk) status() port.Status {
	s, l, c := d.cfg.Base(), d.cfg.Link.State(), d.cfg.Counts()
	s.Link, s.Waiting, s.Attention, s.Behind, s.OffsetMS = l.Link, c.Waiting, c.Attention, c.Behind, c.OffsetMS
	if c.Unkept {
		s.Storage = port.Memory
	}
	if s.Problem == nil {
		d.mu.Lock()
		s.Problem = d.problem
		d.mu.Unlock()
	}
	if s.Problem == nil && (fault.KindOf(l.Error) == fault.Full || fault.KindOf(l.Error) == fault.Corrupt) {
		s.Problem = port.ErrorOf(l.Error)
	}
	s.People = nil
	for _, p := range l.People {
		me := p.Conn == l.Conn
		if me {
			s.Region = p.Region
		}
		s.People = append(s.People, port.Person{Member: p.Member, View: p.View, Me: me})
	}
	return s
}

// sendNews sends every tab the results that wait for it and the status, if that is another one: in one message, which is
// drawn once.
func (d *Desk) sendNews() {
	var news *port.Status
	s := d.status()
	text, err := json.Marshal(s)
	if err != nil {
		d.cfg.Log.Error("status cannot be encoded", "err", err)
	}
	d.mu.Lock()
	if string(text) != string(d.last) {
		d.last, news = text, &s
	}
	tabs := slices.Sorted(maps.Keys(d.tabs))
	d.mu.Unlock()
	for _, tab := range tabs {
		d.send(tab, 0, port.Message{Status: news})
	}
}
