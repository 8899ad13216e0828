package pipeline

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
)

// client uses what the worker uses of the standard library: fetch, and types of crypto/tls that nothing ever fills.
const client = `package main

import (
	"crypto/tls"
	"net/http"
)

var Config *tls.Config

func main() {
	res, err := http.Get("/")
	println(res, err, tls.Client(nil, Config).Handshake().Error())
}
`

func TestStandInsMakeProgramsSmaller(t *testing.T) {
	root := tree(t)
	write(t, root, map[string]string{"wasm/page/main.go": client})
	b := &builder{Config: Config{Root: root}, cache: cache{dir: filepath.Join(root, CacheDir)}}
	ctx := context.Background()
	overlay, _, err := b.overlay(ctx)
	if err != nil {
		t.Fatal(err)
	}
	slim, err := b.compile(ctx, []string{"page"}, "-overlay", overlay)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := b.compile(ctx, []string{"page"})
	if err != nil {
		t.Fatal(err)
	}
	ratio := float64(len(slim["page"])) / float64(len(whole["page"]))
	t.Logf("%d bytes with stand-ins, %d without: %.2f", len(slim["page"]), len(whole["page"]), ratio)
	if ratio > 0.6 {
		t.Errorf("the stand-ins save too little: %d bytes with them, %d without. Has the HTTP client's branch moved (%s)?",
			len(slim["page"]), len(whole["page"]), fetchFile)
	}
	if !strings.Contains(string(slim["page"]), "TLS is the browser's work") {
		t.Error("the stand-in for crypto/tls is not in the program")
	}
}

func TestStandInsThatDoNotFitAreLeftOut(t *testing.T) {
	root := tree(t)
	write(t, root, map[string]string{"wasm/page/main.go": "package main\n\nimport \"crypto/tls\"\n\nfunc main() { println(tls.QUICEncryptionLevelInitial) }\n"})
	_, log := build(t, root, false)
	if !strings.Contains(log, "built without the stand-ins for crypto/tls, crypto/x509") {
		t.Errorf("the build said:\n%s", log)
	}
}
