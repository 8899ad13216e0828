package nats

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"syscall/js"
)

// errWebSocket is all that a browser tells a script about a WebSocket that failed.
var errWebSocket = errors.New("nats: the WebSocket failed")

// webSocket is the browser's WebSocket as a stream of bytes. The server cuts the stream into frames as it likes.
type webSocket struct {
	ws       js.Value
	handlers []js.Func

	mu     sync.Mutex
	frames [][]byte
	err    error         // why there will be no more frames
	news   chan struct{} // 1: frames or err changed
}

// DialWebSocket opens a WebSocket to url. The browser sends the cookies of its origin along.
func DialWebSocket(ctx context.Context, url string) (io.ReadWriteCloser, error) {
	const op = "nats.DialWebSocket"
	w := &webSocket{news: make(chan struct{}, 1)}
	opened := make(chan struct{})
	on := func(name string, f func(event js.Value)) {
		h := js.FuncOf(func(_ js.Value, args []js.Value) any {
			f(args[0])
			return nil
		})
		w.handlers = append(w.handlers, h)
		w.ws.Set(name, h)
	}
	w.ws = js.Global().Get("WebSocket").New(url)
	w.ws.Set("binaryType", "arraybuffer")
	on("onopen", func(js.Value) { close(opened) })
	on("onmessage", func(e js.Value) { w.frame(e.Get("data")) })
	on("onerror", func(js.Value) { w.end(errWebSocket) })
	on("onclose", func(e js.Value) {
		if e.Get("wasClean").Bool() {
			w.end(io.EOF)
		}
		w.end(fmt.Errorf("%w: closed with code %d", errWebSocket, e.Get("code").Int()))
	})
	for {
		select {
		case <-opened:
			return w, nil
		case <-w.news:
			w.mu.Lock()
			err := w.err
			w.mu.Unlock()
			if err != nil {
				w.Close()
				return nil, fmt.Errorf("%s: %w", op, err)
			}
		case <-ctx.Done():
			w.Close()
			return nil, fmt.Errorf("%s: %w", op, ctx.Err())
		}
	}
}

// frame runs in the browser's event: it must not block.
func (w *webSocket) frame(data js.Value) {
	bytes := js.Global().Get("Uint8Array").New(data)
	b := make([]byte, bytes.Length())
	js.CopyBytesToGo(b, bytes)
	w.mu.Lock()
	w.frames = append(w.frames, b)
	w.mu.Unlock()
	w.poke()
}

// end notes the first reason.
func (w *webSocket) end(err error) {
	w.mu.Lock()
	if w.err == nil {
		w.err = err
	}
	w.mu.Unlock()
	w.poke()
}

func (w *webSocket) poke() {
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// Read is called by one goroutine at a time.
func (w *webSocket) Read(p []byte) (int, error) {
	for {
		w.mu.Lock()
		if len(w.frames) > 0 {
			n := copy(p, w.frames[0])
			if w.frames[0] = w.frames[0][n:]; len(w.frames[0]) == 0 {
				w.frames = w.frames[1:]
			}
			w.mu.Unlock()
			return n, nil
		}
		err := w.err
		w.mu.Unlock()
		if err != nil {
			return 0, err
		}
		<-w.news
	}
}

// Write hands p to the browser, which sends it when it can. It never blocks.
func (w *webSocket) Write(p []byte) (int, error) {
	w.mu.Lock()
	err := w.err
	w.mu.Unlock()
	if err != nil {
		return 0, err
	}
	frame := js.Global().Get("Uint8Array").New(len(p))
	js.CopyBytesToJS(frame, p)
	w.ws.Call("send", frame)
	return len(p), nil
}

// Close ends reading at once, whatever the network does.
func (w *webSocket) Close() error {
	w.end(io.ErrClosedPipe)
	for _, name := range []string{"onopen", "onmessage", "onerror", "onclose"} {
		w.ws.Set(name, js.Null())
	}
	w.mu.Lock()
	handlers := w.handlers
	w.handlers = nil
	w.mu.Unlock()
	for _, h := range handlers {
		h.Release()
	}
	w.ws.Call("close")
	return nil
}
