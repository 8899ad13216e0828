package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// ldflags drop the symbol table and DWARF: a third of the bytes, and browsers do not read them. With HOLDFAST_WASM_NAMES set
// the names of functions stay, for a profile that says which ones take the time.
var ldflags = func() string {
	if os.Getenv("HOLDFAST_WASM_NAMES") != "" {
		return "-w"
	}
	return "-s -w"
}()

// gcflags keep calls what they are where code runs once a click or once a message: views are long chains of small calls, and
// copying each into its caller costs 4 % of the page and gains nothing that can be felt. What merges and stores is not in the list.
var gcflags = []string{
	"-gcflags", "holdfast/app/...=-l", "-gcflags", "github.com/maxence-charriere/...=-l", "-gcflags", "holdfast/wasm/...=-l",
	"-gcflags", "holdfast/sync/desk=-l", "-gcflags", "holdfast/sync/link=-l", "-gcflags", "holdfast/sync/nats=-l", "-gcflags", "holdfast/sync/port=-l",
	"-gcflags", "holdfast/sync/work=-l", "-gcflags", "fmt=-l", "-gcflags", "log/...=-l", "-gcflags", "time=-l",
}

// wasm compiles the named programs of the folder wasm, or takes them from the cache when none of their sources changed.
func (b *builder) wasm(ctx context.Context, names ...string) (map[string][]byte, error) {
	start := time.Now()
	overlay, slim, err := b.overlay(ctx)
	if err != nil {
		return nil, err
	}
	bodies, keys := map[string][]byte{}, map[string]string{}
	var missing []string
	for _, name := range names {
		inputs, err := inputsOf(ctx, b.Root, "./wasm/"+name, slim)
		if err != nil {
			return nil, err
		}
		keys[name] = "wasm-" + inputs
		if body, ok := b.cache.get(keys[name]); ok {
			bodies[name] = body
			continue
		}
		b.Log("compiling wasm/%s", name)
		missing = append(missing, name)
	}
	if len(missing) == 0 {
		return bodies, nil
	}
	compiled, err := b.compile(ctx, missing, "-overlay", overlay)
	if err != nil {
		// Another version of Go, or a new import, may need more of a package than its stand-in has.
		var whole error
		if compiled, whole = b.compile(ctx, missing); whole != nil {
			return nil, whole
		}
		b.Log("built without the stand-ins for %s, which makes the programs larger; they do not fit:\n%v", standinNames(), err)
	}
	for name, body := range compiled {
		if err := b.cache.put(keys[name], body); err != nil {
			return nil, fmt.Errorf("pipeline.wasm: %w", err)
		}
		bodies[name] = body
	}
	b.Log("compiled to WebAssembly in %s", since(start))
	return bodies, nil
}

// compile runs the compiler once for all programs: two at once would each compile the standard library.
func (b *builder) compile(ctx context.Context, names []string, flags ...string) (map[string][]byte, error) {
	out := filepath.Join(b.Root, CacheDir, "link") + string(filepath.Separator)
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, fmt.Errorf("pipeline.compile: %w", err)
	}
	defer os.RemoveAll(out)
	args := slices.Concat([]string{"build", "-trimpath", "-buildvcs=false", "-ldflags", ldflags, "-o", out}, gcflags, flags)
	for _, name := range names {
		args = append(args, "./wasm/"+name)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = b.Root, wasmEnv()
	if msg, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("wasm does not compile (%w):\n%s", err, bytes.TrimSpace(msg))
	}
	bodies := map[string][]byte{}
	for _, name := range names {
		body, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			return nil, fmt.Errorf("pipeline.compile: %w", err)
		}
		bodies[name] = body
	}
	return bodies, nil
}

func wasmEnv() []string { return append(os.Environ(), "GOOS=js", "GOARCH=wasm") }

// listed is what `go list -json` says of a package.
type listed struct {
	ImportPath string
	Dir        string
	Standard   bool
	Module     *struct {
		Path, Version string
		Main          bool
	}
	GoFiles, SFiles, EmbedFiles []string
}

// inputsOf hashes everything that the compiler's output depends on: the toolchain, the stand-ins, the versions of modules (go.sum
// fixes their bytes) and the content of this module's own files.
func inputsOf(ctx context.Context, root, pkg, slim string) (string, error) {
	toolchain, err := run(ctx, root, nil, "go", "env", "GOVERSION", "GOEXPERIMENT", "GOWASM", "GOFLAGS")
	if err != nil {
		return "", err
	}
	out, err := run(ctx, root, wasmEnv(), "go", "list", "-deps", "-json=ImportPath,Dir,Standard,Module,GoFiles,SFiles,EmbedFiles", pkg)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s%s\n%s\n", toolchain, ldflags+strings.Join(gcflags, " "), slim)
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return "", fmt.Errorf("pipeline.inputsOf: %w", err)
		}
		if p.Standard {
			continue
		}
		if p.Module != nil && !p.Module.Main && p.Module.Version != "" {
			fmt.Fprintf(sum, "%s %s@%s\n", p.ImportPath, p.Module.Path, p.Module.Version)
			continue
		}
		for _, files := range [][]string{p.GoFiles, p.SFiles, p.EmbedFiles} {
			for _, f := range files {
				body, err := os.ReadFile(filepath.Join(p.Dir, f))
				if err != nil {
					return "", fmt.Errorf("pipeline.inputsOf: %w", err)
				}
				fmt.Fprintf(sum, "%s/%s %s\n", p.ImportPath, f, hash(body))
			}
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// run returns what a command prints; its complaints become the error.
func run(ctx context.Context, dir string, env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", name, args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return out, nil
}
