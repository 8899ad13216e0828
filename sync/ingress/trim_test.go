package ingress_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/ingress"
	"holdfast/sync/wire"
)

const day = 24 * time.Hour

// What is older or more than the bounds goes, and nothing else: a region that is away holds it up only for so long.
func TestTrimOldKeepsToItsBounds(t *testing.T) {
	far := 0
	regions := []string{"eu", "us"}
	now := start
	e := open(t, "eu", ":memory:", func(c *ingress.Config) {
		c.Now = func() time.Time { return now }
		c.Regions = func() []string { return regions }
	})
	w := writer{replica: 7}
	push := func(n int) {
		for range n {
			e.mustPush(ana, 7, w.tx(project(fmt.Sprint(w.num))))
		}
	}
	trim := func(b ingress.Bounds, own uint64) uint64 {
		t.Helper()
		for more := true; more; {
			var err error
			if more, err = e.TrimOld(t.Context(), b, own); err != nil {
				t.Fatal(err)
			}
			if far++; far > 100 {
				t.Fatal("trimming does not end")
			}
		}
		return e.Floors()["eu"]
	}
	wide := ingress.Bounds{Age: 10 * day, Bytes: 1 << 30, HoldAge: 30 * day, HoldBytes: 1 << 30}
	push(10)
	now = now.Add(11 * day)
	push(10)
	if got := trim(wide, 20); got != 0 {
		t.Errorf("the other region has nothing yet: floor %d", got)
	}
	if err := e.Acked(t.Context(), "us", change.Vector{"eu": 15}); err != nil {
		t.Fatal(err)
	}
	if got := trim(wide, 4); got != 4 {
		t.Errorf("somebody here reads from 5: floor %d", got)
	}
	if got := trim(wide, 20); got != 10 {
		t.Errorf("ten are old: floor %d", got)
	}
	now = now.Add(11 * day)
	if got := trim(wide, 20); got != 15 {
		t.Errorf("the other region has 15: floor %d", got)
	}
	now = now.Add(20 * day)
	if got := trim(wide, 20); got != 19 {
		t.Errorf("held long enough, and the last one stays: floor %d", got)
	}
	push(20)
	small := wide
	small.HoldBytes = 1000 // each takes somewhat more than 100
	if got := trim(small, 40); got < 30 || got > 39 {
		t.Errorf("about ten are left: floor %d", got)
	}
	if err := e.Acked(t.Context(), "us", change.Vector{"eu": 40}); err != nil {
		t.Fatal(err)
	}
	small.Bytes = 1
	if got := trim(small, 40); got != 39 {
		t.Errorf("what all have may take one byte: floor %d", got)
	}
}

// A long log is trimmed in several transactions, so that others get their turn.
func TestTrimOldGoesStepByStep(t *testing.T) {
	e := open(t, "us", ":memory:")
	w := writer{replica: 7}
	var entries []change.Entry
	for i := range 12_000 {
		tx := w.tx(project(fmt.Sprint(i)))
		entries = append(entries, change.Entry{Origin: "eu", Seq: uint64(i + 1), Tx: tx})
	}
	if _, err := e.ApplyRemote(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
	steps := 0
	for more := true; more; steps++ {
		was := e.Floors()["eu"]
		var err error
		if more, err = e.TrimOld(t.Context(), ingress.Bounds{}, 0); err != nil {
			t.Fatal(err)
		}
		if took := e.Floors()["eu"] - was; took > 5000 {
			t.Fatalf("%d in one step", took)
		}
	}
	if steps != 3 || e.Floors()["eu"] != 11_999 {
		t.Errorf("%d steps to %v", steps, e.Floors())
	}
	// The replica has never been here, and may ask about its last push.
	last := entries[len(entries)-wire.PushTxsMax/2:]
	var again []change.Tx
	for _, x := range last {
		again = append(again, x.Tx)
	}
	for i, f := range e.mustPush(ana, 7, again...) {
		if f.Origin != "eu" || f.Seq != last[i].Seq {
			t.Fatalf("change %d was accepted at %s %d and is %+v", i, "eu", last[i].Seq, f)
		}
	}
	if e.Heads()["us"] != 0 {
		t.Error("it was logged again")
	}
}

// A region that lacks what another has trimmed takes its rows, and goes on with its log, and knows the fates.
func TestAdoptInsteadOfWhatWasTrimmed(t *testing.T) {
	eu, us := open(t, "eu", ":memory:"), open(t, "us", ":memory:")
	w, far := writer{replica: 7}, writer{replica: 8}
	var txs []change.Tx
	for i := range 30 {
		if txs = append(txs, w.tx(project(fmt.Sprint(i%20)))); i >= 20 {
			continue
		}
		if eu.mustPush(ana, 7, txs[i]); i == 9 {
			carry(t, eu, us, "eu")
		}
	}
	eu.mustPush(ana, 7, txs[20:]...) // the answer gets lost
	us.mustPush(bo, 8, far.tx(project("from afar")))
	if err := eu.Trim(t.Context(), change.Vector{"eu": 25}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "rows.db")
	if _, err := eu.Export(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if err := us.Adopt(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if got := us.Heads(); got["eu"] != 25 || got["us"] != 1 || us.Floors()["eu"] != 25 {
		t.Fatalf("heads %v, floors %v", got, us.Floors())
	}
	if r := us.Pull(t.Context(), wire.PullRequest{Cursor: change.Vector{"eu": 10, "us": 1}}); !r.Snapshot {
		t.Error("a device from before gets no snapshot")
	}
	carry(t, eu, us, "eu")
	carry(t, us, eu, "us")
	if eu.digest() != us.digest() {
		t.Error("they differ")
	}
	// The device goes to the other region.
	for i, f := range us.mustPush(ana, 7, txs[20:]...) {
		if f.Origin != "eu" || f.Seq != uint64(21+i) {
			t.Errorf("change %d: %+v", 21+i, f)
		}
	}
	if us.Heads()["us"] != 1 {
		t.Error("it was logged again")
	}
}
