// Package ingress is the door of one workspace in one region: it checks what replicas push, commits it with a place in
// the region's log, merges what other regions accepted, and answers pulls. It is the pure core of an edge: it knows SQL and
// the merge, and nothing of NATS, HTTP or files, so the simulated world runs the same code.
//
// What callers may rely on:
//   - A transaction is answered as accepted only after rows, clocks, history and log entry are committed together.
//   - Sequences of the own origin are contiguous from 1. Entries of other origins are merged in sequence only.
//   - A pushed transaction has one fate, however often it is pushed and to whichever region, as long as the regions have
//     seen each other's log; when two cut-off regions are offered the same one, both log it, and merging it twice is
//     merging it once.
//   - A rejection never blocks what comes after it. A temporary error stops a push: the fates given stand, the rest is to be
//     pushed again.
//   - When the disk is full nothing of a push is kept and nothing that was committed is lost.
//   - A log that was trimmed still knows the fates that replicas may ask about, and always holds its origin's last entry, so
//     that whoever is further behind notices.
//
// An Ingress is safe for concurrent use; it does one thing at a time.
package ingress

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
	"holdfast/sync/store"
	"holdfast/sync/work"
)

//go:embed migrations/*.sql
var migrations embed.FS

//go:embed queries.sql
var queries string

var q = sqlite.Named(queries)

// Config is what an Ingress needs. DB, Region and Tenant must be set.
type Config struct {
	DB     *sql.DB // the workspace's database in this region; one connection
	Region string  // the origin of what is accepted here
	Tenant id.ID
	Now    func() time.Time // the edge's clock
	// Admit, when set, may refuse a change that is otherwise valid: plan limits, a workspace's rules. known is what work.Check
	// was given; its errors are treated like those of work.Check.
	Admit func(ctx context.Context, who Actor, t change.Tx, known work.Lookup) error
	// Regions, when set, names the regions that serve this workspace, this one included or not.
	Regions func() []string
	Log     *slog.Logger
}

// Actor is who pushes: the person of the session and their role (work.Roles), as the edge knows it.
type Actor struct {
	ID   id.ID
	Role string
}

// Ingress is one workspace's door. Make it with New.
type Ingress struct {
	cfg Config

	mu      sync.Mutex
	origins map[string]*origin
	names   map[int64]string
	applied map[string]change.Vector // region → how far it has applied each origin's log
	twice   map[uint64]bool          // own sequences in the table of that name
}

// origin is a row of the table of that name.
type origin struct {
	id          int64
	head, floor uint64
	bytes       int64 // of the entries in the log
}

// New makes an Ingress that does nothing until Open.
func New(cfg Config) *Ingress {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Ingress{cfg: cfg}
}

