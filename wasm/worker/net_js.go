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

const renewMax = 15 * time.Second

// dial connects to the edge that served this worker. The browser sends the session's cookie along.
func dial(origin string) func(ctx context.Context) (io.ReadWriteCloser, error) {
	url := "ws" + strings.TrimPrefix(origin, "http") + "/nats"
	return func(ctx context.Context) (io.ReadWriteCloser, error) { return nats.DialWebSocket(ctx, url) }
}

// renew asks the hub for a fresh session cookie.
func renew(origin string) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		const op = "worker.renew"
		ctx, cancel := context.WithTimeout(ctx, renewMax)
		defer cancel()
		// fetch itself, not net/http: it would make the worker a quarter of a megabyte larger.
		res, err := await(ctx, js.Global().Call("fetch", origin+"/api/auth/renew", map[string]any{
			"method": "POST", "body": "{}", "headers": map[string]any{"Content-Type": "application/json"},
		}))
		if err != nil {
			return fault.E(op, fault.Unavailable, err)
		}
		switch status := res.Get("status").Int(); {
		case status < 300:
			return nil
		case status == 401:
			return fault.Errorf(op, fault.Expired, "Your session has ended. Sign in again.")
		default:
			return fault.Errorf(op, fault.Unavailable, "The server answered %d.", status)
		}
	}
}
