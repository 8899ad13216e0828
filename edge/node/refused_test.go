package node_test

import (
	"testing"

	"holdfast/edge/edgetest"
	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/wire"
)

// A device that asks again gets the answer that it would have got, also when the workspace's file had to be made again from
// logs that tell nothing of refusals, and meanwhile the change would be accepted.
func TestRefusalOutlivesADamagedFile(t *testing.T) {
	t.Parallel()
	w := newTwo(t)
	a, b := w.eu.connect(w.ana, w.acme), w.eu.connect(w.bo, w.acme)
	pushMany(t, a, 3)
	late := b.Next("late")
	early := a.Next("")
	early.Command = "project.edit"
	early.Rows = []change.Row{{Table: "project", ID: late.Rows[0].ID, Cells: []change.Cell{{Col: "name", Val: change.V("renamed before it was")}}}}
	ask := func(b *edgetest.Browser) wire.Fate {
		t.Helper()
		var r wire.PushReply
		edgetest.Eventually(t, patience, "the device is answered", func() bool {
			var err error
			r, err = b.Offer(wire.PushRequest{Replica: a.Replica, NowMS: 1, Txs: []change.Tx{early}})
			return err == nil && r.Err == nil && len(r.Fates) == 1
		})
		return r.Fates[0]
	}
	first := ask(a)
	if first.Accepted || first.Kind != fault.NotFound {
		t.Fatalf("an edit of what does not exist: %+v", first)
	}
	if _, err := b.Push(late); err != nil {
		t.Fatal(err)
	}
	for _, lost := range []bool{false, true} { // only the process, and the file too
		equal(t, patience, w.acme, w.heads(), w.eu, w.us)
		w.eu.Close()
		if lost {
			w.eu.spoil(w.acme)
		}
		w.eu.start()
		again := w.eu.connect(w.ana, w.acme)
		again.Replica = a.Replica
		if got := ask(again); got != first {
			t.Errorf("file lost %v: answered with %+v, the first time with %+v", lost, got, first)
		}
	}
	if len(w.eu.kept(w.acme)) == 0 {
		t.Error("the file was not made again; what was tested?")
	}
	// What the device has settled is nobody's question any more.
	a.Conn.Close()
	a = w.eu.connect(w.ana, w.acme)
	a.Replica, a.Num = early.Replica(), early.Num
	if _, err := a.Push(a.Next("goes on")); err != nil {
		t.Fatal(err)
	}
	if n := w.eu.RefusedForTest(w.acme); n != 0 {
		t.Errorf("%d refusals are kept that were settled", n)
	}
}
