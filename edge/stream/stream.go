// Package stream carries what a region accepted to all others, and what they accepted into this region's files.
//
// The truth is each workspace's file; streams are transport. A commit marks its workspace as dirty first, so that a crash
// between commit and publication is made good at the next start. The publisher writes each workspace's own log to the
// region's stream of its shard, in sequence, from where the stream ends. For each other region and shard one reader follows
// that region's stream and merges what is new, in sequence only. What is missing (a lost tail, a stream made anew, a
// retention shorter than a cut) is found by sequence or by comparing heads, and fetched from the origin's files.
//
// How far each region has merged goes back to all others, which is what "everywhere" rests on.
package stream

import (
	"context"
	"database/sql"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"holdfast/edge/metrics"
	"holdfast/edge/tenant"
	"holdfast/sync/change"
	"holdfast/sync/directory"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/ingress"
	"holdfast/sync/wire"
)

// Directory knows regions and workspaces.
type Directory interface {
	Regions() []directory.Region
	Tenant(t id.ID) (directory.Tenant, bool)
}

// Config is what a Stream needs.
type Config struct {
	Region    string
	DB        *sql.DB    // node.db
	Conn      *nats.Conn // account CORE
	Tenants   *tenant.Store
	Directory Directory
	Log       *slog.Logger
	// Count is told how far a workspace's own log has come, and gives what writes that down in a transaction of node.db. An
	// error leaves the workspace for the next time. May be nil.
	Count func(ctx context.Context, t id.ID, seq uint64) (func(*sql.Tx) error, error)
	// Stuck is called when the region's own streams did not take what they were given; may be nil.
	Stuck func()
	// Dir holds other regions' rows on their way into a workspace; emptied at Open.
	Dir     string
	Exports Exports
	// Bounds of the workspaces' logs; zero: the defaults.
	Bounds ingress.Bounds
	// Everywhere is called when a workspace's Everywhere has become another; may be nil.
	Everywhere func(t *tenant.Tenant)
}

// subjectUp tells all regions the name of one whose link has just come up.
const subjectUp = "regions.up"

// Stream is a region's part in carrying changes; make it with New.
type Stream struct {
	cfg     Config
	js      jetstream.JetStream
	journal *journal
	pub     *publisher
	acks    *acks
	lame    *lame
	trims   *trimmer
	copies  copies
	adopts  chan struct{} // holds one for each region's rows being taken
	subs    []*nats.Subscription
	calls   chan struct{}
	ctx     context.Context
	stop    context.CancelFunc
	done    sync.WaitGroup

	mu    sync.Mutex
	peers map[string]*peer
}

// New makes a Stream that does nothing yet.
func New(cfg Config) *Stream {
	if cfg.Bounds == (ingress.Bounds{}) {
		cfg.Bounds = defaultBounds
	}
	s := &Stream{cfg: cfg, journal: newJournal(cfg.DB), calls: make(chan struct{}, callsMax), peers: map[string]*peer{},
		copies: copies{held: map[string]*copying{}}, adopts: make(chan struct{}, adoptsMax)}
	s.journal.count = cfg.Count
	s.pub = newPublisher(s)
	s.acks = newAcks(s)
	s.lame = newLame(s)
	s.trims = newTrimmer(s)
	return s
}

// Open makes the region's streams and reads the journal. After it the store may open workspaces; Start does the rest.
func (s *Stream) Open(ctx context.Context) error {
	const op = "stream.Open"
	var err error
	if s.js, err = jetstream.New(s.cfg.Conn, jetstream.WithPublishAsyncMaxPending(inFlightMax)); err != nil {
		return fault.E(op, fault.Invalid, err)
	}
	for shard := range wire.Shards {
		_, err := s.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
			Name: wire.OpsStream(shard), Subjects: []string{wire.OpsSubjects(s.cfg.Region, shard)}, Storage: jetstream.FileStorage,
			MaxAge: opsAge, MaxBytes: opsBytes, Discard: jetstream.DiscardOld, Duplicates: opsDuplicates, AllowDirect: true,
			MaxConsumers: -1,
		})
		if err != nil {
			return fault.E(op, fault.Unavailable, err)
		}
	}
	if err := emptied(s.cfg.Dir); err != nil {
		return fault.E(op, fault.Other, err)
	}
	if err := s.journal.load(ctx); err != nil {
		return fault.Wrap(op, err)
	}
	s.ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	return nil
}

