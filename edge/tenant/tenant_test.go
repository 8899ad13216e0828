package tenant_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"holdfast/edge/edgetest"
	"holdfast/edge/tenant"
	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/ingress"
	"holdfast/sync/wire"
	"holdfast/sync/work"
)

func newID() id.ID { return id.New(time.Now(), rand.Reader) }

func open(t testing.TB, cfg tenant.Config) *tenant.Store {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = filepath.Join(t.TempDir(), "tenants")
	}
	cfg.Region, cfg.Now, cfg.Log = "eu", time.Now, slog.New(slog.DiscardHandler)
	s := tenant.New(cfg)
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// device pushes projects as an owner who is no member row, which needs no more than the role.
type device struct {
	*edgetest.Device
	who ingress.Actor
}

func newDevice() *device {
	who := ingress.Actor{ID: newID(), Role: work.Owner}
	return &device{edgetest.NewDevice(who.ID), who}
}

func (d *device) push(ctx context.Context, s *tenant.Store, t id.ID, txs ...change.Tx) (r wire.PushReply, err error) {
	err = s.Use(ctx, t, func(n *tenant.Tenant) error {
		r = n.Push(ctx, d.who, wire.PushRequest{Replica: d.Replica, NowMS: time.Now().UnixMilli(), Txs: txs})
		for _, f := range r.Fates {
			if !f.Accepted {
				return fault.Errorf("test", f.Kind, "%d was refused: %s", f.Num, f.Detail)
			}
		}
		return r.Err
	})
	return r, err
}

