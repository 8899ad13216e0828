package stream

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"holdfast/edge/follow"
	"holdfast/edge/tenant"
	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/ingress"
	"holdfast/sync/wire"
)

// peer is another region whose streams are followed, one reader a shard.
type peer struct {
	s      *Stream
	region string
	shards []*follow.Follower
	ctx    context.Context
	stop   context.CancelFunc
	done   sync.WaitGroup

	mu     sync.Mutex
	wanted map[int]int // how often a shard's heads are to be compared, while they are being
}

func newPeer(s *Stream, region string) *peer {
	p := &peer{s: s, region: region, wanted: map[int]int{}}
	for shard := range wire.Shards {
		k := markKey{region, shard}
		p.shards = append(p.shards, follow.New(follow.Config{
			Conn: s.cfg.Conn, Domain: region, Stream: wire.OpsStream(shard), Log: s.cfg.Log,
			Start:   func(_ context.Context, info *jetstream.StreamInfo) (uint64, error) { return p.start(k, info), nil },
			Handle:  func(ctx context.Context, ms []follow.Message) error { return p.handle(ctx, k, ms) },
			Current: func(context.Context) { p.compareSoon(shard) },
		}))
	}
	return p
}

func (p *peer) open(ctx context.Context) {
	p.ctx, p.stop = context.WithCancel(ctx)
	for _, f := range p.shards {
		f.Open(p.ctx)
	}
	p.done.Go(func() { p.compareNowAndThen() })
}

func (p *peer) close() {
	p.stop()
	for _, f := range p.shards {
		f.Close()
	}
	p.done.Wait()
}

func (p *peer) poke(fresh time.Duration) {
	for _, f := range p.shards {
		f.Poke(fresh)
	}
}

// start gives the place after the mark. A stream that was made anew is read from its beginning; one that ends before the
// mark has lost its tail, which comparing heads makes good.
func (p *peer) start(k markKey, info *jetstream.StreamInfo) uint64 {
	m := p.s.journal.mark(k)
	made := info.Created.UnixNano()
	switch {
	case m.stream != made:
		m = mark{stream: made}
		p.s.journal.setMark(k, m)
	case info.State.LastSeq < m.seq:
		p.s.cfg.Log.Error("a stream has lost its tail; it is made good from files", "region", p.region, "shard", k.shard, "had", m.seq, "has", info.State.LastSeq)
		m.seq = info.State.LastSeq
		p.s.journal.setMark(k, m)
	}
	return m.seq + 1
}

// handle merges messages, workspace by workspace, and moves the mark when all are in the files.
func (p *peer) handle(ctx context.Context, k markKey, ms []follow.Message) error {
	byTenant := map[id.ID][]change.Entry{}
	var order []id.ID
	for _, m := range ms {
		t, e, err := p.entry(m)
		if err != nil {
			// It will not get better by waiting; a hole that it leaves is fetched from the origin's file.
			p.s.cfg.Log.Error("operation not understood", "region", p.region, "shard", k.shard, "seq", m.Seq, "err", err)
			continue
		}
		if byTenant[t] == nil {
			order = append(order, t)
		}
		byTenant[t] = append(byTenant[t], e)
	}
	for _, t := range order {
		if !p.s.serves(t) {
			continue
		}
		entries := byTenant[t]
		err := p.s.merge(ctx, p.region, t, entries)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			// The others of the shard must not wait for this one.
			p.s.cfg.Log.Error("workspace set aside: it could not be merged into", "tenant", t, "region", p.region, "err", err)
			p.s.lame.add(headKey{p.region, t}, entries[len(entries)-1].Seq)
		}
	}
	m := p.s.journal.mark(k)
	m.seq = ms[len(ms)-1].Seq
	p.s.journal.setMark(k, m)
	return nil
}

// entry reads a message of the peer's stream.
func (p *peer) entry(m follow.Message) (id.ID, change.Entry, error) {
	const op = "stream.entry"
	parts := strings.Split(m.Subject, ".")
	t := id.ID(parts[len(parts)-1])
	if !t.Valid() || m.Subject != wire.OpsSubject(p.region, t) {
		return "", change.Entry{}, fault.E(op, fault.Invalid, errors.New("a foreign subject"))
	}
	seq, err := strconv.ParseUint(m.Header.Get(headerSeq), 10, 64)
	if err != nil || seq == 0 {
		return "", change.Entry{}, fault.E(op, fault.Invalid, errors.New("no sequence"))
	}
	tx, err := change.Decode(m.Data)
	return t, change.Entry{Origin: p.region, Seq: seq, Tx: tx}, fault.Wrap(op, err)
}

// merge puts entries into a workspace's file, after fetching what must come first.
func (s *Stream) merge(ctx context.Context, region string, t id.ID, entries []change.Entry) error {
	const op = "stream.merge"
	return s.cfg.Tenants.Use(ctx, t, func(n *tenant.Tenant) error {
		missing, err := n.Merge(ctx, entries)
		if err != nil {
			return fault.Wrap(op, err)
		}
		if len(missing) > 0 {
			for _, r := range missing {
				if err := s.fill(ctx, region, n, r); err != nil {
					return fault.Wrap(op, err)
				}
			}
			if missing, err = n.Merge(ctx, entries); err != nil {
				return fault.Wrap(op, err)
			}
			if len(missing) > 0 {
				return fault.E(op, fault.Behind, errors.New("still missing after fetching"))
			}
		}
		s.merged(n)
		return nil
	})
}

// merged notes how far a workspace's file has come, and has the other regions told.
func (s *Stream) merged(n *tenant.Tenant) {
	if s.journal.setHeads(n.ID, n.Heads()) {
		s.acks.add(n.ID)
		s.trims.add(n.ID)
	}
}