// Start begins to publish, to follow the other regions and to answer them.
func (s *Stream) Start(ctx context.Context) error {
	const op = "stream.Start"
	for subject, f := range map[string]func(*nats.Msg){
		subjectUp:                s.onUp,
		wire.Copy(s.cfg.Region):  s.onCopy,
		wire.Fetch(s.cfg.Region): s.onFetch, wire.Heads(s.cfg.Region): s.onHeads, wire.Applied(s.cfg.Region): s.onApplied,
	} {
		sub, err := s.cfg.Conn.Subscribe(subject, s.bounded(f))
		if err != nil {
			return fault.E(op, fault.Unavailable, err)
		}
		s.subs = append(s.subs, sub)
	}
	if err := s.cfg.Conn.Flush(); err != nil {
		return fault.E(op, fault.Unavailable, err)
	}
	s.pub.start(s.ctx)
	s.done.Go(func() { s.acks.run(s.ctx) })
	s.done.Go(func() { s.lame.run(s.ctx) })
	s.done.Go(func() { s.trims.run(s.ctx) })
	s.done.Go(func() { s.flushing(s.ctx) })
	s.done.Go(func() { s.resume(s.ctx) })
	s.RegionsChanged()
	return nil
}

// Close stops carrying and keeps what was done. Workspaces must not be committed to any more.
func (s *Stream) Close() {
	for _, sub := range s.subs {
		sub.Unsubscribe() //nolint:errcheck // the connection may be closed already
	}
	s.mu.Lock()
	peers := s.peers
	s.peers = nil
	s.mu.Unlock()
	for _, p := range peers {
		p.close()
	}
	if s.stop != nil {
		s.stop()
	}
	s.pub.wait()
	s.done.Wait()
	s.copies.close()
	if s.ctx != nil {
		if err := s.journal.close(context.WithoutCancel(s.ctx), s.cfg.Region); err != nil {
			s.cfg.Log.Error("journal not written", "err", err)
		}
	}
}

// Before notes that a workspace is about to be committed to (tenant.Config.Before).
func (s *Stream) Before(ctx context.Context, t id.ID) error { return s.journal.setDirty(ctx, t) }

// Committed has entries of the own log published (tenant.Config.Committed).
func (s *Stream) Committed(t *tenant.Tenant, entries []change.Entry) {
	s.journal.setHeads(t.ID, change.Vector{s.cfg.Region: entries[len(entries)-1].Seq})
	s.pub.add(t.ID, entries)
	s.trims.add(t.ID)
}

// resume publishes what an earlier run left unpublished. A workspace that cannot be opened now is tried again when it is.
func (s *Stream) resume(ctx context.Context) {
	for t := range s.journal.left {
		err := s.cfg.Tenants.Use(ctx, t, func(n *tenant.Tenant) error {
			if v := n.Heads(); v[s.cfg.Region] > 0 {
				s.journal.setHeads(t, v)
			}
			return nil
		})
		if err != nil && ctx.Err() == nil {
			s.cfg.Log.Error("workspace's log not published", "tenant", t, "err", err)
			continue
		}
		s.pub.add(t, nil)
	}
}

