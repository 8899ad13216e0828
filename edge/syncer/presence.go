package syncer

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"holdfast/edge/authn"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/wire"
)

// Headers of an announcement between regions.
const (
	headerRegion = "Holdfast-Region"
	headerAsk    = "Holdfast-Ask" // set: whoever has somebody here, say so now
)

// presence knows who is here: the own region's connections by their beats, the other regions' by their announcements.
// It is a courtesy and kept in memory only.
type presence struct {
	cfg  Config
	sub  *nats.Subscription
	wake chan struct{}
	done sync.WaitGroup

	mu    sync.Mutex
	rooms map[id.ID]*room
	dirty map[id.ID]bool // to be announced; true: and asked about
}

type room struct {
	local map[string]*here // by connection
	far   map[string]far   // by region
	told  time.Time        // when last announced to the other regions
}

type here struct {
	wire.Person
	at time.Time
}

type far struct {
	people []wire.Person
	at     time.Time
}

func newPresence(cfg Config) *presence {
	return &presence{cfg: cfg, wake: make(chan struct{}, 1), rooms: map[id.ID]*room{}, dirty: map[id.ID]bool{}}
}

func (p *presence) open(ctx context.Context) (err error) {
	if p.sub, err = p.cfg.Core.Subscribe(wire.Here("*"), p.onHere); err != nil {
		return err
	}
	p.done.Go(func() { p.run(ctx) })
	return p.cfg.Core.Flush()
}

func (p *presence) close() {
	if p.sub != nil {
		p.sub.Unsubscribe() //nolint:errcheck // the connection may be closed already
	}
	p.done.Wait()
}

// beat answers a browser's presence call.
func (s *Syncer) beat(_ context.Context, c call) []byte {
	b, err := wire.DecodePresenceBeat(c.msg.Data)
	if err != nil {
		s.cfg.Log.Info("presence answered with an error", "tenant", c.Tenant, "conn", c.Name, "err", err)
		return wire.PresenceMessage{Err: err}.Encode()
	}
	people, err := s.presence.beat(c.Conn, b.View)
	return wire.PresenceMessage{Err: err, People: people}.Encode()
}

// Left takes somebody out whose connection has ended (authn.Config.Left).
func (s *Syncer) Left(c authn.Conn) { s.presence.leave(c.Tenant, c.Name) }

func (p *presence) beat(c authn.Conn, view string) ([]wire.Person, error) {
	if view == "" {
		p.leave(c.Tenant, c.Name)
		return p.people(c.Tenant), nil
	}
	p.mu.Lock()
	r := p.rooms[c.Tenant]
	if r == nil {
		if len(p.rooms) >= tenantsHere {
			p.mu.Unlock()
			return nil, fault.Errorf("syncer.presence", fault.Busy, "Who is here cannot be shown at present.")
		}
		r = p.room(c.Tenant)
	}
	first := len(r.local) == 0
	h := r.local[c.Name]
	moved := h == nil || h.View != view
	if h == nil {
		h = &here{}
		r.local[c.Name] = h
	}
	h.Person = wire.Person{Member: c.Person, Conn: c.Name, Region: p.cfg.Region, View: view}
	h.at = p.cfg.Now()
	if moved {
		p.tell(c.Tenant, first)
	}
	p.mu.Unlock()
	return p.people(c.Tenant), nil
}

func (p *presence) leave(t id.ID, conn string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.rooms[t]; r != nil && r.local[conn] != nil {
		delete(r.local, conn)
		p.tell(t, false)
	}
}

// room makes an empty room. mu is held.
func (p *presence) room(t id.ID) *room {
	r := &room{local: map[string]*here{}, far: map[string]far{}}
	p.rooms[t] = r
	return r
}

// tell has a workspace announced soon. mu is held.
func (p *presence) tell(t id.ID, ask bool) {
	p.dirty[t] = p.dirty[t] || ask
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// people is everybody here, in the order of person and connection.
func (p *presence) people(t id.ID) (out []wire.Person) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.rooms[t]
	if r == nil {
		return nil
	}
	out = r.locals()
	for _, f := range r.far {
		out = append(out, f.people...)
	}
	return sorted(out)
}

