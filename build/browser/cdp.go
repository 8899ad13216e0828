package browser

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// conn speaks the Chrome DevTools Protocol over a pair of pipes: JSON messages, each ended by a zero byte
// (chromium, content/browser/devtools/devtools_pipe_handler.cc). One connection carries all sessions ("flat" mode).
type conn struct {
	writeMu sync.Mutex
	w       io.WriteCloser

	mu      sync.Mutex
	next    int64
	waiting map[int64]chan message

	// onEvent runs on the reading goroutine, in the order of arrival; it must not call.
	onEvent func(session, method string, params json.RawMessage)
	done    chan struct{}
}

type message struct {
	ID        int64           `json:"id,omitempty"`
	SessionID string          `json:"sessionId,omitempty"`
	Method    string          `json:"method,omitempty"`
	Params    json.RawMessage `json:"params,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     *protocolError  `json:"error,omitempty"`
}

type protocolError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    string `json:"data,omitempty"`
}

func (e *protocolError) Error() string {
	if e.Data != "" {
		return e.Message + ": " + e.Data
	}
	return e.Message
}

// errGone is returned for everything that is asked of a Chromium that has ended.
var errGone = errors.New("the browser has ended")

func newConn(r io.Reader, w io.WriteCloser, onEvent func(session, method string, params json.RawMessage)) *conn {
	c := &conn{w: w, waiting: map[int64]chan message{}, onEvent: onEvent, done: make(chan struct{})}
	go c.read(r)
	return c
}

func (c *conn) read(r io.Reader) {
	in := bufio.NewReaderSize(r, 1<<20)
	for {
		raw, err := in.ReadBytes(0)
		if err != nil {
			close(c.done)
			return
		}
		var m message
		if json.Unmarshal(raw[:len(raw)-1], &m) != nil {
			continue // not a message: nobody waits for it
		}
		if m.ID == 0 {
			c.onEvent(m.SessionID, m.Method, m.Params)
			continue
		}
		c.mu.Lock()
		ch := c.waiting[m.ID]
		delete(c.waiting, m.ID)
		c.mu.Unlock()
		if ch != nil {
			ch <- m
		}
	}
}

// call sends a command to a session ("" is the browser itself), waits, and decodes the answer into result unless nil.
func (c *conn) call(ctx context.Context, session, method string, params, result any) error {
	return c.send(session, method, params)(ctx, result)
}

// send sends a command and returns at once. Chromium takes the commands of a session in the order they were sent in.
// The function that it returns waits for the answer; it must be called once.
func (c *conn) send(session, method string, params any) func(ctx context.Context, result any) error {
	fail := func(err error) func(context.Context, any) error {
		return func(context.Context, any) error { return fmt.Errorf("%s: %w", method, err) }
	}
	if params == nil {
		params = struct{}{}
	}
	raw, err := json.Marshal(params)
	if err != nil {
		return fail(err)
	}
	ch := make(chan message, 1)
	c.mu.Lock()
	c.next++
	id := c.next
	c.waiting[id] = ch
	c.mu.Unlock()
	forget := func() {
		c.mu.Lock()
		delete(c.waiting, id)
		c.mu.Unlock()
	}
	out, err := json.Marshal(message{ID: id, SessionID: session, Method: method, Params: raw})
	if err != nil {
		forget()
		return fail(err)
	}
	c.writeMu.Lock()
	_, err = c.w.Write(append(out, 0))
	c.writeMu.Unlock()
	if err != nil {
		forget()
		return fail(errGone)
	}
	return func(ctx context.Context, result any) error {
		defer forget()
		select {
		case m := <-ch:
			if m.Error != nil {
				return fmt.Errorf("%s: %w", method, m.Error)
			}
			if result == nil {
				return nil
			}
			if err := json.Unmarshal(m.Result, result); err != nil {
				return fmt.Errorf("%s: %w", method, err)
			}
			return nil
		case <-c.done:
			return fmt.Errorf("%s: %w", method, errGone)
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", method, ctx.Err())
		}
	}
}
