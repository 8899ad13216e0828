// Package tenant holds the workspaces' files of one region: one SQLite file each, opened on demand, the least lately used
// closed again, each with one writer.
//
// What callers may rely on:
//   - A *Tenant is good inside the function given to Use, and nowhere else.
//   - Committed and Merged are called once for each entry, in the order of the log, after the commit and before the call
//     that caused it returns; two calls for one workspace never overlap.
//   - Files are never deleted here. A damaged one is renamed and a new one put in its place, which Opened has to bring up to
//     date (Tenant.Rebuilding) before anybody gets it.
//
// The folder must be this process's alone (package lockfile).
package tenant

import (
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/ingress"
	"holdfast/sync/work"
)

// Config is what a Store needs. Functions may be nil.
type Config struct {
	Dir     string // of the files
	Region  string
	OpenMax int // 0: openMaxDefault
	Now     func() time.Time
	Log     *slog.Logger
	// Regions are the regions that serve a workspace.
	Regions func(id.ID) []string
	// Admit may refuse a valid change.
	Admit func(ctx context.Context, tenant id.ID, who ingress.Actor, t change.Tx, known work.Lookup) error
	// Before is called before a workspace's first commit since Settled; an error refuses the commit.
	Before func(ctx context.Context, tenant id.ID) error
	// Opened is called with a workspace that was just opened, before anybody else has it.
	Opened func(ctx context.Context, t *Tenant) error
	// Committed are entries that this region accepted, Merged those that it took from others.
	Committed, Merged func(t *Tenant, entries []change.Entry)
	// Refused is called with what became of pushes before anybody is told; when it cannot keep their refusals, those pushes are
	// to come again.
	Refused func(ctx context.Context, tenant id.ID, pushes []ingress.Outcome) error
	// Twice is called with own entries whose change another region counts (ingress.Twice). They come again until it gives no error,
	// and may come again after that.
	Twice func(ctx context.Context, tenant id.ID, list []ingress.Twice) error
}

// Store is a region's workspaces; make it with New. It is safe for concurrent use.
type Store struct {
	cfg Config

	pushes, commits atomic.Uint64

	mu     sync.Mutex
	open   map[id.ID]*slot
	recent *list.List // of *slot, the latest used first
	closed bool
	idle   *sync.Cond // a slot's last user has left
}

// slot is a file that is open, being opened or being closed.
type slot struct {
	id    id.ID
	users int
	ready chan struct{} // closed when t or err is set
	t     *Tenant
	err   error
	place *list.Element
	gone  chan struct{} // not nil while the file is being closed; closed when it is
}

// New makes a store.
func New(cfg Config) *Store {
	if cfg.OpenMax == 0 {
		cfg.OpenMax = openMaxDefault
	}
	s := &Store{cfg: cfg, open: map[id.ID]*slot{}, recent: list.New()}
	s.idle = sync.NewCond(&s.mu)
	return s
}

// Open makes the folder.
func (s *Store) Open(context.Context) error {
	return fault.As("tenant.Open", fault.Other, os.MkdirAll(s.cfg.Dir, folderPerm))
}

// Close waits for all users and closes all files.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	var errs []error
	for len(s.open) > 0 {
		var free *slot
		for _, o := range s.open {
			if o.users == 0 && o.gone == nil {
				free = o
			}
		}
		if free == nil {
			s.idle.Wait()
			continue
		}
		errs = append(errs, s.shut(free))
	}
	s.mu.Unlock()
	return errors.Join(errs...)
}

// Path is where a workspace's file is. Folders by hash keep each of them small.
func (s *Store) Path(t id.ID) string {
	sum := sha256.Sum256([]byte(t))
	return filepath.Join(s.cfg.Dir, hex.EncodeToString(sum[:1]), string(t)+".db")
}

// Exists tells whether a workspace has a file here.
func (s *Store) Exists(t id.ID) bool {
	_, err := os.Stat(s.Path(t))
	return err == nil
}

// Use opens a workspace, when it is not open, and calls f with it. The error is f's, or tells why the file could not be
// opened: Corrupt, Full, Unavailable when the store is closing.
func (s *Store) Use(ctx context.Context, t id.ID, f func(*Tenant) error) error {
	o, err := s.take(ctx, t)
	if err != nil {
		return fault.Wrap("tenant.Use", err)
	}
	defer s.leave(o)
	return f(o.t)
}

// IsOpen tells whether a workspace's file is open now.
func (s *Store) IsOpen(t id.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open[t] != nil
}

