package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"holdfast/sync/change"
	"holdfast/sync/crdt"
	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/sqlite"
	"holdfast/sync/work"
)

var ctx = context.Background()

func at(ms int64) hlc.Stamp { return hlc.Make(ms, 0, 1) }

func taskTx(ms int64, task id.ID, set map[string]change.Value) change.Tx {
	r := change.Row{Table: "task", ID: task}
	for col, v := range set {
		r.Cells = append(r.Cells, change.Cell{Col: col, Val: v})
	}
	slices.SortFunc(r.Cells, func(a, b change.Cell) int { return strings.Compare(a.Col, b.Col) })
	return change.Tx{Stamp: at(ms), Actor: id.Derive("ana"), Rows: []change.Row{r}}
}

func newTask(ms int64, task id.ID) change.Tx {
	e := work.NewTask(work.TaskDraft{ID: task, Project: project, Title: "T", Status: work.Todo, Rank: "a0", Author: id.Derive("ana")})
	return taskTx(ms, task, e.Rows[0].Set)
}

func text(col, v string) map[string]change.Value { return map[string]change.Value{col: change.V(v)} }

// The SQL files and the schema in Go say the same: names, order and types of columns.
func TestSchemaAndSQLAgree(t *testing.T) {
	db := open(t)
	for _, table := range work.Tables {
		want := []string{"id TEXT"}
		for _, c := range table.Columns {
			want = append(want, c.Name+" "+map[change.Type]string{change.Int: "INTEGER", change.Text: "TEXT"}[c.Type])
		}
		want = append(want, "born INTEGER", "clock BLOB")
		var got []string
		rows, err := db.Query("SELECT name, type FROM pragma_table_info(?) ORDER BY cid", table.Name)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var name, typ string
			if err := rows.Scan(&name, &typ); err != nil {
				t.Fatal(err)
			}
			got = append(got, name+" "+typ)
		}
		rows.Close()
		if !slices.Equal(got, want) {
			t.Errorf("%s: SQL has %v, schema.go %v", table.Name, got, want)
		}
	}
}

// The queries that views live on use their indexes; without these a list of 100,000 tasks is a scan.
func TestIndexesServeViews(t *testing.T) {
	db := open(t)
	for _, c := range []struct{ query, index string }{
		{"SELECT id FROM task WHERE project=? AND status=? AND deleted IS NULL AND born=1 ORDER BY rank, id LIMIT 50", "task_place"},
		{"SELECT status, count(*) FROM task WHERE project=? AND deleted IS NULL AND born=1 GROUP BY status", "COVERING INDEX task_place"},
		{"SELECT id FROM task WHERE deleted IS NOT NULL ORDER BY deleted DESC", "task_deleted"},
		{"SELECT id FROM task WHERE assignee=?", "task_assignee"},
		{"SELECT id FROM comment WHERE task=?", "comment_task"},
		{"SELECT label FROM task_label WHERE task=?", "task_label_task"},
		{"SELECT task FROM task_label WHERE label=?", "task_label_label"},
		{"SELECT * FROM history WHERE row=? ORDER BY stamp", "PRIMARY KEY (row=?)"},
	} {
		rows, err := db.Query("EXPLAIN QUERY PLAN "+c.query, make([]any, strings.Count(c.query, "?"))...)
		if err != nil {
			t.Fatal(err)
		}
		plan := ""
		for rows.Next() {
			var a, b, n int
			var detail string
			if err := rows.Scan(&a, &b, &n, &detail); err != nil {
				t.Fatal(err)
			}
			plan += detail + "; "
		}
		rows.Close()
		if !strings.Contains(plan, c.index) || strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("%s\nplan %s; want %s and no sorting", c.query, plan, c.index)
		}
	}
}

func TestMigrate(t *testing.T) {
	db := open(t)
	merge(t, db, newTask(1, id.Derive("T")))
	before := digest(t, db)
	if err := Migrate(ctx, db); err != nil {
		t.Fatal(err)
	}
	if digest(t, db) != before {
		t.Fatal("migrating again changed the rows")
	}
	if _, err := db.Exec("INSERT INTO store_version VALUES (99)"); err != nil {
		t.Fatal(err)
	}
	if err := Migrate(ctx, db); fault.KindOf(err) != fault.Unsupported {
		t.Fatalf("a newer database: got %v, want unsupported", err)
	}
}

