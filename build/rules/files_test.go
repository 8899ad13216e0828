package rules

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// skipped folders hold what others wrote, what was built, or what runs.
var skipped = []string{".git", "node_modules", "bin", "data", "build/.cache", "build/assets/dist"}

// sources calls f with every file of the source tree that has one of the extensions.
func sources(t *testing.T, exts []string, f func(path string, body []byte)) {
	t.Helper()
	base := root(t)
	n := 0
	err := filepath.WalkDir(base, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(base, file)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if slices.Contains(skipped, filepath.ToSlash(rel)) || d.Name() == "testdata" || d.Name() == "node_modules" {
				return filepath.SkipDir
			}
			return nil
		}
		if !slices.Contains(exts, filepath.Ext(file)) {
			return nil
		}
		body, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			return nil // removed while we looked
		}
		n++
		f(filepath.ToSlash(rel), body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n == 0 {
		t.Fatalf("no files %v found", exts)
	}
}

func TestFilesAreShort(t *testing.T) {
	sources(t, []string{".go", ".js", ".mjs", ".css", ".sql", ".html", ".sh"}, func(path string, body []byte) {
		if n := bytes.Count(body, []byte("\n")); n > fileLinesMax {
			t.Errorf("%s has %d lines, at most %d: a file holds one concept, so split it where the second begins", path, n, fileLinesMax)
		}
	})
}

func TestGoIsFormattedAndFunctionsAreShort(t *testing.T) {
	sources(t, []string{".go"}, func(path string, body []byte) {
		want, err := format.Source(body)
		if err != nil {
			t.Errorf("%s does not parse: %v", path, err)
			return
		}
		if !bytes.Equal(want, body) {
			t.Errorf("%s is not formatted: run gofmt -w %s", path, path)
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, body, parser.SkipObjectResolution)
		if err != nil {
			t.Errorf("%s does not parse: %v", path, err)
			return
		}
		if strings.HasSuffix(path, "_test.go") {
			return // a story told from start to end may be long
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1; n > funcLinesMax {
				t.Errorf("%s:%d: %s has %d lines, at most %d: give its steps names", path, set.Position(f.Pos()).Line, f.Name.Name, n, funcLinesMax)
			}
		}
	})
}

func TestLockFileNamesNoHost(t *testing.T) {
	body, err := os.ReadFile(filepath.Join(root(t), "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(body, []byte("://")) {
		t.Error("package-lock.json holds addresses of a registry: they tie every clone to it. " +
			"The project's .npmrc leaves them out; run npm install again inside the project")
	}
	if !bytes.Contains(body, []byte(`"node_modules/@sqlite.org/sqlite-wasm": {
      "version": "3.54.1-build1"`)) {
		t.Error("package-lock.json does not pin @sqlite.org/sqlite-wasm 3.54.1-build1, the version that was measured")
	}
}
