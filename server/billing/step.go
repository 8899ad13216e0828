package billing

import (
	"encoding/json"
	"time"

	"holdfast/server/catalog"
	"holdfast/server/invoice"
	"holdfast/server/meter"
	"holdfast/server/money"
	"holdfast/server/period"
	"holdfast/server/rating"
	"holdfast/sync/fault"
)

func noAddon(key string) error {
	return fault.Errorf("billing.terms", fault.NotFound, "the subscription has no add-on %q", key)
}

// Closed is usage that was billed, kept so that what is heard of it later can be billed or credited.
type Closed struct {
	Sub     string      `json:"sub"`
	Item    string      `json:"item,omitempty"`
	Plan    string      `json:"plan"` // or add-on
	Version int         `json:"version"`
	Price   string      `json:"price"`
	Span    period.Span `json:"span"`
	Full    period.Span `json:"full"`
	Share   money.Exact `json:"share"`
	Units   money.Exact `json:"units"`             // that were billed
	Billed  int64       `json:"billed"`            // in all
	Interim int64       `json:"interim,omitempty"` // of Billed, by earlier invoices at thresholds
	Invoice string      `json:"invoice,omitempty"`
	Line    string      `json:"line,omitempty"`
}

// take asks for a part of a charged line back.
type take struct {
	line   string
	amount int64
	span   period.Span
}

// step is one decision on a subscription: the events that happen, and what they cost. It only reads its surroundings.
type step struct {
	cat   *catalog.Catalog
	usage *meter.Log
	at    time.Time // in the catalogue's zone
	line  func() string
	keeps bool // what was charged is not given back

	sub    Sub
	events []Event
	lines  []invoice.Line // to be invoiced now
	later  []invoice.Line // to be invoiced with the next period
	takes  []take
	closed []Closed
}

func (s *step) emit(e Event) {
	e.Seq, e.At = s.sub.Seq+1, s.at
	s.sub = s.sub.Apply(e)
	s.events = append(s.events, e)
}

// plan gives the plan's version, whose interval and policy rule the whole subscription.
func (s *step) plan() (*catalog.Version, error) { return s.sub.terms(s.cat, "") }

// left is the share of the running full period that is left at t.
func (s *step) left(v *catalog.Version, t time.Time) money.Exact {
	full := period.Span{Start: s.sub.Full.Start.In(s.cat.Zone), End: s.sub.Full.End.In(s.cat.Zone)}
	return v.Proration.Left(full, v.Interval, t)
}

// quantity is what a licensed price is multiplied by.
func (s *step) quantity(p *catalog.Price) meter.Quantity {
	if p.Quantity == "" {
		return meter.Quantity{Units: money.Int(1)}
	}
	return meter.Quantity{Units: money.Int(s.sub.Quantities[p.Quantity])}
}

// open charges an item's prices in advance from s.at to the end of the period, and starts those that are billed
// afterwards. skip names prices that go on as they are.
func (s *step) open(v *catalog.Version, key string, skip map[string]bool) error {
	ruling, err := s.plan()
	if err != nil {
		return err
	}
	for i := range v.Prices {
		p := &v.Prices[i]
		if skip[p.ID] {
			continue
		}
		whole, err := rating.Price(p, s.sub.Currency, s.quantity(p), money.Int(1))
		if err != nil && !p.Metered() {
			return err
		}
		if !p.Advance {
			g := Segment{Item: key, Price: p.ID, Start: s.at}
			if !p.Metered() {
				g.Value = whole.Exact
			}
			s.emit(Event{Kind: EvSegment, Segment: &g})
			continue
		}
		share := s.left(ruling, s.at)
		part, err := rating.Price(p, s.sub.Currency, s.quantity(p), share)
		if err != nil {
			return err
		}
		l := s.newLine(v, key, p, invoice.Recurring, period.Span{Start: s.at, End: s.sub.Period.End})
		l.Amount, l.Parts = part.Amount, part.Parts
		if p.Quantity != "" {
			l.Quantity = s.quantity(p).Units.Text(0)
		}
		s.charge(l, key, whole.Exact, share)
	}
	return nil
}

// charge books a line as an open debit.
func (s *step) charge(l invoice.Line, key string, value, share money.Exact) {
	if value.Sign() <= 0 {
		return
	}
	if share.Cmp(money.Int(1)) != 0 {
		l.Share = share.String()
	}
	s.emit(Event{Kind: EvDebit, Debit: &Debit{Line: l.ID, Item: key, Price: l.Price, Value: value, Amount: l.Amount}})
	s.lines = append(s.lines, l)
}