// Batches at, below and above the bounds of one statement end as single merges do.
func TestBatchBounds(t *testing.T) {
	for _, n := range []int{1, writeRows - 1, writeRows, writeRows + 1, readRows - 1, readRows, readRows + 1, 3*readRows + 5} {
		var txs []change.Tx
		for i := range n {
			task := id.Derive("T", fmt.Sprint(i))
			txs = append(txs, newTask(int64(i+1), task), taskTx(int64(1000+i), task, text("title", "new")), taskTx(int64(2000+i), id.Derive("only an edit", fmt.Sprint(i)), text("status", "done")))
		}
		a, b, c := open(t), open(t), open(t)
		if e := merge(t, a, txs...); len(e.Rows) != 2*n {
			t.Errorf("%d: %d rows touched, want %d", n, len(e.Rows), 2*n)
		}
		for _, tx := range txs {
			merge(t, b, tx)
		}
		merge(t, c, txs[:n]...)
		merge(t, c, txs[n:]...)
		if digest(t, a) != digest(t, b) || digest(t, a) != digest(t, c) {
			t.Errorf("%d changes: one batch, two batches and single merges differ", n)
		}
	}
}

func TestEffect(t *testing.T) {
	db, task := open(t), id.Derive("T")
	title, _ := work.TableOf("task").Column("title")
	e := merge(t, db, taskTx(5, task, text("title", "early")))
	if len(e.Rows) != 1 || e.Rows[0] != (Touched{"task", task, 1 << title, false}) {
		t.Fatalf("an edit before the creation: %+v", e)
	}
	e = merge(t, db, newTask(3, task))
	if len(e.Rows) != 1 || !e.Rows[0].New || e.Rows[0].Cols&(1<<title) != 0 || !e.Has("task") || e.Has("comment") {
		t.Fatalf("its creation: %+v", e)
	}
	if e = merge(t, db, newTask(3, task)); len(e.Rows) != 0 || len(e.Lost) != 0 {
		t.Fatalf("the same again: %+v", e)
	}
	blind := taskTx(9, task, text("title", "late"))
	e = merge(t, db, blind)
	if want := []Loser{{"task", task, "title", at(5)}}; !slices.Equal(e.Lost, want) {
		t.Fatalf("a blind write: lost %+v, want %+v", e.Lost, want)
	}
	e = merge(t, db, taskTx(7, task, text("title", "in between")))
	if want := []Loser{{"task", task, "title", at(7)}}; !slices.Equal(e.Lost, want) || len(e.Rows) != 0 {
		t.Fatalf("a late loser: %+v, want %+v", e, want)
	}
	known := taskTx(11, task, text("title", "last"))
	known.Rows[0].Cells[0].Base = at(9)
	if e = merge(t, db, known); len(e.Lost) != 0 {
		t.Fatalf("a knowing write: lost %+v", e.Lost)
	}
}

func TestMergeRefuses(t *testing.T) {
	db := open(t)
	before := digest(t, db)
	column := taskTx(2, id.Derive("T"), text("colour", "red"))
	table := newTask(1, id.Derive("T"))
	table.Rows[0].Table = "invoice"
	ended, cancel := context.WithCancel(ctx)
	cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
		tx   change.Tx
		kind fault.Kind
	}{
		{"unknown-column", ctx, column, fault.Unsupported},
		{"unknown-table", ctx, table, fault.Unsupported},
		{"no-stamp", ctx, taskTx(0, id.Derive("T"), nil).Restamp(hlc.Stamp{}), fault.Invalid},
		{"ended-context", ended, newTask(1, id.Derive("T")), fault.Unavailable},
	} {
		err := sqlite.Tx(ctx, db, func(tx *sql.Tx) error {
			_, err := Merge(c.ctx, tx, newTask(1, id.Derive("good")), c.tx)
			return err
		})
		if fault.KindOf(err) != c.kind {
			t.Errorf("%s: got %v, want %v", c.name, err, c.kind)
		}
	}
	if digest(t, db) != before {
		t.Error("a refused merge left something behind")
	}
}

