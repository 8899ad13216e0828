package billing

import (
	"fmt"

	"github.com/govalues/decimal"

	"holdfast/server/invoice"
	"holdfast/server/ledger"
	"holdfast/server/money"
	"holdfast/server/period"
	"holdfast/server/rating"
	"holdfast/server/revenue"
	"holdfast/server/tax"
)

func part(what string, n int64) rating.Part { return rating.Part{What: what, Amount: n} }

// bill makes an invoice of lines and of what is pending. At the turn of a period it also looks again at usage that was
// billed before.
func (t *tx) bill(h how, lines []invoice.Line, closed []Closed) error {
	v := invoice.Invoice{ID: t.doc("inv"), State: invoice.Draft, Test: t.cat.Invoices.Test, Reason: h.reason, Seller: sellerParty(t.cat.Seller),
		Buyer: t.party(), Currency: t.Currency,
		Created: t.now}
	v.Number = fmt.Sprintf("DRAFT-%s-%d", t.ID, t.Docs)
	if h.waits && t.cat.Invoices.Late == "carry" {
		late, err := t.late()
		if err != nil {
			return err
		}
		lines = append(lines, late...)
	}
	v.Lines = append(copied(t.Pending), lines...)
	t.Pending = nil
	for i := range closed {
		closed[i].Invoice = v.ID
	}
	for i := range t.Closed { // what was pending stands here now
		if c := &t.Closed[i]; c.Invoice == "" && c.Line != "" && v.Line(c.Line) != nil {
			c.Invoice = v.ID
		}
	}
	t.Closed = append(t.Closed, closed...)
	t.forget()
	if len(v.Lines) == 0 {
		return nil
	}
	t.Invoices = append(t.Invoices, v)
	if h.waits && len(closed) > 0 && t.cat.Invoices.Grace > 0 {
		t.Waits = append(t.Waits, Wait{v.ID, t.now.Add(t.cat.Invoices.Grace)})
		t.notice("invoice.created", v.Number, "A draft waits until %s for late usage",
			t.now.Add(t.cat.Invoices.Grace).Format("2006-01-02 15:04"))
		return t.estimate(v.ID)
	}
	return t.issue(v.ID)
}

// estimate fills in a waiting draft's totals as they would be now.
func (t *tx) estimate(id string) error {
	v := t.Invoice(id)
	v.Lines = copied(v.Lines)
	for i := range v.Lines {
		if err := t.treat(&v.Lines[i]); err != nil {
			return err
		}
	}
	done, err := v.Compute(t.coupons())
	if err == nil {
		*v = done
	}
	return err
}

