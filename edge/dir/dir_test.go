package dir_test

import (
	"context"
	"database/sql"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"holdfast/edge/dir"
	"holdfast/edge/edgetest"
	"holdfast/edge/nodedb"
	"holdfast/sync/directory"
	"holdfast/sync/fault"
	"holdfast/sync/natsd"
)

type region struct {
	srv  *natsd.Server
	link *natsd.Link
	db   *sql.DB
	dir  *dir.Dir
	mu   sync.Mutex
	seen []dir.Change
}

func newRegion(t *testing.T, h *edgetest.Hub) *region {
	t.Helper()
	r := &region{link: natsd.NewLink(h.Addr())}
	if err := r.link.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.link.Close)
	r.srv = natsd.New(natsd.Config{Name: "eu", Domain: "eu", StoreDir: t.TempDir(), HubURL: "nats-leaf://" + r.link.Addr(), LeafSecret: edgetest.Secret})
	if err := r.srv.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.srv.Close)
	var err error
	if r.db, err = nodedb.Open(t.Context(), filepath.Join(t.TempDir(), "node.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.db.Close() })
	r.open(t)
	return r
}

func (r *region) open(t *testing.T) {
	t.Helper()
	nc, err := r.srv.Core()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	d := dir.New(dir.Config{DB: r.db, Conn: nc, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	d.Watch(func(c []dir.Change) { r.mu.Lock(); r.seen = append(r.seen, c...); r.mu.Unlock() })
	r.srv.OnLink(func(up bool) {
		if up {
			d.Poke()
		}
	})
	if err := d.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	r.dir = d
}

func (r *region) wait(t *testing.T, rev uint64, limit time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 6*limit) // the machine may have other things to do
	defer cancel()
	if err := r.dir.WaitRevision(ctx, rev); err != nil {
		t.Fatalf("revision %d after %v: %v", rev, limit, err)
	}
}

func TestSessionsAndMembership(t *testing.T) {
	t.Parallel()
	h := edgetest.NewHub(t)
	ana, bo := h.NewPerson(), h.NewPerson()
	acme := h.NewTenant(ana)
	r := newRegion(t, h)
	r.wait(t, h.Put(directory.RegionKey("eu"), directory.Region{Name: "eu", URL: "http://localhost:1"}), 5*time.Second)

	if c, err := r.dir.Verify(ana.Cookie); err != nil || c.Person != ana.ID {
		t.Fatalf("a good session: %v, %v", c, err)
	}
	for name, tc := range map[string]struct {
		raw  string
		want fault.Kind
	}{
		"nothing":      {"", fault.Denied},
		"over":         {h.Sign(ana, -time.Minute), fault.Expired},
		"another key":  {edgetest.NewHub(t).Sign(ana, time.Hour), fault.Denied},
		"cut in a bit": {ana.Cookie[:len(ana.Cookie)-4], fault.Denied},
	} {
		if _, err := r.dir.Verify(tc.raw); fault.KindOf(err) != tc.want || err == nil {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
	}
	if _, _, ok := r.dir.Member(acme.ID, ana.ID); !ok {
		t.Error("a member is not known")
	}
	if _, _, ok := r.dir.Member(acme.ID, bo.ID); ok || len(r.dir.TenantsOf(bo.ID)) != 0 {
		t.Error("a stranger is a member")
	}
	acme.Members[0].Active = false
	r.wait(t, h.Put(directory.TenantKey(acme.ID), acme), 5*time.Second)
	if _, _, ok := r.dir.Member(acme.ID, ana.ID); ok || len(r.dir.TenantsOf(ana.ID)) != 0 {
		t.Error("a former member is still in")
	}
	r.wait(t, h.Revoke(ana), 5*time.Second)
	if _, err := r.dir.Verify(ana.Cookie); fault.KindOf(err) != fault.Expired {
		t.Errorf("an ended session: got %v, want expired", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if last := r.seen[len(r.seen)-1]; last != (dir.Change{Kind: "revoked", Name: string(ana.Session)}) {
		t.Errorf("last change told: got %v", last)
	}
}

func TestServesWhileCutAndHealsWithinASecond(t *testing.T) {
	t.Parallel()
	h := edgetest.NewHub(t)
	ana := h.NewPerson()
	acme := h.NewTenant(ana)
	r := newRegion(t, h)
	r.wait(t, h.Revoke(h.NewPerson()), 5*time.Second)
	for _, broken := range []struct {
		name string
		cut  func()
	}{{"cut", r.link.Cut}, {"muted", r.link.Mute}} {
		broken.cut()
		edgetest.Eventually(t, 20*time.Second, "the link is down", func() bool { return !r.srv.Linked() })
		if _, _, ok := r.dir.Member(acme.ID, ana.ID); !ok {
			t.Fatal(broken.name, ": a member is locked out while the hub is away")
		}
		rev := h.Revoke(h.NewPerson())
		time.Sleep(3 * time.Second)
		start := time.Now()
		r.link.Heal()
		r.wait(t, rev, 5*time.Second)
		if took := time.Since(start); took > 1500*time.Millisecond {
			t.Errorf("%s: the copy healed after %v, want about a second", broken.name, took)
		} else {
			t.Logf("%s: healed after %v", broken.name, took)
		}
	}
}

func TestCopyOutlivesTheProcessAndTheHub(t *testing.T) {
	t.Parallel()
	h := edgetest.NewHub(t)
	ana := h.NewPerson()
	acme := h.NewTenant(ana)
	r := newRegion(t, h)
	r.wait(t, h.Revoke(h.NewPerson()), 5*time.Second)
	h.Stop()
	r.dir.Close()
	r.open(t)
	if _, err := r.dir.Verify(ana.Cookie); err != nil {
		t.Error("a session is not known after a restart without the hub:", err)
	}
	if _, _, ok := r.dir.Member(acme.ID, ana.ID); !ok {
		t.Error("a member is not known after a restart without the hub")
	}
	h.Start()
	r.wait(t, h.Revoke(ana), 5*time.Second)
	if _, err := r.dir.Verify(ana.Cookie); fault.KindOf(err) != fault.Expired {
		t.Error("the copy did not go on after the hub's restart:", err)
	}
}

// A bucket that was made anew has other revisions: what is not in it is gone.
func TestBucketMadeAnew(t *testing.T) {
	t.Parallel()
	h := edgetest.NewHub(t)
	ana, bo := h.NewPerson(), h.NewPerson()
	old := h.NewTenant(ana)
	r := newRegion(t, h)
	r.wait(t, h.Revoke(h.NewPerson()), 5*time.Second)
	public := h.KV.Bucket()
	js := edgetest.JetStream(t, h.Conn)
	if err := js.DeleteKeyValue(t.Context(), public); err != nil {
		t.Fatal(err)
	}
	h.Stop()
	h.Start()
	next := h.NewTenant(bo)
	edgetest.Eventually(t, 5*time.Second, "the old workspace is gone, the new one is there", func() bool {
		_, isOld := r.dir.Tenant(old.ID)
		_, isNew := r.dir.Tenant(next.ID)
		return !isOld && isNew
	})
}

func TestDamagedRecordLeavesTheOneBefore(t *testing.T) {
	t.Parallel()
	h := edgetest.NewHub(t)
	ana := h.NewPerson()
	acme := h.NewTenant(ana)
	r := newRegion(t, h)
	r.wait(t, h.Revoke(h.NewPerson()), 5*time.Second)
	rev, err := h.KV.Put(t.Context(), directory.TenantKey(acme.ID), []byte(`{"id":`))
	if err != nil {
		t.Fatal(err)
	}
	r.wait(t, rev, 5*time.Second)
	if _, _, ok := r.dir.Member(acme.ID, ana.ID); !ok {
		t.Error("a damaged record locked a member out")
	}
	r.dir.Close()
	r.open(t)
	if _, _, ok := r.dir.Member(acme.ID, ana.ID); !ok {
		t.Error("a damaged record locked a member out after a restart")
	}
}
