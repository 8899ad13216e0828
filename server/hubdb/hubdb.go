// Package hubdb opens the hub's database: people, their passkeys and sessions, workspaces and members, and the records
// that the directory must carry.
//
// It is one file, so that a change and the directory records that follow from it commit together. Every commit waits for
// the disk: what is decided here (who may enter, who may not any more) must not be undone by a power cut. Usage totals,
// which are written all the time and can be read again from the regions, have a file of their own.
package hubdb

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"path/filepath"

	"holdfast/sync/fault"
	"holdfast/sync/sqlite"
)

//go:embed sql/*.sql
var files embed.FS

// File is the database's name in the hub's data folder.
const File = "hub.db"

// Open opens the database in a folder, creates it when it is missing, and brings its schema up to date.
func Open(ctx context.Context, dir string) (*sql.DB, error) {
	const op = "hubdb.Open"
	db, err := sqlite.Open(ctx, filepath.Join(dir, File), sqlite.Options{CacheKB: cacheKB, MaxOpen: connectionsMax, Durable: true})
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	migrations, err := fs.Sub(files, "sql")
	if err == nil {
		err = sqlite.Migrate(ctx, db, migrations)
	}
	if err != nil {
		db.Close()
		return nil, sqlite.Wrap(op, err)
	}
	return db, nil
}