// fill fetches a range of an origin's log from a region and merges it; what that region has trimmed comes with its rows.
func (s *Stream) fill(ctx context.Context, from string, n *tenant.Tenant, r ingress.Range) error {
	const op = "stream.fill"
	s.cfg.Log.Info("fetching what is missing", "tenant", n.ID, "origin", r.Origin, "from", r.From, "to", r.To, "region", from)
	for after := r.From - 1; after < r.To; {
		entries, err := s.fetch(ctx, from, fetchRequest{n.ID, r.Origin, after})
		if fault.KindOf(err) == fault.NotFound {
			if err := s.adopt(ctx, from, n); err != nil {
				return fault.Wrap(op, err)
			}
			have := n.Heads()[r.Origin]
			if have <= after {
				return fault.E(op, fault.Behind, errors.New("the region does not have it either"))
			}
			after = have
			continue
		}
		if err != nil {
			return fault.Wrap(op, err)
		}
		if len(entries) == 0 {
			return fault.E(op, fault.Behind, errors.New("the region does not have it either"))
		}
		if _, err := n.Merge(ctx, entries); err != nil {
			return fault.Wrap(op, err)
		}
		after = entries[len(entries)-1].Seq
	}
	return nil
}

// fetch asks a region for a part of a log.
func (s *Stream) fetch(ctx context.Context, from string, req fetchRequest) ([]change.Entry, error) {
	const op = "stream.fetch"
	reply, err := s.ask(ctx, wire.Fetch(from), req.encode())
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	m, err := wire.DecodePullReply(reply)
	if err == nil {
		err = m.Err
	}
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	for i, e := range m.Entries {
		if e.Origin != req.Origin || e.Seq != req.After+uint64(i)+1 {
			return nil, fault.E(op, fault.Invalid, errors.New("other entries than those asked for"))
		}
	}
	return m.Entries, nil
}

// ask sends a request to another region.
func (s *Stream) ask(ctx context.Context, subject string, frame []byte) ([]byte, error) {
	return s.askFor(ctx, askMax, subject, frame)
}

func (s *Stream) askFor(ctx context.Context, patience time.Duration, subject string, frame []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	m, err := s.cfg.Conn.RequestMsgWithContext(ctx, &nats.Msg{Subject: subject, Data: frame})
	if err != nil {
		return nil, fault.E("stream.ask", fault.Unavailable, err)
	}
	return m.Data, nil
}

// compareSoon compares a shard's heads, and again when it is called meanwhile, until the region has answered.
func (p *peer) compareSoon(shard int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted[shard]++
	if p.wanted[shard] == 1 {
		p.done.Go(func() { p.comparing(shard) })
	}
}

func (p *peer) comparing(shard int) {
	for p.ctx.Err() == nil {
		p.mu.Lock()
		wanted := p.wanted[shard]
		p.mu.Unlock()
		if err := p.compare(shard); err != nil {
			p.s.cfg.Log.Info("heads not compared; it is tried again", "region", p.region, "shard", shard, "err", err)
			select {
			case <-p.ctx.Done():
			case <-time.After(compareRetry):
			}
			continue
		}
		p.s.acks.anew(p.region, shard)
		p.mu.Lock()
		more := p.wanted[shard] > wanted
		if !more {
			delete(p.wanted, shard)
		}
		p.mu.Unlock()
		if !more {
			return
		}
	}
}

func (p *peer) compareNowAndThen() {
	tick := time.NewTicker(compareEvery)
	defer tick.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-tick.C:
			for shard := range wire.Shards {
				p.compareSoon(shard)
			}
		}
	}
}

// compare asks the region for its heads and fetches what this one has not, though its stream should have brought it.
func (p *peer) compare(shard int) error {
	const op = "stream.compare"
	for after := id.ID(""); ; {
		reply, err := p.s.ask(p.ctx, wire.Heads(p.region), headsRequest{shard, after}.encode())
		if err != nil {
			return fault.Wrap(op, err)
		}
		m, err := decodeHeadsReply(reply)
		if err != nil {
			return fault.Wrap(op, err)
		}
		behind := map[id.ID]uint64{}
		for t, seq := range m.Heads {
			after = max(after, t)
			if p.s.journal.head(p.region, t) < seq && p.s.serves(t) {
				behind[t] = seq
			}
		}
		if err := p.catchUp(behind); err != nil {
			return fault.Wrap(op, err)
		}
		if !m.More {
			return nil
		}
	}
}

func (p *peer) catchUp(behind map[id.ID]uint64) error {
	if len(behind) == 0 {
		return nil
	}
	select {
	case <-p.ctx.Done():
		return p.ctx.Err()
	case <-time.After(compareAfter):
	}
	for t, seq := range behind {
		if err := p.s.catchUp(p.ctx, headKey{p.region, t}, seq); err != nil && p.ctx.Err() == nil {
			p.s.cfg.Log.Warn("workspace set aside: what it lacks could not be fetched", "tenant", t, "region", p.region, "err", err)
			p.s.lame.add(headKey{p.region, t}, seq)
		}
	}
	return p.ctx.Err()
}

// catchUp fetches what a workspace's file lacks of an origin's log up to seq.
func (s *Stream) catchUp(ctx context.Context, k headKey, seq uint64) error {
	if s.journal.head(k.origin, k.tenant) >= seq {
		return nil
	}
	return s.cfg.Tenants.Use(ctx, k.tenant, func(n *tenant.Tenant) error {
		if have := n.Heads()[k.origin]; have < seq {
			if err := s.fill(ctx, k.origin, n, ingress.Range{Origin: k.origin, From: have + 1, To: seq}); err != nil {
				return err
			}
		}
		s.merged(n)
		return nil
	})
}
