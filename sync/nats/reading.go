package nats

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// reading takes what the server says until the connection ends.
func (c *Conn) reading() {
	defer close(c.read)
	for c.Err() == nil {
		o, err := readOp(c.r, c.max)
		if err == nil {
			err = c.take(o)
		} else if errors.Is(err, io.EOF) {
			err = fmt.Errorf("nats: the server closed the connection: %w", io.ErrUnexpectedEOF)
		}
		if err != nil {
			c.end(err) // the first reason stands: after Close, that the stream is closed is no news
		}
	}
	c.mu.Lock()
	subs := c.subs
	c.subs = nil
	c.mu.Unlock()
	for _, s := range subs {
		close(s.c)
	}
}

// take handles one operation; an error ends the connection.
func (c *Conn) take(o op) error {
	c.mu.Lock()
	c.missed = 0
	c.mu.Unlock()
	switch o.kind {
	case opMessage:
		c.deliver(o)
	case opPing:
		return c.write("PONG\r\n", nil, "")
	case opPong:
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.pongs) == 0 {
			return fmt.Errorf("%w: an answer that nobody asked for", errProtocol)
		}
		if c.pongs[0] != nil {
			close(c.pongs[0])
		}
		c.pongs = c.pongs[1:]
	case opErr:
		return c.refused(o.text)
	}
	return nil
}

// refused sorts the server's complaints (nats-server, server/errors.go). Those about permissions leave the connection
// as it is; after any other the server closes it.
func (c *Conn) refused(text string) error {
	lower := strings.ToLower(text)
	switch {
	case strings.HasPrefix(lower, "permissions violation"):
		if c.cfg.Refused != nil {
			c.cfg.Refused(fmt.Errorf("%w: %s", ErrPermission, text))
		}
		return nil
	case strings.Contains(lower, "authentication expired"):
		return ErrAuthExpired
	case strings.Contains(lower, "authorization"), strings.Contains(lower, "authentication"):
		return fmt.Errorf("%w: %s", ErrAuthorization, text)
	}
	return fmt.Errorf("nats: the server says: %s", text)
}

func (c *Conn) deliver(o op) {
	c.mu.Lock()
	if o.sid == inboxSID {
		ch := c.waiting[o.subject]
		delete(c.waiting, o.subject)
		c.mu.Unlock()
		if ch != nil { // else the caller gave up
			ch <- o
		}
		return
	}
	s := c.subs[o.sid]
	c.mu.Unlock()
	if s == nil {
		return
	}
	select {
	case s.c <- Msg{Subject: o.subject, Data: o.data}:
	default:
		s.mu.Lock()
		s.dropped++
		s.mu.Unlock()
	}
}

// pinging notices a server that is gone without a word.
func (c *Conn) pinging() {
	tick := time.NewTicker(c.cfg.PingEvery)
	defer tick.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-tick.C:
		}
		c.mu.Lock()
		c.missed++
		gone := c.missed > c.cfg.MissedMax
		c.mu.Unlock()
		if gone {
			c.end(ErrStale)
			return
		}
		go c.ping(nil) // a stream that takes nothing any more must not stop the count; the connection's end stops both
	}
}
