package biller

import (
	"context"
	"time"

	"holdfast/server/billing"
	"holdfast/server/catalog"
	"holdfast/server/meter"
	"holdfast/server/payment"
	"holdfast/server/period"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// Taken adds to the quantities that somebody gives those that the hub knows by itself: the seats that are taken, for a plan sold by them.
func (s *Service) Taken(ctx context.Context, tenant id.ID, plan string, given map[string]int64) (map[string]int64, error) {
	t, err := s.cfg.Tenancy.Brief(ctx, tenant)
	if err != nil {
		return nil, err
	}
	out := map[string]int64{}
	for k, n := range given {
		out[k] = n
	}
	for k, n := range s.taken(s.of(tenant), plan, t) {
		if _, said := out[k]; !said {
			out[k] = n
		}
	}
	return out, nil
}

// Metered is what one meter counted in a time range, and in each day of it that was asked for.
type Metered struct {
	Meter *catalog.Meter
	Total meter.Quantity
	Spans []period.Span // one a day, in the catalogue's time zone; none if not asked for
	Parts []meter.Quantity
}

// Usage measures a workspace's meters in a time range; daily also day by day. only names one meter; empty: all.
func (s *Service) Usage(ctx context.Context, tenant id.ID, only string, in period.Span, daily bool) ([]Metered, error) {
	const op = "biller.Usage"
	if !in.Start.Before(in.End) || in.End.Sub(in.Start) > usageMax {
		return nil, fault.Errorf(op, fault.Invalid, "Name a time range that ends after it starts, of at most %d days.", int(usageMax.Hours()/24))
	}
	if _, err := s.fresh(ctx, tenant); err != nil {
		return nil, err
	}
	b := s.of(tenant)
	b.mu.Lock()
	defer b.mu.Unlock()
	a, err := b.engine.Account(string(tenant))
	if err != nil {
		return nil, err
	}
	cat := b.engine.Catalog()
	if only != "" {
		if _, err := cat.Meter(only); err != nil {
			return nil, err
		}
	}
	out := []Metered{}
	for i := range cat.Meters {
		m := Metered{Meter: &cat.Meters[i]}
		if only != "" && m.Meter.ID != only {
			continue
		}
		if m.Total, err = a.Usage.Measure(m.Meter, nil, in, in); err != nil {
			return nil, err
		}
		for d := in; daily && d.Start.Before(in.End); d.Start = d.End {
			y, month, day := d.Start.In(cat.Zone).Date()
			if d.End = time.Date(y, month, day+1, 0, 0, 0, 0, cat.Zone); d.End.After(in.End) {
				d.End = in.End
			}
			q, err := a.Usage.Measure(m.Meter, nil, d, d)
			if err != nil {
				return nil, err
			}
			m.Spans, m.Parts = append(m.Spans, d), append(m.Parts, q)
		}
		out = append(out, m)
	}
	return out, nil
}

// Arrived takes in a transfer that arrived at the bank: it pays the invoice whose number stands in its reference, or is kept apart until
// Match. The same id is the same transfer.
func (s *Service) Arrived(ctx context.Context, e payment.Event) error {
	const op = "biller.Arrived"
	if e.ID == "" || e.Amount.Minor <= 0 || !e.Amount.Currency.Known() {
		return fault.Errorf(op, fault.Invalid, "A transfer needs the bank's id for it and an amount above zero in a known currency.")
	}
	e.Kind, e.Charge, e.At = payment.WireReceived, "wire_"+e.ID, s.cfg.Now().UTC().Truncate(time.Millisecond)
	if err := s.advance(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.engine.Hear(ctx, e)
}

// Match books a transfer that matched no invoice for one.
func (s *Service) Match(ctx context.Context, transfer string, tenant id.ID, number string) error {
	if err := s.advance(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.engine.Match(ctx, transfer, string(tenant), number)
}

// Upcoming is the invoice of the running period as it would be now. Kind Conflict: nothing runs.
func (s *Service) Upcoming(ctx context.Context, tenant id.ID) (billing.Preview, error) {
	if _, err := s.fresh(ctx, tenant); err != nil {
		return billing.Preview{}, err
	}
	b := s.of(tenant)
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.engine.Upcoming(string(tenant))
}

// Offers are the plans for sale to a workspace.
func (s *Service) Offers(ctx context.Context, tenant id.ID) ([]Offer, error) {
	a, err := s.Account(ctx, tenant)
	if err != nil {
		return nil, err
	}
	b := s.of(tenant)
	return offers(b.engine.Catalog(), a, b.engine.Now())
}