// Open brings the schema up to date and reads the heads. The database stays the caller's to close.
func (g *Ingress) Open(ctx context.Context) error {
	const op = "ingress.Open"
	if g.cfg.Region == "" || len(g.cfg.Region) > change.NameBytesMax || !g.cfg.Tenant.Valid() {
		return fault.Errorf(op, fault.Invalid, "a region and a workspace must be named")
	}
	if err := store.Migrate(ctx, g.cfg.DB); err != nil {
		return fault.Wrap(op, err)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fault.E(op, fault.Other, err)
	}
	if err := sqlite.Migrate(ctx, g.cfg.DB, files); err != nil {
		return fault.Wrap(op, err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return fault.Wrap(op, g.load(ctx))
}

// load reads what is kept in memory. It is called again after a failed commit, when memory and disk may differ.
func (g *Ingress) load(ctx context.Context) error {
	g.origins, g.names, g.applied, g.twice = map[string]*origin{}, map[int64]string{}, map[string]change.Vector{}, map[uint64]bool{}
	rows, err := g.cfg.DB.QueryContext(ctx, q("origins"))
	if err != nil {
		return sqlite.Wrap("ingress.load", err)
	}
	defer rows.Close()
	for rows.Next() {
		var o origin
		var name string
		if err := rows.Scan(&o.id, &name, &o.head, &o.floor, &o.bytes); err != nil {
			return sqlite.Wrap("ingress.load", err)
		}
		g.origins[name], g.names[o.id] = &o, name
	}
	if err := rows.Err(); err != nil {
		return sqlite.Wrap("ingress.load", err)
	}
	rows.Close()
	rows, err = g.cfg.DB.QueryContext(ctx, q("applied"))
	if err != nil {
		return sqlite.Wrap("ingress.load", err)
	}
	defer rows.Close()
	for rows.Next() {
		var region, name string
		var seq uint64
		if err := rows.Scan(&region, &name, &seq); err != nil {
			return sqlite.Wrap("ingress.load", err)
		}
		g.ack(region, name, seq)
	}
	if err := rows.Err(); err != nil {
		return sqlite.Wrap("ingress.load", err)
	}
	rows.Close()
	list, err := readTwice(ctx, g.cfg.DB)
	for _, t := range list {
		g.twice[t.Seq] = true
	}
	return sqlite.Wrap("ingress.load", err)
}

// origin finds or makes the row of a region. Inside a transaction that rolls back, load must follow.
func (g *Ingress) origin(ctx context.Context, tx *sql.Tx, name string) (*origin, error) {
	if o := g.origins[name]; o != nil {
		return o, nil
	}
	if len(g.origins) >= change.OriginsMax {
		return nil, fault.Errorf("ingress.origin", fault.Limit, "more than %d regions", change.OriginsMax)
	}
	o := &origin{}
	if err := tx.QueryRowContext(ctx, q("addOrigin"), name, 0, 0).Scan(&o.id); err != nil {
		return nil, sqlite.Wrap("ingress.origin", err)
	}
	g.origins[name], g.names[o.id] = o, name
	return o, nil
}

// write runs fn in one transaction; when it fails, memory is brought back to what the disk holds.
func (g *Ingress) write(ctx context.Context, fn func(*sql.Tx) error) error {
	err := sqlite.Tx(ctx, g.cfg.DB, fn)
	if err != nil {
		// The caller's context may be the reason; memory must be right all the same.
		if lerr := g.load(context.WithoutCancel(ctx)); lerr != nil {
			g.cfg.Log.Error("heads cannot be read", "tenant", g.cfg.Tenant, "err", lerr)
		}
	}
	return err
}

// Heads is, per origin, the last sequence merged here.
func (g *Ingress) Heads() change.Vector {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.heads()
}

func (g *Ingress) heads() change.Vector {
	v := make(change.Vector, len(g.origins))
	for name, o := range g.origins {
		if o.head > 0 {
			v[name] = o.head
		}
	}
	return v
}

// Floors is, per origin, the last sequence that is no longer in the log.
func (g *Ingress) Floors() change.Vector {
	g.mu.Lock()
	defer g.mu.Unlock()
	v := change.Vector{}
	for name, o := range g.origins {
		if o.floor > 0 {
			v[name] = o.floor
		}
	}
	return v
}

// LogBytes is what the entries in the log take.
func (g *Ingress) LogBytes() (n int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, o := range g.origins {
		n += o.bytes
	}
	return n
}

func (g *Ingress) ack(region, name string, seq uint64) {
	v := g.applied[region]
	if v == nil {
		v = change.Vector{}
		g.applied[region] = v
	}
	v[name] = max(v[name], seq)
}

// Acked notes how far another region has applied the log of each origin. Older news than known is ignored.
func (g *Ingress) Acked(ctx context.Context, region string, v change.Vector) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	err := g.write(ctx, func(tx *sql.Tx) error {
		for _, name := range v.Origins() {
			if _, err := tx.ExecContext(ctx, q("setApplied"), region, name, v[name]); err != nil {
				return err
			}
			g.ack(region, name, v[name])
		}
		return nil
	})
	return sqlite.Wrap("ingress.Acked", err)
}

// Everywhere is, per origin, the sequence that every region serving the workspace has applied, as far as is known here.
func (g *Ingress) Everywhere() change.Vector {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.everywhere()
}

func (g *Ingress) everywhere() change.Vector {
	v := g.heads()
	if g.cfg.Regions == nil {
		return v
	}
	for _, region := range g.cfg.Regions() {
		if region == g.cfg.Region {
			continue
		}
		for name, seq := range v {
			have := g.applied[region][name]
			if name == region {
				have = max(have, seq) // its own log is applied where it was written
			}
			if v[name] = min(seq, have); v[name] == 0 {
				delete(v, name)
			}
		}
	}
	return v
}
