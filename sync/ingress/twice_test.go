package ingress_test

import (
	"path/filepath"
	"testing"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/ingress"
)

func (e *edge) twice() (seqs []uint64) {
	e.t.Helper()
	list, err := e.Twice(e.t.Context())
	if err != nil {
		e.t.Fatal(err)
	}
	for _, t := range list {
		seqs = append(seqs, t.Seq)
	}
	return seqs
}

// Of three regions that accepted a change, cut off from each other, all but the one with the smallest name note it, once.
func TestTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "us.db")
	ap, eu, us := open(t, "ap", ":memory:"), open(t, "eu", ":memory:"), open(t, "us", path)
	w := writer{replica: 7}
	one, two, three := w.tx(project("one")), w.tx(project("two")), w.tx(project("three"))
	ap.mustPush(ana, 7, one)
	eu.mustPush(ana, 7, one, two)
	us.mustPush(ana, 7, one, two, three)
	for range 2 {
		for _, to := range []*edge{us, eu, ap} {
			for name, from := range map[string]*edge{"ap": ap, "eu": eu, "us": us} {
				if from != to {
					carry(t, from, to, name)
				}
			}
		}
	}
	for _, c := range []struct {
		e    *edge
		want int
	}{{ap, 0}, {eu, 1}, {us, 2}} {
		if got := c.e.twice(); len(got) != c.want {
			t.Errorf("noted %v, want %d", got, c.want)
		}
	}
	us = open(t, "us", path)
	if got := us.twice(); len(got) != 2 || got[0] != 1 || got[1] != 2 {
		t.Fatalf("after a restart: %v", got)
	}
	if err := us.Forget(t.Context(), []ingress.Twice{{Seq: 1}, {Seq: 2}}); err != nil {
		t.Fatal(err)
	}
	if got := open(t, "us", path).twice(); len(got) != 0 {
		t.Errorf("noted elsewhere, and still here: %v", got)
	}
	lost := open(t, "us", ":memory:") // its file is lost, and it has its own log last
	carry(t, eu, lost, "eu")
	carry(t, us, lost, "us")
	if got := lost.twice(); len(got) != 2 {
		t.Errorf("from the logs again: %v", got)
	}
}

// A device that was restored from an old backup gives a number to another change: those are two changes.
func TestTwoChangesWithOneNumberAreTwo(t *testing.T) {
	eu, us := open(t, "eu", ":memory:"), open(t, "us", ":memory:")
	w, again := writer{replica: 7}, writer{replica: 7}
	eu.mustPush(ana, 7, w.tx(project("one")))
	us.mustPush(ana, 7, again.tx(project("other")))
	carry(t, eu, us, "eu")
	if got := us.twice(); len(got) != 0 {
		t.Errorf("noted %v", got)
	}
	system := change.Tx{Stamp: w.tx().Stamp, Actor: ana.ID, Command: "test", Rows: []change.Row{project("made")}}
	for _, e := range []*edge{eu, us} {
		if _, err := e.System(t.Context(), system); err != nil {
			t.Fatal(err)
		}
	}
	carry(t, eu, us, "eu")
	if got := us.twice(); len(got) != 0 {
		t.Errorf("what regions make is nobody's use: %v", got)
	}
}

// Regions that were apart for longer than their logs reach back find out all the same, whichever log was trimmed and whoever
// gave the rows; when all know, nothing of it is kept.
func TestTwiceWhenLogsWereTrimmed(t *testing.T) {
	regions := func(c *ingress.Config) { c.Regions = func() []string { return []string{"eu", "us", "zz"} } }
	for name, trimmed := range map[string][]string{"theirs": {"eu"}, "mine": {"us", "zz"}, "both": {"eu", "us", "zz"}} {
		t.Run(name, func(t *testing.T) {
			all := map[string]*edge{}
			w := writer{replica: 7}
			txs := []change.Tx{w.tx(project("one")), w.tx(project("two")), w.tx(project("three"))}
			other := writer{replica: 8}
			for _, region := range []string{"eu", "us", "zz"} {
				all[region] = open(t, region, ":memory:", regions)
				all[region].mustPush(ana, 7, txs...)
				all[region].mustPush(ana, 8, other.tx(project(region)))
			}
			all["zz"].mustPush(ana, 7, w.tx(project("only there")))
			for _, region := range trimmed {
				if err := all[region].Trim(t.Context(), change.Vector{region: 4}); err != nil {
					t.Fatal(err)
				}
			}
			for _, way := range [][2]string{{"eu", "us"}, {"us", "zz"}, {"zz", "us"}, {"us", "eu"}} { // zz never meets eu
				all[way[1]].take(all[way[0]])
			}
			for region, want := range map[string]int{"eu": 0, "us": 3, "zz": 3} {
				if got := all[region].twice(); len(got) != want {
					t.Errorf("%s notes %v, want %d", region, got, want)
				}
			}
			for region, e := range all {
				for from, f := range all {
					if err := e.Acked(t.Context(), from, f.Heads()); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := e.TrimOld(t.Context(), ingress.Bounds{Age: day, Bytes: 1 << 30, HoldAge: day, HoldBytes: 1 << 30}, 0); err != nil {
					t.Fatal(err)
				}
				var kept int
				if err := e.db.QueryRow("SELECT count(*) FROM trace").Scan(&kept); err != nil || kept != 0 {
					t.Errorf("%s keeps %d traces of what everybody knows (%v)", region, kept, err)
				}
			}
		})
	}
}

// take brings a region up to date with another, by rows when the log does not reach back.
func (e *edge) take(from *edge) {
	e.t.Helper()
	for _, origin := range from.Heads().Origins() {
		_, err := from.Log(e.t.Context(), origin, e.Heads()[origin], 1)
		if fault.KindOf(err) == fault.NotFound {
			path := filepath.Join(e.t.TempDir(), "rows.db")
			if _, err := from.Export(e.t.Context(), path); err != nil {
				e.t.Fatal(err)
			}
			if err := e.Adopt(e.t.Context(), path); err != nil {
				e.t.Fatal(err)
			}
		}
		carry(e.t, from, e, origin)
	}
}
