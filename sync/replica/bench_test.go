package replica_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/replica"
	"holdfast/sync/work"
)

const benchTasks = 100_000

// large is a replica of a workspace with 20 projects, 100,000 tasks and as many comments, which it got from the log.
func large(b *testing.B, tasks int) *device {
	b.Helper()
	ctx := context.Background()
	d := &device{path: tempDB(b), member: ana, now: start, rnd: rand.NewChaCha8([32]byte{1})}
	d.db = openDB(b, d.path)
	d.Replica = replica.New(replica.Config{DB: d.db, Tenant: tenant, Member: ana, Now: func() time.Time { d.now = d.now.Add(time.Millisecond); return d.now },
		Rand: d.rnd, Schedule: func(run func()) { d.runs = append(d.runs, run) }})
	must(b, d.Open(ctx))
	seq := uint64(0)
	var batch []change.Entry
	add := func(t change.Tx) {
		seq++
		batch = append(batch, change.Entry{Origin: "eu", Seq: seq, Tx: t})
		if len(batch) == 5000 {
			_, err := d.Apply(ctx, batch)
			must(b, err)
			batch = batch[:0]
		}
	}
	stamp := func() hlc.Stamp { return hlc.Make(start.UnixMilli()+int64(seq), 0, 3) }
	add(workspaceTx())
	add(memberTx(ana, "Ana", work.Owner))
	row := func(e port.Edit) {
		t := change.Tx{Stamp: stamp(), Actor: ana, Command: e.Command}
		for _, r := range e.Rows {
			row := change.Row{Table: r.Table, ID: r.ID}
			for _, col := range sortedKeys(r.Set) {
				row.Cells = append(row.Cells, change.Cell{Col: col, Val: r.Set[col]})
			}
			t.Rows = append(t.Rows, row)
		}
		add(t)
	}
	for p := range 20 {
		row(work.NewProject(projectID(p), fmt.Sprint("Project ", p), "red", fmt.Sprintf("a0%02dV", p)))
	}
	for i := range tasks {
		row(work.NewTask(work.TaskDraft{ID: benchID(i), Project: projectID(i % 20), Title: fmt.Sprintf("Task number %d has a title of common length", i),
			Status: work.Statuses[i%6], Priority: i % 5, Rank: fmt.Sprintf("a0%06dV", i), Author: ana}))
		row(work.NewComment(id.New(start.Add(time.Duration(i)*time.Millisecond), d.rnd), benchID(i), ana, "A comment with a sentence or two, as people write them."))
	}
	_, err := d.Apply(ctx, batch)
	must(b, err)
	return d
}

func sortedKeys(m map[string]change.Value) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	for i := range keys {
		for j := i; j > 0 && keys[j] < keys[j-1]; j-- {
			keys[j], keys[j-1] = keys[j-1], keys[j]
		}
	}
	return keys
}

func projectID(i int) id.ID { return id.Derive("bench project", fmt.Sprint(i)) }
func benchID(i int) id.ID {
	return id.New(start.Add(time.Duration(i)*time.Millisecond), rand.NewChaCha8([32]byte{byte(i), byte(i >> 8), byte(i >> 16)}))
}

// BenchmarkReplica measures what a person waits for, in a workspace of 100,000 tasks.
func BenchmarkReplica(b *testing.B) {
	started := time.Now()
	d := large(b, benchTasks)
	b.Logf("%d tasks and comments applied in %v", benchTasks, time.Since(started).Round(time.Millisecond))
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			r := replica.New(replica.Config{DB: d.db, Tenant: tenant, Member: ana})
			must(b, r.Open(context.Background()))
		}
	})
	view := func(name string, query port.Query) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				var got port.Result
				d.Watch(1, query, func(r port.Result) { got = r })
				d.tick()
				if got.Error != nil {
					b.Fatal(got.Error)
				}
			}
		})
		d.Unwatch(1)
	}
	view("frame", port.Query{Kind: port.Frame})
	view("list", port.Query{Kind: port.Tasks, Project: projectID(1), Status: work.Todo, Limit: 60})
	view("list-far", port.Query{Kind: port.Tasks, Project: projectID(1), Status: work.Todo, Limit: 60, Offset: 4000})
	view("list-all-projects", port.Query{Kind: port.Tasks, Status: work.Todo, Limit: 60})
	view("list-all-far", port.Query{Kind: port.Tasks, Status: work.Todo, Limit: 60, Offset: 16000})
	view("counts", port.Query{Kind: port.Counts, Project: projectID(1)})
	view("counts-all", port.Query{Kind: port.Counts})
	view("text-one-project", port.Query{Kind: port.Tasks, Project: projectID(1), Status: work.Todo, Limit: 60, Filter: port.Filter{Text: "number 77"}})
	view("text-all-projects", port.Query{Kind: port.Tasks, Status: work.Todo, Limit: 60, Filter: port.Filter{Text: "number 77"}})
	view("counts-text-all", port.Query{Kind: port.Counts, Filter: port.Filter{Text: "number 77"}})
	view("detail", port.Query{Kind: port.Detail, Task: benchID(1)})
	n := 0
	b.Run("do", func(b *testing.B) {
		for b.Loop() {
			n++
			_, err := d.Do(context.Background(), port.Edit{Key: id.New(d.now, d.rnd), Command: "task.rename", Rows: work.RenameTask(benchID(n%benchTasks), fmt.Sprint("Renamed ", n)).Rows})
			must(b, err)
		}
	})
	b.Run("do-and-redraw", func(b *testing.B) {
		d.Watch(1, port.Query{Kind: port.Frame}, func(port.Result) {})
		for i, s := range work.Statuses {
			d.Watch(2+i, port.Query{Kind: port.Tasks, Project: projectID(1), Status: s, Limit: 60}, func(port.Result) {})
		}
		d.Watch(9, port.Query{Kind: port.Counts, Project: projectID(1)}, func(port.Result) {})
		d.tick()
		for b.Loop() {
			n++
			_, err := d.Do(context.Background(), port.Edit{Key: id.New(d.now, d.rnd), Command: "task.status", Rows: work.SetStatus(benchID(1+20*(n%60)), work.Statuses[(n+n/60)%6]).Rows})
			must(b, err)
			d.tick()
		}
	})
	b.Run("reload-with-pending", func(b *testing.B) {
		for b.Loop() {
			r := replica.New(replica.Config{DB: d.db, Tenant: tenant, Member: ana})
			must(b, r.Open(context.Background()))
		}
		b.ReportMetric(float64(d.Counts().Waiting), "pending")
	})
}

// BenchmarkApply measures entries merged a second, with and without pending changes on the same rows.
func BenchmarkApply(b *testing.B) {
	d := large(b, 1000)
	seq := d.Cursor()["eu"]
	for b.Loop() {
		var batch []change.Entry
		for i := range 500 {
			seq++
			batch = append(batch, change.Entry{Origin: "eu", Seq: seq, Tx: change.Tx{Stamp: hlc.Make(start.UnixMilli()+int64(seq), 0, 3), Actor: ana, Command: "task.rename",
				Rows: []change.Row{{Table: "task", ID: benchID(i), Cells: []change.Cell{{Col: "title", Val: change.V(fmt.Sprint(seq))}}}}}})
		}
		_, err := d.Apply(context.Background(), batch)
		must(b, err)
	}
	b.ReportMetric(float64(b.N*500)/b.Elapsed().Seconds(), "entries/s")
	if _, err := json.Marshal(d.Counts()); err != nil {
		b.Fatal(err)
	}
}
