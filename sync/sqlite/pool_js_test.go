//go:build js

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall/js"
	"testing"
	"time"

	"holdfast/sync/fault"
)

func kind(t *testing.T, what string, err error, want fault.Kind) {
	t.Helper()
	if fault.KindOf(err) != want {
		t.Errorf("%s: got %v, want kind %v", what, err, want)
	}
}

// fill makes a database of about n MB and returns its name in the pool.
func fill(t *testing.T, f *files, name string, mb int) {
	t.Helper()
	db := open(t, f.path(name))
	exec(t, db, "CREATE TABLE x (n INTEGER PRIMARY KEY, b BLOB)")
	exec(t, db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < ?) INSERT INTO x SELECT i, randomblob(100000) FROM n", mb*10)
	must(t, db.Close())
}

func TestPoolIsPersistent(t *testing.T) {
	newFiles(t)
	if thePool.Persistent() == *noOPFS || (thePool.Reason() != "") != *noOPFS {
		t.Errorf("persistent %v, reason %q", thePool.Persistent(), thePool.Reason())
	}
}

func TestImportFromEverySource(t *testing.T) {
	f := newFiles(t)
	fill(t, f, "from.db", 5)
	b := f.read(t, "from.db")
	array, err := jsSource(b)
	must(t, err)
	g := js.Global()
	blob := g.Get("Blob").New([]any{array})
	url := g.Get("URL").Call("createObjectURL", blob).String()
	for name, source := range map[string]any{
		"bytes": b, "url": url, "blob": blob, "stream": blob.Call("stream"), "array": array, "buffer": array.Get("buffer"),
		"response": g.Get("Response").New(blob),
	} {
		var done, total int64
		n, err := thePool.Import(ctx, f.path("to.db"), source, func(d, t int64) { done, total = d, t })
		must(t, err)
		if n != int64(len(b)) || done != n || (total != n && total != 0) {
			t.Errorf("%s: imported %d, progress %d of %d, want %d", name, n, done, total, len(b))
		}
		db := open(t, f.path("to.db"))
		if n := count(t, db, "x"); n != 50 {
			t.Errorf("%s: %d rows, want 50", name, n)
		}
		must(t, Check(ctx, db))
		exec(t, db, "DELETE FROM x") // the next import must not see this, nor the log it left
		must(t, db.Close())
	}
}

func TestImportLeavesNothingWhenItFails(t *testing.T) {
	f := newFiles(t)
	fill(t, f, "from.db", 3)
	good := f.read(t, "from.db")
	canceled, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, c := range []struct {
		name   string
		ctx    context.Context
		source any
		kind   fault.Kind
	}{
		{"empty", ctx, []byte{}, fault.Corrupt},
		{"no-database", ctx, []byte(strings.Repeat("hello ", 1000)), fault.Corrupt},
		{"cut-at-a-page", ctx, good[:len(good)-BrowserPageBytes], fault.Corrupt},
		{"cut-anywhere", ctx, good[:len(good)-1000], fault.Corrupt},
		{"too-long", ctx, append(slices.Clone(good), make([]byte, 512)...), fault.Corrupt},
		{"no-such-page", ctx, "/no/such/file", fault.Unavailable},
		{"no-server", ctx, "http://localhost:1/x", fault.Unavailable},
		{"not-a-source", ctx, 7, fault.Invalid},
		{"canceled", canceled, good, fault.Other},
	} {
		t.Run(c.name, func(t *testing.T) {
			report := func(done, total int64) {
				if c.ctx == canceled {
					cancel()
				}
			}
			name := f.path(c.name + ".db")
			_, err := thePool.Import(c.ctx, name, c.source, report)
			if err == nil {
				t.Fatal("accepted")
			}
			kind(t, "import", err, c.kind)
			if c.ctx == canceled && !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want canceled", err)
			}
			names, err := thePool.List()
			must(t, err)
			if slices.Contains(names, name) {
				t.Errorf("a half database is there: %v", names)
			}
			db := open(t, name) // the name is free for a new, empty one
			exec(t, db, "CREATE TABLE fresh (a)")
			must(t, db.Close())
		})
	}
	for _, source := range []any{[]byte(strings.Repeat("hello ", 1000)), "/no/such/file"} {
		if _, err := thePool.Import(ctx, f.path("from.db"), source, nil); err == nil {
			t.Error("accepted")
		}
	}
	if !slices.Equal(f.read(t, "from.db"), good) {
		t.Error("an import that brought nothing destroyed what was there")
	}
}

