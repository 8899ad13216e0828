package biller

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"holdfast/sync/id"
)

// A workspace that rests is not looked at again, and one with use, another seat or another plan is.
func TestPassLooksAtWhatChanged(t *testing.T) {
	w := newWorld(t)
	w.pass()
	w.pass() // the first one published the limits
	rests := func() bool {
		b, err := w.people.Brief(t.Context(), w.ws)
		must(t, err)
		return w.s.rests(b)
	}
	if !rests() {
		t.Error("nothing changed")
	}
	if _, err := w.join("Bo"); err != nil {
		t.Fatal(err)
	}
	if rests() {
		t.Error("a seat was taken")
	}
	w.pass()
	if !rests() {
		t.Error("the seat is known")
	}
	must(t, w.s.SetDetails(t.Context(), w.ws, Details{Name: "Acme Ltd"}))
	if rests() {
		t.Error("the account changed")
	}
	w.pass()
	w.now = w.now.Add(recordEvery)
	if rests() {
		t.Error("it is time to look")
	}
}

// BM7: the share of a limit is told when it is reached, although usage is handed over every ten minutes only.
func TestAlertsOfCountedUsage(t *testing.T) {
	w := newWorld(t)
	w.pass()
	alerts := func() (n int) {
		for _, x := range w.account().Notices {
			if x.Kind == "entitlement.alert" {
				n++
			}
		}
		return n
	}
	for _, c := range []struct {
		used int64
		want int
	}{{799_999, 0}, {800_000, 1}, {900_000, 1}, {1_000_000, 2}, {1_100_000, 2}} {
		w.now = w.now.Add(passEvery)
		w.used["2026-11/changes"] = c.used
		w.pass()
		if got := alerts(); got != c.want {
			t.Errorf("%d used: %d alerts, want %d", c.used, got, c.want)
		}
	}
}

// Ten thousand workspaces: what it takes to open their accounts, to pass when all rest, and to start again. Printed, not judged.
func BenchmarkTenThousand(b *testing.B) {
	const n = 10_000
	for range b.N {
		w := newWorld(b)
		tx, err := w.db.Begin()
		must(b, err)
		for i := range n {
			t := id.Derive("bench", fmt.Sprint(i))
			for _, q := range []string{"INSERT INTO tenant (id, name, home, regions, limits, state, created_ms) VALUES (?1, 'W', 'eu', '[]', '{}', 'active', 1)",
				"INSERT INTO member (tenant, person, role, color, active, changed_ms) VALUES (?1, ?2, 'owner', 'blue', 1, 1)"} {
				if _, err := tx.Exec(q, t, w.owner); err != nil {
					b.Fatal(err)
				}
			}
		}
		must(b, tx.Commit())
		said := func(what string, began time.Time) {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			fmt.Printf("%s: %v, %d MB\n", what, time.Since(began).Round(time.Millisecond), m.HeapAlloc>>20)
		}
		began := time.Now()
		must(b, w.s.Pass(b.Context()))
		said("first pass", began)
		must(b, w.s.Pass(b.Context()))
		began = time.Now()
		must(b, w.s.Pass(b.Context()))
		said("pass at rest", began)
		began = time.Now()
		must(b, w.s.db.Close())
		w.open()
		said("open", began)
		began = time.Now()
		must(b, w.s.Pass(b.Context()))
		said("pass after open", began)
	}
}
