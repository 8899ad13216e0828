// Package syncer answers browsers: push, pull and presence, and tells them live what came in.
//
// Every call is checked in this order before anything is done: the subject parses; the reply goes to the caller's own
// inbox (the server's permissions do not cover it); the connection is known and may go on; there is room. The workspace is
// the subject's, the person the connection's; nothing of either is taken from the message. What fails a check is logged
// and gets no answer, but for a lack of room, which is answered with Busy.
package syncer

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/time/rate"

	"holdfast/edge/authn"
	"holdfast/edge/tenant"
	"holdfast/sync/directory"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/wire"
)

// Conns knows who is behind a connection.
type Conns interface {
	Find(tenant id.ID, conn string) (authn.Conn, bool)
	Connected(tenant id.ID) bool
}

// Directory knows who may do what.
type Directory interface {
	Member(t, person id.ID) (directory.Member, directory.Tenant, bool)
	Tenant(t id.ID) (directory.Tenant, bool)
	TenantRevision(t id.ID) uint64
}

// Config is what a Syncer needs.
type Config struct {
	Region    string
	Web, Core *nats.Conn
	Tenants   *tenant.Store
	Conns     Conns
	Directory Directory
	Now       func() time.Time
	Log       *slog.Logger
}

// Syncer serves the browsers of an edge; make it with New.
type Syncer struct {
	cfg      Config
	presence *presence
	sub      *nats.Subscription
	ctx      context.Context // of all calls
	stop     context.CancelFunc
	calls    sync.WaitGroup
	often    *rate.Limiter // of refusals logged
	unlogged atomic.Int64

	mu        sync.Mutex
	all       int
	tenants   map[id.ID]int
	conns     map[connKey]int
	projected map[id.ID]uint64 // the revision of the directory's record that is in the rows
}

type connKey struct {
	tenant id.ID
	conn   string
}

// New makes a syncer that does not serve yet.
func New(cfg Config) *Syncer {
	s := &Syncer{cfg: cfg, often: rate.NewLimiter(refusalsSecond, refusalsBurst), tenants: map[id.ID]int{}, conns: map[connKey]int{}, projected: map[id.ID]uint64{}}
	s.presence = newPresence(cfg)
	return s
}

// Open begins to serve.
func (s *Syncer) Open(ctx context.Context) error {
	const op = "syncer.Open"
	s.ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	if err := s.presence.open(s.ctx); err != nil {
		return fault.E(op, fault.Unavailable, err)
	}
	var err error
	if s.sub, err = s.cfg.Web.Subscribe(wire.RPCAll, s.onCall); err != nil {
		return fault.E(op, fault.Unavailable, err)
	}
	if err := s.sub.SetPendingLimits(pendingMax, pendingBytes); err != nil {
		return fault.E(op, fault.Other, err)
	}
	return fault.As(op, fault.Unavailable, s.cfg.Web.Flush())
}

// Close takes no more calls and waits for those under way.
func (s *Syncer) Close() {
	if s.sub != nil {
		s.sub.Unsubscribe() //nolint:errcheck // the connection may be closed already
	}
	s.calls.Wait()
	if s.stop != nil {
		s.stop()
	}
	s.presence.close()
}

// call is one request that passed the checks.
type call struct {
	authn.Conn
	member directory.Member
	tenant directory.Tenant
	msg    *nats.Msg
}

func (s *Syncer) onCall(m *nats.Msg) {
	c, method, err := s.check(m)
	if err != nil {
		s.refused("call refused", "subject", m.Subject, "reply", m.Reply, "bytes", len(m.Data), "err", err)
		return
	}
	f := s.method(method)
	if f == nil {
		s.refused("call refused", "subject", m.Subject, "err", "no such method")
		return
	}
	if !s.enter(c) {
		s.refused("too many calls at once", "tenant", c.Tenant, "conn", c.Name, "person", c.Person)
		s.answer(c, busy(method, s.cfg.Now()))
		return
	}
	s.calls.Go(func() {
		defer s.leave(c)
		ctx, cancel := context.WithTimeout(s.ctx, callMax)
		defer cancel()
		s.answer(c, f(ctx, c))
	})
}

// refused logs what was not done, but not so often that whoever causes it fills the disk; the rest is counted.
func (s *Syncer) refused(msg string, attrs ...any) {
	if !s.often.Allow() {
		s.unlogged.Add(1)
		return
	}
	if n := s.unlogged.Swap(0); n > 0 {
		attrs = append(attrs, "unlogged", n)
	}
	s.cfg.Log.Warn(msg, attrs...)
}

func (s *Syncer) check(m *nats.Msg) (c call, method string, err error) {
	const op = "syncer.check"
	t, conn, method, err := wire.ParseRPC(m.Subject)
	if err != nil {
		return c, "", fault.Wrap(op, err)
	}
	if !wire.OwnInbox(m.Reply, t, conn) {
		return c, "", fault.Errorf(op, fault.Denied, "a reply outside the caller's inbox")
	}
	c.msg = m
	var ok bool
	if c.Conn, ok = s.cfg.Conns.Find(t, conn); !ok {
		return c, "", fault.Errorf(op, fault.Denied, "an unknown connection")
	}
	if c.member, c.tenant, ok = s.cfg.Directory.Member(t, c.Person); !ok {
		return c, "", fault.Errorf(op, fault.Denied, "not a member any more")
	}
	return c, method, nil
}

func (s *Syncer) method(name string) func(context.Context, call) []byte {
	switch name {
	case wire.Push:
		return s.push
	case wire.Pull:
		return s.pull
	case wire.Presence:
		return s.beat
	}
	return nil
}

// busy is what a call is answered for which there is no room.
func busy(method string, now time.Time) []byte {
	err := fault.Errorf("syncer.onCall", fault.Busy, "Too much is going on at once. It is tried again by itself.")
	switch method {
	case wire.Push:
		return wire.PushReply{NowMS: now.UnixMilli(), Err: err}.Encode()
	case wire.Pull:
		return wire.PullReply{Err: err}.Encode()
	}
	return wire.PresenceMessage{Err: err}.Encode()
}

func (s *Syncer) answer(c call, frame []byte) {
	if err := c.msg.Respond(frame); err != nil {
		s.cfg.Log.Warn("answer not sent", "tenant", c.Tenant, "conn", c.Name, "bytes", len(frame), "err", err)
	}
}

func (s *Syncer) enter(c call) bool {
	k := connKey{c.Tenant, c.Name}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= callsMax || s.tenants[c.Tenant] >= callsTenantMax || s.conns[k] >= callsConnMax {
		return false
	}
	s.all++
	s.tenants[c.Tenant]++
	s.conns[k]++
	return true
}

func (s *Syncer) leave(c call) {
	k := connKey{c.Tenant, c.Name}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.tenants[c.Tenant]--; s.tenants[c.Tenant] == 0 {
		delete(s.tenants, c.Tenant)
	}
	if s.conns[k]--; s.conns[k] == 0 {
		delete(s.conns, k)
	}
}
