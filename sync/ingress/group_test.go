package ingress_test

import (
	"fmt"
	"reflect"
	"testing"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/ingress"
	"holdfast/sync/wire"
)

// Pushing together must be pushing one after the other: same fates, same log, same rows, also when some of it is refused.
func TestPushAllIsPushOneByOne(t *testing.T) {
	offers := func() (out []ingress.Offer) {
		a, b, c := &writer{replica: 1}, &writer{replica: 2}, &writer{replica: 3}
		add := func(who ingress.Actor, w *writer, rows ...change.Row) {
			out = append(out, ingress.Offer{Who: who, Req: wire.PushRequest{Replica: w.replica, Txs: []change.Tx{w.tx(rows...)}}})
		}
		add(ana, a, project("one"))
		add(bo, b, rename("one", "by bo", hlc.Stamp{})) // sees what the push before it made
		add(ana, a, rename("one", "by ana", hlc.Stamp{}))
		add(bo, b, rename("nowhere", "x", hlc.Stamp{})) // refused
		add(ana, c, project("two"))
		out = append(out, out[0]) // sent twice
		return out
	}
	for name, bad := range map[string][]ingress.Offer{
		"all are good":                {},
		"one is empty":                {{Who: bo, Req: wire.PushRequest{Replica: 9}}},
		"one has somebody's replica":  {{Who: bo, Req: wire.PushRequest{Replica: 1, Txs: []change.Tx{(&writer{replica: 1, num: 2}).tx(project("stolen"))}}}},
		"one breaks the protocol":     {{Who: bo, Req: wire.PushRequest{Replica: 8, Txs: []change.Tx{{Num: 7}}}}},
		"one has a hole in its count": {{Who: bo, Req: wire.PushRequest{Replica: 7, Txs: []change.Tx{(&writer{replica: 7, num: 5}).tx(project("late"))}}}},
	} {
		t.Run(name, func(t *testing.T) {
			single, group := open(t, "eu", ":memory:"), open(t, "eu", ":memory:")
			all := append(offers()[:3:3], append(bad, offers()[3:]...)...)
			var want []ingress.Outcome
			for _, o := range all {
				want = append(want, single.PushAll(t.Context(), []ingress.Offer{o})...)
			}
			got := group.PushAll(t.Context(), all)
			for i := range want {
				if fault.KindOf(got[i].Reply.Err) != fault.KindOf(want[i].Reply.Err) || (got[i].Reply.Err == nil) != (want[i].Reply.Err == nil) {
					t.Errorf("offer %d: got %v, want %v", i, got[i].Reply.Err, want[i].Reply.Err)
				}
				got[i].Reply.Err, want[i].Reply.Err = nil, nil
				if fmt.Sprint(got[i]) != fmt.Sprint(want[i]) {
					t.Errorf("offer %d: got %v, want %v", i, got[i], want[i])
				}
			}
			if !reflect.DeepEqual(group.Heads(), single.Heads()) || group.digest() != single.digest() {
				t.Errorf("heads %v, want %v; or the rows differ", group.Heads(), single.Heads())
			}
		})
	}
}
