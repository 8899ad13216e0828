package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"sort"
	"strconv"
	"strings"

	"holdfast/sync/fault"
)

type migration struct {
	version int
	name    string
}

// Migrate runs the files of fsys named NNNN_words.sql whose number is above the database's PRAGMA user_version, in
// order, each in one transaction that also raises user_version to the file's number.
//
// Numbers start at 1 and have no gaps. A database newer than the newest file is refused with kind Unsupported, and
// nothing is changed. Two processes may migrate the same file at once: each migration runs in one of them.
func Migrate(ctx context.Context, db *sql.DB, fsys fs.FS) error {
	const op = "sqlite.Migrate"
	list, err := migrations(fsys)
	if err != nil {
		return fault.E(op, fault.Invalid, err)
	}
	have, err := version(ctx, db)
	if err != nil {
		return Wrap(op, err)
	}
	if have > len(list) {
		return fault.Errorf(op, fault.Unsupported, "the database has version %d, this program knows %d: update the program", have, len(list))
	}
	for _, m := range list[have:] {
		if err := apply(ctx, db, fsys, m); err != nil {
			return fmt.Errorf("%s: %s: %w", op, m.name, err)
		}
	}
	return nil
}

type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func version(ctx context.Context, q queryer) (v int, err error) {
	err = q.QueryRowContext(ctx, "PRAGMA user_version").Scan(&v)
	return v, err
}

func apply(ctx context.Context, db *sql.DB, fsys fs.FS, m migration) error {
	text, err := fs.ReadFile(fsys, m.name)
	if err != nil {
		return err
	}
	if len(text) > migrationBytesMax {
		return fault.Errorf("sqlite.Migrate", fault.TooLarge, "%d bytes, at most %d", len(text), migrationBytesMax)
	}
	return Tx(ctx, db, func(tx *sql.Tx) error {
		have, err := version(ctx, tx)
		if err != nil || have >= m.version {
			return err // another process was faster, inside its own transaction
		}
		if _, err := tx.ExecContext(ctx, string(text)); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version=%d", m.version))
		return err
	})
}

func migrations(fsys fs.FS) ([]migration, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	var list []migration
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".sql") {
			continue
		}
		digits, _, ok := strings.Cut(e.Name(), "_")
		n, err := strconv.Atoi(digits)
		if !ok || err != nil {
			return nil, fmt.Errorf("%s: the name of a migration is a number, _ and words", e.Name())
		}
		list = append(list, migration{n, e.Name()})
	}
	sort.Slice(list, func(i, j int) bool { return list[i].version < list[j].version })
	for i, m := range list {
		if m.version != i+1 {
			return nil, fmt.Errorf("%s: expected number %d here", m.name, i+1)
		}
	}
	return list, nil
}
