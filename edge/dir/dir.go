// Package dir is a region's copy of the hub's directory: who may enter which workspace, which keys sign sessions, which
// sessions are over, which regions there are, which rules workspaces have.
//
// The copy is in node.db and in memory. It follows the hub's bucket while the hub can be reached, and is served as it is
// while not, so that signed-in people go on. A record that does not parse is left out and logged; the one before it stays.
package dir

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"holdfast/edge/follow"
	"holdfast/sync/directory"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/token"
	"holdfast/sync/wire"
)

// Config is what a copy needs.
type Config struct {
	DB   *sql.DB    // node.db
	Conn *nats.Conn // account CORE
	Now  func() time.Time
	Log  *slog.Logger
}

// Change says that a record is another now. Name is what directory.Split gives.
type Change struct{ Kind, Name string }

// Dir is the copy; make it with New, start it with Open. It is safe for concurrent use.
type Dir struct {
	cfg    Config
	follow *follow.Follower
	stop   context.CancelFunc
	done   sync.WaitGroup

	mu       sync.RWMutex
	tenants  map[id.ID]directory.Tenant
	revs     map[id.ID]uint64         // revision of each workspace's record
	persons  map[id.ID]map[id.ID]bool // person → workspaces with an active membership
	keys     map[string]ed25519.PublicKey
	revoked  map[id.ID]time.Time
	regions  map[string]directory.Region
	rules    map[id.ID][]directory.Rule // in ascending order, without their modules
	revision uint64
	moved    chan struct{} // closed when revision grows
	watches  []func([]Change)
	mark     mark
	fresh    map[string]bool // keys seen while the whole bucket is read again; nil otherwise
}

// New makes a copy that is empty and does nothing yet.
func New(cfg Config) *Dir {
	d := &Dir{cfg: cfg, tenants: map[id.ID]directory.Tenant{}, revs: map[id.ID]uint64{}, persons: map[id.ID]map[id.ID]bool{}, keys: map[string]ed25519.PublicKey{},
		revoked: map[id.ID]time.Time{}, regions: map[string]directory.Region{}, rules: map[id.ID][]directory.Rule{}, moved: make(chan struct{})}
	d.follow = follow.New(follow.Config{Conn: cfg.Conn, Domain: wire.HubDomain, Stream: "KV_" + wire.DirectoryBucket,
		Start: d.start, Handle: d.handle, Current: d.current, Log: cfg.Log})
	return d
}

// Watch registers f to be called with what has changed, after it has; f must not block. Register before Open.
func (d *Dir) Watch(f func([]Change)) { d.watches = append(d.watches, f) }

// Open reads the copy from node.db and begins to follow the hub.
func (d *Dir) Open(ctx context.Context) error {
	if err := d.load(ctx); err != nil {
		return fault.Wrap("dir.Open", err)
	}
	d.follow.Open(ctx)
	ctx, d.stop = context.WithCancel(context.WithoutCancel(ctx))
	d.done.Go(func() { d.tidy(ctx) })
	return nil
}

// Close stops following.
func (d *Dir) Close() {
	if d.stop != nil {
		d.stop()
	}
	d.follow.Close()
	d.done.Wait()
}

// Poke says that the link to the hub has come up.
func (d *Dir) Poke() { d.follow.Poke(0) }

// Verify reads a session token: who it is, or Denied, or Expired when its time is over or the session was ended.
func (d *Dir) Verify(raw string) (token.Claims, error) {
	const op = "dir.Verify"
	c, err := token.Verify(raw, d.key, d.cfg.Now())
	if err != nil {
		return c, fault.Wrap(op, err)
	}
	if d.Revoked(c.Session) {
		return c, fault.Errorf(op, fault.Expired, "This session was ended. Sign in again.")
	}
	return c, nil
}

func (d *Dir) key(kid string) (ed25519.PublicKey, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	k, ok := d.keys[kid]
	return k, ok
}

// Revoked tells whether a session was ended early.
func (d *Dir) Revoked(session id.ID) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	_, ok := d.revoked[session]
	return ok
}

// Tenant finds a workspace. The result's slices and maps are shared: do not write to them.
func (d *Dir) Tenant(t id.ID) (directory.Tenant, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	r, ok := d.tenants[t]
	return r, ok
}

// TenantRevision grows with every change of a workspace's record; 0 when there is none.
func (d *Dir) TenantRevision(t id.ID) uint64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.revs[t]
}

// Tenants are all workspaces, in ascending order.
func (d *Dir) Tenants() []id.ID {
	d.mu.RLock()
	defer d.mu.RUnlock()
	out := make([]id.ID, 0, len(d.tenants))
	for t := range d.tenants {
		out = append(out, t)
	}
	slices.Sort(out)
	return out
}

// TenantsOf are the workspaces in which a person is an active member, in ascending order.
func (d *Dir) TenantsOf(person id.ID) []directory.Tenant {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var out []directory.Tenant
	for t := range d.persons[person] {
		if r := d.tenants[t]; r.State != directory.Deleted {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b directory.Tenant) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out
}

// Member finds an active member of a workspace that is not deleted.
func (d *Dir) Member(t, person id.ID) (directory.Member, directory.Tenant, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	r, ok := d.tenants[t]
	if !ok || r.State == directory.Deleted || !d.persons[person][t] {
		return directory.Member{}, r, false
	}
	return *r.Member(person), r, true
}

// Regions are all regions known, in ascending order of name.
func (d *Dir) Regions() []directory.Region {
	d.mu.RLock()
	defer d.mu.RUnlock()
	out := make([]directory.Region, 0, len(d.regions))
	for _, r := range d.regions {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b directory.Region) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// WaitRevision returns when the copy has the bucket's revision rev, or with Unavailable when ctx ends before.
func (d *Dir) WaitRevision(ctx context.Context, rev uint64) error {
	for {
		d.mu.RLock()
		have, moved := d.revision, d.moved
		d.mu.RUnlock()
		if have >= rev {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return fault.E("dir.WaitRevision", fault.Unavailable, ctx.Err())
		}
	}
}

// tidy forgets revocations that no longer matter: the hub drops them too, but may be away.
func (d *Dir) tidy(ctx context.Context) {
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := d.cfg.Now()
		d.mu.Lock()
		for s, until := range d.revoked {
			if now.After(until) {
				delete(d.revoked, s)
			}
		}
		d.mu.Unlock()
	}
}
