// Package memory is the replica's port kept in memory: the same requests, answers and order of messages as the worker's,
// without a disk or a network. The gallery and the page's tests run on it.
//
// What a region would say is said by the test: Advance moves changes on, Refuse turns one down.
package memory

import (
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

type row struct {
	set     map[string]change.Value
	author  id.ID
	created int64
	mark    port.Mark
	edited  bool
	history []port.HistItem
}

type refused struct {
	item port.AttentionItem
}

// Replica answers requests of one page. It is safe for concurrent use.
type Replica struct {
	mu      sync.Mutex
	person  id.ID
	now     func() time.Time
	hear    func(port.Message)
	held    []port.Message
	holding bool
	rows    map[string]map[id.ID]*row
	done    map[id.ID]bool
	watches map[int]port.Query
	status  port.Status
	refused []refused
	num     uint64
	fail    *port.Error
}

// New makes an empty replica of a person's.
func New(person id.ID, now func() time.Time) *Replica {
	r := &Replica{person: person, now: now, rows: map[string]map[id.ID]*row{}, done: map[id.ID]bool{}, watches: map[int]port.Query{},
		status: port.Status{Ready: true, Loading: 1, Storage: "disk", Link: port.Online, Region: "eu"}}
	for _, t := range work.Tables {
		r.rows[t.Name] = map[id.ID]*row{}
	}
	return r
}

// Connect is a store's way in.
func (r *Replica) Connect(hear func(port.Message)) interface {
	Send(port.Request)
	Close()
} {
	r.mu.Lock()
	r.hear = hear
	r.say(port.Message{Status: new(r.status)})
	r.mu.Unlock()
	return r
}

// Close forgets the page.
func (r *Replica) Close() { r.mu.Lock(); r.hear = nil; clear(r.watches); r.mu.Unlock() }

// Hold keeps messages back until Release, as a busy worker does.
func (r *Replica) Hold() { r.mu.Lock(); r.holding = true; r.mu.Unlock() }

func (r *Replica) Release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.holding = false
	for _, m := range r.held {
		r.say(m)
	}
	r.held = nil
}

func (r *Replica) say(m port.Message) {
	switch {
	case r.holding:
		r.held = append(r.held, m)
	case r.hear != nil:
		r.hear(m)
	}
}

// Fail makes the next edits fail as on a full disk; nil ends that.
func (r *Replica) Fail(e *port.Error) { r.mu.Lock(); r.fail = e; r.mu.Unlock() }

// SetStatus changes what the status line shows.
func (r *Replica) SetStatus(change func(*port.Status)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.status)
	r.say(port.Message{Status: new(r.status)})
}

// Send takes a request of the page.
func (r *Replica) Send(q port.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var failed *port.Error
	switch q.Op {
	case port.OpWatch:
		var query port.Query
		must(json.Unmarshal(q.Args, &query))
		r.watches[q.Watch] = query
		r.answer(q.Watch)
	case port.OpUnwatch:
		delete(r.watches, q.Watch)
	case port.OpDo:
		var e port.Edit
		must(json.Unmarshal(q.Args, &e))
		if failed = r.fail; failed == nil && !r.done[e.Key] {
			r.done[e.Key] = true
			r.apply(e, r.person, r.now().UnixMilli(), port.Device)
			defer r.changed()
		}
	case port.OpDiscard, port.OpRetry:
		var a struct{ Num uint64 }
		must(json.Unmarshal(q.Args, &a))
		r.settle(a.Num, q.Op == port.OpRetry)
		defer r.changed()
	}
	if q.ID != 0 {
		r.say(port.Message{Reply: &port.Reply{ID: q.ID, Error: failed}})
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// Apply makes an edit by somebody, as it arrives from a region.
func (r *Replica) Apply(e port.Edit, actor id.ID, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.apply(e, actor, at.UnixMilli(), port.Everywhere)
	r.changed()
}

// Lose puts a value into a task's history that a later one replaced unseen.
func (r *Replica) Lose(task id.ID, col string, v change.Value, actor id.ID, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.rows["task"][task]
	t.history = slices.Insert(t.history, max(len(t.history)-1, 0), port.HistItem{Col: col, Value: v, Actor: actor, AtMS: at.UnixMilli(), Lost: true})
	r.changed()
}

// Advance moves every change one step on: from the device to the region, from the region everywhere.
func (r *Replica) Advance() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, table := range r.rows {
		for _, x := range table {
			switch x.mark {
			case port.Device:
				x.mark = port.Region
			case port.Region:
				x.mark = port.Everywhere
			}
		}
	}
	r.changed()
}

// Refuse puts an edit into Attention, as if the region had turned it down.
func (r *Replica) Refuse(e port.Edit, kind fault.Kind, detail, title string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.num++
	r.refused = append(r.refused, refused{port.AttentionItem{Num: r.num, Command: e.Command, AtMS: r.now().UnixMilli(), Kind: kind, Detail: detail, Rows: e.Rows, Title: title}})
	r.status.Attention = len(r.refused)
	r.changed()
}

func (r *Replica) settle(num uint64, again bool) {
	r.refused = slices.DeleteFunc(r.refused, func(x refused) bool {
		if x.item.Num == num && again {
			r.apply(port.Edit{Command: x.item.Command, Rows: x.item.Rows}, r.person, r.now().UnixMilli(), port.Region)
		}
		return x.item.Num == num
	})
	r.status.Attention = len(r.refused)
}

func (r *Replica) apply(e port.Edit, actor id.ID, at int64, mark port.Mark) {
	for _, c := range e.Rows {
		x := r.rows[c.Table][c.ID]
		if x == nil {
			x = &row{set: map[string]change.Value{}, author: actor, created: at}
			r.rows[c.Table][c.ID] = x
		}
		x.mark = mark
		for _, col := range slices.Sorted(maps.Keys(c.Set)) {
			v := c.Set[col]
			if old, ok := x.set[col]; ok && old == v {
				continue
			}
			x.edited = x.edited || (c.Table == "comment" && col == "body" && len(x.history) > 0)
			x.set[col] = v
			if col == "rank" || col == "author" || col == "task" {
				continue
			}
			for i := range x.history {
				if x.history[i].Col == col {
					x.history[i].Now = false
				}
			}
			x.history = append(x.history, port.HistItem{Col: col, Value: v, Actor: actor, AtMS: at, Now: true})
		}
	}
}

func (r *Replica) changed() {
	waiting := 0
	for _, table := range r.rows {
		for _, x := range table {
			if x.mark == port.Device {
				waiting++
			}
		}
	}
	r.status.Waiting = waiting
	for _, n := range slices.Sorted(maps.Keys(r.watches)) {
		r.answer(n)
	}
	r.say(port.Message{Status: new(r.status)})
}

func (r *Replica) answer(n int) {
	body, err := json.Marshal(r.query(r.watches[n]))
	must(err)
	r.say(port.Message{Results: []port.Result{{Watch: n, Body: body}}})
}

// Do makes an edit by this person that has come as far as mark says.
func (r *Replica) Do(e port.Edit, mark port.Mark) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.apply(e, r.person, r.now().UnixMilli(), mark)
	r.changed()
}

// Quiet is Apply without telling the watchers: for many rows at once, before a page looks.
func (r *Replica) Quiet(e port.Edit, actor id.ID, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.apply(e, actor, at.UnixMilli(), port.Everywhere)
}
