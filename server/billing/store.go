package billing

import (
	"context"

	"holdfast/server/ledger"
	"holdfast/server/meter"
	"holdfast/server/payment"
)

// Store keeps what an engine knows. Save is atomic: all of it or nothing is there after a crash.
type Store interface {
	Load(ctx context.Context) (Loaded, error)
	Save(ctx context.Context, s Saved) error
}

// Loaded is everything that was saved. Accounts are in the order in which they were opened, with their books and usage.
type Loaded struct {
	Accounts []*Account
	Numbers  Numbers
	House    []ledger.Tx
	Stray    []payment.Event
}

// Saved is what one transaction changes. Zero fields do not change. Old is the account before, nil for a new one in its
// Place; its lists of events, notices, notes and bookings only ever grow.
type Saved struct {
	Account *Account
	Old     *Account
	Place   int
	Numbers *Numbers
	Usage   []meter.Event
	Stray   *payment.Event
	Matched string // the id of a stray wire that is none any more
	Book    []ledger.Tx
}

func (e *Engine) save(ctx context.Context, s Saved) error {
	if e.store == nil {
		return nil
	}
	return e.store.Save(ctx, s)
}

// Load takes in what the store holds; call it once, before anything else. What was to be done outside when the process
// ended is done now: its keys make doing it twice the same as once.
func (e *Engine) Load(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.store == nil {
		return nil
	}
	l, err := e.store.Load(ctx)
	if err != nil {
		return err
	}
	for _, t := range l.House {
		if err := e.book.Post(t); err != nil {
			return err
		}
	}
	if e.nums = l.Numbers; e.nums.By == nil {
		e.nums.By = map[string]int64{}
	}
	for _, s := range l.Stray {
		e.stray = append(e.stray, s)
		e.seen[s.ID] = true
	}
	for _, a := range l.Accounts {
		e.accounts[a.ID] = a
		e.order = append(e.order, a.ID)
		for _, ev := range a.Events {
			if ev.Kind == EvCoupon {
				e.uses[ev.Coupon.ID]++
			}
		}
		e.wake(a.ID)
	}
	for _, id := range e.order {
		if err := e.drain(ctx, id); err != nil {
			return err
		}
	}
	return nil
}
