//go:build !js

package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
)

// Every way in which a kept statement could be used wrongly: twice at once, after eviction, after the schema changed,
// after an error, in the next transaction, and while the database closes.
func TestKeptStatements(t *testing.T) {
	ctx := context.Background()
	db, err := Open(ctx, filepath.Join(t.TempDir(), "kept.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	run := func(query string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(ctx, query, args...); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	run("CREATE TABLE t (a INTEGER PRIMARY KEY)")
	for i := range 3 {
		run("INSERT INTO t VALUES (?)", i)
	}
	if _, err := db.Exec("INSERT INTO t VALUES (?)", 1); !IsUnique(err) {
		t.Fatalf("got %v, want a conflict", err)
	}
	run("INSERT INTO t VALUES (?)", 3)

	t.Run("nested", func(t *testing.T) {
		pairs := 0
		err := Tx(ctx, db, func(tx *sql.Tx) error {
			const all = "SELECT a FROM t"
			outer, err := tx.QueryContext(ctx, all)
			if err != nil {
				return err
			}
			defer outer.Close()
			for outer.Next() {
				inner, err := tx.QueryContext(ctx, all)
				if err != nil {
					return err
				}
				for inner.Next() {
					pairs++
				}
				inner.Close()
			}
			return outer.Err()
		})
		if err != nil || pairs != 16 {
			t.Fatalf("got %d pairs, %v; want 16", pairs, err)
		}
	})
	t.Run("evicted", func(t *testing.T) {
		for round := range 2 {
			for i := range statementsMaxNative + 20 {
				var n int
				if err := db.QueryRow(fmt.Sprintf("SELECT count(*)+%d FROM t", i)).Scan(&n); err != nil || n != 4+i {
					t.Fatalf("round %d: got %d, %v; want %d", round, n, err, 4+i)
				}
			}
		}
	})
	t.Run("schema-changed", func(t *testing.T) {
		const all = "SELECT * FROM t LIMIT 1"
		columns := func() int {
			rows, err := db.Query(all)
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			c, _ := rows.Columns()
			for rows.Next() {
			}
			return len(c)
		}
		before := columns()
		run("ALTER TABLE t ADD COLUMN b")
		columns() // the first run after a change compiles anew
		if got := columns(); before != 1 || got != 2 {
			t.Fatalf("got %d and %d columns, want 1 and 2", before, got)
		}
	})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
