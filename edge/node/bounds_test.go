package node_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"holdfast/edge/edgetest"
	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/wire"
)

// One connection that calls without waiting for answers gets some of them answered with Busy, all of them answered, and
// harms nobody.
func TestTooManyCallsAtOnce(t *testing.T) {
	const calls = 300
	h := edgetest.NewHub(t)
	e := newEdge(t, h, "eu")
	ana, bo := h.NewPerson(), h.NewPerson()
	acme := h.NewTenant(ana, bo)
	know(t, h.Revoke(h.NewPerson()), e)
	a, b := e.connect(ana, acme.ID), e.connect(bo, acme.ID)
	answers := make(chan *nats.Msg, calls)
	inbox := wire.InboxPrefix(acme.ID, a.Name) + ".flood"
	if _, err := a.Conn.ChanSubscribe(inbox, answers); err != nil {
		t.Fatal(err)
	}
	push := wire.PushRequest{Replica: a.Replica, Txs: []change.Tx{a.Next("x")}}.Encode()
	for range calls {
		if err := a.Conn.PublishRequest(wire.RPC(acme.ID, a.Name, wire.Push), inbox, push); err != nil {
			t.Fatal(err)
		}
	}
	pushMany(t, b, 20)
	busy, done := 0, 0
	for range calls {
		select {
		case m := <-answers:
			r, err := wire.DecodePushReply(m.Data)
			switch {
			case err != nil:
				t.Fatal(err)
			case fault.KindOf(r.Err) == fault.Busy && r.Err != nil:
				busy++
			case r.Err != nil:
				t.Fatal(r.Err)
			default:
				done++
			}
		case <-time.After(patience):
			t.Fatalf("unanswered after %d busy and %d done", busy, done)
		}
	}
	if busy == 0 || done == 0 {
		t.Errorf("got %d busy and %d done, want some of both", busy, done)
	}
	if _, err := a.Push(a.Next("after the flood")); err != nil {
		t.Error(err)
	}
}

func TestConnectionsOfOnePersonAreBounded(t *testing.T) {
	h := edgetest.NewHub(t)
	e := newEdge(t, h, "eu")
	ana, bo := h.NewPerson(), h.NewPerson()
	acme := h.NewTenant(ana, bo)
	know(t, h.Revoke(h.NewPerson()), e)
	var last *edgetest.Browser
	for range 64 {
		last = e.connect(ana, acme.ID)
	}
	try := func() error {
		b, err := edgetest.TryConnect(e.WebSocketAddr(), ana.Cookie, acme.ID, string(edgetest.NewID()), edgetest.NewDevice(ana.ID))
		if err == nil {
			b.Conn.Close()
		}
		return err
	}
	if try() == nil {
		t.Error("one more than the limit is let in")
	}
	e.connect(bo, acme.ID) // others are not kept out
	last.Conn.Close()
	edgetest.Eventually(t, patience, "there is room again", func() bool { return try() == nil })
}

// What fills a message from the browser's side comes through whole; so does what fills one from the edge's.
func TestLargePushesAndPulls(t *testing.T) {
	h := edgetest.NewHub(t)
	e := newEdge(t, h, "eu")
	ana := h.NewPerson()
	acme := h.NewTenant(ana)
	know(t, h.Revoke(h.NewPerson()), e)
	b := e.connect(ana, acme.ID)
	for range 8 {
		pushMany(t, b, 500)
	}
	es, last, err := b.Pull(nil)
	if err != nil {
		t.Fatal(err)
	}
	if uint64(len(es)) != last.Head["eu"] || len(es) < 4000 {
		t.Errorf("pulled %d entries, head %v", len(es), last.Head)
	}
	for i, x := range es {
		if x.Seq != uint64(i+1) {
			t.Fatalf("entry %d has sequence %d", i, x.Seq)
		}
	}
}
