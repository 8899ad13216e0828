//go:build js

package sqlite

import (
	"database/sql"
	"fmt"
	"os"
	"syscall/js"
	"testing"
	"time"

	"holdfast/sync/fault"
)

// TestMain lets this program be started a second time, in a worker of its own that a test names after what it has to do.
func TestMain(m *testing.M) {
	role := js.Global().Get("name").String()
	if work := roles[role]; work != nil {
		js.Global().Call("postMessage", work())
		select {} // until the test ends this worker
	}
	os.Exit(m.Run())
}

const killedFile = "test.killed.db"

var roles = map[string]func() string{
	// A worker that is killed while it has a committed and an unfinished transaction, nothing of either moved out of the log.
	"writer": func() string {
		db, err := Open(ctx, killedFile, Options{})
		if err != nil {
			return err.Error()
		}
		if _, err := db.Exec("CREATE TABLE k (a); INSERT INTO k VALUES ('committed')"); err != nil {
			return err.Error()
		}
		tx, err := db.Begin()
		if err != nil {
			return err.Error()
		}
		if _, err := tx.Exec("INSERT INTO k VALUES ('unfinished')"); err != nil {
			return err.Error()
		}
		return "written"
	},
	// A second tab that starts although the first one still has the files.
	"intruder": func() string {
		_, err := OpenPool(ctx, PoolConfig{Wait: 100 * time.Millisecond})
		return fault.KindOf(err).String()
	},
	// A second tab that starts while the first one is about to end.
	"heir": func() string {
		if _, err := OpenPool(ctx, PoolConfig{}); err != nil {
			return err.Error()
		}
		names, err := thePool.List()
		return fmt.Sprint(names, err)
	},
}

// inWorker starts this program in a worker of its own, waits for its answer and kills it.
func inWorker(t *testing.T, role string) string {
	t.Helper()
	url := js.Global().Get("location").Get("href")
	w := js.Global().Get("Worker").New(url, map[string]any{"type": "module", "name": role})
	defer w.Call("terminate")
	answer := make(chan string, 1)
	heard := js.FuncOf(func(_ js.Value, a []js.Value) any { answer <- a[0].Get("data").String(); return nil })
	defer heard.Release()
	w.Set("onmessage", heard)
	defer w.Set("onmessage", nil)
	select {
	case s := <-answer:
		return s
	case <-time.After(30 * time.Second):
		t.Fatalf("the worker %q did not answer", role)
		return ""
	}
}

func TestKilledWorkerLosesNothing(t *testing.T) {
	needsDisk(t)
	f := newFiles(t)
	fill(t, f, "other.db", 1)
	thePool.Remove(killedFile)
	defer thePool.Remove(killedFile)
	for _, then := range []string{"open", "import", "remove"} {
		must(t, thePool.Pause())
		got := inWorker(t, "writer")
		must(t, thePool.Resume(ctx)) // the browser frees the files of a killed worker a moment later
		if got != "written" {
			t.Fatal(got)
		}
		var db *sql.DB
		switch then {
		case "open":
			db = open(t, killedFile)
			var a string
			must(t, db.QueryRow("SELECT group_concat(a) FROM k").Scan(&a))
			if a != "committed" {
				t.Errorf("after the kill: %q, want only what was committed", a)
			}
		case "import": // what the log of the dead one holds is not for the new file
			_, err := thePool.Import(ctx, killedFile, f.read(t, "other.db"), nil)
			must(t, err)
			db = open(t, killedFile)
			if n := count(t, db, "x"); n != 10 {
				t.Errorf("after the import: %d rows, want 10", n)
			}
		case "remove":
			_, err := thePool.Remove(killedFile)
			must(t, err)
			db = open(t, killedFile)
			if n := count(t, db, "sqlite_schema"); n != 0 {
				t.Error("a removed database came back from its log")
			}
		}
		must(t, Check(ctx, db))
		must(t, db.Close())
		if _, err := thePool.Remove(killedFile); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSecondTabTouchesNothing(t *testing.T) {
	needsDisk(t)
	f := newFiles(t)
	fill(t, f, "mine.db", 1)
	db := open(t, f.path("mine.db"))
	if got := inWorker(t, "intruder"); got != fault.Busy.String() {
		t.Errorf("got %s, want busy", got)
	}
	exec(t, db, "DELETE FROM x WHERE n = 1")
	must(t, db.Close())
	must(t, thePool.Pause())
	must(t, thePool.Resume(ctx))
	db = open(t, f.path("mine.db"))
	if n := count(t, db, "x"); n != 9 {
		t.Errorf("%d rows, want 9", n)
	}
	names, err := thePool.List()
	must(t, err)
	if fmt.Sprint(names) != fmt.Sprint([]string{f.path("mine.db")}) {
		t.Errorf("files: %v", names)
	}
}

func TestSecondTabWaitsForTheFirst(t *testing.T) {
	needsDisk(t)
	f := newFiles(t)
	must(t, open(t, f.path("left.db")).Close())
	time.AfterFunc(300*time.Millisecond, func() {
		if err := thePool.Pause(); err != nil {
			t.Error(err)
		}
	})
	if got, want := inWorker(t, "heir"), fmt.Sprint([]string{f.path("left.db")}, error(nil)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	must(t, thePool.Resume(ctx))
}
