package tenant

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/ingress"
	"holdfast/sync/sqlite"
	"holdfast/sync/wire"
	"holdfast/sync/work"
)

// Tenant is one workspace that is open: its door, and who is told about what came through.
type Tenant struct {
	ID    id.ID
	s     *Store
	db    *sql.DB
	in    *ingress.Ingress
	queue queue
	say   sync.Mutex // keeps the order of the log in what is told

	noted bool // Before was called since Settled; under say

	rebuilding bool
	aside      string                // the file that was set aside
	damage     atomic.Pointer[error] // why the file must be set aside
}

func (s *Store) openTenant(ctx context.Context, t id.ID) (*Tenant, error) {
	const op = "tenant.open"
	// The opening serves everybody who waits, so it does not end with the first one's patience.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), openMax)
	defer cancel()
	path := s.Path(t)
	if err := os.MkdirAll(filepath.Dir(path), folderPerm); err != nil {
		return nil, fault.E(op, fault.Other, err)
	}
	n, err := s.openFile(ctx, t, path)
	if fault.KindOf(err) == fault.Corrupt && err != nil {
		if err := s.setAside(path, err); err != nil {
			return nil, fault.Wrap(op, err)
		}
		n, err = s.openFile(ctx, t, path)
	}
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	n.twice(ctx) // a crash may have come between
	if s.cfg.Opened != nil {
		err = s.cfg.Opened(ctx, n)
	}
	if err == nil && n.rebuilding {
		err = s.rebuilt(path)
		s.cfg.Log.Info("a workspace's file was made again", "tenant", t, "heads", n.Heads())
	}
	if err != nil {
		n.db.Close()
		if why := n.damage.Load(); why != nil {
			err = errors.Join(err, s.setAside(path, *why))
		}
		return nil, fault.Wrap(op, err)
	}
	return n, nil
}

// openFile opens a workspace's database and its door.
func (s *Store) openFile(ctx context.Context, t id.ID, path string) (*Tenant, error) {
	aside, rebuilding, err := readMark(path)
	if err != nil {
		return nil, err
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{CacheKB: cacheKB, Durable: true})
	if err != nil {
		return nil, err
	}
	cfg := ingress.Config{DB: db, Region: s.cfg.Region, Tenant: t, Now: s.cfg.Now, Log: s.cfg.Log}
	if s.cfg.Regions != nil {
		cfg.Regions = func() []string { return s.cfg.Regions(t) }
	}
	if s.cfg.Admit != nil {
		cfg.Admit = func(ctx context.Context, who ingress.Actor, c change.Tx, known work.Lookup) error {
			return s.cfg.Admit(ctx, t, who, c, known)
		}
	}
	n := &Tenant{ID: t, s: s, db: db, in: ingress.New(cfg), rebuilding: rebuilding, aside: aside}
	if err := n.in.Open(ctx); err != nil {
		db.Close()
		return nil, err
	}
	return n, nil
}

func (t *Tenant) close() error { return sqlite.Wrap("tenant.close", t.db.Close()) }

// System commits changes that the region makes itself (ingress.Ingress.System).
func (t *Tenant) System(ctx context.Context, txs ...change.Tx) error {
	t.say.Lock()
	defer t.say.Unlock()
	if err := t.before(ctx); err != nil {
		return err
	}
	done, err := t.in.System(ctx, txs...)
	t.tell(t.s.cfg.Committed, done)
	return fault.Wrap("tenant.System", t.sick(err))
}

// Merge takes entries of other regions (ingress.Ingress.ApplyRemote) and gives what is missing before them.
func (t *Tenant) Merge(ctx context.Context, entries []change.Entry) ([]ingress.Range, error) {
	t.say.Lock()
	defer t.say.Unlock()
	a, err := t.in.ApplyRemote(ctx, entries)
	t.tell(t.s.cfg.Merged, a.Entries)
	if err == nil {
		t.twice(ctx)
	}
	return a.Missing, fault.Wrap("tenant.Merge", t.sick(err))
}

// twice passes on what the file notes. What fails comes again with the next merge, or when the workspace is opened next.
func (t *Tenant) twice(ctx context.Context) {
	list, err := t.in.Twice(ctx)
	if err == nil && len(list) > 0 && t.s.cfg.Twice != nil {
		if err = t.s.cfg.Twice(ctx, t.ID, list); err == nil {
			err = t.in.Forget(ctx, list)
		}
	}
	if err != nil {
		t.s.cfg.Log.Warn("changes that another region counts too are not noted yet", "tenant", t.ID, "err", err)
	}
}

