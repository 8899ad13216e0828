package store

import (
	"context"
	"database/sql"
	"testing"

	"pgregory.net/rapid"

	"holdfast/sync/change"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
	"holdfast/sync/work"
)

// open gives an empty database with the store's tables.
func open(t interface {
	Helper()
	Fatal(...any)
	Cleanup(func())
}) *sql.DB {
	t.Helper()
	prepare(t)
	db, err := sqlite.Open(context.Background(), ":memory:", sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := Migrate(context.Background(), db); err != nil {
		t.Fatal(err)
	}
	return db
}

// empty takes all rows out.
func empty(t failer, db *sql.DB) {
	for _, table := range Tables()[1:] {
		if _, err := db.Exec("DELETE FROM " + table); err != nil {
			t.Fatal(err)
		}
	}
}

type failer interface{ Fatal(...any) }

func merge(t failer, db *sql.DB, txs ...change.Tx) (e Effect) {
	err := sqlite.Tx(context.Background(), db, func(tx *sql.Tx) (err error) {
		e, err = Merge(context.Background(), tx, txs...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func digest(t failer, db *sql.DB) [32]byte {
	d, err := Digest(context.Background(), db)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// bornAgrees compares what readers filter by with what the clock says.
func bornAgrees(t interface{ Fatalf(string, ...any) }, db *sql.DB) {
	for _, l := range layouts {
		rows, err := db.Query("SELECT id, born FROM " + l.Name)
		if err != nil {
			t.Fatalf("%v", err)
		}
		born := map[id.ID]bool{}
		for rows.Next() {
			var row string
			var b bool
			if err := rows.Scan(&row, &b); err != nil {
				t.Fatalf("%v", err)
			}
			born[id.ID(row)] = b
		}
		rows.Close()
		for row, b := range born {
			if r, _, err := Get(context.Background(), db, l.Name, row); err != nil || r.Born() != b {
				t.Fatalf("%s %s: the table says born %v, the clock %v (%v)", l.Name, row, b, r.Born(), err)
			}
		}
	}
}

// genTxs draws changes that hit few rows, stamps and values, so that they collide in every way: creations, edits of rows
// not created yet, equal stamps with different values, lengths, whole rows written twice.
func genTxs(t *rapid.T) []change.Tx {
	stamp := rapid.Custom(func(t *rapid.T) hlc.Stamp {
		return hlc.Make(rapid.Int64Range(1, 6).Draw(t, "ms"), 0, rapid.Uint64Range(1, 3).Draw(t, "replica"))
	})
	tx := rapid.Custom(func(t *rapid.T) change.Tx {
		out := change.Tx{Stamp: stamp.Draw(t, "stamp"), Actor: id.Derive(rapid.SampledFrom([]string{"ana", "bo"}).Draw(t, "actor"))}
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"task", "task_label", "project", "workspace"}), 1, 2, rapid.ID[string]).Draw(t, "tables") {
			row := change.Row{Table: name, ID: id.Derive(name, rapid.SampledFrom([]string{"1", "2"}).Draw(t, "row"))}
			whole := rapid.Bool().Draw(t, "whole")
			for _, col := range work.TableOf(name).Columns {
				if !(whole && col.Required) && !rapid.Bool().Draw(t, col.Name) {
					continue
				}
				c := change.Cell{Col: col.Name, Val: genValue(t, col)}
				if !whole && rapid.Bool().Draw(t, "based") {
					c.Base = stamp.Draw(t, "base")
				}
				row.Cells = append(row.Cells, c)
			}
			out.Rows = append(out.Rows, row)
		}
		return out
	})
	return rapid.SliceOfN(tx, 1, 12).Draw(t, "txs")
}

func genValue(t *rapid.T, col work.Column) change.Value {
	switch {
	case col.Merge == work.Length:
		return change.V(rapid.Int64Range(1, 4).Draw(t, "length"))
	case col.Null && rapid.Bool().Draw(t, "null"):
		return change.Value{}
	case col.Type == change.Int:
		return change.V(rapid.Int64Range(0, 2).Draw(t, "int"))
	}
	return change.V(rapid.SampledFrom([]string{"", "a", "b", "it's"}).Draw(t, "text"))
}

// TestMergeLaws: any order, any grouping, any repetition of the same changes ends in equal stores.
func TestMergeLaws(t *testing.T) {
	a, b := open(t), open(t)
	rapid.Check(t, func(rt *rapid.T) {
		txs := genTxs(rt)
		empty(rt, a)
		empty(rt, b)
		merge(rt, a, txs...)
		again := append(append([]change.Tx(nil), txs...), rapid.SliceOfN(rapid.SampledFrom(txs), 0, 5).Draw(rt, "repeated")...)
		for _, tx := range rapid.Permutation(again).Draw(rt, "order") {
			merge(rt, b, tx)
		}
		if digest(rt, a) != digest(rt, b) {
			rt.Fatalf("one batch and one by one in another order differ:\n%s\n%s", dump(rt, a), dump(rt, b))
		}
		bornAgrees(rt, a)
		bornAgrees(rt, b)
		before := digest(rt, b)
		if e := merge(rt, b, txs...); len(e.Rows) != 0 {
			rt.Fatalf("merging again touched %v", e.Rows)
		}
		if digest(rt, b) != before {
			rt.Fatal("merging again changed the store")
		}
	})
}