// What a device shows over a row, and takes away again, leaves no trace.
func TestShow(t *testing.T) {
	task := id.Derive("T")
	for _, c := range []struct {
		name   string
		before []change.Tx
		shown  map[string]change.Value
	}{
		{"over-a-creation", []change.Tx{newTask(1, task)}, map[string]change.Value{"title": change.V("x"), "due": change.V("2026-01-01")}},
		{"over-an-edit", []change.Tx{newTask(1, task), taskTx(3, task, text("title", "y"))}, text("title", "x")},
		{"over-nothing", nil, text("title", "x")},
		{"over-a-row-not-born", []change.Tx{taskTx(3, task, text("title", "y"))}, text("status", "done")},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := open(t)
			merge(t, db, newTask(1, id.Derive("other")))
			merge(t, db, c.before...)
			want := digest(t, db)
			was, found, err := Get(ctx, db, "task", task)
			if err != nil {
				t.Fatal(err)
			}
			if !found {
				was = NewRow("task", task)
			}
			now := was.Clone()
			for col, v := range c.shown {
				n, _ := now.Table.Column(col)
				now.Cells[n] = crdt.Cell{Mark: crdt.Mark{Stamp: at(5)}, Val: v}
			}
			show := func(r Row) {
				t.Helper()
				if err := sqlite.Tx(ctx, db, func(tx *sql.Tx) error { return Show(ctx, tx, r) }); err != nil {
					t.Fatal(err)
				}
				got, _, err := Get(ctx, db, "task", task)
				if err != nil || !slices.Equal(got.Cells, r.Cells) && r.Known() {
					t.Fatalf("got %+v, %v; want %+v", got, err, r)
				}
				bornAgrees(t, db)
			}
			show(now)
			if digest(t, db) == want {
				t.Fatal("nothing is shown")
			}
			show(was)
			if digest(t, db) != want {
				t.Fatalf("not as before:\n%s", dump(t, db))
			}
		})
	}
}

