// Package edgetest gives tests a hub to stand beside: a real message server with the directory's bucket, whose records
// the test writes itself, and sessions signed with a real key.
package edgetest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"holdfast/sync/directory"
	"holdfast/sync/id"
	"holdfast/sync/natsd"
	"holdfast/sync/token"
	"holdfast/sync/wire"
	"holdfast/sync/work"
)

// Secret is the leaf links' secret.
const Secret = "edgetest"

// Hub is a hub without people: the directory is what the test writes.
type Hub struct {
	Server *natsd.Server
	Conn   *nats.Conn
	KV     jetstream.KeyValue
	Key    ed25519.PrivateKey
	t      testing.TB
	dir    string
	addr   string
}

// NewHub starts a hub that signs with a key the directory knows.
func NewHub(t testing.TB) *Hub {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	h := &Hub{t: t, Key: private, dir: t.TempDir(), addr: "127.0.0.1:0"}
	h.Start()
	t.Cleanup(h.Stop)
	h.Put(directory.SigningKey(token.KID(public)), directory.Key{Public: public})
	return h
}

// Start starts the hub, at the address that it had before.
func (h *Hub) Start() {
	h.t.Helper()
	h.Server = natsd.New(natsd.Config{Name: "hub", Domain: wire.HubDomain, StoreDir: h.dir, LeafListen: h.addr, LeafSecret: Secret})
	if err := h.Server.Open(context.Background()); err != nil {
		h.t.Fatal(err)
	}
	h.addr = h.Server.LeafAddr()
	var err error
	if h.Conn, err = h.Server.Core(); err != nil {
		h.t.Fatal(err)
	}
	js, err := jetstream.New(h.Conn)
	if err != nil {
		h.t.Fatal(err)
	}
	h.KV, err = js.CreateOrUpdateKeyValue(context.Background(), jetstream.KeyValueConfig{Bucket: wire.DirectoryBucket, History: 1,
		Storage: jetstream.FileStorage, LimitMarkerTTL: time.Hour})
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.Conn.Subscribe(wire.HubRegion, h.onRegion); err != nil {
		h.t.Fatal(err)
	}
}

// onRegion takes a region into the directory that says it is there.
func (h *Hub) onRegion(m *nats.Msg) {
	var r directory.Region
	if err := json.Unmarshal(m.Data, &r); err != nil {
		h.t.Error("a region's announcement:", err)
		return
	}
	if _, err := h.KV.Put(context.Background(), directory.RegionKey(r.Name), m.Data); errors.Is(err, nats.ErrConnectionClosed) {
		return // the hub is being stopped; the region asks again
	} else if err != nil {
		h.t.Error("a region's record:", err)
		return
	}
	if err := m.Respond([]byte("{}")); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		h.t.Error("answer to a region:", err)
	}
}

// Stop stops the hub.
func (h *Hub) Stop() {
	h.Conn.Close()
	h.Server.Close()
}

// Addr is where leaf links are accepted.
func (h *Hub) Addr() string { return h.addr }

// Put writes a directory record and gives its revision.
func (h *Hub) Put(key string, record any) uint64 {
	h.t.Helper()
	b, err := json.Marshal(record)
	if err != nil {
		h.t.Fatal(err)
	}
	rev, err := h.KV.Put(context.Background(), key, b)
	if err != nil {
		h.t.Fatal(err)
	}
	return rev
}

// Has tells whether the directory has a record.
func (h *Hub) Has(key string) bool {
	_, err := h.KV.Get(context.Background(), key)
	return err == nil
}

// Person is somebody with a session.
type Person struct {
	ID      id.ID
	Session id.ID
	Cookie  string
}

// NewPerson makes somebody and signs a session of an hour.
func (h *Hub) NewPerson() Person {
	p := Person{ID: NewID(), Session: NewID()}
	p.Cookie = h.Sign(p, time.Hour)
	return p
}

// Sign makes a token for a person's session that ends after d.
func (h *Hub) Sign(p Person, d time.Duration) string {
	h.t.Helper()
	now := time.Now()
	raw, err := token.Sign(token.Claims{Session: p.Session, Person: p.ID, Name: "Test", Issued: now.Add(-24 * time.Hour), Expires: now.Add(d)}, h.Key)
	if err != nil {
		h.t.Fatal(err)
	}
	return raw
}

// Revoke ends a session.
func (h *Hub) Revoke(p Person) uint64 {
	return h.Put(directory.RevokedKey(p.Session), directory.Revoked{Until: time.Now().Add(24 * time.Hour)})
}

// NewTenant makes a workspace of which the first person is the owner and the others are members.
func (h *Hub) NewTenant(people ...Person) directory.Tenant {
	now := time.Now().UnixMilli()
	r := directory.Tenant{ID: NewID(), Name: "Acme", State: directory.Active, CreatedMS: now}
	for i, p := range people {
		role := work.Member
		if i == 0 {
			role = work.Owner
		}
		r.Members = append(r.Members, directory.Member{Person: p.ID, Name: "Test", Role: role, Color: work.Colors[i%len(work.Colors)], Active: true, ChangedMS: now})
	}
	h.Put(directory.TenantKey(r.ID), r)
	return r
}

// PutRule switches a rule on, or puts another in its place, and gives the directory's revision.
func (h *Hub) PutRule(tenant, rule id.ID, name string, module []byte) uint64 {
	sum := sha256.Sum256(module)
	return h.Put(directory.RuleKey(tenant, rule), directory.Rule{Tenant: tenant, ID: rule, Name: name, Hash: sum[:], Module: module})
}

// DropRule switches a rule off.
func (h *Hub) DropRule(tenant, rule id.ID) {
	h.t.Helper()
	if err := h.KV.Purge(context.Background(), directory.RuleKey(tenant, rule)); err != nil {
		h.t.Fatal(err)
	}
}

// NewID makes a fresh id.
func NewID() id.ID { return id.New(time.Now(), rand.Reader) }

// busy is how much longer than its usual limit something may take on a machine that has other things to do.
const busy = 6

// Eventually waits until ok. limit is what that takes at most on a machine that has nothing else to do.
func Eventually(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	limit *= busy
	for end := time.Now().Add(limit); ; time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("after %v still not: %s", limit, what)
		}
	}
}

// JetStream speaks to the JetStream of a connection's own server.
func JetStream(t testing.TB, nc *nats.Conn) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}
