// Package authn decides which browser may connect for which workspace, knows who is behind each connection, and ends
// connections whose reason has gone: the session was ended, the person is no member any more, the workspace is deleted.
//
// A connection may call rpc.<tenant>.<conn>.*, and subscribe to its own inbox and to feed.<tenant>.*; nothing else. Two
// connections never share a name, so the name in a subject proves who calls.
package authn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"holdfast/edge/dir"
	"holdfast/sync/directory"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/natsd"
	"holdfast/sync/token"
	"holdfast/sync/wire"
)

// Directory is what decides.
type Directory interface {
	Verify(raw string) (token.Claims, error)
	Revoked(session id.ID) bool
	Member(t, person id.ID) (directory.Member, directory.Tenant, bool)
}

// Config is what Conns needs.
type Config struct {
	Directory Directory
	Region    string
	Kick      func(client uint64) // ends a connection
	Now       func() time.Time
	Log       *slog.Logger
	// Left is called when a connection has ended; may be nil. It must not block.
	Left func(Conn)
}

// Conn is a browser's connection.
type Conn struct {
	Tenant  id.ID
	Name    string // the <conn> of its subjects
	Person  id.ID
	Session id.ID
	Replica uint64
	Expires time.Time
	client  uint64
	addr    string    // where it comes from: the gateway's side of it
	over    bool      // to be ended, or ending
	since   time.Time // connected time is counted from then on; zero: it is not counted yet
}

type name struct {
	tenant id.ID
	conn   string
}

// Conns are the connections of an edge. It is safe for concurrent use.
type Conns struct {
	cfg Config

	mu       sync.Mutex
	byName   map[name]*Conn
	byClient map[uint64]*Conn
	tenants  map[id.ID]map[*Conn]bool
	sessions map[id.ID]map[*Conn]bool
	byAddr   map[string]*Conn
	spent    map[id.ID]time.Duration // by connections that have ended, since Spent was asked last
}

// New makes an empty table.
func New(cfg Config) *Conns {
	return &Conns{cfg: cfg, byName: map[name]*Conn{}, byClient: map[uint64]*Conn{}, tenants: map[id.ID]map[*Conn]bool{}, sessions: map[id.ID]map[*Conn]bool{},
		byAddr: map[string]*Conn{}, spent: map[id.ID]time.Duration{}}
}

// Authenticate decides about a connection (natsd.Config.Authenticate).
func (s *Conns) Authenticate(c natsd.Client) (natsd.Grant, error) {
	const op = "authn.Authenticate"
	claims, err := s.cfg.Directory.Verify(c.Token)
	if err != nil {
		return natsd.Grant{}, fault.Wrap(op, err)
	}
	tenant, conn, replica, err := wire.ParseConnName(c.Name)
	if err != nil {
		return natsd.Grant{}, fault.Wrap(op, err)
	}
	n := &Conn{Tenant: tenant, Name: conn, Person: claims.Person, Session: claims.Session, Replica: replica, Expires: claims.Expires, client: c.ID, addr: c.Addr}
	// In the table first, looked up after: a change of the directory in between then finds the connection.
	if err := s.add(n); err != nil {
		return natsd.Grant{}, fault.Wrap(op, err)
	}
	if err := s.allowed(n); err != nil {
		s.drop(n.client)
		return natsd.Grant{}, fault.Wrap(op, err)
	}
	s.mu.Lock()
	n.since = s.cfg.Now()
	s.mu.Unlock()
	s.cfg.Log.Info("browser connected", "tenant", tenant, "conn", conn, "person", claims.Person)
	return natsd.Grant{
		Publish:   []string{wire.RPC(tenant, conn, "*")},
		Subscribe: []string{wire.InboxPrefix(tenant, conn) + ".>", wire.Feed(tenant, "*")},
		Expires:   claims.Expires,
	}, nil
}

// allowed tells why a connection may not be, or nil.
func (s *Conns) allowed(n *Conn) error {
	const op = "authn.allowed"
	if s.cfg.Directory.Revoked(n.Session) {
		return fault.E(op, fault.Expired, errors.New("the session was ended"))
	}
	_, t, ok := s.cfg.Directory.Member(n.Tenant, n.Person)
	if !ok {
		return fault.E(op, fault.Denied, fmt.Errorf("person %s is not a member of %s", n.Person, n.Tenant))
	}
	if !t.Serves(s.cfg.Region) {
		return fault.E(op, fault.Denied, errors.New("the workspace is not served in this region"))
	}
	return nil
}

