package node_test

import (
	"strings"
	"testing"

	"holdfast/edge/edgetest"
	"holdfast/sync/change"
	"holdfast/sync/id"
	"holdfast/sync/usage"
)

// billed is what the hub makes of what regions counted: changes, without those that another region counts.
func billed(t *testing.T, h *edgetest.Hub, w id.ID, regions ...string) (total int64) {
	t.Helper()
	for _, region := range regions {
		total += sum(t, h, region, usage.Changes, w) - sum(t, h, region, usage.Twice, w)
	}
	return total
}

// A device's answer was lost and it offers its changes to a region that is cut off from the first, too: both accept them, and
// when the cut is healed they are counted once, also after a restart and whichever region comes first.
func TestChangeAcceptedByTwoCutRegionsIsCountedOnce(t *testing.T) {
	w := newTwo(t)
	eu, us, ana, acme := w.eu, w.us, w.ana, w.acme
	pushed := int64(0)
	for _, order := range [][]*edge{{eu, us}, {us, eu}} {
		first, second := order[0].connect(ana, acme), order[1].connect(ana, acme)
		second.Replica = first.Replica
		us.link.Cut()
		txs := []change.Tx{first.Next("one"), first.Next("two"), first.Next("three")}
		for _, b := range []*edgetest.Browser{first, second} {
			if _, err := b.Push(txs...); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := second.Push(next(second, first)); err != nil { // only there
			t.Fatal(err)
		}
		pushed += 4
		us.link.Heal()
		equal(t, patience, acme, w.heads(), eu, us)
		edgetest.Eventually(t, patience, "each change is counted once", func() bool { return billed(t, w.Hub, acme, "eu", "us") == pushed })
		us.restart()
		eu.restart()
	}
	pushMany(t, us.connect(ana, acme), 1) // whatever else is to be counted comes before this
	pushMany(t, eu.connect(ana, acme), 1)
	pushed += 2
	edgetest.Eventually(t, patience, "what follows is counted", func() bool { return billed(t, w.Hub, acme, "eu", "us") >= pushed })
	if got := billed(t, w.Hub, acme, "eu", "us"); got != pushed {
		t.Errorf("%d changes are counted, %d were made", got, pushed)
	}
	if got := sum(t, w.Hub, "eu", usage.Twice, acme); got != 0 {
		t.Errorf("both regions take changes back: eu %d", got)
	}
	if got := sum(t, w.Hub, "us", usage.Twice, acme); got != 6 {
		t.Errorf("us takes back %d changes, want 6", got)
	}
}

// next is one more change of a device that has two connections.
func next(b, of *edgetest.Browser) change.Tx {
	b.Device.Num = of.Device.Num
	return b.Next("four")
}

// The same when the regions were apart for longer than the first one's log reaches back, and the other has to take its rows.
func TestChangeThatComesWithRowsIsCountedOnce(t *testing.T) {
	t.Parallel()
	w := newTwo(t)
	eu, us, acme := w.eu, w.us, w.acme
	eu.bound(short)
	first, second := eu.connect(w.ana, acme), us.connect(w.ana, acme)
	second.Replica = first.Replica
	us.link.Cut()
	txs := []change.Tx{first.Next("one"), first.Next("two"), first.Next("three")}
	for _, b := range []*edgetest.Browser{first, second} {
		if _, err := b.Push(txs...); err != nil {
			t.Fatal(err)
		}
	}
	both := eu.HeadsForTest(acme)["eu"]
	pushMany(t, first, 600)
	eu.trimmed(acme, "eu", both+100)
	eu.expired()
	pushMany(t, first, 1)
	us.link.Heal()
	equal(t, patience, acme, w.heads(), eu, us)
	if !strings.Contains(us.log.String(), "taking another region's rows") {
		t.Error("us did not take rows; what was tested?")
	}
	edgetest.Eventually(t, patience, "each change is counted once", func() bool { return billed(t, w.Hub, acme, "eu", "us") == 604 })
	if got := sum(t, w.Hub, "us", usage.Twice, acme); got != 3 {
		t.Errorf("us takes back %d changes, want 3", got)
	}
}
