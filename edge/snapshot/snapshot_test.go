package snapshot_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"holdfast/edge/edgetest"
	"holdfast/edge/snapshot"
	"holdfast/edge/tenant"
	"holdfast/sync/change"
	"holdfast/sync/id"
	"holdfast/sync/ingress"
	"holdfast/sync/sqlite"
	"holdfast/sync/wire"
	"holdfast/sync/work"
)

type world struct {
	tenants *tenant.Store
	store   *snapshot.Store
	device  *edgetest.Device
	mu      sync.Mutex
	now     time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{device: edgetest.NewDevice(edgetest.NewID()), now: time.Now()}
	clock := func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }
	log := slog.New(slog.DiscardHandler)
	w.tenants = tenant.New(tenant.Config{Dir: t.TempDir(), Region: "eu", Now: clock, Log: log})
	w.store = snapshot.New(snapshot.Config{Dir: filepath.Join(t.TempDir(), "snapshots"), Tenants: w.tenants, Now: clock, Log: log})
	if err := errors.Join(w.tenants.Open(t.Context()), w.store.Open(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.store.Close(); w.tenants.Close() })
	return w
}

func (w *world) push(t *testing.T, to id.ID) {
	t.Helper()
	err := w.tenants.Use(t.Context(), to, func(n *tenant.Tenant) error {
		return n.Push(t.Context(), ingress.Actor{ID: w.device.Person, Role: work.Owner},
			wire.PushRequest{Replica: w.device.Replica, Txs: []change.Tx{w.device.Next("p")}}).Err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) take(t *testing.T, of id.ID) *snapshot.File {
	t.Helper()
	f, err := w.store.Snapshot(t.Context(), of)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestOneFileServesManyAndGrowsOld(t *testing.T) {
	w, acme := newWorld(t), edgetest.NewID()
	w.push(t, acme)
	var wg sync.WaitGroup
	paths := make(chan string, 20)
	for range 20 {
		wg.Go(func() {
			f, err := w.store.Snapshot(t.Context(), acme)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Release()
			paths <- f.Path
		})
	}
	wg.Wait()
	close(paths)
	first := w.take(t, acme)
	for p := range paths {
		if p != first.Path {
			t.Errorf("a second file was written: %s", p)
		}
	}
	w.push(t, acme)
	if again := w.take(t, acme); again.Path != first.Path || again.Tag != first.Tag || again.Cursor["eu"] != 1 {
		t.Error("a recent snapshot was not given again")
	} else {
		again.Release()
	}
	w.mu.Lock()
	w.now = w.now.Add(time.Hour)
	w.mu.Unlock()
	next := w.take(t, acme)
	if next.Path == first.Path || next.Tag == first.Tag || next.Cursor["eu"] != 2 {
		t.Errorf("an old snapshot was given: %v", next.Cursor)
	}
	if _, err := os.Stat(first.Path); err != nil {
		t.Error("a file in use is gone:", err)
	}
	first.Release()
	if _, err := os.Stat(first.Path); !errors.Is(err, os.ErrNotExist) {
		t.Error("an old file stays after its last use")
	}
	db, err := sqlite.Open(t.Context(), next.Path, sqlite.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var projects, cursor int
	if err := db.QueryRow("SELECT (SELECT count(*) FROM project), (SELECT seq FROM cursor WHERE origin = 'eu')").Scan(&projects, &cursor); err != nil {
		t.Fatal(err)
	}
	if projects != 2 || cursor != 2 {
		t.Errorf("in the file: %d projects at %d, want 2 at 2", projects, cursor)
	}
	next.Release()
}

func TestImpatientCallerLeavesItToOthers(t *testing.T) {
	w, acme := newWorld(t), edgetest.NewID()
	w.push(t, acme)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.store.Snapshot(ctx, acme); err == nil {
		t.Log("it was quicker") // the file may be there before the caller looks at its patience
	}
	w.take(t, acme).Release()
}
