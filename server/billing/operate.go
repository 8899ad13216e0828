package billing

import (
	"time"

	"holdfast/server/catalog"
	"holdfast/server/invoice"
	"holdfast/server/money"
	"holdfast/server/payment"
	"holdfast/server/rating"
	"holdfast/sync/fault"
)

// Extend moves the end of a trial that runs to a later moment.
type Extend struct{ Until time.Time }

func (c Extend) apply(t *tx) error {
	const op = "billing.Extend"
	s := t.Sub()
	switch {
	case s.Status != Trialing:
		return fault.Errorf(op, fault.Conflict, "no trial runs; the subscription is %s", s.Status)
	case !c.Until.After(s.TrialEnd):
		return fault.Errorf(op, fault.Invalid, "the trial runs until %s; name a later day", s.TrialEnd.Format(time.DateOnly))
	case c.Until.Sub(t.now) > BackdateMax:
		return fault.Errorf(op, fault.Invalid, "a trial ends within %d days", int(BackdateMax.Hours()/24))
	}
	if ends := s.Ends; !ends.IsZero() { // a cancellation that waits for the trial's end goes on waiting for it
		t.emit(Event{Kind: EvEnds, When: c.Until, Text: s.Reason})
	}
	t.emit(Event{Kind: EvTrial, When: c.Until})
	return nil
}

// Wire books a bank transfer of a customer for one of their invoices. ID names the transfer: the same one is booked once.
type Wire struct {
	Invoice string // id or number
	ID      string
	Amount  int64
}

func (c Wire) apply(t *tx) error {
	const op = "billing.Wire"
	v := t.Invoice(c.Invoice)
	switch {
	case v == nil || v.State == invoice.Draft:
		return fault.Errorf(op, fault.NotFound, "there is no invoice %q", c.Invoice)
	case v.State == invoice.Void:
		return fault.Errorf(op, fault.Conflict, "invoice %s is void; nothing can be paid on it", v.Number)
	case c.Amount <= 0 || c.Amount > money.MaxMinor:
		return fault.Errorf(op, fault.Invalid, "a transfer of %s; name an amount above zero", t.text(c.Amount))
	case c.ID == "":
		return fault.Errorf(op, fault.Invalid, "a transfer needs the bank's reference, so that it is booked once")
	case t.Seen[c.ID]:
		return fault.Errorf(op, fault.Conflict, "the transfer %s is booked already", c.ID)
	case t.underway(v.ID):
		return fault.Errorf(op, fault.Busy, "a payment of invoice %s is under way", v.Number)
	}
	return t.wired(v, c.ID, "wire_"+c.ID, c.Amount)
}

// wired books money that arrived for an invoice.
func (t *tx) wired(v *invoice.Invoice, event, charge string, amount int64) error {
	t.Payments = append(t.Payments, Payment{ID: charge, Key: event, Invoice: v.ID, Method: payment.Method{Kind: payment.Wire},
		Amount: amount, Status: payment.Succeeded, At: t.now})
	t.notice("payment.wire", v.Number, "A wire of %s for invoice %s arrived", t.text(amount), v.Number)
	t.Seen[event] = true
	return t.receive(v.ID, charge, amount)
}

// Recurring is what the running subscription brings in a month at the prices of its terms, in minor units: licensed prices only, before
// discounts and tax. Longer and shorter periods count by their share of a year. A trial brings nothing yet.
func (a *Account) Recurring(cat *catalog.Catalog) (int64, error) {
	s := a.Sub()
	if s.Status != Active {
		return 0, nil
	}
	ruling, err := s.terms(cat, "")
	if err != nil {
		return 0, err
	}
	var sum money.Exact
	for _, i := range s.Items {
		v, err := s.terms(cat, i.Key)
		if err != nil {
			return 0, err
		}
		for n := range v.Prices {
			p := &v.Prices[n]
			if p.Metered() {
				continue
			}
			r, err := rating.Price(p, s.Currency, (&step{sub: s}).quantity(p), money.Int(1))
			if err != nil {
				return 0, err
			}
			sum = sum.Add(r.Exact)
		}
	}
	return sum.Mul(ruling.Interval.PerYear()).Mul(money.Frac(1, 12)).Round()
}
