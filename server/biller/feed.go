package biller

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"holdfast/server/billing"
	"holdfast/server/catalog"
	"holdfast/server/entitlement"
	"holdfast/server/meter"
	"holdfast/server/metering"
	"holdfast/server/money"
	"holdfast/server/period"
	"holdfast/server/tenancy"
	"holdfast/sync/fault"
)

const (
	seats  = "seats"    // the licensed quantity and the feature
	source = "metering" // of the events that carry what Holdfast counts itself
)

// prepare brings an account to what the hub knows: it exists, its seats are those that are taken, and, if record, its usage is metering's.
func (s *Service) prepare(ctx context.Context, t tenancy.Brief, record bool) error {
	b := s.of(t.ID)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := s.enrol(ctx, b, t); err != nil {
		return err
	}
	if err := s.seats(ctx, b, t); err != nil {
		return err
	}
	if b.test { // what is metered happens on the hub's clock, where its account rests
		return s.park(ctx, t.ID)
	}
	now := s.cfg.Now().UTC()
	record = record || now.Sub(s.recorded[t.ID]) >= recordEvery
	open, _, err := s.feed(ctx, t, record)
	if err == nil && !record {
		if record, err = s.alarming(t.ID, open); err == nil && record {
			_, _, err = s.feed(ctx, t, true)
		}
	}
	if err == nil && record {
		s.recorded[t.ID] = now
	}
	return err
}

// enrol opens an account with the first plan, for a workspace that has none or comes back from a test clock.
func (s *Service) enrol(ctx context.Context, b *books, t tenancy.Brief) error {
	a, err := b.engine.Account(string(t.ID))
	if fault.KindOf(err) == fault.NotFound {
		if err := b.engine.Open(ctx, billing.Customer{ID: string(t.ID), Name: t.Name}); err != nil {
			return err
		}
		a, err = b.engine.Account(string(t.ID))
	}
	if err != nil {
		return err
	}
	if sub := a.Sub(); len(a.Subs) > 0 && (sub.Status != billing.Cancelled || sub.Reason != parked) {
		return nil
	}
	first := b.engine.Catalog().Plans[0].ID
	return b.engine.Do(ctx, string(t.ID), billing.Subscribe{Plan: first, Quantities: s.taken(b, first, t)})
}

// taken is the quantity of seats, for plans that are priced by it.
func (s *Service) taken(b *books, plan string, t tenancy.Brief) map[string]int64 {
	p, err := b.engine.Catalog().Plan(plan)
	if err != nil {
		return nil
	}
	v, err := p.At(s.now(b))
	if err != nil {
		return nil
	}
	for _, k := range v.Quantities() {
		if k == seats {
			return map[string]int64{seats: max(1, t.Seats)}
		}
	}
	return nil
}

// seats keeps the paid seats at the number of people who may write. The difference is on the next invoice, to the day.
func (s *Service) seats(ctx context.Context, b *books, t tenancy.Brief) error {
	a, err := b.engine.Account(string(t.ID))
	if err != nil {
		return err
	}
	sub := a.Sub()
	have, priced := sub.Quantities[seats]
	if want := max(1, t.Seats); sub.Status == billing.Active && priced && have != want {
		return b.engine.Do(ctx, string(t.ID), billing.Change{Quantities: map[string]int64{seats: want}, When: "now", Invoice: "next"})
	}
	return nil
}

// feed hands the engine what was counted and it does not have yet, and returns what it does not have of this month if record is off.
// The months before are always handed over: their invoices are about to be made.
// Months are counted by the engine's clock. asOf is up to when all was read.
func (s *Service) feed(ctx context.Context, t tenancy.Brief, record bool) (open map[string]int64, asOf time.Time, err error) {
	open = map[string]int64{}
	a, err := s.engine.Account(string(t.ID))
	if err != nil {
		return nil, asOf, err
	}
	this := monthOf(s.engine.Now())
	var list []meter.Event
	for back := lateMonths; back >= 0; back-- {
		month := this.AddDate(0, -back, 0)
		parts, read, err := s.cfg.Usage.Parts(ctx, t.ID, month)
		if err != nil {
			return nil, read, err
		}
		asOf = read
		missing, err := s.missing(a, month, parts)
		if err != nil {
			return nil, read, err
		}
		for _, e := range missing {
			if back == 0 && !record && !metering.Gauge(e.Type) {
				n, err := strconv.ParseInt(e.Data[value], 10, 64)
				if err != nil {
					return nil, read, fault.E("biller.feed", fault.Other, err)
				}
				open[e.Type] += n
				continue
			}
			list = append(list, e)
		}
	}
	done, err := s.engine.RecordAll(ctx, string(t.ID), list)
	for _, r := range done {
		err = errors.Join(err, r.Err)
	}
	return open, asOf, err
}

// What an event that carries totals says.
const (
	value  = "value"
	region = "region" // missing when it is not of any one region
)

