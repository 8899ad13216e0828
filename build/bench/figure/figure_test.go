package figure

import (
	"errors"
	"flag"
	"math"
	"os"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the golden file")

func TestReport(t *testing.T) {
	got := Report(
		Machine{CPU: "Test CPU", Cores: 2, MemoryGB: 24, System: "linux/amd64", Go: "go1.26", Browser: "Chromium 1", Commit: "abc", Load: "0.31", Date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
		[]Figure{
			{ID: "P10", What: "pushes", Value: 5200.4, Unit: "tx/s", Target: 5000, More: true, Beside: []Peer{{"other 1.0", 2600, 0}}},
			{ID: "P2", What: "open a list, p95", Value: 48.21, Unit: "ms", Target: 50, Beside: []Peer{{"peer 2", 482.1, 10}, {"peer 3", 24, 0}}, Note: "100,000 tasks"},
			{ID: "P3", What: "cold start", Value: 1250, Unit: "ms", Target: 1000},
			{ID: "P9", What: "merge", Value: 0.4, Unit: "of raw", More: true, Beside: []Peer{{"raw", 1, 0.5}}},
			{ID: "P7", What: "no target", Value: 1234567, Unit: "B"},
		},
		[]Method{{"P2 P3", "Chromium, a workspace of 100,000 tasks."}, {"P9", "One core."}},
		[]Failure{{"P5", errors.New("peer did\nnot install")}},
	)
	const golden = "testdata/report.md"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestPercentile(t *testing.T) {
	ms := func(n ...int) (d []time.Duration) {
		for _, x := range n {
			d = append(d, time.Duration(x)*time.Millisecond)
		}
		return d
	}
	for _, c := range []struct {
		name string
		in   []time.Duration
		q    float64
		want float64
	}{
		{"one", ms(7), 0.95, 7}, {"median-odd", ms(3, 1, 2), 0.5, 2}, {"median-even", ms(4, 1, 2, 3), 0.5, 2},
		{"p95-of-20", ms(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20), 0.95, 19}, {"max", ms(1, 9), 1, 9}, {"min", ms(1, 9), 0, 1},
	} {
		if got := Percentile(c.in, c.q); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	if !math.IsNaN(Percentile(nil, 0.5)) {
		t.Error("no samples gave a number")
	}
}
