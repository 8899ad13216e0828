package replica_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/desk"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/ingress"
	"holdfast/sync/link"
	"holdfast/sync/port"
	"holdfast/sync/replica"
	"holdfast/sync/store"
	"holdfast/sync/wire"
	"holdfast/sync/work"
)

// What others need of a replica.
var (
	_ link.Replica = (*replica.Replica)(nil)
	_ desk.Replica = (*replica.Replica)(nil)
)

var (
	start  = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	tenant = id.Derive("tenant")
	ana    = id.Derive("ana")
	bo     = id.Derive("bo")
)

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
	for _, h := range ask[port.DetailResult](b, port.Query{Kind: port.Detail, Task: fence}).History {
		if v := h.Value.Text; (v == "one" || v == "two") && h.AtMS > start.Add(2*time.Minute).UnixMilli() {
			t.Fatalf("%q kept the stamp that it was pushed with", v)
		}
	}
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

// A change was accepted by one region and has not come back yet; the next one, which builds on it, goes to another region
// that has never heard of it. That is no mistake of the person's: it waits.
func TestOwnChangesCountAsSeen(t *testing.T) {
	eu, us, d := newEdge(t, "eu"), newEdge(t, "us"), newDevice(t, ana, 1)
	d.sync(eu)
	before, err := eu.Log(t.Context(), "eu", 0, 1<<30)
	must(t, err)
	_, err = us.ApplyRemote(t.Context(), before) // us has all that the device has got
	must(t, err)
	d.garden()
	d.push(eu)
	d.do(work.RenameTask(fence, "Paint it twice"))
	if r := d.push(us); fault.KindOf(r.Err) != fault.Behind || d.Counts().Waiting != 1 || d.Counts().Attention != 0 {
		t.Fatalf("got %v, %+v", r.Err, d.Counts())
	}
	es, err := eu.Log(t.Context(), "eu", 0, 1<<30)
	must(t, err)
	_, err = us.ApplyRemote(t.Context(), es)
	must(t, err)
	d.push(us)
	d.pull(us)
	if d.Counts().Waiting != 0 || d.title() != "Paint it twice" || d.digest() != store0(t, us.db) {
		t.Fatalf("%+v, %q", d.Counts(), d.title())
	}
}

func TestPushRequestIsBounded(t *testing.T) {
	e, d := newEdge(t, "eu"), newDevice(t, ana, 1)
	d.sync(e)
	d.garden()
	for i := range wire.PushTxsMax {
		d.do(work.RenameTask(fence, fmt.Sprint("title ", i)))
	}
	req, err := d.PushRequest(t.Context())
	must(t, err)
	if len(req.Txs) != wire.PushTxsMax || d.Counts().Waiting != wire.PushTxsMax+2 {
		t.Fatalf("%d of %d", len(req.Txs), d.Counts().Waiting)
	}
	d.push(e)
	if d.Counts().Waiting != 2 {
		t.Fatalf("%d left", d.Counts().Waiting)
	}
	d.sync(e)
	text := strings.Repeat("x", work.BodyBytesMax)
	for i := range 10 {
		d.do(work.DescribeTask(fence, text[i:]))
	}
	req, err = d.PushRequest(t.Context())
	must(t, err)
	if n := len(req.Encode()); len(req.Txs) >= 10 || n > wire.PayloadMax {
		t.Fatalf("%d changes, %d bytes", len(req.Txs), n)
	}
	for d.Counts().Waiting > 0 {
		d.push(e)
	}
	d.pull(e)
	if d.digest() != store0(t, e.db) {
		t.Fatal("replica and edge differ")
	}
}

func TestDamagedOutboxIsCorrupt(t *testing.T) {
	e, d := newEdge(t, "eu"), newDevice(t, ana, 1)
	d.sync(e)
	d.garden()
	_, err := d.db.Exec("UPDATE outbox SET tx = substr(tx, 1, 10) WHERE num = 2")
	must(t, err)
	again := replica.New(replica.Config{DB: d.db, Tenant: tenant, Member: ana})
	if err := again.Open(t.Context()); fault.KindOf(err) != fault.Corrupt {
		t.Fatalf("got %v", err)
	}
	saved, lost := replica.Salvage(t.Context(), d.db)
	if !lost || len(saved.Pending) != 1 || saved.Pending[0].Num != 1 {
		t.Fatalf("got %+v, %v", saved, lost)
	}
	if err := replica.New(replica.Config{DB: d.db, Tenant: tenant, Member: bo}).Open(t.Context()); fault.KindOf(err) != fault.Denied {
		t.Fatalf("somebody else's database: %v", err)
	}
}
