package node_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"holdfast/edge/edgetest"
	"holdfast/edge/nodedb"
	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
)

// spoil overwrites the whole of a workspace's file.
func (e *edge) spoil(w id.ID) {
	e.t.Helper()
	path := e.PathForTest(w)
	for _, suffix := range []string{"-wal", "-shm"} {
		os.Remove(path + suffix)
	}
	info, err := os.Stat(path)
	if err != nil {
		e.t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Repeat([]byte("damaged "), int(info.Size()/8)), 0o600); err != nil {
		e.t.Fatal(err)
	}
}

// spoilRows overwrites the page in which a table begins, and leaves the rest of the file as it is.
func (e *edge) spoilRows(w id.ID, table string) {
	e.t.Helper()
	path := e.PathForTest(w)
	db, err := sqlite.Open(e.t.Context(), path, sqlite.Options{})
	if err != nil {
		e.t.Fatal(err)
	}
	var page, size int64
	if err := db.QueryRow("SELECT rootpage FROM sqlite_schema WHERE name = ?", table).Scan(&page); err != nil {
		e.t.Fatal(err)
	}
	if err := db.QueryRow("PRAGMA page_size").Scan(&size); err != nil {
		e.t.Fatal(err)
	}
	db.Close()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		e.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xee}, int(size)), (page-1)*size); err != nil {
		e.t.Fatal(err)
	}
}

// kept are the damaged files that stand beside a workspace's file.
func (e *edge) kept(w id.ID) []string {
	e.t.Helper()
	list, err := filepath.Glob(e.PathForTest(w) + ".damaged-*")
	if err != nil {
		e.t.Fatal(err)
	}
	return list
}

// crashed makes a stopped edge believe that it was not stopped in order.
func (e *edge) crashed() {
	e.t.Helper()
	db, err := nodedb.Open(e.t.Context(), filepath.Join(e.cfg.DataDir, "node.db"))
	if err != nil {
		e.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("DELETE FROM stopped"); err != nil {
		e.t.Fatal(err)
	}
}

// A damaged file is made again without anybody's help, with everything that was acknowledged, wherever that still is: in
// the own stream, in the other region's log, or in its rows only.
func TestDamagedFileIsMadeAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ streams, trimmed, running bool }{
		"stopped": {streams: true}, "running": {streams: true, running: true}, "without streams": {}, "trimmed": {trimmed: true},
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			w := newTwo(t)
			eu, us, ana, bo, acme := w.eu, w.us, w.ana, w.bo, w.acme
			if c.trimmed {
				eu.bound(short)
				us.bound(short)
			}
			a := eu.connect(ana, acme)
			pushMany(t, a, 200)
			pushMany(t, us.connect(bo, acme), 200)
			want := w.heads()
			equal(t, patience, acme, want, eu, us)
			if c.trimmed {
				us.trimmed(acme, "eu", want["eu"]-1)
				us.trimmed(acme, "us", want["us"]-1)
			}
			switch {
			case c.running:
				eu.spoil(acme)
				eu.CopyForTest(filepath.Join(t.TempDir(), "copy.db"), acme) // whoever reads the file finds out
			default:
				eu.Close()
				eu.spoil(acme)
				if !c.streams {
					if err := os.RemoveAll(filepath.Join(eu.cfg.DataDir, "streams")); err != nil {
						t.Fatal(err)
					}
				}
				eu.start()
				a = eu.connect(ana, acme)
			}
			edgetest.Eventually(t, patience, "the workspace is served again", func() bool { _, _, err := a.Pull(nil); return err == nil })
			if got := eu.HeadsForTest(acme); !got.Covers(want) {
				t.Errorf("served with %v, had %v", got, want)
			}
			pushMany(t, eu.connect(bo, acme), 10)
			want["eu"] += 10
			equal(t, patience, acme, want, eu, us)
			if got := eu.HeadsForTest(acme)["eu"]; got != want["eu"] {
				t.Errorf("head %d, want %d", got, want["eu"])
			}
			if n := len(eu.kept(acme)); n == 0 {
				t.Error("the damaged file is not kept")
			}
			if !strings.Contains(eu.log.String(), "is damaged; it is set aside") || !strings.Contains(eu.log.String(), "was made again") {
				t.Error("not logged")
			}
		})
	}
}

