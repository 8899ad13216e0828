package browser

import (
	"fmt"
	"strings"
)

// Focus puts the keyboard on an element.
func (g *Page) Focus(sel string) {
	g.p.tb.Helper()
	g.until(sel+" to take the keyboard", sel, `function() { this.focus(); return document.activeElement === this || this.contains(document.activeElement) }`)
}

// Fill replaces what is in a field, as select-all and paste do, in one go: nothing that the page does comes in between.
func (g *Page) Fill(sel, text string) {
	g.p.tb.Helper()
	g.until(sel+" to take a text", sel, `function() {
		this.focus();
		if (document.activeElement !== this || this.disabled || this.readOnly) return false;
		this.select();
		const text = `+quote(text)+`;
		return text === this.value || document.execCommand(text ? "insertText" : "delete", false, text);
	}`)
}

// until calls a function with an element as "this" until it returns true.
func (g *Page) until(what, sel, function string) {
	g.p.tb.Helper()
	ctx, cancel := g.p.patience()
	defer cancel()
	g.poll(ctx, what, func() (bool, error) {
		o, err := g.one(ctx, parseSelector(sel))
		if err != nil {
			return false, err
		}
		return true, g.on(ctx, o, function, nil)
	})
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
