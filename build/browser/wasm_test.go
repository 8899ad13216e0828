package browser

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestRunWasmTests(t *testing.T) {
	var out bytes.Buffer
	RunWasmTests(t, WasmTests{Package: "holdfast/build/browser/wasmcheck", Output: &out})
	for _, want := range []string{"--- PASS: TestOPFS", "said inside", "--- SKIP: TestSkips", "not today"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output lacks %q:\n%s", want, out.String())
		}
	}
}

// A failure in Chromium must fail the outer test. It runs in a second test process, whose failure is expected.
func TestRunWasmTestsReportsFailure(t *testing.T) {
	if os.Getenv("HOLDFAST_WASM_FAIL") != "" {
		RunWasmTests(t, WasmTests{Package: "holdfast/build/browser/wasmcheck", Args: []string{"-failing"}})
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestRunWasmTestsReportsFailure$", "-test.v")
	cmd.Env = append(os.Environ(), "HOLDFAST_WASM_FAIL=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "--- FAIL: TestRunWasmTestsReportsFailure/TestFails") ||
		!strings.Contains(string(out), "--- PASS: TestRunWasmTestsReportsFailure/TestPasses") {
		t.Errorf("err %v, output:\n%s", err, out)
	}
}
