package node_test

import (
	"testing"
	"time"

	"holdfast/edge/edgetest"
	"holdfast/sync/directory"
	"holdfast/sync/fault"
	"holdfast/sync/wire"
	"holdfast/sync/work"
)

func closed(t *testing.T, b *edgetest.Browser, limit time.Duration, why string) {
	t.Helper()
	select {
	case <-b.Closed:
	case <-time.After(limit):
		t.Fatalf("after %v the connection still stands: %s", limit, why)
	}
}

func TestConnectionsEndWithTheirReason(t *testing.T) {
	h := edgetest.NewHub(t)
	e := newEdge(t, h, "eu")
	ana, bo, cy, di := h.NewPerson(), h.NewPerson(), h.NewPerson(), h.NewPerson()
	acme := h.NewTenant(ana, bo, cy, di)
	know(t, h.Revoke(h.NewPerson()), e)
	a, b, c := e.connect(ana, acme.ID), e.connect(bo, acme.ID), e.connect(cy, acme.ID)
	short := di
	short.Cookie = h.Sign(di, 6*time.Second)
	d := e.connect(short, acme.ID)

	h.Revoke(bo)
	closed(t, b, patience, "the session was ended")
	acme.Members[2].Active = false
	h.Put(directory.TenantKey(acme.ID), acme)
	closed(t, c, patience, "the person was removed")
	closed(t, d, patience, "the session is over")
	if _, err := a.Push(a.Next("still here")); err != nil {
		t.Error("somebody else's connection suffered:", err)
	}
	acme.State = directory.Deleted
	h.Put(directory.TenantKey(acme.ID), acme)
	closed(t, a, patience, "the workspace was deleted")
	edgetest.Eventually(t, patience, "no connection is counted", func() bool { return e.Connections() == 0 })
}

func TestRoleIsTheDirectorysAtEachPush(t *testing.T) {
	h := edgetest.NewHub(t)
	e := newEdge(t, h, "eu")
	ana, bo := h.NewPerson(), h.NewPerson()
	acme := h.NewTenant(ana, bo)
	know(t, h.Revoke(h.NewPerson()), e)
	b := e.connect(bo, acme.ID)
	if _, err := b.Push(b.Next("as a member")); err != nil {
		t.Fatal(err)
	}
	acme.Members[1].Role = work.Viewer
	acme.Members[1].ChangedMS++
	know(t, h.Put(directory.TenantKey(acme.ID), acme), e)
	if _, err := b.Push(b.Next("as a viewer")); fault.KindOf(err) != fault.Denied {
		t.Errorf("a viewer's push: got %v, want denied", err)
	}
	acme.State = directory.Restricted
	acme.Members[1].Role = work.Member
	acme.Members[1].ChangedMS++
	know(t, h.Put(directory.TenantKey(acme.ID), acme), e)
	tx := b.Next("while restricted")
	if _, err := b.Push(tx); fault.KindOf(err) != fault.Busy {
		t.Errorf("a push to a restricted workspace: got %v, want busy", err)
	}
	if _, _, err := b.Pull(nil); err != nil {
		t.Error("a restricted workspace cannot be read:", err)
	}
	acme.State = directory.Active
	know(t, h.Put(directory.TenantKey(acme.ID), acme), e)
	if _, err := b.Push(tx); err != nil {
		t.Error("what waited is not taken:", err)
	}
}

func TestBadFramesAreAnsweredClearly(t *testing.T) {
	h := edgetest.NewHub(t)
	e := newEdge(t, h, "eu")
	ana := h.NewPerson()
	acme := h.NewTenant(ana)
	know(t, h.Revoke(h.NewPerson()), e)
	b := e.connect(ana, acme.ID)
	whole := wire.PushRequest{Replica: b.Replica, Txs: nil}.Encode()
	for name, frame := range map[string][]byte{
		"empty": nil, "noise": {0, 9, 9, 9}, "cut short": whole[:len(whole)-1], "packed in an unknown way": {7, 1, 2},
		"too long": append(whole, 1), "a bomb that is no deflate": {1, 0xff, 0xff},
	} {
		m, err := b.Conn.Request(wire.RPC(acme.ID, b.Name, wire.Push), frame, 5*time.Second)
		if err != nil {
			t.Fatal(name, err)
		}
		r, err := wire.DecodePushReply(m.Data)
		if err != nil || r.Err == nil || fault.KindOf(r.Err).Temporary() {
			t.Errorf("%s: got %v, %v; want a lasting refusal", name, r.Err, err)
		}
	}
	if _, err := b.Push(b.Next("after all that")); err != nil {
		t.Error(err)
	}
}

