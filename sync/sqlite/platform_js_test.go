//go:build js

package sqlite

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"syscall/js"
	"testing"
)

// files is how the shared tests handle database files here.
type files struct{ prefix string }

var (
	filesMade int
	noOPFS    = flag.Bool("no-opfs", false, "take the browser's file system away first")
)

func newFiles(t testing.TB) *files {
	if *noOPFS {
		js.Global().Get("StorageManager").Get("prototype").Delete("getDirectory")
	}
	p, err := OpenPool(context.Background(), PoolConfig{})
	if err != nil {
		t.Fatal(err)
	}
	filesMade++
	f := &files{fmt.Sprintf("test%d.", filesMade)}
	clean := func() {
		names, _ := p.List()
		for _, n := range names {
			if strings.HasPrefix(n, f.prefix) {
				if _, err := p.Remove(n); err != nil {
					t.Errorf("the test left %s open: %v", n, err)
				}
			}
		}
	}
	clean() // a profile may hold files of an earlier run
	t.Cleanup(clean)
	return f
}

func (f *files) path(name string) string { return f.prefix + name }

func needsDisk(t testing.TB) {
	t.Helper()
	newFiles(t)
	if *noOPFS {
		t.Skip("is about files on disk")
	}
}

// write imports a file; bytes that are not a database go around the import's checks.
func (f *files) write(t testing.TB, name string, b []byte) {
	t.Helper()
	if _, err := thePool.Import(context.Background(), f.path(name), validHeader(b), nil); err != nil {
		t.Fatal(err)
	}
	if len(b) >= 16 && string(b[:16]) == sqliteMagic {
		return
	}
	// Overwrite the header in place, as a failing disk would.
	withRawFile(t, f.path(name), func(handle js.Value) {
		a := js.Global().Get("Uint8Array").New(len(b))
		js.CopyBytesToJS(a, b)
		handle.Call("write", a, map[string]any{"at": poolHeaderBytes})
	})
}

func (f *files) read(t testing.TB, name string) []byte {
	t.Helper()
	v, err := thePool.Export(context.Background(), f.path(name))
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, v.Length())
	js.CopyBytesToGo(b, v)
	return b
}

const (
	sqliteMagic     = "SQLite format 3\x00"
	poolHeaderBytes = 4096 // before the database in each file of opfs-sahpool
)

// validHeader is b with a first page's start that passes the import.
func validHeader(b []byte) []byte {
	if len(b) >= 16 && string(b[:16]) == sqliteMagic {
		return b
	}
	c := append([]byte(nil), b...)
	for len(c)%512 != 0 || len(c) == 0 {
		c = append(c, 0)
	}
	copy(c, sqliteMagic)
	copy(c[24:], []byte{0, 0, 0, 1}) // the size in the header is not to be trusted, says this
	copy(c[92:], []byte{0, 0, 0, 2})
	return c
}

// withRawFile pauses the pool and opens the file that holds the database called name, as another tab would.
func withRawFile(t testing.TB, name string, f func(handle js.Value)) {
	t.Helper()
	if err := thePool.Pause(); err != nil {
		t.Fatal(err)
	}
	handles := rawHandles(t)
	found := false
	for _, h := range handles {
		a := js.Global().Get("Uint8Array").New(512)
		h.Call("read", a, map[string]any{"at": 0})
		b := make([]byte, 512)
		js.CopyBytesToGo(b, a)
		if strings.HasPrefix(string(b), "/"+name+"\x00") {
			found = true
			f(h)
		}
		h.Call("close")
	}
	if !found {
		t.Errorf("no file holds %s", name)
	}
	if err := thePool.Resume(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// rawHandles opens every file of the paused pool.
func rawHandles(t testing.TB) (handles []js.Value) {
	t.Helper()
	ctx := context.Background()
	wait := func(v js.Value, err error) js.Value {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	call := func(v js.Value, m string, args ...any) js.Value {
		b := &bridge{object: v}
		return wait(b.await(ctx, m, args...))
	}
	dir := call(js.Global().Get("navigator").Get("storage"), "getDirectory")
	dir = call(dir, "getDirectoryHandle", "holdfast")
	dir = call(dir, "getDirectoryHandle", ".opaque")
	for it := dir.Call("values"); ; {
		step := call(it, "next")
		if step.Get("done").Bool() {
			return handles
		}
		handles = append(handles, call(step.Get("value"), "createSyncAccessHandle"))
	}
}
