package stream

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"holdfast/edge/tenant"
	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/wire"
)

// headerSeq is the header of an operation's message that holds its sequence in the origin's log.
const headerSeq = "Holdfast-Seq"

// publisher writes the own logs to the region's streams, one worker a shard.
type publisher struct {
	s       *Stream
	workers sync.WaitGroup
	shards  [wire.Shards]struct {
		wake chan struct{}
	}

	mu     sync.Mutex
	states map[id.ID]*state
}

// state is how a workspace's publication stands.
type state struct {
	known bool           // done is known: the stream was asked
	done  uint64         // the last sequence that is or was in the stream
	queue []change.Entry // committed, contiguous, not yet published; may be less than there is in the log
	due   bool           // there is something to publish
	busy  bool           // a worker is at it
	last  time.Time      // of the last commit
}

func newPublisher(s *Stream) *publisher {
	p := &publisher{s: s, states: map[id.ID]*state{}}
	for i := range p.shards {
		p.shards[i].wake = make(chan struct{}, 1)
	}
	return p
}

func (p *publisher) start(ctx context.Context) {
	for shard := range p.shards {
		p.workers.Go(func() { p.work(ctx, shard) })
	}
}

func (p *publisher) wait() { p.workers.Wait() }

// add says that a workspace's log has grown, by the given entries if any.
func (p *publisher) add(t id.ID, entries []change.Entry) {
	p.mu.Lock()
	st := p.states[t]
	if st == nil {
		st = &state{}
		p.states[t] = st
		if len(entries) > 0 && !p.s.journal.left[t] {
			// It was clean: all before is published, even when it is too old to be in the stream still.
			st.done = entries[0].Seq - 1
		}
	}
	st.due, st.last = true, time.Now()
	switch n := len(st.queue); {
	case len(entries) == 0:
	case n+len(entries) > queueMax, n > 0 && st.queue[n-1].Seq+1 != entries[0].Seq:
		st.queue = nil // the log has it all
	default:
		st.queue = append(st.queue, entries...)
	}
	p.mu.Unlock()
	p.wake(wire.Shard(t))
}

func (p *publisher) wake(shard int) {
	select {
	case p.shards[shard].wake <- struct{}{}:
	default:
	}
}

func (p *publisher) work(ctx context.Context, shard int) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.shards[shard].wake:
		}
		for t, st := range p.due(shard) {
			err := p.publishAll(ctx, t, st)
			p.mu.Lock()
			st.busy = false
			st.due = st.due || err != nil
			p.mu.Unlock()
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				p.s.cfg.Log.Warn("log not published; it is tried again", "tenant", t, "err", err)
				if p.s.cfg.Stuck != nil && fault.KindOf(err) == fault.Unavailable {
					p.s.cfg.Stuck()
				}
				time.AfterFunc(publishRetry, func() { p.wake(shard) })
			}
		}
	}
}

// due takes the workspaces of a shard that have something to publish.
func (p *publisher) due(shard int) map[id.ID]*state {
	out := map[id.ID]*state{}
	p.mu.Lock()
	defer p.mu.Unlock()
	for t, st := range p.states {
		if st.due && wire.Shard(t) == shard {
			st.due, st.busy = false, true
			out[t] = st
		}
	}
	return out
}

// publishAll brings the stream to the end of a workspace's log. After an error some of what was tried may be in the
// stream; it is tried again from the same place, and what comes twice is known by its number.
func (p *publisher) publishAll(ctx context.Context, t id.ID, st *state) error {
	for {
		entries, err := p.next(ctx, t, st)
		if err != nil || len(entries) == 0 {
			return err
		}
		if err := p.publish(ctx, t, entries); err != nil {
			return err
		}
		p.mu.Lock()
		st.done = entries[len(entries)-1].Seq
		p.mu.Unlock()
	}
}

