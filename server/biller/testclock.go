package biller

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"holdfast/server/billing"
	"holdfast/server/billingdb"
	"holdfast/server/catalog"
	"holdfast/server/invoice"
	"holdfast/server/tenancy"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

const (
	testFolder = "testclocks" // in the hub's data folder, with a folder for each workspace
	testPrefix = "TEST-"      // of the numbers of their documents
	parked     = "test clock" // why the account on the hub's clock is cancelled meanwhile
)

// testBooks are one workspace's, on a test clock.
type testBooks struct {
	books
	tenant  id.ID
	started time.Time
	playing atomic.Bool // the clock is being moved, which may take a while

	telling sync.Mutex
	told    int // notices that are on their way
}

func (b *testBooks) clock() billingdb.TestClock {
	return billingdb.TestClock{Tenant: b.tenant, Started: b.started, At: b.engine.Now().UTC()}
}

// testClocks are the workspaces that run on one.
type testClocks struct {
	changing sync.Mutex // one begins or ends at a time
	mu       sync.RWMutex
	by       map[id.ID]*testBooks
	order    []id.ID
}

func (c *testClocks) get(tenant id.ID) *testBooks {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.by[tenant]
}

func (c *testClocks) list() []*testBooks {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := make([]*testBooks, 0, len(c.order))
	for _, t := range c.order {
		out = append(out, c.by[t])
	}
	return out
}

func (c *testClocks) put(tenant id.ID, b *testBooks) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[id.ID]*testBooks{}
	}
	c.by[tenant] = b
	c.order = append(c.order, tenant)
}

func (c *testClocks) drop(tenant id.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.by, tenant)
	for i, t := range c.order {
		if t == tenant {
			c.order = append(c.order[:i:i], c.order[i+1:]...)
			return
		}
	}
}

// busy tells whether a workspace's test clock is being moved, so that nobody else waits for it.
func (c *testClocks) busy(tenant id.ID) bool {
	b := c.get(tenant)
	return b != nil && b.playing.Load()
}

func (s *Service) testDir(tenant id.ID) string {
	return filepath.Join(s.cfg.Dir, testFolder, string(tenant))
}

// testCatalog sells the same, with documents that say that they are tests.
func testCatalog(c *catalog.Catalog) *catalog.Catalog {
	t := *c
	t.Invoices.Test = true
	t.Invoices.Prefix, t.Invoices.CreditPrefix = testPrefix+c.Invoices.Prefix, testPrefix+c.Invoices.CreditPrefix
	return &t
}

