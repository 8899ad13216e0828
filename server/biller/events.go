package biller

import (
	"context"
	"time"

	"holdfast/server/billingdb"
	"holdfast/server/meter"
	"holdfast/server/metering"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// Replies keeps answers for repeated requests.
func (s *Service) Replies() *billingdb.DB { return s.db }

// Record counts a customer's own event, of a type that the catalogue's meters know and that the regions do not count themselves. It tells
// whether the event was new.
func (s *Service) Record(ctx context.Context, tenant id.ID, e meter.Event) (bool, error) {
	const op = "biller.Record"
	if metering.Counts(e.Type) {
		return false, fault.Errorf(op, fault.Invalid, "Events of type %q are counted by the regions themselves.", e.Type)
	}
	if e.Source == source || e.Source == "" {
		return false, fault.Errorf(op, fault.Invalid, "An event needs a source of its own.")
	}
	if _, err := s.engine.Account(string(tenant)); err != nil {
		return false, err
	}
	if err := s.advance(ctx); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Time.IsZero() {
		e.Time = s.cfg.Now()
	}
	e.Time = e.Time.Truncate(time.Millisecond)
	return s.engine.Record(ctx, string(tenant), e)
}
