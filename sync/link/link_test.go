//go:build !js

package link_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/nats-io/nats.go"

	"holdfast/sync/change"
	"holdfast/sync/crdt"
	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/ingress"
	"holdfast/sync/link"
	"holdfast/sync/natsd"
	"holdfast/sync/port"
	"holdfast/sync/replica"
	"holdfast/sync/sqlite"
	"holdfast/sync/store"
	"holdfast/sync/token"
	"holdfast/sync/wire"
	"holdfast/sync/work"
)

// patience is for what must happen; how quick it is, benchmarks say.
const patience = 30 * time.Second

var (
	tenant = id.Derive("tenant")
	ana    = ingress.Actor{ID: id.Derive("ana"), Role: work.Owner}
)

// region is a real message server with a real door behind it, and nothing else of an edge. Its path can be broken.
type region struct {
	*ingress.Ingress
	t        *testing.T
	db       *sql.DB
	srv      *natsd.Server
	nc       *nats.Conn
	path     *natsd.Link
	session  atomic.Pointer[string] // the one that is let in
	deaf     atomic.Bool            // to pushes
	deafened atomic.Int64           // pushes that were not answered
	pushed   atomic.Int64           // transactions in pushes
}

func newRegion(t *testing.T) *region {
	t.Helper()
	r := &region{t: t}
	good := "good"
	r.session.Store(&good)
	r.db = open(t)
	r.Ingress = ingress.New(ingress.Config{DB: r.db, Region: "eu", Tenant: tenant})
	must(t, r.Ingress.Open(t.Context()))
	// The one entry that every workspace begins with; a device is not loaded before something came.
	_, err := r.System(t.Context(), change.Tx{Stamp: hlc.Make(1, 0, 1), Actor: ana.ID, Command: "member.project", Rows: []change.Row{{Table: "member", ID: ana.ID,
		Cells: []change.Cell{{Col: "active", Val: change.V(1)}, {Col: "color", Val: change.V("red")}, {Col: "name", Val: change.V("Ana")}, {Col: "role", Val: change.V(ana.Role)}}}}})
	must(t, err)
	r.srv = natsd.New(natsd.Config{Name: "eu", Domain: "eu", StoreDir: t.TempDir(), WebSocketListen: "127.0.0.1:0", Authenticate: r.admit})
	must(t, r.srv.Open(t.Context()))
	t.Cleanup(r.srv.Close)
	r.nc, err = r.srv.Web()
	must(t, err)
	t.Cleanup(r.nc.Close)
	_, err = r.nc.Subscribe(wire.RPCAll, r.call)
	must(t, err)
	r.path = natsd.NewLink(r.srv.WebSocketAddr())
	must(t, r.path.Open(t.Context()))
	t.Cleanup(r.path.Close)
	return r
}

func (r *region) admit(c natsd.Client) (natsd.Grant, error) {
	_, conn, _, err := wire.ParseConnName(c.Name)
	if err != nil || c.Token != *r.session.Load() {
		return natsd.Grant{}, fault.Errorf("test", fault.Expired, "no")
	}
	return natsd.Grant{Publish: []string{wire.RPC(tenant, conn, "*")}, Subscribe: []string{wire.InboxPrefix(tenant, conn) + ".>", wire.Feed(tenant, "*")},
		Expires: time.Now().Add(time.Hour)}, nil
}

func (r *region) call(m *nats.Msg) {
	_, _, method, err := wire.ParseRPC(m.Subject)
	if err != nil {
		return
	}
	ctx := context.Background()
	switch method {
	case wire.Push:
		req, err := wire.DecodePushRequest(m.Data)
		if err != nil {
			return
		}
		r.pushed.Add(int64(len(req.Txs)))
		reply, done := r.Ingress.Push(ctx, ana, req)
		if len(done) > 0 {
			r.nc.Publish(wire.Feed(tenant, wire.ScopeAll), wire.FeedMessage{Entries: done}.Encode()) //nolint:errcheck // a pull makes it good
		}
		if r.deaf.Load() {
			r.deafened.Add(1)
			return
		}
		m.Respond(reply.Encode()) //nolint:errcheck // the device asks again
	case wire.Pull:
		if req, err := wire.DecodePullRequest(m.Data); err == nil {
			m.Respond(r.Pull(ctx, req).Encode()) //nolint:errcheck // as above
		}
	case wire.Presence:
		m.Respond(wire.PresenceMessage{}.Encode()) //nolint:errcheck // as above
	}
}

// device is a replica and its link.
type device struct {
	*replica.Replica
	*link.Link
	t      *testing.T
	db     *sql.DB
	cookie atomic.Pointer[string]
	renew  atomic.Pointer[string] // the session that a renewal gives; nil: there is none
}