// An import waits for the network between its pieces; what others create meanwhile must not get the same file.
func TestImportBesideOtherWork(t *testing.T) {
	f := newFiles(t)
	fill(t, f, "from.db", 5)
	source, err := jsSource(f.read(t, "from.db"))
	must(t, err)
	var others sync.WaitGroup
	made := 0
	_, err = thePool.Import(ctx, f.path("to.db"), source, func(done, total int64) {
		made++
		name := f.path(fmt.Sprintf("side%d.db", made))
		others.Go(func() { // not at once: this runs inside the import's own step
			db, err := Open(ctx, name, Options{})
			if err != nil {
				t.Errorf("open beside an import: %v", err)
				return
			}
			defer db.Close()
			if _, err := db.Exec("CREATE TABLE side (a); INSERT INTO side VALUES (1)"); err != nil {
				t.Error(err)
			}
		})
	})
	must(t, err)
	others.Wait()
	must(t, Check(ctx, open(t, f.path("to.db"))))
	for i := range made {
		db := open(t, f.path(fmt.Sprintf("side%d.db", i+1)))
		if n := count(t, db, "side"); n != 1 {
			t.Errorf("side%d.db: %d rows, want 1", i+1, n)
		}
		must(t, Check(ctx, db))
	}
	if made < 3 {
		t.Errorf("%d pieces: too few to say anything", made)
	}
}

func TestExport(t *testing.T) {
	f := newFiles(t)
	db := open(t, f.path("e.db"))
	exec(t, db, "CREATE TABLE e (a); INSERT INTO e VALUES ('in the log only')")
	b := f.read(t, "e.db") // while open
	if string(b[18:20]) != "\x01\x01" {
		t.Errorf("bytes 18 and 19 are %v: the copy asks for a log that it does not have", b[18:20])
	}
	f.write(t, "copy.db", b)
	var a string
	must(t, open(t, f.path("copy.db")).QueryRow("SELECT a FROM e").Scan(&a))
	if a != "in the log only" {
		t.Errorf("got %q", a)
	}
	tx, err := db.Begin()
	must(t, err)
	_, err = thePool.Export(ctx, f.path("e.db"))
	kind(t, "export inside a transaction", err, fault.Busy)
	must(t, tx.Rollback())
	_, err = thePool.Export(ctx, f.path("none.db"))
	kind(t, "export of nothing", err, fault.NotFound)
	names, err := thePool.List()
	must(t, err)
	if slices.Contains(names, f.path("none.db")) {
		t.Error("the export created what was not there")
	}
}

func TestOpenFilesAreProtected(t *testing.T) {
	f := newFiles(t)
	db := open(t, f.path("o.db"))
	exec(t, db, "CREATE TABLE o (a)")
	_, err := Open(ctx, f.path("o.db"), Options{})
	kind(t, "open twice", err, fault.Busy)
	_, err = thePool.Import(ctx, f.path("o.db"), []byte("x"), nil)
	kind(t, "import over it", err, fault.Busy)
	_, err = thePool.Remove(f.path("o.db"))
	kind(t, "remove", err, fault.Busy)
	kind(t, "pause", thePool.Pause(), fault.Busy)
	_, err = Open(ctx, f.path("missing.db"), Options{ReadOnly: true})
	if err == nil {
		t.Error("a missing database was opened read-only")
	}
	if n := count(t, db, "o"); n != 0 {
		t.Error("the database was touched")
	}
	must(t, db.Close())
	for _, want := range []bool{true, false} {
		if had, err := thePool.Remove(f.path("o.db")); err != nil || had != want {
			t.Errorf("remove: got %v %v, want %v", had, err, want)
		}
	}
	for _, name := range []string{"", "a/b", "a b", "-a", "x-wal", "x-journal", "ü", "..", strings.Repeat("a", nameBytesMax+1)} {
		_, err := Open(ctx, name, Options{})
		kind(t, fmt.Sprintf("name %.10q", name), err, fault.Invalid)
	}
	must(t, open(t, f.path(strings.Repeat("a", nameBytesMax-len(f.prefix)))).Ping())
}

