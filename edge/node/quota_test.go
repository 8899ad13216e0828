package node_test

import (
	"strings"
	"testing"
	"time"

	"holdfast/edge/edgetest"
	"holdfast/edge/quota"
	"holdfast/sync/directory"
	"holdfast/sync/fault"
)

// A limit of the plan is felt soon after its record comes, the refused change gets a lasting fate with a sentence, and a larger
// plan opens the door again; another region is bound by the same record.
func TestPlanLimitsAtTheDoor(t *testing.T) {
	h := edgetest.NewHub(t)
	e := newEdge(t, h, "eu")
	ana := h.NewPerson()
	acme := h.NewTenant(ana)
	acme.Limits = map[string]int64{quota.Changes: 10, quota.UsedKey: 8, quota.UntilKey: time.Now().Add(time.Hour).UnixMilli()}
	know(t, h.Put(directory.TenantKey(acme.ID), acme), e)
	b := e.connect(ana, acme.ID)
	for range 2 {
		if _, err := b.Push(b.Next("within the plan")); err != nil {
			t.Fatal(err)
		}
	}
	over := b.Next("over the limit")
	_, err := b.Push(over)
	if fault.KindOf(err) != fault.Limit || !strings.Contains(fault.DetailOf(err), "Nothing you wrote is lost") {
		t.Fatalf("over the limit: %v", err)
	}
	if _, err := b.Push(over); fault.KindOf(err) != fault.Limit {
		t.Errorf("the fate of a refused change did not last: %v", err)
	}
	acme.Limits = map[string]int64{quota.Changes: 100, quota.UsedKey: 10}
	h.Put(directory.TenantKey(acme.ID), acme)
	edgetest.Eventually(t, patience, "a larger plan is felt", func() bool { _, err := b.Push(b.Next("after the change of plan")); return err == nil })
}
