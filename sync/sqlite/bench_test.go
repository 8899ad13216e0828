package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// The benchmarks run natively (go test -bench . ./sync/sqlite) and in Chromium, over OPFS on the disk:
// go test -run TestBenchInChromium -v ./sync/sqlite -args -chromium-bench

const benchSchema = `CREATE TABLE task (id TEXT PRIMARY KEY, project TEXT NOT NULL, title TEXT, status TEXT, assignee TEXT, priority INTEGER,
	due INTEGER, rank TEXT, notes TEXT, created INTEGER, clock BLOB, stamp INTEGER NOT NULL) WITHOUT ROWID;
	CREATE INDEX task_list ON task (project, rank)`

const upsertTask = `INSERT INTO task VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET title=excluded.title, clock=excluded.clock,
	stamp=excluded.stamp WHERE excluded.stamp > stamp`

const upsertJSON = `INSERT INTO task SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8, value->>9,
	unhex(value->>10), value->>11 FROM json_each(?) WHERE true ON CONFLICT (id) DO UPDATE SET title=excluded.title, clock=excluded.clock,
	stamp=excluded.stamp WHERE excluded.stamp > stamp`

var benchClock = []byte("0123456789abcdef0123456789abcdef0123456789abcdef")

func task(i int, stamp int64) []any {
	return []any{fmt.Sprintf("0192f0c1%012x", i), fmt.Sprintf("project-%02d", i/1000), fmt.Sprintf("Task %d: write down what was measured", i), "open",
		"0192f0c1-member-17", int64(i % 5), int64(1764000000000) + int64(i), fmt.Sprintf("a%08d", i), "", int64(1764000000000), benchClock, stamp}
}

func benchDB(b *testing.B, rows int) *sql.DB {
	b.Helper()
	db := open(b, newFiles(b).path("bench.db"))
	exec(b, db, benchSchema)
	insertTasks(b, db, rows, 1<<60)
	return db
}

func insertTasks(b *testing.B, db *sql.DB, rows int, stamp int64) {
	b.Helper()
	must(b, Tx(context.Background(), db, func(tx *sql.Tx) error {
		s, err := tx.Prepare(upsertTask)
		if err != nil {
			return err
		}
		for i := range rows {
			if _, err := s.Exec(task(i, stamp)...); err != nil {
				return err
			}
		}
		return nil
	}))
}

// percentiles adds p50, p95 and max of the operations' times, in µs.
func percentiles(b *testing.B, times []time.Duration) {
	slices.Sort(times)
	at := func(p int) float64 { return float64(times[(len(times)-1)*p/100].Microseconds()) }
	b.ReportMetric(at(50), "p50-µs")
	b.ReportMetric(at(95), "p95-µs")
	b.ReportMetric(at(100), "max-µs")
}

func BenchmarkCommitOneRow(b *testing.B) {
	db := benchDB(b, 20_000)
	var times []time.Duration
	stamp := int64(1 << 61)
	for b.Loop() {
		stamp++
		start := time.Now()
		exec(b, db, upsertTask, task(rand.IntN(20_000), stamp)...)
		times = append(times, time.Since(start))
	}
	percentiles(b, times)
}

func BenchmarkCommitTx(b *testing.B) {
	db := benchDB(b, 20_000)
	exec(b, db, "CREATE TABLE outbox (n INTEGER PRIMARY KEY, body BLOB)")
	var times []time.Duration
	stamp := int64(1 << 61)
	for b.Loop() {
		stamp++
		start := time.Now()
		must(b, Tx(context.Background(), db, func(tx *sql.Tx) error {
			args := task(rand.IntN(20_000), stamp)
			var clock []byte
			if err := tx.QueryRow("SELECT clock FROM task WHERE id = ?", args[0]).Scan(&clock); err != nil {
				return err
			}
			if _, err := tx.Exec(upsertTask, args...); err != nil {
				return err
			}
			_, err := tx.Exec("INSERT INTO outbox (body) VALUES (?)", benchClock)
			return err
		}))
		times = append(times, time.Since(start))
	}
	percentiles(b, times)
}

func BenchmarkMerge20kPrepared(b *testing.B) {
	db := benchDB(b, 20_000)
	stamp := int64(1 << 61)
	for b.Loop() {
		stamp++
		insertTasks(b, db, 20_000, stamp)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/20_000, "µs/row")
}

func BenchmarkMerge20kReadAndWrite(b *testing.B) {
	db := benchDB(b, 20_000)
	stamp := int64(1 << 61)
	for b.Loop() {
		stamp++
		must(b, Tx(context.Background(), db, func(tx *sql.Tx) error {
			read, err := tx.Prepare("SELECT clock FROM task WHERE id = ?")
			if err != nil {
				return err
			}
			write, err := tx.Prepare("UPDATE task SET title = ?, clock = ? WHERE id = ?")
			if err != nil {
				return err
			}
			for i := range 20_000 {
				args := task(i, stamp)
				var clock []byte
				if err := read.QueryRow(args[0]).Scan(&clock); err != nil {
					return err
				}
				if _, err := write.Exec(args[2], clock, args[0]); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/20_000, "µs/row")
}

func BenchmarkMerge20kJSON(b *testing.B) {
	db := benchDB(b, 20_000)
	stamp := int64(1 << 61)
	for b.Loop() {
		stamp++
		must(b, Tx(context.Background(), db, func(tx *sql.Tx) error {
			for from := 0; from < 20_000; from += 5000 {
				batch := make([][]any, 5000)
				for i := range batch {
					batch[i] = task(from+i, stamp)
					batch[i][10] = fmt.Sprintf("%x", benchClock)
				}
				text, err := json.Marshal(batch)
				if err != nil {
					return err
				}
				if _, err := tx.Exec(upsertJSON, string(text)); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/20_000, "µs/row")
}

func BenchmarkQuery100x12(b *testing.B) {
	db := benchDB(b, 20_000)
	var id, project, title, status, assignee, rank, notes string
	var priority, due, created, stamp int64
	var clock []byte
	for b.Loop() {
		rows, err := db.Query("SELECT * FROM task WHERE project = ? ORDER BY rank LIMIT 100", fmt.Sprintf("project-%02d", rand.IntN(20)))
		must(b, err)
		n := 0
		for ; rows.Next(); n++ {
			must(b, rows.Scan(&id, &project, &title, &status, &assignee, &priority, &due, &rank, &notes, &created, &clock, &stamp))
		}
		if n != 100 || rows.Err() != nil {
			b.Fatal(n, rows.Err())
		}
	}
}

func BenchmarkPointRead(b *testing.B) {
	db := benchDB(b, 20_000)
	var clock []byte
	for b.Loop() {
		must(b, db.QueryRow("SELECT clock FROM task WHERE id = ?", task(rand.IntN(20_000), 0)[0]).Scan(&clock))
	}
}

func BenchmarkScan20kRows(b *testing.B) {
	db := benchDB(b, 20_000)
	var id, title string
	for b.Loop() {
		rows, err := db.Query("SELECT id, title FROM task")
		must(b, err)
		n := 0
		for ; rows.Next(); n++ {
			must(b, rows.Scan(&id, &title))
		}
		if n != 20_000 || rows.Err() != nil {
			b.Fatal(n, rows.Err())
		}
	}
}
