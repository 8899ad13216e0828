// Package nats is the part of the NATS client protocol that a browser needs: publish, request, subscribe, over one stream
// of bytes. The full client is half of what a browser would have to load for its worker (build/RATIONALE.md has the
// figures); this one leaves out what a worker has no use for: TLS, credentials, other servers, JetStream, and reconnecting,
// because a session that broke is begun anew from the replica's cursor.
//
// Messages of one subscription arrive in the order of the server. A connection that ended stays ended: every call returns
// why, and the channels of its subscriptions are closed. All methods may be called from any goroutine.
package nats

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Errors that callers tell apart. ErrAuthorization, ErrAuthExpired, ErrStale and ErrClosed end the connection.
var (
	ErrAuthorization = errors.New("nats: the server refuses this client")
	ErrAuthExpired   = errors.New("nats: the session that the connection was granted for has ended")
	ErrPermission    = errors.New("nats: not permitted")
	ErrNoResponders  = errors.New("nats: nobody answers on this subject")
	ErrTooLarge      = errors.New("nats: larger than the server takes")
	ErrBusy          = errors.New("nats: too many requests wait for an answer")
	ErrStale         = errors.New("nats: the server is silent")
	ErrClosed        = errors.New("nats: closed")
)

// Config describes a connection.
type Config struct {
	Name      string        // in CONNECT; the server's log and its authorization see it
	Inbox     string        // replies come to <Inbox>.<number>; the client must be permitted to subscribe to <Inbox>.*
	PingEvery time.Duration // how often a silent server is asked; 0 never
	MissedMax int           // unanswered pings after which the server counts as gone
	// Refused is told of what the server does not permit; the connection goes on. It must not block.
	Refused func(error)
	// Closed is told once why a connection that Connect returned has ended; ErrClosed after Close.
	Closed func(error)
}

// Msg is one message.
type Msg struct {
	Subject string
	Data    []byte
}

// Conn is a connection; Connect makes it.
type Conn struct {
	cfg    Config
	stream io.ReadWriteCloser
	r      *bufio.Reader
	ctx    context.Context // done when the connection has ended; its cause is why
	fail   context.CancelCauseFunc
	read   chan struct{} // closed when the reading goroutine has ended

	writeMu sync.Mutex
	out     []byte

	mu      sync.Mutex
	max     int // of a payload, as the server says
	sid     uint64
	subs    map[uint64]*Subscription
	request uint64
	waiting map[string]chan op // requests by reply subject
	pongs   []chan struct{}    // who waits for which answer to a PING, in order
	missed  int
}

// inboxSID is the subscription to all replies.
const inboxSID = 1

// Connect speaks the client's side of the protocol on stream, which it owns from now on, and returns when the server has
// accepted the client. ctx bounds only the connecting.
func Connect(ctx context.Context, stream io.ReadWriteCloser, cfg Config) (*Conn, error) {
	c := &Conn{cfg: cfg, stream: stream, r: bufio.NewReaderSize(stream, lineBytesMax), read: make(chan struct{}),
		sid: inboxSID, subs: map[uint64]*Subscription{}, waiting: map[string]chan op{}}
	c.ctx, c.fail = context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { c.end(ctx.Err()) })
	defer stop()
	context.AfterFunc(c.ctx, func() { stream.Close() }) // unblocks reading; the cause is what matters
	if err := c.hello(); err != nil {
		c.end(err)
		close(c.read)
		return nil, fmt.Errorf("nats.Connect: %w", context.Cause(c.ctx))
	}
	go c.reading()
	if err := c.Flush(ctx); err != nil {
		c.end(err)
		<-c.read
		return nil, fmt.Errorf("nats.Connect: %w", context.Cause(c.ctx))
	}
	if cfg.PingEvery > 0 {
		go c.pinging()
	}
	if cfg.Closed != nil {
		go func() {
			<-c.read
			cfg.Closed(c.Err())
		}()
	}
	return c, nil
}

// hello reads the server's greeting and answers it.
func (c *Conn) hello() error {
	o, err := readOp(c.r, 0)
	if err != nil {
		return err
	}
	var info struct {
		MaxPayload int `json:"max_payload"`
	}
	if o.kind != opInfo || json.Unmarshal([]byte(o.text), &info) != nil || info.MaxPayload <= 0 || info.MaxPayload > messageBytesMax {
		return fmt.Errorf("%w: no greeting", errProtocol)
	}
	c.max = info.MaxPayload
	connect, err := json.Marshal(map[string]any{
		"verbose": false, "pedantic": false, "echo": true, "headers": true, "no_responders": true, "protocol": 1,
		"name": c.cfg.Name, "lang": "go-holdfast", "version": "1",
	})
	if err != nil {
		return err
	}
	return c.write("CONNECT ", connect, "\r\nSUB "+c.cfg.Inbox+".* "+strconv.Itoa(inboxSID)+"\r\n")
}

