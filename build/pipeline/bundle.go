package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// bundleAll makes the files that mention others, each after what it mentions.
func (b *builder) bundleAll() error {
	if err := b.bundle("worker.js", "wasm/worker/worker.js"); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(b.Root, "app/web/manifest.webmanifest")); err == nil {
		body, err := b.expand("app/web/manifest.webmanifest")
		if err != nil {
			return err
		}
		b.addFixed("manifest.webmanifest", "/manifest.webmanifest", body)
	}
	for _, f := range []string{"boot.js", "app.css"} {
		if err := b.bundle(f, "app/web/"+f); err != nil {
			return err
		}
	}
	page, err := b.expand("app/web/index.html")
	if err != nil {
		return err
	}
	b.addFixed("index.html", "/", page)
	if err := b.bundle("sw.js", "app/web/sw.js"); err != nil {
		return err
	}
	for _, f := range []string{"console.css", "console.js"} { // after sw.js: devices do not keep what only operators load
		if err := b.bundle(f, "app/web/"+f); err != nil {
			return err
		}
	}
	return nil
}

// bundle builds one entry point. sw.js keeps its name: a service worker is found, and updated, under one address.
func (b *builder) bundle(name, entry string) error {
	body, err := Bundle(Script{
		Root: b.Root, Entry: entry, Assets: b.urls(), Version: b.version(), Minify: true,
	})
	if err != nil {
		return err
	}
	if name == "sw.js" {
		b.addFixed(name, "/sw.js", body)
	} else {
		b.addHashed(name, body)
	}
	return nil
}

func (b *builder) urls() map[string]string {
	urls := make(map[string]string, len(b.assets))
	for _, a := range b.assets {
		urls[a.name] = a.path
	}
	return urls
}

// Script is one JavaScript or CSS entry point.
type Script struct {
	Root    string            // folder of go.mod and node_modules
	Entry   string            // path relative to Root; ignored when Source is set
	Source  string            // the entry's text instead of a file; its imports resolve from Root
	Assets  map[string]string // logical name to URL, for the module "holdfast:assets" and for url() in CSS
	Version string
	Minify  bool
	// External are modules that stay as imports, such as "node:*": a library asks for them only outside a browser.
	External []string
}

// Bundle builds s into one file: an ES module, or a style sheet. A script may import
//
//	import "holdfast:go"                                // wasm_exec.js of this Go toolchain: defines globalThis.Go
//	import { assets, version } from "holdfast:assets"   // assets["page.wasm"] is a URL
func Bundle(s Script) ([]byte, error) {
	opts := api.BuildOptions{
		AbsWorkingDir:     s.Root,
		Outfile:           filepath.Join(s.Root, "out", filepath.Base(s.Entry)), // never written: Write is off
		Bundle:            true,
		Format:            api.FormatESModule,
		Platform:          api.PlatformBrowser,
		Target:            api.ES2022,
		Charset:           api.CharsetUTF8,
		LegalComments:     api.LegalCommentsNone,
		MinifyWhitespace:  s.Minify,
		MinifySyntax:      s.Minify,
		MinifyIdentifiers: s.Minify,
		External:          s.External,
		LogLevel:          api.LogLevelSilent,
		Plugins:           []api.Plugin{s.plugin()},
	}
	if s.Source != "" {
		opts.Outfile = filepath.Join(s.Root, "out", "script.js")
		opts.Stdin = &api.StdinOptions{Contents: s.Source, ResolveDir: s.Root, Sourcefile: "script.js"}
	} else {
		opts.EntryPoints = []string{s.Entry}
		if strings.HasSuffix(s.Entry, ".css") {
			opts.Target = api.ESNext // CSS nesting and the like go out as written
		}
	}
	res := api.Build(opts)
	if len(res.Errors) > 0 {
		msgs := api.FormatMessages(res.Errors, api.FormatMessagesOptions{})
		return nil, fmt.Errorf("%s does not bundle:\n%s", s.Entry, strings.TrimSpace(strings.Join(msgs, "\n")))
	}
	if len(res.OutputFiles) != 1 {
		return nil, fmt.Errorf("pipeline.Bundle: %s gives %d files, want 1", s.Entry, len(res.OutputFiles))
	}
	return res.OutputFiles[0].Contents, nil
}

func (s Script) plugin() api.Plugin {
	return api.Plugin{Name: "holdfast", Setup: func(b api.PluginBuild) {
		b.OnResolve(api.OnResolveOptions{Filter: "^holdfast:"}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
			return api.OnResolveResult{Path: a.Path, Namespace: "holdfast"}, nil
		})
		b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: "holdfast"}, s.load)
		b.OnResolve(api.OnResolveOptions{Filter: `^(\./)?static/`}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
			if a.Kind != api.ResolveCSSURLToken {
				return api.OnResolveResult{}, nil
			}
			name := strings.TrimPrefix(strings.TrimPrefix(a.Path, "./"), "static/")
			url, ok := s.Assets[name]
			if !ok {
				return api.OnResolveResult{}, fmt.Errorf("there is no file app/web/static/%s", name)
			}
			return api.OnResolveResult{Path: url, External: true}, nil
		})
	}}
}

func (s Script) load(a api.OnLoadArgs) (api.OnLoadResult, error) {
	var text string
	switch a.Path {
	case "holdfast:assets":
		urls, err := json.Marshal(s.Assets) // sorted by name, so the bundle's hash does not wander
		if err != nil {
			return api.OnLoadResult{}, err
		}
		text = fmt.Sprintf("export const assets = %s;\nexport const version = %q;\n", urls, s.Version)
	case "holdfast:go":
		src, err := wasmExec(s.Root)
		if err != nil {
			return api.OnLoadResult{}, err
		}
		text = src
	default:
		return api.OnLoadResult{}, errors.New(`only "holdfast:go" and "holdfast:assets" exist`)
	}
	return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, nil
}

// wasmExec reads the JavaScript half of Go's js/wasm port; it must be of the very toolchain that compiled the programs.
func wasmExec(root string) (string, error) {
	cmd := exec.Command("go", "env", "GOROOT")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go env GOROOT: %w", err)
	}
	src, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "lib/wasm/wasm_exec.js"))
	return string(src), err
}
