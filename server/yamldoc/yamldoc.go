// Package yamldoc reads YAML files that people write by hand, and says on which line something is wrong.
//
// A reader asks a Node for what it expects; whatever does not fit is noted with its line and path, and reading goes on,
// so that one run shows every problem of a file. Numbers are read from their text: no floating point comes near them.
package yamldoc

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/govalues/decimal"
	"gopkg.in/yaml.v3"

	"holdfast/server/money"
	"holdfast/sync/fault"
)

// Problem is one thing that is wrong, and where.
type Problem struct {
	Line int
	Path string
	Text string
}

func (p Problem) String() string {
	if p.Path == "" {
		return fmt.Sprintf("line %d: %s", p.Line, p.Text)
	}
	return fmt.Sprintf("line %d: %s: %s", p.Line, p.Path, p.Text)
}

// Doc gathers the problems of one file.
type Doc struct{ problems []Problem }

// Node is a place in the file; the zero Node is an absent one, of which every reading gives the zero value.
type Node struct {
	n    *yaml.Node
	doc  *Doc
	path string
	line int
}

// Parse reads one YAML document of at most MaxBytes.
func Parse(r io.Reader) (Node, *Doc, error) {
	const op = "yamldoc.Parse"
	b, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return Node{}, nil, fault.E(op, fault.Unavailable, err)
	}
	if len(b) > MaxBytes {
		return Node{}, nil, fault.Errorf(op, fault.TooLarge, "the file is larger than %d MB", MaxBytes>>20)
	}
	var root yaml.Node
	dec := yaml.NewDecoder(strings.NewReader(string(b)))
	if err := dec.Decode(&root); errors.Is(err, io.EOF) {
		return Node{}, nil, fault.Errorf(op, fault.Invalid, "the file is empty")
	} else if err != nil {
		return Node{}, nil, fault.Errorf(op, fault.Invalid, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return Node{}, nil, fault.Errorf(op, fault.Invalid, "the file holds more than one YAML document")
	}
	d := &Doc{}
	top := root.Content[0]
	return Node{n: top, doc: d, line: top.Line}, d, nil
}

// Err is nil if nothing was wrong; otherwise an Invalid fault that lists the problems by line, MaxProblems at most.
func (d *Doc) Err(op string) error {
	if len(d.problems) == 0 {
		return nil
	}
	sort.SliceStable(d.problems, func(i, j int) bool { return d.problems[i].Line < d.problems[j].Line })
	var lines []string
	for i, p := range d.problems {
		if i == MaxProblems {
			lines = append(lines, fmt.Sprintf("and %d more", len(d.problems)-i))
			break
		}
		lines = append(lines, p.String())
	}
	return fault.Errorf(op, fault.Invalid, "%s", strings.Join(lines, "\n"))
}

// Problems is how many things were wrong so far.
func (d *Doc) Problems() int { return len(d.problems) }

// Fail notes a problem at n.
func (n Node) Fail(format string, args ...any) {
	if n.doc != nil {
		n.doc.problems = append(n.doc.problems, Problem{n.line, n.path, fmt.Sprintf(format, args...)})
	}
}

// FailErr notes an error's text at n; nil is no problem.
func (n Node) FailErr(err error) {
	if err == nil {
		return
	}
	if d := fault.DetailOf(err); d != "" {
		n.Fail("%s", d)
		return
	}
	n.Fail("%s", err)
}

// Ok tells whether n is present and not null.
func (n Node) Ok() bool { return n.n != nil && n.n.Tag != "!!null" }

// Line is where n stands in the file.
func (n Node) Line() int { return n.line }

// Path names n: plans.team.prices[2].
func (n Node) Path() string { return n.path }

// IsMap, IsList and IsScalar tell what n is.
func (n Node) IsMap() bool    { return n.Ok() && n.n.Kind == yaml.MappingNode }
func (n Node) IsList() bool   { return n.Ok() && n.n.Kind == yaml.SequenceNode }
func (n Node) IsScalar() bool { return n.Ok() && n.n.Kind == yaml.ScalarNode }

func (n Node) child(y *yaml.Node, path string, line int) Node {
	for range 8 { // an alias may stand for an alias
		if y.Kind != yaml.AliasNode {
			break
		}
		y = y.Alias
	}
	return Node{y, n.doc, path, line}
}

// Entry is one key of a mapping with its value.
type Entry struct {
	Key   string
	Value Node
}

// Entries lists a mapping in the order of the file. A key that is there twice is a problem.
func (n Node) Entries() []Entry {
	if !n.Ok() {
		return nil
	}
	if n.n.Kind != yaml.MappingNode {
		n.Fail("want a mapping (name: value)")
		return nil
	}
	var out []Entry
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.n.Content); i += 2 {
		k, v := n.n.Content[i], n.n.Content[i+1]
		path := k.Value
		if n.path != "" {
			path = n.path + "." + k.Value
		}
		at := n.child(v, path, k.Line)
		if seen[k.Value] {
			at.Fail("this key is here twice")
			continue
		}
		seen[k.Value] = true
		out = append(out, Entry{k.Value, at})
	}
	return out
}

