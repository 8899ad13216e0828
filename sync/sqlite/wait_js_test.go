//go:build js

package sqlite

import (
	"syscall/js"
	"testing"
)

// flushes counts how often a file of this worker is made durable.
func flushes(t *testing.T) (since func() int) {
	t.Helper()
	proto := js.Global().Get("FileSystemSyncAccessHandle").Get("prototype")
	flush := proto.Get("flush")
	n := 0
	counted := js.FuncOf(func(this js.Value, _ []js.Value) any {
		n++
		return flush.Call("call", this)
	})
	proto.Set("flush", counted)
	t.Cleanup(func() { proto.Set("flush", flush); counted.Release() })
	return func() int { was := n; n = 0; return was }
}

// The same statement turns waiting on again, each time: kept compiled, it would act once.
func TestWaitingCommitsReachTheDisk(t *testing.T) {
	if *noOPFS {
		t.Skip("in memory nothing is flushed")
	}
	f := newFiles(t)
	db, err := Open(ctx, f.path("x.db"), Options{Durable: true})
	must(t, err)
	defer db.Close()
	exec(t, db, "CREATE TABLE x (n)")
	since := flushes(t)
	for i := range 6 {
		wait := i%2 == 0
		must(t, Wait(ctx, db, wait))
		since()
		exec(t, db, "INSERT INTO x VALUES (?)", i)
		if n := since(); (n > 0) != wait {
			t.Errorf("commit %d, waiting %v: %d flushes", i, wait, n)
		}
	}
}
