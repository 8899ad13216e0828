// Package biller is billing as it runs in the hub: it opens an account with the free plan for every new workspace, keeps the paid seats at
// the number of people who may write, hands metered totals to the engine, moves its clock, carries what the test bank tells,
// and publishes what a plan allows to the edges.
//
// It decides nothing about money: that is package billing. A pass does everything that is due and may be repeated: after a crash at any
// moment the next pass finds what is missing. Usage is handed over as the difference between metering's total and what the engine
// holds already, under an id made of the total, so nothing is billed twice. Before a period is closed the totals are handed over first.
package biller

import (
	"context"
	_ "embed" // the catalogue
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"holdfast/server/billing"
	"holdfast/server/billingdb"
	"holdfast/server/catalog"
	"holdfast/server/metering"
	"holdfast/server/payment/stripe"
	"holdfast/server/tenancy"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

//go:embed catalog.yaml
var catalogYAML string

// CatalogFile is the operator's own catalogue in the hub's data folder.
const CatalogFile = "catalog.yaml"

// Usage gives what was counted of workspaces.
type Usage interface {
	// Parts gives a month's totals by meter and region; the month begins at the given moment (UTC). asOf is up to when all was read.
	Parts(ctx context.Context, tenant id.ID, month time.Time) (parts []metering.Part, asOf time.Time, err error)
	// Touched gives the workspaces whose totals have changed since it was asked last.
	Touched() map[id.ID]bool
}

// Config is what a Service needs.
type Config struct {
	Dir      string // the hub's data folder
	Tenancy  *tenancy.Service
	Usage    Usage
	URL      string            // where people open Holdfast, for the links in mails
	Stripe   *stripe.Processor // nil: the built-in test bank, which moves no money
	Register Register          // of VAT numbers; nil: they are not checked
	Changed  func()            // the directory has something to publish
	Now      func() time.Time
	Log      *slog.Logger
}

// Service bills workspaces. It is safe for concurrent use.
type Service struct {
	cfg    Config
	books  // of everybody who is not on a test clock
	tests  testClocks
	stripe *remote // nil: the test bank

	recorded map[id.ID]time.Time  // when usage was handed over last
	passed   map[id.ID]passed     // what the latest pass saw
	stuck    map[string]time.Time // accounts whose step of then cannot be done
	checked  string               // the day that was reconciled last
	opened   time.Time

	stop context.CancelFunc
	done sync.WaitGroup
}

// New makes a service that is not open yet.
func New(cfg Config) *Service {
	return &Service{cfg: cfg, recorded: map[id.ID]time.Time{}, passed: map[id.ID]passed{}}
}

// Open loads the accounts and begins to bill.
func (s *Service) Open(ctx context.Context) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.done.Go(func() { s.run(ctx) })
	if s.cfg.Register != nil {
		s.done.Go(func() { s.askRegister(ctx) })
	}
	if s.stripe != nil {
		s.done.Go(func() { s.stripe.run(ctx, s.hearNow) })
	}
	return nil
}

func (s *Service) open(ctx context.Context) (err error) {
	const op = "biller.Open"
	s.opened = s.cfg.Now()
	c, err := readCatalog(s.cfg.Dir)
	if err != nil {
		return err
	}
	var elsewhere func(*billingdb.DB) bank
	if s.cfg.Stripe != nil {
		elsewhere = func(db *billingdb.DB) bank {
			s.stripe = newRemote(db, s.cfg.Stripe, s.cfg.Now, s.cfg.Log, s.added)
			return s.stripe
		}
	}
	if err = s.books.open(ctx, s.cfg.Dir, c, s.cfg.Now(), elsewhere); err != nil {
		return fault.Wrap(op, err)
	}
	if err = s.openTests(ctx); err != nil {
		return errors.Join(fault.Wrap(op, err), s.close())
	}
	return nil
}

