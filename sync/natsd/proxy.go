package natsd

import (
	"bytes"
	"context"
	"net"
	"sync"
	"time"

	"holdfast/sync/fault"
)

// Link is a TCP path to another node that can be cut, muted and slowed: what lies between two regions, to be tried out on
// one machine.
type Link struct {
	target string
	ln     net.Listener
	wg     sync.WaitGroup

	mu    sync.Mutex
	state linkState
	delay time.Duration
	conns map[net.Conn]*path
}

// path is one connection through a link, both halves of it.
type path struct {
	lost bool // nothing comes through any more, not even that one end has closed it; under the link's mu
}

type linkState int

const (
	whole linkState = iota
	cut             // connections are closed, new ones refused
	muted           // connections stay open, nothing arrives over them now or later
)

// NewLink makes a path to target, host:port.
func NewLink(target string) *Link {
	return &Link{target: target, conns: map[net.Conn]*path{}}
}

// Open begins to accept connections on a free port of loopback.
func (l *Link) Open(ctx context.Context) error {
	var err error
	if l.ln, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return fault.E("natsd.Link", fault.Unavailable, err)
	}
	l.wg.Go(l.accept)
	return nil
}

// Addr is where the path begins.
func (l *Link) Addr() string { return l.ln.Addr().String() }

// Close ends the path.
func (l *Link) Close() {
	l.ln.Close()
	l.set(cut)
	l.wg.Wait()
}

// Cut closes all connections and refuses new ones.
func (l *Link) Cut() { l.set(cut) }

// Mute lets nothing through and closes nothing, as a path does that has broken on the way.
func (l *Link) Mute() { l.set(muted) }

// Heal makes the path whole. Connections that were muted stay lost without being closed, as after a change of route: both
// ends must find that out by themselves.
func (l *Link) Heal() { l.set(whole) }

// Cutoff tells whether the path lets nothing through.
func (l *Link) Cutoff() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state != whole
}

// SetDelay slows each direction by d from now on.
func (l *Link) SetDelay(d time.Duration) {
	l.mu.Lock()
	l.delay = d
	l.mu.Unlock()
}

func (l *Link) set(s linkState) {
	l.mu.Lock()
	l.state = s
	var drop []net.Conn
	for c, p := range l.conns {
		switch s {
		case cut:
			drop = append(drop, c)
		case muted:
			p.lost = true
		}
	}
	l.mu.Unlock()
	for _, c := range drop {
		c.Close()
	}
}

func (l *Link) accept() {
	for {
		c, err := l.ln.Accept()
		if err != nil {
			return
		}
		p := &path{}
		if !l.add(c, p) {
			c.Close()
			continue
		}
		l.wg.Go(func() { l.serve(c, p) })
	}
}

func (l *Link) add(c net.Conn, p *path) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == cut {
		return false
	}
	p.lost = p.lost || l.state == muted
	l.conns[c] = p
	return true
}

func (l *Link) drop(c net.Conn) {
	c.Close()
	l.mu.Lock()
	delete(l.conns, c)
	l.mu.Unlock()
}

func (l *Link) serve(c net.Conn, p *path) {
	defer l.drop(c)
	d, err := net.DialTimeout("tcp", l.target, proxyDialMax)
	if err != nil {
		return
	}
	defer l.drop(d)
	if !l.add(d, p) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { l.pump(d, c, p) })
	both.Go(func() { l.pump(c, d, p) })
	both.Wait()
}

type chunk struct {
	due  time.Time
	data []byte
}

// pump carries bytes from src to dst, each as late as the link's delay says.
func (l *Link) pump(dst, src net.Conn, p *path) {
	way := make(chan chunk, proxyChunksMax)
	var writer sync.WaitGroup
	writer.Go(func() {
		for c := range way {
			time.Sleep(time.Until(c.due))
			if l.lost(p) {
				continue
			}
			if _, err := dst.Write(c.data); err != nil {
				src.Close()
				for range way { // let the reader end
				}
			}
		}
		if !l.lost(p) {
			dst.Close()
		}
	})
	b := make([]byte, proxyChunkBytes)
	for {
		n, err := src.Read(b)
		if n > 0 {
			l.mu.Lock()
			due := time.Now().Add(l.delay)
			l.mu.Unlock()
			way <- chunk{due, bytes.Clone(b[:n])}
		}
		if err != nil {
			break
		}
	}
	close(way)
	writer.Wait()
}

func (l *Link) lost(p *path) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return p.lost
}