// next gives what follows the stream's end in the log.
func (p *publisher) next(ctx context.Context, t id.ID, st *state) ([]change.Entry, error) {
	p.mu.Lock()
	known, done, queue := st.known, st.done, st.queue
	st.queue = nil
	p.mu.Unlock()
	if !known {
		in, err := p.s.published(ctx, t)
		if err != nil {
			return nil, err
		}
		done = max(done, in)
		p.mu.Lock()
		st.known, st.done = true, done
		p.mu.Unlock()
	}
	for len(queue) > 0 && queue[0].Seq <= done {
		queue = queue[1:]
	}
	if len(queue) > 0 && queue[0].Seq == done+1 {
		return queue, nil
	}
	if p.s.journal.head(p.s.cfg.Region, t) <= done {
		return nil, nil
	}
	var entries []change.Entry
	err := p.s.cfg.Tenants.Use(ctx, t, func(n *tenant.Tenant) (err error) {
		done = max(done, n.Floors()[p.s.cfg.Region])
		entries, err = n.Log(ctx, p.s.cfg.Region, done, publishBatch)
		return err
	})
	return entries, fault.Wrap("stream.next", err)
}

// published is the last sequence of a workspace's log in the region's stream; the stream itself knows best.
func (s *Stream) published(ctx context.Context, t id.ID) (uint64, error) {
	const op = "stream.published"
	ctx, cancel := context.WithTimeout(ctx, askMax)
	defer cancel()
	st, err := s.js.Stream(ctx, wire.OpsStream(wire.Shard(t)))
	if err != nil {
		return 0, fault.E(op, fault.Unavailable, err)
	}
	m, err := st.GetLastMsgForSubject(ctx, wire.OpsSubject(s.cfg.Region, t))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fault.E(op, fault.Unavailable, err)
	}
	seq, err := strconv.ParseUint(m.Header.Get(headerSeq), 10, 64)
	return seq, fault.As(op, fault.Corrupt, err)
}

// publish writes entries in sequence and returns when the stream has confirmed them all.
func (p *publisher) publish(ctx context.Context, t id.ID, entries []change.Entry) error {
	const op = "stream.publish"
	subject := wire.OpsSubject(p.s.cfg.Region, t)
	acks := make([]jetstream.PubAckFuture, 0, len(entries))
	for _, e := range entries {
		m := nats.NewMsg(subject)
		seq := strconv.FormatUint(e.Seq, 10)
		m.Header.Set(headerSeq, seq)
		m.Header.Set(jetstream.MsgIDHeader, string(t)+"/"+e.Origin+"/"+seq)
		m.Data = e.Tx.Encode()
		ack, err := p.s.js.PublishMsgAsync(m, jetstream.WithStallWait(publishAckMax))
		if err != nil {
			return fault.E(op, fault.Unavailable, err)
		}
		acks = append(acks, ack)
	}
	late := time.NewTimer(publishAckMax)
	defer late.Stop()
	for _, ack := range acks {
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			return fault.E(op, fault.Unavailable, err)
		case <-late.C:
			return fault.E(op, fault.Unavailable, errors.New("the stream did not confirm in time"))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// settle lets workspaces be clean that have been quiet, are published and counted.
func (p *publisher) settle(ctx context.Context) {
	p.mu.Lock()
	quiet := map[id.ID]uint64{}
	for t, st := range p.states {
		if !st.due && !st.busy && st.known && len(st.queue) == 0 && time.Since(st.last) > settleAfter && p.s.journal.flushed(p.s.cfg.Region, t, st.done) {
			quiet[t] = st.done
		}
	}
	p.mu.Unlock()
	for t, seq := range quiet {
		err := p.s.cfg.Tenants.Use(ctx, t, func(n *tenant.Tenant) error {
			return n.Settled(seq, func() error {
				if err := p.s.journal.setClean(ctx, t); err != nil {
					return err
				}
				p.mu.Lock()
				delete(p.states, t)
				p.mu.Unlock()
				return nil
			})
		})
		if err != nil && ctx.Err() == nil {
			p.s.cfg.Log.Warn("workspace stays marked as dirty", "tenant", t, "err", err)
		}
	}
}