// Close ends the connection and waits until its goroutine is gone.
func (c *Conn) Close() {
	c.end(ErrClosed)
	<-c.read
}

// Err is why the connection has ended, nil while it has not.
func (c *Conn) Err() error { return context.Cause(c.ctx) }

func (c *Conn) end(why error) { c.fail(why) }

// Publish sends a message. It returns before the server has it.
func (c *Conn) Publish(subject string, data []byte) error { return c.publish(subject, "", data) }

func (c *Conn) publish(subject, reply string, data []byte) error {
	if err := checkSubject(subject); err != nil {
		return err
	}
	if len(data) > c.max {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(data), c.max)
	}
	if reply != "" {
		reply += " "
	}
	return c.write("PUB "+subject+" "+reply+strconv.Itoa(len(data))+"\r\n", data, "\r\n")
}

// Request sends a message and waits for its answer.
func (c *Conn) Request(ctx context.Context, subject string, data []byte) ([]byte, error) {
	ch := make(chan op, 1)
	c.mu.Lock()
	if len(c.waiting) >= waitingMax {
		c.mu.Unlock()
		return nil, ErrBusy
	}
	c.request++
	reply := c.cfg.Inbox + "." + strconv.FormatUint(c.request, 36)
	c.waiting[reply] = ch
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.waiting, reply)
		c.mu.Unlock()
	}()
	if err := c.publish(subject, reply, data); err != nil {
		return nil, err
	}
	select {
	case o := <-ch:
		if o.status == "503" && len(o.data) == 0 {
			return nil, ErrNoResponders
		}
		return o.data, nil
	case <-c.ctx.Done():
		return nil, c.Err()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Flush returns when the server has taken everything that was sent before: it proves that the connection lives.
func (c *Conn) Flush(ctx context.Context) error {
	ch := make(chan struct{})
	if err := c.ping(ch); err != nil {
		return err
	}
	select {
	case <-ch:
		return nil
	case <-c.ctx.Done():
		return c.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ping asks for a PONG. Queue and stream are written under one lock, so that answers meet their questions.
func (c *Conn) ping(answer chan struct{}) error {
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	c.mu.Lock()
	c.pongs = append(c.pongs, answer)
	c.mu.Unlock()
	return c.send("PING\r\n", nil, "")
}

// Subscription is what Subscribe returns.
type Subscription struct {
	C <-chan Msg // closed when the connection has ended

	c       chan Msg
	mu      sync.Mutex
	dropped int
}

// Subscribe asks for a subject, in which * stands for one word and > for the rest. Up to queue messages wait in the
// channel; more are dropped and counted.
func (c *Conn) Subscribe(subject string, queue int) (*Subscription, error) {
	if err := checkSubject(subject); err != nil {
		return nil, err
	}
	ch := make(chan Msg, queue)
	s := &Subscription{C: ch, c: ch}
	c.mu.Lock()
	if c.subs == nil {
		c.mu.Unlock()
		return nil, c.Err()
	}
	c.sid++
	sid := c.sid
	c.subs[sid] = s
	c.mu.Unlock()
	return s, c.write("SUB "+subject+" "+strconv.FormatUint(sid, 10)+"\r\n", nil, "")
}

// Dropped is how many messages did not fit, since it was last asked.
func (s *Subscription) Dropped() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.dropped
	s.dropped = 0
	return n
}

// checkSubject keeps what would be read as more than a subject out of the stream.
func checkSubject(s string) error {
	if s == "" || strings.ContainsAny(s, " \t\r\n") {
		return fmt.Errorf("nats: %q is not a subject", s)
	}
	return nil
}

// write sends its parts as one write, which a WebSocket makes one frame.
func (c *Conn) write(head string, body []byte, tail string) error {
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	return c.send(head, body, tail)
}

func (c *Conn) send(head string, body []byte, tail string) error {
	if err := c.Err(); err != nil {
		return err
	}
	c.out = append(append(append(c.out[:0], head...), body...), tail...)
	if _, err := c.stream.Write(c.out); err != nil {
		c.end(fmt.Errorf("nats: write: %w", err))
		return c.Err()
	}
	return nil
}
