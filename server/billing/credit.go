package billing

import (
	"sort"
	"time"

	"holdfast/server/invoice"
	"holdfast/server/ledger"
	"holdfast/server/money"
	"holdfast/server/payment"
	"holdfast/server/period"
	"holdfast/server/revenue"
	"holdfast/sync/fault"
)

// note issues a credit note on v. It first lowers what is owed; the rest is paid back if refund, as far as it was paid,
// and else kept as balance.
func (t *tx) note(v *invoice.Invoice, takes []invoice.Take, reason string, refund bool) error {
	for _, k := range takes {
		if l := v.Line(k.Line); l != nil && l.Kind == invoice.Prepaid {
			return fault.Errorf("billing.note", fault.Conflict,
				"%q sells credit, which is spent or expires; it is not credited", l.Name)
		}
	}
	n, err := v.Credit(t.Notes, takes)
	if err != nil {
		return err
	}
	n.ID, n.Number, n.Issued, n.Reason = t.doc("cn"), t.number(true), t.now, reason
	was := v.State
	n.ToInvoice = min(n.Total, v.Due())
	if refund {
		n.ToRefund = min(n.Total-n.ToInvoice, t.refundable(v.ID))
	}
	n.ToBalance = n.Total - n.ToInvoice - n.ToRefund
	if *v, err = v.Reduce(n.ToInvoice, t.now); err != nil {
		return err
	}
	owed := ledger.Receivable
	if was == invoice.Uncollectible {
		owed = ledger.BadDebt
	}
	if err := t.post(n.ID+"/issue", n.Number, "credit note on "+n.Of,
		ledger.Debit(ledger.Deferred, n.Net), ledger.Debit(ledger.TaxPayable, n.Tax), ledger.Credit(owed, n.ToInvoice),
		ledger.Credit(ledger.Balance, n.ToBalance), ledger.Credit(ledger.Refunds, n.ToRefund)); err != nil {
		return err
	}
	for _, c := range n.Lines {
		span := c.Span
		if span.Start.IsZero() {
			span = v.Line(c.Line).Span
		}
		if c.Net != 0 {
			t.Earnings = append(t.Earnings, Earning{Item: revenue.Item{Line: c.Line, Document: n.Number, Customer: t.ID,
				Currency: t.Currency, Span: span, Amount: -c.Net, Booked: t.now, NotUntil: t.now}})
		}
	}
	t.Notes = append(t.Notes, n)
	if n.ToBalance > 0 {
		t.Credits = append(t.Credits, Grant{ID: t.doc("cr"), Kind: FromNotes, Amount: n.ToBalance, Left: n.ToBalance,
			Active: true, Created: t.now, Note: n.Number})
	}
	t.mail("credit_note.issued", n.Number, "Credit note %s over %s on invoice %s: %s", n.Number, t.text(n.Total), n.Of, reason)
	t.returnCoupons(v, n)
	if n.ToRefund > 0 {
		t.refund(v.ID, n.ID, n.ToRefund)
	}
	if v.State == invoice.Paid && was != invoice.Paid {
		t.paidInFull(v.ID)
	}
	return t.recognise()
}

// returnCoupons gives a discount that a note took back to its coupon, to be used again.
func (t *tx) returnCoupons(v *invoice.Invoice, n invoice.Note) {
	back := map[string]int64{}
	for _, c := range n.Lines {
		l := v.Line(c.Line)
		if c.Discount == 0 {
			continue
		}
		weights := make([]int64, len(l.Discounts))
		for i, d := range l.Discounts {
			weights[i] = d.Amount
		}
		shares, err := money.Allocate(c.Discount, weights)
		if err != nil {
			continue // a line with a discount has weights
		}
		for i, d := range l.Discounts {
			back[d.Coupon] += shares[i]
		}
	}
	for _, r := range t.Sub().Coupons {
		for _, u := range r.Uses {
			if b := min(back[r.ID], u.Amount); u.Invoice == v.ID && b > 0 {
				t.emit(Event{Kind: EvCouponUsed, ID: r.ID, Use: &Use{u.Period, u.Invoice, -b}})
			}
		}
	}
}

