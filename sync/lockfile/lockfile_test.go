//go:build unix

package lockfile_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"holdfast/sync/fault"
	"holdfast/sync/lockfile"
)

const childEnv = "HOLDFAST_LOCK_CHILD"

func TestMain(m *testing.M) {
	folder := os.Getenv(childEnv)
	if folder == "" {
		os.Exit(m.Run())
	}
	if _, err := lockfile.Take(folder); err != nil {
		os.Stdout.WriteString(fault.KindOf(err).String() + ": " + fault.DetailOf(err))
		os.Exit(1)
	}
	os.Stdout.WriteString("taken")
	os.Exit(0)
}

func child(t *testing.T, folder string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+folder)
	out, _ := cmd.Output()
	return string(out)
}

func TestOneProcessHasAFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data", "eu")
	l, err := lockfile.Take(folder)
	if err != nil {
		t.Fatal(err)
	}
	got := child(t, folder)
	if !strings.HasPrefix(got, "busy: The data folder "+folder) || !strings.Contains(got, "process "+strconv.Itoa(os.Getpid())) {
		t.Errorf("a second process: got %q", got)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the child ends without giving the folder back
		if got := child(t, folder); got != "taken" {
			t.Errorf("after the first let go: got %q", got)
		}
	}
}
