package replica_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/ingress"
	"holdfast/sync/port"
	"holdfast/sync/replica"
	"holdfast/sync/sqlite"
	"holdfast/sync/store"
	"holdfast/sync/wire"
	"holdfast/sync/work"
)

var (
	start  = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	tenant = id.Derive("tenant")
	ana    = id.Derive("ana")
	bo     = id.Derive("bo")
)

// edge is one region.
type edge struct {
	*ingress.Ingress
	t     *testing.T
	db    *sql.DB
	name  string
	now   time.Time
	roles map[id.ID]string
}

func newEdge(t *testing.T, name string) *edge {
	t.Helper()
	e := &edge{t: t, db: openDB(t, ":memory:"), name: name, now: start, roles: map[id.ID]string{ana: work.Owner, bo: work.Member}}
	e.Ingress = ingress.New(ingress.Config{DB: e.db, Region: name, Tenant: tenant, Now: func() time.Time { return e.now }})
	must(t, e.Open(t.Context()))
	_, err := e.System(t.Context(), workspaceTx(), memberTx(ana, "Ana", work.Owner), memberTx(bo, "Bo", work.Member))
	must(t, err)
	return e
}

func systemTx(counter uint16, table string, row id.ID, cells ...change.Cell) change.Tx {
	return change.Tx{Stamp: hlc.Make(start.UnixMilli(), counter, 1), Actor: ana, Command: "system", Rows: []change.Row{{Table: table, ID: row, Cells: cells}}}
}

func workspaceTx() change.Tx {
	return systemTx(0, "workspace", tenant, change.Cell{Col: "name", Val: change.V("Works")})
}

func memberTx(person id.ID, name, role string) change.Tx {
	return systemTx(1, "member", person, change.Cell{Col: "active", Val: change.V(1)}, change.Cell{Col: "color", Val: change.V("red")},
		change.Cell{Col: "name", Val: change.V(name)}, change.Cell{Col: "role", Val: change.V(role)})
}

// device is a replica and what its person sees.
type device struct {
	*replica.Replica
	t      *testing.T
	db     *sql.DB
	path   string
	member id.ID
	now    time.Time
	rnd    *rand.ChaCha8
	runs   []func()
	mirror replica.Mirror
}

