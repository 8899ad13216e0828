package ingress

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strings"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/sqlite"
	"holdfast/sync/store"
)

// SnapshotPageBytes is the page size of a snapshot: in the browser every page written is one costly call.
const SnapshotPageBytes = 32 << 10

// Snapshot writes the workspace's rows as of one moment to a new SQLite file: the store's tables, and the table
// cursor(origin, seq) that says up to where the file holds each origin's log. It returns that cursor. A file-backed
// workspace goes on meanwhile; one in memory waits. On error nothing is left at path.
func (g *Ingress) Snapshot(ctx context.Context, path string) (change.Vector, error) {
	v, err := g.copy(ctx, path, nil)
	return v, fault.Wrap("ingress.Snapshot", err)
}

// copy writes a snapshot; more adds to it within the same moment.
func (g *Ingress) copy(ctx context.Context, path string, more func(context.Context, *sql.Conn) error) (v change.Vector, err error) {
	const op = "ingress.copy"
	if _, err := os.Stat(path); err == nil {
		return nil, fault.Errorf(op, fault.Conflict, "the file exists")
	}
	db, done, err := g.reader(ctx)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	defer done()
	v, err = copyTo(ctx, db, path, more)
	if err != nil {
		for _, suffix := range []string{"", "-journal", "-wal", "-shm"} {
			os.Remove(path + suffix) //nolint:errcheck // it may not be there
		}
		return nil, sqlite.Wrap(op, err)
	}
	return v, nil
}

// reader is a connection that reads the workspace beside the writer, or the writer itself when there is no file.
func (g *Ingress) reader(ctx context.Context) (db *sql.DB, done func(), err error) {
	var seq int
	var name, file string
	if err := g.cfg.DB.QueryRowContext(ctx, "PRAGMA database_list").Scan(&seq, &name, &file); err != nil {
		return nil, nil, sqlite.Wrap("ingress.reader", err)
	}
	if file == "" {
		g.mu.Lock()
		return g.cfg.DB, g.mu.Unlock, nil
	}
	// Writable, because a read-only connection could not write the attached file either.
	db, err = sqlite.Open(ctx, file, sqlite.Options{CacheKB: snapshotCacheKB})
	if err != nil {
		return nil, nil, fault.Wrap("ingress.reader", err)
	}
	return db, func() { db.Close() }, nil
}

func copyTo(ctx context.Context, db *sql.DB, path string, more func(context.Context, *sql.Conn) error) (v change.Vector, err error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if _, err := c.ExecContext(ctx, "ATTACH ? AS snap", path); err != nil {
		return nil, err
	}
	defer c.ExecContext(context.WithoutCancel(ctx), "DETACH snap") //nolint:errcheck // the connection ends with it
	// The file is thrown away when anything fails, so it needs no journal.
	for _, s := range []string{fmt.Sprintf("PRAGMA snap.page_size=%d", SnapshotPageBytes), "PRAGMA snap.journal_mode=OFF", "PRAGMA snap.synchronous=OFF", "BEGIN"} {
		if _, err := c.ExecContext(ctx, s); err != nil {
			return nil, err
		}
	}
	v, err = copyRows(ctx, c)
	if err == nil && more != nil {
		err = more(ctx, c)
	}
	if err != nil {
		c.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") //nolint:errcheck // the error that led here counts
		return nil, err
	}
	_, err = c.ExecContext(ctx, "COMMIT")
	return v, err
}

// copyRows copies tables into ones of the same form, indexes and all: then SQLite copies each tree in its order, without sorting
// (https://sqlite.org/src/file/src/insert.c, the transfer optimization), which takes two fifths of building the indexes afterwards.
func copyRows(ctx context.Context, c *sql.Conn) (change.Vector, error) {
	// The first read fixes the moment.
	v, err := cursorOf(ctx, c)
	if err != nil {
		return nil, err
	}
	tables, indexes, others, err := schema(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := create(ctx, c, append(slices.Clip(tables), indexes...)); err != nil {
		return nil, err
	}
	for _, t := range tables {
		if _, err := c.ExecContext(ctx, fmt.Sprintf(`INSERT INTO snap."%s" SELECT * FROM main."%[1]s"`, t.name)); err != nil {
			return nil, err
		}
	}
	if _, err := c.ExecContext(ctx, "CREATE TABLE snap.cursor(origin TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID"); err != nil {
		return nil, err
	}
	for _, o := range v.Origins() {
		if _, err := c.ExecContext(ctx, "INSERT INTO snap.cursor VALUES(?,?)", o, v[o]); err != nil {
			return nil, err
		}
	}
	return v, create(ctx, c, others)
}

func create(ctx context.Context, c *sql.Conn, objects []object) error {
	for _, o := range objects {
		if _, err := c.ExecContext(ctx, into(strings.ToUpper(o.kind), o.name, o.text)); err != nil {
			return err
		}
	}
	return nil
}

func cursorOf(ctx context.Context, c *sql.Conn) (change.Vector, error) {
	return vectorOf(c.QueryContext(ctx, "SELECT name, head FROM main.origin WHERE head > 0"))
}

// vectorOf reads rows of an origin and a sequence.
func vectorOf(rows *sql.Rows, err error) (change.Vector, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	v := change.Vector{}
	for rows.Next() {
		var name string
		var seq uint64
		if err := rows.Scan(&name, &seq); err != nil {
			return nil, err
		}
		v[name] = seq
	}
	return v, rows.Err()
}

type object struct{ kind, name, text string }

func schema(ctx context.Context, c *sql.Conn) (tables, indexes, others []object, err error) {
	rows, err := c.QueryContext(ctx, "SELECT type, name, tbl_name, sql FROM main.sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")
	if err != nil {
		return nil, nil, nil, err
	}
	defer rows.Close()
	wanted := store.Tables() // whatever else an edge keeps in the file is not the workspace's
	for rows.Next() {
		var o object
		var table string
		if err := rows.Scan(&o.kind, &o.name, &table, &o.text); err != nil {
			return nil, nil, nil, err
		}
		switch {
		case !slices.Contains(wanted, table) || strings.HasPrefix(o.name, "sqlite_"):
		case o.kind == "table":
			tables = append(tables, o)
		case o.kind == "index":
			indexes = append(indexes, o)
		default:
			others = append(others, o)
		}
	}
	return tables, indexes, others, rows.Err()
}

// into makes a CREATE statement, as SQLite keeps it ("CREATE TABLE name(…", "CREATE UNIQUE INDEX name ON …"), create the
// object in the snapshot.
func into(kind, name, text string) string {
	i := strings.Index(strings.ToUpper(text), kind) + len(kind)
	rest := strings.TrimLeft(text[i:], " \n\t")
	rest = strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(rest, `"`+name+`"`), name), `[`+name+`]`)
	return text[:i] + ` snap."` + name + `"` + rest
}