func (r *room) locals() (out []wire.Person) {
	for _, h := range r.local {
		out = append(out, h.Person)
	}
	return sorted(out)
}

func sorted(list []wire.Person) []wire.Person {
	slices.SortFunc(list, func(a, b wire.Person) int {
		return cmp.Or(cmp.Compare(a.Member, b.Member), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Conn, b.Conn))
	})
	return list[:min(len(list), wire.PresentMax)]
}

// onHere takes another region's announcement.
func (p *presence) onHere(m *nats.Msg) {
	t := id.ID(m.Subject[len(wire.Here("")):])
	region := m.Header.Get(headerRegion)
	if region == p.cfg.Region || region == "" || !t.Valid() {
		return
	}
	msg, err := wire.DecodePresenceMessage(m.Data)
	if err != nil {
		p.cfg.Log.Warn("announcement not understood", "tenant", t, "region", region, "err", err)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.rooms[t]
	if r == nil {
		return // nobody here asks; the first who comes does
	}
	same := slices.Equal(r.far[region].people, msg.People)
	if len(msg.People) == 0 {
		delete(r.far, region)
	} else {
		r.far[region] = far{msg.People, p.cfg.Now()}
	}
	if !same {
		p.show(t, r)
	}
	if m.Header.Get(headerAsk) != "" && len(r.local) > 0 {
		r.told = time.Time{}
		p.tell(t, false)
	}
}

// show tells the region's own browsers. mu is held.
func (p *presence) show(t id.ID, r *room) {
	out := r.locals()
	for _, f := range r.far {
		out = append(out, f.people...)
	}
	frame := wire.PresenceMessage{People: sorted(out)}.Encode()
	if err := p.cfg.Web.Publish(wire.Feed(t, wire.ScopePresence), frame); err != nil {
		p.cfg.Log.Warn("presence not sent", "tenant", t, "err", err)
	}
}

// announce tells the other regions who is in this one. mu is held.
func (p *presence) announce(t id.ID, r *room, ask bool) {
	m := nats.NewMsg(wire.Here(t))
	m.Header.Set(headerRegion, p.cfg.Region)
	if ask {
		m.Header.Set(headerAsk, "1")
	}
	m.Data = wire.PresenceMessage{People: r.locals()}.Encode()
	if err := p.cfg.Core.PublishMsg(m); err != nil {
		p.cfg.Log.Warn("presence not announced", "tenant", t, "err", err)
	}
	r.told = p.cfg.Now()
}

func (p *presence) run(ctx context.Context) {
	tick := time.NewTicker(expireEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			p.expire()
			continue
		case <-p.wake:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(announceAfter):
		}
		p.mu.Lock()
		for t, ask := range p.dirty {
			if r := p.rooms[t]; r != nil {
				p.announce(t, r, ask)
				p.show(t, r)
				p.sweep(t, r)
			}
		}
		clear(p.dirty)
		p.mu.Unlock()
	}
}

// expire takes out who has not been heard of, and repeats what the other regions should not forget.
func (p *presence) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.cfg.Now()
	for t, r := range p.rooms {
		moved := false
		for conn, h := range r.local {
			if now.Sub(h.at) > awayAfter {
				delete(r.local, conn)
				moved = true
			}
		}
		for region, f := range r.far {
			if now.Sub(f.at) > awayAfter {
				delete(r.far, region)
				moved = true
			}
		}
		if moved {
			p.show(t, r)
		}
		if moved || len(r.local) > 0 && now.Sub(r.told) > announceEvery {
			p.announce(t, r, false)
		}
		p.sweep(t, r)
	}
}

// sweep closes a room in which nobody of this region is. mu is held.
func (p *presence) sweep(t id.ID, r *room) {
	if len(r.local) == 0 {
		delete(p.rooms, t)
	}
}