// flushing writes the journal now and then, and lets workspaces be clean again.
func (s *Stream) flushing(ctx context.Context) {
	flush, settle := time.NewTicker(flushEvery), time.NewTicker(settleEvery)
	defer flush.Stop()
	defer settle.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-flush.C:
			if err := s.journal.flush(ctx, s.cfg.Region); err != nil && ctx.Err() == nil {
				s.cfg.Log.Error("journal not written; it is tried again", "err", err)
				flush.Reset(flushRetry)
				continue
			}
			flush.Reset(flushEvery)
		case <-settle.C:
			s.pub.settle(ctx)
		}
	}
}

// LinkUp says that the link to the hub has come up: all readers may be broken, and the other regions' readers of this
// region too, which they would notice only after some missed heartbeats.
func (s *Stream) LinkUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.peers == nil || s.ctx == nil {
		return
	}
	for _, p := range s.peers {
		p.poke(0)
	}
	s.acks.poke()
	s.done.Go(func() {
		select {
		case <-s.ctx.Done():
			return
		case <-time.After(upAfter):
		}
		if err := s.cfg.Conn.Publish(subjectUp, []byte(s.cfg.Region)); err != nil {
			s.cfg.Log.Warn("the other regions were not told that this one is back", "err", err)
		}
	})
}

// onUp is told that another region's link has come up.
func (s *Stream) onUp(m *nats.Msg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.peers[string(m.Data)]; p != nil {
		p.poke(2 * upAfter)
		s.acks.poke()
	}
}

// RegionsChanged follows regions that are new in the directory, and no longer those that are not in it.
func (s *Stream) RegionsChanged() {
	regions := map[string]bool{}
	for _, r := range s.cfg.Directory.Regions() {
		if r.Name != s.cfg.Region {
			regions[r.Name] = true
		}
	}
	var old []*peer
	s.mu.Lock()
	if s.peers == nil || s.ctx == nil {
		s.mu.Unlock()
		return
	}
	for name, p := range s.peers {
		if !regions[name] {
			old = append(old, p)
			delete(s.peers, name)
			s.acks.forget(name)
		}
	}
	for name := range regions {
		if s.peers[name] == nil {
			s.peers[name] = newPeer(s, name)
			s.peers[name].open(s.ctx)
			s.acks.region(name)
		}
	}
	s.mu.Unlock()
	for _, p := range old {
		p.close()
	}
}

// Lags tells how each stream of the other regions is followed.
func (s *Stream) Lags() (out []metrics.Lag) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, p := range s.peers {
		for shard, f := range p.shards {
			out = append(out, metrics.Lag{Region: name, Shard: shard, Attached: f.Attached(), Behind: f.Behind()})
		}
	}
	return out
}

// SetAside is how many workspaces could not be merged into and are tried again.
func (s *Stream) SetAside() int {
	s.lame.mu.Lock()
	defer s.lame.mu.Unlock()
	return len(s.lame.upTo)
}

// others are the names of the regions followed.
func (s *Stream) others() (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.peers {
		out = append(out, name)
	}
	return out
}

// serves tells whether the region may hold a workspace. One that the directory does not know yet is taken: its record
// comes by another way and may be late.
func (s *Stream) serves(t id.ID) bool {
	r, ok := s.cfg.Directory.Tenant(t)
	return !ok || r.Serves(s.cfg.Region)
}

// known tells whether a workspace has to do with this region: a stranger's report must not make a file.
func (s *Stream) known(t id.ID) bool {
	r, ok := s.cfg.Directory.Tenant(t)
	return ok && r.Serves(s.cfg.Region) || !ok && s.cfg.Tenants.Exists(t)
}

// bounded answers requests of other regions, a limited number at once.
func (s *Stream) bounded(f func(*nats.Msg)) func(*nats.Msg) {
	return func(m *nats.Msg) {
		select {
		case s.calls <- struct{}{}:
		case <-s.ctx.Done():
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.peers == nil { // closing
			<-s.calls
			return
		}
		s.done.Go(func() {
			defer func() { <-s.calls }()
			f(m)
		})
	}
}
