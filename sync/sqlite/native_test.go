//go:build !js

package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"holdfast/sync/fault"
)

func pragma(t *testing.T, db *sql.DB, name string) (v string) {
	t.Helper()
	must(t, db.QueryRow("PRAGMA "+name).Scan(&v))
	return v
}

func TestSettings(t *testing.T) {
	for _, c := range []struct {
		name              string
		o                 Options
		cache, sync, mode string
	}{
		{"default", Options{}, "-512", "1", "wal"},
		{"large-cache", Options{CacheKB: 4000, MaxOpen: 4}, "-4000", "1", "wal"},
		{"durable", Options{Durable: true}, "-512", "2", "wal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			db, err := Open(ctx, newFiles(t).path("s.db"), c.o)
			must(t, err)
			defer db.Close()
			for name, want := range map[string]string{"cache_size": c.cache, "synchronous": c.sync, "journal_mode": c.mode,
				"busy_timeout": fmt.Sprint(busyTimeoutMS), "wal_autocheckpoint": fmt.Sprint(walPages), "foreign_keys": "0"} {
				if got := pragma(t, db, name); got != want {
					t.Errorf("%s is %s, want %s", name, got, want)
				}
			}
			if got := db.Stats().MaxOpenConnections; got != max(1, c.o.MaxOpen) {
				t.Errorf("%d connections", got)
			}
		})
	}
	memory := open(t, ":memory:")
	if got := pragma(t, memory, "cache_size"); got != "-512" {
		t.Errorf("in memory the settings are lost: cache_size is %s", got)
	}
	if _, err := os.Stat(":memory:"); err == nil {
		t.Error("a file called :memory: was made")
	}
	if _, err := Open(ctx, ":memory:", Options{MaxOpen: 2}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("got %v: each connection would have its own database", err)
	}
	if _, err := Open(ctx, "", Options{}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("got %v, want invalid", err)
	}
}

func TestPathsAreTakenAsTheyAre(t *testing.T) {
	for _, name := range []string{"a b.db", "what?.db", "no#1.db", "100%25.db", "ü&x=y.db", "semi;colon.db", "_pragma=query_only(1).db"} {
		path := newFiles(t).path(name)
		db := open(t, path)
		exec(t, db, "CREATE TABLE p (a)")
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Chdir(t.TempDir())
	open(t, "relative.db")
	if _, err := os.Stat("relative.db"); err != nil {
		t.Error(err)
	}
}

func TestSnapshot(t *testing.T) {
	f := newFiles(t)
	db, err := Open(ctx, f.path("s.db"), Options{MaxOpen: 2})
	must(t, err)
	defer db.Close()
	exec(t, db, "CREATE TABLE s (a)")
	exec(t, db, "INSERT INTO s VALUES (1)")
	copy := f.path("copy.db")
	tx, err := db.Begin() // a writer is at work
	must(t, err)
	exec(t, tx, "INSERT INTO s VALUES (2)")
	must(t, Snapshot(ctx, db, copy))
	must(t, tx.Commit())
	if err := Snapshot(ctx, db, copy); fault.KindOf(err) != fault.Conflict {
		t.Errorf("over a file: got %v, want conflict", err)
	}
	b, err := os.ReadFile(copy)
	must(t, err)
	if got := int(b[16])<<8 | int(b[17]); got != BrowserPageBytes {
		t.Errorf("pages of %d bytes, want %d", got, BrowserPageBytes)
	}
	if n := count(t, open(t, copy), "s"); n != 1 {
		t.Errorf("%d rows, want the committed one", n)
	}
	if got := pragma(t, db, "page_size"); got != "4096" {
		t.Errorf("the database itself has pages of %s", got)
	}
	missing := filepath.Join(f.path("no"), "such", "folder")
	if err := Snapshot(ctx, db, missing); err == nil {
		t.Error("a snapshot into a missing folder")
	}
}

// Two connections of one process, and the lock is waited for instead of failing at the first upgrade.
func TestWritersWaitForEachOther(t *testing.T) {
	path := newFiles(t).path("w.db")
	a, err := Open(ctx, path, Options{MaxOpen: 4})
	must(t, err)
	defer a.Close()
	b := open(t, path)
	exec(t, a, "CREATE TABLE w (n INTEGER)")
	exec(t, a, "INSERT INTO w VALUES (0)")
	var wg sync.WaitGroup
	for _, db := range []*sql.DB{a, a, b} {
		wg.Go(func() {
			for range 100 {
				err := Tx(ctx, db, func(tx *sql.Tx) error {
					var n int
					if err := tx.QueryRow("SELECT n FROM w").Scan(&n); err != nil {
						return err
					}
					_, err := tx.Exec("UPDATE w SET n = ?", n+1)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var n int
	must(t, a.QueryRow("SELECT n FROM w").Scan(&n))
	if n != 300 {
		t.Errorf("got %d, want 300: updates were lost", n)
	}
}

func TestBusyHasItsKind(t *testing.T) {
	path := newFiles(t).path("b.db")
	a, b := open(t, path), open(t, path)
	exec(t, b, "PRAGMA busy_timeout = 1")
	tx, err := a.Begin()
	must(t, err)
	defer tx.Rollback()
	if err := Tx(ctx, b, func(*sql.Tx) error { return nil }); !IsBusy(err) || fault.KindOf(err) != fault.Busy {
		t.Errorf("got %v, want busy", err)
	}
}

func TestReadersDoNotBlockTheWriter(t *testing.T) {
	db, err := Open(ctx, newFiles(t).path("r.db"), Options{MaxOpen: 2})
	must(t, err)
	defer db.Close()
	exec(t, db, "CREATE TABLE r (a)")
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	must(t, err)
	defer tx.Rollback()
	var n int
	must(t, tx.QueryRow("SELECT count(*) FROM r").Scan(&n))
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if _, err := db.ExecContext(short, "INSERT INTO r VALUES (1)"); err != nil {
		t.Errorf("a write beside a reading transaction: %v", err)
	}
}

func TestMigrateFromTwoProcesses(t *testing.T) {
	path := newFiles(t).path("m.db")
	fsys := fstest.MapFS{}
	for i := 1; i <= 20; i++ {
		fsys[fmt.Sprintf("%04d_step.sql", i)] = &fstest.MapFile{Data: fmt.Appendf(nil, "CREATE TABLE t%d (a)", i)}
	}
	var wg sync.WaitGroup
	for range 4 {
		db := open(t, path)
		wg.Go(func() {
			if err := Migrate(ctx, db, fsys); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := pragma(t, open(t, path), "user_version"); got != "20" {
		t.Errorf("version %s, want 20", got)
	}
}
