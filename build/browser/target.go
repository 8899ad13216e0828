package browser

import (
	"context"
	"encoding/json"
	"time"
)

// target is a page or a worker that the kit is attached to.
type target struct {
	b       *chromium
	session string
	id      string
	kind    string // page, iframe, worker, shared_worker, service_worker
	url     string // at the time of attaching
	person  *Person
	parent  *target // nil for pages and service workers

	authenticator string // kind page only: its virtual authenticator; the person's lock guards it
	gate          string // kind page only: the script that holds ceremonies back; the person's lock guards it
	prepared      chan struct{}
}

// attachMax bounds the handful of commands that prepare a new target. A page that closes at once answers none of them.
const attachMax = 60 * time.Second

// autoAttach makes Chromium hold every new page and worker below a session until the kit has prepared it.
var autoAttach = map[string]any{"autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true}

func (b *chromium) attached(parent string, params json.RawMessage) {
	var ev struct {
		SessionID  string
		TargetInfo struct{ TargetID, Type, URL, BrowserContextID string }
	}
	if json.Unmarshal(params, &ev) != nil {
		return
	}
	info := ev.TargetInfo
	t := &target{b: b, session: ev.SessionID, id: info.TargetID, kind: info.Type, url: info.URL, prepared: make(chan struct{})}
	b.mu.Lock()
	t.parent = b.targets[parent]
	t.person = b.people[info.BrowserContextID]
	if t.person == nil && t.parent != nil {
		t.person = t.parent.person
	}
	if t.person == nil {
		t.person = b.people[""] // a browser of one person: everything in it is theirs
	}
	if t.kind == "service_worker" && t.parent != nil {
		t.person = nil // the browser's own session reports it too, and outlives this page's
	}
	b.targets[t.session] = t
	b.mu.Unlock()
	if t.person != nil {
		t.person.remember(t)
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), attachMax)
		defer cancel()
		defer close(t.prepared)
		// Some kinds of targets answer only when they run, so everything is sent before anything is waited for.
		var answers []func(context.Context, any) error
		send := func(method string, params any) { answers = append(answers, b.send(t.session, method, params)) }
		send("Target.setAutoAttach", autoAttach)
		if t.person != nil {
			t.person.prepare(ctx, t, send)
		}
		send("Runtime.runIfWaitingForDebugger", nil)
		for _, answer := range answers {
			answer(ctx, nil) // kinds of targets know different commands, and one that closes knows none
		}
	}()
}

// open creates a page in a browser context and returns when it is prepared.
func (b *chromium) open(ctx context.Context, browserContext string) (*target, error) {
	params := map[string]any{"url": "about:blank", "newWindow": true}
	if browserContext != "" {
		params["browserContextId"] = browserContext
	}
	var res struct{ TargetID string }
	if err := b.call(ctx, "", "Target.createTarget", params, &res); err != nil {
		return nil, err
	}
	// The event that announces the page comes around the same time as the answer, before or after it.
	for t := b.byID(res.TargetID); ; t = b.byID(res.TargetID) {
		if t != nil {
			select {
			case <-t.prepared:
				return t, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		select {
		case <-time.After(2 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-b.done:
			return nil, errGone
		}
	}
}

func (b *chromium) byID(id string) *target {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range b.targets {
		if t.id == id {
			return t
		}
	}
	return nil
}