// close closes every database.
func (s *Service) close() error {
	var errs []error
	for _, t := range s.tests.list() {
		errs = append(errs, t.db.Close())
	}
	return errors.Join(append(errs, s.db.Close())...)
}

// readCatalog reads the operator's catalogue, or the built-in one. The first plan is what new workspaces get, and must cost nothing by
// itself.
func readCatalog(dir string) (*catalog.Catalog, error) {
	const op = "biller.readCatalog"
	text, file := catalogYAML, "the built-in catalogue"
	b, err := os.ReadFile(filepath.Join(dir, CatalogFile))
	switch {
	case err == nil:
		text, file = string(b), CatalogFile
	case !errors.Is(err, os.ErrNotExist):
		return nil, fault.E(op, fault.Unavailable, err)
	}
	return parseCatalog(text, file)
}

// Close stops billing.
func (s *Service) Close() error {
	if s.stop == nil {
		return nil
	}
	s.stop()
	s.done.Wait()
	return s.close()
}

func (s *Service) run(ctx context.Context) {
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		start := time.Now()
		if err := s.Pass(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Log.Error("billing has to be tried again", "err", err)
		}
		t.Reset(max(passEvery, passShare*time.Since(start)))
	}
}

// advance moves the clocks of the bank and the engine to now. At the end of each month it stops, hands over what was metered in it, and
// only then goes on to make the month's invoices. After the hub was away it waits a little for metering to catch up.
func (s *Service) advance(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Now()
	for {
		end := monthOf(s.engine.Now()).AddDate(0, 1, 0)
		if now.Before(end) {
			return s.tick(ctx, now)
		}
		if err := s.tick(ctx, end.Add(-time.Millisecond)); err != nil {
			return err
		}
		read, err := s.closeMonth(ctx)
		if err != nil {
			return err
		}
		if wait := latest(end, s.opened).Add(readMax); read.Before(end) && now.Before(wait) {
			return nil
		}
		if err := s.tick(ctx, end); err != nil {
			return err
		}
	}
}

// closeMonth hands the usage of the month in which the engine is over, and tells up to when it was read.
func (s *Service) closeMonth(ctx context.Context) (read time.Time, err error) {
	read = s.cfg.Now()
	list, err := s.cfg.Tenancy.All(ctx)
	if err != nil {
		return read, err
	}
	for _, t := range list {
		if _, err := s.engine.Account(string(t.ID)); err != nil || s.of(t.ID).test {
			continue // its account is opened in the next month, or rests
		}
		_, asOf, err := s.feed(ctx, t, true)
		if err != nil {
			return read, err
		}
		if asOf.Before(read) {
			read = asOf
		}
	}
	return read, nil
}

func monthOf(t time.Time) time.Time {
	t = t.UTC()
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// reconcile compares metered, billed, booked and paid once a day and raises an alarm for each row that differs.
func (s *Service) reconcile(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.checked == s.cfg.Now().UTC().Format(time.DateOnly) {
		return nil
	}
	_, err := s.compare(ctx)
	return err
}

func (s *Service) compare(ctx context.Context) ([]billing.Difference, error) {
	day := s.cfg.Now().UTC().Format(time.DateOnly)
	list := s.engine.Reconcile()
	for _, d := range list {
		s.cfg.Log.Error("the books do not agree", "tenant", d.Customer, "what", d.What, "got", d.Got, "want", d.Want)
	}
	if err := s.db.AddDifferences(ctx, day, list); err != nil {
		return list, err
	}
	run := billingdb.Run{At: s.cfg.Now(), Customers: len(s.engine.Accounts()), Differences: len(list)}
	if err := s.db.AddRun(ctx, run); err != nil {
		return list, err
	}
	s.checked = day
	return list, nil
}

// Differences lists what reconciliations found since a day, written 2026-11-23.
func (s *Service) Differences(ctx context.Context, since string) (map[string][]billing.Difference, error) {
	return s.db.Differences(ctx, since)
}
