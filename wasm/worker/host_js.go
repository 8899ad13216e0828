//go:build js

package main

import (
	"context"
	"errors"
	"syscall/js"
)

// host is worker.js: the lock, the tabs and where this worker comes from.
type host struct{ js.Value }

func theHost() host { return host{js.Global().Get("holdfastHost")} }

func (h host) tenant() string { return h.Get("tenant").String() }
func (h host) person() string { return h.Get("person").String() }
func (h host) origin() string { return h.Get("origin").String() }

// lead waits until this worker leads.
func (h host) lead(ctx context.Context) error {
	_, err := await(ctx, h.Call("lead"))
	return err
}

// serve takes requests from now on.
func (h host) serve(request func(tab string, text []byte), gone func(tab string)) {
	h.Set("onrequest", js.FuncOf(func(_ js.Value, a []js.Value) any {
		request(a[0].String(), []byte(a[1].String()))
		return nil
	}))
	h.Set("ongone", js.FuncOf(func(_ js.Value, a []js.Value) any {
		go gone(a[0].String())
		return nil
	}))
	h.Call("serve")
}

func (h host) send(tab string, re int, text []byte) { h.Call("send", tab, re, string(text)) }

// fatal ends this worker; its tab starts another.
func (h host) fatal(err error) { h.Call("fatal", err.Error()) }

// await waits for a promise.
func await(ctx context.Context, promise js.Value) (js.Value, error) {
	type outcome struct {
		v   js.Value
		err error
	}
	done := make(chan outcome, 1)
	good := js.FuncOf(func(_ js.Value, a []js.Value) any {
		v := js.Undefined()
		if len(a) > 0 {
			v = a[0]
		}
		done <- outcome{v: v}
		return nil
	})
	defer good.Release()
	bad := js.FuncOf(func(_ js.Value, a []js.Value) any {
		done <- outcome{err: errors.New(js.Global().Get("String").Invoke(a[0]).String())}
		return nil
	})
	defer bad.Release()
	promise.Call("then", good, bad)
	select {
	case o := <-done:
		return o.v, o.err
	case <-ctx.Done():
		return js.Undefined(), ctx.Err()
	}
}
