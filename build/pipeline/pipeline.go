// Package pipeline turns the sources of the web app into the files that the binary embeds.
//
// The steps, each skipped when its inputs have not changed:
//
//	npm ci ─▶ sqlite3.wasm ─┐
//	wasm/page, wasm/worker ─┼─▶ worker.js ─▶ boot.js, app.css ─▶ index.html ─▶ sw.js ─▶ console.css, console.js ─▶ manifest.json
//	app/web/static ─────────┘
//
// Every file is named by the hash of its content, so a file may only mention files that stand to its left.
// The output is a pure function of the sources, go.sum, package-lock.json and the Go toolchain.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"holdfast/build/manifest"
)

// Config says what to build. All fields but Log are required.
type Config struct {
	Root    string                        // folder of go.mod
	Release bool                          // brotli at its highest quality: 14 s instead of 0.8 s for 7 MB
	Log     func(format string, a ...any) // one line of progress
}

// Dist is the folder that package assets embeds, relative to the root.
const Dist = "build/assets/dist"

// CacheDir holds compiled and compressed results by the hash of what they were made from, relative to the root.
const CacheDir = "build/.cache"

// cacheAgeMax is how long a result that no build has used stays in the cache.
const cacheAgeMax = 7 * 24 * time.Hour

type builder struct {
	Config
	cache  cache
	assets []asset
}

// Build brings dist up to date and returns its manifest. Builds of one tree wait for each other.
func Build(ctx context.Context, c Config) (manifest.Manifest, error) {
	if c.Log == nil {
		c.Log = func(string, ...any) {}
	}
	b := &builder{Config: c, cache: cache{dir: filepath.Join(c.Root, CacheDir)}}
	unlock, err := lock(filepath.Join(b.cache.dir, "lock"), c.Log)
	if err != nil {
		return manifest.Manifest{}, fmt.Errorf("pipeline.Build: %w", err)
	}
	defer unlock()
	if err := b.gather(ctx); err != nil {
		return manifest.Manifest{}, err
	}
	if err := b.bundleAll(); err != nil {
		return manifest.Manifest{}, err
	}
	m, err := b.write(ctx)
	if err != nil {
		return manifest.Manifest{}, err
	}
	b.cache.prune(time.Now().Add(-cacheAgeMax))
	return m, nil
}

// gather makes the files that mention no other: WebAssembly and static files. npm and the Go compiler run side by side.
func (b *builder) gather(ctx context.Context) error {
	var (
		wg             sync.WaitGroup
		programs       map[string][]byte
		wasmErr, npErr error
	)
	wg.Go(func() { programs, wasmErr = b.wasm(ctx, "page", "worker") })
	wg.Go(func() { npErr = NPM(ctx, b.Root, b.Log) })
	wg.Wait()
	if err := errors.Join(wasmErr, npErr); err != nil {
		return err
	}
	sqlite, err := os.ReadFile(filepath.Join(b.Root, SQLiteWasm))
	if err != nil {
		return fmt.Errorf("pipeline: %w", err)
	}
	b.addHashed("page.wasm", programs["page"])
	b.addHashed("worker.wasm", programs["worker"])
	b.addHashed("sqlite3.wasm", sqlite)
	return b.addStatic()
}

func lock(path string, log func(string, ...any)) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		log("waiting for another build of this tree")
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
			f.Close()
			return nil, err
		}
	}
	return func() { f.Close() }, nil
}

// since formats the time a step took, for progress lines.
func since(t time.Time) string {
	return time.Since(t).Round(10 * time.Millisecond).String()
}