// refundable is how much of an invoice's payments could still be paid back.
func (t *tx) refundable(id string) int64 {
	var sum int64
	for _, p := range t.Payments {
		if p.Invoice == id && p.Status == payment.Succeeded && !p.Returned && p.Dispute != "opened" && p.Dispute != "lost" &&
			p.Method.Kind != payment.Wire {
			sum += p.Amount - p.Refunded
		}
	}
	return sum
}

// refund asks the processor to pay back, the latest payment first.
func (t *tx) refund(id, key string, amount int64) {
	for i := len(t.Payments) - 1; i >= 0 && amount > 0; i-- {
		p := &t.Payments[i]
		if p.Invoice != id || p.Status != payment.Succeeded || p.Returned || p.Dispute == "opened" || p.Dispute == "lost" ||
			p.Method.Kind == payment.Wire {
			continue
		}
		part := min(amount, p.Amount-p.Refunded)
		if part <= 0 {
			continue
		}
		p.Refunded += part
		amount -= part
		t.Outbox = append(t.Outbox, Effect{Refund: &payment.RefundRequest{Key: key + "/" + p.ID, Charge: p.ID,
			Amount: money.New(part, t.Currency)}})
	}
}

// refunded books the processor's answer. What it cannot pay back becomes balance.
func (t *tx) refunded(r payment.RefundRequest, res payment.Result) error {
	if res.Status == payment.Succeeded {
		t.mail("refund.paid", r.Charge, "%s is on its way back", t.text(r.Amount.Minor))
		return t.post(r.Key, r.Charge, "refund paid", ledger.Debit(ledger.Refunds, r.Amount.Minor),
			ledger.Credit(ledger.Cash, r.Amount.Minor))
	}
	t.keepRefund(r.Charge, r.Amount.Minor, res.Code)
	return t.post(r.Key, r.Charge, "refund failed, kept as balance", ledger.Debit(ledger.Refunds, r.Amount.Minor),
		ledger.Credit(ledger.Balance, r.Amount.Minor))
}

// keepRefund makes balance of what could not be paid back.
func (t *tx) keepRefund(charge string, amount int64, code string) {
	if p := t.payment(charge); p != nil {
		p.Refunded -= amount
	}
	t.Credits = append(t.Credits, Grant{ID: t.doc("cr"), Kind: FromNotes, Amount: amount, Left: amount, Active: true, Created: t.now, Note: "refund failed"})
	t.mail("refund.failed", charge, "%s could not be paid back (%s) and is kept as balance", t.text(amount), code)
}

// notRefunded takes in that a refund, which had counted as paid, came back.
func (t *tx) notRefunded(p *Payment, e payment.Event) error {
	n := min(e.Amount.Minor, p.Refunded)
	if n <= 0 {
		return nil
	}
	t.keepRefund(p.ID, n, e.Code)
	return t.post(p.ID+"/unrefunded/"+e.ID, p.Invoice, "refund came back, kept as balance", ledger.Debit(ledger.Cash, n), ledger.Credit(ledger.Balance, n))
}

// apply spends credit on an invoice: by priority, then what expires first, then what was given before what was bought,
// then the oldest. Credit does not buy credit.
func (t *tx) apply(v *invoice.Invoice) []invoice.Applied {
	owed := v.Total
	for _, l := range v.Lines {
		if l.Kind == invoice.Prepaid {
			owed -= l.Net + l.Tax
		}
	}
	order := make([]int, 0, len(t.Credits))
	for i, g := range t.Credits {
		if g.Active && g.Left > 0 && (g.Expires.IsZero() || g.Expires.After(t.now)) {
			order = append(order, i)
		}
	}
	sort.SliceStable(order, func(a, b int) bool { return before(t.Credits[order[a]], t.Credits[order[b]]) })
	var out []invoice.Applied
	for _, i := range order {
		g := &t.Credits[i]
		n := min(owed, g.Left)
		if n <= 0 {
			break
		}
		g.Left -= n
		owed -= n
		out = append(out, invoice.Applied{Credit: g.ID, Kind: g.Kind, Amount: n})
	}
	return out
}

