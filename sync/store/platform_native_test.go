//go:build !js

package store

import (
	"testing"

	"holdfast/build/browser"
)

func prepare(interface{ Fatal(...any) }) {}

// TestInChromium runs this package's tests over SQLite WASM.
func TestInChromium(t *testing.T) {
	browser.RunWasmTests(t, browser.WasmTests{Package: "."})
}
