// Package follow reads one JetStream stream, here or in another domain, message after message, for ever.
//
// It uses a reader without acknowledgements that starts behind what the caller has, and makes a new one whenever the old
// one may have missed something: after a cut the first new message arrives within half a second of the link's healing.
// Every message is handed over in the stream's order; one may be handed over twice when the caller failed or the process
// ended in between, so Handle must bear repetition. The caller keeps the mark.
package follow

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"holdfast/sync/fault"
)

// Message is one stored message.
type Message struct {
	Seq     uint64 // in the stream
	Subject string
	Header  nats.Header
	Data    []byte
	Time    time.Time // when it was stored
}

// Config is what a follower needs.
type Config struct {
	Conn   *nats.Conn
	Domain string // empty: the server's own
	Stream string
	// Start gives the sequence of the first message wanted. It is asked on every attachment, with the stream's state.
	Start func(ctx context.Context, info *jetstream.StreamInfo) (seq uint64, err error)
	// Handle takes some messages in order; after an error they come again.
	Handle func(ctx context.Context, ms []Message) error
	// Current is called when all that was in the stream at the time of attachment has been handled; may be nil.
	Current func(ctx context.Context)
	Log     *slog.Logger
}

// Follower reads one stream; make it with New, start it with Open.
type Follower struct {
	cfg      Config
	poke     chan struct{}
	cancel   context.CancelFunc
	done     sync.WaitGroup
	attached atomic.Bool
	behind   atomic.Uint64

	mu      sync.Mutex
	since   time.Time          // when the present attempt or reader began
	giveUp  context.CancelFunc // ends the present attempt
	patient time.Duration      // with an attempt
}

// New makes a follower that does nothing yet.
func New(cfg Config) *Follower {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Follower{cfg: cfg, poke: make(chan struct{}, 1), patient: attachMin}
}

// Open starts reading; it goes on until Close.
func (f *Follower) Open(ctx context.Context) {
	ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
	f.done.Go(func() { f.run(ctx) })
}

// Close stops reading and waits for Handle to return.
func (f *Follower) Close() {
	if f.cancel != nil {
		f.cancel()
	}
	f.done.Wait()
}

// Poke says that the link has just come up: what is attached may be broken, what is not may try now. A reader or attempt
// that is younger than fresh came over the new link already and is left alone.
func (f *Follower) Poke(fresh time.Duration) {
	f.mu.Lock()
	young := time.Since(f.since) < fresh
	if !young && f.giveUp != nil {
		f.giveUp()
	}
	f.mu.Unlock()
	if young {
		return
	}
	select {
	case f.poke <- struct{}{}:
	default:
	}
}

// Attached tells whether a reader stands and nothing has shown yet that it is broken.
func (f *Follower) Attached() bool { return f.attached.Load() }

// Behind is how many messages the stream held beyond the last one read, when that was sent.
func (f *Follower) Behind() uint64 { return f.behind.Load() }

func (f *Follower) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := f.session(ctx)
		if f.attached.Swap(false) || fault.KindOf(err) != fault.Unavailable {
			f.cfg.Log.Debug("stream reader ended", "domain", f.cfg.Domain, "stream", f.cfg.Stream, "err", err)
		}
		select {
		case <-ctx.Done():
		case <-f.poke:
		case <-time.After(retryMin + rand.N(retryJitter)):
		}
	}
}

// session is the life of one reader; it returns why it ended.
func (f *Follower) session(ctx context.Context) error {
	const op = "follow.session"
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cons, err := f.attach(ctx)
	if err != nil {
		return err
	}
	it, err := cons.Messages(jetstream.PullMaxMessagesWithBytesLimit(pullMessages, pullBytes),
		jetstream.PullExpiry(pullExpiry), jetstream.PullHeartbeat(heartbeat))
	if err != nil {
		return fault.E(op, fault.Unavailable, err)
	}
	way := make(chan Message, batchMax)
	var broken error
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(way)
		broken = f.read(ctx, it, way)
	})
	defer reader.Wait()
	defer it.Stop()
	defer cancel()
	f.behind.Store(cons.CachedInfo().NumPending)
	f.attached.Store(true)
	return f.consume(ctx, way, cons.CachedInfo().NumPending, &broken)
}

