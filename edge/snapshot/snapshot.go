// Package snapshot writes workspaces' snapshots for devices that have nothing yet, or are too far behind to pull. A
// snapshot may be some minutes old, because whoever takes it pulls the rest after it; so one file serves many devices.
package snapshot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"holdfast/edge/tenant"
	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// Config is what a Store needs.
type Config struct {
	Dir     string // of the files; emptied at Open
	Tenants *tenant.Store
	// Write writes one to a new file; nil: for devices (tenant.Tenant.Snapshot).
	Write func(ctx context.Context, t *tenant.Tenant, path string) (change.Vector, error)
	Now   func() time.Time
	Log   *slog.Logger
}

// File is a snapshot that stays until Release.
type File struct {
	Path   string
	Bytes  int64
	Tag    string // equal for equal content
	Cursor change.Vector
	Made   time.Time
	item   *item
	store  *Store
}

// Tenant is whose rows the file holds.
func (f *File) Tenant() id.ID { return f.item.tenant }

// Release says that the file is not needed any more.
func (f *File) Release() { f.store.release(f.item) }

// Store keeps snapshots; make it with New. It is safe for concurrent use.
type Store struct {
	cfg    Config
	makers chan struct{}
	stop   context.CancelFunc
	done   sync.WaitGroup

	mu    sync.Mutex
	items map[id.ID]*item
	next  uint64
}

type item struct {
	tenant id.ID
	ready  chan struct{}
	err    error
	file   File
	users  int
	old    bool // replaced: goes with its last user
}

// New makes a store.
func New(cfg Config) *Store {
	if cfg.Write == nil {
		cfg.Write = func(ctx context.Context, t *tenant.Tenant, path string) (change.Vector, error) {
			return t.Snapshot(ctx, path)
		}
	}
	return &Store{cfg: cfg, items: map[id.ID]*item{}, makers: make(chan struct{}, makersMax)}
}

// Open empties the folder.
func (s *Store) Open(ctx context.Context) error {
	const op = "snapshot.Open"
	if err := errors.Join(os.RemoveAll(s.cfg.Dir), os.MkdirAll(s.cfg.Dir, folderPerm)); err != nil {
		return fault.E(op, fault.Other, err)
	}
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.done.Go(func() { s.sweep(ctx) })
	return nil
}

// Close ends the sweeping; files in use stay.
func (s *Store) Close() {
	if s.stop != nil {
		s.stop()
	}
	s.done.Wait()
}

// Snapshot gives a recent snapshot of a workspace. The caller must Release it.
func (s *Store) Snapshot(ctx context.Context, t id.ID) (*File, error) {
	const op = "snapshot.Snapshot"
	s.mu.Lock()
	it := s.items[t]
	if it != nil && it.done() && (it.err != nil || s.cfg.Now().Sub(it.file.Made) > freshFor) {
		s.drop(it)
		it = nil
	}
	mine := it == nil
	if mine {
		s.next++
		it = &item{tenant: t, ready: make(chan struct{})}
		it.file = File{Path: filepath.Join(s.cfg.Dir, string(t)+"-"+strconv.FormatUint(s.next, 10)+".db"), item: it, store: s}
		s.items[t] = it
	}
	it.users++
	s.mu.Unlock()
	if mine {
		// Others may be waiting for it, so it does not end with this caller's patience.
		go func() {
			it.err = s.write(context.WithoutCancel(ctx), it)
			close(it.ready)
		}()
	}
	select {
	case <-it.ready:
	case <-ctx.Done():
		s.release(it)
		return nil, fault.E(op, fault.Unavailable, ctx.Err())
	}
	if it.err != nil {
		s.release(it)
		return nil, fault.Wrap(op, it.err)
	}
	f := it.file
	return &f, nil
}

func (i *item) done() bool {
	select {
	case <-i.ready:
		return true
	default:
		return false
	}
}

func (s *Store) write(ctx context.Context, it *item) error {
	s.makers <- struct{}{}
	defer func() { <-s.makers }()
	f := &it.file
	f.Made = s.cfg.Now()
	err := s.cfg.Tenants.Use(ctx, it.tenant, func(t *tenant.Tenant) (err error) {
		f.Cursor, err = s.cfg.Write(ctx, t, f.Path)
		return err
	})
	if err != nil {
		return err
	}
	info, err := os.Stat(f.Path)
	if err != nil {
		return fault.E("snapshot.write", fault.Other, err)
	}
	f.Bytes, f.Tag = info.Size(), tag(it.tenant, f.Cursor)
	return nil
}

func tag(t id.ID, v change.Vector) string {
	h := sha256.New()
	h.Write([]byte(t))
	for _, o := range v.Origins() {
		h.Write([]byte("/" + o + ":" + strconv.FormatUint(v[o], 10)))
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

func (s *Store) release(it *item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if it.users--; it.users == 0 && it.old {
		s.remove(it)
	}
}

// drop takes an item out; mu is held.
func (s *Store) drop(it *item) {
	delete(s.items, it.tenant)
	it.old = true
	if it.users == 0 {
		s.remove(it)
	}
}

func (s *Store) remove(it *item) {
	if err := os.Remove(it.file.Path); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.cfg.Log.Warn("old snapshot not removed", "tenant", it.tenant, "err", err)
	}
}

func (s *Store) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s.mu.Lock()
		for _, it := range s.items {
			if it.done() && it.users == 0 && s.cfg.Now().Sub(it.file.Made) > freshFor {
				s.drop(it)
			}
		}
		s.mu.Unlock()
	}
}