// What nobody has keeps the workspace closed, with a sentence for people and for the operator, until the other region is
// there or a copy of the file was put back.
func TestDamagedFileThatNobodyHas(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"region", "backup"} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			h := edgetest.NewHub(t)
			eu, us := newEdge(t, h, "eu"), newEdge(t, h, "us")
			ana, bo := h.NewPerson(), h.NewPerson()
			acme, other := h.NewTenant(ana, bo), h.NewTenant(ana)
			know(t, h.Revoke(h.NewPerson()), eu, us)
			pushMany(t, eu.connect(ana, acme.ID), 100)
			want := change.Vector{"eu": eu.HeadsForTest(acme.ID)["eu"]}
			equal(t, patience, acme.ID, want, eu, us)
			eu.link.Cut()
			eu.Close()
			backup, err := os.ReadFile(eu.PathForTest(acme.ID))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.RemoveAll(filepath.Join(eu.cfg.DataDir, "streams")); err != nil {
				t.Fatal(err)
			}
			eu.spoil(acme.ID)
			eu.start()
			a := eu.connect(ana, acme.ID)
			for range 2 {
				if _, _, err := a.Pull(nil); fault.KindOf(err) != fault.Unavailable || !strings.Contains(fault.DetailOf(err), "was damaged") {
					t.Fatalf("reading: got %v, want a sentence that says that the file was damaged", err)
				}
				if _, err := a.Push(a.Next("x")); fault.KindOf(err) != fault.Unavailable {
					t.Fatalf("writing: got %v, want unavailable", err)
				}
				a.Num--
			}
			if !strings.Contains(eu.log.String(), "a damaged workspace stays closed") || !strings.Contains(eu.log.String(), "put a copy of the file in its place") {
				t.Error("the log does not tell the operator what to do")
			}
			pushMany(t, eu.connect(ana, other.ID), 10) // nobody else is harmed
			if end == "region" {
				eu.link.Heal()
			} else {
				eu.Close()
				for _, suffix := range []string{"-wal", "-shm"} {
					os.Remove(eu.PathForTest(acme.ID) + suffix)
				}
				if err := os.WriteFile(eu.PathForTest(acme.ID), backup, 0o600); err != nil {
					t.Fatal(err)
				}
				eu.start()
				a = eu.connect(ana, acme.ID)
			}
			edgetest.Eventually(t, patience, "the workspace is served again", func() bool { _, _, err := a.Pull(nil); return err == nil })
			if got := eu.HeadsForTest(acme.ID); !got.Covers(want) {
				t.Errorf("served with %v, had %v", got, want)
			}
			eu.link.Heal()
			pushMany(t, eu.connect(bo, acme.ID), 10)
			want["eu"] += 10
			equal(t, patience, acme.ID, want, eu, us)
		})
	}
}

// After a crash the last that was acknowledged may be in the damaged file only. If that cannot tell, nobody is served on a
// guess: the operator decides.
func TestDamageAfterACrashIsNotGuessedAway(t *testing.T) {
	t.Parallel()
	w := newTwo(t)
	eu, us, ana, acme := w.eu, w.us, w.ana, w.acme
	pushMany(t, eu.connect(ana, acme), 50)
	want := change.Vector{"eu": eu.HeadsForTest(acme)["eu"]}
	equal(t, patience, acme, want, eu, us)
	eu.Close()
	eu.crashed()
	eu.spoil(acme)
	eu.start()
	a := eu.connect(ana, acme)
	if _, _, err := a.Pull(nil); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("got %v, want unavailable", err)
	}
	if err := os.WriteFile(eu.PathForTest(acme)+".accept", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	edgetest.Eventually(t, patience, "the workspace is served again", func() bool { _, _, err := a.Pull(nil); return err == nil })
	equal(t, patience, acme, want, eu, us)
	pushMany(t, eu.connect(ana, acme), 10)
	want["eu"] += 10
	equal(t, patience, acme, want, eu, us)
}

// A region that is all by itself, and whose streams are gone too, still has the log in the damaged file.
func TestDamagedRowsAreMadeAgainFromTheLogBesideThem(t *testing.T) {
	t.Parallel()
	h := edgetest.NewHub(t)
	eu := newEdge(t, h, "eu")
	ana := h.NewPerson()
	acme := h.NewTenant(ana)
	know(t, h.Revoke(h.NewPerson()), eu)
	pushMany(t, eu.connect(ana, acme.ID), 300)
	sum, head := eu.digest(acme.ID)
	eu.Close()
	eu.crashed()
	if err := os.RemoveAll(filepath.Join(eu.cfg.DataDir, "streams")); err != nil {
		t.Fatal(err)
	}
	eu.spoilRows(acme.ID, "project")
	eu.start()
	a := eu.connect(ana, acme.ID)
	edgetest.Eventually(t, patience, "the workspace takes changes again", func() bool {
		_, err := a.Push(a.Next("x"))
		if err != nil {
			a.Num--
		}
		return err == nil && len(eu.kept(acme.ID)) > 0
	})
	if got := eu.HeadsForTest(acme.ID)["eu"]; got <= head["eu"] {
		t.Errorf("head %d, had %d", got, head["eu"])
	}
	if now, _ := eu.digest(acme.ID); now == sum {
		t.Error("nothing came in")
	}
	es, _, err := a.Pull(nil)
	if err != nil || len(es) <= int(head["eu"]) {
		t.Errorf("the log has %d entries, had %d (%v)", len(es), head["eu"], err)
	}
}