// attach makes a reader behind the caller's mark. Where nobody listens that is known at once; an answer that does not come
// is waited for a little longer each time, because the other side may only be slow.
func (f *Follower) attach(ctx context.Context) (jetstream.Consumer, error) {
	f.mu.Lock()
	ctx, cancel := context.WithTimeout(ctx, f.patient)
	f.since, f.giveUp = time.Now(), cancel
	f.mu.Unlock()
	defer cancel()
	cons, err := f.make(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.giveUp = nil
	switch {
	case err == nil:
		f.patient = attachMin
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		f.patient = min(2*f.patient, attachMax)
	}
	return cons, err
}

func (f *Follower) make(ctx context.Context) (jetstream.Consumer, error) {
	const op = "follow.make"
	js, err := f.jetStream()
	if err != nil {
		return nil, fault.E(op, fault.Invalid, err)
	}
	st, err := js.Stream(ctx, f.cfg.Stream)
	if err != nil {
		return nil, fault.E(op, fault.Unavailable, err)
	}
	start, err := f.cfg.Start(ctx, st.CachedInfo())
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	cons, err := st.CreateConsumer(ctx, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: max(1, start), AckPolicy: jetstream.AckNonePolicy,
		MemoryStorage: true, Replicas: 1, InactiveThreshold: inactiveMax,
	})
	return cons, fault.As(op, fault.Unavailable, err)
}

func (f *Follower) jetStream() (jetstream.JetStream, error) {
	if f.cfg.Domain == "" {
		return jetstream.New(f.cfg.Conn)
	}
	return jetstream.NewWithDomain(f.cfg.Conn, f.cfg.Domain)
}

// read moves messages from the reader to the channel and sees that none is missing between.
func (f *Follower) read(ctx context.Context, it jetstream.MessagesContext, way chan<- Message) error {
	const op = "follow.read"
	var last uint64
	for {
		m, err := it.Next()
		if err != nil {
			return fault.E(op, fault.Unavailable, err)
		}
		meta, err := m.Metadata()
		if err != nil {
			return fault.E(op, fault.Invalid, err)
		}
		if meta.Sequence.Consumer != last+1 {
			return fault.E(op, fault.Unavailable, errors.New("messages were lost on the way"))
		}
		last = meta.Sequence.Consumer
		f.behind.Store(meta.NumPending)
		select {
		case way <- Message{meta.Sequence.Stream, m.Subject(), m.Headers(), m.Data(), meta.Timestamp}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// consume hands over what is there, many messages at once when many are. pending is how many were waiting at first.
func (f *Follower) consume(ctx context.Context, way <-chan Message, pending uint64, broken *error) error {
	batch := make([]Message, 0, batchMax)
	var handled uint64
	current := func() {
		if f.cfg.Current != nil {
			f.cfg.Current(ctx)
		}
	}
	if pending == 0 {
		current()
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.poke:
			return fault.E("follow.consume", fault.Unavailable, errors.New("the link came up anew"))
		case m, ok := <-way:
			if !ok {
				return *broken
			}
			batch = append(batch[:0], m)
		}
		for more := true; more && len(batch) < batchMax; {
			select {
			case m, ok := <-way:
				if more = ok; ok {
					batch = append(batch, m)
				}
			default:
				more = false
			}
		}
		if err := f.cfg.Handle(ctx, batch); err != nil {
			return fault.Wrap("follow.handle", err)
		}
		before := handled
		if handled += uint64(len(batch)); before < pending && handled >= pending {
			current()
		}
	}
}