func TestPeopleBecomeRows(t *testing.T) {
	h := edgetest.NewHub(t)
	eu, us := newEdge(t, h, "eu"), newEdge(t, h, "us")
	ana, bo := h.NewPerson(), h.NewPerson()
	acme := h.NewTenant(ana)
	know(t, h.Revoke(h.NewPerson()), eu, us)
	a := eu.connect(ana, acme.ID)
	members := func(e *edge) map[string]string {
		b := edgetest.Connect(t, e.WebSocketAddr(), ana, acme.ID)
		es, _, err := b.Pull(nil)
		if err != nil {
			t.Fatal(err)
		}
		roles := map[string]string{}
		for _, x := range es {
			for _, r := range x.Tx.Rows {
				for _, c := range r.Cells {
					if r.Table == "member" && c.Col == "role" {
						roles[string(r.ID)] = c.Val.Text
					}
				}
			}
		}
		return roles
	}
	if got := members(eu); len(got) != 1 || got[string(ana.ID)] != work.Owner {
		t.Errorf("people in the rows: got %v", got)
	}
	// Somebody who has just joined is known in both regions, one of them cut off from the other, before their first push.
	acme.Members = append(acme.Members, directory.Member{Person: bo.ID, Name: "Bo", Role: work.Admin, Color: "red", Active: true, ChangedMS: time.Now().UnixMilli()})
	know(t, h.Put(directory.TenantKey(acme.ID), acme), eu, us)
	edgetest.Eventually(t, patience, "who is connected sees the new one", func() bool { return members(eu)[string(bo.ID)] == work.Admin })
	if got := members(us); got[string(bo.ID)] != work.Admin {
		t.Errorf("people in the other region's rows: got %v", got)
	}
	if _, err := a.Push(a.Next("x")); err != nil {
		t.Fatal(err)
	}
	want := eu.HeadsForTest(acme.ID)
	want["us"] = us.HeadsForTest(acme.ID)["us"]
	equal(t, patience, acme.ID, want, eu, us)
}

func TestWhoIsHereInAllRegions(t *testing.T) {
	h := edgetest.NewHub(t)
	eu, us := newEdge(t, h, "eu"), newEdge(t, h, "us")
	ana, bo, cy := h.NewPerson(), h.NewPerson(), h.NewPerson()
	acme := h.NewTenant(ana, bo, cy)
	other := h.NewTenant(cy)
	know(t, h.Revoke(h.NewPerson()), eu, us)
	a, b := eu.connect(ana, acme.ID), us.connect(bo, acme.ID)
	c := eu.connect(cy, other.ID)
	if people, err := a.Beat("project/x"); err != nil || len(people) != 1 || people[0].Member != ana.ID || people[0].View != "project/x" {
		t.Fatalf("alone: got %v, %v", people, err)
	}
	feed := a.Subscribe(t, wire.ScopePresence)
	if _, err := b.Beat("task/y"); err != nil {
		t.Fatal(err)
	}
	here := func(beat *edgetest.Browser, view string, want int) func() bool {
		return func() bool {
			people, err := beat.Beat(view)
			if err != nil {
				t.Fatal(err)
			}
			return len(people) == want
		}
	}
	edgetest.Eventually(t, patience, "eu sees both", here(a, "project/x", 2))
	edgetest.Eventually(t, patience, "us sees both", here(b, "task/y", 2))
	if len(feed) == 0 {
		t.Error("nothing on the feed when somebody came")
	}
	if people, err := c.Beat("project/z"); err != nil || len(people) != 1 {
		t.Errorf("another workspace's people: got %v, %v", people, err)
	}
	b.Conn.Close() // without a goodbye
	edgetest.Eventually(t, patience, "eu sees that one has left", here(a, "project/x", 1))
	if people, err := a.Beat(""); err != nil || len(people) != 0 {
		t.Errorf("after goodbye: got %v, %v", people, err)
	}
}
