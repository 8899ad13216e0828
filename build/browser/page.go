package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Page is one tab.
type Page struct {
	p *Person
	t *target
}

// pollEvery is how often a condition in a page is looked at again.
const pollEvery = 15 * time.Millisecond

// Go opens an address in the tab and returns when the document has loaded.
func (g *Page) Go(address string) {
	g.p.tb.Helper()
	ctx, cancel := g.p.patience()
	defer cancel()
	var res struct{ ErrorText string }
	err := g.call(ctx, "Page.navigate", map[string]any{"url": address}, &res)
	if err == nil && res.ErrorText != "" {
		err = errors.New(res.ErrorText)
	}
	if err != nil {
		g.p.tb.Fatalf("%s: cannot open %s: %v", g.p.o.Name, address, err)
	}
	g.loaded(ctx)
}

// Reload loads the document again, as the reload key does.
func (g *Page) Reload() {
	g.p.tb.Helper()
	ctx, cancel := g.p.patience()
	defer cancel()
	g.p.must(g.eval(ctx, "globalThis.__beforeReload = true", nil))
	g.p.must(g.call(ctx, "Page.reload", nil, nil))
	g.poll(ctx, "the page to reload", func() (bool, error) {
		var fresh bool
		err := g.eval(ctx, "!globalThis.__beforeReload", &fresh)
		return fresh, err
	})
	g.loaded(ctx)
}

func (g *Page) loaded(ctx context.Context) {
	g.p.tb.Helper()
	g.poll(ctx, "the document to load", func() (bool, error) {
		var state string
		err := g.eval(ctx, "document.readyState", &state)
		return state == "complete", err
	})
}

// Quota has the browser give the page's origin so many bytes at most; 0 is what it gives by itself.
func (g *Page) Quota(bytes int64) {
	g.p.tb.Helper()
	ctx, cancel := g.p.patience()
	defer cancel()
	params := map[string]any{"origin": Eval[string](g, "location.origin")}
	if bytes > 0 {
		params["quotaSize"] = bytes
	}
	g.p.must(g.call(ctx, "Storage.overrideQuotaForOrigin", params, nil))
}

// Close closes the tab.
func (g *Page) Close() {
	g.p.tb.Helper()
	ctx, cancel := g.p.patience()
	defer cancel()
	g.p.must(g.p.b.call(ctx, "", "Target.closeTarget", map[string]any{"targetId": g.t.id}, nil))
	g.poll(ctx, "the tab to close", func() (bool, error) { return g.p.b.byID(g.t.id) == nil, nil })
}

// URL returns the address of the document, which views change without loading.
func (g *Page) URL() string {
	g.p.tb.Helper()
	return Eval[string](g, "location.href")
}

