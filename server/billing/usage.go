package billing

import (
	"context"
	"errors"

	"holdfast/server/meter"
	"holdfast/sync/fault"
)

// Recorded is what became of one event of a batch: it was new, it was known, or it was refused.
type Recorded struct {
	New bool
	Err error
}

// Record takes a usage event in. It tells whether the event was new.
func (e *Engine) Record(ctx context.Context, customer string, ev meter.Event) (bool, error) {
	out, err := e.RecordAll(ctx, customer, []meter.Event{ev})
	if len(out) == 0 {
		return false, err
	}
	return out[0].New, errors.Join(out[0].Err, err)
}

// RecordAll takes a batch of usage events in, in one transaction: those that can be counted are, whatever becomes of the others. After an
// error the batch may be sent again. What the usage leads to (an invoice at a threshold, an alert) is decided once, at the end.
func (e *Engine) RecordAll(ctx context.Context, customer string, list []meter.Event) ([]Recorded, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	a, err := e.account(customer)
	if err != nil {
		return nil, err
	}
	out := make([]Recorded, len(list))
	fresh := make([]meter.Event, 0, len(list))
	batch, types := map[[2]string]bool{}, map[string]bool{}
	for i, ev := range list {
		ev.Received = e.now
		name := [2]string{ev.Source, ev.ID}
		switch err := e.countable(a, ev); {
		case err != nil:
			out[i].Err = err
		case batch[name] || a.Usage.Has(ev):
		default:
			batch[name], types[ev.Type], out[i].New = true, true, true
			fresh = append(fresh, ev)
		}
	}
	if len(fresh) == 0 {
		return out, nil
	}
	if err := e.save(ctx, Saved{Account: a, Old: a, Usage: fresh}); err != nil {
		return nil, err
	}
	for _, ev := range fresh {
		if _, err := a.Usage.Add(ev); err != nil {
			return nil, err // countable has checked it
		}
	}
	return out, e.used(ctx, a, types)
}

// countable tells why an event cannot be counted, or nil.
func (e *Engine) countable(a *Account, ev meter.Event) error {
	known := false
	for i := range e.cat.Meters {
		if m := &e.cat.Meters[i]; m.Event == ev.Type {
			known = true
			if err := meter.Check(m, ev); err != nil {
				return err
			}
		}
	}
	if !known {
		return fault.Errorf("billing.Record", fault.Invalid, "no meter counts events of type %q", ev.Type)
	}
	return a.Usage.Check(ev)
}

// used does what use of these event types leads to.
func (e *Engine) used(ctx context.Context, a *Account, types map[string]bool) error {
	pass, alert := e.view(a).mayPass(), false
	for typ := range types {
		alert = alert || e.view(a).mayAlert(typ)
	}
	if !pass && !alert {
		return nil
	}
	t := e.begin(a)
	if pass {
		if err := t.thresholds(); err != nil {
			return err
		}
	}
	if alert {
		if err := t.alerts(); err != nil {
			return err
		}
	}
	if len(t.Events) == len(a.Events) && len(t.Notices) == len(a.Notices) {
		return nil
	}
	if err := e.commit(ctx, t); err != nil {
		return err
	}
	return e.drain(ctx, a.ID)
}
