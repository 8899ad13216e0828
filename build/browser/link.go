package browser

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strconv"
	"sync"
)

// link is one person's network: a SOCKS5 proxy (RFC 1928) that everything of their browser goes through, pages,
// workers and WebSockets alike. Cutting it is what a lost network looks like: open connections break, new ones fail.
// It reaches only this machine, so that no test depends on, or talks to, the outside.
type link struct {
	ln net.Listener

	mu    sync.Mutex
	state linkState
	thaw  chan struct{} // closed when the state leaves stalled
	conns map[net.Conn]struct{}
}

type linkState int

const (
	linkUp linkState = iota
	linkCut
	linkStalled // connections stay open and nothing passes, as behind a dead access point
)

func newLink() (*link, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &link{ln: ln, conns: map[net.Conn]struct{}{}, thaw: make(chan struct{})}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go l.serve(c)
		}
	}()
	return l, nil
}

func (l *link) address() string { return "socks5://" + l.ln.Addr().String() }

func (l *link) set(s linkState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == linkStalled && s != linkStalled {
		close(l.thaw)
		l.thaw = make(chan struct{})
	}
	l.state = s
	if s == linkCut {
		for c := range l.conns {
			c.Close()
		}
	}
}

func (l *link) close() {
	l.ln.Close()
	l.set(linkCut)
}

// add registers c to be broken by a cut; false when the network is cut now.
func (l *link) add(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == linkCut {
		return false
	}
	l.conns[c] = struct{}{}
	return true
}

func (l *link) drop(c net.Conn) {
	l.mu.Lock()
	delete(l.conns, c)
	l.mu.Unlock()
	c.Close()
}

func (l *link) serve(c net.Conn) {
	if !l.add(c) {
		c.Close()
		return
	}
	defer l.drop(c)
	l.pass()
	host, port, err := handshake(c)
	if err != nil {
		return
	}
	up, err := dialLocal(host, port)
	if err != nil {
		c.Write([]byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0}) // connection refused
		return
	}
	if !l.add(up) {
		up.Close()
		return
	}
	defer l.drop(up)
	if _, err := c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0}); err != nil {
		return
	}
	var wg sync.WaitGroup
	wg.Go(func() { l.copy(up, c) })
	wg.Go(func() { l.copy(c, up) })
	wg.Wait()
}

// copy moves bytes until either side ends, and hands the end on, so that half-closed connections work.
func (l *link) copy(to, from net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		l.pass()
		if n > 0 {
			if _, werr := to.Write(buf[:n]); werr != nil {
				from.Close()
				return
			}
		}
		if errors.Is(err, io.EOF) {
			to.(*net.TCPConn).CloseWrite()
			return
		}
		if err != nil {
			to.Close()
			return
		}
	}
}

// pass returns at once, or when the network is no longer stalled.
func (l *link) pass() {
	l.mu.Lock()
	state, thaw := l.state, l.thaw
	l.mu.Unlock()
	if state == linkStalled {
		<-thaw
	}
}

// handshake reads a SOCKS5 greeting and CONNECT request.
func handshake(c net.Conn) (host string, port int, err error) {
	var b [256]byte
	if _, err := io.ReadFull(c, b[:2]); err != nil || b[0] != 5 {
		return "", 0, errors.New("not SOCKS5")
	}
	if _, err := io.ReadFull(c, b[:b[1]]); err != nil {
		return "", 0, err
	}
	if _, err := c.Write([]byte{5, 0}); err != nil { // no authentication
		return "", 0, err
	}
	if _, err := io.ReadFull(c, b[:4]); err != nil || b[1] != 1 {
		return "", 0, errors.New("not a CONNECT request")
	}
	switch b[3] {
	case 1:
		_, err = io.ReadFull(c, b[:4])
		host = net.IP(b[:4]).String()
	case 4:
		_, err = io.ReadFull(c, b[:16])
		host = net.IP(b[:16]).String()
	case 3:
		if _, err = io.ReadFull(c, b[:1]); err == nil {
			n := b[0]
			_, err = io.ReadFull(c, b[:n])
			host = string(b[:n])
		}
	default:
		err = errors.New("unknown address type")
	}
	if err != nil {
		return "", 0, err
	}
	if _, err := io.ReadFull(c, b[:2]); err != nil {
		return "", 0, err
	}
	return host, int(binary.BigEndian.Uint16(b[:2])), nil
}

// dialLocal connects within this machine. Every name under "localhost" is this machine (RFC 6761 §6.3).
func dialLocal(host string, port int) (net.Conn, error) {
	if ip := net.ParseIP(host); ip != nil {
		if !ip.IsLoopback() {
			return nil, errors.New("not on this machine")
		}
		return net.Dial("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	}
	if !isLocalName(host) {
		return nil, errors.New("not on this machine")
	}
	c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		c, err = net.Dial("tcp", net.JoinHostPort("::1", strconv.Itoa(port)))
	}
	return c, err
}
