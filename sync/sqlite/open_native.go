//go:build !js

package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	driver "modernc.org/sqlite"

	"holdfast/sync/fault"
)

// Open opens the database file at path and creates it when it is missing; its folder must exist. ":memory:" is a
// database that ends with its connection. A file that is not a database is an error of kind Corrupt.
func Open(ctx context.Context, path string, o Options) (*sql.DB, error) {
	const op = "sqlite.Open"
	dsn, err := dataSource(path, o)
	if err != nil {
		return nil, fault.E(op, fault.Invalid, err)
	}
	base, err := driver.NewConnector(dsn)
	if err != nil {
		return nil, Wrap(op, err)
	}
	db := sql.OpenDB(caching{base})
	db.SetMaxOpenConns(max(1, o.MaxOpen))
	db.SetMaxIdleConns(max(1, o.MaxOpen))
	var tables int
	// The pragmas alone do not read a read-only file; this does, so that damage is found here.
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		db.Close()
		return nil, Wrap(op, err)
	}
	return db, nil
}

// dataSource is the driver's name for the database. The order of the pragmas matters: without busy_timeout first,
// opening a file that another process just let go of can fail as busy.
func dataSource(path string, o Options) (string, error) {
	if path == "" {
		return "", fmt.Errorf("no path")
	}
	memory := path == ":memory:"
	if memory && o.MaxOpen > 1 {
		return "", fmt.Errorf("%s has one connection, not %d", path, o.MaxOpen)
	}
	kb := o.CacheKB
	if kb <= 0 {
		kb = cacheKB
	}
	sync := "NORMAL"
	if o.Durable {
		sync = "FULL"
	}
	q := url.Values{"_txlock": {"immediate"}, "_dqs": {"0"}}
	pragma := func(format string, args ...any) { q.Add("_pragma", fmt.Sprintf(format, args...)) }
	pragma("busy_timeout(%d)", busyTimeoutMS)
	if !o.ReadOnly {
		pragma("journal_mode(WAL)")
		pragma("synchronous(%s)", sync)
		pragma("wal_autocheckpoint(%d)", walPages)
		pragma("journal_size_limit(%d)", walPages*4096)
	}
	pragma("cache_size(-%d)", kb)
	pragma("foreign_keys(0)")
	if memory {
		return path + "?" + q.Encode(), nil
	}
	if o.ReadOnly {
		q.Set("mode", "ro")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	// A file URI, so that '?', '#' and '%' in a folder's name do not end the path.
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(abs)}
	return strings.Replace(u.String(), "file:///", "file:/", 1) + "?" + q.Encode(), nil
}
