package sim_test

import (
	"flag"
	"testing"
	"time"

	"holdfast/sync/sim"
)

var (
	seed  = flag.Uint64("seed", 0, "run the world of this seed only, and print what happens")
	steps = flag.Int("steps", 1200, "steps of trouble in each world")
	total = flag.Duration("time", 8*time.Second, "how long to try worlds, at least one")
)

// TestWorld tries world after world. When one fails, its seed is printed; run it again with -seed.
func TestWorld(t *testing.T) {
	if *seed != 0 {
		r, err := sim.Run(t.Context(), sim.Config{Seed: *seed, Steps: *steps, Regions: 2 + int(*seed%2), Devices: 3 + int(*seed%3), Dir: t.TempDir(), Trace: func(s string) { t.Log(s) }})
		t.Logf("%+v", r)
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	var sum sim.Report
	started, n := time.Now(), uint64(0)
	for n == 0 || time.Since(started) < *total {
		n++
		s := uint64(started.UnixNano())%1_000_000_000*1000 + n
		if n <= 3 {
			s = n // the same ones every time, and new ones
		}
		r, err := sim.Run(t.Context(), sim.Config{Seed: s, Steps: *steps, Regions: 2 + int(s%2), Devices: 3 + int(s%3), Dir: t.TempDir()})
		if err != nil {
			t.Fatalf("%v\nrun it again: go test ./sync/sim -run TestWorld -v -seed=%d -steps=%d\n%+v", err, s, *steps, r)
		}
		add(&sum, r)
	}
	t.Logf("%d worlds in %v: %+v", n, time.Since(started).Round(time.Millisecond), sum)
	// A world in which nothing happens proves nothing.
	for what, n := range map[string]int{"accepted": sum.Accepted, "refused": sum.Refused, "crashes": sum.Crashes, "snapshots": sum.Installs,
		"lost databases": sum.Losses, "clamped stamps": sum.Clamps, "dropped messages": sum.Dropped,
		"adoptions": sum.Adoptions, "rebuilt regions": sum.Rebuilds} {
		if n == 0 {
			t.Errorf("no %s in all these worlds", what)
		}
	}
}

func add(sum *sim.Report, r sim.Report) {
	sum.Steps += r.Steps
	sum.Edits += r.Edits
	sum.Accepted += r.Accepted
	sum.Refused += r.Refused
	sum.Resent += r.Resent
	sum.Entries += r.Entries
	sum.Doubled += r.Doubled
	sum.Crashes += r.Crashes
	sum.Installs += r.Installs
	sum.Losses += r.Losses
	sum.Renames += r.Renames
	sum.Clamps += r.Clamps
	sum.Adoptions += r.Adoptions
	sum.Rebuilds += r.Rebuilds
	sum.Messages += r.Messages
	sum.Dropped += r.Dropped
}

// TestSameSeedSameWorld: without this, a failure could not be looked at again.
func TestSameSeedSameWorld(t *testing.T) {
	var first sim.Report
	for i := range 2 {
		r, err := sim.Run(t.Context(), sim.Config{Seed: 7, Steps: 400, Regions: 3, Devices: 4, Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = r
		} else if r != first {
			t.Fatalf("first  %+v\nsecond %+v", first, r)
		}
	}
}