// late bills or credits what was heard of earlier periods since their invoices.
func (t *tx) late() ([]invoice.Line, error) {
	var out []invoice.Line
	for i := range t.Closed {
		c := &t.Closed[i]
		if v := t.Invoice(c.Invoice); v != nil && v.State == invoice.Draft {
			continue // it is brought up to date itself
		}
		now := *c
		now.Interim = c.Billed
		l, err := usageLine(t.cat, t.Usage, t.Currency, &now)
		if err != nil {
			return nil, err
		}
		if now.Units.Cmp(c.Units) == 0 {
			continue
		}
		if l != nil && l.Amount > 0 {
			t.Lines++
			l.ID, l.Kind, l.Name = fmt.Sprintf("%s-%d", t.ID, t.Lines), invoice.Late, "Late usage: "+l.Name
			l.Quantity = now.Units.Sub(c.Units).Text(9)
			out = append(out, *l)
			c.Units, c.Billed = now.Units, now.Billed
			continue
		}
		if err := t.overbilled(c, now); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// overbilled credits usage that a correction lowered, on the line that billed it.
func (t *tx) overbilled(c *Closed, now Closed) error {
	again := now
	again.Interim = 0
	if _, err := usageLine(t.cat, t.Usage, t.Currency, &again); err != nil {
		return err
	}
	back := c.Billed - again.Billed
	c.Units = again.Units
	if v := t.Invoice(c.Invoice); v != nil && c.Line != "" && back > 0 {
		back = min(back, v.Left(c.Line, t.Notes))
		if back > 0 {
			if err := t.note(v, []invoice.Take{{Line: c.Line, Amount: back, Span: c.Span, Name: "Corrected usage"}},
				"corrected usage", false); err != nil {
				return err
			}
			c.Billed -= back
		}
	}
	return nil
}

// forget drops billed usage that nobody will look at again.
func (t *tx) forget() {
	t.Closed = filter(t.Closed, func(c Closed) bool { return t.now.Sub(c.Span.End) <= LateFor })
}

// refresh brings the usage on a draft up to date, as far as lines go; a segment that had nothing gets its line.
func (t *tx) refresh(v *invoice.Invoice) error {
	v.Lines = copied(v.Lines)
	var more int64
	for i := range t.Closed {
		c := &t.Closed[i]
		if c.Invoice != v.ID {
			continue
		}
		before := c.Billed
		l, err := usageLine(t.cat, t.Usage, t.Currency, c)
		if err != nil {
			return err
		}
		if l == nil {
			continue
		}
		if c.Item == "" {
			more += c.Billed - before
		}
		if c.Line == "" {
			t.Lines++
			c.Line = t.lineID()
		}
		l.ID = c.Line
		v.Lines = replace(v.Lines, apart(*l))
	}
	for i := range v.Lines { // more usage leaves less to make up
		if l := &v.Lines[i]; l.Kind == invoice.Minimum && l.Price == "" && more > 0 {
			off := min(more, l.Amount)
			l.Amount, more = l.Amount-off, more-off
			l.Parts = append(l.Parts[:len(l.Parts):len(l.Parts)], part("made up by late usage", -off))
		}
	}
	return nil
}

// replace puts lines where the one with the first's id, and what made up its minimum, stood; or at the end.
func replace(list, with []invoice.Line) []invoice.Line {
	var out []invoice.Line
	placed := false
	for _, l := range list {
		switch l.ID {
		case with[0].ID:
			out, placed = append(out, with...), true
		case with[0].ID + madeUp:
		default:
			out = append(out, l)
		}
	}
	if !placed {
		out = append(out, with...)
	}
	return out
}

// coupons lists the subscription's coupons as they stand in this period.
func (t *tx) coupons() []invoice.Coupon {
	sub := t.Sub()
	var out []invoice.Coupon
	for _, r := range sub.Coupons {
		left, ok := r.left(sub.periodName())
		if !ok {
			continue
		}
		out = append(out, invoice.Coupon{ID: r.ID, Percent: r.Percent, Amount: left, Takes: func(l invoice.Line) bool {
			return l.Subscription == sub.ID && (len(r.Plans) == 0 || listed(r.Plans, l.Plan)) &&
				(len(r.Prices) == 0 || listed(r.Prices, l.Price))
		}})
	}
	return out
}

func listed(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// issue computes a draft, gives it its number, books it, and starts to collect it. A draft of nothing is dropped.
func (t *tx) issue(id string) error {
	v := t.Invoice(id)
	waited := false
	t.Waits = filter(t.Waits, func(w Wait) bool { waited = waited || w.Invoice == id; return w.Invoice != id })
	if waited {
		if err := t.refresh(v); err != nil {
			return err
		}
	}
	if err := t.estimate(id); err != nil {
		return err
	}
	done := *v
	if done.Subtotal == 0 {
		t.Invoices = filter(t.Invoices, func(x invoice.Invoice) bool { return x.ID != id })
		return nil
	}
	t.useCoupons(done)
	applied := t.apply(&done)
	due := t.now.AddDate(0, 0, t.cat.Invoices.DueDays)
	done, err := done.Issue(t.number(false), t.now, due, applied)
	if err != nil {
		return err
	}
	*v = done
	if err := t.bookInvoice(done); err != nil {
		return err
	}
	t.mail("invoice.issued", done.Number, "Invoice %s over %s is issued; %s is due", done.Number, t.text(done.Total),
		t.text(done.Due()))
	if done.State == invoice.Paid {
		t.paidInFull(done.ID)
	} else {
		t.collect(t.Invoice(id))
	}
	t.topUp()
	return nil
}

func (t *tx) treat(l *invoice.Line) error {
	if l.Kind == invoice.Prepaid {
		l.Treatment = tax.Treatment{Category: tax.Outside, Name: "No tax", Reason: "Credit is taxed when it is spent"}
		return nil
	}
	var err error
	l.Treatment, err = tax.For(t.cat, t.buyer(), l.TaxCategory, t.now)
	return err
}

// useCoupons notes what each coupon took off.
func (t *tx) useCoupons(v invoice.Invoice) {
	off := map[string]int64{}
	for _, l := range v.Lines {
		for _, d := range l.Discounts {
			off[d.Coupon] += d.Amount
		}
	}
	for _, r := range t.Sub().Coupons {
		if off[r.ID] > 0 {
			t.emit(Event{Kind: EvCouponUsed, ID: r.ID, Use: &Use{t.Sub().periodName(), v.ID, off[r.ID]}})
		}
	}
}

// bookInvoice posts an issued invoice and lays out its revenue.
func (t *tx) bookInvoice(v invoice.Invoice) error {
	var deferred, held int64
	for _, l := range v.Lines {
		if l.Kind == invoice.Prepaid {
			held += l.Net
			continue
		}
		deferred += l.Net
		if l.Net != 0 {
			t.Earnings = append(t.Earnings, Earning{Item: revenue.Item{Line: l.ID, Document: v.Number, Customer: t.ID,
				Currency: t.Currency, Span: l.Span, Amount: l.Net, Booked: t.now}})
		}
	}
	if err := t.post(v.ID+"/issue", v.Number, "invoice issued", ledger.Debit(ledger.Receivable, v.Total),
		ledger.Credit(ledger.Deferred, deferred),
		ledger.Credit(ledger.PrepaidHeld, held), ledger.Credit(ledger.TaxPayable, v.Tax)); err != nil {
		return err
	}
	for _, a := range v.Applied {
		if err := t.post(v.ID+"/credit/"+a.Credit, v.Number, "credit applied", ledger.Debit(holder(a.Kind), a.Amount),
			ledger.Credit(ledger.Receivable, a.Amount)); err != nil {
			return err
		}
	}
	return t.recognise()
}

// holder is the account that pays when a credit of a kind is spent.
func holder(kind string) ledger.Account {
	switch kind {
	case Bought:
		return ledger.PrepaidHeld
	case Promotional:
		return ledger.Promotion
	}
	return ledger.Balance
}

// mayPass tells whether usage could pass an amount at which it is invoiced at once.
func (t *tx) mayPass() bool {
	sub := t.Sub()
	if sub.Status != Active {
		return false
	}
	v, err := sub.terms(t.cat, "")
	return err == nil && sub.Passed < len(v.Thresholds[t.Currency])
}

// thresholds invoices usage at once when it passes one of the plan's amounts.
func (t *tx) thresholds() error {
	v, err := t.Sub().terms(t.cat, "")
	if err != nil {
		return err
	}
	return t.run(t.now, how{reason: "threshold"}, func(s *step) error { return s.interim(v.Thresholds[t.Currency]) })
}

// interim bills what is used so far if it passed the next of the amounts.
func (s *step) interim(steps []decimal.Decimal) error {
	var total int64
	var lines []invoice.Line
	var bills []Event
	for _, g := range s.sub.Segments {
		l, billed, err := s.soFar(g)
		if err != nil {
			return err
		}
		total += billed
		if l != nil && l.Amount > 0 {
			l.ID = s.line()
			lines = append(lines, *l)
			bills = append(bills, Event{Kind: EvInterim, Segment: &g, Amount: l.Amount})
		}
	}
	n := s.sub.Passed
	for n < len(steps) && money.Int(total).Cmp(money.Number(steps[n]).Minor(s.sub.Currency)) >= 0 {
		n++
	}
	if n == s.sub.Passed {
		return nil
	}
	s.emit(Event{Kind: EvThreshold, N: n})
	for _, e := range bills {
		s.emit(e)
	}
	s.lines = lines
	return nil
}

// soFar prices a segment as if it ended now: the line for what is not billed yet, and all that it comes to. Prices that
// are not metered give nothing.
func (s *step) soFar(g Segment) (*invoice.Line, int64, error) {
	v, err := s.sub.terms(s.cat, g.Item)
	if err != nil {
		return nil, 0, err
	}
	ruling, err := s.plan()
	if err != nil {
		return nil, 0, err
	}
	p := v.Price(g.Price)
	if !p.Metered() {
		return nil, 0, nil
	}
	c := Closed{Sub: s.sub.ID, Item: g.Item, Plan: v.Plan, Version: v.Number, Price: p.ID,
		Span: period.Span{Start: g.Start, End: s.at.Add(1)}, Full: s.sub.Full,
		Share: s.left(ruling, g.Start).Sub(s.left(ruling, s.at)), Interim: g.Billed}
	l, err := usageLine(s.cat, s.usage, s.sub.Currency, &c)
	return l, c.Billed, err
}
