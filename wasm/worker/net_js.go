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

// dial connects to the edge that served this worker. The browser sends along whichever session's cookie it has, and does not say
// why a WebSocket was refused; so the edge is also asked who is signed in. Expired: nobody, or somebody else than person, whose
// session must not carry this person's work.
func dial(origin, person string) func(ctx context.Context) (io.ReadWriteCloser, error) {
	url := "ws" + strings.TrimPrefix(origin, "http") + "/nats"
	return func(ctx context.Context) (io.ReadWriteCloser, error) {
		const op = "worker.dial"
		signedIn := make(chan error, 1)
		go func() { signedIn <- isSignedIn(ctx, origin, person) }()
		stream, err := nats.DialWebSocket(ctx, url)
		who := <-signedIn
		if who == nil || err != nil && fault.KindOf(who) != fault.Expired {
			return stream, err
		}
		if err == nil {
			stream.Close() // it was never used
		}
		return nil, fault.Wrap(op, who)
	}
}

// isSignedIn is nil when the edge says that a person is signed in.
func isSignedIn(ctx context.Context, origin, person string) error {
	const op = "worker.isSignedIn"
	status, answer, err := ask(ctx, "GET", origin+"/api/me")
	if err != nil {
		return fault.E(op, fault.Unavailable, err)
	}
	who := answer.Get("person")
	switch {
	case status == 401 || status == 200 && !who.Truthy():
		return fault.Errorf(op, fault.Expired, "Nobody is signed in.")
	case status != 200:
		return fault.Errorf(op, fault.Unavailable, "The server answered %d.", status)
	case who.Get("id").String() != person:
		return fault.Errorf(op, fault.Expired, "Somebody else is signed in in this browser.")
	}
	return nil
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
