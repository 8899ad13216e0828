package pipeline

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

	"holdfast/build/manifest"
)

// tree writes a small app that the pipeline can build without a network: npm's folder is there already.
func tree(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	const lock = `{"lockfileVersion": 3}`
	program := func(says string) string {
		return "package main\n\nfunc main() { println(" + fmt.Sprintf("%q", says) + ") }\n"
	}
	write(t, root, map[string]string{
		"go.mod":                        "module holdfast\n\ngo 1.26.0\n",
		"package-lock.json":             lock,
		npmStamp:                        lock,
		SQLiteWasm:                      "\x00asm" + strings.Repeat("sqlite", 200),
		"wasm/page/main.go":             program("page"),
		"wasm/worker/main.go":           program("worker"),
		"wasm/worker/worker.js":         `import "holdfast:go"; import { assets } from "holdfast:assets"; fetch(assets["worker.wasm"]); fetch(assets["sqlite3.wasm"]);`,
		"app/web/boot.js":               `import { assets, version } from "holdfast:assets"; import "./part.js"; new Worker(assets["worker.js"], { name: version }); fetch(assets["page.wasm"]);`,
		"app/web/part.js":               `console.log("part");`,
		"app/web/app.css":               `body { background: url("static/icons/back.svg"); }`,
		"app/web/console.css":           `@import "./app.css";`,
		"app/web/console.js":            `import "./part.js";`,
		"app/web/sw.js":                 `import { assets, version } from "holdfast:assets"; caches.open(version).then((c) => c.addAll(Object.values(assets)));`,
		"app/web/index.html":            `<link rel="stylesheet" href="{{url "app.css"}}"><script src="{{url "boot.js"}}" integrity="{{integrity "boot.js"}}"></script>`,
		"app/web/static/icons/back.svg": `<svg xmlns="http://www.w3.org/2000/svg"/>`,
		"app/web/root/robots.txt":       "User-agent: *\n",
		"app/web/manifest.webmanifest":  `{"icons": [{"src": "{{url "icons/back.svg"}}"}]}`,
	})
	return root
}

