package link

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/nats"
	"holdfast/sync/port"
	"holdfast/sync/wire"
)

// session is one connection's life. Its goroutines end together: the first error ends the session.
type session struct {
	*Link
	conn string
	nc   *nats.Conn
	pull chan struct{} // 1: something is missing
	fail context.CancelCauseFunc
}

// session connects and serves until something breaks, and returns what.
func (l *Link) session(ctx context.Context) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	s := &session{Link: l, conn: string(id.New(time.Now(), rand.Reader)), pull: make(chan struct{}, 1), fail: fail}
	l.set(func(st *State) {
		st.Conn = s.conn
		if st.Link != port.SignedOut && st.Link != port.Removed {
			st.Link = port.Connecting
		}
	})
	nc, err := l.connect(ctx, s.conn, fail)
	if err != nil {
		return err
	}
	s.nc = nc
	defer nc.Close()

	feed, err := nc.Subscribe(wire.Feed(l.cfg.Tenant, wire.ScopeAll), feedQueue)
	if err != nil {
		return fault.E("link.session", fault.Unavailable, err)
	}
	presence, err := nc.Subscribe(wire.Feed(l.cfg.Tenant, wire.ScopePresence), presenceQueue)
	if err != nil {
		return fault.E("link.session", fault.Unavailable, err)
	}
	go func() {
		for m := range presence.C {
			s.people(m.Data)
		}
	}()
	if err := s.flush(ctx, callMax); err != nil {
		return err
	}
	l.set(func(st *State) { st.Link, st.Error = port.Online, nil })
	poke(s.pull)
	poke(l.push)
	go s.run(func() error { return s.pulling(ctx) })
	go s.run(func() error { return s.pushing(ctx) })
	go s.run(func() error { return s.feeding(ctx, feed) })
	go s.run(func() error { return s.beating(ctx) })
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-l.wake:
			if err := s.flush(ctx, wakeMax); err != nil {
				return err
			}
			poke(s.pull)
			poke(l.push)
		}
	}
}

func (s *session) run(f func() error) { s.fail(f()) }

// flush proves that the edge answers within limit.
func (s *session) flush(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return fault.As("link.flush", fault.Unavailable, s.nc.Flush(ctx))
}

// call is one request and its answer.
func (s *session) call(ctx context.Context, method string, frame []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callMax)
	defer cancel()
	reply, err := s.nc.Request(ctx, wire.RPC(s.cfg.Tenant, s.conn, method), frame)
	if err != nil {
		return nil, fault.E("link.call "+method, fault.Unavailable, err)
	}
	return reply, nil
}

// pulling fetches what is missing whenever something may be.
func (s *session) pulling(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.pull:
		case <-time.After(pullEvery):
		}
		for more := true; more; {
			var err error
			if more, err = s.pullOnce(ctx); err != nil {
				return err
			}
		}
	}
}

func (s *session) pullOnce(ctx context.Context) (more bool, err error) {
	cursor := s.cfg.Replica.Cursor()
	frame, err := s.call(ctx, wire.Pull, wire.PullRequest{Cursor: cursor}.Encode())
	if err != nil {
		return false, err
	}
	r, err := wire.DecodePullReply(frame)
	if err == nil {
		err = r.Err
	}
	if err != nil {
		return false, fault.Wrap("link.pull", err)
	}
	if r.Snapshot || missing(cursor, r.Head) >= BootstrapFrom {
		return true, fault.Wrap("link.bootstrap", s.cfg.Bootstrap(ctx))
	}
	gap, err := s.cfg.Replica.Apply(ctx, r.Entries)
	if err == nil && len(r.Everywhere) > 0 {
		err = s.cfg.Replica.Everywhere(ctx, r.Everywhere)
	}
	return r.More || gap, fault.Wrap("link.pull", err)
}

// missing counts the entries of head that are not in cursor.
func missing(cursor, head change.Vector) (n uint64) {
	for o, seq := range head {
		if have := cursor[o]; seq > have {
			n += seq - have
		}
	}
	return n
}

