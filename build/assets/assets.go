// Package assets holds the built web app inside the binary and serves it.
//
// The build tool fills the folder dist; it is not in version control. Without it the package compiles, Built says what
// to do, and Lookup finds nothing. Everything is read-only after the program starts; all functions may be called from
// any goroutine.
package assets

import (
	"embed"
	"errors"
	"io/fs"
	"sync"

	"holdfast/build/manifest"
)

//go:embed all:dist
var dist embed.FS

// ErrNotBuilt is returned while the folder dist is empty.
var ErrNotBuilt = errors.New("assets not built: run make build")

// File is one file of the app. The slices are shared: do not write to them.
type File struct {
	Body      []byte // uncompressed
	Brotli    []byte // nil when compressing does not pay
	Gzip      []byte // nil when compressing does not pay
	Type      string // Content-Type
	ETag      string // strong, of the uncompressed content, without quotes
	Immutable bool   // the path carries the content's hash: cache for ever
}

type table struct {
	manifest manifest.Manifest
	err      error
	files    map[string]func() File // by path; a file is copied out of the binary on first use
}

var load = sync.OnceValue(func() table { return read(dist) })

// Built returns nil when this binary carries the app, else ErrNotBuilt or what is wrong with it.
func Built() error { return load().err }

// Manifest describes the app that this binary carries.
func Manifest() (manifest.Manifest, error) {
	t := load()
	return t.manifest, t.err
}

// Lookup finds a file by its path on the app's origin, such as "/" or "/sw.js".
// Paths of views inside the app are not files: answer those with Lookup("/").
func Lookup(path string) (File, bool) {
	f, ok := load().files[path]
	if !ok {
		return File{}, false
	}
	return f(), true
}

// URL returns the path under which the file that the sources call name is served, or "" if there is none.
func URL(name string) string {
	e, _ := load().manifest.ByName(name)
	return e.Path
}

func read(fsys fs.FS) table {
	raw, err := fs.ReadFile(fsys, "dist/manifest.json")
	if errors.Is(err, fs.ErrNotExist) {
		return table{err: ErrNotBuilt}
	}
	if err != nil {
		return table{err: err}
	}
	m, err := manifest.Decode(raw)
	if err != nil {
		return table{err: err}
	}
	t := table{manifest: m, files: make(map[string]func() File, len(m.Entries))}
	for _, e := range m.Entries {
		base := "dist/files/" + manifest.FileName(e)
		if _, err := fs.Stat(fsys, base); err != nil {
			return table{err: ErrNotBuilt}
		}
		t.files[e.Path] = sync.OnceValue(func() File {
			f := File{Type: e.Type, ETag: e.Integrity[len("sha256-"):], Immutable: e.Immutable}
			// The files were found above and an embedded file cannot vanish or fail to be read.
			f.Body, _ = fs.ReadFile(fsys, base)
			if e.Brotli > 0 {
				f.Brotli, _ = fs.ReadFile(fsys, base+".br")
			}
			if e.Gzip > 0 {
				f.Gzip, _ = fs.ReadFile(fsys, base+".gz")
			}
			return f
		})
	}
	return t
}
