// Package nodedb opens node.db: what one edge remembers besides its workspaces' own files. Each table belongs to the
// package that is named beside it in the schema; this package owns only the file and its versions.
package nodedb

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"

	"holdfast/sync/fault"
	"holdfast/sync/sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Open opens the file at path, creates it when it is missing, and brings it up to date.
func Open(ctx context.Context, path string) (*sql.DB, error) {
	const op = "nodedb.Open"
	db, err := sqlite.Open(ctx, path, sqlite.Options{CacheKB: cacheKB, Durable: true})
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	sub, err := fs.Sub(migrations, "migrations")
	if err == nil {
		err = sqlite.Migrate(ctx, db, sub)
	}
	if err != nil {
		db.Close()
		return nil, fault.Wrap(op, err)
	}
	return db, nil
}
