package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "holdfast"

// root is the folder of go.mod.
func root(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(strings.TrimSpace(string(out)))
}

type pkg struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
	Error                              *struct{ Err string }
}

// list runs go list, natively or for the browser.
func list(t *testing.T, js bool, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-e"}, args...)...)
	cmd.Dir = root(t)
	if js {
		cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	return out
}

func packages(t *testing.T, js bool) []pkg {
	t.Helper()
	var all []pkg
	for dec := json.NewDecoder(bytes.NewReader(list(t, js, "-json=ImportPath,Imports,TestImports,XTestImports", "./..."))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// folder is a package's folder in the tree: "sync/id", "." for main.go, "" for other modules.
func folder(importPath string) string {
	if importPath == module {
		return "."
	}
	f, ok := strings.CutPrefix(importPath, module+"/")
	if !ok {
		return ""
	}
	return f
}

func under(f, dir string) bool { return f == dir || dir != "." && strings.HasPrefix(f, dir+"/") }

// broken returns why a package in folder from may not import the package in folder to, or "".
func broken(from, to string, test bool) string {
	if to == "" {
		return ""
	}
	for _, r := range Imports {
		if !under(from, r.From) {
			continue
		}
		for _, n := range r.Not {
			if under(to, n) && !(test && under(to, "build/browser")) {
				return r.Why
			}
		}
	}
	if !under(from, "build") && !test {
		for _, n := range ToolsOnly.Not {
			if under(to, n) {
				return ToolsOnly.Why
			}
		}
	}
	if under(to, "app") && !slices.ContainsFunc(AppUsers, func(a string) bool { return under(from, a) }) && !test {
		return "only wasm/page draws; everyone else shows data in other ways"
	}
	return ""
}

func TestImportsPointOneWay(t *testing.T) {
	for _, js := range []bool{false, true} {
		for _, p := range packages(t, js) {
			from := folder(p.ImportPath)
			for _, to := range p.Imports {
				if why := broken(from, folder(to), false); why != "" {
					t.Errorf("%s imports %s: %s", p.ImportPath, to, why)
				}
			}
			for _, to := range slices.Concat(p.TestImports, p.XTestImports) {
				if why := broken(from, folder(to), true); why != "" {
					t.Errorf("a test of %s imports %s: %s", p.ImportPath, to, why)
				}
			}
		}
	}
}

// The table itself must refuse what architecture.md forbids, whatever the tree looks like today.
func TestTheTableRefuses(t *testing.T) {
	for _, c := range []struct {
		from, to string
		test, ok bool
	}{
		{"sync/store", "sync/crdt", false, true},
		{"sync/id", "edge/syncer", false, false},
		{"sync/id", "app/view", false, false},
		{"sync/store", "build/browser", true, true},
		{"sync/store", "build/browser", false, false},
		{"edge/gateway", "server/identity", false, false},
		{"edge/gateway", "server/identity", true, false},
		{"edge/gateway", "build/assets", false, true},
		{"edge/gateway", "build/pipeline", false, false},
		{"server/hub", "edge/node", false, false},
		{"app/page", "sync/work", false, true},
		{"app/page", "build/assets", false, false},
		{"wasm/page", "app/page", false, true},
		{"wasm/worker", "app/store", false, false},
		{".", "edge/node", false, true},
		{".", "app/page", false, false},
		{"build/bench", "edge/node", false, true},
		{"build/pipeline", "sync/id", false, false},
		{"edge/gateway", "app/route", false, false},
	} {
		if got := broken(c.from, c.to, c.test) == ""; got != c.ok {
			t.Errorf("%s may import %s (test %v): %v, want %v", c.from, c.to, c.test, got, c.ok)
		}
	}
}

func TestProgramsDoNotContain(t *testing.T) {
	for _, p := range Programs {
		deps := strings.Fields(string(list(t, true, "-deps", p.Package)))
		if len(deps) < 10 {
			t.Fatalf("go list -deps %s gives only %v", p.Package, deps)
		}
		for not, why := range p.Not {
			tree, below := strings.CutSuffix(not, "/...")
			for _, d := range deps {
				if d == not || below && (d == tree || strings.HasPrefix(d, tree+"/")) {
					t.Errorf("%s contains %s: %s\n%s", p.Package, d, why, chain(t, p.Package, d))
				}
			}
		}
	}
}

// chain shows one way in which a program comes to contain a package.
func chain(t *testing.T, from, to string) string {
	t.Helper()
	importers := map[string][]string{}
	for dec := json.NewDecoder(bytes.NewReader(list(t, true, "-deps", "-json=ImportPath,Imports", from))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for _, i := range p.Imports {
			importers[i] = append(importers[i], p.ImportPath)
		}
	}
	next := map[string]string{}
	for queue := []string{to}; len(queue) > 0; queue = queue[1:] {
		for _, i := range importers[queue[0]] {
			if _, seen := next[i]; !seen && i != to {
				next[i] = queue[0]
				queue = append(queue, i)
			}
		}
	}
	path := from
	for at := from; at != to; {
		at = next[at]
		if at == "" {
			break
		}
		path += " → " + at
	}
	return path
}
