// Package metering counts what workspaces use: it reads each region's usage stream in order and keeps the totals that
// invoices are made of.
//
// Exactness rests on three things. A reader asks for the message after its watermark, in the order of the stream, without
// acknowledgements; the watermark moves in the transaction of the totals, so that a crash at any moment loses nothing and
// repeats nothing. Every event is a fact with an id of its own (holdfast/sync/usage), and a fact is counted once however
// often it is told: numbered series are remembered as intervals, opaque ids one by one for 62 days. A stream that lost
// its tail, or was made anew, is noticed by the digest of the message at the watermark, and is read again from its
// beginning, which the second point makes safe.
//
// An event that cannot be counted is set aside with the reason and never dropped silently. Totals are per tenant, month
// (UTC, by the event's own time), meter and region.
package metering

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"holdfast/server/hubdb"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
)

//go:embed sql/migrations/*.sql
var migrations embed.FS

//go:embed sql/metering.sql
var meteringSQL string

var q = hubdb.Parse(meteringSQL)

// File is the database's name in the hub's data folder.
const File = "usage.db"

// Config is what a Service needs.
type Config struct {
	Dir string     // folder of the database
	NC  *nats.Conn // to the account CORE of the hub
	Now func() time.Time
	Log *slog.Logger
}

// Service counts usage. It is safe for concurrent use.
type Service struct {
	cfg  Config
	db   *sql.DB
	ctx  context.Context
	stop context.CancelFunc
	done sync.WaitGroup

	mu      sync.Mutex
	regions map[string]*progress
	touched map[id.ID]bool
}

// progress is how far a region has been read, for those who want to know how fresh the totals are.
type progress struct {
	current bool      // all there is had been read when last looked
	at      time.Time // when that was so last
}

// New makes a service.
func New(cfg Config) *Service {
	return &Service{cfg: cfg, regions: map[string]*progress{}, touched: map[id.ID]bool{}}
}

// Open opens the database.
func (s *Service) Open(ctx context.Context) error {
	const op = "metering.Open"
	db, err := sqlite.Open(ctx, filepath.Join(s.cfg.Dir, File), sqlite.Options{CacheKB: cacheKB, MaxOpen: connections})
	if err != nil {
		return fault.Wrap(op, err)
	}
	files, err := fs.Sub(migrations, "sql/migrations")
	if err == nil {
		err = sqlite.Migrate(ctx, db, files)
	}
	if err != nil {
		db.Close()
		return sqlite.Wrap(op, err)
	}
	s.db = db
	s.ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.done.Go(func() { s.tidyAlways(s.ctx) })
	return nil
}

// Close stops reading and closes the database.
func (s *Service) Close() error {
	if s.db == nil {
		return nil
	}
	s.stop()
	s.done.Wait()
	return sqlite.Wrap("metering.Close", s.db.Close())
}

// Follow begins to read a region's stream, unless it is being read. A region that cannot be reached is tried for ever.
func (s *Service) Follow(region string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.regions[region]; ok || s.ctx.Err() != nil {
		return
	}
	p := &progress{}
	var atMS int64
	var skip any
	if err := s.db.QueryRowContext(s.ctx, q.Get("reader"), region).Scan(&skip, &skip, &skip, &skip, &atMS); err == nil {
		p.at = time.UnixMilli(atMS) // otherwise it was never read, and the totals are as of never
	}
	s.regions[region] = p
	s.done.Go(func() { s.read(s.ctx, region) })
}

func (s *Service) caughtUp(region string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*s.regions[region] = progress{true, s.cfg.Now()}
}

func (s *Service) behind(region string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.regions[region]; p.current {
		p.current, p.at = false, s.cfg.Now()
	}
}

// asOf is the moment up to which every region has been read.
func (s *Service) asOf() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Now()
	for _, p := range s.regions {
		if !p.current && p.at.Before(now) {
			now = p.at
		}
	}
	return now
}

func (s *Service) tidyAlways(ctx context.Context) {
	t := time.NewTicker(tidyEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if err := s.forget(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Log.Error("old event ids were not forgotten", "err", err)
		}
	}
}

func (s *Service) forget(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, q.Get("forget"), s.cfg.Now().Add(-seenFor).UnixMilli())
	return sqlite.Wrap("metering.forget", err)
}
