package store

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/crdt"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
)

// Figures in RATIONALE.md: rows changed per second, merged in transactions of batch changes, beside plain inserts of the
// same rows into the same tables with the same driver.
//
//	go test -run xxx -bench . -benchtime 100000x ./sync/store
//	go test -run TestBenchInChromium -v ./sync/store -args -chromium-bench

const batch = 500

func benchOpen(b *testing.B) *sql.DB {
	b.Helper()
	db, err := sqlite.Open(context.Background(), benchFile(b), sqlite.Options{CacheKB: 64 << 10})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	if err := Migrate(context.Background(), db); err != nil {
		b.Fatal(err)
	}
	return db
}

// work1 makes n changes of one row each. A share of them creates tasks; the others set one column of one of the newest
// 2,000 tasks, and know the value that they replace.
func work1(n int, creating float64) []change.Tx {
	dice := rand.New(rand.NewPCG(1, 2))
	src := rand.NewChaCha8([32]byte{1})
	at := time.UnixMilli(1_790_000_000_000)
	clock := hlc.NewClock(7, func() time.Time { at = at.Add(time.Millisecond); return at }, hlc.Stamp{})
	ana, project := id.New(at, src), id.New(at, src)
	var tasks []id.ID
	stamps := map[id.ID]map[string]hlc.Stamp{}
	rank := ""
	out := make([]change.Tx, n)
	for i := range out {
		s := clock.Now()
		t := change.Tx{Num: uint64(i + 1), Stamp: s, Actor: ana}
		if len(tasks) == 0 || dice.Float64() < creating {
			task := id.New(at, src)
			tasks = append(tasks, task)
			rank, _ = crdt.Between(rank, "", src)
			t.Command = "task.create"
			t.Rows = []change.Row{{Table: "task", ID: task, Cells: []change.Cell{
				{Col: "author", Val: change.V(ana)}, {Col: "priority", Val: change.V(0)}, {Col: "project", Val: change.V(project)},
				{Col: "rank", Val: change.V(rank)}, {Col: "status", Val: change.V("todo")},
				{Col: "title", Val: change.V(fmt.Sprintf("Task %d: write down what was measured", i))}}}}
			stamps[task] = map[string]hlc.Stamp{"title": s, "status": s, "priority": s, "rank": s}
		} else {
			task := tasks[len(tasks)-1-dice.IntN(min(len(tasks), 2000))]
			col := []string{"title", "status", "priority", "rank"}[dice.IntN(4)]
			val := map[string]change.Value{"title": change.V(fmt.Sprint("New title ", i)), "status": change.V("doing"), "priority": change.V(i % 5), "rank": change.V(fmt.Sprintf("a0%05d", i))}[col]
			t.Command = "task.set"
			t.Rows = []change.Row{{Table: "task", ID: task, Cells: []change.Cell{{Col: col, Val: val, Base: stamps[task][col]}}}}
			stamps[task][col] = s
		}
		out[i] = t
	}
	return out
}

func report(b *testing.B, start time.Duration) {
	used := cpuTime() - start
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	if used > 0 {
		b.ReportMetric(float64(used.Microseconds())/float64(b.N), "cpu-µs/row")
	}
}

func BenchmarkMerge(b *testing.B) {
	for _, w := range []struct {
		name     string
		creating float64
		each     int
	}{{"creations", 1, batch}, {"mixed", 0.4, batch}, {"edits", 0.01, batch}, {"mixed-one-by-one", 0.4, 1}} {
		b.Run(w.name, func(b *testing.B) {
			db := benchOpen(b)
			txs := work1(b.N, w.creating)
			ctx := context.Background()
			b.ResetTimer()
			start := cpuTime()
			for from := 0; from < len(txs); from += batch {
				err := sqlite.Tx(ctx, db, func(tx *sql.Tx) error {
					part := txs[from:min(from+batch, len(txs))]
					for i := 0; i < len(part); i += w.each {
						if _, err := Merge(ctx, tx, part[i:min(i+w.each, len(part))]...); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			report(b, start)
		})
	}
}

func BenchmarkRawInsert(b *testing.B) {
	db := benchOpen(b)
	txs := work1(b.N, 1)
	ctx := context.Background()
	l := layoutOf["task"]
	b.ResetTimer()
	start := cpuTime()
	for from := 0; from < len(txs); from += batch {
		err := sqlite.Tx(ctx, db, func(tx *sql.Tx) error {
			stmt, err := tx.Prepare(l.insert1)
			if err != nil {
				return err
			}
			defer stmt.Close()
			for _, t := range txs[from:min(from+batch, len(txs))] {
				r := NewRow("task", t.Rows[0].ID)
				for _, c := range t.Rows[0].Cells {
					n, _ := l.Column(c.Col)
					r.Cells[n] = crdt.Cell{Mark: crdt.Mark{Stamp: t.Stamp, Birth: true}, Val: c.Val}
				}
				if _, err := stmt.Exec(r.args(nil)...); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	report(b, start)
}
