package assets

import (
	"errors"
	"net/http/httptest"
	"testing"
	"testing/fstest"

	"holdfast/build/manifest"
)

func built(t *testing.T) table {
	t.Helper()
	m := manifest.Manifest{Format: manifest.Format, Version: "v", Entries: []manifest.Entry{
		{Name: "index.html", Path: "/", Type: "text/html; charset=utf-8", Integrity: "sha256-AAA=", Bytes: 4},
		{Name: "page.wasm", Path: "/assets/page.1.wasm", Type: "application/wasm", Integrity: "sha256-BBB=", Bytes: 4, Brotli: 2, Gzip: 3, Immutable: true},
	}}
	raw, err := manifest.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return read(fstest.MapFS{
		"dist/manifest.json":               {Data: raw},
		"dist/files/index.html":            {Data: []byte("page")},
		"dist/files/assets~page.1.wasm":    {Data: []byte("wasm")},
		"dist/files/assets~page.1.wasm.br": {Data: []byte("br")},
		"dist/files/assets~page.1.wasm.gz": {Data: []byte("gzp")},
	})
}

func TestReadsABuild(t *testing.T) {
	tab := built(t)
	if tab.err != nil {
		t.Fatal(tab.err)
	}
	f := tab.files["/assets/page.1.wasm"]()
	if string(f.Body) != "wasm" || string(f.Brotli) != "br" || string(f.Gzip) != "gzp" || !f.Immutable || f.ETag != "BBB=" {
		t.Errorf("got %+v", f)
	}
	if f := tab.files["/"](); string(f.Body) != "page" || f.Brotli != nil || f.Gzip != nil || f.Immutable {
		t.Errorf("got %+v", f)
	}
}

func TestSaysThatNothingIsBuilt(t *testing.T) {
	for name, fsys := range map[string]fstest.MapFS{
		"empty":      {"dist/.gitkeep": {}},
		"half-built": {"dist/manifest.json": {Data: []byte(`{"format":1,"entries":[{"path":"/","integrity":"sha256-"}]}`)}},
	} {
		if got := read(fsys).err; !errors.Is(got, ErrNotBuilt) {
			t.Errorf("%s: got %v, want ErrNotBuilt", name, got)
		}
	}
	if got := read(fstest.MapFS{"dist/manifest.json": {Data: []byte(`{"format":99}`)}}).err; got == nil {
		t.Error("a manifest of another format was read")
	}
}

func TestServes(t *testing.T) {
	tab := built(t)
	const wasm, page = "/assets/page.1.wasm", "/"
	for _, c := range []struct {
		name, path, method, accept, ifNone string
		status                             int
		body, coding, cache, etag          string
	}{
		{"brotli", wasm, "GET", "gzip, deflate, br, zstd", "", 200, "br", "br", "public, max-age=31536000, immutable", `"BBB=-br"`},
		{"gzip", wasm, "GET", "gzip", "", 200, "gzp", "gzip", "public, max-age=31536000, immutable", `"BBB=-gzip"`},
		{"refused", wasm, "GET", "br;q=0, GZIP;q=0.5", "", 200, "gzp", "gzip", "public, max-age=31536000, immutable", `"BBB=-gzip"`},
		{"plain", wasm, "GET", "", "", 200, "wasm", "", "public, max-age=31536000, immutable", `"BBB="`},
		{"page", page, "GET", "br", "", 200, "page", "", "no-cache", `"AAA="`},
		{"head", page, "HEAD", "", "", 200, "", "", "no-cache", `"AAA="`},
		{"known", page, "GET", "", `"x", "AAA="`, 304, "", "", "no-cache", `"AAA="`},
		{"known-weakly", page, "GET", "", `W/"AAA="`, 304, "", "", "no-cache", `"AAA="`},
		{"known-other-coding", wasm, "GET", "gzip", `"BBB=-br"`, 200, "gzp", "gzip", "public, max-age=31536000, immutable", `"BBB=-gzip"`},
		{"post", page, "POST", "", "", 405, "This address can only be read.\n", "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, c.path, nil)
			r.Header.Set("Accept-Encoding", c.accept)
			r.Header.Set("If-None-Match", c.ifNone)
			w := httptest.NewRecorder()
			tab.files[c.path]().ServeHTTP(w, r)
			h := w.Header()
			if w.Code != c.status || w.Body.String() != c.body || h.Get("Content-Encoding") != c.coding || h.Get("Cache-Control") != c.cache || h.Get("ETag") != c.etag {
				t.Errorf("got %d %q %v", w.Code, w.Body, h)
			}
		})
	}
}