// Cookie returns a cookie that the page's server gets, also one that scripts cannot read; "" when there is none.
func (g *Page) Cookie(name string) string {
	g.p.tb.Helper()
	ctx, cancel := g.p.patience()
	defer cancel()
	var res struct {
		Cookies []struct{ Name, Value string }
	}
	g.p.must(g.call(ctx, "Network.getCookies", nil, &res))
	for _, c := range res.Cookies {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// SetCookie gives the page's origin a cookie that scripts cannot read.
func (g *Page) SetCookie(name, value string) {
	g.p.tb.Helper()
	ctx, cancel := g.p.patience()
	defer cancel()
	g.p.must(g.call(ctx, "Network.setCookie", map[string]any{"name": name, "value": value, "url": Eval[string](g, "location.origin"), "httpOnly": true}, nil))
}

// Eval runs JavaScript in the page, waits for it if it is a promise, and returns its value decoded from JSON.
// An exception ends the test.
func Eval[T any](g *Page, js string) T {
	g.p.tb.Helper()
	var v T
	ctx, cancel := g.p.patience()
	defer cancel()
	if err := g.eval(ctx, js, &v); err != nil {
		g.p.tb.Fatalf("%s: %s: %v", g.p.o.Name, short(js), err)
	}
	return v
}

// Run runs JavaScript in the page for its effect.
func (g *Page) Run(js string) {
	g.p.tb.Helper()
	ctx, cancel := g.p.patience()
	defer cancel()
	if err := g.eval(ctx, js, nil); err != nil {
		g.p.tb.Fatalf("%s: %s: %v", g.p.o.Name, short(js), err)
	}
}

// EvalWorker runs JavaScript in the person's worker whose address contains part: a dedicated worker of any of their
// pages, or their service worker.
func EvalWorker[T any](p *Person, part, js string) T {
	p.tb.Helper()
	ctx, cancel := p.patience()
	defer cancel()
	var v T
	for {
		var found *target // the youngest: one of a page that was left may not be gone yet
		p.mu.Lock()
		for _, t := range p.targets {
			if strings.HasSuffix(t.kind, "worker") && strings.Contains(t.url, part) {
				found = t
			}
		}
		p.mu.Unlock()
		if found != nil {
			err := evaluate(ctx, found, js, &v)
			if err == nil {
				return v
			}
			if p.b.byID(found.id) != nil {
				p.tb.Fatalf("%s: worker %s: %s: %v", p.o.Name, part, short(js), err)
			}
		}
		select {
		case <-ctx.Done():
			p.tb.Fatalf("%s: there is no worker whose address contains %q", p.o.Name, part)
		case <-time.After(pollEvery):
		}
	}
}

// WaitFor waits until a JavaScript expression is truthy. What is being waited for is said when it does not come.
func (g *Page) WaitFor(what, js string) {
	g.p.tb.Helper()
	ctx, cancel := g.p.patience()
	defer cancel()
	g.poll(ctx, what, func() (bool, error) {
		var ok bool
		err := g.eval(ctx, "(async () => !!(await ("+js+")))()", &ok)
		return ok, err
	})
}

// Text returns what a reader sees of the page.
func (g *Page) Text() string {
	g.p.tb.Helper()
	return Eval[string](g, "document.body?.innerText ?? ''")
}

// WaitText waits until the visible text contains want. Runs of white space count as one space.
func (g *Page) WaitText(want string) {
	g.p.tb.Helper()
	g.waitText(want, true)
}

// WaitNoText waits until the visible text no longer contains a text.
func (g *Page) WaitNoText(text string) {
	g.p.tb.Helper()
	g.waitText(text, false)
}

func (g *Page) waitText(text string, want bool) {
	g.p.tb.Helper()
	what := fmt.Sprintf("the text %q", text)
	if !want {
		what += " to go"
	}
	text = strings.Join(strings.Fields(text), " ")
	ctx, cancel := g.p.patience()
	defer cancel()
	g.poll(ctx, what, func() (bool, error) {
		var all string
		err := g.eval(ctx, "document.body?.innerText ?? ''", &all)
		return strings.Contains(strings.Join(strings.Fields(all), " "), text) == want, err
	})
}

// poll calls ok until it is true. Errors count as "not yet": documents come and go while a page navigates.
func (g *Page) poll(ctx context.Context, what string, ok func() (bool, error)) {
	g.p.tb.Helper()
	start := time.Now()
	var last error
	for {
		done, err := ok()
		if done && err == nil {
			return
		}
		if err != nil && ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			g.timedOut(what, time.Since(start), last)
		case <-time.After(pollEvery):
		}
		if errors.Is(err, errGone) {
			g.timedOut(what, time.Since(start), err)
		}
	}
}

func (g *Page) timedOut(what string, after time.Duration, last error) {
	g.p.tb.Helper()
	shown := "(no answer)"
	ctx, cancel := context.WithTimeout(context.Background(), endMax)
	defer cancel()
	var text, url string
	if g.eval(ctx, "document.body?.innerText ?? ''", &text) == nil && g.eval(ctx, "location.href", &url) == nil {
		shown = url + "\n" + text
	}
	if len(shown) > 3000 {
		shown = shown[:3000] + "…"
	}
	if last != nil {
		what += fmt.Sprintf(" (%v)", last)
	}
	g.p.tb.Fatalf("%s waited %s in vain for %s; the page shows:\n%s", g.p.o.Name, after.Round(time.Millisecond), what, shown)
}

func (g *Page) call(ctx context.Context, method string, params, result any) error {
	return g.t.b.call(ctx, g.t.session, method, params, result)
}

func (g *Page) eval(ctx context.Context, js string, result any) error {
	return evaluate(ctx, g.t, js, result)
}

func evaluate(ctx context.Context, t *target, js string, result any) error {
	var res struct {
		Result           remoteObject
		ExceptionDetails *exceptionDetails
	}
	err := t.b.call(ctx, t.session, "Runtime.evaluate", map[string]any{
		"expression": js, "awaitPromise": true, "returnByValue": true, "userGesture": true, "replMode": false,
	}, &res)
	if err != nil {
		return err
	}
	if res.ExceptionDetails != nil {
		return errors.New(res.ExceptionDetails.String())
	}
	if result == nil || len(res.Result.Value) == 0 {
		return nil // undefined: the zero value
	}
	return json.Unmarshal(res.Result.Value, result)
}

func short(js string) string {
	js = strings.Join(strings.Fields(js), " ")
	if len(js) > 120 {
		return js[:120] + "…"
	}
	return js
}
