//go:build js

package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"syscall/js"
)

// bridge is globalThis.holdfastSQLite, the JavaScript half (wasm/worker/sqlite.js). Go under js/wasm runs on one thread
// and no call below waits between filling the input and reading the output, so one pair of buffers serves all connections.
type bridge struct {
	object                   js.Value
	prepare, run, next       js.Value
	message, reset, finalize js.Value
	inTx                     js.Value
	input, output            js.Value // Uint8Array
	inputBytes               int
	args                     []byte // what is copied to input
}

// argsKeepBytes is the most that the buffer for arguments holds on to between statements.
const argsKeepBytes = 1 << 20

// moved is added to a result's size when the output buffer is another one than before.
const moved = 1 << 40

var theBridge *bridge

func loadBridge() (*bridge, error) {
	if theBridge != nil {
		return theBridge, nil
	}
	o := js.Global().Get("holdfastSQLite")
	if o.IsUndefined() {
		return nil, errors.New("wasm/worker/sqlite.js is not loaded in this worker")
	}
	theBridge = &bridge{
		object: o, prepare: o.Get("prepare"), run: o.Get("run"), next: o.Get("next"),
		message: o.Get("message"), reset: o.Get("reset"), finalize: o.Get("finalize"), inTx: o.Get("inTransaction"),
	}
	return theBridge, nil
}

// begin starts a call: the result is to be appended to and passed to call.
func (b *bridge) begin(first uint32) []byte {
	if cap(b.args) > argsKeepBytes {
		b.args = nil
	}
	return binary.LittleEndian.AppendUint32(b.args[:0], first)
}

// call hands args over and returns the result in a buffer of its own.
func (b *bridge) call(f js.Value, args []byte) ([]byte, error) {
	n, err := b.invoke(f, args)
	if err != nil {
		return nil, err
	}
	result := make([]byte, n)
	js.CopyBytesToGo(result, b.output)
	return result, nil
}

// invoke hands args over and returns how many bytes of output there are.
func (b *bridge) invoke(f js.Value, args []byte) (int, error) {
	b.args = args
	if len(args) > argBytesMax {
		return 0, &Error{codeTooBig, fmt.Sprintf("%d bytes in one statement, at most %d", len(args), argBytesMax)}
	}
	if len(args) > b.inputBytes || b.inputBytes > argsKeepBytes {
		b.input = b.object.Call("input", len(args))
		b.inputBytes = b.input.Length()
	}
	js.CopyBytesToJS(b.input, args)
	n := f.Invoke().Int()
	if n < 0 {
		return 0, &Error{-n, b.message.Invoke().String()}
	}
	if n >= moved {
		n -= moved
		b.output = b.object.Call("output")
	}
	return n, nil
}

// try calls a method that may throw.
func (b *bridge) try(method string, args ...any) (v js.Value, err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(js.Error)
			if !ok {
				panic(r)
			}
			err = thrown(e.Value)
		}
	}()
	return b.object.Call(method, args...), nil
}

// await calls a method that returns a promise and waits for it. It does not end before the promise does: giving up on
// a database that is being opened would leave it open for ever. A method that takes a signal ends soon after ctx does.
func (b *bridge) await(ctx context.Context, method string, args ...any) (js.Value, error) {
	if err := ctx.Err(); err != nil {
		return js.Undefined(), err
	}
	promise, err := b.try(method, args...)
	if err != nil {
		return js.Undefined(), err
	}
	type outcome struct {
		v   js.Value
		err error
	}
	done := make(chan outcome, 1)
	good := js.FuncOf(func(_ js.Value, a []js.Value) any { done <- outcome{v: a[0]}; return nil })
	bad := js.FuncOf(func(_ js.Value, a []js.Value) any { done <- outcome{err: thrown(a[0])}; return nil })
	defer good.Release()
	defer bad.Release()
	js.Global().Get("Promise").Call("resolve", promise).Call("then", good, bad)
	o := <-done
	return o.v, o.err
}
