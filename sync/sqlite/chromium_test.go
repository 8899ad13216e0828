//go:build !js

package sqlite

import (
	"flag"
	"os"
	"testing"

	"holdfast/build/browser"
)

var chromiumBench = flag.Bool("chromium-bench", false, "run the benchmarks in Chromium")

// TestInChromium runs the tests of this package that build for js/wasm, the shared ones among them, over real OPFS.
func TestInChromium(t *testing.T) {
	browser.RunWasmTests(t, browser.WasmTests{Package: "."})
}

// TestInChromiumWithoutOPFS runs them in a worker from which the file system was taken away.
func TestInChromiumWithoutOPFS(t *testing.T) {
	browser.RunWasmTests(t, browser.WasmTests{Package: ".", Args: []string{"-no-opfs"}})
}

func TestBenchInChromium(t *testing.T) {
	if !*chromiumBench {
		t.Skip("measures; ask for it with -args -chromium-bench")
	}
	browser.RunWasmTests(t, browser.WasmTests{Package: ".", OwnProcess: true, Output: os.Stdout,
		Args: []string{"-test.run=TestPoolIsPersistent", "-test.bench=."}})
}
