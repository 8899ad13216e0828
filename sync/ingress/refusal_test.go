package ingress_test

import (
	"testing"

	"holdfast/sync/change"
	"holdfast/sync/hlc"
	"holdfast/sync/ingress"
	"holdfast/sync/wire"
)

// Refusals that are brought into a file made again from the log are given again; what another region accepted meanwhile, and
// what the replica has settled, they do not touch.
func TestRefusalsAreBroughtBack(t *testing.T) {
	e := open(t, "eu", ":memory:")
	w := writer{replica: 7}
	one, early, also, last := w.tx(project("one")), w.tx(rename("late", "x", hlc.Stamp{})), w.tx(rename("later", "x", hlc.Stamp{})), w.tx(project("two"))
	out := e.PushAll(t.Context(), []ingress.Offer{{Who: ana, Req: wire.PushRequest{Replica: 7, Txs: []change.Tx{one, early, also}}}})[0]
	if len(out.Refused) != 2 || out.Replica != 7 || out.Settled != 0 {
		t.Fatalf("got %+v", out)
	}
	e.mustPush(ana, 8, (&writer{replica: 8}).tx(project("late")))
	us := open(t, "us", ":memory:")
	carry(t, e, us, "eu")
	us.mustPush(ana, 9, (&writer{replica: 9}).tx(project("later")))
	us.mustPush(ana, 7, also) // accepted there, where the row was known
	lost := open(t, "eu", ":memory:")
	carry(t, us, lost, "eu")
	carry(t, us, lost, "us")
	if err := lost.Refuse(t.Context(), out.Refused); err != nil {
		t.Fatal(err)
	}
	r := lost.push(ana, 7, nil, early, also)
	if r.Err != nil || len(r.Fates) != 2 || r.Fates[0] != out.Reply.Fates[1] || !r.Fates[1].Accepted {
		t.Fatalf("asked again: %+v", r)
	}
	lost.mustPush(ana, 7, last) // which settles them
	if err := lost.Refuse(t.Context(), out.Refused); err != nil {
		t.Fatal(err)
	}
	var kept int
	if err := lost.db.QueryRow("SELECT count(*) FROM fate WHERE replica = 7").Scan(&kept); err != nil || kept != 0 {
		t.Errorf("%d fates of what was settled (%v)", kept, err)
	}
}
