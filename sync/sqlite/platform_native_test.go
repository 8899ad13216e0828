//go:build !js

package sqlite

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// files is how the shared tests handle database files here.
type files struct{ dir string }

func newFiles(t testing.TB) *files { return &files{t.TempDir()} }

func needsDisk(testing.TB) {}

func (f *files) path(name string) string { return filepath.Join(f.dir, name) }

func (f *files) write(t testing.TB, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(f.path(name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (f *files) read(t testing.TB, name string) []byte {
	t.Helper()
	db, err := Open(context.Background(), f.path(name), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	copy := filepath.Join(t.TempDir(), "copy")
	if err := Snapshot(context.Background(), db, copy); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(copy)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
