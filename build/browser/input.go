package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

type point struct{ X, Y float64 }

// pointAt waits until an element can be hit by a pointer: shown, in view, not moving, enabled, not covered.
func (g *Page) pointAt(ctx context.Context, sel string) point {
	g.p.tb.Helper()
	const script = `async function() {
  if (this.disabled || this.getAttribute("aria-disabled") === "true") return "it is disabled";
  this.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "instant" });
  const at = () => { const r = this.getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2] };
  const before = at();
  await new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
  const [x, y] = at();
  if (x !== before[0] || y !== before[1]) return "it moves";
  const hit = document.elementFromPoint(x, y);
  if (!hit) return "it is outside the window";
  if (!this.contains(hit) && !hit.contains(this) && !(this.labels && [...this.labels].some((l) => l.contains(hit)))) {
    return "it is covered by <" + hit.tagName.toLowerCase() + " class=\"" + hit.className + "\">";
  }
  return JSON.stringify({ x, y });
}`
	var at point
	g.poll(ctx, sel+" to click", func() (bool, error) {
		o, err := g.one(ctx, parseSelector(sel))
		if err != nil {
			return false, err
		}
		var said string
		if err := g.on(ctx, o, script, &said); err != nil {
			return false, err
		}
		if !strings.HasPrefix(said, "{") {
			return false, errors.New(said)
		}
		return true, json.Unmarshal([]byte(said), &at)
	})
	return at
}

func (g *Page) mouse(ctx context.Context, kind string, at point, more map[string]any) {
	g.p.tb.Helper()
	params := map[string]any{"type": kind, "x": at.X, "y": at.Y}
	for k, v := range more {
		params[k] = v
	}
	g.p.must(g.call(ctx, "Input.dispatchMouseEvent", params, nil))
}

// Click presses and releases the mouse on an element, with real input events.
func (g *Page) Click(sel string) {
	g.p.tb.Helper()
	g.click(sel, "left", 1)
}

// DoubleClick clicks twice.
func (g *Page) DoubleClick(sel string) {
	g.p.tb.Helper()
	g.click(sel, "left", 1)
	g.click(sel, "left", 2)
}

// RightClick clicks with the other button.
func (g *Page) RightClick(sel string) {
	g.p.tb.Helper()
	g.click(sel, "right", 1)
}

func (g *Page) click(sel, button string, count int) {
	g.p.tb.Helper()
	ctx, cancel := g.p.patience()
	defer cancel()
	at := g.pointAt(ctx, sel)
	g.mouse(ctx, "mouseMoved", at, nil)
	g.mouse(ctx, "mousePressed", at, map[string]any{"button": button, "clickCount": count, "buttons": 1})
	g.mouse(ctx, "mouseReleased", at, map[string]any{"button": button, "clickCount": count})
}

// Hover moves the mouse onto an element.
func (g *Page) Hover(sel string) {
	g.p.tb.Helper()
	ctx, cancel := g.p.patience()
	defer cancel()
	g.mouse(ctx, "mouseMoved", g.pointAt(ctx, sel), nil)
}

// Drag moves an element onto another with the mouse, as slowly as a hand. part is where on the target it is dropped,
// from 0 (top edge) to 1 (bottom edge). Works for pointer events and for HTML drag and drop.
func (g *Page) Drag(from, onto string, part float64) {
	g.p.tb.Helper()
	ctx, cancel := g.p.patience()
	defer cancel()
	start := g.pointAt(ctx, from)
	g.mouse(ctx, "mouseMoved", start, nil)
	g.mouse(ctx, "mousePressed", start, map[string]any{"button": "left", "clickCount": 1, "buttons": 1})
	var box struct{ X, Y, W, H float64 }
	g.p.must(g.on(ctx, g.wait(onto), `function() { const r = this.getBoundingClientRect(); return { x: r.left, y: r.top, w: r.width, h: r.height } }`, &box))
	end := point{box.X + box.W/2, box.Y + box.H*part}
	const steps = 12
	for i := 1; i <= steps; i++ {
		f := float64(i) / steps
		at := point{start.X + (end.X-start.X)*f, start.Y + (end.Y-start.Y)*f}
		g.mouse(ctx, "mouseMoved", at, map[string]any{"button": "left", "buttons": 1})
		g.Run("new Promise((next) => requestAnimationFrame(() => next(true)))")
	}
	g.mouse(ctx, "mouseReleased", end, map[string]any{"button": "left", "clickCount": 1})
}

