// Package node is one region's edge: it puts the parts together, in the order in which they need each other, and takes
// them apart again in the reverse order.
//
//	browser ─ WEB ─▶ syncer ─▶ tenant files ─▶ stream ═ CORE ═▶ other regions
//	                   ▲            │             └─▶ meter ═▶ the hub
//	          authn ◀─ dir ◀═══════ │ ════════════════════════ the hub
//
// The gateway stands before it and uses its exported methods.
package node

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"holdfast/edge/authn"
	"holdfast/edge/dir"
	"holdfast/edge/meter"
	"holdfast/edge/nodedb"
	"holdfast/edge/quota"
	"holdfast/edge/refused"
	"holdfast/edge/rules"
	"holdfast/edge/snapshot"
	"holdfast/edge/stream"
	"holdfast/edge/syncer"
	"holdfast/edge/tenant"
	"holdfast/sync/change"
	"holdfast/sync/directory"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/ingress"
	"holdfast/sync/lockfile"
	"holdfast/sync/natsd"
	"holdfast/sync/wire"
	"holdfast/sync/work"
)

// Config is what an edge needs. Region, DataDir, HubURL and PublicURL must be set.
type Config struct {
	Region     string      // lower-case letters, digits and -; the origin of what is accepted here
	DataDir    string      // this edge's own folder
	HubURL     string      // tls://host:port, or nats-leaf://host:port without encryption
	HubTLS     *tls.Config // whom to trust as the hub; nil: the system's authorities
	LeafSecret string
	PublicURL  string // origin that browsers open
	// WebSocketListen is where the gateway hands browsers' connections over; empty: a free port of loopback.
	WebSocketListen string
	TenantsOpen     int // files open at once; 0: the default of package tenant
	// LogBounds of the workspaces' logs; zero: the defaults of package stream.
	LogBounds ingress.Bounds
	Now       func() time.Time
	Log       *slog.Logger
}

// Node is an edge; make it with New.
type Node struct {
	cfg  Config
	lock *lockfile.Lock
	db   *sql.DB
	srv  *natsd.Server
	core *nats.Conn
	web  *nats.Conn

	conns     *authn.Conns
	dir       *dir.Dir
	tenants   *tenant.Store
	refused   *refused.Book
	stream    *stream.Stream
	meter     *meter.Meter
	syncer    *syncer.Syncer
	rules     *rules.Rules
	snapshots *snapshot.Store // for devices
	exports   *snapshot.Store // for other regions

	undo []func() // what Close does, last first
	stop context.CancelFunc
	done sync.WaitGroup

	mu      sync.Mutex
	changed map[dir.Change]bool
	wake    chan struct{}

	announceNow chan struct{}
	ready       atomic.Bool
}

// New makes an edge that is not started.
func New(cfg Config) *Node {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.WebSocketListen == "" {
		cfg.WebSocketListen = "127.0.0.1:0"
	}
	cfg.Log = cfg.Log.With("region", cfg.Region)
	return &Node{cfg: cfg, changed: map[dir.Change]bool{}, wake: make(chan struct{}, 1), announceNow: make(chan struct{}, 1)}
}

// Open starts the edge. Kinds of its errors: Invalid for a bad configuration, Busy when another process has the data
// folder, Full, Corrupt.
func (n *Node) Open(ctx context.Context) (err error) {
	const op = "node.Open"
	if !validRegion(n.cfg.Region) {
		return fault.Errorf(op, fault.Invalid, "%q is no name for a region: use lower-case letters, digits and -", n.cfg.Region)
	}
	defer func() {
		if err != nil {
			err = errors.Join(n.orFull(err), n.Close())
		}
	}()
	var run context.Context
	run, n.stop = context.WithCancel(context.WithoutCancel(ctx))
	if n.lock, err = lockfile.Take(n.cfg.DataDir); err != nil {
		return fault.Wrap(op, err)
	}
	n.defers(func() { n.lock.Release() }) //nolint:errcheck // closing a file that was not written
	if n.db, err = nodedb.Open(ctx, filepath.Join(n.cfg.DataDir, "node.db")); err != nil {
		return fault.Wrap(op, err)
	}
	n.defers(func() {
		if err := n.db.Close(); err != nil {
			n.cfg.Log.Error("node.db not closed in order", "err", err)
		}
	})
	if err := n.openServer(ctx); err != nil {
		return fault.Wrap(op, err)
	}
	n.build()
	if err := n.openParts(ctx); err != nil {
		return fault.Wrap(op, err)
	}
	n.done.Go(func() { n.conns.Run(run) })
	n.done.Go(func() { n.follow(run) })
	n.done.Go(func() { n.announce(run) })
	n.defers(func() { n.stop(); n.done.Wait() })
	n.ready.Store(true)
	n.defers(func() { n.ready.Store(false) })
	return nil
}

