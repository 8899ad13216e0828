// Package wasmcheck holds tests for js/wasm that browser's own tests run in Chromium, to see that passing, skipping
// and failing come through.
package wasmcheck
