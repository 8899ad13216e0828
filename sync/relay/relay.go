// Package relay carries HTTP over NATS: a request as its HTTP/1.1 bytes, and the answer likewise. Edges pass requests for
// the hub on with it, so that a browser needs one origin and the hub needs no open port but the one for leaf links.
//
// A request and its answer fit into one message each. There is no streaming, no trailer, no upgrade.
package relay

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"

	"github.com/nats-io/nats.go"

	"holdfast/sync/fault"
	"holdfast/sync/problem"
)

// Call sends a request to whoever serves subject. Its URL needs a path only, its body is read to the end.
//
// Kinds: Unavailable when nobody answers, TooLarge when the request is more than a message holds.
func Call(ctx context.Context, nc *nats.Conn, subject string, r *http.Request) (*http.Response, error) {
	const op = "relay.Call"
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		return nil, fault.E(op, fault.Invalid, err)
	}
	if b.Len() > bytesMax {
		return nil, fault.Errorf(op, fault.TooLarge, "A request holds at most %d bytes.", bytesMax)
	}
	ctx, cancel := context.WithTimeout(ctx, CallMax)
	defer cancel()
	m, err := nc.RequestWithContext(ctx, subject, b.Bytes())
	if err != nil {
		return nil, fault.E(op, fault.Unavailable, err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(m.Data)), r)
	if err != nil {
		return nil, fault.E(op, fault.Unavailable, err)
	}
	return resp, nil
}

// Server answers requests. It works on RunningMax at once and answers more with a problem of kind Busy.
type Server struct {
	handler http.Handler
	log     *slog.Logger
	slots   chan struct{}
	sub     *nats.Subscription
	stop    context.CancelFunc
}

// NewServer makes a server that is not listening yet.
func NewServer(h http.Handler, log *slog.Logger) *Server {
	return &Server{handler: h, log: log, slots: make(chan struct{}, RunningMax)}
}

// Open begins to answer on subject; servers of one queue share the requests.
func (s *Server) Open(ctx context.Context, nc *nats.Conn, subject, queue string) (err error) {
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.sub, err = nc.QueueSubscribe(subject, queue, func(m *nats.Msg) {
		select {
		case s.slots <- struct{}{}:
			go func() {
				defer func() { <-s.slots }()
				s.answer(ctx, m)
			}()
		default:
			w := newWriter()
			problem.Write(w, fault.E("relay.Serve", fault.Busy, nil))
			s.send(m, w)
		}
	})
	return fault.As("relay.Open", fault.Unavailable, err)
}

// Close takes no more requests and waits for those under way, until ctx ends.
func (s *Server) Close(ctx context.Context) {
	if s.sub == nil {
		return
	}
	if err := s.sub.Unsubscribe(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		s.log.Warn("requests may still come in", "err", err)
	}
	defer s.stop()
	for range cap(s.slots) {
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Server) answer(ctx context.Context, m *nats.Msg) {
	const op = "relay.answer"
	ctx, cancel := context.WithTimeout(ctx, CallMax)
	defer cancel()
	w := newWriter()
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(m.Data)))
	if err != nil {
		problem.Write(w, fault.E(op, fault.Invalid, err))
		s.send(m, w)
		return
	}
	s.serve(w, r.WithContext(ctx))
	if w.body.Len() > bytesMax {
		s.log.Error("an answer does not fit into a message", "route", r.Pattern, "bytes", w.body.Len())
		w = newWriter()
		problem.Write(w, fault.Errorf(op, fault.TooLarge, "The answer is too large. Ask for less."))
	}
	s.send(m, w)
}

// serve runs the handler; a panic is an answer too, and does not take the process with it.
func (s *Server) serve(w *writer, r *http.Request) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("a handler panicked", "panic", p)
			*w = *newWriter()
			problem.Write(w, fault.E("relay.serve", fault.Other, nil))
		}
	}()
	s.handler.ServeHTTP(w, r)
}

func (s *Server) send(m *nats.Msg, w *writer) {
	resp := http.Response{StatusCode: w.status, ProtoMajor: 1, ProtoMinor: 1, Header: w.header,
		Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len())}
	var b bytes.Buffer
	err := resp.Write(&b)
	if err == nil {
		err = m.Respond(b.Bytes())
	}
	if err != nil {
		s.log.Warn("an answer was not sent", "err", err)
	}
}

// writer keeps an answer until it is whole.
type writer struct {
	header http.Header
	status int
	wrote  bool
	body   bytes.Buffer
}

func newWriter() *writer { return &writer{header: http.Header{}, status: http.StatusOK} }

func (w *writer) Header() http.Header { return w.header }

func (w *writer) WriteHeader(status int) {
	if !w.wrote {
		w.status, w.wrote = status, true
	}
}

func (w *writer) Write(b []byte) (int, error) { w.wrote = true; return w.body.Write(b) }
