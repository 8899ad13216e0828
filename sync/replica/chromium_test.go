//go:build !js

package replica_test

import (
	"flag"
	"os"
	"testing"

	"holdfast/build/browser"
)

var chromiumBench = flag.Bool("chromium-bench", false, "run the benchmarks in Chromium")

// TestInChromium runs this package's tests in a worker, over SQLite's WebAssembly build and real OPFS.
func TestInChromium(t *testing.T) {
	browser.RunWasmTests(t, browser.WasmTests{Package: "."})
}

func TestBenchInChromium(t *testing.T) {
	if !*chromiumBench {
		t.Skip("measures; ask for it with -args -chromium-bench")
	}
	browser.RunWasmTests(t, browser.WasmTests{Package: ".", OwnProcess: true, Output: os.Stdout,
		Args: []string{"-test.run=TestEditWithKnownKeyIsDoneOnce", "-test.bench=.", "-test.benchtime=0.3s"}})
}
