package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Resize sets the size of the tab in CSS pixels and its colour scheme.
func (g *Page) Resize(width, height int, dark bool) {
	g.p.tb.Helper()
	ctx, cancel := g.p.patience()
	defer cancel()
	g.p.dress(width, height, dark, func(method string, params any) { g.p.must(g.call(ctx, method, params, nil)) })
	g.Run("new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(() => next(true))))")
}

// Rest waits until the document has rested: nothing changed in it for some frames, and no transition or animation that ends is running.
// Frames and timers are counted, not time: a machine that stands still for a second has not rested. A page that never rests is
// taken as it is after half a minute. What a page waits for from elsewhere must be waited for by who knows of it.
func (g *Page) Rest() {
	g.p.tb.Helper()
	g.Run(`new Promise((done) => {
		const began = performance.now();
		let changed = false, still = 0;
		const watch = new MutationObserver(() => { changed = true; });
		watch.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
		const moving = () => document.getAnimations().some((a) => a.playState === "running" && a.effect.getComputedTiming().endTime !== Infinity);
		const look = () => requestAnimationFrame(() => setTimeout(() => {
			still = changed || moving() ? 0 : still + 1;
			changed = false;
			if (still < 5 && performance.now() - began < 30_000) return look();
			watch.disconnect();
			done(true);
		}, 20));
		look();
	})`)
}

// Picture writes what the tab shows once it has come to rest to a PNG file, making its folder.
func (g *Page) Picture(path string) {
	g.p.tb.Helper()
	g.Rest()
	png, err := g.picture()
	g.p.must(err)
	g.p.must(os.MkdirAll(filepath.Dir(path), 0o755))
	g.p.must(os.WriteFile(path, png, 0o644))
}

// Pictures writes four pictures, <dir>/<name>-<360|1440>-<light|dark>.png, and puts the tab back as it was.
func (g *Page) Pictures(dir, name string) {
	g.p.tb.Helper()
	for _, size := range [][2]int{{360, 740}, {1440, 900}} {
		for _, dark := range []bool{false, true} {
			scheme := "light"
			if dark {
				scheme = "dark"
			}
			g.Resize(size[0], size[1], dark)
			g.Picture(filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, size[0], scheme)))
		}
	}
	g.Resize(g.p.o.Width, g.p.o.Height, g.p.o.Dark)
}

func (g *Page) picture() ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), g.p.o.Patience)
	defer cancel()
	var res struct{ Data []byte }
	err := g.call(ctx, "Page.captureScreenshot", map[string]any{"format": "png"}, &res)
	return res.Data, err
}

// quote makes a JavaScript string literal.
func quote(s string) string {
	b, _ := json.Marshal(s) // a string always encodes
	return string(b)
}

func unmarshal(raw json.RawMessage, v any) error {
	if len(raw) == 0 {
		return nil // undefined
	}
	return json.Unmarshal(raw, v)
}
