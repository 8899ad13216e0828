//go:build !js

package store

import (
	"flag"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"holdfast/build/browser"
)

var (
	chromiumBench      = flag.Bool("chromium-bench", false, "run the benchmarks in Chromium")
	chromiumBenchWhich = flag.String("chromium-bench-which", ".", "which of them")
)

func prepare(interface{ Fatal(...any) }) {}

func benchFile(b *testing.B) string { return filepath.Join(b.TempDir(), "bench.db") }

// cpuTime is what this process has used; on a busy machine it tells more than the clock.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestInChromium runs this package's tests over SQLite WASM.
func TestInChromium(t *testing.T) {
	browser.RunWasmTests(t, browser.WasmTests{Package: "."})
}

func TestBenchInChromium(t *testing.T) {
	if !*chromiumBench {
		t.Skip("measures; ask for it with -args -chromium-bench")
	}
	browser.RunWasmTests(t, browser.WasmTests{Package: ".", OwnProcess: true, Output: os.Stdout,
		Args: []string{"-test.run=TestMigrate", "-test.bench=" + *chromiumBenchWhich, "-test.benchtime=20000x", "-test.count=2"}})
}
