package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"holdfast/sync/change"
	"holdfast/sync/crdt"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
)

func absorb(t failer, into, from *sql.DB) {
	err := Absorb(context.Background(), from, func(f func(*sql.Tx) error) error { return sqlite.Tx(context.Background(), into, f) })
	if err != nil {
		t.Fatal(err)
	}
}

// TestAbsorbLaws: what two databases know, one taken into the other, is what merging all changes gives; twice is once.
func TestAbsorbLaws(t *testing.T) {
	all, a, b := open(t), open(t), open(t)
	rapid.Check(t, func(rt *rapid.T) {
		txs := genTxs(rt)
		for _, db := range []*sql.DB{all, a, b} {
			empty(rt, db)
		}
		for i, tx := range txs {
			merge(rt, all, tx)
			where := rapid.IntRange(1, 3).Draw(rt, fmt.Sprint("where", i))
			if where&1 != 0 {
				merge(rt, a, tx)
			}
			if where&2 != 0 {
				merge(rt, b, tx)
			}
		}
		for range 2 {
			absorb(rt, a, b)
			if digest(rt, a) != digest(rt, all) {
				rt.Fatalf("taken in and merged differ:\n%s\n%s", dump(rt, a), dump(rt, all))
			}
		}
		bornAgrees(rt, a)
		absorb(rt, b, a)
		if digest(rt, b) != digest(rt, all) {
			rt.Fatalf("the other way differs:\n%s\n%s", dump(rt, b), dump(rt, all))
		}
	})
}

// Pieces join without a gap or an overlap that matters.
func TestAbsorbInPieces(t *testing.T) {
	a, b := open(t), open(t)
	var txs []change.Tx
	for i := range absorbRows*2 + 1 {
		rank, err := crdt.Between("", "", slowDice{})
		if err != nil {
			t.Fatal(err)
		}
		row := id.Derive("project", fmt.Sprint(i))
		txs = append(txs,
			change.Tx{Stamp: hlc.Make(int64(i+1), 0, 7), Actor: id.Derive("ana"), Rows: []change.Row{{Table: "project", ID: row, Cells: []change.Cell{
				{Col: "color", Val: change.V("blue")}, {Col: "name", Val: change.V("was")}, {Col: "rank", Val: change.V(rank)}}}}},
			change.Tx{Stamp: hlc.Make(int64(i+1), 1, 7), Actor: id.Derive("ana"), Rows: []change.Row{{Table: "project", ID: row, Cells: []change.Cell{
				{Col: "name", Val: change.V("is"), Base: hlc.Make(int64(i+1), 0, 7)}}}}})
	}
	for chunk := range slices.Chunk(txs, 200) {
		merge(t, a, chunk...)
	}
	pieces := 0
	err := Absorb(t.Context(), a, func(f func(*sql.Tx) error) error { pieces++; return sqlite.Tx(t.Context(), b, f) })
	if err != nil {
		t.Fatal(err)
	}
	if digest(t, a) != digest(t, b) {
		t.Error("they differ")
	}
	if pieces != 3+5 { // rows, and twice as many entries of the history
		t.Errorf("pieces: got %d", pieces)
	}
}

type slowDice struct{}

func (slowDice) Read(b []byte) (int, error) { return len(b), nil }
