//go:build !js

package sqlite

import (
	"testing"

	"holdfast/build/browser"
)

// TestInChromium runs the tests of this package that build for js/wasm, the shared ones among them, over real OPFS.
func TestInChromium(t *testing.T) {
	if testing.Short() {
		t.Skip("needs Chromium")
	}
	browser.RunWasmTests(t, browser.WasmTests{Package: "."})
}
