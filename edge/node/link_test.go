package node_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"holdfast/edge/edgetest"
	"holdfast/sync/crdt"
	"holdfast/sync/directory"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/link"
	"holdfast/sync/port"
	"holdfast/sync/replica"
	"holdfast/sync/sqlite"
	"holdfast/sync/store"
	"holdfast/sync/work"
)

// linked is a device as the worker makes it: a real replica kept in step with a real edge by a real link.
type linked struct {
	*replica.Replica
	t         *testing.T
	l         *link.Link
	edge      *edge
	token     atomic.Pointer[string]
	renews    atomic.Int32
	renewErr  atomic.Pointer[error]
	dialErr   atomic.Pointer[error]
	renewedTo atomic.Pointer[string]
	boots     atomic.Int32
	snapshots bool // the device gets one when it asks
	w         id.ID
	db        *sql.DB
}

func newLinked(t *testing.T, e *edge, p edgetest.Person, w id.ID) *linked {
	t.Helper()
	db, err := sqlite.Open(t.Context(), ":memory:", sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	d := &linked{t: t, edge: e, w: w, db: db}
	d.token.Store(&p.Cookie)
	d.Replica = replica.New(replica.Config{DB: db, Tenant: w, Member: p.ID})
	if err := d.Replica.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Replica.Close() })
	d.open()
	return d
}

// open begins to keep the device in step.
func (d *linked) open() {
	d.l = link.New(link.Config{Tenant: d.w, Replica: d.Replica, ReplicaID: d.ID, Dial: d.dial, Renew: d.renew, Bootstrap: d.bootstrap, Changed: func() {}})
	d.l.Open(d.t.Context())
	d.t.Cleanup(d.l.Close)
}

func (d *linked) digest() [32]byte {
	sum, err := store.Digest(context.Background(), d.db)
	if err != nil {
		d.t.Fatal(err)
	}
	return sum
}

// dial opens the edge's WebSocket as a browser does, with the cookie.
func (d *linked) dial(ctx context.Context) (io.ReadWriteCloser, error) {
	if err := d.dialErr.Load(); err != nil {
		return nil, *err
	}
	c, _, err := websocket.Dial(ctx, "ws://"+d.edge.addr(), &websocket.DialOptions{
		HTTPHeader: http.Header{"Cookie": {"holdfast_session=" + *d.token.Load()}}})
	if err != nil {
		return nil, err
	}
	c.SetReadLimit(-1)
	return websocket.NetConn(context.Background(), c, websocket.MessageBinary), nil
}

func (d *linked) renew(context.Context) error {
	d.renews.Add(1)
	if err := d.renewErr.Load(); err != nil {
		return *err
	}
	d.dialErr.Store(nil)
	if t := d.renewedTo.Load(); t != nil {
		d.token.Store(t)
	}
	return nil
}

func (d *linked) bootstrap(ctx context.Context) error {
	if d.boots.Add(1); d.snapshots {
		return d.install(ctx)
	}
	return fault.Errorf("test", fault.Unavailable, "no snapshot here")
}

func (d *linked) state(want string) {
	d.t.Helper()
	edgetest.Eventually(d.t, 20*time.Second, "the link is "+want, func() bool { return d.l.State().Link == want })
}

// project makes a project and gives its id.
func (d *linked) project(name string) id.ID {
	d.t.Helper()
	row := edgetest.NewID()
	rank, err := crdt.Between("", "", rand.Reader)
	if err != nil {
		d.t.Fatal(err)
	}
	e := work.NewProject(row, name, "blue", rank)
	e.Key = edgetest.NewID()
	if _, err := d.Do(d.t.Context(), e); err != nil {
		d.t.Fatal(err)
	}
	d.l.Push()
	return row
}

// alike waits until two devices have the same rows and nothing waits.
func alike(a, b *linked) {
	a.t.Helper()
	edgetest.Eventually(a.t, 20*time.Second, "both devices are equal", func() bool {
		return a.Counts().Waiting == 0 && b.Counts().Waiting == 0 && a.digest() == b.digest()
	})
}

func loaded(ds ...*linked) {
	for _, d := range ds {
		d.t.Helper()
		edgetest.Eventually(d.t, 20*time.Second, "the workspace is loaded", d.Loaded)
	}
}

func TestLinkKeepsDevicesInStep(t *testing.T) {
	h := edgetest.NewHub(t)
	e := newEdge(t, h, "eu")
	ana, bo := h.NewPerson(), h.NewPerson()
	w := h.NewTenant(ana, bo).ID
	know(t, h.Put("key.unused", directory.Key{Public: make([]byte, 32)}), e)
	a, b := newLinked(t, e, ana, w), newLinked(t, e, bo, w)
	a.state(port.Online)
	b.state(port.Online)
	loaded(a, b)
	for i := range 30 {
		a.project(fmt.Sprint("a", i))
		b.project(fmt.Sprint("b", i))
	}
	alike(a, b)
	if a.l.State().Conn == b.l.State().Conn {
		t.Error("two links have one name")
	}
	a.l.View("project/x")
	edgetest.Eventually(t, 10*time.Second, "bo sees where ana looks", func() bool {
		for _, p := range b.l.State().People {
			if p.Member == ana.ID && p.View == "project/x" {
				return true
			}
		}
		return false
	})

	// The region goes away and comes back: work goes on meanwhile, and arrives without anybody doing anything.
	e.mu.Lock()
	e.Close()
	a.state(port.Offline)
	for i := range 20 {
		a.project(fmt.Sprint("offline", i))
	}
	e.start()
	e.mu.Unlock()
	alike(a, b)
}