// pushing offers what waits whenever something does. One push is under way at a time, so what people do meanwhile goes
// together in the next.
func (s *session) pushing(ctx context.Context) error {
	pause := pauseMin
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.push:
		}
		for {
			req, err := s.cfg.Replica.PushRequest(ctx)
			if err != nil {
				return fault.Wrap("link.push", err)
			}
			if len(req.Txs) == 0 {
				break
			}
			settled, err := s.pushOnce(ctx, req)
			if err != nil && !fault.KindOf(err).Temporary() {
				return err
			}
			if settled > 0 {
				pause = pauseMin
				continue
			}
			if fault.KindOf(err) == fault.Unavailable {
				return err // the connection is of no use: begin anew
			}
			s.cfg.Log.Info("push must wait", "tenant", s.cfg.Tenant, "err", err)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(pause):
				pause = min(pause*2, pauseMax)
			}
			poke(s.pull) // the edge may be behind, or this replica
		}
	}
}

// pushOnce sends one push and settles its fates; err tells why the rest must wait.
func (s *session) pushOnce(ctx context.Context, req wire.PushRequest) (settled int, err error) {
	sent := time.Now()
	frame, err := s.call(ctx, wire.Push, req.Encode())
	if err != nil {
		return 0, err
	}
	reply, err := wire.DecodePushReply(frame)
	if err != nil {
		return 0, fault.Wrap("link.push", err)
	}
	if err := s.cfg.Replica.Settle(ctx, reply, time.Since(sent)); err != nil {
		return 0, fault.Wrap("link.push", err)
	}
	if reply.Err == nil && len(reply.Fates) == 0 {
		return 0, fault.E("link.push", fault.Other, errors.New("the edge answered without a fate"))
	}
	return len(reply.Fates), reply.Err
}

// feeding applies the live feed in order, many messages at once when many are there.
func (s *session) feeding(ctx context.Context, feed *nats.Subscription) error {
	for {
		var m nats.Msg
		open := true
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m, open = <-feed.C:
		}
		if !open {
			return fault.E("link.feed", fault.Unavailable, s.nc.Err())
		}
		batch := wire.FeedMessage{Everywhere: change.Vector{}}
		for n := 1; open; n++ {
			f, err := wire.DecodeFeedMessage(m.Data)
			if err != nil {
				return fault.Wrap("link.feed", err)
			}
			batch.Entries = append(batch.Entries, f.Entries...)
			for o, seq := range f.Everywhere {
				batch.Everywhere[o] = max(batch.Everywhere[o], seq)
			}
			open = false
			if n < feedBatch {
				select {
				case m, open = <-feed.C:
				default:
				}
			}
		}
		if err := s.applyFeed(ctx, batch); err != nil {
			return err
		}
		if feed.Dropped() > 0 {
			poke(s.pull)
		}
	}
}

func (s *session) applyFeed(ctx context.Context, f wire.FeedMessage) error {
	gap, err := s.cfg.Replica.Apply(ctx, f.Entries)
	if err != nil {
		return fault.Wrap("link.feed", err)
	}
	if gap {
		poke(s.pull)
	}
	if len(f.Everywhere) > 0 {
		return fault.Wrap("link.feed", s.cfg.Replica.Everywhere(ctx, f.Everywhere))
	}
	return nil
}

// beating tells the region where the person looks. Presence is a courtesy: a missed beat ends nothing.
func (s *session) beating(ctx context.Context) error {
	for {
		s.mu.Lock()
		view := s.lastView
		s.mu.Unlock()
		if frame, err := s.call(ctx, wire.Presence, wire.PresenceBeat{View: view}.Encode()); err == nil {
			s.people(frame)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.view:
		case <-time.After(beatEvery):
		}
	}
}

func (s *session) people(frame []byte) {
	m, err := wire.DecodePresenceMessage(frame)
	if err != nil || m.Err != nil {
		return
	}
	s.set(func(st *State) { st.People = m.People })
}