// orFull says that the disk is full when that is why the edge did not start: whatever could not be written first failed in its
// own way.
func (n *Node) orFull(err error) error {
	free, ferr := natsd.Free(n.cfg.DataDir)
	if fault.KindOf(err) != fault.Full && (ferr != nil || free >= startRoom) || fault.KindOf(err) == fault.Busy {
		return err
	}
	return &fault.Error{Op: "node.Open", Kind: fault.Full, Err: err, Detail: fmt.Sprintf(
		"There is no room on the disk of the data folder %s: %d MB are free. Make at least %d MB free and start again. Nothing that was accepted is lost.",
		n.cfg.DataDir, free>>20, startRoom>>20)}
}

// openServer starts the message server and connects to both of its accounts.
func (n *Node) openServer(ctx context.Context) error {
	n.conns = authn.New(authn.Config{
		Directory: n, Region: n.cfg.Region, Now: n.cfg.Now, Log: n.cfg.Log,
		Kick: func(c uint64) { n.srv.Kick(c) }, Left: func(c authn.Conn) { n.syncer.Left(c) },
	})
	n.srv = natsd.New(natsd.Config{
		Name: n.cfg.Region, Domain: n.cfg.Region, StoreDir: filepath.Join(n.cfg.DataDir, "streams"),
		HubURL: n.cfg.HubURL, HubTLS: n.cfg.HubTLS, LeafSecret: n.cfg.LeafSecret, WebSocketListen: n.cfg.WebSocketListen,
		Authenticate: n.authenticate, Gone: n.conns.Gone, Log: n.cfg.Log,
	})
	if err := n.srv.Open(ctx); err != nil {
		return err
	}
	n.defers(n.srv.Close)
	var err error
	if n.core, err = n.srv.Core(); err != nil {
		return err
	}
	n.defers(n.core.Close)
	if n.web, err = n.srv.Web(); err != nil {
		return err
	}
	n.defers(n.web.Close)
	return nil
}

// authenticate decides about a browser's connection, once all parts stand.
func (n *Node) authenticate(c natsd.Client) (natsd.Grant, error) {
	if !n.ready.Load() {
		return natsd.Grant{}, fault.Errorf("node.authenticate", fault.Unavailable, "the edge is starting")
	}
	return n.conns.Authenticate(c)
}

// build makes the parts, each with what it needs of the others.
func (n *Node) build() {
	c := n.cfg
	n.dir = dir.New(dir.Config{DB: n.db, Conn: n.core, Now: c.Now, Log: c.Log})
	n.dir.Watch(n.directoryChanged)
	n.rules = rules.New(rules.Config{Directory: n.dir, Now: c.Now, Log: c.Log, Ran: func(t id.ID, d time.Duration) { n.meter.Ran(t, d) }})
	plan := quota.New(quota.Config{Tenant: n.dir.Tenant, Regions: n.regionsOf, Now: c.Now})
	n.refused = refused.New(n.db)
	n.tenants = tenant.New(tenant.Config{
		Dir: filepath.Join(c.DataDir, "tenants"), Region: c.Region, OpenMax: c.TenantsOpen, Now: c.Now, Log: c.Log,
		Regions: n.regionsOf, Before: func(ctx context.Context, t id.ID) error { return n.stream.Before(ctx, t) },
		Opened: n.opened,
		Admit: func(ctx context.Context, t id.ID, who ingress.Actor, c change.Tx, known work.Lookup) error {
			if err := n.rules.Admit(ctx, t, who, c, known); err != nil {
				return err // before the plan's limit: what a rule refuses uses nothing of it
			}
			return plan.Admit(ctx, t, who, c, known)
		},
		Committed: func(t *tenant.Tenant, es []change.Entry) {
			n.syncer.Feed(t, es)
			n.stream.Committed(t, es)
		},
		Merged:  func(t *tenant.Tenant, es []change.Entry) { n.syncer.Feed(t, es) },
		Refused: n.refused.Keep,
		Twice:   func(ctx context.Context, t id.ID, list []ingress.Twice) error { return n.meter.Twice(ctx, t, list) },
	})
	n.exports = snapshot.New(snapshot.Config{Dir: filepath.Join(c.DataDir, "exports"), Tenants: n.tenants, Now: c.Now, Log: c.Log,
		Write: func(ctx context.Context, t *tenant.Tenant, path string) (change.Vector, error) {
			return t.Export(ctx, path)
		}})
	n.meter = meter.New(meter.Config{Region: c.Region, DB: n.db, Conn: n.core, Now: c.Now, Log: c.Log, Sizes: n.tenants.All, Home: n.isHome,
		Made: n.made, Stuck: n.restartStreams, Spent: n.conns.Spent})
	n.stream = stream.New(stream.Config{Region: c.Region, DB: n.db, Conn: n.core, Tenants: n.tenants, Directory: n.dir, Log: c.Log,
		Dir: filepath.Join(c.DataDir, "incoming"), Exports: n.exports, Bounds: c.LogBounds,
		Count: n.meter.Count, Stuck: n.restartStreams, Everywhere: func(t *tenant.Tenant) { n.syncer.Everywhere(t) }})
	n.syncer = syncer.New(syncer.Config{Region: c.Region, Web: n.web, Core: n.core, Tenants: n.tenants, Conns: n.conns, Directory: n.dir,
		Now: c.Now, Log: c.Log})
	n.snapshots = snapshot.New(snapshot.Config{Dir: filepath.Join(c.DataDir, "snapshots"), Tenants: n.tenants, Now: c.Now, Log: c.Log})
}

