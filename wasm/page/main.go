//go:build js && !gallery

// Command page draws Holdfast in the browser. It is compiled to WebAssembly and holds no data of its own.
package main

import (
	"crypto/rand"
	"time"

	"holdfast/app/page"
	"holdfast/app/store"
)

func main() {
	page.Run(page.Config{Connect: store.Worker, Now: time.Now, Rand: rand.Reader})
}
