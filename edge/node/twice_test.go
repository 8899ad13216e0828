package node_test

import (
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
	h := edgetest.NewHub(t)
	eu, us := newEdge(t, h, "eu"), newEdge(t, h, "us")
	ana := h.NewPerson()
	acme := h.NewTenant(ana)
	know(t, h.Revoke(h.NewPerson()), eu, us)
	pushed := int64(0)
	for _, order := range [][]*edge{{eu, us}, {us, eu}} {
		first, second := order[0].connect(ana, acme.ID), order[1].connect(ana, acme.ID)
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
		equal(t, patience, acme.ID, change.Vector{"eu": eu.HeadsForTest(acme.ID)["eu"], "us": us.HeadsForTest(acme.ID)["us"]}, eu, us)
		edgetest.Eventually(t, patience, "each change is counted once", func() bool { return billed(t, h, acme.ID, "eu", "us") == pushed })
		us.restart()
		eu.restart()
	}
	pushMany(t, us.connect(ana, acme.ID), 1) // whatever else is to be counted comes before this
	pushMany(t, eu.connect(ana, acme.ID), 1)
	pushed += 2
	edgetest.Eventually(t, patience, "what follows is counted", func() bool { return billed(t, h, acme.ID, "eu", "us") >= pushed })
	if got := billed(t, h, acme.ID, "eu", "us"); got != pushed {
		t.Errorf("%d changes are counted, %d were made", got, pushed)
	}
	if got := sum(t, h, "eu", usage.Twice, acme.ID); got != 0 {
		t.Errorf("both regions take changes back: eu %d", got)
	}
	if got := sum(t, h, "us", usage.Twice, acme.ID); got != 6 {
		t.Errorf("us takes back %d changes, want 6", got)
	}
}

// next is one more change of a device that has two connections.
func next(b, of *edgetest.Browser) change.Tx {
	b.Device.Num = of.Device.Num
	return b.Next("four")
}
