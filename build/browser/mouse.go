package browser

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
)

type point struct{ X, Y float64 }

// pointAt waits until an element can be hit by a pointer: shown, in view, not moving, enabled, not covered.
func (g *Page) pointAt(ctx context.Context, sel string) (object, point, error) {
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
	o, err := g.one(ctx, parseSelector(sel))
	if err != nil {
		return "", at, err
	}
	var said string
	if err := g.on(ctx, o, script, &said); err != nil {
		return "", at, err
	}
	if !strings.HasPrefix(said, "{") {
		return "", at, errors.New(said)
	}
	return o, at, json.Unmarshal([]byte(said), &at)
}

// guard watches what becomes of a press on the element. The page may change between the look at where an element is and the
// event that goes there: a press that would meet something else is kept from the page, and "end" says so.
const guard = `function(clicks) {
  const el = this;
  let down, missed = "nothing was pressed", clicked = !clicks;
  const name = (e) => "<" + e.tagName?.toLowerCase() + " class=\"" + e.className + "\">";
  const begins = (hit) => el.isConnected && (el.contains(hit) || hit.contains(el) || [...(el.labels ?? [])].some((l) => l.contains(hit)));
  const look = (e) => {
    const hit = e.composedPath()[0];
    if (e.type === "pointerdown") missed = begins((down = hit)) ? "" : name(hit) + " came in between";
    else if (e.type === "click" && e.detail && !missed) {
      if (hit === down || el.contains(hit) || begins(document.elementFromPoint(e.clientX, e.clientY))) clicked = true;
      else missed = "it went away under the press";
    }
    if (missed) {
      e.preventDefault();
      e.stopImmediatePropagation();
    }
  };
  const kinds = ["pointerdown", "mousedown", "pointerup", "mouseup", "click", "auxclick", "dblclick", "contextmenu"];
  for (const kind of kinds) addEventListener(kind, look, true);
  return { end() {
    for (const kind of kinds) removeEventListener(kind, look, true);
    return missed || (clicked ? "" : "it went away under the press");
  } };
}`

// guarded presses while guard watches. The error says what came in between; then the page has noticed nothing, or no click.
func (g *Page) guarded(ctx context.Context, o object, clicks bool, press func()) error {
	var res struct {
		Result           struct{ ObjectID object }
		ExceptionDetails *exceptionDetails
	}
	err := g.call(ctx, "Runtime.callFunctionOn", map[string]any{
		"objectId": o, "functionDeclaration": guard, "arguments": []any{map[string]any{"value": clicks}},
	}, &res)
	if err != nil {
		return err
	}
	if res.ExceptionDetails != nil {
		return errors.New(res.ExceptionDetails.String())
	}
	press()
	var missed string
	if g.on(ctx, res.Result.ObjectID, "function() { return this.end() }", &missed) != nil {
		return nil // the document is gone: what was pressed was a link
	}
	if missed != "" {
		return errors.New(missed)
	}
	return nil
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
	g.poll(ctx, sel+" to click", func() (bool, error) {
		o, at, err := g.pointAt(ctx, sel)
		if err != nil {
			return false, err
		}
		return true, g.guarded(ctx, o, button == "left", func() {
			g.mouse(ctx, "mouseMoved", at, nil)
			g.mouse(ctx, "mousePressed", at, map[string]any{"button": button, "clickCount": count, "buttons": 1})
			g.mouse(ctx, "mouseReleased", at, map[string]any{"button": button, "clickCount": count})
		})
	})
}

// Hover moves the mouse onto an element.
func (g *Page) Hover(sel string) {
	g.p.tb.Helper()
	ctx, cancel := g.p.patience()
	defer cancel()
	g.poll(ctx, sel+" to point at", func() (bool, error) {
		o, at, err := g.pointAt(ctx, sel)
		if err != nil {
			return false, err
		}
		g.mouse(ctx, "mouseMoved", at, nil)
		return true, g.on(ctx, o, `function() { return this.matches(":hover") }`, nil)
	})
}

// Drag moves an element onto another with the mouse, as slowly as a hand. part is where on the target it is dropped,
// from 0 (top edge) to 1 (bottom edge). Works for pointer events and for HTML drag and drop.
func (g *Page) Drag(from, onto string, part float64) {
	g.p.tb.Helper()
	ctx, cancel := g.p.patience()
	defer cancel()
	var start point
	held := map[string]any{"button": "left", "buttons": 1}
	g.poll(ctx, from+" to drag", func() (bool, error) {
		o, at, err := g.pointAt(ctx, from)
		if err != nil {
			return false, err
		}
		start = at
		err = g.guarded(ctx, o, false, func() {
			g.mouse(ctx, "mouseMoved", at, nil)
			g.mouse(ctx, "mousePressed", at, map[string]any{"button": "left", "clickCount": 1, "buttons": 1})
		})
		if err != nil { // let go of what came in between, unnoticed too
			_ = g.guarded(ctx, o, false, func() { g.mouse(ctx, "mouseReleased", at, map[string]any{"button": "left", "clickCount": 1}) })
		}
		return true, err
	})
	target := g.wait(onto)
	end := func() point {
		var box struct{ X, Y, W, H float64 }
		g.p.must(g.on(ctx, target, `function() { const r = this.getBoundingClientRect(); return { x: r.left, y: r.top, w: r.width, h: r.height } }`, &box))
		return point{box.X + box.W/2, box.Y + box.H*part}
	}
	const steps = 12
	for i := 1; i <= steps; i++ {
		f, to := float64(i)/steps, end()
		g.mouse(ctx, "mouseMoved", point{start.X + (to.X-start.X)*f, start.Y + (to.Y-start.Y)*f}, held)
		g.Run("new Promise((next) => requestAnimationFrame(() => next(true)))")
	}
	g.mouse(ctx, "mouseReleased", end(), map[string]any{"button": "left", "clickCount": 1})
}
