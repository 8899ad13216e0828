package desk

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/crdt"
	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/ingress"
	"holdfast/sync/link"
	"holdfast/sync/port"
	"holdfast/sync/replica"
	"holdfast/sync/sqlite"
	"holdfast/sync/wire"
	"holdfast/sync/work"
)

var (
	tenant = id.Derive("tenant")
	ana    = id.Derive("ana")
)

// office is a desk over a real replica that has loaded a workspace, and what its tabs have heard.
type office struct {
	*Desk
	t *testing.T
	r *replica.Replica

	mu    sync.Mutex
	heard map[string][]port.Message
	re    map[string][]int
}

func newOffice(t *testing.T) *office {
	t.Helper()
	db, err := sqlite.Open(t.Context(), ":memory:", sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	o := &office{t: t, heard: map[string][]port.Message{}, re: map[string][]int{}}
	o.r = replica.New(replica.Config{DB: db, Tenant: tenant, Member: ana, Changed: func() { o.Changed() }})
	if err := o.r.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	l := link.New(link.Config{Changed: func() {}})
	o.Desk = New(Config{Replica: o.r, Link: l, Counts: o.r.Counts, Send: o.send,
		Rebuild: func(context.Context) error { return fault.Errorf("test", fault.Full, "no room") },
		SignOut: func(context.Context, bool) error { return nil },
		Base:    func() port.Status { return port.Status{Ready: true, Storage: "disk"} }})
	o.load()
	return o
}

// run serves until the test ends.
func (o *office) run() {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); o.Run(ctx) }()
	o.t.Cleanup(func() { stop(); <-done })
}

// load gives the replica the workspace that an edge has.
func (o *office) load() {
	o.t.Helper()
	ctx := o.t.Context()
	db, err := sqlite.Open(ctx, ":memory:", sqlite.Options{})
	if err != nil {
		o.t.Fatal(err)
	}
	defer db.Close()
	e := ingress.New(ingress.Config{DB: db, Region: "eu", Tenant: tenant, Now: time.Now})
	if err := e.Open(ctx); err != nil {
		o.t.Fatal(err)
	}
	set := func(table string, row id.ID, cells ...change.Cell) change.Tx {
		return change.Tx{Stamp: hlc.Make(1000, 0, uint64(len(cells))), Actor: ana, Command: "test", Rows: []change.Row{{Table: table, ID: row, Cells: cells}}}
	}
	if _, err := e.System(ctx, set("workspace", tenant, change.Cell{Col: "name", Val: change.V("Harbor")}),
		set("member", ana, change.Cell{Col: "active", Val: change.V(1)}, change.Cell{Col: "color", Val: change.V("teal")},
			change.Cell{Col: "name", Val: change.V("Ana")}, change.Cell{Col: "role", Val: change.V(work.Owner)})); err != nil {
		o.t.Fatal(err)
	}
	if _, err := o.r.Apply(ctx, e.Pull(ctx, wire.PullRequest{}).Entries); err != nil || !o.r.Loaded() {
		o.t.Fatalf("not loaded: %v", err)
	}
}