// Opened is the number of files that are open.
func (s *Store) Opened() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// Pushed is how many pushes came since the start, and in how many commits.
func (s *Store) Pushed() (pushes, commits uint64) { return s.pushes.Load(), s.commits.Load() }

// LogBytes is what the logs of the open files take.
func (s *Store) LogBytes() (n int64) {
	s.mu.Lock()
	var list []*slot
	for _, o := range s.open {
		select {
		case <-o.ready:
			if o.err == nil {
				list = append(list, o)
			}
		default:
		}
	}
	s.mu.Unlock()
	for _, o := range list {
		n += o.t.in.LogBytes() // known without the file, which may be closed by now
	}
	return n
}

// All calls f with each workspace that has a file, and the file's size in bytes, until f gives false.
func (s *Store) All(f func(t id.ID, bytes int64) bool) error {
	err := filepath.WalkDir(s.cfg.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, ok := strings.CutSuffix(d.Name(), ".db")
		if !ok || !id.ID(name).Valid() {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if !f(id.ID(name), info.Size()) {
			return fs.SkipAll
		}
		return nil
	})
	return fault.As("tenant.All", fault.Other, err)
}

// take finds or opens a slot and counts the caller in.
func (s *Store) take(ctx context.Context, t id.ID) (*slot, error) {
	if !t.Valid() {
		return nil, fault.Errorf("tenant.take", fault.Invalid, "not a workspace's id")
	}
	s.mu.Lock()
	for {
		if s.closed {
			s.mu.Unlock()
			return nil, fault.Errorf("tenant.take", fault.Unavailable, "The server is stopping. Try again in a moment.")
		}
		o := s.open[t]
		if o == nil {
			break
		}
		if gone := o.gone; gone != nil {
			s.mu.Unlock()
			<-gone
			s.mu.Lock()
			continue
		}
		o.users++
		s.recent.MoveToFront(o.place)
		s.mu.Unlock()
		select {
		case <-o.ready:
		case <-ctx.Done():
			s.leave(o)
			return nil, fault.E("tenant.take", fault.Unavailable, ctx.Err())
		}
		if o.err != nil {
			s.leave(o)
			return nil, o.err
		}
		if o.t.damage.Load() != nil {
			s.leave(o)
			return nil, fault.Errorf("tenant.take", fault.Unavailable, "This workspace's file was damaged and is being brought back. Changes wait on this device.")
		}
		return o, nil
	}
	o := &slot{id: t, users: 1, ready: make(chan struct{})}
	o.place = s.recent.PushFront(o)
	s.open[t] = o
	s.makeRoom()
	s.mu.Unlock()
	o.t, o.err = s.openTenant(ctx, t)
	if o.err == nil {
		close(o.ready)
		return o, nil
	}
	s.mu.Lock()
	s.forget(o) // who comes now tries again
	s.mu.Unlock()
	close(o.ready)
	s.leave(o)
	return nil, o.err
}

// leave counts a user out.
func (s *Store) leave(o *slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.users--; o.users == 0 {
		if o.t != nil && o.t.damage.Load() != nil {
			if err := s.shut(o); err != nil {
				s.cfg.Log.Error("workspace's file not closed in order", "tenant", o.id, "err", err)
			}
		}
		s.makeRoom()
		s.idle.Broadcast()
	}
}

func (s *Store) forget(o *slot) {
	delete(s.open, o.id)
	s.recent.Remove(o.place)
}

// makeRoom closes what was not used for longest, as far as nobody uses it. mu is held.
func (s *Store) makeRoom() {
	for e := s.recent.Back(); e != nil && len(s.open) > s.cfg.OpenMax; {
		o := e.Value.(*slot)
		e = e.Prev()
		if o.users > 0 || o.gone != nil {
			continue
		}
		if err := s.shut(o); err != nil {
			s.cfg.Log.Error("workspace's file not closed in order", "tenant", o.id, "err", err)
		}
		e = s.recent.Back() // the lock was free meanwhile
	}
}

// shut closes a file that nobody uses. mu is held, and released while the file closes.
func (s *Store) shut(o *slot) error {
	o.gone = make(chan struct{})
	s.mu.Unlock()
	err := o.t.close()
	if why := o.t.damage.Load(); why != nil {
		err = errors.Join(err, s.setAside(s.Path(o.id), *why))
	}
	s.mu.Lock()
	s.forget(o)
	close(o.gone)
	s.idle.Broadcast()
	return err
}