func before(a, b Grant) bool {
	switch {
	case a.Priority != b.Priority:
		return a.Priority < b.Priority
	case !a.Expires.Equal(b.Expires):
		return !a.Expires.IsZero() && (b.Expires.IsZero() || a.Expires.Before(b.Expires))
	case a.Kind != b.Kind && (a.Kind == Promotional || b.Kind == Promotional):
		return a.Kind == Promotional
	}
	return a.Created.Before(b.Created)
}

// expire takes away credit whose time is over. What was bought becomes income.
func (t *tx) expire() error {
	for i := range t.Credits {
		g := &t.Credits[i]
		if g.Left == 0 || g.Expires.IsZero() || g.Expires.After(t.now) || !g.Active {
			continue
		}
		if g.Kind == Bought {
			if err := t.post(g.ID+"/expired/"+t.now.Format(time.RFC3339Nano), g.ID, "credit expired",
				ledger.Debit(ledger.PrepaidHeld, g.Left), ledger.Credit(ledger.Breakage, g.Left)); err != nil {
				return err
			}
		}
		t.mail("credit.expired", g.ID, "%s of credit has expired", t.text(g.Left))
		g.Left = 0
	}
	return nil
}

// buy sells credit: an invoice without tax, and a grant that becomes active when it is paid.
func (t *tx) buy(amount int64, expires time.Time, priority int) error {
	if amount <= 0 {
		return fault.Errorf("billing.Buy", fault.Invalid, "credit of %s; buy more than nothing", t.text(amount))
	}
	t.Lines++
	l := invoice.Line{ID: t.lineID(), Kind: invoice.Prepaid, Name: "Prepaid credit", Amount: amount, TaxCategory: "none",
		Span: period.Span{Start: t.now, End: t.now}}
	pending := t.Pending
	t.Pending = nil
	g := Grant{ID: t.doc("cr"), Kind: Bought, Amount: amount, Left: amount, Priority: priority, Created: t.now, Expires: expires}
	n := len(t.Invoices)
	t.Credits = append(t.Credits, g)
	g.Invoice = "inv_" + t.ID + "_" + itoa(t.Docs+1)
	t.Credits[len(t.Credits)-1].Invoice = g.Invoice
	if err := t.bill(how{reason: "credit"}, []invoice.Line{l}, nil); err != nil {
		return err
	}
	if len(t.Invoices) <= n || t.Invoices[n].ID != g.Invoice {
		return fault.Errorf("billing.Buy", fault.Other, "the invoice for credit has another name than its grant")
	}
	t.Pending = pending
	return nil
}

// topUp buys credit when too little is left and none is on its way.
func (t *tx) topUp() {
	if t.TopUp == nil {
		return
	}
	var left int64
	for _, g := range t.Credits {
		if g.Kind == Bought && g.Left > 0 {
			if !g.Active {
				return
			}
			left += g.Left
		}
	}
	if left >= t.TopUp.Below {
		return
	}
	var expires time.Time
	if t.TopUp.Lasts > 0 {
		expires = t.now.Add(t.TopUp.Lasts)
	}
	if err := t.buy(t.TopUp.Amount, expires, prepaidPriority); err != nil {
		t.notice("credit.top_up_failed", t.ID, "Credit could not be bought: %s", fault.DetailOf(err))
	}
}

// prepaidPriority is where bought and given credit stands unless said otherwise: after balance.
const prepaidPriority = 50