// Fields gives a mapping's values by key and notes every key that is not known.
func (n Node) Fields(known ...string) map[string]Node {
	out := map[string]Node{}
	for _, e := range n.Entries() {
		ok := false
		for _, k := range known {
			ok = ok || k == e.Key
		}
		if !ok {
			e.Value.Fail("unknown key; known here: %s", strings.Join(known, ", "))
			continue
		}
		out[e.Key] = e.Value
	}
	return out
}

// List gives the items of a sequence.
func (n Node) List() []Node {
	if !n.Ok() {
		return nil
	}
	if n.n.Kind != yaml.SequenceNode {
		n.Fail("want a list (lines that start with a dash, or [a, b])")
		return nil
	}
	out := make([]Node, len(n.n.Content))
	for i, y := range n.n.Content {
		out[i] = n.child(y, n.path+"["+strconv.Itoa(i)+"]", y.Line)
	}
	return out
}

// Str is a scalar's text.
func (n Node) Str() string {
	if !n.Ok() {
		return ""
	}
	if n.n.Kind != yaml.ScalarNode {
		n.Fail("want a single value, not a list or a mapping")
		return ""
	}
	if len(n.n.Value) > MaxText {
		n.Fail("longer than %d characters", MaxText)
		return ""
	}
	return n.n.Value
}

var name = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// Name is an identifier: letters, digits, dash, underscore and point, 64 at most.
func (n Node) Name() string {
	s := n.Str()
	if n.Ok() && !name.MatchString(s) {
		n.Fail("%q is not a name; use letters, digits, - _ and . (64 at most)", s)
	}
	return s
}

// CheckName notes a problem if key is not an identifier.
func (n Node) CheckName(key string) {
	if !name.MatchString(key) {
		n.Fail("%q is not a name; use letters, digits, - _ and . (64 at most)", key)
	}
}

// Bool is true or false.
func (n Node) Bool() bool {
	switch s := n.Str(); s {
	case "true", "yes":
		return true
	case "", "false", "no":
		return false
	default:
		n.Fail("%q is neither true nor false", s)
		return false
	}
}

// Int is a whole number between low and high.
func (n Node) Int(low, high int64) int64 {
	if !n.Ok() {
		return 0
	}
	i, err := strconv.ParseInt(strings.ReplaceAll(n.Str(), "_", ""), 10, 64)
	if err != nil {
		n.Fail("%q is not a whole number", n.Str())
		return 0
	}
	if i < low || i > high {
		n.Fail("%d is not between %d and %d", i, low, high)
		return low
	}
	return i
}

// Number is a decimal that is not negative.
func (n Node) Number() decimal.Decimal {
	d := n.Signed()
	if d.IsNeg() {
		n.Fail("%s is negative", d)
	}
	return d
}

// Signed is any decimal.
func (n Node) Signed() decimal.Decimal {
	if !n.Ok() {
		return decimal.Decimal{}
	}
	d, err := money.ParseNumber(n.Str())
	n.FailErr(err)
	return d
}

var layouts = []string{"2006-01-02", "2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02 15:04:05",
	time.RFC3339Nano}

// Time is a moment: a date, a date and a clock time in loc, or RFC 3339 with its own offset. Years 1970 to 2200.
func (n Node) Time(loc *time.Location) time.Time {
	if !n.Ok() {
		return time.Time{}
	}
	for _, l := range layouts {
		t, err := time.ParseInLocation(l, n.Str(), loc)
		if err != nil {
			continue
		}
		if t.Year() < 1970 || t.Year() > 2200 {
			n.Fail("the year %d is not between 1970 and 2200", t.Year())
			return time.Time{}
		}
		return t
	}
	n.Fail("%q is not a time; write 2026-01-31, 2026-01-31T09:30 or 2026-01-31T09:30:00Z", n.Str())
	return time.Time{}
}

var length = regexp.MustCompile(`^([0-9]{1,5})\s?(m|h|d|w)$`)

// Duration is a length of time: 30m, 12h, 14d, 2w. A day has 24 hours.
func (n Node) Duration() time.Duration {
	if !n.Ok() {
		return 0
	}
	m := length.FindStringSubmatch(n.Str())
	if m == nil {
		n.Fail("%q is not a length of time; write 30m, 12h, 14d or 2w", n.Str())
		return 0
	}
	k, _ := strconv.Atoi(m[1])
	return time.Duration(k) * map[string]time.Duration{"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
		"w": 7 * 24 * time.Hour}[m[2]]
}

// OneOf is a word from a short list.
func (n Node) OneOf(words ...string) string {
	s := n.Str()
	for _, w := range words {
		if s == w {
			return s
		}
	}
	if n.Ok() {
		n.Fail("%q is not known here; use %s", s, strings.Join(words, ", "))
	}
	return ""
}

// Need notes a problem if a key is absent from fields of n, and gives its node.
func (n Node) Need(fields map[string]Node, key string) Node {
	v, ok := fields[key]
	if !ok || !v.Ok() {
		if n.IsMap() {
			n.Fail("%s is missing", key)
		}
		return Node{}
	}
	return v
}
