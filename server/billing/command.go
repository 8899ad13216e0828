package billing

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"holdfast/server/catalog"
	"holdfast/server/invoice"
	"holdfast/server/money"
	"holdfast/server/naming"
	"holdfast/server/payment"
	"holdfast/server/period"
	"holdfast/server/rating"
	"holdfast/server/tax"
	"holdfast/sync/fault"
)

// Command is something a customer or an operator wants. It succeeds whole or changes nothing.
type Command interface{ apply(*tx) error }

func (c Subscribe) apply(t *tx) error {
	const op = "billing.Subscribe"
	if t.Sub().Live() {
		return fault.Errorf(op, fault.Conflict, "%s already has a subscription (%s); change it instead", t.ID, t.Sub().Plan)
	}
	if c.ID == "" {
		c.ID = "sub_" + t.ID + "_" + itoa(len(t.Subs)+1)
	}
	for _, s := range t.Subs {
		if s.ID == c.ID {
			return fault.Errorf(op, fault.Conflict, "there is a subscription %q already", c.ID)
		}
	}
	if _, err := tax.For(t.cat, t.buyer(), "standard", t.now); err != nil {
		return err
	}
	t.Subs = append(t.Subs, Sub{Currency: t.Currency})
	return t.run(t.now, how{reason: "start"}, func(s *step) error {
		if err := s.create(c); err != nil {
			return err
		}
		for _, k := range c.Coupons {
			if err := t.redeem(s, k); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c Change) apply(t *tx) error {
	memo := "change of plan"
	if c.Plan == "" {
		memo = "change of quantity"
	}
	return t.run(t.now, how{reason: "change", memo: memo, next: c.Invoice == "next", refund: c.Credit == "refund"},
		func(s *step) error { return s.change(c) })
}

// Cancel ends a subscription: at the end of its period, or Now, with Credit balance (default), refund or none for
// unused time.
type Cancel struct {
	Now    bool
	Credit string
	Reason string
}

func (c Cancel) apply(t *tx) error {
	if !c.Now {
		return t.run(t.now, how{}, func(s *step) error { return s.cancelAtEnd(c.Reason) })
	}
	return t.run(t.now, how{reason: "cancel", memo: "cancelled", refund: c.Credit == "refund", waits: true},
		func(s *step) error { return s.cancel(c.Credit, c.Reason) })
}

// Stay takes back a cancellation that waits for the end of the period.
type Stay struct{}

func (Stay) apply(t *tx) error { return t.run(t.now, how{}, (*step).stay) }

// Unschedule takes back all changes that wait.
type Unschedule struct{}

func (Unschedule) apply(t *tx) error {
	return t.run(t.now, how{}, func(s *step) error {
		if len(s.sub.Scheduled) == 0 {
			return fault.Errorf("billing.Unschedule", fault.Conflict, "no change is waiting")
		}
		for len(s.sub.Scheduled) > 0 {
			s.emit(Event{Kind: EvUnscheduled})
		}
		return nil
	})
}

// Pause stops a subscription, until a moment if Until is set.
type Pause struct {
	Until  time.Time
	Credit string // balance (default), refund, none
}

func (c Pause) apply(t *tx) error {
	return t.run(t.now, how{reason: "pause", memo: "paused", refund: c.Credit == "refund", waits: true},
		func(s *step) error { return s.pause(c.Until, c.Credit, "") })
}

// Resume goes on after a pause; Reactivate after a cancellation. Reset starts the periods anew from now.
type (
	Resume     struct{ Reset bool }
	Reactivate struct{ Reset bool }
)

func (c Resume) apply(t *tx) error {
	return t.run(t.now, how{reason: "resume"}, func(s *step) error { return s.resume(Paused, c.Reset) })
}

func (c Reactivate) apply(t *tx) error {
	return t.run(t.now, how{reason: "reactivate"}, func(s *step) error { return s.resume(Cancelled, c.Reset) })
}

// Redeem puts a coupon on the running subscription.
type Redeem struct{ Coupon string }

func (c Redeem) apply(t *tx) error {
	return t.run(t.now, how{}, func(s *step) error {
		if !s.sub.Live() {
			return fault.Errorf("billing.Redeem", fault.Conflict, "the subscription is cancelled")
		}
		return t.redeem(s, c.Coupon)
	})
}

func (t *tx) redeem(s *step, id string) error {
	const op = "billing.Redeem"
	k, err := t.cat.Coupon(id)
	if err != nil {
		return err
	}
	r := Redeemed{ID: k.ID, Percent: k.Percent, Plans: k.Plans, Prices: k.Prices,
		Cycles: map[string]int{"once": 1, "periods": k.Periods}[k.Lasts]}
	if amount, ok := k.Amount[t.Currency]; ok {
		r.Amount = minorOf(amount, t.Currency)
	}
	switch {
	case !k.Until.IsZero() && !t.now.Before(k.Until):
		return fault.Errorf(op, fault.Expired, "coupon %s could be redeemed until %s", id, k.Until.Format("2006-01-02"))
	case k.Percent.IsZero() && r.Amount == 0:
		return fault.Errorf(op, fault.Invalid, "coupon %s has no amount in %s", id, t.Currency)
	case len(k.Plans) > 0 && !listed(k.Plans, s.sub.Plan):
		return fault.Errorf(op, fault.Invalid, "coupon %s is not for %s", id, s.sub.Plan)
	case len(s.sub.Coupons) >= CouponsMax:
		return fault.Errorf(op, fault.TooLarge, "at most %d coupons", CouponsMax)
	case k.MaxUses > 0 && t.uses(id) >= k.MaxUses:
		return fault.Errorf(op, fault.Limit, "coupon %s was redeemed %d times and is used up", id, k.MaxUses)
	}
	for _, old := range s.sub.Coupons {
		if old.ID == id {
			return fault.Errorf(op, fault.Conflict, "coupon %s is redeemed already", id)
		}
	}
	s.emit(Event{Kind: EvCoupon, Coupon: &r})
	return nil
}

// Methods sets how the customer pays, in the order of trying; what is past due is tried at once. Send asks the customer
// to send the money instead.
type Methods struct {
	List []payment.Method
	Send bool
}

func (c Methods) apply(t *tx) error {
	if len(c.List) > MethodsMax {
		return fault.Errorf("billing.Methods", fault.TooLarge, "at most %d payment methods", MethodsMax)
	}
	for _, m := range c.List {
		if err := t.checks(m); err != nil {
			return err
		}
	}
	t.Methods, t.Collect = copied(c.List), ""
	if c.Send {
		t.Collect = "send"
	}
	t.notice("customer.methods_changed", t.ID, "%d payment methods", len(c.List))
	for _, v := range t.Invoices {
		if v.State == invoice.Open && v.Due() > 0 {
			t.collect(t.Invoice(v.ID))
		}
	}
	return nil
}

// Update replaces what is known of the customer; the id and the currency stay. Issued documents keep what they say.
type Update struct{ Customer Customer }

func (c Update) apply(t *tx) error {
	n, err := checkCustomer(t.cat, c.Customer, t.now)
	if err != nil {
		return err
	}
	if n.ID != t.ID || n.Currency != t.Currency {
		return fault.Errorf("billing.Update", fault.Conflict, "a customer's id and currency never change")
	}
	t.Customer = n
	t.notice("customer.updated", t.ID, "The customer's details changed")
	return nil
}

// CheckedVAT is what the register says of the customer's VAT number. While it says nothing (Unchecked), the last answer
// stands.
type CheckedVAT struct{ Status tax.Status }

func (c CheckedVAT) apply(t *tx) error {
	switch {
	case t.VATID == "":
		return fault.Errorf("billing.CheckedVAT", fault.Conflict, "%s has no VAT number", t.ID)
	case c.Status == tax.Unchecked:
		t.notice("customer.vat_unavailable", t.ID, "The VAT register did not answer; taxes stay as they are")
		return nil
	}
	t.VATStatus = c.Status
	t.notice("customer.vat_checked", t.ID, "The VAT number is %s", c.Status)
	return nil
}

// Tell adds a notice of something that happened outside billing and concerns the customer.
type Tell struct {
	Kind, Ref, Text string
	Mail            bool
}

func (c Tell) apply(t *tx) error {
	t.tell(c.Mail, c.Kind, c.Ref, "%s", c.Text)
	return nil
}

// Give grants promotional credit.
type Give struct {
	Amount   int64
	Expires  time.Time
	Priority *int
}

func (c Give) apply(t *tx) error {
	switch {
	case c.Amount <= 0 || c.Amount > money.MaxMinor:
		return fault.Errorf("billing.Give", fault.Invalid, "credit of %s; give more than nothing", t.text(c.Amount))
	case !c.Expires.IsZero() && !c.Expires.After(t.now):
		return fault.Errorf("billing.Give", fault.Invalid, "credit that has expired already")
	}
	t.Credits = append(t.Credits, Grant{ID: t.doc("cr"), Kind: Promotional, Amount: c.Amount, Left: c.Amount, Active: true,
		Priority: priority(c.Priority), Created: t.now,
		Expires: c.Expires})
	t.mail("credit.given", t.ID, "%s of credit was given", t.text(c.Amount))
	return nil
}

func priority(p *int) int {
	if p == nil {
		return prepaidPriority
	}
	return *p
}

// Buy sells prepaid credit; Auto sets the rule that buys it (nil: none).
type (
	Buy struct {
		Amount   int64
		Expires  time.Time
		Priority *int
	}
	Auto struct{ Rule *TopUp }
)

func (c Buy) apply(t *tx) error {
	if !c.Expires.IsZero() && !c.Expires.After(t.now) {
		return fault.Errorf("billing.Buy", fault.Invalid, "credit that has expired already")
	}
	return t.buy(c.Amount, c.Expires, priority(c.Priority))
}

func (c Auto) apply(t *tx) error {
	if c.Rule != nil && (c.Rule.Amount <= 0 || c.Rule.Below < 0) {
		return fault.Errorf("billing.Auto", fault.Invalid, "a top-up buys more than nothing")
	}
	t.TopUp = c.Rule
	t.topUp()
	return nil
}

// CreditInvoice gives a part of an issued invoice back: Gross minor units with tax (0: all that is left), of one line
// or of all. Refund pays it back and fails if that is more than was paid.
type CreditInvoice struct {
	Invoice string
	Line    string
	Gross   int64
	Refund  bool
	Reason  string
}

func (c CreditInvoice) apply(t *tx) error {
	const op = "billing.CreditInvoice"
	v := t.Invoice(c.Invoice)
	if v == nil {
		return fault.Errorf(op, fault.NotFound, "there is no invoice %q", c.Invoice)
	}
	var left []int64
	var sum int64
	for _, l := range v.Lines {
		n := int64(0)
		if c.Line == "" || c.Line == l.ID || c.Line == l.Price {
			n = max(v.LeftGross(l.ID, t.Notes), 0)
		}
		left, sum = append(left, n), sum+n
	}
	gross := c.Gross
	if gross == 0 {
		gross = sum
	}
	switch {
	case gross < 0 || sum == 0 && c.Gross == 0:
		return fault.Errorf(op, fault.Invalid, "there is nothing to give back on invoice %s", v.Number)
	case gross > sum:
		return fault.Errorf(op, fault.Invalid, "%s is more than what is left of invoice %s (%s)", t.text(gross), v.Number, t.text(sum))
	case c.Refund && gross > t.refundable(v.ID):
		return fault.Errorf(op, fault.Invalid, "a refund of %s is more than what was paid and not refunded on invoice %s (%s)",
			t.text(gross), v.Number, t.text(t.refundable(v.ID)))
	}
	parts, err := money.Allocate(gross, left)
	if err != nil {
		return err
	}
	var takes []invoice.Take
	for i, l := range v.Lines {
		if parts[i] > 0 {
			takes = append(takes, invoice.Take{Line: l.ID, Gross: parts[i]})
		}
	}
	if err := printable(op, c.Reason); err != nil {
		return err
	}
	reason := c.Reason
	if reason == "" {
		reason = "credited"
	}
	return t.note(v, takes, reason, c.Refund)
}

// Void makes an open invoice void; GiveUp marks one uncollectible; Collect tries to collect one now.
type (
	Void    struct{ Invoice string }
	GiveUp  struct{ Invoice string }
	Collect struct{ Invoice string }
)

func (c GiveUp) apply(t *tx) error {
	v := t.Invoice(c.Invoice)
	if v == nil {
		return fault.Errorf("billing.GiveUp", fault.NotFound, "there is no invoice %q", c.Invoice)
	}
	return t.giveUp(v.ID)
}

func (c Collect) apply(t *tx) error {
	const op = "billing.Collect"
	v := t.Invoice(c.Invoice)
	switch {
	case v == nil:
		return fault.Errorf(op, fault.NotFound, "there is no invoice %q", c.Invoice)
	case v.State != invoice.Open:
		return fault.Errorf(op, fault.Conflict, "invoice %s is %s; nothing is owed on it", v.Number, v.State)
	case len(t.chargeable()) == 0:
		return fault.Errorf(op, fault.Conflict, "%s has no payment method that can be charged", t.ID)
	case t.underway(v.ID):
		return fault.Errorf(op, fault.Busy, "a payment of invoice %s is under way", v.Number)
	}
	if _, ok := t.nextMethod(v.ID); !ok {
		return fault.Errorf(op, fault.Limit, "every method was refused for good or too often; add another one")
	}
	t.collect(v)
	return nil
}

// Charge adds a line to the next invoice, or with Now makes one of it.
type Charge struct {
	Name        string
	Amount      int64
	TaxCategory string
	TaxIncluded bool
	Span        period.Span
	Now         bool
}

func (c Charge) apply(t *tx) error {
	const op = "billing.Charge"
	if c.Amount <= 0 || c.Name == "" {
		return fault.Errorf(op, fault.Invalid, "a charge needs a name and an amount above zero")
	}
	if err := printable(op, c.Name); err != nil {
		return err
	}
	pending := c.Amount
	for _, l := range t.Pending {
		pending += l.Amount
	}
	if pending > money.MaxMinor {
		return fault.Errorf(op, fault.TooLarge, "with what waits for the next invoice that is %s, which is more than can be billed at once", t.text(pending))
	}
	t.Lines++
	l := invoice.Line{ID: t.lineID(), Kind: invoice.Manual, Name: c.Name, Amount: c.Amount, TaxCategory: c.TaxCategory,
		TaxIncluded: c.TaxIncluded, Span: c.Span,
		Parts: []rating.Part{part("flat", c.Amount)}}
	if l.TaxCategory == "" {
		l.TaxCategory = "standard"
	}
	if l.Span.Start.IsZero() {
		l.Span = period.Span{Start: t.now, End: t.now}
	}
	if !c.Now {
		t.Pending = append(t.Pending, l)
		return nil
	}
	return t.bill(how{reason: "manual"}, []invoice.Line{l}, nil)
}

// checkCustomer normalises a customer and refuses what could not be billed.
func checkCustomer(c *catalog.Catalog, n Customer, at time.Time) (Customer, error) {
	const op = "billing.Customer"
	var err error
	if n.Currency == "" {
		n.Currency = c.Currency
	}
	if n.Currency, err = money.ParseCurrency(string(n.Currency)); err != nil {
		return n, err
	}
	if n.ID == "" {
		return n, fault.Errorf(op, fault.Invalid, "a customer needs an id")
	}
	if n.Name == "" {
		n.Name = n.ID
	}
	if err := printable(op, append([]string{n.Name, n.Country, n.Email, n.CompanyID}, n.Address...)...); err != nil {
		return n, err
	}
	if n.VATID, err = tax.CheckID(n.VATID); err != nil {
		return n, err
	}
	_, err = tax.For(c, tax.Buyer{Country: n.Country, VATID: n.VATID, Status: n.VATStatus, Exempt: n.Exempt}, "standard", at)
	return n, err
}

// printable refuses texts that no document can hold: XML has no control characters, and marks that turn the direction of writing make a
// line read as another one.
func printable(op string, texts ...string) error {
	for _, s := range texts {
		if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) || naming.TurnsAround(s) {
			return fault.Errorf(op, fault.Invalid, "%.60q cannot stand on a document: write it in one line, without control characters", s)
		}
	}
	return nil
}
