package pipeline

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io/fs"
	"mime"
	"os"
	"path"
	"path/filepath"
	"strings"
	"text/template"
)

// asset is one file of the app before compression.
type asset struct {
	name, path string
	body       []byte
	immutable  bool
}

// types are the content types that the app uses. The system's own table differs between machines.
var types = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/x-icon",
	".jpg":         "image/jpeg",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".wasm":        "application/wasm",
	".webmanifest": "application/manifest+json",
	".webp":        "image/webp",
	".woff2":       "font/woff2",
}

func (a asset) contentType() string {
	ext := path.Ext(a.name)
	if t, ok := types[ext]; ok {
		return t
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	return "application/octet-stream"
}

func (a asset) integrity() string {
	sum := sha256.Sum256(a.body)
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// addHashed adds a file under a path that names its content: "icons/192.png" becomes "/assets/icons/192.<hash>.png".
func (b *builder) addHashed(name string, body []byte) {
	ext := path.Ext(name)
	b.assets = append(b.assets, asset{
		name: name, body: body, immutable: true,
		path: "/assets/" + strings.TrimSuffix(name, ext) + "." + hash(body)[:16] + ext,
	})
}

// addFixed adds a file whose address may not change: the page, the service worker, favicon.ico.
func (b *builder) addFixed(name, path string, body []byte) {
	b.assets = append(b.assets, asset{name: name, path: path, body: body})
}

// addStatic adds app/web/static (hashed names) and app/web/root (served under their own names at the root).
func (b *builder) addStatic() error {
	for _, dir := range []string{"static", "root"} {
		base := filepath.Join(b.Root, "app/web", dir)
		err := filepath.WalkDir(base, func(file string, d fs.DirEntry, err error) error {
			if err != nil {
				if os.IsNotExist(err) && file == base {
					return nil // the folder is optional
				}
				return err
			}
			if d.IsDir() || strings.HasPrefix(d.Name(), ".") {
				return nil
			}
			body, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			name := filepath.ToSlash(strings.TrimPrefix(file, base+string(filepath.Separator)))
			if dir == "root" {
				b.addFixed(name, "/"+name, body)
			} else {
				b.addHashed(name, body)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("pipeline.addStatic: %w", err)
		}
	}
	return nil
}

func (b *builder) find(name string) (asset, error) {
	for _, a := range b.assets {
		if a.name == name {
			return a, nil
		}
	}
	var have []string
	for _, a := range b.assets {
		have = append(have, a.name)
	}
	return asset{}, fmt.Errorf("there is no asset %q; so far there are: %s", name, strings.Join(have, ", "))
}

// version names the assets so far: it changes when any of them does.
func (b *builder) version() string {
	var all strings.Builder
	for _, a := range b.assets {
		fmt.Fprintf(&all, "%s %s\n", a.path, hash(a.body))
	}
	return hash([]byte(all.String()))[:16]
}

// expand fills a template of app/web: {{url "boot.js"}}, {{integrity "boot.js"}} and {{version}}.
func (b *builder) expand(file string) ([]byte, error) {
	src, err := os.ReadFile(filepath.Join(b.Root, file))
	if err != nil {
		return nil, fmt.Errorf("pipeline.expand: %w", err)
	}
	t, err := template.New(file).Funcs(template.FuncMap{
		"url":       func(name string) (string, error) { a, err := b.find(name); return a.path, err },
		"integrity": func(name string) (string, error) { a, err := b.find(name); return a.integrity(), err },
		"version":   b.version,
	}).Parse(string(src))
	if err != nil {
		return nil, fmt.Errorf("pipeline.expand: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, nil); err != nil {
		return nil, fmt.Errorf("pipeline.expand: %w", err)
	}
	return out.Bytes(), nil
}
