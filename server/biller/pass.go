package biller

import (
	"context"
	"errors"
	"maps"
	"time"

	"holdfast/server/billing"
	"holdfast/server/catalog"
	"holdfast/server/money"
	"holdfast/server/tenancy"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// passed is what a pass saw of a workspace. While all of it is the same and its usage is untouched, a further pass would do nothing.
type passed struct {
	brief   tenancy.Brief
	account *billing.Account // the engine replaces it at every command
	catalog *catalog.Catalog
}

// Pass does everything that is due now. One workspace's trouble does not keep the others waiting, and one that rests costs next to nothing.
func (s *Service) Pass(ctx context.Context) error {
	var errs []error
	if err := s.advance(ctx); err != nil {
		errs = append(errs, err) // who is new gets an account all the same
	}
	s.alarm()
	for _, b := range s.tests.list() {
		if err := s.tellTest(ctx, b); err != nil && fault.KindOf(err) != fault.NotFound { // it is opened or taken away right now
			errs = append(errs, fault.Wrap("biller.Pass "+string(b.tenant), err))
		}
	}
	touched := s.cfg.Usage.Touched() // before the totals are read: what comes later is for the next pass
	list, err := s.cfg.Tenancy.All(ctx)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	for _, t := range list {
		if t.State == tenancy.Deleted || s.tests.busy(t.ID) || !touched[t.ID] && s.rests(t) {
			continue
		}
		err := s.prepare(ctx, t, false)
		if err == nil {
			s.see(t) // before it is published: what changes meanwhile is for the next pass
			err = s.publish(ctx, t)
		}
		if err != nil {
			s.see(tenancy.Brief{ID: t.ID})
			errs = append(errs, fault.Wrap("biller.Pass "+string(t.ID), err))
		}
	}
	return errors.Join(append(errs, s.reconcile(ctx))...)
}

// rests tells whether a pass would find a workspace as the one before left it.
func (s *Service) rests(t tenancy.Brief) bool {
	if s.of(t.ID).test {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.passed[t.ID]
	if !ok || s.cfg.Now().Sub(s.recorded[t.ID]) >= recordEvery {
		return false
	}
	a, err := s.engine.Account(string(t.ID))
	same := t.ID == p.brief.ID && t.Name == p.brief.Name && t.State == p.brief.State && t.Seats == p.brief.Seats && maps.Equal(t.Limits, p.brief.Limits)
	return err == nil && same && a == p.account && s.engine.Catalog() == p.catalog
}

// see notes what a pass sees of a workspace. An empty one is never what is there, so it is looked at again.
func (s *Service) see(t tenancy.Brief) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.engine.Account(string(t.ID))
	if err != nil {
		a = nil // there is none: it is looked at again
	}
	s.passed[t.ID] = passed{t, a, s.engine.Catalog()}
}

// alarm tells of accounts whose next step cannot be done, each step once; reconciliation names them every day.
func (s *Service) alarm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := map[string]time.Time{}
	for _, x := range s.engine.Stuck() {
		if now[x.Customer] = x.At; !s.stuck[x.Customer].Equal(x.At) {
			s.cfg.Log.Error("billing of an account stands still", "tenant", x.Customer, "due", x.At, "err", x.Err)
		}
	}
	s.stuck = now
}

// alarming tells whether what was counted, and is not handed over yet, reaches a share of a limit at which the owner is told.
func (s *Service) alarming(tenant id.ID, open map[string]int64) (bool, error) {
	if len(open) == 0 {
		return false, nil
	}
	list, err := s.engine.Entitlements(string(tenant))
	if err != nil {
		return false, err
	}
	cat := s.engine.Catalog()
	for _, e := range list {
		f := cat.Feature(e.Feature)
		if e.Type != "metered" || len(e.Alerts) == 0 || f == nil {
			continue
		}
		m, err := cat.Meter(f.Meter)
		if err != nil {
			return false, err
		}
		was := e.Percent()
		e.Used = e.Used.Add(money.Int(open[m.Event]))
		for _, at := range e.Alerts {
			if was < at && at <= e.Percent() {
				return true, nil
			}
		}
	}
	return false, nil
}