func (o *office) send(tab string, re int, text []byte) {
	var m port.Message
	if err := json.Unmarshal(text, &m); err != nil {
		o.t.Error(err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.heard[tab] = append(o.heard[tab], m)
	if re != 0 {
		o.re[tab] = append(o.re[tab], re)
	}
}

// wait gives the first message to a tab that is as wanted.
func (o *office) wait(tab, what string, want func(port.Message) bool) port.Message {
	o.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		o.mu.Lock()
		heard := o.heard[tab]
		o.mu.Unlock()
		for _, m := range heard {
			if want(m) {
				return m
			}
		}
	}
	o.t.Fatalf("tab %s waited in vain for %s", tab, what)
	return port.Message{}
}

func (o *office) reply(tab string, n int) *port.Error {
	o.t.Helper()
	return o.wait(tab, fmt.Sprint("reply ", n), func(m port.Message) bool { return m.Reply != nil && m.Reply.ID == n }).Reply.Error
}

func (o *office) ask(tab string, q port.Request, args any) {
	o.t.Helper()
	if args != nil {
		raw, err := json.Marshal(args)
		if err != nil {
			o.t.Fatal(err)
		}
		q.Args = raw
	}
	text, err := json.Marshal(q)
	if err != nil {
		o.t.Fatal(err)
	}
	o.Request(tab, text)
}

func newProject(t *testing.T, name string) port.Edit {
	t.Helper()
	rank, err := crdt.Between("", "", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	e := work.NewProject(id.New(time.Now(), rand.Reader), name, "blue", rank)
	e.Key = id.New(time.Now(), rand.Reader)
	return e
}

func TestEditsReachTheTabsThatWatch(t *testing.T) {
	o := newOffice(t)
	o.run()
	frame := func(projects int) func(port.Message) bool {
		return func(m port.Message) bool {
			var f port.FrameResult
			for _, r := range m.Results {
				if r.Watch == 7 && json.Unmarshal(r.Body, &f) == nil && len(f.Projects) == projects {
					return true
				}
			}
			return false
		}
	}
	// Two tabs use one number for their watches, each its own.
	o.ask("a", port.Request{Op: port.OpWatch, Watch: 7}, port.Query{Kind: port.Frame})
	o.ask("b", port.Request{Op: port.OpWatch, Watch: 7}, port.Query{Kind: port.Frame})
	o.wait("a", "the first answer", frame(0))
	o.ask("a", port.Request{ID: 1, Op: port.OpDo}, newProject(t, "Website"))
	if err := o.reply("a", 1); err != nil {
		t.Fatal(err)
	}
	o.wait("a", "the project", frame(1))
	o.wait("b", "the project", frame(1))
	o.wait("b", "the status", func(m port.Message) bool { return m.Status != nil && m.Status.Waiting == 1 })

	o.ask("b", port.Request{Op: port.OpUnwatch, Watch: 7}, nil)
	o.Gone("nobody")
	o.ask("a", port.Request{ID: 2, Op: port.OpDo}, newProject(t, "Hiring"))
	o.reply("a", 2)
	o.wait("a", "the second project", frame(2))
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range o.heard["b"] {
		if frame(2)(m) {
			t.Error("a tab that no longer watches was told")
		}
	}
}

func TestAGoneTabHearsNothing(t *testing.T) {
	o := newOffice(t)
	o.run()
	o.ask("a", port.Request{ID: 1, Op: port.OpWatch, Watch: 1}, port.Query{Kind: port.Frame})
	o.reply("a", 1)
	o.Gone("a")
	o.mu.Lock()
	before := len(o.heard["a"])
	o.mu.Unlock()
	o.ask("b", port.Request{ID: 1, Op: port.OpDo}, newProject(t, "Website"))
	o.reply("b", 1)
	time.Sleep(3 * statusEvery)
	o.mu.Lock()
	defer o.mu.Unlock()
	if got := len(o.heard["a"]); got != before {
		t.Errorf("a tab that is gone was sent %d messages", got-before)
	}
}

// A tab may end between its request and the answer to it.
func TestATabGoesWhileItsRequestIsServed(t *testing.T) {
	o := newOffice(t)
	counts := o.cfg.Counts
	o.cfg.Counts = func() replica.Counts {
		o.Gone("a")
		return counts()
	}
	o.serve(t.Context(), request{"a", []byte(`{"id":1,"op":"watch","watch":1,"args":{"kind":"frame"}}`)})
	o.mu.Lock()
	defer o.mu.Unlock()
	if n := len(o.tabs); n != 0 {
		t.Errorf("%d tabs are remembered", n)
	}
}

func TestRequestsThatCannotBeMet(t *testing.T) {
	o := newOffice(t)
	o.run()
	for _, c := range []struct {
		name, text string
		kind       fault.Kind
	}{
		{"unknown-operation", `{"id":1,"op":"dance"}`, fault.Unsupported},
		{"arguments-of-another-kind", `{"id":2,"op":"do","args":[1]}`, fault.Invalid},
		{"no-arguments", `{"id":3,"op":"discard"}`, fault.Invalid},
		{"nothing-to-discard", `{"id":4,"op":"discard","args":{"num":9}}`, fault.NotFound},
		{"unknown-table", `{"id":5,"op":"do","args":{"key":"` + string(id.Derive("k")) + `","command":"x","rows":[{"table":"nope","id":"` + string(id.Derive("r")) + `","set":{"a":1}}]}}`, fault.Invalid},
		{"rebuild-that-fails", `{"id":6,"op":"rebuild"}`, fault.Full},
	} {
		t.Run(c.name, func(t *testing.T) {
			var q port.Request
			if err := json.Unmarshal([]byte(c.text), &q); err != nil {
				t.Fatal(err)
			}
			o.Request("a", []byte(c.text))
			if err := o.reply("a", q.ID); err == nil || err.Kind != c.kind {
				t.Errorf("got %+v, want kind %v", err, c.kind)
			}
		})
	}
	o.Request("a", []byte("{not json"))
	o.ask("a", port.Request{ID: 9, Op: port.OpWake}, nil) // still there
	if err := o.reply("a", 9); err != nil {
		t.Error(err)
	}
}

// One tab's edits are done in the order in which they were asked for.
func TestOrderIsKept(t *testing.T) {
	o := newOffice(t)
	o.run()
	for n := 1; n <= 200; n++ {
		o.ask("a", port.Request{ID: n, Op: port.OpDo}, newProject(t, fmt.Sprint("P", n)))
	}
	o.reply("a", 200)
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, n := range o.re["a"] {
		if n != i+1 {
			t.Fatalf("answer %d is to request %d", i+1, n)
		}
	}
}

func TestTooMuchAtOnceIsAnswered(t *testing.T) {
	o := newOffice(t) // nobody serves
	for n := 1; n <= requestsMax; n++ {
		o.ask("a", port.Request{ID: n, Op: port.OpWake}, nil)
	}
	o.ask("a", port.Request{ID: requestsMax + 1, Op: port.OpWake}, nil)
	if err := o.reply("a", requestsMax+1); err == nil || err.Kind != fault.Busy || !strings.HasSuffix(err.Detail, ".") {
		t.Errorf("got %+v, want a sentence of kind busy", err)
	}
}

// strained is a replica whose edits fail while it has a reason.
type strained struct {
	Replica
	err error
}

func (s *strained) Do(ctx context.Context, e port.Edit) (uint64, error) {
	if s.err != nil {
		return 0, s.err
	}
	return s.Replica.Do(ctx, e)
}

// A device without room says so until something fits again; damage that an edit meets is told from then on.
func TestProblemsOfTheFilesAreTold(t *testing.T) {
	o := newOffice(t)
	r := &strained{Replica: o.Desk.cfg.Replica}
	o.Desk.cfg.Replica = r
	for n, c := range []struct {
		err  error
		want fault.Kind
	}{
		{fault.Errorf("test", fault.Full, "no room"), fault.Full}, {fault.Errorf("test", fault.Invalid, "no name"), fault.Full}, {nil, fault.Other},
		{fault.Errorf("test", fault.Corrupt, "torn"), fault.Corrupt}, {nil, fault.Corrupt},
	} {
		r.err = c.err
		args, err := json.Marshal(newProject(t, fmt.Sprint("P", n)))
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(port.Request{ID: n + 1, Op: port.OpDo, Args: args})
		if err != nil {
			t.Fatal(err)
		}
		o.serve(t.Context(), request{"a", text})
		got := fault.Other
		if p := o.status().Problem; p != nil {
			got = p.Kind
		}
		if got != c.want {
			t.Errorf("after %v the problem is %v, want %v", c.err, got, c.want)
		}
	}
}
