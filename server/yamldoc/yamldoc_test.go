package yamldoc

import (
	"strings"
	"testing"
	"time"

	"holdfast/sync/fault"
)

func parse(t *testing.T, s string) (Node, *Doc) {
	t.Helper()
	n, d, err := Parse(strings.NewReader(s))
	if err != nil {
		t.Fatal(err)
	}
	return n, d
}

func TestProblemsNameLineAndPath(t *testing.T) {
	n, d := parse(t, "a: 1\nb:\n  - x: -2\n    y: 1e5\n  - z: maybe\nc: 1\nc: 2\n")
	f := n.Fields("a", "b")
	n.Need(f, "k")
	for _, item := range f["b"].List() {
		g := item.Fields("x", "y", "z")
		g["x"].Number()
		g["y"].Number()
		g["z"].Bool()
	}
	got := d.Err("test").Error()
	for _, want := range []string{
		"line 1: k is missing",
		"line 3: b[0].x: -2 is negative",
		`line 4: b[0].y: "1e5" is not a number`,
		`line 5: b[1].z: "maybe" is neither true nor false`,
		"line 6: c: unknown key; known here: a, b",
		"line 7: c: this key is here twice",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got %q\nwithout %q", got, want)
		}
	}
}

func TestRefusedFiles(t *testing.T) {
	for name, s := range map[string]string{
		"empty": "", "two-documents": "a: 1\n---\nb: 1\n", "broken": "a: [1\nb: }", "large": "a: " + strings.Repeat("x", MaxBytes),
	} {
		if _, _, err := Parse(strings.NewReader(s)); fault.DetailOf(err) == "" {
			t.Errorf("%s: got %v, want an error with a text", name, err)
		}
	}
}

func TestValues(t *testing.T) {
	n, d := parse(t, "t: 2026-01-31T09:30\nd: 14d\ni: 1_000\nn: 0.10\nnone: ~\nalias: &x 3\nsame: *x\n")
	f := n.Fields("t", "d", "i", "n", "none", "alias", "same")
	if got := f["t"].Time(time.UTC); !got.Equal(time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC)) {
		t.Errorf("got %v", got)
	}
	if f["d"].Duration() != 14*24*time.Hour || f["i"].Int(0, 2000) != 1000 || f["n"].Number().String() != "0.10" || f["none"].Ok() ||
		f["same"].Int(0, 9) != 3 {
		t.Error("a value was read wrongly")
	}
	if err := d.Err("test"); err != nil {
		t.Error(err)
	}
	n, d = parse(t, "- 2026-02-30\n- 14 fortnights\n- 1.5\n- 99\n")
	l := n.List()
	l[0].Time(time.UTC)
	l[1].Duration()
	l[2].Int(0, 9)
	l[3].Int(0, 9)
	if d.Problems() != 4 {
		t.Errorf("got %d problems, want 4: %v", d.Problems(), d.Err("test"))
	}
}

func FuzzParse(f *testing.F) {
	f.Add("a: 1\nb: [x, {c: 1}]")
	f.Add("a: &a [*a]")
	f.Fuzz(func(t *testing.T, s string) {
		n, d, err := Parse(strings.NewReader(s))
		if err != nil {
			return
		}
		for _, v := range n.Fields("a", "b") {
			for _, w := range v.List() {
				w.Number()
				w.Time(time.UTC)
				w.Fields("c")
			}
		}
		_ = d.Err("test")
	})
}
