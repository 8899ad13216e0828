package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"holdfast/build/bench/figure"
	"holdfast/sync/change"
	"holdfast/sync/crdt"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
	"holdfast/sync/store"
)

const (
	mergeRows  = 60_000
	mergeBatch = 500 // changes in a transaction
	mergeRuns  = 3
)

// mergeRate is how fast an edge takes row changes into a tenant's file, beside plain inserts of the same rows with the
// same driver (P9).
func mergeRate(ctx context.Context, e env) (out []figure.Figure, err error) {
	err = try(ctx, e, func(t *trial) {
		theirs, err := t.mergeCRSQLite()
		if err != nil {
			e.say("cr-sqlite is not measured: %v", err)
		}
		for _, w := range []struct {
			name     string
			creating float64
		}{{"new tasks", 1}, {"40 % new, 60 % edits", 0.4}, {"edits", 0.01}} {
			var raws []float64
			rate := rounds(mergeRuns, func() float64 { // side by side, so that both meet the same load
				raws = append(raws, t.insertRaw(workload(mergeRows, 1)))
				return t.merge(workload(mergeRows, w.creating))
			})
			raw := median(raws)
			e.say("merged, %s: %.0f rows/s; raw inserts %.0f rows/s", w.name, rate, raw)
			f := figure.Figure{ID: "P9", What: "row changes merged into a tenant's file, " + w.name, Value: rate, Unit: "rows/s", More: true,
				Beside: []figure.Peer{{Name: "raw inserts row by row, same driver", Value: raw, Min: 0.5}}, Note: fmt.Sprintf("%d changes", mergeRows)}
			if theirs != nil {
				f.Beside = append(f.Beside, figure.Peer{Name: crSQLite.name + " " + t.version(crSQLite.pkg) + ", in memory", Value: theirs[w.name], Min: 4})
				f.Note += fmt.Sprintf("; %.2g of raw inserts, cr-sqlite %.2g of its own (%.0f rows/s)", rate/raw, theirs[w.name]/theirs["raw"], theirs["raw"])
			}
			out = append(out, f)
		}
	})
	return out, err
}

// mergeCRSQLite gives cr-sqlite's rates by kind of work, and that of raw inserts in the same build.
func (t *trial) mergeCRSQLite() (rates map[string]float64, err error) {
	t.installPeers()
	cmd := exec.CommandContext(t.ctx, "node", "merge.mjs", strconv.Itoa(mergeRows), strconv.Itoa(mergeBatch))
	cmd.Dir = filepath.Join(t.root, peersDir)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("merge.mjs: %w", err)
	}
	return rates, json.Unmarshal(out, &rates)
}

// tenantFile opens an empty file as an edge does.
func (t *trial) tenantFile() *sql.DB {
	db, err := sqlite.Open(t.ctx, filepath.Join(t.TempDir(), "tenant.db"), sqlite.Options{CacheKB: 64 << 10})
	t.must(err)
	t.Cleanup(func() { db.Close() })
	t.must(store.Migrate(t.ctx, db))
	return db
}

func (t *trial) merge(txs []change.Tx) (rate float64) {
	db := t.tenantFile()
	start := time.Now()
	for from := 0; from < len(txs); from += mergeBatch {
		t.must(sqlite.Tx(t.ctx, db, func(tx *sql.Tx) error {
			_, err := store.Merge(t.ctx, tx, txs[from:min(from+mergeBatch, len(txs))]...)
			return err
		}))
	}
	return float64(len(txs)) / time.Since(start).Seconds()
}

// insertRaw writes the same rows without a question or a clock; the clock's column gets as many bytes as a merge writes.
func (t *trial) insertRaw(txs []change.Tx) (rate float64) {
	db := t.tenantFile()
	start := time.Now()
	for from := 0; from < len(txs); from += mergeBatch {
		t.must(sqlite.Tx(t.ctx, db, func(tx *sql.Tx) error {
			stmt, err := tx.PrepareContext(t.ctx, `INSERT INTO task (id, author, priority, project, rank, status, title, born, clock) VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?)`)
			if err != nil {
				return err
			}
			defer stmt.Close()
			for _, c := range txs[from:min(from+mergeBatch, len(txs))] {
				args := []any{string(c.Rows[0].ID)}
				for _, cell := range c.Rows[0].Cells {
					args = append(args, cell.Val.Any())
				}
				if _, err := stmt.ExecContext(t.ctx, append(args, make([]byte, 17))...); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	return float64(len(txs)) / time.Since(start).Seconds()
}

// workload makes n changes of one row each. A share of them creates tasks; the others set one column of one of the newest
// 2,000 tasks, and know the value that they replace.
func workload(n int, creating float64) []change.Tx {
	dice, src := rand.New(rand.NewPCG(1, 2)), rand.NewChaCha8([32]byte{1})
	at := time.UnixMilli(1_790_000_000_000)
	clock := hlc.NewClock(7, func() time.Time { at = at.Add(time.Millisecond); return at }, hlc.Stamp{})
	ana, project := id.New(at, src), id.New(at, src)
	var tasks []id.ID
	stamps := map[id.ID]map[string]hlc.Stamp{}
	rank := ""
	out := make([]change.Tx, n)
	for i := range out {
		s := clock.Now()
		c := change.Tx{Num: uint64(i + 1), Stamp: s, Actor: ana}
		if len(tasks) == 0 || dice.Float64() < creating {
			task := id.New(at, src)
			tasks = append(tasks, task)
			rank, _ = crdt.Between(rank, "", src) // the end of the list always has room
			c.Command = "task.create"
			c.Rows = []change.Row{{Table: "task", ID: task, Cells: []change.Cell{
				{Col: "author", Val: change.V(ana)}, {Col: "priority", Val: change.V(0)}, {Col: "project", Val: change.V(project)},
				{Col: "rank", Val: change.V(rank)}, {Col: "status", Val: change.V("todo")},
				{Col: "title", Val: change.V(fmt.Sprintf("Task %d: write down what was measured", i))}}}}
			stamps[task] = map[string]hlc.Stamp{"title": s, "status": s, "priority": s, "rank": s}
		} else {
			task := tasks[len(tasks)-1-dice.IntN(min(len(tasks), 2000))]
			col := []string{"title", "status", "priority", "rank"}[dice.IntN(4)]
			val := map[string]change.Value{"title": change.V(fmt.Sprint("New title ", i)), "status": change.V("doing"),
				"priority": change.V(i % 5), "rank": change.V(fmt.Sprintf("a0%05d", i))}[col]
			c.Command = "task.set"
			c.Rows = []change.Row{{Table: "task", ID: task, Cells: []change.Cell{{Col: col, Val: val, Base: stamps[task][col]}}}}
			stamps[task][col] = s
		}
		out[i] = c
	}
	return out
}
