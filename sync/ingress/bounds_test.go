package ingress_test

import (
	"fmt"
	"testing"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/store"
	"holdfast/sync/wire"
	"holdfast/sync/work"
)

func TestBounds(t *testing.T) {
	e := open(t, "eu", ":memory:")
	if _, err := e.System(t.Context(), memberTx(ana)); err != nil {
		t.Fatal(err)
	}
	w := writer{replica: 7}
	var txs []change.Tx
	for range wire.PushTxsMax + 1 {
		txs = append(txs, w.tx(project(fmt.Sprint(w.num))))
	}
	if r := e.push(ana, 7, nil, txs...); fault.KindOf(r.Err) != fault.Invalid {
		t.Fatalf("one too many: %v", r.Err)
	}
	e.mustPush(ana, 7, txs[:wire.PushTxsMax]...)
	e.mustPush(ana, 7, txs[wire.PushTxsMax:]...)
	if r := e.push(ana, 8, nil, change.Tx{Num: 1<<62 + 1, Stamp: hlc.Make(1, 0, 8)}); fault.KindOf(r.Err) != fault.Invalid {
		t.Fatalf("a number that does not fit: %v", r.Err)
	}
	// A pull is cut into answers that fit a message, and the cuts lose nothing.
	long := make([]byte, work.BodyBytesMax)
	for i := range long {
		long[i] = byte('a' + i%26)
	}
	task := work.NewTask(work.TaskDraft{ID: id.Derive("task"), Project: id.Derive("0"), Title: "x", Status: work.Todo, Rank: "a0V", Author: ana.ID, Description: string(long)})
	rows, err := store.Build(t.Context(), e.db, task.Rows)
	if err != nil {
		t.Fatal(err)
	}
	e.mustPush(ana, 7, w.tx(rows...))
	for i := range 20 {
		e.mustPush(ana, 7, w.tx(change.Row{Table: "task", ID: id.Derive("task"), Cells: []change.Cell{{Col: "description", Val: change.V(string(long[i:]))}}}))
	}
	cursor, pulls := change.Vector{}, 0
	for more := true; more; pulls++ {
		r := e.Pull(t.Context(), wire.PullRequest{Cursor: cursor})
		if n := len(r.Encode()); n > wire.PayloadMax || r.Err != nil || len(r.Entries) == 0 {
			t.Fatalf("%d bytes, %d entries, %v", n, len(r.Entries), r.Err)
		}
		for _, entry := range r.Entries {
			if entry.Seq != cursor["eu"]+1 {
				t.Fatalf("%d after %d", entry.Seq, cursor["eu"])
			}
			cursor["eu"] = entry.Seq
		}
		more = r.More
	}
	if pulls < 2 || cursor["eu"] != e.Heads()["eu"] {
		t.Fatalf("%d pulls to %d of %d", pulls, cursor["eu"], e.Heads()["eu"])
	}
}
