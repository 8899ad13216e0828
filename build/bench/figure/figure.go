// Package figure is what a benchmark reports, and how a run of them is written down.
//
// A figure is reported as it was measured, also when it falls short. What a peer can do is measured beside it in the
// same run and compared as a ratio: a bare time only says how it felt on one machine.
package figure

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Figure is one measured number.
type Figure struct {
	ID     string  // of the target, such as "P1"
	What   string  // "local write → painted, p95"
	Value  float64 // in Unit
	Unit   string  // "ms", "MB", "changes/s"
	Target float64 // the bound; 0 when the target is only a ratio
	More   bool    // more is better; otherwise less is
	Beside []Peer  // measured in the same run
	// RatioMin is what Value must be of every peer's value: 10 for ten times better, 0.5 for half as good. 0 asks nothing.
	RatioMin float64
	Note     string // how it was measured, where it matters; one line
}

// Peer is another program doing the same work on the same data.
type Peer struct {
	Name  string // with its version
	Value float64
}

// Ratio is how many times better the figure is than the peer: above 1 it is ahead, whichever direction is better.
func (f Figure) Ratio(p Peer) float64 {
	if f.More {
		return f.Value / p.Value
	}
	return p.Value / f.Value
}

// Met says whether the figure reaches its target and its ratio to every peer.
func (f Figure) Met() bool {
	if f.Target != 0 && (f.More && f.Value < f.Target || !f.More && f.Value > f.Target) {
		return false
	}
	return !slices.ContainsFunc(f.Beside, func(p Peer) bool { return f.RatioMin > 0 && f.Ratio(p) < f.RatioMin })
}

// Percentile returns the smallest sample that at least the share q (0 to 1) of all samples does not exceed (nearest
// rank). It is NaN without samples.
func Percentile(samples []time.Duration, q float64) float64 {
	if len(samples) == 0 {
		return math.NaN()
	}
	sorted := slices.Clone(samples)
	slices.Sort(sorted)
	i := int(math.Ceil(q*float64(len(sorted)))) - 1
	return MS(sorted[max(i, 0)])
}

// MS is a duration in milliseconds.
func MS(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// Machine says where and when the figures were measured.
type Machine struct {
	CPU      string
	Cores    int
	MemoryGB float64
	System   string
	Go       string
	Browser  string
	Commit   string
	Date     time.Time
}

// Failure is a measurement that could not be made.
type Failure struct {
	ID  string
	Err error
}

// Report writes a run as Markdown. The same figures give the same bytes.
func Report(m Machine, figures []Figure, failures []Failure) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Figures\n\nMeasured on %s, commit %s.\n\n", m.Date.UTC().Format("2006-01-02 15:04 MST"), m.Commit)
	fmt.Fprintf(&b, "%s, %d cores, %.0f GiB, %s; %s; %s.\n", m.CPU, m.Cores, m.MemoryGB, m.System, m.Go, m.Browser)
	b.WriteString("A ratio above 1 means that Holdfast is ahead. A figure that falls short is marked.\n\n")
	b.WriteString(Table(figures))
	if len(failures) > 0 {
		b.WriteString("\n## Not measured\n\n")
		for _, f := range failures {
			fmt.Fprintf(&b, "- %s: %s\n", f.ID, strings.ReplaceAll(strings.TrimSpace(f.Err.Error()), "\n", " "))
		}
	}
	return b.String()
}

// Table writes figures as a Markdown table, ordered by target.
func Table(figures []Figure) string {
	sorted := slices.Clone(figures)
	slices.SortStableFunc(sorted, func(a, b Figure) int {
		return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID)) // P2 before P10
	})
	var b strings.Builder
	b.WriteString("| # | what | measured | target | beside (ratio) | |\n|---|---|---|---|---|---|\n")
	for _, f := range sorted {
		var beside []string
		for _, p := range f.Beside {
			beside = append(beside, fmt.Sprintf("%s %s (%.2g×)", p.Name, number(p.Value, f.Unit), f.Ratio(p)))
		}
		met := "met"
		if !f.Met() {
			met = "**short**"
		}
		if f.Target == 0 && f.RatioMin == 0 {
			met = ""
		}
		what := f.What
		if f.Note != "" {
			what += "; " + f.Note
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", f.ID, what, number(f.Value, f.Unit), target(f), strings.Join(beside, "; "), met)
	}
	return b.String()
}

func target(f Figure) string {
	var parts []string
	if f.Target != 0 {
		sign := "≤"
		if f.More {
			sign = "≥"
		}
		parts = append(parts, sign+" "+number(f.Target, f.Unit))
	}
	if f.RatioMin != 0 {
		parts = append(parts, fmt.Sprintf("≥ %.2g×", f.RatioMin))
	}
	return strings.Join(parts, ", ")
}

// number keeps three significant digits, and groups the thousands of large ones.
func number(v float64, unit string) string {
	var s string
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		s = "–"
	case math.Abs(v) >= 1000:
		s = fmt.Sprintf("%.0f", v)
		for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
			s = s[:i] + "," + s[i:]
		}
	default:
		s = fmt.Sprintf("%.3g", v)
	}
	if unit == "" {
		return s
	}
	return s + " " + unit
}