func openDB(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sqlite.Open(context.Background(), path, sqlite.Options{CacheKB: 32 << 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func newDevice(t *testing.T, member id.ID, seed byte) *device {
	t.Helper()
	d := &device{t: t, path: filepath.Join(t.TempDir(), "replica.db"), member: member, now: start, rnd: rand.NewChaCha8([32]byte{seed})}
	d.reopen()
	return d
}

// reopen is a crash and a new start: nothing but the file is left.
func (d *device) reopen() {
	d.t.Helper()
	if d.db != nil {
		d.db.Close()
	}
	d.db = openDB(d.t, d.path)
	d.runs = nil
	d.Replica = replica.New(replica.Config{DB: d.db, Tenant: tenant, Member: d.member, Now: func() time.Time { return d.now }, Rand: d.rnd,
		Schedule: func(run func()) { d.runs = append(d.runs, run) }, Mirror: d.mirror})
	must(d.t, d.Open(d.t.Context()))
}

// tick answers the watches.
func (d *device) tick() {
	runs := d.runs
	d.runs = nil
	for _, run := range runs {
		run()
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (d *device) try(e port.Edit) error {
	if e.Key == "" {
		e.Key = id.New(d.now, d.rnd)
	}
	_, err := d.Do(d.t.Context(), e)
	return err
}

func (d *device) do(e port.Edit) {
	d.t.Helper()
	must(d.t, d.try(e))
}

// push offers what waits and settles what comes back.
func (d *device) push(e *edge) wire.PushReply {
	d.t.Helper()
	req, err := d.PushRequest(d.t.Context())
	must(d.t, err)
	if len(req.Txs) == 0 {
		return wire.PushReply{}
	}
	frame, err := wire.DecodePushRequest(req.Encode())
	must(d.t, err)
	reply, _ := e.Push(d.t.Context(), ingress.Actor{ID: d.member, Role: e.roles[d.member]}, frame)
	must(d.t, d.Settle(d.t.Context(), reply, 0))
	return reply
}

func (d *device) pull(e *edge) {
	d.t.Helper()
	for more := true; more; {
		r := e.Pull(d.t.Context(), wire.PullRequest{Cursor: d.Cursor()})
		must(d.t, r.Err)
		gap, err := d.Apply(d.t.Context(), r.Entries)
		must(d.t, err)
		if gap {
			d.t.Fatal("a pull left a gap")
		}
		more = r.More
	}
}

func (d *device) sync(e *edge) {
	d.t.Helper()
	if r := d.push(e); r.Err != nil {
		d.t.Fatal(r.Err)
	}
	d.pull(e)
}

// ask gives the present answer to a query.
func ask[T any](d *device, query port.Query) (v T) {
	d.t.Helper()
	var got *port.Result
	d.Watch(1000, query, func(r port.Result) { got = &r })
	d.tick()
	d.Unwatch(1000)
	if got == nil || got.Error != nil {
		d.t.Fatalf("no answer to %+v: %+v", query, got)
	}
	must(d.t, json.Unmarshal(got.Body, &v))
	return v
}

func (d *device) digest() [32]byte {
	d.t.Helper()
	sum, err := store.Digest(d.t.Context(), d.db)
	must(d.t, err)
	return sum
}

// dump is every byte of every table that decides what is shown, without what names the moment.
func (d *device) dump() string {
	d.t.Helper()
	var b strings.Builder
	for _, table := range []string{"workspace", "member", "project", "label", "task", "task_label", "comment", "history", "shadow", "outbox", "tally WHERE n <> 0"} {
		rows, err := d.db.Query("SELECT * FROM " + table)
		must(d.t, err)
		cols, _ := rows.Columns()
		for rows.Next() {
			vals, dest := make([]any, len(cols)), make([]any, len(cols))
			for i := range vals {
				dest[i] = &vals[i]
			}
			must(d.t, rows.Scan(dest...))
			fmt.Fprintf(&b, "%s %v\n", table, vals)
		}
		must(d.t, rows.Err())
		rows.Close()
	}
	return b.String()
}

var (
	garden = id.Derive("garden")
	fence  = id.Derive("fence")
)

func (d *device) garden() {
	d.t.Helper()
	d.do(work.NewProject(garden, "Garden", "green", "a0V"))
	d.do(work.NewTask(work.TaskDraft{ID: fence, Project: garden, Title: "Paint the fence", Status: work.Todo, Rank: "a0V", Author: d.member}))
}

func (d *device) title() string {
	d.t.Helper()
	return ask[port.DetailResult](d, port.Query{Kind: port.Detail, Task: fence}).Task.Title
}

func (d *device) mark() port.Mark {
	d.t.Helper()
	return ask[port.DetailResult](d, port.Query{Kind: port.Detail, Task: fence}).Task.Mark
}

func TestMarksGoFromDeviceToEverywhere(t *testing.T) {
	e, d := newEdge(t, "eu"), newDevice(t, ana, 1)
	if err := d.try(work.NewProject(garden, "Garden", "green", "a0V")); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("before the first load: %v", err)
	}
	d.sync(e)
	d.garden()
	if c := d.Counts(); c.Waiting != 2 || !c.Behind || d.mark() != port.Device {
		t.Fatalf("got %+v, mark %d", c, d.mark())
	}
	d.reopen()
	if c := d.Counts(); c.Waiting != 2 || d.mark() != port.Device || d.title() != "Paint the fence" {
		t.Fatalf("after a crash: %+v, mark %d", c, d.mark())
	}
	d.sync(e)
	if c := d.Counts(); c.Waiting != 0 || !c.Behind || d.mark() != port.Region {
		t.Fatalf("got %+v, mark %d", c, d.mark())
	}
	if d.digest() != store0(t, e.db) {
		t.Fatal("replica and edge differ")
	}
	must(t, d.Everywhere(t.Context(), e.Heads()))
	if c := d.Counts(); c.Behind || d.mark() != port.Everywhere {
		t.Fatalf("got %+v, mark %d", c, d.mark())
	}
}

func store0(t *testing.T, db *sql.DB) [32]byte {
	t.Helper()
	sum, err := store.Digest(t.Context(), db)
	must(t, err)
	return sum
}

func TestEditWithKnownKeyIsDoneOnce(t *testing.T) {
	e, d := newEdge(t, "eu"), newDevice(t, ana, 1)
	d.sync(e)
	edit := work.NewProject(garden, "Garden", "green", "a0V")
	edit.Key = id.New(start, d.rnd)
	one, err := d.Do(t.Context(), edit)
	must(t, err)
	d.reopen()
	two, err := d.Do(t.Context(), edit)
	must(t, err)
	if one != two || d.Counts().Waiting != 1 {
		t.Fatalf("numbers %d and %d, %d waiting", one, two, d.Counts().Waiting)
	}
	if num, err := d.Do(t.Context(), port.Edit{Key: id.New(start, d.rnd), Command: "project.rename", Rows: work.RenameProject(garden, "Garden").Rows}); num != 0 || err != nil {
		t.Fatalf("an edit that changes nothing: %d, %v", num, err)
	}
	if err := d.try(work.RenameProject(garden, "")); fault.KindOf(err) != fault.Invalid || d.Counts().Waiting != 1 {
		t.Fatalf("a blank name: %v", err)
	}
}

// A refusal leaves exactly what would be there without the refused change.
func TestRefusalRestoresExactly(t *testing.T) {
	e := newEdge(t, "eu")
	a, b := newDevice(t, ana, 1), newDevice(t, bo, 2)
	a.sync(e)
	a.garden()
	a.sync(e)
	b.sync(e)
	clean := b.dump()
	label := id.Derive("urgent")
	// On the train Bo writes, comments and labels; meanwhile he becomes a viewer, which he cannot know.
	e.roles[bo] = work.Viewer
	b.do(work.RenameTask(fence, "Paint the fence red"))
	b.do(work.RenameTask(fence, "Paint the fence blue"))
	b.do(work.NewComment(id.Derive("c1"), fence, bo, "Which colour?"))
	b.do(work.NewLabel(label, "urgent", "red"))
	b.do(work.LabelTask(fence, label, true))
	b.do(work.NewTask(work.TaskDraft{ID: id.Derive("gate"), Project: garden, Title: "Oil the gate", Status: work.Todo, Rank: "a0W", Author: bo}))
	if b.title() != "Paint the fence blue" {
		t.Fatalf("title %q", b.title())
	}
	b.push(e)
	if got := b.dump(); got != clean {
		t.Fatalf("refused changes left traces:\n%s\nwant\n%s", got, clean)
	}
	if c := b.Counts(); c.Attention != 6 || c.Waiting != 0 || b.mark() != port.Refused {
		t.Fatalf("got %+v, mark %d", c, b.mark())
	}
	items := ask[port.AttentionResult](b, port.Query{Kind: port.Attention}).Items
	if len(items) != 6 || items[0].Kind != fault.Denied || items[0].Title != "Paint the fence" || items[0].Rows[0].Set["title"].Text != "Paint the fence red" {
		t.Fatalf("got %+v", items)
	}
	// Discarded, it is gone; tried again when he may, it is done as if for the first time.
	b.reopen()
	e.roles[bo] = work.Member
	must(t, b.Discard(t.Context(), items[0].Num))
	if err := b.Discard(t.Context(), items[0].Num); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("discarded twice: %v", err)
	}
	for _, i := range items[1:] {
		must(t, b.Retry(t.Context(), i.Num))
	}
	b.sync(e)
	a.sync(e)
	if c := b.Counts(); c.Attention != 0 || c.Waiting != 0 || a.title() != "Paint the fence blue" {
		t.Fatalf("got %+v, title %q", c, a.title())
	}
	if a.digest() != b.digest() || b.digest() != store0(t, e.db) {
		t.Fatal("replicas differ")
	}
}

func TestRefusalUnderRemoteWrites(t *testing.T) {
	e := newEdge(t, "eu")
	a, b, c := newDevice(t, ana, 1), newDevice(t, bo, 2), newDevice(t, bo, 3)
	a.sync(e)
	a.garden()
	a.sync(e)
	b.sync(e)
	e.roles[bo] = work.Viewer
	b.now = start.Add(time.Hour)
	b.do(work.RenameTask(fence, "Bo's title"))
	a.do(work.RenameTask(fence, "Ana's title"))
	a.do(work.SetStatus(fence, work.Doing))
	a.sync(e)
	b.pull(e)
	if b.title() != "Bo's title" {
		t.Fatalf("pending is not shown: %q", b.title())
	}
	b.push(e)
	c.sync(e)
	if b.title() != "Ana's title" || b.digest() != c.digest() {
		t.Fatalf("title %q", b.title())
	}
}

// A clock that is a year ahead is clamped by the edge; the device takes the stamp it was given and corrects itself.
func TestClampedStampIsTakenOver(t *testing.T) {
	e := newEdge(t, "eu")
	a, b := newDevice(t, ana, 1), newDevice(t, bo, 2)
	a.sync(e)
	a.garden()
	a.sync(e)
	b.now = start.AddDate(1, 0, 0)
	b.sync(e)
	b.do(work.RenameTask(fence, "one"))
	b.do(work.RenameTask(fence, "two"))
	req, err := b.PushRequest(t.Context())
	must(t, err)
	b.do(work.RenameTask(fence, "three")) // while the push is under way
	reply, _ := e.Push(t.Context(), ingress.Actor{ID: bo, Role: work.Member}, req)
	must(t, b.Settle(t.Context(), reply, 0))
	if off := b.Counts().OffsetMS; off != start.Sub(b.now).Milliseconds() {
		t.Fatalf("offset %d", off)
	}
	b.sync(e)
	if b.title() != "three" || b.digest() != store0(t, e.db) {
		t.Fatalf("title %q", b.title())
	}
	for _, h := range ask[port.DetailResult](b, port.Query{Kind: port.Detail, Task: fence}).History {
		if h.Lost || h.AtMS > start.Add(2*time.Minute).UnixMilli() {
			t.Fatalf("history: %+v", h)
		}
	}
	// Two minutes later Ana's word is newer, and Bo's next one newer still.
	for _, clock := range []*time.Time{&a.now, &b.now, &e.now} {
		*clock = clock.Add(2 * time.Minute)
	}
	a.sync(e)
	a.do(work.RenameTask(fence, "four"))
	a.sync(e)
	b.sync(e)
	if b.title() != "four" {
		t.Fatalf("title %q", b.title())
	}
	b.do(work.RenameTask(fence, "five"))
	req, err = b.PushRequest(t.Context())
	must(t, err)
	if at := req.Txs[0].Stamp.Time(); at.Sub(e.now).Abs() > 3*time.Second {
		t.Fatalf("the corrected clock stamps %v at %v", at, e.now)
	}
}

func TestCloneTakesANewIdentity(t *testing.T) {
	e, d := newEdge(t, "eu"), newDevice(t, ana, 1)
	d.sync(e)
	d.garden()
	_, err := d.db.Exec("VACUUM INTO ?", d.path+".copy")
	must(t, err)
	d.do(work.RenameTask(fence, "on the first"))
	d.sync(e)
	clone := &device{t: t, path: d.path + ".copy", member: ana, now: start, rnd: rand.NewChaCha8([32]byte{9})}
	clone.reopen()
	clone.do(work.RenameTask(fence, "on the copy"))
	if r := clone.push(e); fault.KindOf(r.Err) != fault.Conflict {
		t.Fatalf("got %+v", r)
	}
	clone.reopen()
	if clone.ID() == d.ID() {
		t.Fatal("the copy kept the identity")
	}
	clone.sync(e)
	d.sync(e)
	if clone.Counts().Waiting != 0 || clone.digest() != d.digest() {
		t.Fatalf("%+v, %q and %q", clone.Counts(), clone.title(), d.title())
	}
}

func TestInstallKeepsWhatIsNowhereElse(t *testing.T) {
	e := newEdge(t, "eu")
	a, b := newDevice(t, ana, 1), newDevice(t, bo, 2)
	a.sync(e)
	a.garden()
	a.sync(e)
	b.sync(e)
	snap := filepath.Join(t.TempDir(), "snap.db")
	_, err := e.Snapshot(t.Context(), snap)
	must(t, err)
	b.do(work.DescribeTask(fence, "accepted, but not in the snapshot"))
	b.push(e)
	e.roles[bo] = work.Viewer
	b.do(work.SetStatus(fence, work.Done))
	b.push(e)
	e.roles[bo] = work.Member
	b.do(work.RenameTask(fence, "waiting"))
	replicaID := b.ID()

	fresh := openDB(t, snap)
	boom := fault.Errorf("test", fault.Full, "no room")
	if err := b.Install(t.Context(), fresh, func(context.Context) error { return boom }); fault.KindOf(err) != fault.Full {
		t.Fatalf("got %v", err)
	}
	b.do(work.AssignTask(fence, bo)) // the old database is in use as before
	b.reopen()
	if c := b.Counts(); c.Waiting != 2 || c.Attention != 1 {
		t.Fatalf("got %+v", c)
	}
	// Again from a new download; this time it is kept.
	snap2 := filepath.Join(t.TempDir(), "snap.db")
	_, err = e.Snapshot(t.Context(), snap2)
	must(t, err)
	fresh = openDB(t, snap2)
	must(t, b.Install(t.Context(), fresh, func(context.Context) error { return nil }))
	b.db, b.path = fresh, snap2
	for range 2 {
		if c := b.Counts(); c.Waiting != 2 || c.Attention != 1 || b.title() != "waiting" || b.ID() != replicaID || b.Cursor()["eu"] != e.Heads()["eu"] {
			t.Fatalf("got %+v, %q, %v", c, b.title(), b.Cursor())
		}
		if d := ask[port.DetailResult](b, port.Query{Kind: port.Detail, Task: fence}); d.Description == "" {
			t.Fatal("an accepted change is gone")
		}
		b.reopen()
	}
	b.sync(e)
	a.sync(e)
	if a.digest() != b.digest() || a.title() != "waiting" {
		t.Fatalf("%q", a.title())
	}
}

// shelf is a mirror in memory.
type shelf struct{ txs map[uint64][]byte }

func (s *shelf) Put(_ context.Context, num uint64, tx []byte) error {
	s.txs[num] = bytes.Clone(tx)
	return nil
}

func (s *shelf) Delete(_ context.Context, nums ...uint64) error {
	for _, n := range nums {
		delete(s.txs, n)
	}
	return nil
}

func TestRestoreFromMirrorAndSalvage(t *testing.T) {
	for _, from := range []string{"mirror", "salvage"} {
		t.Run(from, func(t *testing.T) {
			e := newEdge(t, "eu")
			m := &shelf{txs: map[uint64][]byte{}}
			d := newDevice(t, ana, 1)
			d.mirror = m
			d.reopen()
			d.sync(e)
			d.garden()
			d.sync(e)
			d.do(work.RenameTask(fence, "pushed, answer lost"))
			req, err := d.PushRequest(t.Context())
			must(t, err)
			e.Push(t.Context(), ingress.Actor{ID: ana, Role: work.Owner}, req)
			d.do(work.SetStatus(fence, work.Doing))
			must(t, d.Close())
			if len(m.txs) != 2 {
				t.Fatalf("%d changes in the mirror", len(m.txs))
			}
			var saved replica.Saved
			if from == "salvage" {
				var lost bool
				if saved, lost = replica.Salvage(t.Context(), d.db); lost {
					t.Fatal("something could not be read")
				}
			} else {
				for _, raw := range m.txs {
					tx, err := change.Decode(raw)
					must(t, err)
					saved.Pending = append(saved.Pending, tx)
				}
			}
			n := newDevice(t, ana, 7)
			count, err := n.Restore(t.Context(), saved)
			must(t, err)
			if count != 2 || n.ID() != req.Replica {
				t.Fatalf("%d restored, identity %d", count, n.ID())
			}
			if count, err = n.Restore(t.Context(), saved); count != 0 || err != nil {
				t.Fatalf("restored twice: %d, %v", count, err)
			}
			n.reopen()
			n.sync(e)
			if n.title() != "pushed, answer lost" || n.digest() != store0(t, e.db) || e.Heads()["eu"] != 3+2+2 {
				t.Fatalf("title %q, head %d", n.title(), e.Heads()["eu"])
			}
			// Into a replica that has changes of its own they go under new numbers.
			o := newDevice(t, ana, 8)
			o.sync(e)
			o.do(work.DueTask(fence, "2026-12-01"))
			if count, err = o.Restore(t.Context(), replica.Saved{Pending: saved.Pending, Refused: []replica.Refusal{{Tx: saved.Pending[0], Kind: fault.Denied, Detail: "No."}}}); count != 3 || err != nil {
				t.Fatalf("%d, %v", count, err)
			}
			if o.Counts().Attention != 1 {
				t.Fatalf("%+v", o.Counts())
			}
			o.sync(e)
			n.sync(e)
			if o.digest() != n.digest() || o.Counts().Waiting != 0 {
				t.Fatal("replicas differ")
			}
		})
	}
}

func TestApplyKeepsSequence(t *testing.T) {
	e := newEdge(t, "eu")
	a, b := newDevice(t, ana, 1), newDevice(t, bo, 2)
	a.sync(e)
	a.garden()
	for i := range 8 {
		a.do(work.RenameTask(fence, fmt.Sprint("title ", i)))
	}
	a.push(e)
	es, err := e.Log(t.Context(), "eu", 0, 1<<30)
	must(t, err)
	gap, err := b.Apply(t.Context(), es[5:])
	must(t, err)
	if !gap || len(b.Cursor()) != 0 {
		t.Fatalf("gap %v, cursor %v", gap, b.Cursor())
	}
	gap, err = b.Apply(t.Context(), append(append(append([]change.Entry{}, es[:6]...), es[2:8]...), es[10:]...))
	must(t, err)
	if !gap || b.Cursor()["eu"] != 8 {
		t.Fatalf("gap %v, cursor %v", gap, b.Cursor())
	}
	b.pull(e)
	if b.digest() != store0(t, e.db) {
		t.Fatal("replicas differ")
	}
}