func (n *Node) openParts(ctx context.Context) error {
	if err := n.rules.Open(ctx); err != nil {
		return err
	}
	n.defers(func() {
		if err := n.rules.Close(context.Background()); err != nil {
			n.cfg.Log.Error("rules not stopped in order", "err", err)
		}
	})
	if err := n.stream.Open(ctx); err != nil {
		return err
	}
	if err := n.refused.Open(ctx); err != nil {
		return err
	}
	if err := n.tenants.Open(ctx); err != nil {
		return err
	}
	n.defers(func() {
		if err := n.tenants.Close(); err != nil {
			n.cfg.Log.Error("workspaces' files not closed in order", "err", err)
		}
	})
	for _, s := range []*snapshot.Store{n.snapshots, n.exports} {
		if err := s.Open(ctx); err != nil {
			return err
		}
		n.defers(s.Close)
	}
	if err := n.dir.Open(ctx); err != nil {
		return err
	}
	n.defers(n.dir.Close)
	if err := n.meter.Open(ctx); err != nil {
		return err
	}
	n.defers(n.meter.Close)
	n.defers(n.stream.Close)
	if err := n.stream.Start(ctx); err != nil {
		return err
	}
	if err := n.syncer.Open(ctx); err != nil {
		return err
	}
	n.defers(n.syncer.Close)
	n.srv.OnLink(n.link)
	return nil
}

// Close stops the edge. What was accepted is on disk; what was not published yet is at the next start.
func (n *Node) Close() error {
	if n.stop != nil {
		n.stop()
	}
	for len(n.undo) > 0 {
		f := n.undo[len(n.undo)-1]
		n.undo = n.undo[:len(n.undo)-1]
		f()
	}
	return nil
}

func (n *Node) defers(f func()) { n.undo = append(n.undo, f) }

func validRegion(name string) bool {
	if name == "" || name == wire.HubDomain || len(name) > change.NameBytesMax {
		return false
	}
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// opened makes a workspace ready that was just opened.
func (n *Node) opened(ctx context.Context, t *tenant.Tenant) error {
	if err := n.stream.Opened(ctx, t); err != nil {
		return err
	}
	refusals, err := n.refused.Of(ctx, t.ID)
	if err != nil {
		return err
	}
	if err := t.Refuse(ctx, refusals); err != nil {
		if kind := fault.KindOf(err); kind != fault.Full || t.Rebuilding() {
			return err
		}
		n.cfg.Log.Warn("refusals not compared with the workspace's file", "tenant", t.ID, "err", err)
	}
	// People who cannot be written down now (a full disk) must not keep the others from reading; it comes again before
	// every push.
	if err := n.syncer.Project(ctx, t); err != nil {
		n.cfg.Log.Warn("people not brought into the workspace", "tenant", t.ID, "err", err)
	}
	return nil
}

// regionsOf are the names of the regions that serve a workspace.
func (n *Node) regionsOf(t id.ID) (out []string) {
	r, ok := n.dir.Tenant(t)
	for _, region := range n.dir.Regions() {
		if !ok || r.Serves(region.Name) {
			out = append(out, region.Name)
		}
	}
	return out
}

// restartStreams gets streams going again that a full disk has stopped.
func (n *Node) restartStreams() {
	err := n.srv.RestartStreams()
	if k := fault.KindOf(err); err != nil && k != fault.Busy && k != fault.Full {
		n.cfg.Log.Error("streams not restarted", "err", err)
	}
}

// made gives the sequences of a workspace's own log that this region committed itself.
func (n *Node) made(ctx context.Context, t id.ID, after, upto uint64) (seqs []uint64, err error) {
	err = n.tenants.Use(ctx, t, func(t *tenant.Tenant) (err error) {
		seqs, err = t.Made(ctx, after, upto)
		return err
	})
	return seqs, err
}

func (n *Node) isHome(t id.ID) bool {
	r, ok := n.dir.Tenant(t)
	return ok && r.Home == n.cfg.Region && r.State != directory.Deleted
}