func (r *region) device(cookie string) *device {
	d := &device{t: r.t, db: open(r.t)}
	d.cookie.Store(&cookie)
	d.Replica = replica.New(replica.Config{DB: d.db, Tenant: tenant, Member: ana.ID})
	must(r.t, d.Replica.Open(r.t.Context()))
	r.t.Cleanup(func() { d.Replica.Close() })
	d.Link = link.New(link.Config{Tenant: tenant, Replica: d.Replica, ReplicaID: d.ID, Changed: func() {},
		Dial: func(ctx context.Context) (io.ReadWriteCloser, error) {
			c, _, err := websocket.Dial(ctx, "ws://"+r.path.Addr(), &websocket.DialOptions{HTTPHeader: http.Header{"Cookie": {token.Cookie + "=" + *d.cookie.Load()}}})
			if err != nil {
				return nil, err
			}
			c.SetReadLimit(-1)
			return websocket.NetConn(context.Background(), c, websocket.MessageBinary), nil
		},
		Renew: func(context.Context) error {
			fresh := d.renew.Load()
			if fresh == nil {
				return fault.Errorf("test", fault.Expired, "over")
			}
			d.cookie.Store(fresh)
			return nil
		},
		Bootstrap: func(context.Context) error { return fault.Errorf("test", fault.Unavailable, "no snapshot here") }})
	d.Link.Open(r.t.Context())
	r.t.Cleanup(d.Link.Close)
	return d
}

// write makes n projects and says so.
func (d *device) write(n int) {
	d.t.Helper()
	for i := range n {
		rank, err := crdt.Between("", "", rand.Reader)
		must(d.t, err)
		e := work.NewProject(id.New(time.Now(), rand.Reader), fmt.Sprint("project ", i), "blue", rank)
		e.Key = id.New(time.Now(), rand.Reader)
		_, err = d.Do(d.t.Context(), e)
		must(d.t, err)
		d.Push()
	}
}

func (d *device) is(state string) {
	d.t.Helper()
	eventually(d.t, "the link is "+state, func() bool { return d.State().Link == state })
}

// ready waits until the device can be worked on.
func (d *device) ready() {
	d.t.Helper()
	d.is(port.Online)
	eventually(d.t, "the workspace is loaded", d.Loaded)
}

func digest(t *testing.T, db *sql.DB) [32]byte {
	sum, err := store.Digest(context.Background(), db)
	must(t, err)
	return sum
}

// alike waits until nothing waits and all have the same rows.
func (r *region) alike(ds ...*device) {
	r.t.Helper()
	for _, d := range ds {
		eventually(r.t, "the device and the region are equal", func() bool {
			return d.Counts().Waiting == 0 && d.Cursor().Covers(r.Heads()) && digest(r.t, d.db) == digest(r.t, r.db)
		})
	}
}

func open(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), ":memory:", sqlite.Options{})
	must(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// Two devices write at once, one of them while the path is cut: everything arrives, once, without anybody doing anything.
func TestDevicesStayInStepOverCuts(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	a, b := r.device("good"), r.device("good")
	a.ready()
	b.ready()
	a.write(20)
	b.write(20)
	r.alike(a, b)
	r.path.Cut()
	a.is(port.Offline)
	a.write(20)
	r.path.Heal()
	r.alike(a, b)
	if got := r.Heads()["eu"]; got != 61 {
		t.Errorf("the log has %d entries of 60 changes and a member", got)
	}
}

// A path that swallows everything and closes nothing is found out by a wake, as after sleep.
func TestWakeFindsADeadPath(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	a := r.device("good")
	a.ready()
	conn := a.State().Conn
	r.path.Mute()
	r.path.Heal() // new connections go through, the old one stays silent
	a.write(5)
	a.Wake()
	r.alike(a)
	if a.State().Conn == conn {
		t.Error("it is the same connection; what was tested?")
	}
}

// An answer that never comes leaves the changes waiting; asked again they have the fate that they had.
func TestLostAnswerIsAskedForAgain(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	a := r.device("good")
	a.ready()
	r.deaf.Store(true)
	a.write(1)
	eventually(t, "a push was not answered", func() bool { return r.deafened.Load() > 0 })
	if a.Counts().Waiting == 0 {
		t.Error("a change without an answer does not wait")
	}
	r.deaf.Store(false)
	r.path.Cut()
	r.path.Heal()
	a.Wake()
	r.alike(a)
	if got := r.Heads()["eu"]; got != 2 {
		t.Errorf("the log has %d entries of one change and a member", got)
	}
	if r.pushed.Load() < 2 {
		t.Error("it was not asked again; what was tested?")
	}
}

// A session that is over is renewed; when that cannot be, the person is told, and work waits until they have signed in.
func TestSessionIsRenewed(t *testing.T) {
	t.Parallel()
	r := newRegion(t)
	a := r.device("good")
	a.ready()
	fresh := "fresh"
	r.session.Store(&fresh) // and the device's is over
	r.path.Cut()
	a.is(port.Offline)
	r.path.Heal()
	a.is(port.SignedOut)
	a.write(3)
	a.renew.Store(&fresh)
	a.Wake()
	a.is(port.Online)
	r.alike(a)
}
