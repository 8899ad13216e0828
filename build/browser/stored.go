package browser

import (
	"bytes"
	"os"
	"path/filepath"
	"time"
)

// storedMax is how far behind its key a value of localStorage is looked for.
const storedMax = 2 << 10

// WaitStored waits until the browser of a person with OwnProcess has written an entry of localStorage to the disk, with part in its
// value. Chromium does that some seconds after the page has set it.
func (p *Person) WaitStored(key, part string) {
	p.tb.Helper()
	folder := filepath.Join(p.profile, "Default", "Local Storage", "leveldb")
	for deadline := time.Now().Add(p.o.Patience); !stored(folder, key, part); time.Sleep(pollEvery) {
		if time.Now().After(deadline) {
			p.tb.Fatalf("%s: the browser has not written down %s with %q within %v", p.o.Name, key, part, p.o.Patience)
		}
	}
}

// stored looks into LevelDB's log, which holds what is new as it is (leveldb, doc/log_format.md), and into its tables.
func stored(folder, key, part string) bool {
	files, _ := filepath.Glob(filepath.Join(folder, "*.l*"))
	for _, f := range files {
		b, _ := os.ReadFile(f) // LevelDB may have merged it into another since
		for i := bytes.Index(b, []byte(key)); i >= 0; i = bytes.Index(b, []byte(key)) {
			b = b[i+len(key):]
			if bytes.Contains(b[:min(len(b), storedMax)], []byte(part)) {
				return true
			}
		}
	}
	return false
}
