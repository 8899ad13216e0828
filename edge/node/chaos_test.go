package node_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"flag"
	"fmt"
	mathrand "math/rand/v2"
	"sync"
	"testing"
	"time"

	"holdfast/edge/edgetest"
	"holdfast/sync/crdt"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/replica"
	"holdfast/sync/sqlite"
	"holdfast/sync/store"
	"holdfast/sync/work"
)

var chaosFor = flag.Duration("chaos", 8*time.Second, "how long things break in TestEverythingBreaks")

// member is somebody with a real replica, who goes to whichever region answers.
type member struct {
	t      *testing.T
	person edgetest.Person
	w      id.ID
	db     *sql.DB
	r      *replica.Replica
	rand   *mathrand.Rand
	edges  []*edge
	at     int
	b      *edgetest.Browser
	rows   []id.ID // projects this member has made
}

func newMember(t *testing.T, p edgetest.Person, w id.ID, at int, edges ...*edge) *member {
	t.Helper()
	db, err := sqlite.Open(t.Context(), ":memory:", sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	m := &member{t: t, person: p, w: w, db: db, edges: edges, at: at, rand: mathrand.New(mathrand.NewPCG(uint64(at), 7))}
	m.r = replica.New(replica.Config{DB: db, Tenant: w, Member: p.ID})
	if err := m.r.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.r.Close() })
	return m
}

// sync pulls and pushes once; an error means that the connection is of no use.
func (m *member) sync(ctx context.Context) error {
	if m.b == nil || m.b.Conn.IsClosed() {
		d := edgetest.NewDevice(m.person.ID)
		d.Replica = m.r.ID()
		b, err := edgetest.TryConnect(m.edges[m.at].addr(), m.person.Cookie, m.w, string(edgetest.NewID()), d)
		if err != nil {
			return err
		}
		m.b = b
	}
	es, last, err := m.b.Pull(m.r.Cursor())
	if err != nil {
		return err
	}
	if _, err := m.r.Apply(ctx, es); err != nil {
		return err
	}
	if err := m.r.Everywhere(ctx, last.Everywhere); err != nil {
		return err
	}
	req, err := m.r.PushRequest(ctx)
	if err != nil || len(req.Txs) == 0 {
		return err
	}
	reply, err := m.b.Offer(req)
	if err != nil {
		return err
	}
	if err := m.r.Settle(ctx, reply, time.Millisecond); err != nil {
		return err
	}
	return reply.Err
}

func (m *member) edit(ctx context.Context) error {
	if !m.r.Loaded() {
		return nil
	}
	var e port.Edit
	if len(m.rows) == 0 || m.rand.IntN(3) == 0 {
		rank, err := crdt.Between("", "", rand.Reader)
		if err != nil {
			return err
		}
		p := edgetest.NewID()
		m.rows = append(m.rows, p)
		e = work.NewProject(p, "new", work.Colors[0], rank)
	} else {
		e = work.RenameProject(m.rows[m.rand.IntN(len(m.rows))], fmt.Sprintf("name %d", m.rand.IntN(1000)))
	}
	e.Key = edgetest.NewID()
	_, err := m.r.Do(ctx, e)
	return err
}

// live edits and syncs until ctx ends, and goes to the other region when this one does not answer.
func (m *member) live(ctx context.Context) {
	for ctx.Err() == nil {
		for range m.rand.IntN(4) {
			if err := m.edit(context.WithoutCancel(ctx)); err != nil {
				m.t.Error("edit:", err)
				return
			}
		}
		if err := m.sync(context.WithoutCancel(ctx)); err != nil {
			m.drop()
			if m.rand.IntN(3) == 0 {
				m.at = (m.at + 1) % len(m.edges)
			}
		}
		time.Sleep(time.Duration(m.rand.IntN(30)) * time.Millisecond)
	}
}

func (m *member) drop() {
	if m.b != nil && m.b.Conn != nil {
		m.b.Conn.Close()
	}
	m.b = nil
}

func (m *member) digest() [32]byte {
	m.t.Helper()
	sum, err := store.Digest(m.t.Context(), m.db)
	if err != nil {
		m.t.Fatal(err)
	}
	return sum
}

// Members with real replicas work in two regions while links are cut and muted, edges and the hub stop and start. When all
// is whole again every copy is equal and nobody has anything left to push or to look after.
func TestEverythingBreaks(t *testing.T) {
	t.Parallel()
	h := edgetest.NewHub(t)
	eu, us := newEdge(t, h, "eu"), newEdge(t, h, "us")
	var people []edgetest.Person
	for range 4 {
		people = append(people, h.NewPerson())
	}
	acme := h.NewTenant(people...)
	know(t, h.Revoke(h.NewPerson()), eu, us)
	var members []*member
	for i, p := range people {
		members = append(members, newMember(t, p, acme.ID, i%2, eu, us))
	}
	ctx, cancel := context.WithTimeout(t.Context(), *chaosFor)
	defer cancel()
	var wg sync.WaitGroup
	for _, m := range members {
		wg.Go(func() { m.live(ctx) })
	}
	wg.Go(func() { breakThings(ctx, eu, us) })
	wg.Wait()
	eu.link.Heal()
	us.link.Heal()
	edgetest.Eventually(t, patience, "everybody is in step", func() bool {
		waiting := 0
		for _, m := range members {
			if err := m.sync(t.Context()); err != nil {
				m.drop()
				waiting++
			}
			waiting += m.r.Counts().Waiting
		}
		return waiting == 0 && eu.HeadsForTest(acme.ID).Covers(us.HeadsForTest(acme.ID)) && us.HeadsForTest(acme.ID).Covers(eu.HeadsForTest(acme.ID))
	})
	equal(t, patience, acme.ID, eu.HeadsForTest(acme.ID), eu, us)
	want, head := eu.digest(acme.ID)
	for i, m := range members {
		edgetest.Eventually(t, patience, fmt.Sprintf("member %d has all", i), func() bool {
			return m.sync(t.Context()) == nil && m.r.Cursor().Covers(head)
		})
		if got := m.digest(); got != want {
			t.Errorf("member %d's copy differs from the regions'", i)
		}
		if c := m.r.Counts(); c.Attention > 0 {
			t.Errorf("member %d: %d changes were refused", i, c.Attention)
		}
	}
	t.Logf("all equal at %v", head)
}

// breakThings cuts and mutes links and restarts edges until ctx ends.
func breakThings(ctx context.Context, edges ...*edge) {
	dice := mathrand.New(mathrand.NewPCG(1, 2))
	for ctx.Err() == nil {
		e := edges[dice.IntN(len(edges))]
		switch dice.IntN(5) {
		case 0:
			e.link.Cut()
		case 1:
			e.link.Mute()
		case 2, 3:
			e.link.Heal()
		case 4:
			e.restart()
		}
		time.Sleep(time.Duration(200+dice.IntN(500)) * time.Millisecond)
	}
}
