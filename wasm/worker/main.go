//go:build js

// Command worker keeps the replica in the browser: everything that touches the disk or the network runs here, so that no sync work blocks a frame.
package main

import "syscall/js"

func main() {
	js.Global().Call("postMessage", "ready")
	select {}
}
