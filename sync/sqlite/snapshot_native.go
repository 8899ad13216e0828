//go:build !js

package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"os"

	"holdfast/sync/fault"
)

// Snapshot writes a compact copy of db, as of one moment, to a new file at path, ready to be imported by a browser.
// Writers go on meanwhile when db has more than one connection. On error nothing is left at path.
func Snapshot(ctx context.Context, db *sql.DB, path string) error {
	const op = "sqlite.Snapshot"
	if _, err := os.Stat(path); err == nil {
		return fault.Errorf(op, fault.Conflict, "the file exists")
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return Wrap(op, err)
	}
	defer conn.Close()
	// In WAL mode the setting is for the copy only: the database itself keeps its page size.
	if _, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA page_size=%d", BrowserPageBytes)); err != nil {
		return Wrap(op, err)
	}
	if _, err := conn.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		os.Remove(path)
		return Wrap(op, err)
	}
	return nil
}