func (s *step) newLine(v *catalog.Version, key string, p *catalog.Price, kind string, span period.Span) invoice.Line {
	return invoice.Line{ID: s.line(), Kind: kind, Name: p.Name, Subscription: s.sub.ID, Plan: v.Plan, Version: v.Number,
		Price: p.ID, Span: span,
		TaxCategory: p.TaxCategory, TaxIncluded: p.TaxIncluded}
}

// cut lowers a debit's value from s.at on and takes back what was charged for it.
func (s *step) cut(v *catalog.Version, d Debit, value money.Exact) error {
	if s.still(v) || s.keeps {
		s.emit(Event{Kind: EvCut, ID: d.Line, Value: &value})
		return nil
	}
	left := s.left(v, s.at)
	before, err := d.Value.Mul(left).Round()
	if err != nil {
		return err
	}
	after, err := value.Mul(left).Round()
	if err != nil {
		return err
	}
	back := min(max(before-after, 0), d.Amount)
	s.emit(Event{Kind: EvCut, ID: d.Line, Value: &value, Amount: back})
	if back > 0 {
		s.takes = append(s.takes, take{d.Line, back, period.Span{Start: s.at, End: s.sub.Period.End}})
	}
	return nil
}

// cutAll takes back all debits that match.
func (s *step) cutAll(v *catalog.Version, which func(Debit) bool) error {
	for _, d := range s.sub.Debits {
		if which(d) {
			if err := s.cut(v, d, money.Exact{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// closeAll bills what ran until s.at.
func (s *step) closeAll(which func(Segment) bool) error {
	for _, g := range s.sub.Segments {
		if !which(g) {
			continue
		}
		if err := s.close(g, false); err != nil {
			return err
		}
	}
	return nil
}

// close ends a segment at s.at and bills it; a licensed one that ends within a period is billed with the next period.
func (s *step) close(g Segment, later bool) error {
	v, err := s.sub.terms(s.cat, g.Item)
	if err != nil {
		return err
	}
	ruling, err := s.plan()
	if err != nil {
		return err
	}
	p := v.Price(g.Price)
	span := period.Span{Start: g.Start, End: s.at}
	share := s.left(ruling, g.Start).Sub(s.left(ruling, s.at))
	if !p.Metered() {
		return s.closeLicensed(g, v, ruling, p, span, share, later)
	}
	c := Closed{Sub: s.sub.ID, Item: g.Item, Plan: v.Plan, Version: v.Number, Price: p.ID, Span: span, Full: s.sub.Full,
		Share: share, Interim: g.Billed}
	l, err := usageLine(s.cat, s.usage, s.sub.Currency, &c)
	if err != nil {
		return err
	}
	s.emit(Event{Kind: EvClosed, Segment: &g, Amount: c.Billed - g.Billed})
	if l != nil {
		l.ID = s.line()
		c.Line = l.ID
		s.lines = append(s.lines, apart(*l)...)
	}
	s.closed = append(s.closed, c)
	return nil
}

// madeUp ends the id of the line that makes up a price's minimum beside its usage.
const madeUp = "-minimum"

// apart gives what makes up a price's minimum a line of its own, so that the customer sees what was used and what was
// not. What earlier invoices billed already leaves nothing to take apart.
func apart(l invoice.Line) []invoice.Line {
	for i, p := range l.Parts {
		if p.What != "minimum" || i != len(l.Parts)-1 || p.Amount <= 0 || p.Amount == l.Amount {
			continue
		}
		low := l
		low.ID, low.Kind, low.Name, low.Quantity, low.Amount, low.Parts = l.ID+madeUp, invoice.Minimum, "Minimum of "+l.Name, "", p.Amount, []rating.Part{p}
		l.Amount, l.Parts = l.Amount-p.Amount, l.Parts[:i:i]
		return []invoice.Line{l, low}
	}
	return []invoice.Line{l}
}

func (s *step) closeLicensed(g Segment, v, ruling *catalog.Version, p *catalog.Price, span period.Span, share money.Exact,
	later bool) error {
	from, err := g.Value.Mul(s.left(ruling, g.Start)).Round()
	if err != nil {
		return err
	}
	to, err := g.Value.Mul(s.left(ruling, s.at)).Round()
	if err != nil {
		return err
	}
	l := s.newLine(v, g.Item, p, invoice.Recurring, span)
	l.Amount = from - to
	if p.Quantity != "" {
		l.Quantity = s.quantity(p).Units.Text(0)
	}
	if share.Cmp(money.Int(1)) != 0 {
		l.Share = share.String()
	}
	l.Parts = []rating.Part{{What: "units", Quantity: l.Quantity, Amount: l.Amount}}
	s.emit(Event{Kind: EvClosed, Segment: &g, Amount: l.Amount})
	switch {
	case l.Amount == 0:
	case later:
		s.later = append(s.later, l)
	default:
		s.lines = append(s.lines, l)
	}
	return nil
}

// usageLine measures and prices c, fills in what is billed, and gives the line for what earlier invoices have not
// billed; nil if there is nothing to show.
func usageLine(cat *catalog.Catalog, usage *meter.Log, cur money.Currency, c *Closed) (*invoice.Line, error) {
	v, p, err := priceOf(cat, *c)
	if err != nil {
		return nil, err
	}
	m, err := cat.Meter(p.Meter)
	if err != nil {
		return nil, err
	}
	q, err := usage.Measure(m, p.Filter, c.Span, c.Full)
	if err != nil {
		return nil, err
	}
	r, err := rating.Price(p, cur, q, c.Share)
	if err != nil {
		return nil, err
	}
	c.Units, c.Billed = q.Units, max(r.Amount, c.Interim)
	if q.Units.Sign() == 0 && c.Billed == c.Interim {
		return nil, nil
	}
	l := invoice.Line{Kind: invoice.Usage, Name: p.Name, Subscription: c.Sub, Plan: v.Plan, Version: v.Number, Price: p.ID,
		Quantity: q.Units.Text(9), Span: c.Span,
		Parts: r.Parts, Amount: c.Billed - c.Interim, TaxCategory: p.TaxCategory, TaxIncluded: p.TaxIncluded}
	if c.Interim > 0 {
		l.Parts = append(l.Parts, rating.Part{What: "billed before", Amount: -c.Interim})
	}
	return &l, nil
}

// priceOf finds the terms under which c was used.
func priceOf(cat *catalog.Catalog, c Closed) (*catalog.Version, *catalog.Price, error) {
	find := cat.Plan
	if c.Item != "" {
		find = cat.Addon
	}
	plan, err := find(c.Plan)
	if err != nil {
		return nil, nil, err
	}
	v, err := plan.Number(c.Version)
	if err != nil {
		return nil, nil, err
	}
	p := v.Price(c.Price)
	if p == nil {
		return nil, nil, fault.Errorf("billing.priceOf", fault.NotFound, "%s version %d has no price %q", c.Plan, c.Version, c.Price)
	}
	return v, p, nil
}

// minimum makes up the plan's least spend for its part of the period until s.at.
func (s *step) minimum() error {
	v, err := s.plan()
	if err != nil {
		return err
	}
	low, ok := v.Minimum[s.sub.Currency]
	if !ok {
		return nil
	}
	from := s.sub.Period.Start
	if s.sub.PlanSince.After(from) {
		from = s.sub.PlanSince
	}
	share := s.left(v, from).Sub(s.left(v, s.at))
	least, err := money.Number(low).Minor(s.sub.Currency).Mul(share).Round()
	if err != nil {
		return err
	}
	gap := least - s.sub.Spent
	if gap <= 0 {
		return nil
	}
	l := invoice.Line{ID: s.line(), Kind: invoice.Minimum, Name: "Minimum of " + v.Name, Subscription: s.sub.ID, Plan: v.Plan,
		Version: v.Number, Amount: gap,
		Span: period.Span{Start: from, End: s.at}, TaxCategory: "standard", Parts: []rating.Part{{What: "minimum",
			Rate: low.String(), Amount: gap}}}
	if len(v.Prices) > 0 {
		l.TaxCategory, l.TaxIncluded = v.Prices[0].TaxCategory, v.Prices[0].TaxIncluded
	}
	s.emit(Event{Kind: EvMinimum, Amount: gap})
	s.lines = append(s.lines, l)
	return nil
}

// samePrice tells whether two prices have equal terms, so that what was charged or counted under one goes on under the
// other.
func samePrice(a, b *catalog.Price) bool {
	if a == nil || b == nil {
		return false
	}
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && string(x) == string(y)
}