// Focus puts the keyboard on an element.
func (g *Page) Focus(sel string) {
	g.p.tb.Helper()
	var ok bool
	g.ask(sel, `function() { this.focus(); return document.activeElement === this || this.contains(document.activeElement) }`, &ok)
	if !ok {
		g.p.tb.Fatalf("%s: %s does not take the keyboard", g.p.o.Name, sel)
	}
}

// Fill replaces what is in a field, as select-all and paste do.
func (g *Page) Fill(sel, text string) {
	g.p.tb.Helper()
	g.Focus(sel)
	g.Press("Control+a")
	if text == "" {
		g.Press("Delete")
		return
	}
	g.Insert(text)
}

// Insert puts text where the cursor is in one input event, as paste and input methods do.
func (g *Page) Insert(text string) {
	g.p.tb.Helper()
	ctx, cancel := g.p.patience()
	defer cancel()
	g.p.must(g.call(ctx, "Input.insertText", map[string]any{"text": text}, nil))
}

// Type presses one key after the other.
func (g *Page) Type(text string) {
	g.p.tb.Helper()
	for _, r := range text {
		switch r {
		case '\n':
			g.Press("Enter")
		case ' ':
			g.Press("Space")
		case '\t':
			g.Press("Tab")
		default:
			g.Press(string(r))
		}
	}
}

// Press presses keys, each "Enter", "a", "Control+k", "Shift+ArrowDown" (names of KeyboardEvent.key, W3C UI Events).
func (g *Page) Press(keys ...string) {
	g.p.tb.Helper()
	ctx, cancel := g.p.patience()
	defer cancel()
	for _, k := range keys {
		down, err := parseKey(k)
		g.p.must(err)
		g.p.must(g.call(ctx, "Input.dispatchKeyEvent", down, nil))
		up := map[string]any{}
		for name, v := range down {
			if name != "text" && name != "commands" {
				up[name] = v
			}
		}
		up["type"] = "keyUp"
		g.p.must(g.call(ctx, "Input.dispatchKeyEvent", up, nil))
	}
}

// Modifier bits of Input.dispatchKeyEvent.
var modifiers = map[string]int{"Alt": 1, "Control": 2, "Meta": 4, "Shift": 8}

// namedKeys are keys that print nothing, with their Windows virtual key codes, which editing commands go by.
var namedKeys = map[string]int{
	"Backspace": 8, "Tab": 9, "Enter": 13, "Escape": 27, "Space": 32, "PageUp": 33, "PageDown": 34, "End": 35, "Home": 36,
	"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Delete": 46, "F1": 112, "F2": 113, "ContextMenu": 93,
}

// parseKey turns "Control+k" into the parameters of a keyDown event.
func parseKey(k string) (map[string]any, error) {
	mods := 0
	rest := k
	for {
		head, tail, ok := strings.Cut(rest, "+")
		bit, known := modifiers[head]
		if !ok || !known || tail == "" {
			break
		}
		mods |= bit
		rest = tail
	}
	params := map[string]any{"type": "keyDown", "modifiers": mods, "key": rest}
	if code, ok := namedKeys[rest]; ok {
		params["windowsVirtualKeyCode"], params["code"] = code, rest
		switch rest {
		case "Enter":
			params["text"] = "\r"
		case "Space":
			params["key"], params["text"] = " ", " "
		}
	} else if r := []rune(rest); len(r) == 1 {
		upper := strings.ToUpper(rest)
		if r[0] < 128 {
			params["windowsVirtualKeyCode"] = int(upper[0])
		}
		switch c := upper[0]; {
		case c >= 'A' && c <= 'Z':
			params["code"] = "Key" + upper
		case c >= '0' && c <= '9':
			params["code"] = "Digit" + upper
		default:
			delete(params, "windowsVirtualKeyCode") // punctuation has other codes; the key's value is what counts
		}
		if mods&(modifiers["Control"]|modifiers["Alt"]|modifiers["Meta"]) == 0 {
			params["text"] = rest
		}
		if rest != strings.ToLower(rest) {
			params["modifiers"] = mods | modifiers["Shift"]
		}
		if mods == modifiers["Control"] && rest == "a" {
			params["commands"] = []string{"selectAll"} // headless Chromium has no platform key bindings
		}
	} else {
		return nil, fmt.Errorf("there is no key %q", k)
	}
	if mods&^modifiers["Shift"] != 0 {
		delete(params, "text")
		params["type"] = "rawKeyDown"
	}
	return params, nil
}
