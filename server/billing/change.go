package billing

import (
	"sort"
	"time"

	"holdfast/server/catalog"
	"holdfast/server/invoice"
	"holdfast/server/money"
	"holdfast/server/period"
	"holdfast/server/rating"
	"holdfast/sync/fault"
)

// Change is what a customer may change about a running subscription. Empty fields stay as they are.
type Change struct {
	Plan       string           `json:"plan,omitempty"`
	Version    int              `json:"version,omitempty"` // 0: the one for sale then
	Quantities map[string]int64 `json:"quantities,omitempty"`
	Add        string           `json:"add,omitempty"`    // an add-on
	Remove     string           `json:"remove,omitempty"` // an add-on
	When       string           `json:"when,omitempty"`   // now, end; empty: upgrades now, downgrades at the end of the period
	At         time.Time        `json:"at,omitzero"`      // or at a moment
	Anchor     string           `json:"anchor,omitempty"` // keep (default), reset
	Invoice    string           `json:"invoice,omitempty"`
	Credit     string           `json:"credit,omitempty"` // balance (default), refund, none
	EndTrial   bool             `json:"end_trial,omitempty"`
}

// check refuses a change that cannot be, before anything happens, and fixes the version.
func (s *step) check(c *Change) error {
	const op = "billing.Change"
	v, err := s.plan()
	if err != nil {
		return err
	}
	if c.Plan != "" {
		if v, err = s.version(c.Plan, c.Version); err != nil {
			return err
		}
	}
	wanted := v.Quantities()
	for _, i := range s.sub.Items[1:] {
		if i.Key == c.Remove {
			continue
		}
		av, err := s.sub.terms(s.cat, i.Key)
		if err != nil {
			return err
		}
		wanted = append(wanted, av.Quantities()...)
	}
	if c.Add != "" {
		if has(s.sub.Items, c.Add) {
			return fault.Errorf(op, fault.Conflict, "the subscription has the add-on %q already; change its quantity instead", c.Add)
		}
		a, err := s.cat.Addon(c.Add)
		if err != nil {
			return err
		}
		av, err := a.At(s.at)
		if err != nil {
			return err
		}
		wanted = append(wanted, av.Quantities()...)
	}
	if c.Remove != "" && !has(s.sub.Items, c.Remove) {
		return noAddon(c.Remove)
	}
	return quantities(wanted, s.sub.Quantities, c.Quantities, c.Plan+c.Add)
}

func has(items []Item, key string) bool {
	for _, i := range items {
		if i.Key == key {
			return true
		}
	}
	return false
}

