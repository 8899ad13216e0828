package rules

import (
	"slices"
	"strings"

	"holdfast/build/manifest"
)

// Bytes over the wire with brotli (target P4), 1 MB = 1,000,000 bytes.
const (
	BytesAllMax   = 3_200_000
	BytesFirstMax = 1_800_000
)

// later are the assets that the sign-in page does not wait for: the worker starts once someone is signed in, and the
// service worker stores the rest in the background.
var later = []string{"worker.js", "worker.wasm", "sqlite3.wasm", "sw.js", "manifest.webmanifest", "icons/", "robots.txt"}

// operators is what only the operator's pages load.
const operators = "console."

// Weigh adds up what a browser with brotli transfers on its first visit: all of it, and what comes before the sign-in
// page answers.
func Weigh(m manifest.Manifest) (all, first int) {
	for _, e := range m.Entries {
		if strings.HasPrefix(e.Name, operators) {
			continue
		}
		all += e.Wire()
		if !waits(e) {
			first += e.Wire()
		}
	}
	return all, first
}

func waits(e manifest.Entry) bool {
	return slices.ContainsFunc(later, func(l string) bool {
		return e.Name == l || strings.HasSuffix(l, "/") && strings.HasPrefix(e.Name, l)
	})
}