// before has Before called once, so that a commit whose publication is cut short is not forgotten. say is held.
func (t *Tenant) before(ctx context.Context) error {
	if t.noted || t.s.cfg.Before == nil {
		return nil
	}
	if err := t.s.cfg.Before(ctx, t.ID); err != nil {
		return fault.Wrap("tenant.before", err)
	}
	t.noted = true
	return nil
}

// Settled calls f, which may undo what Before did, if the own log still ends at seq; no commit happens meanwhile.
func (t *Tenant) Settled(seq uint64, f func() error) error {
	t.say.Lock()
	defer t.say.Unlock()
	if t.in.Heads()[t.s.cfg.Region] != seq {
		return nil
	}
	if err := f(); err != nil {
		return fault.Wrap("tenant.Settled", err)
	}
	t.noted = false
	return nil
}

// Pull answers a replica (ingress.Ingress.Pull).
func (t *Tenant) Pull(ctx context.Context, req wire.PullRequest) wire.PullReply {
	reply := t.in.Pull(ctx, req)
	reply.Err = t.sick(reply.Err)
	return reply
}

// Log reads an origin's log (ingress.Ingress.Log).
func (t *Tenant) Log(ctx context.Context, origin string, after uint64, bytesMax int) ([]change.Entry, error) {
	es, err := t.in.Log(ctx, origin, after, bytesMax)
	return es, t.sick(err)
}

// Refuse brings back refusals that the file may have lost (ingress.Ingress.Refuse).
func (t *Tenant) Refuse(ctx context.Context, list []ingress.Refusal) error {
	return t.sick(t.in.Refuse(ctx, list))
}

// Made gives the sequences of what the region committed itself (ingress.Ingress.Made).
func (t *Tenant) Made(ctx context.Context, after, upto uint64) ([]uint64, error) {
	return t.in.Made(ctx, after, upto)
}

// Heads is, per origin, the last sequence merged here.
func (t *Tenant) Heads() change.Vector { return t.in.Heads() }

// Everywhere is, per origin, what all regions have applied, as far as is known here.
func (t *Tenant) Everywhere() change.Vector { return t.in.Everywhere() }

// Acked notes how far another region has applied each origin's log, and tells whether Everywhere became another.
func (t *Tenant) Acked(ctx context.Context, region string, v change.Vector) (changed bool, err error) {
	t.say.Lock()
	defer t.say.Unlock()
	was := t.in.Everywhere()
	if err := t.in.Acked(ctx, region, v); err != nil {
		return false, fault.Wrap("tenant.Acked", t.sick(err))
	}
	return !was.Covers(t.in.Everywhere()), nil
}

// Snapshot writes the workspace's rows to a new file (ingress.Ingress.Snapshot).
func (t *Tenant) Snapshot(ctx context.Context, path string) (change.Vector, error) {
	v, err := t.in.Snapshot(ctx, path)
	return v, t.sick(err)
}

// Export writes the workspace's rows for another region (ingress.Ingress.Export).
func (t *Tenant) Export(ctx context.Context, path string) (change.Vector, error) {
	v, err := t.in.Export(ctx, path)
	return v, t.sick(err)
}

// Adopt merges another region's rows (ingress.Ingress.Adopt).
func (t *Tenant) Adopt(ctx context.Context, path string) error {
	err := t.in.Adopt(ctx, path)
	if err == nil {
		t.say.Lock()
		defer t.say.Unlock()
		t.twice(ctx)
	}
	return t.sick(err)
}

// TrimOld takes out of the log what is beyond the bounds (ingress.Ingress.TrimOld).
func (t *Tenant) TrimOld(ctx context.Context, b ingress.Bounds, own uint64) (more bool, err error) {
	more, err = t.in.TrimOld(ctx, b, own)
	return more, t.sick(err)
}

// Floors is, per origin, the last sequence that is no longer in the log.
func (t *Tenant) Floors() change.Vector { return t.in.Floors() }

func (t *Tenant) tell(f func(*Tenant, []change.Entry), entries []change.Entry) {
	if f != nil && len(entries) > 0 {
		f(t, entries)
	}
}
