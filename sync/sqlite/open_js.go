//go:build js

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"holdfast/sync/fault"
)

// walPagesJS is the size of the log, in pages of 32 KiB, from which a commit also moves the log into the database.
// That commit is the slowest one: 128 pages keep it within a frame (RATIONALE.md).
const walPagesJS = 128

// validName keeps names free of what a URL or the log's suffix would change: words of letters, digits, _ and dots, joined by
// single dashes, the first not beginning with a dot. (Package regexp would be a twentieth of the worker.)
func validName(name string) bool {
	for i, word := range strings.Split(name, "-") {
		if word == "" || i == 0 && word[0] == '.' || strings.Trim(word, nameChars) != "" {
			return false
		}
	}
	return true
}

const nameChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_."

// Open opens the database called path in the worker's pool and creates it when it is missing. ":memory:" is a database
// that ends with its connection. A file that is not a database is an error of kind Corrupt, one that is open already of kind Busy.
//
// It opens the pool with its default settings when OpenPool was not called before.
func Open(ctx context.Context, path string, o Options) (*sql.DB, error) {
	const op = "sqlite.Open"
	if err := checkName(path); err != nil && path != ":memory:" {
		return nil, fault.E(op, fault.Invalid, err)
	}
	if _, err := OpenPool(ctx, PoolConfig{}); err != nil {
		return nil, Wrap(op, err)
	}
	db := sql.OpenDB(&connector{theBridge, path, o})
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	if err := db.PingContext(ctx); err != nil {
		db.Close()
		return nil, Wrap(op, err)
	}
	return db, nil
}

func checkName(name string) error {
	switch {
	case len(name) > nameBytesMax:
		return fmt.Errorf("the name has %d bytes, at most %d", len(name), nameBytesMax)
	case !validName(name):
		return errors.New("the name may have letters, digits, '_', '.' and single '-'")
	case len(name) > 4 && name[len(name)-4:] == "-wal", len(name) > 8 && name[len(name)-8:] == "-journal":
		return errors.New("the ending is that of a log")
	}
	return nil
}
