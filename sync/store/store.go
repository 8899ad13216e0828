// Package store keeps a workspace's rows in SQLite and merges changes into them. The same code runs at the edge and in the
// browser.
//
// Each table of package work is one SQLite table with typed columns, so that views query it with plain SQL and an owner
// can read a downloaded workspace with any tool. Beside the values a row has its packed clock.
//
// What callers may rely on:
//   - Merge is idempotent, and any two databases into which the same transactions were merged, in whatever order and
//     however often, have the same Digest.
//   - A row may be known in part only: an edit can arrive before the creation, which comes from another region. Such a
//     row is in its table with born = 0 and is not shown.
//   - Losing a conflict loses no text: history has every value that was replaced.
//   - Nothing here checks who may do what: that is work.Check, once, at the edge that takes a change in.
//
// SQL text is built from the schema once at start, and repeated word for word, so that the driver can cache statements.
package store

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"

	"holdfast/sync/fault"
	"holdfast/sync/sqlite"
)

// Q is what reads: a *sql.DB, *sql.Conn or *sql.Tx.
type Q interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

//go:embed schema/*.sql
var schema embed.FS

// Migrate creates the store's tables or brings them up to date. Their version is in the table store_version, because
// PRAGMA user_version belongs to whoever keeps further tables in the same database.
//
// A database of a newer version is Unsupported and is left as it is.
func Migrate(ctx context.Context, db *sql.DB) error {
	const op = "store.Migrate"
	files, err := fs.Glob(schema, "schema/*.sql")
	if err != nil {
		return fault.E(op, fault.Other, err)
	}
	return fault.Wrap(op, sqlite.Tx(ctx, db, func(tx *sql.Tx) error {
		const begin = `CREATE TABLE IF NOT EXISTS store_version (version INTEGER NOT NULL)`
		if _, err := tx.ExecContext(ctx, begin); err != nil {
			return err
		}
		var have int
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM store_version`).Scan(&have); err != nil {
			return err
		}
		if have > len(files) {
			return fault.Errorf(op, fault.Unsupported, "the rows have version %d, this program knows %d: update the program", have, len(files))
		}
		for i := have; i < len(files); i++ {
			text, err := schema.ReadFile(files[i])
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, string(text)); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO store_version (version) VALUES (?)`, i+1); err != nil {
				return err
			}
		}
		return nil
	}))
}

// Tables are the names of all tables that belong to the store, in the order of creation: what a snapshot holds.
func Tables() []string {
	names := []string{"store_version"}
	for _, t := range layouts {
		names = append(names, t.Name)
	}
	return append(names, "history")
}
