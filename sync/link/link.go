// Package link keeps one replica in step with an edge: it connects, pulls, pushes, follows the live feed, and starts again
// whenever anything breaks. It knows NATS and the wire, and nothing of SQLite or the screen.
//
// What it promises: a change that is waiting is offered until it has a fate; entries are handed to the replica in the order
// in which they came, and any gap is closed by a pull; after sleep or a change of network one Wake is enough to go on. It
// never gives up, and never loses a change: those live in the replica.
package link

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/nats"
	"holdfast/sync/port"
	"holdfast/sync/wire"
)

// Replica is what a link keeps in step.
type Replica interface {
	// PushRequest is what waits to be pushed, oldest first and within the wire's bounds; no Txs when nothing waits.
	PushRequest(ctx context.Context) (wire.PushRequest, error)
	// Settle takes the fates of a push. roundTrip is how long the answer took, for the clock's correction.
	Settle(ctx context.Context, reply wire.PushReply, roundTrip time.Duration) error
	// Apply merges entries; gap tells that some before them are missing.
	Apply(ctx context.Context, entries []change.Entry) (gap bool, err error)
	// Everywhere notes what all regions have.
	Everywhere(ctx context.Context, v change.Vector) error
	// Cursor is what the replica has.
	Cursor() change.Vector
}

// Config is what a link needs. All fields must be set but Log.
type Config struct {
	Tenant  id.ID
	Replica Replica
	// Dial opens a stream to the edge's NATS. Expired: the person is not signed in, as the edge says.
	Dial func(ctx context.Context) (io.ReadWriteCloser, error)
	// ReplicaID is part of the connection's name.
	ReplicaID func() uint64
	// Renew asks for a fresh session. Expired: the person must sign in again. Denied: they are no member any more.
	Renew func(ctx context.Context) error
	// Bootstrap replaces the replica's rows by the edge's snapshot.
	Bootstrap func(ctx context.Context) error
	// Changed is called, from the link's goroutines, when State would give something new.
	Changed func()
	Log     *slog.Logger
}

// State is what people may know about the link.
type State struct {
	Link   string // a link state of package port
	Conn   string // names this link among People
	People []wire.Person
	Error  error // of the last attempt, when Link is not Online
}

// Link is a running link; make it with New, start it with Open.
type Link struct {
	cfg    Config
	wake   chan struct{} // 1: try now
	push   chan struct{} // 1: something waits
	view   chan struct{} // 1: the person looks elsewhere now
	cancel context.CancelFunc
	done   chan struct{}

	mu       sync.Mutex
	state    State
	lastView string
}

// New makes a link that does nothing yet.
func New(cfg Config) *Link {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Link{cfg: cfg, wake: make(chan struct{}, 1), push: make(chan struct{}, 1), view: make(chan struct{}, 1),
		done: make(chan struct{}), state: State{Link: port.Connecting}}
}

// Open starts the link; it goes on until Close.
func (l *Link) Open(ctx context.Context) {
	ctx, l.cancel = context.WithCancel(ctx)
	go func() {
		defer close(l.done)
		l.run(ctx)
	}()
}

// Close ends the link and waits for it.
func (l *Link) Close() {
	l.cancel()
	<-l.done
}

// State is the link's present state.
func (l *Link) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// Wake makes the link check itself now: the network may be back, the device may have slept, the person signed in.
func (l *Link) Wake() { poke(l.wake) }

// Push says that something waits in the replica.
func (l *Link) Push() { poke(l.push) }

// View says where the person looks now.
func (l *Link) View(view string) {
	l.mu.Lock()
	l.lastView = view
	l.mu.Unlock()
	poke(l.view)
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (l *Link) set(f func(s *State)) {
	l.mu.Lock()
	f(&l.state)
	l.mu.Unlock()
	l.cfg.Changed()
}

// run holds one session after another, with growing pauses between failures.
func (l *Link) run(ctx context.Context) {
	pause := pauseMin
	denied := 0
	for ctx.Err() == nil {
		started := time.Now()
		err := l.session(ctx)
		if ctx.Err() != nil {
			return
		}
		state := port.Offline
		switch fault.KindOf(err) {
		case fault.Expired:
			state = port.SignedOut
		case fault.Denied:
			// A region that has just come up, or is cut off from the hub, may not know a new member yet.
			if denied++; denied >= deniedMax {
				state = port.Removed
			}
		default:
			denied = 0
		}
		l.cfg.Log.Info("link is down", "tenant", l.cfg.Tenant, "state", state, "err", err)
		l.set(func(s *State) { s.Link, s.Error, s.People = state, err, nil })
		if time.Since(started) > steadyAfter {
			pause = pauseMin
		}
		wait := pause/2 + rand.N(pause)
		if state != port.Offline {
			wait = pauseSignedOut
		}
		select {
		case <-ctx.Done():
		case <-l.wake:
			pause = pauseMin
		case <-time.After(wait):
			pause = min(pause*2, pauseMax)
		}
	}
}

// connect dials, and once more with a renewed session when the edge refuses the present one, or says that there is none.
func (l *Link) connect(ctx context.Context, conn string, broken func(error)) (*nats.Conn, error) {
	cfg := nats.Config{
		Name:      wire.ConnName(l.cfg.Tenant, conn, l.cfg.ReplicaID()),
		Inbox:     wire.InboxPrefix(l.cfg.Tenant, conn),
		PingEvery: pingEvery, MissedMax: pingsMissedMax,
		Refused: broken, // an edge refuses only who is no member any more
		Closed:  broken,
	}
	dial := func() (*nats.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, connectMax)
		defer cancel()
		stream, err := l.cfg.Dial(ctx)
		if err != nil {
			return nil, err
		}
		return nats.Connect(ctx, stream, cfg)
	}
	nc, err := dial()
	if err == nil || !errors.Is(err, nats.ErrAuthorization) && fault.KindOf(err) != fault.Expired {
		return nc, fault.As("link.connect", fault.Unavailable, err)
	}
	if err := l.cfg.Renew(ctx); err != nil {
		return nil, fault.Wrap("link.connect", err)
	}
	nc, err = dial()
	switch {
	case errors.Is(err, nats.ErrAuthorization):
		return nil, fault.E("link.connect", fault.Denied, err)
	case fault.KindOf(err) == fault.Expired:
		return nil, fault.Wrap("link.connect", err)
	}
	return nc, fault.As("link.connect", fault.Unavailable, err)
}
