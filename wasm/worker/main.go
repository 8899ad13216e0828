//go:build js

// Command worker keeps a workspace's replica in the browser: SQLite on the device, the link to the edge, and the answers to
// the page's requests. It runs in a worker, so that no sync work ever blocks a frame. worker.js starts it, elects it among
// the tabs and carries the messages.
package main

import (
	"context"
	"log/slog"
	"os"
)

func main() {
	h := theHost()
	w := &worker{host: h, log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	if err := w.run(context.Background()); err != nil {
		h.fatal(err)
	}
}
