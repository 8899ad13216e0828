package billing

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"holdfast/server/catalog"
	"holdfast/server/ledger"
	"holdfast/server/meter"
	"holdfast/server/payment"
	"holdfast/sync/fault"
)

// Engine bills all customers of one catalogue. It is safe for concurrent use; commands run one after another.
type Engine struct {
	proc  payment.Processor
	store Store

	mu       sync.Mutex
	cat      *catalog.Catalog
	now      time.Time
	nums     Numbers
	accounts map[string]*Account
	order    []string
	uses     map[string]int
	clock    alarms
	alarm    map[string]time.Time // what the heap holds for each customer; entries of other times are stale
	book     ledger.Book          // of what belongs to no customer
	stray    []payment.Event
	seen     map[string]bool
	stuck    map[string]Stuck
}

// Config is what an Engine needs.
type Config struct {
	Catalog   *catalog.Catalog
	Processor payment.Processor
	Start     time.Time // the clock's first moment
	Store     Store     // nil: nothing outlives the process
}

// New makes an engine without customers.
func New(c Config) *Engine {
	return &Engine{proc: c.Processor, store: c.Store, cat: c.Catalog, now: c.Start.In(c.Catalog.Zone),
		nums: Numbers{By: map[string]int64{}}, accounts: map[string]*Account{},
		uses: map[string]int{}, seen: map[string]bool{}, stuck: map[string]Stuck{}, alarm: map[string]time.Time{}}
}

// Now is the engine's time.
func (e *Engine) Now() time.Time { e.mu.Lock(); defer e.mu.Unlock(); return e.now }

// Catalog is what the engine sells.
func (e *Engine) Catalog() *catalog.Catalog { e.mu.Lock(); defer e.mu.Unlock(); return e.cat }

// Account is a customer's account. The caller must not change it; the engine replaces it at the next command.
func (e *Engine) Account(id string) (*Account, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.account(id)
}

func (e *Engine) account(id string) (*Account, error) {
	if a := e.accounts[id]; a != nil {
		return a, nil
	}
	return nil, fault.Errorf("billing.Account", fault.NotFound, "there is no customer %q", id)
}

// Accounts lists all accounts in the order in which they were opened.
func (e *Engine) Accounts() []*Account {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]*Account, len(e.order))
	for i, id := range e.order {
		out[i] = e.accounts[id]
	}
	return out
}

// Books lists the ledgers: each customer's, then the house's.
func (e *Engine) Books() []*ledger.Book {
	var out []*ledger.Book
	for _, a := range e.Accounts() {
		out = append(out, &a.Book)
	}
	return append(out, &e.book)
}

// Stray lists wires that nobody could match.
func (e *Engine) Stray() []payment.Event { e.mu.Lock(); defer e.mu.Unlock(); return e.stray }

// Open opens an account for a new customer.
func (e *Engine) Open(ctx context.Context, c Customer) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	n, err := checkCustomer(e.cat, c, e.now)
	if err != nil {
		return err
	}
	if e.accounts[n.ID] != nil {
		return fault.Errorf("billing.Open", fault.Conflict, "there is a customer %q already", n.ID)
	}
	a := &Account{Customer: n, Usage: &meter.Log{}, Seen: map[string]bool{}}
	if err := e.save(ctx, Saved{Account: a, Place: len(e.order)}); err != nil {
		return err
	}
	e.accounts[n.ID] = a
	e.order = append(e.order, n.ID)
	return nil
}

func (e *Engine) begin(a *Account) *tx {
	nums := e.nums.clone()
	return &tx{Account: a.clone(), cat: e.cat, now: e.now, nums: &nums, uses: func(k string) int { return e.uses[k] },
		checks: e.proc.Check}
}

// commit saves the account, replaces it and sets its alarm. If it cannot be saved nothing has happened.
func (e *Engine) commit(ctx context.Context, t *tx) error { return e.commitWith(ctx, t, Saved{}) }

// commitWith also saves, in the same transaction, what else is in s.
func (e *Engine) commitWith(ctx context.Context, t *tx, s Saved) error {
	old := e.accounts[t.ID]
	s.Account, s.Old, s.Numbers = t.Account, old, t.nums
	if err := e.save(ctx, s); err != nil {
		return err
	}
	for _, ev := range t.Events[len(old.Events):] {
		if ev.Kind == EvCoupon {
			e.uses[ev.Coupon.ID]++
		}
	}
	e.accounts[t.ID], e.nums = t.Account, *t.nums
	e.wake(t.ID)
	return nil
}

// wake sets the alarm of an account to what it waits for next.
func (e *Engine) wake(id string) (alarm, bool) {
	a := e.accounts[id]
	next, ok := a.next(e.view(a))
	if !ok {
		delete(e.alarm, id)
		return next, false
	}
	if was, set := e.alarm[id]; !set || !was.Equal(next.at) {
		e.alarm[id] = next.at
		heap.Push(&e.clock, entry{next.at, id})
	}
	return next, true
}

// Do runs a command for a customer, what it sends to the processor, and whatever is due by then.
func (e *Engine) Do(ctx context.Context, customer string, c Command) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	a, err := e.account(customer)
	if err != nil {
		return err
	}
	t := e.begin(a)
	if err := c.apply(t); err != nil {
		return err
	}
	if err := e.commit(ctx, t); err != nil {
		return err
	}
	if err := e.drain(ctx, customer); err != nil {
		return err
	}
	return e.advance(ctx, e.now)
}

