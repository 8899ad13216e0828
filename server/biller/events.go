package biller

import (
	"context"
	"strings"
	"time"
	"unicode"

	"holdfast/server/billing"
	"holdfast/server/billingdb"
	"holdfast/server/meter"
	"holdfast/server/metering"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// Replies keeps answers for repeated requests.
func (s *Service) Replies() *billingdb.DB { return s.db }

// Record counts a batch of a customer's own events, of types that the catalogue's meters know and that the hub does not count itself. It
// tells what became of each; after an error the batch may be sent again.
func (s *Service) Record(ctx context.Context, tenant id.ID, list []meter.Event) ([]billing.Recorded, error) {
	t, err := s.cfg.Tenancy.Brief(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if err := s.catchUp(ctx, tenant); err != nil {
		return nil, err
	}
	b := s.of(tenant)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := s.enrol(ctx, b, t); err != nil {
		return nil, err
	}
	out := make([]billing.Recorded, len(list))
	var take []meter.Event
	var place []int
	for i, e := range list {
		if out[i].Err = own(e, b.test); out[i].Err != nil {
			continue
		}
		if e.Time.IsZero() {
			e.Time = s.now(b)
		}
		e.Time = e.Time.Truncate(time.Millisecond)
		take, place = append(take, e), append(place, i)
	}
	if !b.test {
		delete(s.passed, tenant) // what its limits leave has changed
	}
	done, err := b.engine.RecordAll(ctx, string(tenant), take)
	for n, r := range done {
		out[place[n]] = r
	}
	return out, err
}

// own tells why an event cannot be a customer's own, or nil. On a test clock nothing else counts what Holdfast counts otherwise.
func own(e meter.Event, test bool) error {
	const op = "biller.Record"
	switch {
	case metering.Counts(e.Type) && !test:
		return fault.Errorf(op, fault.Invalid, "Events of type %q are counted by Holdfast itself.", e.Type)
	case e.Source == source || e.Source == "":
		return fault.Errorf(op, fault.Invalid, "An event needs a source of its own.")
	case strings.ContainsFunc(e.ID+e.Source+e.Type+e.Replaces, unicode.IsControl):
		return fault.Errorf(op, fault.Invalid, "The id, the source and the type of an event have no control characters.")
	}
	return nil
}
