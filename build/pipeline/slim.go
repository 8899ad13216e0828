package pipeline

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// standins replace packages of the standard library that a browser cannot use but that net/http and nats.go bring
// along: sockets do not exist there, so neither does TLS of one's own. Sizes are in RATIONALE.md.
//
//go:embed standins/tls/tls.go standins/x509/x509.go
var standins embed.FS

// replaced says which package of the standard library is replaced, whole, by which file.
var replaced = []struct{ pkg, file string }{
	{"crypto/tls", "standins/tls/tls.go"},
	{"crypto/x509", "standins/x509/x509.go"},
}

// The HTTP client in a browser is fetch. net/http keeps its own for Node beside it, chosen at run time, so that the linker
// must keep it too. In the browser the branch is dead.
const (
	fetchFile   = "net/http/roundtrip_js.go"
	fetchBranch = "\t\treturn t.roundTrip(req)\n"
	fetchOnly   = "\t\treturn nil, errors.New(\"net/http: a browser has only fetch\")\n"
)

// overlay writes the file for `go build -overlay` and returns its path with a key that changes when any stand-in does.
func (b *builder) overlay(ctx context.Context) (path, key string, err error) {
	out, err := run(ctx, b.Root, nil, "go", "env", "GOROOT")
	if err != nil {
		return "", "", err
	}
	src := filepath.Join(strings.TrimSpace(string(out)), "src")
	dir := filepath.Join(b.Root, CacheDir, "standins")
	replace := map[string]string{}
	var all bytes.Buffer
	put := func(target, name string, body []byte) error {
		fmt.Fprintf(&all, "%s %s\n", name, hash(body))
		file := filepath.Join(dir, name)
		replace[target] = file
		if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, body) {
			return nil
		}
		return writeFile(file, body)
	}
	for _, r := range replaced {
		body, err := fs.ReadFile(standins, r.file)
		if err != nil {
			return "", "", err
		}
		files, err := filepath.Glob(filepath.Join(src, r.pkg, "*.go"))
		if err != nil {
			return "", "", err
		}
		for _, f := range files {
			replace[f] = "" // to the compiler, the file is not there
		}
		// Under the name of a file that exists, so that positions in messages can be found.
		target := filepath.Join(src, r.pkg, filepath.Base(r.file))
		if err := put(target, strings.ReplaceAll(r.pkg, "/", "-")+".go", body); err != nil {
			return "", "", err
		}
	}
	client, err := os.ReadFile(filepath.Join(src, fetchFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", "", err
	}
	if bytes.Count(client, []byte(fetchBranch)) == 1 { // another Go may have it otherwise; then it stays
		body := bytes.Replace(client, []byte(fetchBranch), []byte(fetchOnly), 1)
		if err := put(filepath.Join(src, fetchFile), "net-http.go", body); err != nil {
			return "", "", err
		}
	}
	list, err := json.MarshalIndent(map[string]any{"Replace": replace}, "", " ")
	if err != nil {
		return "", "", err
	}
	path = filepath.Join(dir, "overlay.json")
	return path, hash(all.Bytes()), writeFile(path, list)
}

func standinNames() string {
	var names []string
	for _, r := range replaced {
		names = append(names, r.pkg)
	}
	return strings.Join(names, ", ")
}
