//go:build js

package main

import (
	"context"
	"io"
	"strings"
	"syscall/js"
	"time"

	"holdfast/sync/fault"
	"holdfast/sync/nats"
)

// askMax bounds one question about the session.
const askMax = 15 * time.Second

// dial connects to the edge that served this worker. The browser sends the session's cookie along, but does not say why a
// WebSocket was refused, so a session that is over is found out by asking who is signed in: Expired then.
func dial(origin string) func(ctx context.Context) (io.ReadWriteCloser, error) {
	url := "ws" + strings.TrimPrefix(origin, "http") + "/nats"
	return func(ctx context.Context) (io.ReadWriteCloser, error) {
		stream, err := nats.DialWebSocket(ctx, url)
		if err != nil && ctx.Err() == nil && signedOut(ctx, origin) {
			return nil, fault.E("worker.dial", fault.Expired, err)
		}
		return stream, err
	}
}

// signedOut is true when the edge answers that nobody is signed in; no answer says nothing.
func signedOut(ctx context.Context, origin string) bool {
	status, answer, err := ask(ctx, "GET", origin+"/api/me")
	if err != nil || status == 401 {
		return status == 401
	}
	return status == 200 && !answer.Get("person").Truthy()
}

// renew asks the hub for a fresh session cookie.
func renew(origin string) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		const op = "worker.renew"
		switch status, _, err := ask(ctx, "POST", origin+"/api/auth/renew"); {
		case err != nil:
			return fault.E(op, fault.Unavailable, err)
		case status < 300:
			return nil
		case status == 401:
			return fault.Errorf(op, fault.Expired, "Your session has ended. Sign in again.")
		default:
			return fault.Errorf(op, fault.Unavailable, "The server answered %d.", status)
		}
	}
}

// ask makes a request; answer is what its JSON says, if it is JSON. It uses the browser's fetch, not net/http, which
// would make the worker a quarter of a megabyte larger.
func ask(ctx context.Context, method, url string) (status int, answer js.Value, err error) {
	ctx, cancel := context.WithTimeout(ctx, askMax)
	defer cancel()
	o := map[string]any{"method": method, "cache": "no-store", "headers": map[string]any{"Content-Type": "application/json"}}
	if method == "POST" {
		o["body"] = "{}"
	}
	res, err := await(ctx, js.Global().Call("fetch", url, o))
	if err != nil {
		return 0, js.Undefined(), err
	}
	status = res.Get("status").Int()
	if answer, err = await(ctx, res.Call("json")); err != nil || answer.Type() != js.TypeObject {
		return status, js.Global().Get("Object").New(), nil // a proxy's page; the status says enough
	}
	return status, answer, nil
}