func TestPauseHandsTheFilesOver(t *testing.T) {
	needsDisk(t)
	f := newFiles(t)
	fill(t, f, "p.db", 1)
	must(t, thePool.Pause())
	must(t, thePool.Pause())
	_, err := Open(ctx, f.path("p.db"), Options{})
	kind(t, "open while paused", err, fault.Busy)
	_, err = thePool.Import(ctx, f.path("q.db"), []byte("x"), nil)
	kind(t, "import while paused", err, fault.Busy)
	handles := rawHandles(t) // the other tab takes them
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	kind(t, "resume while another tab has them", thePool.Resume(short), fault.Busy)
	for _, h := range handles {
		h.Call("close")
	}
	must(t, thePool.Resume(ctx))
	must(t, thePool.Resume(ctx))
	db := open(t, f.path("p.db"))
	if n := count(t, db, "x"); n != 10 {
		t.Errorf("%d rows, want 10", n)
	}
	must(t, Check(ctx, db))
}

// The browser refuses a write when the quota is used up; SQLite itself only sees an I/O error.
func TestFullDisk(t *testing.T) {
	needsDisk(t)
	f := newFiles(t)
	db := open(t, f.path("f.db"))
	exec(t, db, "CREATE TABLE f (a); INSERT INTO f VALUES (1)")
	proto := js.Global().Get("FileSystemSyncAccessHandle").Get("prototype")
	write := proto.Get("write")
	refuse := js.Global().Get("Function").New("throw new DOMException('no space', 'QuotaExceededError')")
	short := js.Global().Get("Function").New("return 0")
	other := js.Global().Get("Function").New("throw new DOMException('gone', 'InvalidStateError')")
	defer proto.Set("write", write)
	for name, c := range map[string]struct {
		write js.Value
		full  bool
	}{"quota": {refuse, true}, "short": {short, true}, "other": {other, false}} {
		proto.Set("write", c.write)
		_, err := db.Exec("INSERT INTO f VALUES (2)")
		if err == nil || IsFull(err) != c.full {
			t.Errorf("%s: got %v, full %v", name, err, c.full)
		}
		_, err = thePool.Import(ctx, f.path("g.db"), validHeader(nil), nil)
		if err == nil || IsFull(err) != c.full {
			t.Errorf("%s: import: got %v, full %v", name, err, c.full)
		}
		if db2, err := Open(ctx, f.path("new.db"), Options{}); err == nil || IsFull(err) != c.full {
			t.Errorf("%s: a new file: got %v, full %v", name, err, c.full)
			if err == nil {
				db2.Close()
			}
		}
		if n := count(t, db, "f"); n != 1 {
			t.Errorf("%s: %d rows, want the one from before", name, n)
		}
		proto.Set("write", write)
	}
	exec(t, db, "INSERT INTO f VALUES (3)")
	must(t, Check(ctx, db))
	must(t, db.Close())
	if n := count(t, open(t, f.path("f.db")), "f"); n != 2 {
		t.Errorf("after reopening: %d rows, want 2", n)
	}
}

func TestStatementsAreBounded(t *testing.T) {
	db := open(t, ":memory:")
	for i := range statementsMax + 50 {
		must(t, db.QueryRow(fmt.Sprintf("SELECT %d", i)).Scan(new(int)))
	}
	if n := count(t, db, "sqlite_stmt"); n != statementsMax {
		t.Errorf("SQLite holds %d statements, want %d", n, statementsMax)
	}
}

func TestArgumentsAreBounded(t *testing.T) {
	b := &bridge{}
	if _, err := b.invoke(js.Value{}, make([]byte, argBytesMax+1)); fault.KindOf(Wrap("x", err)) != fault.TooLarge {
		t.Errorf("got %v, want too-large", err)
	}
}
