// Package manifest describes one build of the web app: which file stands under which address and how large it is.
// The build tool writes it as manifest.json beside the files; assets serves by it and the byte budgets are judged by it.
//
// Entries are ordered by Name, so that two builds of the same inputs give the same bytes.
package manifest

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Format is the version of the manifest's own layout. A reader refuses any other.
const Format = 1

// Manifest is one build.
type Manifest struct {
	Format int `json:"format"`
	// Version changes when any file does. 16 hex digits.
	Version string `json:"version"`
	// Release is true when every brotli variant was compressed at the highest quality; the byte budgets count only then.
	Release bool    `json:"release"`
	Entries []Entry `json:"entries"`
}

// Entry is one file.
type Entry struct {
	// Name is what the sources call it, such as "page.wasm" or "icons/192.png".
	Name string `json:"name"`
	// Path is its address on the app's origin, such as "/assets/page.0123456789abcdef.wasm". The page itself is "/".
	Path string `json:"path"`
	// Type is the Content-Type.
	Type string `json:"type"`
	// Integrity is the subresource integrity value of the uncompressed file: "sha256-" and base64.
	Integrity string `json:"integrity"`
	// Bytes, Brotli and Gzip are sizes in bytes. Brotli and Gzip are 0 when compressing does not pay.
	Bytes  int `json:"bytes"`
	Brotli int `json:"brotli,omitempty"`
	Gzip   int `json:"gzip,omitempty"`
	// Immutable is true when the path carries the content's hash, so that it may be cached for ever.
	Immutable bool `json:"immutable,omitempty"`
}

// Wire is what a browser that accepts brotli transfers for the file, in bytes.
func (e Entry) Wire() int {
	if e.Brotli > 0 {
		return e.Brotli
	}
	return e.Bytes
}

// ByName returns the entry that the sources call name.
func (m Manifest) ByName(name string) (Entry, bool) {
	for _, e := range m.Entries {
		if e.Name == name {
			return e, true
		}
	}
	return Entry{}, false
}

// Encode gives the canonical bytes of m.
func Encode(m Manifest) ([]byte, error) {
	b, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return nil, fmt.Errorf("manifest.Encode: %w", err)
	}
	return append(b, '\n'), nil
}

// Decode reads what Encode wrote.
func Decode(b []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return Manifest{}, fmt.Errorf("manifest.Decode: %w", err)
	}
	if m.Format != Format {
		return Manifest{}, fmt.Errorf("manifest.Decode: format %d, this program reads %d: run make build", m.Format, Format)
	}
	return m, nil
}

// FileName is the name of e's file under dist/files: its path with "/" as "~", "index.html" for the page itself.
// Flat names keep the folder free of empty directories when files go.
func FileName(e Entry) string {
	if e.Path == "/" {
		return "index.html"
	}
	return strings.ReplaceAll(strings.TrimPrefix(e.Path, "/"), "/", "~")
}
