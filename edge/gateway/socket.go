package gateway

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/problem"
	"holdfast/sync/token"
)

// sockets are the WebSocket connections that were handed over. What is sent on them is counted for the workspace that the message server
// knows the connection to be of: every second, and when it ends.
type sockets struct {
	data    Data
	mu      sync.Mutex
	open    map[net.Conn]*socket
	closed  bool
	stop    chan struct{}
	done    sync.WaitGroup
	address *gate[string]
}

type socket struct {
	addr   string       // ours at the message server
	sent   atomic.Int64 // to the browser, not counted yet
	tenant id.ID        // empty: not known yet. For sockets alone
}

func newSockets(d Data) *sockets {
	return &sockets{data: d, open: map[net.Conn]*socket{}, stop: make(chan struct{}), address: newGate[string](socketsOfAddressMax)}
}

func (s *sockets) add(c net.Conn, addr string) (*socket, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.open) >= socketsMax {
		return nil, false
	}
	k := &socket{addr: addr}
	s.open[c] = k
	s.done.Add(1)
	return k, true
}

func (s *sockets) remove(c net.Conn) {
	s.mu.Lock()
	s.count(s.open[c])
	delete(s.open, c)
	s.mu.Unlock()
	s.done.Done()
}

// bill counts until close.
func (s *sockets) bill() {
	t := time.NewTicker(sentEvery)
	defer t.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-t.C:
		}
		s.mu.Lock()
		for _, k := range s.open {
			s.count(k)
		}
		s.mu.Unlock()
	}
}

// count hands over what was sent, once it is known for whom: nothing is counted of a connection that was never let in. mu is held.
func (s *sockets) count(k *socket) {
	if k.sent.Load() == 0 {
		return
	}
	if k.tenant == "" {
		k.tenant = s.data.TenantAt(k.addr)
	}
	if k.tenant != "" {
		s.data.Sent(k.tenant, k.sent.Swap(0))
	}
}

func (s *sockets) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed || len(s.open) >= socketsMax
}

func (s *sockets) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		close(s.stop)
	}
	s.closed = true
	for c := range s.open {
		c.Close()
	}
}

func (s *sockets) wait() { s.done.Wait() }

// nats hands a browser's WebSocket over to the message server, which authenticates it by the same cookie.
//
// The origin is checked because no browser does: any site may open a WebSocket to us, and the cookie goes with it.
func (g *Gateway) nats(w http.ResponseWriter, r *http.Request) {
	const op = "gateway.nats"
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") || r.Header.Get("Sec-WebSocket-Key") == "" {
		problem.Write(w, fault.Errorf(op, fault.Invalid, "This address is for WebSocket connections only."))
		return
	}
	if o := r.Header.Get("Origin"); o != g.cfg.URL {
		g.cfg.Log.Warn("a WebSocket of another site was refused", "origin", o, "request", from(r).request)
		problem.Write(w, fault.Errorf(op, fault.Denied, "This connection did not come from one of Holdfast's own pages. Open Holdfast and go on there."))
		return
	}
	if _, err := g.session(r); err != nil {
		problem.Write(w, err)
		return
	}
	leave, ok := g.sockets.address.enter(from(r).ip)
	if !ok || g.sockets.full() {
		if ok {
			leave()
		}
		problem.Write(w, fault.Errorf(op, fault.Busy, "Too many connections at this moment. It is tried again by itself."))
		return
	}
	if err := g.handOver(w, r, leave); err != nil {
		leave()
		g.cfg.Log.Error("a WebSocket was not handed over", "err", err, "request", from(r).request)
		problem.Write(w, fault.E(op, fault.Unavailable, err))
	}
}

// handOver joins the connection to the message server's and returns; the connection lives on. After an error the request
// can still be answered.
func (g *Gateway) handOver(w http.ResponseWriter, r *http.Request, leave func()) error {
	const op = "gateway.handOver"
	ctx, cancel := context.WithTimeout(r.Context(), dialMax)
	defer cancel()
	back, err := new(net.Dialer).DialContext(ctx, "tcp", g.cfg.NATSAddr)
	if err != nil {
		return fault.E(op, fault.Unavailable, err)
	}
	cookie, err := r.Cookie(token.Cookie)
	if err != nil {
		back.Close()
		return fault.E(op, fault.Expired, err)
	}
	// Extensions are left out: compression costs memory for each connection, and payloads are compressed already.
	_, err = fmt.Fprintf(back, "GET /nats HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: %s\r\nSec-WebSocket-Key: %s\r\nOrigin: %s\r\nCookie: %s=%s\r\n\r\n",
		g.cfg.NATSAddr, r.Header.Get("Sec-WebSocket-Version"), r.Header.Get("Sec-WebSocket-Key"), g.cfg.URL, token.Cookie, cookie.Value)
	if err != nil {
		back.Close()
		return fault.E(op, fault.Unavailable, err)
	}
	front, buf, err := http.NewResponseController(w).Hijack()
	if err != nil {
		back.Close()
		return fault.E(op, fault.Other, err)
	}
	g.join(front, back, buf.Reader, leave)
	return nil
}

// join copies both ways until either side ends. It does not wait.
func (g *Gateway) join(front, back net.Conn, early *bufio.Reader, leave func()) {
	sock, ok := g.sockets.add(front, back.LocalAddr().String())
	if !ok {
		front.Close()
		back.Close()
		leave()
		return
	}
	ended := sync.OnceFunc(func() { front.Close(); back.Close() })
	var both sync.WaitGroup
	both.Add(2)
	go func() {
		defer both.Done()
		defer ended()
		if n := early.Buffered(); n > 0 { // said before the handshake was answered
			if _, err := io.CopyN(back, early, int64(n)); err != nil {
				return
			}
		}
		carry(back, front, nil)
	}()
	go func() {
		carry(front, back, &sock.sent)
		ended()
		both.Done()
		both.Wait()
		g.sockets.remove(front)
		leave()
	}()
}

var busyBuffers = sync.Pool{New: func() any { b := make([]byte, busyBufferBytes); return &b }}

// carry copies with a small buffer of its own, and borrows a large one while there is much to copy: most connections are
// silent most of the time, and there are thousands of them.
// What is copied is added to copied, unless it is nil.
func carry(dst io.Writer, src io.Reader, copied *atomic.Int64) {
	if copied != nil {
		dst = &counting{dst, copied}
	}
	var small [idleBufferBytes]byte
	for {
		n, err := src.Read(small[:])
		if n > 0 {
			if _, werr := dst.Write(small[:n]); werr != nil {
				return
			}
		}
		if err != nil {
			return
		}
		if n == len(small) && !carryMuch(dst, src) {
			return
		}
	}
}

type counting struct {
	io.Writer
	n *atomic.Int64
}

func (c *counting) Write(b []byte) (int, error) {
	n, err := c.Writer.Write(b)
	c.n.Add(int64(n))
	return n, err
}

// carryMuch copies with a borrowed buffer until there is less than an idle one's worth at once; false when a side ended.
func carryMuch(dst io.Writer, src io.Reader) bool {
	b := busyBuffers.Get().(*[]byte)
	defer busyBuffers.Put(b)
	for {
		n, err := src.Read(*b)
		if n > 0 {
			if _, werr := dst.Write((*b)[:n]); werr != nil {
				return false
			}
		}
		if err != nil {
			return false
		}
		if n < idleBufferBytes {
			return true
		}
	}
}