// missing are the events that a month lacks: of what is summed, the difference between the total and what the engine holds, by region, under an
// id made of the total; of what is read, the latest reading.
func (s *Service) missing(a *billing.Account, month time.Time, parts []metering.Part) ([]meter.Event, error) {
	next := month.AddDate(0, 1, 0)
	span, now := period.Span{Start: month, End: next}, s.engine.Now()
	at := now
	if sub := a.Sub(); sub.Status == billing.Cancelled && sub.Reason == parked {
		at = now.Add(-time.Millisecond) // what is counted until its subscription goes on is not billed
	}
	if !now.Before(next) {
		at = next.Add(-time.Millisecond)
	}
	var out []meter.Event
	for _, p := range parts {
		if !s.sold(p.Meter) {
			continue
		}
		e := meter.Event{Source: source, Type: p.Meter, Time: at, Data: map[string]string{}}
		if p.Region != "" {
			e.Data[region] = p.Region
		}
		if p.Gauge {
			if p.At.Before(month) || !p.At.Before(next) {
				continue // handed over in its own month
			}
			e.ID = fmt.Sprintf("%s/%s/%d", p.Meter, p.Region, p.At.UnixMilli())
			e.Data[value] = strconv.FormatInt(p.Quantity, 10)
			if e.Time = p.At; e.Time.After(now) {
				e.Time = now // a region's clock may be ahead
			}
			if !a.Usage.Has(e) {
				out = append(out, e)
			}
			continue
		}
		have, err := held(a, p.Meter, p.Region, span)
		if err != nil {
			return nil, err
		}
		if p.Quantity > have {
			e.ID = fmt.Sprintf("%s/%s/%s/%d", p.Meter, p.Region, month.Format("2006-01"), p.Quantity)
			e.Data[value] = strconv.FormatInt(p.Quantity-have, 10)
			out = append(out, e)
		}
	}
	return out, nil
}

// sold tells whether the catalogue has a meter of this type.
func (s *Service) sold(typ string) bool {
	for _, m := range s.engine.Catalog().Meters {
		if m.Event == typ {
			return true
		}
	}
	return false
}

// held is the sum of what was handed over of a type and a region in a span.
func held(a *billing.Account, typ, of string, span period.Span) (int64, error) {
	q, err := a.Usage.Measure(&catalog.Meter{ID: "held", Event: typ, Aggregate: "sum", Value: value}, map[string][]string{region: {of}}, span, span)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(q.Units.Text(0), 10, 64) // byte-hours grow beyond what an amount of money may be
}

// publish tells the edges what the workspace's plan allows, and whether it may only be read.
func (s *Service) publish(ctx context.Context, t tenancy.Brief) error {
	limits, state, err := s.allowed(ctx, t)
	if err != nil {
		return err
	}
	changed := false
	if state != t.State {
		if err := s.cfg.Tenancy.SetState(ctx, t.ID, state); err != nil {
			return err
		}
		s.cfg.Log.Info("workspace state changed", "tenant", t.ID, "state", state)
		changed = true
	}
	if differs(t.Limits, limits) {
		if err := s.cfg.Tenancy.SetLimits(ctx, t.ID, limits); err != nil {
			return err
		}
		changed = true
	}
	if changed && s.cfg.Changed != nil {
		s.cfg.Changed()
	}
	return nil
}

// The keys that go with a metered limit in a workspace's directory record.
const (
	usedKey  = ".used"  // at the time of the record
	untilKey = ".until" // unix milliseconds; then counting starts again
)

func (s *Service) allowed(ctx context.Context, t tenancy.Brief) (map[string]int64, string, error) {
	b := s.of(t.ID)
	b.mu.Lock()
	defer b.mu.Unlock()
	a, err := b.engine.Account(string(t.ID))
	if err != nil {
		return nil, "", err
	}
	state := tenancy.Active
	if a.Access() != "full" {
		state = tenancy.Restricted
	}
	cat, now := b.engine.Catalog(), s.now(b)
	list, err := a.Entitlements(cat, now)
	if err != nil {
		return nil, "", err
	}
	limits := map[string]int64{}
	var open map[string]int64
	for _, e := range list {
		if state == tenancy.Restricted || e.Type == "boolean" || e.Unlimited || e.Soft || !e.On {
			continue
		}
		limits[e.Feature] = floor(e.Limit)
		if e.Type != "metered" {
			continue
		}
		if open == nil && !b.test {
			if open, _, err = s.feed(ctx, t, false); err != nil {
				return nil, "", err
			}
		}
		m, err := cat.Meter(cat.Feature(e.Feature).Meter)
		if err != nil {
			return nil, "", err
		}
		limits[e.Feature+usedKey] = floor(e.Used) + open[m.Event]
		limits[e.Feature+untilKey] = until(e)
	}
	return limits, state, nil
}

func until(e entitlement.Entitlement) int64 { return e.Window.End.UnixMilli() }

func floor(x money.Exact) int64 {
	n, err := x.Sub(money.Frac(1, 2)).Round() // half rounds away from zero
	if err != nil {
		return 0
	}
	return max(0, n)
}

// differs tells whether edges must be told. Use alone is told when it has eaten a share of what was left, so that records stay few and
// nobody gets much further than the limit.
func differs(old, now map[string]int64) bool {
	o, n := maps.Clone(old), maps.Clone(now)
	for k, limit := range now {
		was, is := old[k+usedKey], now[k+usedKey]
		if was == is {
			continue
		}
		left := max(0, limit-was)
		if is < was || is-was > left/leaseShare || (was < limit) != (is < limit) {
			return true
		}
		delete(o, k+usedKey)
		delete(n, k+usedKey)
	}
	return !maps.Equal(o, n)
}