// drain does what the account wants done outside, one after another; each answer may want more.
func (e *Engine) drain(ctx context.Context, id string) error {
	for n := 0; len(e.accounts[id].Outbox) > 0; n++ {
		if n > StepsMax {
			return fault.Errorf("billing.drain", fault.Other, "payments of %s turn in circles", id)
		}
		t := e.begin(e.accounts[id])
		do := t.Outbox[0]
		t.Outbox = copied(t.Outbox[1:])
		if err := e.effect(ctx, t, do); err != nil {
			return err
		}
		if err := e.commit(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) effect(ctx context.Context, t *tx, do Effect) error {
	if do.Charge != nil {
		if v := t.Invoice(do.Charge.Invoice); v.Due() < do.Charge.Amount.Minor {
			t.collect(v) // less is owed by now; ask for that
			return nil
		}
		res, err := e.proc.Charge(ctx, *do.Charge)
		if err != nil {
			return fault.Wrap("billing.Charge", err)
		}
		return t.charged(*do.Charge, res)
	}
	res, err := e.proc.Refund(ctx, *do.Refund)
	if err != nil {
		return fault.Wrap("billing.Refund", err)
	}
	return t.refunded(*do.Refund, res)
}

// Hear takes in what a processor tells. Events come in any order and repeatedly.
func (e *Engine) Hear(ctx context.Context, ev payment.Event) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if ev.Kind == payment.WireReceived {
		return e.wire(ctx, ev)
	}
	id := ev.Customer
	for k, a := range e.accounts {
		if id == "" && a.payment(ev.Charge) != nil {
			id = k // some events name only the charge, of which there is one
		}
	}
	if a := e.accounts[id]; a == nil || a.payment(ev.Charge) == nil {
		return fault.Errorf("billing.Hear", fault.NotFound, "event %s is about charge %q, which is not known yet", ev.ID, ev.Charge)
	}
	t := e.begin(e.accounts[id])
	if err := t.event(ev); err != nil {
		return err
	}
	if err := e.commit(ctx, t); err != nil {
		return err
	}
	if err := e.drain(ctx, id); err != nil {
		return err
	}
	return e.advance(ctx, e.now)
}

// Next is when the next alarm is due, or the zero time.
func (e *Engine) Next() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	for e.clock.Len() > 0 {
		top := e.clock[0]
		if at, ok := e.alarm[top.id]; ok && at.Equal(top.at) {
			return top.at
		}
		heap.Pop(&e.clock)
	}
	return time.Time{}
}

func (e *Engine) view(a *Account) *tx { return &tx{Account: a, cat: e.cat, now: e.now, nums: &e.nums} }

// Stuck is an account whose next step cannot be done, such as an invoice beyond what can be billed. Everybody else goes on.
type Stuck struct {
	Customer string
	At       time.Time // when the step was due
	Err      error
}

// Stuck lists them, by customer. Their step is tried again whenever the clock moves.
func (e *Engine) Stuck() []Stuck {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []Stuck
	for _, id := range sortedKeys(e.stuck) {
		out = append(out, e.stuck[id])
	}
	return out
}

// Advance moves the clock to a moment and does everything that falls due until then, in order. What cannot be done for one account stays due
// (Stuck) and keeps nobody else waiting.
func (e *Engine) Advance(ctx context.Context, to time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if to.Before(e.now) {
		return fault.Errorf("billing.Advance", fault.Invalid, "the clock cannot go back from %s to %s",
			e.now.Format(time.RFC3339), to.Format(time.RFC3339))
	}
	if err := e.advance(ctx, to); err != nil {
		return err
	}
	e.now = to.In(e.cat.Zone)
	return nil
}

func (e *Engine) advance(ctx context.Context, to time.Time) error {
	steps := map[string]int{}
	for id := range e.stuck {
		e.wake(id)
	}
	for e.clock.Len() > 0 && !e.clock[0].at.After(to) {
		top := heap.Pop(&e.clock).(entry)
		if at, ok := e.alarm[top.id]; !ok || !at.Equal(top.at) {
			continue // something changed since; a newer entry is in the heap
		}
		delete(e.alarm, top.id)
		a := e.accounts[top.id]
		next, ok := a.next(e.view(a))
		if !ok || next.at.After(to) {
			e.wake(top.id)
			continue
		}
		if next.at.After(e.now) {
			e.now = next.at.In(e.cat.Zone)
		}
		if steps[top.id]++; steps[top.id] > StepsMax {
			return fault.Errorf("billing.Advance", fault.Other, "the clock of %s turns in circles", top.id)
		}
		t := e.begin(a)
		if err := next.what(t, next.at); err != nil {
			e.stuck[top.id] = Stuck{top.id, next.at, fault.Wrap("billing.Advance "+top.id, err)}
			continue
		}
		if err := e.commit(ctx, t); err != nil {
			e.wake(top.id)
			return err
		}
		delete(e.stuck, top.id)
		if err := e.drain(ctx, top.id); err != nil {
			return err
		}
	}
	return nil
}

// Close books the revenue that is earned by now, as at the end of a simulation or for a report within a month.
func (e *Engine) Close(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, id := range e.order {
		t := e.begin(e.accounts[id])
		if err := t.recognise(); err != nil {
			return err
		}
		if err := e.commit(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// entry is an alarm in the heap; alarms orders them by time, then customer.
type entry struct {
	at time.Time
	id string
}

type alarms []entry

func (h alarms) Len() int { return len(h) }
func (h alarms) Less(i, j int) bool {
	if !h[i].at.Equal(h[j].at) {
		return h[i].at.Before(h[j].at)
	}
	return h[i].id < h[j].id
}
func (h alarms) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *alarms) Push(x any)   { *h = append(*h, x.(entry)) }
func (h *alarms) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
