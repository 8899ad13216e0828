// Package sqlite opens SQLite databases, the same way in a process and in a browser's worker, and brings their schema up to date.
//
// Natively the driver is modernc.org/sqlite. Under js/wasm it is a database/sql driver of our own over the official
// SQLite WebAssembly build, which runs in the same worker and keeps its files in the origin private file system (OPFS).
//
// What callers may rely on, on both sides:
//   - BeginTx takes the write lock at once (BEGIN IMMEDIATE), unless TxOptions.ReadOnly is set. A transaction begun
//     inside another one on the same connection is refused.
//   - int64 is exact over its whole range; an empty blob is not NULL (scan into sql.Null[[]byte] to tell them apart);
//     text is UTF-8 and may contain NUL. Times are stored as integers: no column may be declared DATE, DATETIME or TIMESTAMP.
//   - A double-quoted word is always a name, never a string.
//   - A commit survives the death of the process or tab. After a power cut the last commits may be missing, the file is
//     never damaged, and Options.Durable closes that window.
//   - With MaxOpen 0 there is one connection: a statement on the *sql.DB while Rows or a Tx is open waits until it is closed.
//     Inside a Tx, reading rows and writing may interleave.
//   - A context that is done before a statement starts prevents it. Under js/wasm a running statement is not interrupted.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"holdfast/sync/fault"
)

// Options tune one database. The zero value is a small cache and one connection.
type Options struct {
	CacheKB  int  // page cache per connection, KiB; 0 means cacheKB
	ReadOnly bool // the file must exist; writes are refused
	MaxOpen  int  // connections; 0 means 1. Always 1 under js/wasm
	Durable  bool // each commit waits for the disk (synchronous=FULL): money, not work
}

// Tx runs fn in a write transaction: commits when fn returns nil, else rolls back and returns fn's error. A panic in fn rolls back too.
//
// Errors that come from SQLite have the kind that Wrap gives them. fn must use tx and not db, which may have no
// connection left and would wait for ever.
func Tx(ctx context.Context, db *sql.DB, fn func(*sql.Tx) error) error {
	const op = "sqlite.Tx"
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return Wrap(op, err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing; before, the error that led here counts
	if err := fn(tx); err != nil {
		return classify(op, err)
	}
	return Wrap(op, tx.Commit())
}

// Wait says whether the commits to come wait for the disk, as Options.Durable does for all. Turning it on makes the next
// commit carry those before it to the disk as well: they are one log. It must not be called inside a transaction.
func Wait(ctx context.Context, db *sql.DB, on bool) error {
	pragma := "PRAGMA synchronous=NORMAL"
	if on {
		pragma = "PRAGMA synchronous=FULL"
	}
	_, err := db.ExecContext(ctx, pragma)
	return Wrap("sqlite.Wait", err)
}

// worthKeeping leaves out statements that are run once, and pragmas, some of which act when they are compiled. BEGIN and
// COMMIT the native driver handles itself.
func worthKeeping(query string) bool {
	word, _, _ := strings.Cut(strings.TrimSpace(query), " ")
	switch strings.ToUpper(word) {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "REPLACE", "SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT":
		return true
	}
	return false
}

// Check reads the whole database and returns an error of kind Corrupt that names the first damage found. It costs one pass over the file.
func Check(ctx context.Context, db *sql.DB) error {
	const op = "sqlite.Check"
	var first string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&first); err != nil {
		return Wrap(op, err)
	}
	if first != "ok" {
		return fault.E(op, fault.Corrupt, errors.New(first))
	}
	return nil
}
