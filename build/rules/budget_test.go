package rules

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"holdfast/build/manifest"
	"holdfast/build/pipeline"
)

// TestByteBudgets holds target P4: what a first visit loads.
func TestByteBudgets(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(root(t), pipeline.Dist, "manifest.json"))
	if errors.Is(err, os.ErrNotExist) {
		t.Fatal("the web app is not built, so its size is not known: run make build")
	}
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	all, first := Weigh(m)
	t.Logf("%d bytes in all (at most %d), %d before the sign-in page answers (at most %d)\n%s", all, BytesAllMax, first, BytesFirstMax, heaviest(m))
	if all <= BytesAllMax && first <= BytesFirstMax {
		return
	}
	if !m.Release {
		t.Error("over the budget, but this build is compressed quickly: run make build and look again")
		return
	}
	t.Error("the app has become heavier than target P4 allows: see what the programs contain (go list -deps, GOOS=js), " +
		"or move it out of the first visit")
}

// heaviest lists the entries, the heaviest first.
func heaviest(m manifest.Manifest) string {
	entries := slices.Clone(m.Entries)
	slices.SortFunc(entries, func(a, b manifest.Entry) int { return b.Wire() - a.Wire() })
	var lines strings.Builder
	for _, e := range entries {
		when := "first"
		if waits(e) {
			when = "later"
		}
		fmt.Fprintf(&lines, "%9d  %s  %s\n", e.Wire(), when, e.Name)
	}
	return lines.String()
}

func TestWeighing(t *testing.T) {
	all, first := Weigh(manifest.Manifest{Entries: []manifest.Entry{
		{Name: "page.wasm", Bytes: 100, Brotli: 30}, {Name: "icons/a.png", Bytes: 7}, {Name: "worker.wasm", Bytes: 50, Brotli: 20}, {Name: "x.txt", Bytes: 3},
	}})
	if all != 60 || first != 33 {
		t.Errorf("all %d, first %d; want 60 and 33", all, first)
	}
}
