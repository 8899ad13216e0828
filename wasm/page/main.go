//go:build js && !gallery

// Command page draws Holdfast in the browser. It is compiled to WebAssembly and holds no data of its own.
package main

import (
	"crypto/rand"
	"runtime/debug"
	"time"

	"holdfast/app/page"
	"holdfast/app/store"
)

func main() {
	// A page's heap is small and its pauses are seen: collect at five times the live heap rather than at twice.
	debug.SetGCPercent(400)
	page.Run(page.Config{Connect: store.Worker, Now: time.Now, After: func(d time.Duration, f func()) { time.AfterFunc(d, f) }, Rand: rand.Reader})
}
