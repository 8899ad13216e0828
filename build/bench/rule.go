package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"time"

	"holdfast/build/bench/figure"
	"holdfast/build/pipeline"
	"holdfast/edge/rules"
	"holdfast/sync/change"
	"holdfast/sync/directory"
	"holdfast/sync/guest"
	"holdfast/sync/guest/guesttest"
	"holdfast/sync/id"
	"holdfast/sync/ingress"
	"holdfast/sync/rule"
	"holdfast/sync/work"
)

const ruleCalls = 50_000

// ruled is a directory with one rule, and a workspace with one task.
type ruled struct {
	rule directory.Rule
	task work.Cells
}

func (r ruled) Rules(id.ID) []directory.Rule                         { return []directory.Rule{r.rule} }
func (r ruled) Module(context.Context, id.ID, id.ID) ([]byte, error) { return r.rule.Module, nil }
func (r ruled) Row(string, id.ID) (work.Cells, bool, error)          { return r.task, true, nil }

// ruleRun is how long a workspace's rule takes on a change (P15): showing it the change, its answer, the counting.
func ruleRun(ctx context.Context, e env) (out []figure.Figure, err error) {
	err = try(ctx, e, func(t *trial) {
		module, err := pipeline.Rule(ctx, e.root, "assigned", e.say)
		t.must(err)
		sum := sha256.Sum256(module)
		tenant, person := id.Derive("tenant"), id.Derive("ana")
		w := ruled{directory.Rule{Tenant: tenant, ID: id.Derive("rule"), Name: "Assigned", Hash: sum[:], Module: module},
			work.Cells{"project": change.V(id.Derive("p")), "title": change.V("Write to the bank"), "status": change.V(work.Todo), "priority": change.V(work.Medium),
				"rank": change.V("V"), "author": change.V(person), "assignee": change.V(person)}}
		tx := change.Tx{Actor: person, Command: "task.status", Rows: []change.Row{{Table: "task", ID: id.Derive("T1"), Cells: []change.Cell{{Col: "status", Val: change.V(work.Done)}}}}}
		all := rules.New(rules.Config{Directory: w, Now: time.Now, Ran: func(id.ID, time.Duration) {}, Log: slog.New(slog.DiscardHandler)})
		t.must(all.Open(ctx))
		defer all.Close(ctx) //nolint:errcheck // the benchmark is over
		ours := timed(func() { t.must(all.Admit(ctx, tenant, ingress.Actor{ID: person, Role: work.Member}, tx, w)) })

		engine := guest.New(ctx)
		defer engine.Close(ctx) //nolint:errcheck // the benchmark is over
		p, err := engine.Compile(ctx, guesttest.Accept())
		t.must(err)
		i, err := p.Start(ctx)
		t.must(err)
		shown := rule.Append(nil, &tx, &tx.Rows[0], work.Member, w.task, true)
		empty := timed(func() {
			_, err := i.Check(shown)
			t.must(err)
		})
		out = append(out, figure.Figure{ID: "P15", What: "a workspace's rule on a change, p50", Value: 1000 * figure.Percentile(ours, 0.5), Unit: "µs", Target: 10,
			Beside: []figure.Peer{{Name: "an empty wazero call", Value: 1000 * figure.Percentile(empty, 0.5)}},
			Note:   fmt.Sprintf("p99 %.1f µs; the sample that looks at status and assignee, %d bytes", 1000*figure.Percentile(ours, 0.99), len(module))})
	})
	return out, err
}

// timed calls f many times and times each.
func timed(f func()) []time.Duration {
	out := make([]time.Duration, ruleCalls)
	for i := range out {
		begin := time.Now()
		f()
		out[i] = time.Since(begin)
	}
	return out
}
