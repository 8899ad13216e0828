//go:build js

package sqlite

import (
	_ "embed"
	"syscall/js"
	"testing"
)

//go:embed testdata/bare.js
var bareJS string

// BenchmarkBare is what to compare the others with, in the same run: SQLite's JavaScript API, without Go.
func BenchmarkBare(b *testing.B) {
	newFiles(b)
	for _, c := range []struct{ name, method string }{
		{"CommitOneRow", "commit"}, {"Merge20kPrepared", "merge"}, {"Merge20kJSON", "mergeJSON"}, {"Query100x12", "query"}, {"Scan20kRows", "scan"},
	} {
		b.Run(c.name, func(b *testing.B) {
			remove := func() { thePool.bridge.object.Call("remove", "bench.bare") }
			remove()
			defer remove()
			bare := js.Global().Call("eval", bareJS).Invoke(thePool.bridge.object.Call("library"), benchSchema, upsertTask, upsertJSON)
			defer bare.Call("close")
			for b.Loop() {
				bare.Call(c.method)
			}
		})
	}
}
