package node_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"holdfast/edge/edgetest"
	"holdfast/edge/nodedb"
	"holdfast/sync/change"
	"holdfast/sync/directory"
	"holdfast/sync/wire"
)

// keep copies a folder of a stopped edge, and gives what puts it back.
func keep(t *testing.T, folder string) (restore func()) {
	t.Helper()
	copyOf := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(copyOf, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.RemoveAll(folder); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(folder, os.DirFS(copyOf)); err != nil {
			t.Fatal(err)
		}
	}
}

// clean makes a stopped edge forget that there may be something to publish, as it does itself after a quiet while.
func (e *edge) clean() {
	e.t.Helper()
	db, err := nodedb.Open(e.t.Context(), filepath.Join(e.cfg.DataDir, "node.db"))
	if err != nil {
		e.t.Fatal(err)
	}
	defer func(db *sql.DB) { db.Close() }(db)
	if _, err := db.Exec("DELETE FROM dirty"); err != nil {
		e.t.Fatal(err)
	}
}

// sameShard makes two workspaces whose operations go through one stream.
func sameShard(h *edgetest.Hub, people ...edgetest.Person) (a, b directory.Tenant) {
	a = h.NewTenant(people...)
	for b = h.NewTenant(people...); wire.Shard(a.ID) != wire.Shard(b.ID); b = h.NewTenant(people...) {
	}
	return a, b
}

// A stream that loses its tail gives the same places to other messages; a region that has read further would never see
// them. Comparing heads finds out.
func TestStreamLosesItsTail(t *testing.T) {
	t.Parallel()
	h := edgetest.NewHub(t)
	eu, us := newEdge(t, h, "eu"), newEdge(t, h, "us")
	ana := h.NewPerson()
	acme, other := sameShard(h, ana)
	know(t, h.Revoke(h.NewPerson()), eu, us)
	streams := filepath.Join(eu.cfg.DataDir, "streams")
	pushMany(t, eu.connect(ana, acme.ID), 50)
	equal(t, patience, acme.ID, eu.HeadsForTest(acme.ID), eu, us)
	eu.Close()
	restore := keep(t, streams)
	eu.start()
	pushMany(t, eu.connect(ana, acme.ID), 100)
	equal(t, patience, acme.ID, eu.HeadsForTest(acme.ID), eu, us)
	us.link.Cut()
	pushMany(t, eu.connect(ana, acme.ID), 30) // the other region has not seen these
	eu.Close()
	restore()
	eu.clean()
	eu.start()
	pushMany(t, eu.connect(ana, other.ID), 20) // at places that the other region has read
	us.link.Heal()
	equal(t, patience, other.ID, eu.HeadsForTest(other.ID), eu, us)
	equal(t, patience, acme.ID, eu.HeadsForTest(acme.ID), eu, us)
}

func TestStreamsAreLostWhole(t *testing.T) {
	t.Parallel()
	w := newTwo(t)
	eu, us, ana, acme := w.eu, w.us, w.ana, w.acme
	pushMany(t, eu.connect(ana, acme), 50)
	equal(t, patience, acme, eu.HeadsForTest(acme), eu, us)
	us.link.Cut()
	pushMany(t, eu.connect(ana, acme), 50)
	eu.Close()
	if err := os.RemoveAll(filepath.Join(eu.cfg.DataDir, "streams")); err != nil {
		t.Fatal(err)
	}
	eu.clean()
	eu.start()
	us.link.Heal()
	equal(t, patience, acme, eu.HeadsForTest(acme), eu, us)
	pushMany(t, eu.connect(ana, acme), 10)
	equal(t, patience, acme, eu.HeadsForTest(acme), eu, us)
}

// A process that dies between a commit and its publication makes that good at the next start, without anybody's help.
func TestUnpublishedLogIsPublishedAtTheNextStart(t *testing.T) {
	t.Parallel()
	h := edgetest.NewHub(t)
	eu := newEdge(t, h, "eu")
	ana := h.NewPerson()
	acme := h.NewTenant(ana)
	know(t, h.Revoke(h.NewPerson()), eu)
	pushMany(t, eu.connect(ana, acme.ID), 25)
	head := eu.HeadsForTest(acme.ID)["eu"]
	eu.Close()
	if err := os.RemoveAll(filepath.Join(eu.cfg.DataDir, "streams")); err != nil { // as if nothing had been published
		t.Fatal(err)
	}
	eu.start()
	js := edgetest.JetStream(t, eu.CoreForTest())
	edgetest.Eventually(t, patience, "the log is in the stream", func() bool {
		s, err := js.Stream(t.Context(), wire.OpsStream(wire.Shard(acme.ID)))
		if err != nil {
			t.Fatal(err)
		}
		return s.CachedInfo().State.Msgs == head
	})
}

// A workspace's file that was put back from an older copy gets what was published since before it takes anything new, so
// that no sequence stands for two changes.
func TestFileIsPutBackFromAnOlderCopy(t *testing.T) {
	t.Parallel()
	w := newTwo(t)
	eu, us, ana, acme := w.eu, w.us, w.ana, w.acme
	tenants, streams := filepath.Join(eu.cfg.DataDir, "tenants"), filepath.Join(eu.cfg.DataDir, "streams")
	pushMany(t, eu.connect(ana, acme), 20)
	for _, name := range []string{"from the own stream", "from the other region"} {
		eu.Close()
		restore := keep(t, tenants)
		eu.start()
		pushMany(t, eu.connect(ana, acme), 30)
		pushMany(t, us.connect(ana, acme), 5)
		head := w.heads()
		equal(t, patience, acme, head, eu, us)
		eu.Close()
		restore()
		if name == "from the other region" {
			if err := os.RemoveAll(streams); err != nil {
				t.Fatal(err)
			}
		}
		eu.start()
		edgetest.Eventually(t, patience, name+": the lost changes are back", func() bool { return eu.HeadsForTest(acme).Covers(head) })
		pushMany(t, eu.connect(ana, acme), 10)
		want := change.Vector{"eu": head["eu"] + 10, "us": head["us"]}
		equal(t, patience, acme, want, eu, us)
		if got := eu.HeadsForTest(acme)["eu"]; got != want["eu"] {
			t.Errorf("%s: head %d, want %d", name, got, want["eu"])
		}
	}
	if !strings.Contains(eu.log.String(), "older than what was published") {
		t.Error("not logged")
	}
}