func heads(t *testing.T, s *tenant.Store, w id.ID) (v change.Vector) {
	t.Helper()
	if err := s.Use(t.Context(), w, func(n *tenant.Tenant) error { v = n.Heads(); return nil }); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestFilesAreClosedAndOpenedAgain(t *testing.T) {
	s := open(t, tenant.Config{OpenMax: 3})
	var all []id.ID
	devices := map[id.ID]*device{}
	for range 10 {
		w := newID()
		all, devices[w] = append(all, w), newDevice()
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 40 {
				w := all[(i*7+int(mathrand.Uint32()))%len(all)]
				err := s.Use(t.Context(), w, func(n *tenant.Tenant) error {
					if n.ID != w {
						return fmt.Errorf("got %s, want %s", n.ID, w)
					}
					n.Heads()
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := s.Opened(); n > 3 {
		t.Errorf("files open: got %d, want at most 3", n)
	}
	for round := range 3 {
		for _, w := range all {
			if _, err := devices[w].push(t.Context(), s, w, devices[w].Next("p")); err != nil {
				t.Fatal(err)
			}
			if got := heads(t, s, w)["eu"]; got != uint64(round+1) {
				t.Fatalf("head after %d pushes: got %d", round+1, got)
			}
		}
	}
	seen := map[id.ID]bool{}
	if err := s.All(func(w id.ID, bytes int64) bool { seen[w] = bytes > 0; return true }); err != nil {
		t.Fatal(err)
	}
	if len(seen) != len(all) {
		t.Errorf("files: got %d, want %d", len(seen), len(all))
	}
}

func TestToldInTheOrderOfTheLog(t *testing.T) {
	var mu sync.Mutex
	told := map[string][]uint64{}
	note := func(_ *tenant.Tenant, es []change.Entry) {
		mu.Lock()
		defer mu.Unlock()
		for _, e := range es {
			told[e.Origin] = append(told[e.Origin], e.Seq)
		}
	}
	s := open(t, tenant.Config{Committed: note, Merged: note})
	w := newID()
	var wg sync.WaitGroup
	for range 6 {
		d := newDevice()
		wg.Go(func() {
			for range 20 {
				if _, err := d.push(t.Context(), s, w, d.Next("p"), d.Next("q")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	far := newDevice()
	var entries []change.Entry
	for seq := range uint64(50) {
		entries = append(entries, change.Entry{Origin: "us", Seq: seq + 1, Tx: far.Next("far")})
	}
	for range 3 {
		wg.Go(func() {
			for i := 0; i+10 <= len(entries); i += 10 {
				err := s.Use(t.Context(), w, func(n *tenant.Tenant) error { _, err := n.Merge(t.Context(), entries[i:i+10]); return err })
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for origin, want := range map[string]uint64{"eu": 240, "us": 50} {
		if uint64(len(told[origin])) != want {
			t.Fatalf("%s: told %d entries, want %d", origin, len(told[origin]), want)
		}
		for i, seq := range told[origin] {
			if seq != uint64(i+1) {
				t.Fatalf("%s: told %d at place %d", origin, seq, i)
			}
		}
	}
}

func TestBeforeComesBeforeTheCommit(t *testing.T) {
	var calls int
	fail := errors.New("no room")
	var refuse bool
	s := open(t, tenant.Config{Before: func(context.Context, id.ID) error {
		if calls++; refuse {
			return fault.E("test", fault.Full, fail)
		}
		return nil
	}})
	w, d := newID(), newDevice()
	refuse = true
	tx := d.Next("p")
	if _, err := d.push(t.Context(), s, w, tx); fault.KindOf(err) != fault.Full {
		t.Fatalf("got %v, want full", err)
	}
	if got := heads(t, s, w)["eu"]; got != 0 {
		t.Fatal("committed without a note")
	}
	refuse = false
	for range 3 {
		if _, err := d.push(t.Context(), s, w, tx); err != nil {
			t.Fatal(err)
		}
	}
	if calls != 2 {
		t.Errorf("Before: called %d times, want 2", calls)
	}
	settle := func(seq uint64) (called bool) {
		err := s.Use(t.Context(), w, func(n *tenant.Tenant) error { return n.Settled(seq, func() error { called = true; return nil }) })
		if err != nil {
			t.Fatal(err)
		}
		return called
	}
	if settle(0) {
		t.Error("settled although the log goes on")
	}
	if !settle(1) {
		t.Error("not settled at the log's end")
	}
	if _, err := d.push(t.Context(), s, w, d.Next("q")); err != nil || calls != 3 {
		t.Errorf("after settling: Before called %d times, want 3 (%v)", calls, err)
	}
}

// A damaged file is kept under another name, and nobody gets what takes its place before it has been made whole.
func TestDamagedFileIsSetAside(t *testing.T) {
	notYet := fault.Errorf("test", fault.Unavailable, "not whole yet")
	whole := false
	s := open(t, tenant.Config{OpenMax: 1, Opened: func(_ context.Context, n *tenant.Tenant) error {
		if n.Rebuilding() && !whole {
			return notYet
		}
		return nil
	}})
	bad, good := newID(), newID()
	d := newDevice()
	if _, err := d.push(t.Context(), s, bad, d.Next("p")); err != nil {
		t.Fatal(err)
	}
	heads(t, s, good) // the other file is closed now
	if err := os.WriteFile(s.Path(bad), bytes.Repeat([]byte("not a database"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	os.Remove(s.Path(bad) + "-wal")
	for range 2 { // the second time there is no damage any more, and the file is still not whole
		if err := s.Use(t.Context(), bad, func(*tenant.Tenant) error { return nil }); !errors.Is(err, notYet) {
			t.Errorf("a damaged file: got %v, want %v", err, notYet)
		}
	}
	heads(t, s, good)
	kept, err := filepath.Glob(s.Path(bad) + ".damaged-*")
	if err != nil || len(kept) != 1 {
		t.Fatalf("files kept: %v, %v", kept, err)
	}
	if b, err := os.ReadFile(kept[0]); err != nil || !bytes.HasPrefix(b, []byte("not a database")) {
		t.Errorf("the file that was kept begins with %.20q (%v)", b, err)
	}
	whole = true
	heads(t, s, bad)
	whole = false
	heads(t, s, good)
	heads(t, s, bad) // once whole it is a file like any other
}

// A full disk refuses what is new as temporary and keeps what was accepted.
func TestFullDisk(t *testing.T) {
	mount := t.TempDir()
	if err := syscall.Mount("tmpfs", mount, "tmpfs", 0, "size=2m"); err != nil {
		t.Skip("needs the right to mount a small file system:", err)
	}
	t.Cleanup(func() { syscall.Unmount(mount, syscall.MNT_DETACH) })
	s := open(t, tenant.Config{Dir: mount})
	w, d := newID(), newDevice()
	var accepted uint64
	var refused change.Tx
	for range 2000 {
		tx := d.Next("p")
		tx.Rows[0].Cells[1].Val = change.V(string(bytes.Repeat([]byte("x"), 100)))
		if _, err := d.push(t.Context(), s, w, tx); err != nil {
			if k := fault.KindOf(err); k != fault.Full || !k.Temporary() {
				t.Fatalf("on a full disk: got %v, want full", err)
			}
			refused = tx
			break
		}
		accepted++
	}
	if refused.Num == 0 {
		t.Fatal("2 MB were never full")
	}
	if got := heads(t, s, w)["eu"]; got != accepted {
		t.Fatalf("head on a full disk: got %d, want %d", got, accepted)
	}
	if err := syscall.Mount("tmpfs", mount, "tmpfs", syscall.MS_REMOUNT, "size=16m"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.push(t.Context(), s, w, refused); err != nil {
		t.Fatal("after room was made:", err)
	}
	if got := heads(t, s, w)["eu"]; got != accepted+1 {
		t.Errorf("head after room was made: got %d, want %d", got, accepted+1)
	}
}

func TestCloseWaitsForUsers(t *testing.T) {
	s := open(t, tenant.Config{})
	w, d := newID(), newDevice()
	in, out := make(chan bool), make(chan bool)
	go s.Use(t.Context(), w, func(n *tenant.Tenant) error {
		close(in)
		<-out
		r := n.Push(t.Context(), d.who, wire.PushRequest{Replica: d.Replica, Txs: []change.Tx{d.Next("p")}})
		if r.Err != nil {
			t.Error("while closing:", r.Err)
		}
		return nil
	})
	<-in
	time.AfterFunc(50*time.Millisecond, func() { close(out) })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	err := s.Use(t.Context(), w, func(*tenant.Tenant) error { return io.EOF })
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("after closing: got %v, want unavailable", err)
	}
}
