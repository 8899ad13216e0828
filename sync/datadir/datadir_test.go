//go:build unix

package datadir

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"holdfast/sync/fault"
)

func TestOneProcess(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	release, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(dir); err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", st.Mode(), err)
	}
	if _, err := Open(dir); fault.KindOf(err) != fault.Busy || !strings.Contains(fault.DetailOf(err), dir) {
		t.Errorf("a second one got %v", err)
	}
	release()
	again, err := Open(dir)
	if err != nil {
		t.Fatalf("after the first has gone: %v", err)
	}
	again()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file); fault.KindOf(err) != fault.Unavailable || fault.DetailOf(err) == "" {
		t.Errorf("a file is no folder: %v", err)
	}
}
