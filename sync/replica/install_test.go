//go:build !js

package replica_test

import (
	"context"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"holdfast/sync/fault"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

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

// A device whose rows came as a file counts what is in them, Trash included.
func TestInstallCountsWhatTheFileHolds(t *testing.T) {
	e := newEdge(t, "eu")
	a, b := newDevice(t, ana, 1), newDevice(t, bo, 2)
	a.sync(e)
	a.garden()
	a.fill(30)
	a.do(work.TrashTask(taskID(1), 1))
	a.do(work.TrashTask(taskID(3), 1))
	a.sync(e)
	snap := filepath.Join(t.TempDir(), "snap.db")
	_, err := e.Snapshot(t.Context(), snap)
	must(t, err)
	must(t, b.Install(t.Context(), openDB(t, snap), func(context.Context) error { return nil }))
	for _, q := range []port.Query{{Kind: port.Counts, Project: garden}, {Kind: port.Counts}} {
		want, got := ask[port.CountsResult](a, q).Counts, ask[port.CountsResult](b, q).Counts
		if !maps.Equal(got, want) || want[work.Done] != 9 {
			t.Errorf("%+v: got %v, want %v", q, got, want)
		}
	}
	if got := ask[port.TrashResult](b, port.Query{Kind: port.Trash}).Total; got != 2 {
		t.Errorf("%d lie in Trash, want 2", got)
	}
}
