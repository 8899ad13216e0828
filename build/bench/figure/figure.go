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
	"unicode/utf8"
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
	Note   string  // what the number alone does not say; one line
}

// Peer is another program doing the same work on the same data.
type Peer struct {
	Name  string // with its version
	Value float64
	// Min is how good the figure must be of it: 10 for ten times better, 0.5 for half as good. 0 asks nothing.
	Min float64
}

// Ratio is how many times better the figure is than the peer: above 1 it is ahead, whichever direction is better.
func (f Figure) Ratio(p Peer) float64 {
	if f.More {
		return f.Value / p.Value
	}
	return p.Value / f.Value
}

// Reached says whether the figure reaches its own bound.
func (f Figure) Reached() bool {
	return f.Target == 0 || f.More && f.Value >= f.Target || !f.More && f.Value <= f.Target
}

// Beats says whether the figure is as good beside a peer as it must be.
func (f Figure) Beats(p Peer) bool { return p.Min == 0 || f.Ratio(p) >= p.Min }

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
	Load     string // the system's load when the run began, "" when it does not tell: what else was going on
}

// Method says how the figures of some targets are measured.
type Method struct {
	IDs  string // "P1 P2"
	Text string
}

// Failure is something that could not be measured.
type Failure struct {
	ID  string
	Err error
}

// Report writes a run as Markdown. The same figures give the same bytes.
func Report(m Machine, figures []Figure, methods []Method, failures []Failure) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Figures\n\nMeasured on %s, commit %s.\n\n", m.Date.UTC().Format("2006-01-02 15:04 MST"), m.Commit)
	fmt.Fprintf(&b, "%s, %d cores, %.0f GiB, %s; %s; %s.\n", m.CPU, m.Cores, m.MemoryGB, m.System, m.Go, m.Browser)
	if m.Load != "" {
		fmt.Fprintf(&b, "The load was %s before anything was measured.\n", m.Load)
	}
	b.WriteString("A ratio above 1 means that Holdfast is ahead. Ratios say more than times, which depend on the machine and its load.\n\n")
	b.WriteString(Table(figures))
	if len(failures) > 0 {
		b.WriteString("\n## Not measured\n\n")
		for _, f := range failures {
			fmt.Fprintf(&b, "- %s: %s\n", f.ID, sentence(f.Err))
		}
	}
	b.WriteString("\n## How\n")
	for _, m := range methods {
		fmt.Fprintf(&b, "\n**%s** %s\n", strings.ReplaceAll(m.IDs, " ", ", "), m.Text)
		for _, f := range ordered(figures) {
			if f.Note != "" && slices.Contains(strings.Fields(m.IDs), f.ID) {
				fmt.Fprintf(&b, "- %s %s: %s\n", f.ID, f.What, f.Note)
			}
		}
	}
	return b.String()
}

// Table writes figures as a Markdown table, ordered by target: a line for a figure and one for each further peer.
func Table(figures []Figure) string {
	rows := [][]string{{"#", "what", "target", "measured", "beside", "ratio", ""}, {"---", "---", "---", "---", "---", "---", "---"}}
	for _, f := range ordered(figures) {
		own := []string{f.ID, f.What, target(f), number(f.Value, f.Unit)}
		if len(f.Beside) == 0 || f.Target != 0 {
			rows = append(rows, append(slices.Clone(own), "", "", verdict(f.Target != 0, f.Reached())))
			own = []string{"", "", "", ""}
		}
		for _, p := range f.Beside {
			if p.Min != 0 {
				own[2] = fmt.Sprintf("≥ %.2g×", p.Min)
			}
			rows = append(rows, append(slices.Clone(own), p.Name+": "+number(p.Value, f.Unit), fmt.Sprintf("%.2g×", f.Ratio(p)), verdict(p.Min != 0, f.Beats(p))))
			own = []string{"", "", "", ""}
		}
	}
	return align(rows)
}

const reasonMax = 300 // characters of why something was not measured; a page that did not do as it should is longer

func sentence(err error) string {
	words := []rune(strings.Join(strings.Fields(err.Error()), " "))
	if len(words) > reasonMax {
		return string(words[:reasonMax]) + "…"
	}
	return string(words)
}

func verdict(asked, met bool) string {
	switch {
	case !asked:
		return ""
	case met:
		return "met"
	default:
		return "**short**"
	}
}

// align writes cells as a table that reads well as plain text too.
func align(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, c := range r {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	var b strings.Builder
	for _, r := range rows {
		for i, c := range r {
			fill := " "
			if c == "---" {
				fill = "-"
			}
			b.WriteString("| " + c + strings.Repeat(fill, widths[i]-utf8.RuneCountInString(c)) + " ")
		}
		b.WriteString("|\n")
	}
	return b.String()
}

func ordered(figures []Figure) []Figure {
	sorted := slices.Clone(figures)
	slices.SortStableFunc(sorted, func(a, b Figure) int {
		return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID)) // P2 before P10
	})
	return sorted
}

func target(f Figure) string {
	switch {
	case f.Target == 0:
		return ""
	case f.More:
		return "≥ " + number(f.Target, f.Unit)
	default:
		return "≤ " + number(f.Target, f.Unit)
	}
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