func TestLinkRenewsAnExpiredSession(t *testing.T) {
	h := edgetest.NewHub(t)
	e := newEdge(t, h, "eu")
	ana := h.NewPerson()
	w := h.NewTenant(ana).ID
	know(t, h.Put("key.unused", directory.Key{Public: make([]byte, 32)}), e)
	good := ana.Cookie
	ana.Cookie = h.Sign(ana, -time.Minute)
	a := newLinked(t, e, ana, w)
	over := fault.Errorf("test", fault.Expired, "Your session has ended.")
	a.renewErr.Store(&over)
	a.l.Wake()
	a.state(port.SignedOut)
	a.renewErr.Store(nil) // the person signed in again
	a.renewedTo.Store(&good)
	a.l.Wake()
	a.state(port.Online)
	loaded(a)
	if a.renews.Load() == 0 {
		t.Error("nobody asked for a fresh session")
	}
}

// A gateway refuses the WebSocket itself; then it is the dialer that finds out that the session is over.
func TestLinkRenewsWhatTheGatewayRefuses(t *testing.T) {
	h := edgetest.NewHub(t)
	e := newEdge(t, h, "eu")
	ana := h.NewPerson()
	w := h.NewTenant(ana).ID
	know(t, h.Put("key.unused", directory.Key{Public: make([]byte, 32)}), e)
	a := newLinked(t, e, ana, w)
	a.state(port.Online)
	loaded(a)
	refused, over, away := fault.E("test", fault.Expired, io.EOF), fault.Errorf("test", fault.Expired, "over"), fault.E("test", fault.Unavailable, io.EOF)
	a.dialErr.Store(&refused)
	a.renewErr.Store(&away)
	e.mu.Lock()
	e.Close()
	a.state(port.Offline) // whether the session could be renewed is not known
	a.project("waits")
	a.renewErr.Store(&over)
	a.l.Wake()
	a.state(port.SignedOut)
	e.start()
	e.mu.Unlock()
	a.renewErr.Store(nil)
	a.l.Wake()
	a.state(port.Online)
	edgetest.Eventually(t, 20*time.Second, "what waited was sent", func() bool { return a.Counts().Waiting == 0 })
}

func TestLinkSaysWhoIsNoMember(t *testing.T) {
	h := edgetest.NewHub(t)
	e := newEdge(t, h, "eu")
	ana, eve := h.NewPerson(), h.NewPerson()
	w := h.NewTenant(ana)
	know(t, h.Put("key.unused", directory.Key{Public: make([]byte, 32)}), e)
	x := newLinked(t, e, eve, w.ID)
	x.state(port.Removed)
	if x.Loaded() || len(x.Cursor()) > 0 {
		t.Error("somebody who is no member got something")
	}
	// Taken in, she is let in at the next look.
	w.Members = append(w.Members, directory.Member{Person: eve.ID, Name: "Eve", Role: work.Member, Color: "teal", Active: true, ChangedMS: time.Now().UnixMilli()})
	know(t, h.Put(directory.TenantKey(w.ID), w), e)
	x.l.Wake()
	x.state(port.Online)
	loaded(x)
	// Put out, she is disconnected at once.
	w.Members[1].Active, w.Members[1].ChangedMS = false, time.Now().UnixMilli()
	h.Put(directory.TenantKey(w.ID), w)
	x.state(port.Removed)
}

func TestLinkPullsWhatTheFeedLost(t *testing.T) {
	h := edgetest.NewHub(t)
	e := newEdge(t, h, "eu")
	ana, bo := h.NewPerson(), h.NewPerson()
	w := h.NewTenant(ana, bo).ID
	know(t, h.Put("key.unused", directory.Key{Public: make([]byte, 32)}), e)
	a := newLinked(t, e, ana, w)
	loaded(a)
	b := e.connect(bo, w)
	pushMany(t, b, 1000) // some come by feed, some by pull, in any order
	_, head := e.digest(w)
	edgetest.Eventually(t, 20*time.Second, "everything is there", func() bool { return a.Cursor().Covers(head) })
	if got := a.Cursor(); !head.Covers(got) {
		t.Errorf("the cursor %v is beyond the region's %v", got, head)
	}
}

// A device that is far behind asks for a snapshot, and a link that cannot get one says why.
func TestLinkAsksForASnapshotWhenFarBehind(t *testing.T) {
	h := edgetest.NewHub(t)
	e := newEdge(t, h, "eu")
	ana, bo := h.NewPerson(), h.NewPerson()
	w := h.NewTenant(ana, bo).ID
	know(t, h.Put("key.unused", directory.Key{Public: make([]byte, 32)}), e)
	b := e.connect(bo, w)
	pushMany(t, b, link.BootstrapFrom+10)
	a := newLinked(t, e, ana, w)
	edgetest.Eventually(t, 20*time.Second, "a snapshot was asked for", func() bool { return a.boots.Load() > 0 })
	a.state(port.Offline)
	if s := a.l.State(); !strings.Contains(fmt.Sprint(s.Error), "no snapshot here") {
		t.Errorf("the link does not say why: %v", s.Error)
	}
	if n := len(a.Cursor()); n != 0 {
		t.Errorf("a device that needs a snapshot has %d origins", n)
	}
}
