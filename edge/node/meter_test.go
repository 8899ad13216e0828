package node_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"holdfast/edge/edgetest"
	"holdfast/sync/directory"
	"holdfast/sync/id"
	"holdfast/sync/usage"
)

// sum adds up what a region counted of one meter for a workspace, each event once by its id.
func sum(t *testing.T, h *edgetest.Hub, region, meter string, w id.ID) (total int64) {
	t.Helper()
	seen := map[string]bool{}
	for _, e := range usageEvents(t, h, region) {
		if e.Meter == meter && e.Tenant == w && !seen[e.ID] {
			seen[e.ID] = true
			total += e.Quantity
		}
	}
	return total
}

func TestUsageIsWrittenOnceAndInOrder(t *testing.T) {
	h := edgetest.NewHub(t)
	ana := h.NewPerson()
	acme, other := h.NewTenant(ana), h.NewTenant(ana)
	for _, w := range []*directory.Tenant{&acme, &other} {
		w.Home = "eu"
		h.Put(directory.TenantKey(w.ID), w)
	}
	eu := newEdge(t, h, "eu")
	know(t, h.Revoke(h.NewPerson()), eu)
	pushMany(t, eu.connect(ana, acme.ID), 321)
	pushMany(t, eu.connect(ana, other.ID), 7)
	for range 25 {
		eu.APICall(acme.ID)
	}
	counted := func() bool {
		return countedChanges(t, h, "eu", acme.ID) == eu.PushedForTest(acme.ID) &&
			countedChanges(t, h, "eu", other.ID) == eu.PushedForTest(other.ID) && sum(t, h, "eu", usage.APICalls, acme.ID) == 25
	}
	edgetest.Eventually(t, patience, "all is counted", counted)
	if got := countedChanges(t, h, "eu", acme.ID); got != 321 {
		t.Errorf("%d changes counted, 321 were pushed", got)
	}
	eu.APICall(acme.ID)
	eu.restart() // counts what it holds in memory, and goes on where it was
	pushMany(t, eu.connect(ana, acme.ID), 10)
	edgetest.Eventually(t, patience, "all is counted after a restart", func() bool {
		return countedChanges(t, h, "eu", acme.ID) == eu.PushedForTest(acme.ID) && sum(t, h, "eu", usage.APICalls, acme.ID) == 26
	})
	if got := sum(t, h, "eu", usage.APICalls, other.ID); got != 0 {
		t.Errorf("API calls of another workspace: got %d", got)
	}
}

func TestStorageIsReadOnceAnHourByTheHome(t *testing.T) {
	h := edgetest.NewHub(t)
	ana := h.NewPerson()
	acme, away := h.NewTenant(ana), h.NewTenant(ana)
	acme.Home, away.Home = "eu", "us"
	h.Put(directory.TenantKey(acme.ID), acme)
	h.Put(directory.TenantKey(away.ID), away)
	eu := newEdge(t, h, "eu")
	know(t, h.Revoke(h.NewPerson()), eu)
	pushMany(t, eu.connect(ana, acme.ID), 300)
	pushMany(t, eu.connect(ana, away.ID), 10)
	for range 3 {
		if err := eu.ReadStorageForTest(); err != nil {
			t.Fatal(err)
		}
	}
	readings := func() (n int) {
		for _, e := range usageEvents(t, h, "eu") {
			if e.Meter == usage.Storage {
				n++
			}
		}
		return n
	}
	edgetest.Eventually(t, patience, "a new workspace is read at once", func() bool { return sum(t, h, "eu", usage.Storage, acme.ID) > 0 })
	eu.restart() // which does not read it again
	if err := eu.ReadStorageForTest(); err != nil {
		t.Fatal(err)
	}
	if got := readings(); got != 1 {
		t.Errorf("readings within the hour: got %d, want 1", got)
	}
	eu.later(time.Hour)
	for range 3 {
		if err := eu.ReadStorageForTest(); err != nil {
			t.Fatal(err)
		}
	}
	edgetest.Eventually(t, patience, "the next hour's size is in the stream", func() bool { return readings() > 1 })
	if got := sum(t, h, "eu", usage.Storage, away.ID); got != 0 {
		t.Errorf("storage of a workspace whose home is elsewhere: %d bytes", got)
	}
	if got := readings(); got != 2 {
		t.Errorf("readings in two hours: got %d, want 2", got)
	}
}

// The stream loses its tail in a power cut: what is still in node.db is written again, in the same order.
func TestUsageStreamLosesItsTail(t *testing.T) {
	h := edgetest.NewHub(t)
	eu := newEdge(t, h, "eu")
	ana := h.NewPerson()
	acme := h.NewTenant(ana)
	know(t, h.Revoke(h.NewPerson()), eu)
	push := func() {
		pushMany(t, eu.connect(ana, acme.ID), 10)
		edgetest.Eventually(t, patience, "all is counted", func() bool {
			return countedChanges(t, h, "eu", acme.ID) == eu.PushedForTest(acme.ID)
		})
	}
	ids := func() (out []string) {
		for _, e := range usageEvents(t, h, "eu") {
			if e.Meter == usage.Changes { // how long somebody was connected is counted meanwhile
				out = append(out, e.ID)
			}
		}
		return out
	}
	push()
	eu.Close()
	restore := keep(t, filepath.Join(eu.cfg.DataDir, "streams"))
	eu.start()
	for range 5 {
		push()
	}
	all := ids()
	eu.Close()
	restore()
	eu.start()
	edgetest.Eventually(t, patience, "the events are back at their places", func() bool { return slices.Equal(ids(), all) })
	eu.Close()
	if err := os.RemoveAll(filepath.Join(eu.cfg.DataDir, "streams")); err != nil {
		t.Fatal(err)
	}
	eu.start()
	edgetest.Eventually(t, patience, "the events are back in a new stream", func() bool { return slices.Equal(ids(), all) })
}

// A browser's connection is counted in seconds, also the part before the edge stopped in order, and nobody pays for a stranger who knocks.
func TestConnectedTimeIsCounted(t *testing.T) {
	h := edgetest.NewHub(t)
	ana, eve := h.NewPerson(), h.NewPerson()
	acme, other := h.NewTenant(ana), h.NewTenant(ana)
	eu := newEdge(t, h, "eu")
	know(t, h.Revoke(h.NewPerson()), eu)
	first := eu.connect(ana, acme.ID)
	pushMany(t, first, 1)
	eu.later(90 * time.Second)
	second := eu.connect(ana, acme.ID)
	pushMany(t, second, 1)
	if _, err := edgetest.TryConnect(eu.addr(), eve.Cookie, acme.ID, string(edgetest.NewID()), edgetest.NewDevice(eve.ID)); err == nil {
		t.Error("a stranger was let in")
	}
	eu.later(30*time.Second + 400*time.Millisecond)
	second.Conn.Close()
	edgetest.Eventually(t, patience, "the second has left", func() bool { return eu.Connections() == 1 })
	eu.later(59*time.Second + 600*time.Millisecond)
	eu.restart()
	edgetest.Eventually(t, patience, "connected time is in the stream", func() bool { return sum(t, h, "eu", usage.Connected, acme.ID) > 0 })
	got := sum(t, h, "eu", usage.Connected, acme.ID)
	if want := int64(180 + 30); got < want || got > want+20 { // and what the test itself took
		t.Errorf("%d seconds, want %d", got, want)
	}
	if got := sum(t, h, "eu", usage.Connected, other.ID); got != 0 {
		t.Errorf("another workspace: %d seconds", got)
	}
}
