package biller

import (
	"context"
	"errors"
	"sync"
	"time"

	"holdfast/server/billing"
	"holdfast/server/billingdb"
	"holdfast/server/catalog"
	"holdfast/server/payment"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// books are accounts that run on one clock, with their own database, bank, ledger and numbers: those of everybody, or one workspace's on a
// test clock.
type books struct {
	db   *billingdb.DB
	bank bank
	test bool

	mu     sync.Mutex // one at a time: the difference that is handed over must not change meanwhile
	engine *billing.Engine
}

// open loads what a folder holds. The clock stands at now, or at what happened last if that is later.
// elsewhere makes the processor; nil: the test bank.
func (b *books) open(ctx context.Context, dir string, c *catalog.Catalog, now time.Time, elsewhere func(*billingdb.DB) bank) (err error) {
	if b.db, err = billingdb.Open(ctx, dir); err != nil {
		return err
	}
	if elsewhere != nil {
		b.bank = elsewhere(b.db)
	} else {
		b.bank, err = openSandbox(ctx, b.db)
	}
	if err == nil {
		b.bank.pass(now)
		b.engine = billing.New(billing.Config{Catalog: c, Processor: b.bank, Start: now, Store: b.db})
		err = b.engine.Load(ctx)
	}
	if err != nil {
		return errors.Join(err, b.db.Close())
	}
	return nil
}

// bank is the engine's processor as the hub runs it.
type bank interface {
	payment.Processor
	// pass moves its clock, if it runs on ours; next is when it will have something to tell.
	pass(now time.Time)
	next() time.Time
	// take gives what it tells by now; heard settles each event after it was told to billing.
	take(ctx context.Context) ([]payment.Event, error)
	heard(ctx context.Context, e payment.Event, failure error) error
	// confirm is the customer who confirms a payment: on the page that is returned, or at once.
	confirm(ctx context.Context, p billing.Payment, back string) (page string, err error)
}

// of is where a workspace's account is.
func (s *Service) of(tenant id.ID) *books {
	if t := s.tests.get(tenant); t != nil {
		return &t.books
	}
	return &s.books
}

// now is the time of the books: the hub's, or the test clock's.
func (s *Service) now(b *books) time.Time {
	if b.test {
		return b.engine.Now().UTC()
	}
	return s.cfg.Now().UTC()
}

// tick moves both clocks to a moment, with what the bank tells by then.
func (b *books) tick(ctx context.Context, to time.Time) error {
	b.bank.pass(to)
	events, err := b.bank.take(ctx)
	for _, e := range events {
		err = errors.Join(err, b.bank.heard(ctx, e, b.engine.Hear(ctx, e)))
	}
	if to.After(b.engine.Now()) {
		err = errors.Join(err, b.engine.Advance(ctx, to))
	}
	return err
}

// play moves a test clock to a moment as if all the time until then had passed: one after another, whatever is due.
func (b *books) play(ctx context.Context, to time.Time) error {
	for n := 0; ; n++ {
		next := b.engine.Next()
		if p := b.bank.next(); next.IsZero() || !p.IsZero() && p.Before(next) {
			next = p
		}
		if next.IsZero() || next.After(to) {
			return b.tick(ctx, to)
		}
		if n > billing.StepsMax {
			return fault.Errorf("biller.play", fault.Other, "the test clock turns in circles at %s", next.Format(time.RFC3339))
		}
		if err := b.tick(ctx, latest(next, b.engine.Now())); err != nil {
			return err
		}
		for _, x := range b.engine.Stuck() {
			return x.Err
		}
	}
}
