//go:build !js

// Package rules holds rules written in AssemblyScript: the library for them, and two to begin with.
package rules

import (
	"strings"
	"testing"

	"holdfast/build/pipeline"
	"holdfast/sync/change"
	"holdfast/sync/guest"
	"holdfast/sync/id"
	"holdfast/sync/rule"
	"holdfast/sync/work"
)

// start compiles a rule and starts it as an edge does, once the hub would have taken it.
func start(t testing.TB, name string) (*guest.Program, *guest.Instance) {
	t.Helper()
	module, err := pipeline.Rule(t.Context(), "../..", name, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	e := guest.New(t.Context())
	t.Cleanup(func() {
		if err := e.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	if err := e.Try(t.Context(), module, rule.Example()); err != nil {
		t.Fatal(err)
	}
	p, err := e.Compile(t.Context(), module)
	if err != nil {
		t.Fatal(err)
	}
	i, err := p.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d bytes", name, len(module))
	return p, i
}

// task is a change of a task: columns to be written, over what is there.
func task(before work.Cells, found bool, pairs ...any) []byte {
	row := change.Row{Table: "task", ID: id.Derive("T1")}
	for n := 0; n < len(pairs); n += 2 {
		row.Cells = append(row.Cells, change.Cell{Col: pairs[n].(string), Val: change.V(pairs[n+1])})
	}
	tx := change.Tx{Actor: id.Derive("ana"), Command: "task.set", Rows: []change.Row{row}}
	return rule.Append(nil, &tx, &row, work.Member, before, found)
}

// again asks once more, as an edge does: these rules free nothing, so a fresh instance takes the place of one that has grown.
func again(t testing.TB, p *guest.Program, i *guest.Instance, shown []byte) *guest.Instance {
	_, err := i.Check(shown)
	if err == nil && i.Worn() {
		i.Close(t.Context())
		i, err = p.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestSamples(t *testing.T) {
	ana, long := id.Derive("ana"), strings.Repeat("ü", 81)
	mine, free := work.Cells{"status": change.V("todo"), "assignee": change.V(ana)}, work.Cells{"status": change.V("todo")}
	for name, cases := range map[string][]struct {
		name  string
		shown []byte
		want  string
	}{
		"assigned": {
			{"done-by-nobody", task(free, true, "status", "done"), "A task is done by somebody. Assign it first."},
			{"done-by-somebody", task(mine, true, "status", "done"), ""},
			{"assigned-and-done-at-once", task(free, true, "assignee", ana, "status", "done"), ""},
			{"made-done", task(nil, false, "status", "done", "title", "x"), "A task is done by somebody. Assign it first."},
			{"let-go-when-done", task(work.Cells{"status": change.V("done"), "assignee": change.V(ana)}, true, "assignee", nil), "A task is done by somebody. Assign it first."},
			{"let-go-before", task(mine, true, "assignee", nil), ""},
			{"something-else", task(work.Cells{"status": change.V("done")}, true, "title", "x"), ""},
		},
		"titles": {
			{"short", task(nil, false, "title", long[:160]), ""},
			{"long", task(nil, false, "title", long), "The title has 81 characters; at most 80 are allowed here. Put the rest into the description."},
			{"long-already", task(work.Cells{"title": change.V(long)}, true, "status", "done"), ""},
		},
	} {
		p, i := start(t, name)
		for _, c := range cases {
			if got, err := i.Check(c.shown); err != nil || got != c.want {
				t.Errorf("%s %s: got %q %v, want %q", name, c.name, got, err, c.want)
			}
		}
		for range 50_000 {
			i = again(t, p, i, cases[0].shown)
		}
	}
}

// BenchmarkSamples is target P15: what a rule costs on a change. Package guest measures an empty call.
func BenchmarkSamples(b *testing.B) {
	shown := task(work.Cells{"project": change.V(id.Derive("p")), "title": change.V("Write to the bank"), "status": change.V("todo"), "priority": change.V(2), "rank": change.V("V"),
		"author": change.V(id.Derive("ana")), "assignee": change.V(id.Derive("ana"))}, true, "status", "done")
	for _, name := range []string{"assigned", "titles"} {
		b.Run(name, func(b *testing.B) {
			p, i := start(b, name)
			for b.Loop() {
				i = again(b, p, i, shown)
			}
		})
	}
}
