package edgetest

import (
	"crypto/rand"
	mathrand "math/rand/v2"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"holdfast/sync/change"
	"holdfast/sync/crdt"
	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/wire"
)

// Device makes changes as one replica does: numbered, stamped, each a new project.
type Device struct {
	Person  id.ID
	Replica uint64
	Num     uint64
}

// NewDevice makes a device with a fresh replica.
func NewDevice(person id.ID) *Device { return &Device{Person: person, Replica: mathrand.Uint64() | 1} }

// Next is the device's next change: a project with the given name.
func (d *Device) Next(name string) change.Tx {
	d.Num++
	rank, err := crdt.Between("", "", rand.Reader)
	if err != nil {
		panic(err) // no bound can be wrong
	}
	return change.Tx{Num: d.Num, Stamp: hlc.Make(time.Now().UnixMilli(), uint16(d.Num), d.Replica), Actor: d.Person, Command: "project.create",
		Rows: []change.Row{{Table: "project", ID: NewID(), Cells: []change.Cell{
			{Col: "color", Val: change.V("blue")}, {Col: "name", Val: change.V(name)}, {Col: "rank", Val: change.V(rank)}}}}}
}

// Browser is a connection as a browser has it, without the gateway before it.
type Browser struct {
	*Device
	Conn   *nats.Conn
	Name   string // of the connection
	Tenant id.ID
	Denied chan error // what the server refused
	Closed chan struct{}
}

// Connect connects a person to a workspace.
func Connect(t testing.TB, addr string, p Person, tenant id.ID) *Browser {
	t.Helper()
	b, err := TryConnect(addr, p.Cookie, tenant, string(NewID()), NewDevice(p.ID))
	if err != nil {
		t.Fatal("connect:", err)
	}
	t.Cleanup(b.Conn.Close)
	return b
}

// TryConnect connects with any token and name.
func TryConnect(addr, token string, tenant id.ID, conn string, d *Device) (*Browser, error) {
	b := &Browser{Device: d, Name: conn, Tenant: tenant, Denied: make(chan error, 100), Closed: make(chan struct{})}
	nc, err := nats.Connect("ws://"+addr, nats.Token(token), nats.Name(wire.ConnName(tenant, conn, d.Replica)), nats.NoReconnect(),
		nats.CustomInboxPrefix(wire.InboxPrefix(tenant, conn)), nats.IgnoreDiscoveredServers(), nats.Timeout(5*time.Second),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			select {
			case b.Denied <- err:
			default:
			}
		}),
		nats.ClosedHandler(func(*nats.Conn) { close(b.Closed) }))
	b.Conn = nc
	return b, err
}

// Push offers changes and gives the fates; a refused change is an error too.
func (b *Browser) Push(txs ...change.Tx) (wire.PushReply, error) {
	r, err := b.Offer(wire.PushRequest{Replica: b.Replica, NowMS: time.Now().UnixMilli(), Txs: txs})
	if err != nil {
		return r, err
	}
	for _, f := range r.Fates {
		if !f.Accepted {
			return r, fault.Errorf("edgetest.Push", f.Kind, "%d was refused: %s", f.Num, f.Detail)
		}
	}
	return r, r.Err
}

// Offer makes one push.
func (b *Browser) Offer(req wire.PushRequest) (wire.PushReply, error) {
	m, err := b.Conn.Request(wire.RPC(b.Tenant, b.Name, wire.Push), req.Encode(), 10*time.Second)
	if err != nil {
		return wire.PushReply{}, err
	}
	return wire.DecodePushReply(m.Data)
}

// Pull gives everything after a cursor.
func (b *Browser) Pull(cursor change.Vector) (es []change.Entry, last wire.PullReply, err error) {
	cursor = cursor.Clone()
	for {
		m, err := b.Conn.Request(wire.RPC(b.Tenant, b.Name, wire.Pull), wire.PullRequest{Cursor: cursor}.Encode(), 10*time.Second)
		if err != nil {
			return es, last, err
		}
		if last, err = wire.DecodePullReply(m.Data); err != nil {
			return es, last, err
		}
		if last.Err != nil {
			return es, last, last.Err
		}
		es = append(es, last.Entries...)
		for _, e := range last.Entries {
			cursor[e.Origin] = e.Seq
		}
		if !last.More {
			return es, last, nil
		}
	}
}

// Beat says where the person looks and gives who is here.
func (b *Browser) Beat(view string) ([]wire.Person, error) {
	m, err := b.Conn.Request(wire.RPC(b.Tenant, b.Name, wire.Presence), wire.PresenceBeat{View: view}.Encode(), 5*time.Second)
	if err != nil {
		return nil, err
	}
	r, err := wire.DecodePresenceMessage(m.Data)
	if err != nil {
		return nil, err
	}
	return r.People, r.Err
}

// Subscribe follows a scope of the workspace's feed.
func (b *Browser) Subscribe(t testing.TB, scope string) chan *nats.Msg {
	t.Helper()
	c := make(chan *nats.Msg, 10_000)
	if _, err := b.Conn.ChanSubscribe(wire.Feed(b.Tenant, scope), c); err != nil {
		t.Fatal(err)
	}
	if err := b.Conn.Flush(); err != nil {
		t.Fatal(err)
	}
	return c
}
