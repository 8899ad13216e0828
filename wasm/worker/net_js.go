//go:build js

package main

import (
	"context"
	"net"
	"strings"
	"syscall/js"
	"time"

	"github.com/coder/websocket"
	"github.com/nats-io/nats.go"

	"holdfast/sync/fault"
)

const (
	dialMax  = 10 * time.Second
	renewMax = 15 * time.Second
)

// webSocket dials the edge's NATS over the browser's WebSocket, which sends the session's cookie along.
type webSocket struct{ url string }

// Dial ignores the address: there is one edge, the page's own origin.
func (d webSocket) Dial(_, _ string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), dialMax)
	defer cancel()
	c, _, err := websocket.Dial(ctx, d.url, nil)
	if err != nil {
		return nil, err
	}
	c.SetReadLimit(-1) // NATS bounds its own messages
	return websocket.NetConn(context.Background(), c, websocket.MessageBinary), nil
}

// SkipTLSHandshake says that the browser has done it.
func (webSocket) SkipTLSHandshake() bool { return true }

// dial connects to the edge that served this worker.
func dial(origin string) func(opts ...nats.Option) (*nats.Conn, error) {
	d := webSocket{"ws" + strings.TrimPrefix(origin, "http") + "/nats"}
	return func(opts ...nats.Option) (*nats.Conn, error) {
		return nats.Connect("nats://edge:1", append(opts, nats.SetCustomDialer(d))...)
	}
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