// quantities checks that given quantities are asked for and not negative, and that none is missing.
func quantities(wanted []string, have, given map[string]int64, what string) error {
	const op = "billing.quantities"
	known := map[string]bool{}
	for _, q := range wanted {
		known[q] = true
		if _, ok := merged(have, given)[q]; !ok {
			return fault.Errorf(op, fault.Invalid, "%s is sold by %s; say how many", what, q)
		}
	}
	for _, q := range sortedKeys(given) {
		switch n := given[q]; {
		case !known[q]:
			return fault.Errorf(op, fault.Invalid, "nothing here is sold by %q", q)
		case n < 0:
			return fault.Errorf(op, fault.Invalid, "a negative quantity of %s: %d", q, n)
		case n > QuantityMax:
			return fault.Errorf(op, fault.TooLarge, "more than %d %s", QuantityMax, q)
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// version finds a plan's version for sale now, in the subscription's currency.
func (s *step) version(plan string, n int) (*catalog.Version, error) {
	p, err := s.cat.Plan(plan)
	if err != nil {
		return nil, err
	}
	v, err := p.At(s.at)
	if n != 0 {
		v, err = p.Number(n)
	}
	if err != nil {
		return nil, err
	}
	if s.sub.Currency != "" && !v.Sells(s.sub.Currency) {
		return nil, fault.Errorf("billing.version", fault.Invalid, "%s is not sold in %s", plan, s.sub.Currency)
	}
	return v, nil
}

// worth is the licensed price of a year, by which an upgrade is told from a downgrade.
func (s *step) worth(v *catalog.Version, qs map[string]int64) (money.Exact, error) {
	probe := &step{cat: s.cat, sub: s.sub}
	probe.sub.Quantities = qs
	sum := money.Exact{}
	for i := range v.Prices {
		if v.Prices[i].Metered() {
			continue
		}
		r, err := rating.Price(&v.Prices[i], s.sub.Currency, probe.quantity(&v.Prices[i]), money.Int(1))
		if err != nil {
			return sum, err
		}
		sum = sum.Add(r.Exact)
	}
	return sum.Mul(v.Interval.PerYear()), nil
}

// timing says whether a change is for now.
func (s *step) timing(c Change) (now bool, err error) {
	switch {
	case c.When == "now":
		return true, nil
	case c.When == "end" || !c.At.IsZero():
		return false, nil
	case c.Plan == "" || s.sub.Status != Active:
		return true, nil
	}
	old, err := s.plan()
	if err != nil {
		return false, err
	}
	next, err := s.version(c.Plan, c.Version)
	if err != nil {
		return false, err
	}
	if old.Proration == period.None && turns(c, old, next) {
		return false, nil
	}
	a, err := s.worth(old, s.sub.Quantities)
	if err != nil {
		return false, err
	}
	b, err := s.worth(next, merged(s.sub.Quantities, c.Quantities))
	if err != nil {
		return false, err
	}
	return b.Cmp(a) >= 0, nil
}

// change decides a change: now, or put down for later.
func (s *step) change(c Change) error {
	const op = "billing.Change"
	if !s.sub.Live() {
		return fault.Errorf(op, fault.Conflict, "the subscription is cancelled; reactivate it or subscribe again")
	}
	if err := s.check(&c); err != nil {
		return err
	}
	if !c.At.IsZero() && c.At.Before(s.at) {
		return fault.Errorf(op, fault.Invalid, "%s is over; a change cannot be scheduled in the past", c.At.Format(time.RFC3339))
	}
	now, err := s.timing(c)
	if err != nil {
		return err
	}
	if !now {
		if len(s.sub.Scheduled) >= ScheduledMax {
			return fault.Errorf(op, fault.TooLarge, "at most %d changes can be scheduled", ScheduledMax)
		}
		at := c.At
		c.When, c.At = "now", time.Time{}
		s.emit(Event{Kind: EvScheduled, When: at, AtEnd: at.IsZero(), Change: &c})
		return nil
	}
	if s.sub.Status == Active {
		s.keeps = c.Credit == "none"
		return s.changeRunning(c)
	}
	return s.changeQuiet(c) // nothing is charged while nothing runs
}

// changeQuiet changes the terms without charging: in a trial, while paused, before the start, and at the turn of a
// period.
func (s *step) changeQuiet(c Change) error {
	if len(c.Quantities) > 0 {
		s.emit(Event{Kind: EvQuantity, Quantities: c.Quantities})
	}
	if c.Plan != "" {
		v, err := s.version(c.Plan, c.Version)
		if err != nil {
			return err
		}
		s.emit(Event{Kind: EvPlan, Plan: c.Plan, Item: &Item{Version: v.Number}})
	}
	if c.Remove != "" {
		s.emit(Event{Kind: EvAddonRemoved, Item: &Item{Key: c.Remove}})
	}
	if c.Add != "" {
		if err := s.addItem(c.Add); err != nil {
			return err
		}
	}
	if c.EndTrial && s.sub.Status == Trialing {
		return s.begin()
	}
	return nil
}

func (s *step) addItem(key string) error {
	a, err := s.cat.Addon(key)
	if err != nil {
		return err
	}
	v, err := a.At(s.at)
	if err != nil {
		return err
	}
	if !v.Sells(s.sub.Currency) {
		return fault.Errorf("billing.Addon", fault.Invalid, "%s is not sold in %s", key, s.sub.Currency)
	}
	s.emit(Event{Kind: EvAddonAdded, Item: &Item{Key: key, Version: v.Number}})
	return nil
}

// changeRunning changes a subscription in the middle of a period: what was charged for the rest of it is taken back at
// its old terms, usage so far is billed at its old terms, and the rest is charged at the new ones.
func (s *step) changeRunning(c Change) error {
	if c.Plan != "" || c.Anchor == "reset" {
		if err := s.changePlan(c); err != nil {
			return err
		}
	} else if err := s.changeQuantities(c.Quantities); err != nil {
		return err
	}
	if c.Remove != "" {
		if err := s.removeItem(c.Remove); err != nil {
			return err
		}
	}
	if c.Add != "" {
		if err := s.addItem(c.Add); err != nil {
			return err
		}
		v, err := s.sub.terms(s.cat, c.Add)
		if err != nil {
			return err
		}
		return s.open(v, c.Add, s.unprorated(v))
	}
	return nil
}

// still tells whether v's policy neither charges nor credits at s.at: without proration, within a period.
func (s *step) still(v *catalog.Version) bool {
	return v.Proration == period.None && s.at.After(s.sub.Period.Start)
}

// unprorated names the prices of v that are not charged within a period, because the plan does not prorate.
func (s *step) unprorated(v *catalog.Version) map[string]bool {
	skip := map[string]bool{}
	if ruling, err := s.plan(); err == nil && s.still(ruling) {
		for _, p := range v.Prices {
			skip[p.ID] = p.Advance
		}
	}
	return skip
}

func (s *step) removeItem(key string) error {
	ruling, err := s.plan()
	if err != nil {
		return err
	}
	if err := s.cutAll(ruling, func(d Debit) bool { return d.Item == key }); err != nil {
		return err
	}
	if err := s.closeAll(func(g Segment) bool { return g.Item == key }); err != nil {
		return err
	}
	s.emit(Event{Kind: EvAddonRemoved, Item: &Item{Key: key}})
	return nil
}

func (s *step) changePlan(c Change) error {
	old, err := s.plan()
	if err != nil {
		return err
	}
	next := old
	if c.Plan != "" {
		if next, err = s.version(c.Plan, c.Version); err != nil {
			return err
		}
	}
	turn := turns(c, old, next)
	if turn && s.still(old) {
		return fault.Errorf("billing.Change", fault.Conflict,
			"%s does not prorate, so a new period cannot start within a period; change at its end (when: end)", old.Plan)
	}
	qs := merged(s.sub.Quantities, c.Quantities)
	keep := map[string]bool{}
	for i := range next.Prices {
		p := &next.Prices[i]
		keep[p.ID] = !turn && samePrice(p, old.Price(p.ID)) && (p.Quantity == "" || qs[p.Quantity] == s.sub.Quantities[p.Quantity])
	}
	ours := func(item, price string) bool { return turn || item == "" && !keep[price] }
	if err := s.cutAll(old, func(d Debit) bool { return ours(d.Item, d.Price) }); err != nil {
		return err
	}
	if err := s.closeAll(func(g Segment) bool { return ours(g.Item, g.Price) }); err != nil {
		return err
	}
	if err := s.minimum(); err != nil {
		return err
	}
	if len(c.Quantities) > 0 {
		s.emit(Event{Kind: EvQuantity, Quantities: c.Quantities})
	}
	n := 1
	if turn {
		n = 0 // the new period counts itself
	}
	s.emit(Event{Kind: EvPlan, Plan: next.Plan, Item: &Item{Version: next.Number}, N: n})
	if turn {
		return s.openPeriod(s.anchorFor(next, c.Anchor == "reset"))
	}
	if s.still(next) {
		for id, skip := range s.unprorated(next) {
			keep[id] = keep[id] || skip
		}
	}
	return s.open(next, "", keep)
}

// turns tells whether a change starts a new period at once.
func turns(c Change, old, next *catalog.Version) bool {
	return c.Anchor == "reset" || next.Interval != old.Interval || next.Align != old.Align
}

// anchorFor is the anchor of the period that starts now under v.
func (s *step) anchorFor(v *catalog.Version, reset bool) time.Time {
	switch {
	case v.Align == "calendar":
		return v.Interval.CalendarAnchor(s.at)
	case reset || s.sub.Anchor.IsZero():
		return s.at
	}
	return s.sub.Anchor.In(s.cat.Zone)
}

// changeQuantities charges what is added for the rest of the period and takes back what is removed, the last added
// first.
func (s *step) changeQuantities(qs map[string]int64) error {
	if len(qs) == 0 {
		return nil
	}
	ruling, err := s.plan()
	if err != nil {
		return err
	}
	before := &step{cat: s.cat, sub: s.sub}
	s.emit(Event{Kind: EvQuantity, Quantities: qs})
	for _, item := range s.sub.Items {
		v, err := s.sub.terms(s.cat, item.Key)
		if err != nil {
			return err
		}
		for i := range v.Prices {
			p := &v.Prices[i]
			if n, ok := qs[p.Quantity]; p.Quantity == "" || !ok || n == before.sub.Quantities[p.Quantity] {
				continue
			}
			was, err := rating.Price(p, s.sub.Currency, before.quantity(p), money.Int(1))
			if err != nil {
				return err
			}
			is, err := rating.Price(p, s.sub.Currency, s.quantity(p), money.Int(1))
			if err != nil {
				return err
			}
			if err := s.reprice(ruling, v, item.Key, p, before.quantity(p).Units, was.Exact, is.Exact); err != nil {
				return err
			}
		}
	}
	return nil
}

// reprice moves one licensed price from one value to another at s.at.
func (s *step) reprice(ruling, v *catalog.Version, key string, p *catalog.Price, from, was, is money.Exact) error {
	if !p.Advance {
		for _, g := range s.sub.Segments {
			if g.Item == key && g.Price == p.ID {
				if err := s.close(g, true); err != nil {
					return err
				}
			}
		}
		s.emit(Event{Kind: EvSegment, Segment: &Segment{Item: key, Price: p.ID, Start: s.at, Value: is}})
		return nil
	}
	more := is.Sub(was)
	if more.Sign() > 0 {
		if s.still(ruling) {
			return nil // from the next period on
		}
		share := s.left(ruling, s.at)
		l := s.newLine(v, key, p, invoice.Recurring, period.Span{Start: s.at, End: s.sub.Period.End})
		var err error
		if l.Amount, err = more.Mul(share).Round(); err != nil {
			return err
		}
		now := s.quantity(p).Units
		l.Quantity = now.Sub(from).Text(0)
		l.Parts = []rating.Part{{What: "added", From: from.Text(0), UpTo: now.Text(0), Quantity: l.Quantity, Amount: l.Amount}}
		s.charge(l, key, more, share)
		return nil
	}
	less := more.Neg()
	for i := len(s.sub.Debits) - 1; i >= 0 && less.Sign() > 0; i-- {
		d := s.sub.Debits[i]
		if d.Item != key || d.Price != p.ID {
			continue
		}
		part := less.Min(d.Value)
		less = less.Sub(part)
		if err := s.cut(ruling, d, d.Value.Sub(part)); err != nil {
			return err
		}
	}
	return nil
}
