package browser

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// A selector names an element the way a person would. The first form that fits is used:
//
//	role=button:Create task   role and accessible name, as a screen reader is told (Chromium's accessibility tree)
//	role=dialog               role alone
//	label=Title               any control with this accessible name
//	text=Buy milk             the smallest element whose text contains this
//	.board > li               anything else is a CSS selector
//
// Names compare exactly. Only elements that are rendered count. Where several match, the first in the document is
// taken, "|last" or "|2" at the end (counted from 0) takes another.
type selector struct {
	role, name, text, css string
	named                 bool
	index                 int // -1 is the last
}

func parseSelector(s string) selector {
	var sel selector
	if head, tail, ok := cutLast(s, "|"); ok {
		var n int
		if tail == "last" {
			s, sel.index = head, -1
		} else if _, err := fmt.Sscanf(tail, "%d", &n); err == nil && fmt.Sprint(n) == tail {
			s, sel.index = head, n
		}
	}
	switch {
	case strings.HasPrefix(s, "role="):
		sel.role, sel.name, sel.named = strings.Cut(s[len("role="):], ":")
	case strings.HasPrefix(s, "label="):
		sel.name, sel.named = s[len("label="):], true
	case strings.HasPrefix(s, "text="):
		sel.text = s[len("text="):]
	default:
		sel.css = s
	}
	return sel
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// object is a handle on an element in the page.
type object string

// errNone is returned while nothing matches.
var errNone = errors.New("no such element is shown")

// find returns the elements that match, in document order, rendered ones only.
func (g *Page) find(ctx context.Context, sel selector) ([]object, error) {
	if sel.css != "" || sel.text != "" {
		return g.findByScript(ctx, sel)
	}
	doc, err := g.handle(ctx, "document")
	if err != nil {
		return nil, err
	}
	params := map[string]any{"objectId": doc}
	if sel.role != "" {
		params["role"] = sel.role
	}
	if sel.named {
		params["accessibleName"] = sel.name
	}
	var res struct {
		Nodes []struct {
			Ignored          bool
			BackendDOMNodeID int64
			Role             struct{ Value any }
		}
	}
	if err := g.call(ctx, "Accessibility.queryAXTree", params, &res); err != nil {
		return nil, err
	}
	var found []object
	for _, n := range res.Nodes {
		role, _ := n.Role.Value.(string)
		// Text inside a button has the button's name; only the button can be used.
		if n.Ignored || sel.role == "" && (role == "StaticText" || role == "InlineTextBox" || role == "LabelText") {
			continue
		}
		var r struct{ Object struct{ ObjectID object } }
		if err := g.call(ctx, "DOM.resolveNode", map[string]any{"backendNodeId": n.BackendDOMNodeID}, &r); err != nil {
			continue // removed since
		}
		if g.on(ctx, r.Object.ObjectID, "function() { return this.isConnected && this.getClientRects().length > 0 }", nil) == nil {
			found = append(found, r.Object.ObjectID)
		}
	}
	return found, nil
}

// findByScript finds by CSS or by text.
func (g *Page) findByScript(ctx context.Context, sel selector) ([]object, error) {
	const script = `((css, text) => {
  const shown = (e) => e.getClientRects().length > 0;
  if (css) return [...document.querySelectorAll(css)].filter(shown);
  const flat = (s) => s.replace(/\s+/g, " ").trim();
  const has = (e) => flat(e.innerText ?? "").includes(text);
  const all = [...document.body.querySelectorAll("*")].filter((e) => shown(e) && has(e));
  return all.filter((e) => ![...e.children].some((c) => shown(c) && has(c)));
})`
	var res struct {
		Result           struct{ ObjectID object }
		ExceptionDetails *exceptionDetails
	}
	expr := fmt.Sprintf("%s(%s, %s)", script, quote(sel.css), quote(strings.Join(strings.Fields(sel.text), " ")))
	if err := g.call(ctx, "Runtime.evaluate", map[string]any{"expression": expr}, &res); err != nil {
		return nil, err
	}
	if res.ExceptionDetails != nil {
		return nil, errors.New(res.ExceptionDetails.String())
	}
	var props struct {
		Result []struct {
			Name  string
			Value struct {
				Subtype  string
				ObjectID object
			}
		}
	}
	if err := g.call(ctx, "Runtime.getProperties", map[string]any{"objectId": res.Result.ObjectID, "ownProperties": true}, &props); err != nil {
		return nil, err
	}
	var found []object
	for _, p := range props.Result {
		if p.Value.Subtype == "node" {
			found = append(found, p.Value.ObjectID)
		}
	}
	return found, nil
}

func (g *Page) one(ctx context.Context, sel selector) (object, error) {
	all, err := g.find(ctx, sel)
	if err != nil {
		return "", err
	}
	i := sel.index
	if i < 0 {
		i = len(all) - 1
	}
	if i < 0 || i >= len(all) {
		return "", errNone
	}
	return all[i], nil
}

// on calls a JavaScript function with the element as "this". With a nil result the answer must be true.
func (g *Page) on(ctx context.Context, o object, function string, result any) error {
	var res struct {
		Result           remoteObject
		ExceptionDetails *exceptionDetails
	}
	err := g.call(ctx, "Runtime.callFunctionOn", map[string]any{
		"objectId": o, "functionDeclaration": function, "returnByValue": true, "awaitPromise": true, "userGesture": true,
	}, &res)
	if err != nil {
		return err
	}
	if res.ExceptionDetails != nil {
		return errors.New(res.ExceptionDetails.String())
	}
	if result == nil {
		if string(res.Result.Value) != "true" {
			return errNone
		}
		return nil
	}
	return unmarshal(res.Result.Value, result)
}

func (g *Page) handle(ctx context.Context, js string) (object, error) {
	var res struct{ Result struct{ ObjectID object } }
	err := g.call(ctx, "Runtime.evaluate", map[string]any{"expression": js}, &res)
	return res.Result.ObjectID, err
}

// Count returns how many elements match now.
func (g *Page) Count(sel string) int {
	g.p.tb.Helper()
	ctx, cancel := g.p.patience()
	defer cancel()
	all, err := g.find(ctx, parseSelector(sel))
	g.p.must(err)
	return len(all)
}

// Wait waits until an element is shown.
func (g *Page) Wait(sel string) {
	g.p.tb.Helper()
	g.wait(sel)
}

// WaitGone waits until no element that matches is shown.
func (g *Page) WaitGone(sel string) {
	g.p.tb.Helper()
	ctx, cancel := g.p.patience()
	defer cancel()
	g.poll(ctx, sel+" to go", func() (bool, error) {
		_, err := g.one(ctx, parseSelector(sel))
		if errors.Is(err, errNone) {
			return true, nil
		}
		return false, err
	})
}

// WaitCount waits until exactly n elements match.
func (g *Page) WaitCount(sel string, n int) {
	g.p.tb.Helper()
	ctx, cancel := g.p.patience()
	defer cancel()
	g.poll(ctx, fmt.Sprintf("%d of %s", n, sel), func() (bool, error) {
		all, err := g.find(ctx, parseSelector(sel))
		return len(all) == n, err
	})
}

// TextOf waits for an element and returns its text, or the value of a field.
func (g *Page) TextOf(sel string) string {
	g.p.tb.Helper()
	var text string
	g.ask(sel, `function() { return "value" in this && this.tagName !== "LI" && this.tagName !== "BUTTON" ? String(this.value) : this.innerText }`, &text)
	return strings.TrimSpace(text)
}

// TextsOf returns the texts of all elements that match now, in document order.
func (g *Page) TextsOf(sel string) []string {
	g.p.tb.Helper()
	ctx, cancel := g.p.patience()
	defer cancel()
	all, err := g.find(ctx, parseSelector(sel))
	g.p.must(err)
	texts := []string{}
	for _, o := range all {
		var s string
		if g.on(ctx, o, "function() { return this.innerText }", &s) == nil {
			texts = append(texts, strings.TrimSpace(s))
		}
	}
	return texts
}

// Attr waits for an element and returns an attribute, "" when it has none.
func (g *Page) Attr(sel, name string) string {
	g.p.tb.Helper()
	var v string
	g.ask(sel, "function() { return this.getAttribute("+quote(name)+") ?? '' }", &v)
	return v
}

func (g *Page) ask(sel, function string, result any) {
	g.p.tb.Helper()
	ctx, cancel := g.p.patience()
	defer cancel()
	g.poll(ctx, sel, func() (bool, error) {
		o, err := g.one(ctx, parseSelector(sel))
		if err != nil {
			return false, err
		}
		return true, g.on(ctx, o, function, result)
	})
}

func (g *Page) wait(sel string) object {
	g.p.tb.Helper()
	ctx, cancel := g.p.patience()
	defer cancel()
	var o object
	g.poll(ctx, sel, func() (bool, error) {
		var err error
		o, err = g.one(ctx, parseSelector(sel))
		return err == nil, err
	})
	return o
}
