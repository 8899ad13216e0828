//go:build !js

package gallery_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"holdfast/app/gallery"
	"holdfast/app/route"
	"holdfast/build/browser"
	"holdfast/sync/id"
)

func TestMain(m *testing.M) { os.Exit(browser.Main(m)) }

// csp is the policy that the gateway sends: the page must work under it.
const csp = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self' ws: wss:; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

const dist = "../../build/assets/dist"

var program = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "holdfast-gallery-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "page.wasm")
	cmd := exec.Command("go", "build", "-tags", "gallery", "-ldflags", "-s -w", "-o", out, "../../wasm/page")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	return os.ReadFile(out)
})

// serve gives the built app with the gallery's program in place of the page's.
func serve(t *testing.T) string {
	t.Helper()
	url, _ := serveVersions(t)
	return url
}

// serveVersions also gives what brings the next version out: the service worker's file changes.
func serveVersions(t *testing.T) (url string, next func()) {
	t.Helper()
	var version atomic.Int32
	raw, err := os.ReadFile(dist + "/manifest.json")
	if err != nil {
		t.Fatal("the web app is not built: run make assets")
	}
	var m struct {
		Entries []struct{ Name, Path, Type string }
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	wasm, err := program()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{} // as they are now: they may be built anew beside the test
	for _, e := range m.Entries {
		name := strings.ReplaceAll(strings.TrimPrefix(e.Path, "/"), "/", "~")
		if e.Path == "/" {
			name = "index.html"
		}
		if files[e.Path], err = os.ReadFile(filepath.Join(dist, "files", name)); err != nil {
			t.Fatal(err)
		}
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", csp)
		path := r.URL.Path
		if !strings.HasPrefix(path, "/assets/") && path != "/manifest.webmanifest" && path != "/sw.js" {
			path = "/"
		}
		for _, e := range m.Entries {
			if e.Path != path {
				continue
			}
			w.Header().Set("Content-Type", e.Type)
			if e.Name == "page.wasm" {
				w.Write(wasm)
				return
			}
			w.Write(files[path])
			if path == "/sw.js" {
				fmt.Fprintf(w, "\n// %d\n", version.Load())
			}
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(srv.Close)
	return strings.Replace(srv.URL, "127.0.0.1", "localhost", 1), func() { version.Add(1) }
}

func ws(p route.Page) string { return route.Route{Page: p, Tenant: gallery.Tenant}.Path() }

func project(task id.ID, board bool) string {
	return route.Route{Page: route.Project, Tenant: gallery.Tenant, Project: gallery.Website, Task: task, Board: board}.Path()
}