func write(t *testing.T, root string, files map[string]string) {
	t.Helper()
	for name, body := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func build(t *testing.T, root string, release bool) (manifest.Manifest, string) {
	t.Helper()
	var log strings.Builder
	m, err := Build(context.Background(), Config{Root: root, Release: release, Log: func(f string, a ...any) { fmt.Fprintf(&log, f+"\n", a...) }})
	if err != nil {
		t.Fatal(err)
	}
	return m, log.String()
}

func file(t *testing.T, root string, m manifest.Manifest, name, suffix string) []byte {
	t.Helper()
	e, ok := m.ByName(name)
	if !ok {
		t.Fatalf("the manifest lacks %s", name)
	}
	b, err := os.ReadFile(filepath.Join(root, Dist, "files", manifest.FileName(e)+suffix))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func served(t *testing.T, m manifest.Manifest, name string) string {
	t.Helper()
	e, ok := m.ByName(name)
	if !ok {
		t.Fatalf("the manifest lacks %s", name)
	}
	return e.Path
}

func TestFilesMentionEachOther(t *testing.T) {
	root := tree(t)
	m, _ := build(t, root, false)
	for _, c := range []struct{ file, mentions string }{
		{"worker.js", "worker.wasm"}, {"worker.js", "sqlite3.wasm"}, {"boot.js", "page.wasm"}, {"boot.js", "worker.js"},
		{"app.css", "icons/back.svg"}, {"index.html", "app.css"}, {"index.html", "boot.js"},
		{"manifest.webmanifest", "icons/back.svg"}, {"sw.js", "boot.js"}, {"sw.js", "index.html"}, {"sw.js", "page.wasm"},
	} {
		if body := file(t, root, m, c.file, ""); !bytes.Contains(body, []byte(served(t, m, c.mentions))) {
			t.Errorf("%s does not mention %s (%s):\n%.400s", c.file, c.mentions, served(t, m, c.mentions), body)
		}
	}
	for _, f := range []string{"console.css", "console.js"} { // devices do not keep what only operators load
		if bytes.Contains(file(t, root, m, "sw.js", ""), []byte(served(t, m, f))) {
			t.Errorf("sw.js stores %s", f)
		}
	}
	if e, _ := m.ByName("boot.js"); !bytes.Contains(file(t, root, m, "index.html", ""), []byte(e.Integrity)) {
		t.Error("index.html lacks the integrity of boot.js")
	}
	for name, want := range map[string]string{"index.html": "/", "sw.js": "/sw.js", "robots.txt": "/robots.txt", "manifest.webmanifest": "/manifest.webmanifest"} {
		if got := served(t, m, name); got != want {
			t.Errorf("%s is served at %s, want %s", name, got, want)
		}
	}
	for _, e := range m.Entries {
		if e.Immutable != strings.HasPrefix(e.Path, "/assets/") {
			t.Errorf("%s: immutable %v at %s", e.Name, e.Immutable, e.Path)
		}
	}
}

func TestVariantsUnpackToTheFile(t *testing.T) {
	root := tree(t)
	for _, release := range []bool{false, true} {
		m, _ := build(t, root, release)
		if m.Release != release {
			t.Errorf("release is %v, want %v", m.Release, release)
		}
		body := file(t, root, m, "page.wasm", "")
		br, err := io.ReadAll(brotli.NewReader(bytes.NewReader(file(t, root, m, "page.wasm", ".br"))))
		if err != nil || !bytes.Equal(br, body) {
			t.Errorf("brotli: %v, equal %v", err, bytes.Equal(br, body))
		}
		z, err := gzip.NewReader(bytes.NewReader(file(t, root, m, "page.wasm", ".gz")))
		if err != nil {
			t.Fatal(err)
		}
		gz, err := io.ReadAll(z)
		if err != nil || !bytes.Equal(gz, body) {
			t.Errorf("gzip: %v, equal %v", err, bytes.Equal(gz, body))
		}
	}
	if m, _ := build(t, root, false); !m.Release {
		t.Error("a quick build did not use the release variants that were there")
	}
}

func TestRebuildsOnlyWhatChanged(t *testing.T) {
	root := tree(t)
	first, log := build(t, root, false)
	if !strings.Contains(log, "compiling wasm/page") || !strings.Contains(log, "compiling wasm/worker") {
		t.Errorf("first build said:\n%s", log)
	}
	again, log := build(t, root, false)
	if log != "" {
		t.Errorf("a build without changes said:\n%s", log)
	}
	if fmt.Sprint(again) != fmt.Sprint(first) {
		t.Error("a build without changes gave another manifest")
	}

	write(t, root, map[string]string{"wasm/worker/main.go": "package main\n\nfunc main() { println(\"changed\") }\n"})
	changed, log := build(t, root, false)
	if strings.Contains(log, "wasm/page") || !strings.Contains(log, "compiling wasm/worker") {
		t.Errorf("after a change in the worker the build said:\n%s", log)
	}
	for name, want := range map[string]bool{"page.wasm": false, "app.css": false, "worker.wasm": true, "worker.js": true, "boot.js": true} {
		if got := served(t, changed, name) != served(t, first, name); got != want {
			t.Errorf("%s changed: %v, want %v", name, got, want)
		}
	}
	if changed.Version == first.Version {
		t.Error("the version did not change")
	}
	files, err := os.ReadDir(filepath.Join(root, Dist, "files"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if e, _ := first.ByName("worker.wasm"); strings.HasPrefix(f.Name(), manifest.FileName(e)) {
			t.Errorf("%s of the earlier build is still there", f.Name())
		}
	}

	write(t, root, map[string]string{"app/web/part.js": `console.log("other part");`})
	part, log := build(t, root, false)
	if log != "" || served(t, part, "boot.js") == served(t, changed, "boot.js") {
		t.Errorf("a change in an imported script was missed, log:\n%s", log)
	}
}

func TestSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ name, file, body, want string }{
		{"go", "wasm/page/main.go", "package main\n\nfunc main() { undefinedThing() }\n", "undefined: undefinedThing"},
		{"javascript", "app/web/boot.js", "import './gone.js'", `Could not resolve "./gone.js"`},
		{"virtual-module", "app/web/boot.js", "import 'holdfast:nothing'", `only "holdfast:go" and "holdfast:assets" exist`},
		{"template", "app/web/index.html", `{{url "gone.js"}}`, `there is no asset "gone.js"`},
		{"picture", "app/web/app.css", `b { background: url(static/gone.svg) }`, "there is no file app/web/static/gone.svg"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := tree(t)
			write(t, root, map[string]string{c.file: c.body})
			_, err := Build(context.Background(), Config{Root: root})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if _, err := os.Stat(filepath.Join(root, Dist, "manifest.json")); err == nil {
				t.Error("a failed build left a manifest")
			}
		})
	}
}