// openTests loads the books of every test clock.
func (s *Service) openTests(ctx context.Context) error {
	list, err := s.db.TestClocks(ctx)
	if err != nil {
		return err
	}
	for _, c := range list {
		if err := s.openTest(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) openTest(ctx context.Context, c billingdb.TestClock) error {
	b := &testBooks{books: books{test: true}, tenant: c.Tenant, started: c.Started, told: c.Told}
	if err := b.open(ctx, s.testDir(c.Tenant), testCatalog(s.engine.Catalog()), c.At, nil); err != nil {
		return err
	}
	// A process that ended while the clock was being moved did more than the clock says.
	if a, err := b.engine.Account(string(c.Tenant)); err == nil && len(a.Notices) > 0 {
		if last := a.Notices[len(a.Notices)-1].At; last.After(c.At) {
			if err := b.play(ctx, last); err != nil {
				return errors.Join(err, b.db.Close())
			}
		}
	}
	s.tests.put(c.Tenant, b)
	return nil
}

// TestClocks lists the workspaces on a test clock, the oldest first.
func (s *Service) TestClocks() []billingdb.TestClock {
	out := []billingdb.TestClock{}
	for _, b := range s.tests.list() {
		out = append(out, b.clock())
	}
	return out
}

// TestClock tells where a workspace's test clock stands, if it has one.
func (s *Service) TestClock(tenant id.ID) (billingdb.TestClock, bool) {
	b := s.tests.get(tenant)
	if b == nil {
		return billingdb.TestClock{}, false
	}
	return b.clock(), true
}

// StartTestClock gives a workspace a test clock that begins at a moment (zero: now). Its account begins anew there, with the first plan, its
// own ledger and numbers, and always the test bank. The one on the hub's clock rests until EndTestClock; it must owe and be owed nothing.
func (s *Service) StartTestClock(ctx context.Context, tenant id.ID, at time.Time) (billingdb.TestClock, error) {
	const op = "biller.StartTestClock"
	s.tests.changing.Lock()
	defer s.tests.changing.Unlock()
	now := s.cfg.Now().UTC().Truncate(time.Millisecond)
	if at.IsZero() {
		at = now
	}
	at = at.UTC().Truncate(time.Millisecond)
	c := billingdb.TestClock{Tenant: tenant, Started: now, At: at}
	switch away := at.Sub(now).Abs(); {
	case s.tests.get(tenant) != nil:
		return c, fault.Errorf(op, fault.Conflict, "The workspace has a test clock already. Move it, or take it away first.")
	case len(s.tests.list()) >= testClocksMax:
		return c, fault.Errorf(op, fault.Limit, "There are %d test clocks, the most there can be. Take one away first.", testClocksMax)
	case away > testAwayMax:
		return c, fault.Errorf(op, fault.Invalid, "A test clock begins within %d years of now.", int(testAwayMax/(365*24*time.Hour)))
	}
	t, err := s.fresh(ctx, tenant)
	if err != nil {
		return c, err
	}
	a, err := s.restable(op, tenant)
	if err != nil {
		return c, err
	}
	if err := os.RemoveAll(s.testDir(tenant)); err != nil { // left by a process that ended in the middle
		return c, fault.E(op, fault.Unavailable, err)
	}
	if err := os.MkdirAll(s.testDir(tenant), 0o700); err != nil {
		return c, fault.E(op, fault.Unavailable, err)
	}
	if err := s.db.PutTestClock(ctx, c); err != nil {
		return c, err
	}
	if err := s.openTest(ctx, c); err != nil {
		return c, err
	}
	if err := s.of(tenant).engine.Open(ctx, a.Customer); err != nil {
		return c, err
	}
	if err := s.prepare(ctx, t, false); err != nil {
		return c, err
	}
	s.cfg.Log.Info("a test clock begins", "tenant", tenant, "at", at)
	return c, s.publish(ctx, t)
}

// restable finds a workspace's account and refuses if money would be owed by or to it when it stops now.
func (s *Service) restable(op string, tenant id.ID) (*billing.Account, error) {
	a, err := s.engine.Account(string(tenant))
	if err != nil || !a.Sub().Live() {
		return a, err
	}
	for _, v := range a.Invoices {
		if v.State == invoice.Open && v.Due() > 0 || v.State == invoice.Draft {
			return nil, fault.Errorf(op, fault.Conflict, "Invoice %s is not settled. Settle it first, or use another workspace for tests.", v.Number)
		}
	}
	p, err := s.engine.Preview(string(tenant), billing.Cancel{Now: true, Reason: parked})
	if err == nil && len(p.Invoices)+len(p.Notes) > 0 {
		err = fault.Errorf(op, fault.Conflict, "The workspace pays for %s. Move it to a free plan first, or use another workspace for tests.", a.Sub().Plan)
	}
	return a, err
}

// park stops the account on the hub's clock.
func (s *Service) park(ctx context.Context, tenant id.ID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.engine.Account(string(tenant))
	if err != nil || !a.Sub().Live() {
		return err
	}
	return s.engine.Do(ctx, string(tenant), billing.Cancel{Now: true, Reason: parked})
}

// AdvanceTestClock moves a workspace's test clock to a later moment; whatever falls due until then happens in order.
func (s *Service) AdvanceTestClock(ctx context.Context, tenant id.ID, to time.Time) (billingdb.TestClock, error) {
	const op = "biller.AdvanceTestClock"
	t, err := s.cfg.Tenancy.Brief(ctx, tenant)
	if err != nil {
		return billingdb.TestClock{}, err
	}
	b := s.tests.get(tenant)
	if b == nil {
		return billingdb.TestClock{}, noTestClock(op)
	}
	to = to.UTC().Truncate(time.Millisecond)
	err = func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch now := b.engine.Now(); {
		case !to.After(now):
			return fault.Errorf(op, fault.Invalid, "The test clock stands at %s. It only moves on: name a later moment.", now.UTC().Format(time.RFC3339))
		case to.Sub(now) > testStepMax:
			return fault.Errorf(op, fault.TooLarge, "A test clock moves by at most %d days at a time.", int(testStepMax.Hours()/24))
		}
		b.playing.Store(true)
		defer b.playing.Store(false)
		err := b.play(ctx, to)
		return errors.Join(err, s.db.PutTestClock(context.WithoutCancel(ctx), b.clock()), s.tellTest(ctx, b))
	}()
	if err == nil {
		err = s.prepare(ctx, t, false)
	}
	if err == nil {
		err = s.publish(ctx, t)
	}
	c, _ := s.TestClock(tenant)
	return c, err
}

func noTestClock(op string) error {
	return fault.Errorf(op, fault.NotFound, "The workspace has no test clock. Give it one first.")
}

// tellTest has what happened on a test clock told like everything else, marked as a test.
func (s *Service) tellTest(ctx context.Context, b *testBooks) error {
	b.telling.Lock()
	defer b.telling.Unlock()
	a, err := b.engine.Account(string(b.tenant))
	if err != nil || b.told == len(a.Notices) {
		return err
	}
	c := b.clock()
	c.Told = b.told
	if err := s.db.TellTest(ctx, c, a.Notices[b.told:], s.cfg.Now()); err != nil {
		return err
	}
	b.told = len(a.Notices)
	return nil
}

// EndTestClock takes a workspace's test clock away, with all that its account was there. The account on the hub's clock goes on with the
// first plan; what was metered meanwhile is not billed.
func (s *Service) EndTestClock(ctx context.Context, tenant id.ID) error {
	const op = "biller.EndTestClock"
	s.tests.changing.Lock()
	defer s.tests.changing.Unlock()
	t, err := s.cfg.Tenancy.Brief(ctx, tenant)
	if err != nil {
		return err
	}
	b := s.tests.get(tenant)
	if b == nil {
		return noTestClock(op)
	}
	if err := s.tellTest(ctx, b); err != nil {
		return err
	}
	if err := s.db.DropTestClock(ctx, tenant); err != nil {
		return err
	}
	s.tests.drop(tenant)
	b.mu.Lock()
	err = errors.Join(b.db.Close(), os.RemoveAll(s.testDir(tenant)))
	b.mu.Unlock()
	if err != nil {
		s.cfg.Log.Warn("the folder of a test clock is still there", "tenant", tenant, "err", err) // it is removed when the next one begins
	}
	s.cfg.Log.Info("a test clock ended", "tenant", tenant)
	if err := s.skip(ctx, t); err != nil {
		return err
	}
	if err := s.prepare(ctx, t, false); err != nil {
		return err
	}
	return s.publish(ctx, t)
}

// skip hands over what was metered while the account rested, for a moment at which it still did: nothing bills it.
func (s *Service) skip(ctx context.Context, t tenancy.Brief) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _, err := s.feed(ctx, t, true)
	return err
}