func TestBuild(t *testing.T) {
	db, task, label := open(t), id.Derive("T"), id.Derive("L")
	merge(t, db, newTask(1, task), taskTx(3, task, text("title", "x")))
	build := func(e port.Edit) []change.Row {
		rows, err := Build(ctx, db, e.Rows)
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	rows := build(work.SetTask(task, map[string]any{"title": "y", "status": work.Todo, "due": "2026-01-01"}))
	want := []change.Cell{{Col: "due", Val: change.V("2026-01-01")}, {Col: "title", Val: change.V("y"), Base: at(3)}}
	if len(rows) != 1 || !slices.Equal(rows[0].Cells, want) {
		t.Errorf("got %+v, want %+v: the status stays as it is", rows, want)
	}
	if rows := build(work.RenameTask(task, "x")); len(rows) != 0 {
		t.Errorf("the same title again: %+v", rows)
	}
	if rows := build(work.LabelTask(task, label, false)); len(rows) != 0 {
		t.Errorf("a label that was never there taken off: %+v", rows)
	}
	for i, on := range []bool{true, false, true} {
		rows := build(work.LabelTask(task, label, on))
		cell := rows[0].Cells[slices.IndexFunc(rows[0].Cells, func(c change.Cell) bool { return c.Col == "present" })]
		if len(rows) != 1 || cell.Val.Int != int64(i+1) {
			t.Fatalf("length %d: %+v", i+1, rows)
		}
		merge(t, db, change.Tx{Stamp: at(int64(10 + i)), Actor: id.Derive("ana"), Rows: rows})
		if rows := build(work.LabelTask(task, label, on)); len(rows) != 0 {
			t.Errorf("the same again: %+v", rows)
		}
	}
	if rows := build(port.Edit{Rows: []port.EditRow{{Table: "invoice", ID: task, Set: text("x", "y")}}}); len(rows) != 1 {
		t.Errorf("an unknown table is work.Check's to refuse: %+v", rows)
	}
}

func TestKnown(t *testing.T) {
	db, task := open(t), id.Derive("T")
	merge(t, db, taskTx(3, task, text("title", "x")))
	if _, found, err := Known(ctx, db).Row("task", task); found || err != nil {
		t.Errorf("a row that is not born: found %v, %v", found, err)
	}
	merge(t, db, newTask(1, task))
	cells, found, err := Known(ctx, db).Row("task", task)
	if !found || err != nil || cells["title"] != change.V("x") || cells["status"] != change.V("todo") {
		t.Errorf("got %v, %v, %v", cells, found, err)
	}
	if _, _, err := Known(ctx, db).Row("invoice", task); fault.KindOf(err) != fault.Unsupported {
		t.Errorf("an unknown table: %v", err)
	}
}

// A workspace's only column is required, so each renaming sets all that a creation would: it is no creation for that.
func TestRenamingIsNoCreation(t *testing.T) {
	db, tenant := open(t), id.Derive("tenant")
	rename := func(ms int64, name, who string, base hlc.Stamp) change.Tx {
		return change.Tx{Stamp: at(ms), Actor: id.Derive(who), Rows: []change.Row{{Table: "workspace", ID: tenant, Cells: []change.Cell{{Col: "name", Val: change.V(name), Base: base}}}}}
	}
	merge(t, db, rename(1, "A", "ana", hlc.Stamp{}), rename(2, "B", "bo", at(1)), rename(3, "C", "ana", at(2)))
	list, _, err := History(ctx, db, "workspace", tenant)
	if err != nil || len(list) != 3 {
		t.Fatalf("got %+v, %v", list, err)
	}
	for i, want := range []Past{{Col: "name", Val: change.V("A"), Stamp: at(1)}, {Col: "name", Val: change.V("B"), Stamp: at(2), Base: at(1), Actor: id.Derive("bo")},
		{Col: "name", Val: change.V("C"), Stamp: at(3), Base: at(2), Actor: id.Derive("ana"), Now: true}} {
		if list[i] != want {
			t.Errorf("got %+v, want %+v", list[i], want)
		}
	}
}

// A damaged clock is told, never guessed at.
func TestDamagedClock(t *testing.T) {
	db, task := open(t), id.Derive("T")
	merge(t, db, newTask(1, task))
	for _, c := range []struct {
		name string
		with string
		kind fault.Kind
	}{
		{"cut", "UPDATE task SET clock=substr(clock, 1, length(clock)-1)", fault.Corrupt},
		{"column-of-the-future", "UPDATE task SET clock=x'007e00000000000000000000000000000001'", fault.Unsupported},
		{"real-number", "UPDATE task SET clock=x'00', priority=1.5", fault.Corrupt},
	} {
		if _, err := db.Exec(c.with); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Get(ctx, db, "task", task); fault.KindOf(err) != c.kind {
			t.Errorf("%s: got %v, want %v", c.name, err, c.kind)
		}
		if _, err := Digest(ctx, db); fault.KindOf(err) != c.kind {
			t.Errorf("%s: digest: got %v, want %v", c.name, err, c.kind)
		}
	}
}

func TestRowRoundTrip(t *testing.T) {
	db := open(t)
	r := NewRow("task", id.Derive("T"))
	r.Cells[1] = crdt.Cell{Mark: crdt.Mark{Stamp: at(5)}, Val: change.V("it's \U0001f600 \"quoted\"")}
	r.Cells[4] = crdt.Cell{Mark: crdt.Mark{Stamp: at(6), Birth: true}, Val: change.V(4)}
	r.Cells[9] = crdt.Cell{Mark: crdt.Mark{Stamp: at(7)}, Val: change.V(int64(1)<<53 + 1)}
	if err := sqlite.Tx(ctx, db, func(tx *sql.Tx) error { return Show(ctx, tx, r) }); err != nil {
		t.Fatal(err)
	}
	got, found, err := Get(ctx, db, "task", r.ID)
	if err != nil || !found || !slices.Equal(got.Cells, r.Cells) {
		t.Fatalf("got %+v, %v, %v; want %+v", got, found, err, r)
	}
}

// However often one row is created at once, each of its cells is judged once.
func TestManyCreationsOfOneRow(t *testing.T) {
	const many = 12_000
	db := open(t)
	task := id.Derive("T1")
	var txs []change.Tx
	for i := range many {
		tx := newTask(int64(1000+i), task)
		for j := range tx.Rows[0].Cells {
			if c := &tx.Rows[0].Cells[j]; c.Col == "title" {
				c.Val = change.V(fmt.Sprint("title ", i))
			}
		}
		txs = append(txs, tx)
	}
	err := sqlite.Tx(t.Context(), db, func(tx *sql.Tx) error {
		m := merger{ctx: t.Context(), tx: tx, slots: map[slotKey]*slot{}, doubts: map[doubtKey]*doubt{}}
		if err := errors.Join(m.load(txs), m.fold(txs)); err != nil {
			return err
		}
		if n, cols := len(m.doubts), len(work.TableOf("task").Columns); n == 0 || n > cols {
			t.Errorf("%d histories are read for %d columns", n, cols)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	e := merge(t, db, txs...)
	if len(e.Lost) != historyMax { // all that the history gives; the present one is not in it
		t.Errorf("%d writes lost", len(e.Lost))
	}
}
