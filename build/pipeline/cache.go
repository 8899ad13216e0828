package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"time"
)

// cache keeps results by the hash of what they were made from. Losing it costs time, never correctness.
type cache struct{ dir string }

func (c cache) get(key string) ([]byte, bool) {
	path := filepath.Join(c.dir, key)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, false
	}
	now := time.Now()
	os.Chtimes(path, now, now) // only steers prune
	return b, true
}

func (c cache) put(key string, b []byte) error {
	return writeFile(filepath.Join(c.dir, key), b)
}

func (c cache) prune(before time.Time) {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && e.Name() != "lock" && info.ModTime().Before(before) {
			os.Remove(filepath.Join(c.dir, e.Name()))
		}
	}
}

// writeFile replaces path in one step, so that a build that was killed leaves no half file behind.
func writeFile(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".part-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Chmod(f.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