func (s *Conns) add(n *Conn) error {
	const op = "authn.add"
	s.mu.Lock()
	defer s.mu.Unlock()
	key := name{n.Tenant, n.Name}
	if old := s.byName[key]; old != nil && old.client != n.client {
		return fault.E(op, fault.Conflict, errors.New("the connection's name is in use"))
	} else if old != nil { // asked again about one that stands
		s.remove(old)
	}
	if len(s.byClient) >= connsMax {
		return fault.E(op, fault.Limit, errors.New("too many connections at this edge"))
	}
	own := 0
	for c := range s.tenants[n.Tenant] {
		if c.Person == n.Person {
			own++
		}
	}
	if own >= connsPersonMax {
		return fault.E(op, fault.Limit, errors.New("too many connections of this person"))
	}
	s.byName[key], s.byClient[n.client], s.byAddr[n.addr] = n, n, n
	put(s.tenants, n.Tenant, n)
	put(s.sessions, n.Session, n)
	return nil
}

func put(m map[id.ID]map[*Conn]bool, key id.ID, n *Conn) {
	if m[key] == nil {
		m[key] = map[*Conn]bool{}
	}
	m[key][n] = true
}

func del(m map[id.ID]map[*Conn]bool, key id.ID, n *Conn) {
	if delete(m[key], n); len(m[key]) == 0 {
		delete(m, key)
	}
}

// remove takes a connection out of the table. mu is held.
func (s *Conns) remove(n *Conn) {
	delete(s.byName, name{n.Tenant, n.Name})
	delete(s.byClient, n.client)
	if s.byAddr[n.addr] == n {
		delete(s.byAddr, n.addr)
	}
	s.spend(n, s.cfg.Now())
	del(s.tenants, n.Tenant, n)
	del(s.sessions, n.Session, n)
}

func (s *Conns) drop(client uint64) *Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.byClient[client]
	if n != nil {
		s.remove(n)
	}
	return n
}

// Gone takes an ended connection out (natsd.Config.Gone).
func (s *Conns) Gone(client uint64) {
	if n := s.drop(client); n != nil && s.cfg.Left != nil {
		s.cfg.Left(*n)
	}
}

// Find gives the connection of that name, if it stands and may go on.
func (s *Conns) Find(tenant id.ID, conn string) (Conn, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.byName[name{tenant, conn}]
	if n == nil || n.over || !s.cfg.Now().Before(n.Expires) {
		return Conn{}, false
	}
	return *n, true
}

// TenantAt is the workspace of the connection that comes from an address, or empty while it is not known who that is.
func (s *Conns) TenantAt(addr string) id.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.byAddr[addr]; n != nil && !n.since.IsZero() {
		return n.Tenant
	}
	return ""
}

// Spent gives how long browsers were connected for each workspace since it was asked last, all of them together.
func (s *Conns) Spent() map[id.ID]time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Now()
	for _, n := range s.byClient {
		s.spend(n, now)
	}
	out := s.spent
	s.spent = map[id.ID]time.Duration{}
	return out
}

// spend notes the time of a connection up to now. A clock that went back takes nothing away. mu is held.
func (s *Conns) spend(n *Conn, now time.Time) {
	if d := now.Sub(n.since); !n.since.IsZero() && d > 0 {
		s.spent[n.Tenant] += d
		n.since = now
	}
}

// Connected tells whether any browser is connected for a workspace.
func (s *Conns) Connected(tenant id.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.tenants[tenant]) > 0
}

// Len is the number of connections.
func (s *Conns) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byClient)
}

// Changed ends the connections that may not go on after changes of the directory.
func (s *Conns) Changed(changes []dir.Change) {
	for _, c := range changes {
		switch c.Kind {
		case "tenant":
			s.recheck(s.of(s.tenants, id.ID(c.Name)))
		case "revoked":
			s.recheck(s.of(s.sessions, id.ID(c.Name)))
		}
	}
}

func (s *Conns) of(m map[id.ID]map[*Conn]bool, key id.ID) []*Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*Conn, 0, len(m[key]))
	for n := range m[key] {
		out = append(out, n)
	}
	return out
}

func (s *Conns) recheck(list []*Conn) {
	for _, n := range list {
		err := s.allowed(n)
		if err == nil {
			continue
		}
		s.mu.Lock()
		n.over = true
		s.mu.Unlock()
		s.cfg.Log.Info("browser's connection ended", "tenant", n.Tenant, "conn", n.Name, "person", n.Person, "err", err)
		s.cfg.Kick(n.client)
	}
}

// Run forgets, until ctx ends, connections whose end was not told and whose session has ended anyway.
func (s *Conns) Run(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		late := s.cfg.Now().Add(-sweepGrace)
		var old []uint64
		s.mu.Lock()
		for c, n := range s.byClient {
			if n.Expires.Before(late) {
				old = append(old, c)
			}
		}
		s.mu.Unlock()
		for _, c := range old {
			s.Gone(c)
		}
	}
}
