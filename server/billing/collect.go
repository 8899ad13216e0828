package billing

import (
	"strconv"
	"time"

	"holdfast/server/invoice"
	"holdfast/server/ledger"
	"holdfast/server/money"
	"holdfast/server/payment"
	"holdfast/sync/fault"
)

func itoa(n int) string { return strconv.Itoa(n) }

func (t *tx) lineID() string { return t.ID + "-" + itoa(t.Lines) }

// chargeable lists the methods that can be charged, in the customer's order.
func (t *tx) chargeable() []payment.Method {
	return filter(t.Methods, func(m payment.Method) bool { return m.Kind != payment.Wire })
}

// collect asks for what is owed on an invoice: by the first method that did not refuse it for good, or by asking the
// customer.
func (t *tx) collect(v *invoice.Invoice) {
	if v.Due() <= 0 || v.State != invoice.Open || t.underway(v.ID) {
		return
	}
	if t.Collect == "send" || len(t.chargeable()) == 0 {
		return // the invoice names the day and where to pay; the clock chases it when the day is over
	}
	m, ok := t.nextMethod(v.ID)
	if !ok {
		return
	}
	n := 1
	for _, p := range t.Payments {
		if p.Invoice == v.ID {
			n++
		}
	}
	key := v.ID + "#" + itoa(n)
	t.Outbox = append(t.Outbox, Effect{Charge: &payment.ChargeRequest{Key: key, Customer: t.ID, Invoice: v.ID, Method: m,
		Amount: money.New(v.Due(), t.Currency)}})
}

// underway tells whether a charge for the invoice has no answer yet.
func (t *tx) underway(id string) bool {
	for _, e := range t.Outbox {
		if e.Charge != nil && e.Charge.Invoice == id {
			return true
		}
	}
	for _, p := range t.Payments {
		if p.Invoice == id && p.Status == payment.Processing {
			return true
		}
	}
	return false
}

// nextMethod is the first method without a hard decline on this invoice, within what networks allow.
func (t *tx) nextMethod(id string) (payment.Method, bool) {
	recent := 0
	refused := map[payment.Method]bool{}
	for _, p := range t.Payments {
		if p.Invoice != id {
			continue
		}
		if t.now.Sub(p.At) < 30*24*time.Hour {
			recent++
		}
		if p.Hard {
			refused[p.Method] = true
		}
	}
	if recent >= payment.TriesMax {
		return payment.Method{}, false
	}
	for _, m := range t.chargeable() {
		if !refused[m] {
			return m, true
		}
	}
	return payment.Method{}, false
}

// charged books the processor's answer to a charge.
func (t *tx) charged(r payment.ChargeRequest, res payment.Result) error {
	t.Payments = append(t.Payments, Payment{ID: res.ID, Key: r.Key, Invoice: r.Invoice, Method: r.Method,
		Amount: r.Amount.Minor, Status: res.Status, Code: res.Code,
		Hard: res.Hard, At: t.now})
	p := &t.Payments[len(t.Payments)-1]
	switch res.Status {
	case payment.Succeeded:
		return t.succeeded(p)
	case payment.Failed:
		t.failed(p)
	case payment.Action:
		t.confirm(p)
	case payment.Processing:
		t.notice("payment.processing", p.Invoice, "A payment of %s is under way", t.text(p.Amount))
	}
	return nil
}

// confirm asks the customer to confirm a payment.
func (t *tx) confirm(p *Payment) {
	p.Status = payment.Action
	t.mail("payment.action_required", p.Invoice, "Your bank wants you to confirm a payment of %s", t.text(p.Amount))
	t.chaseUp(p.Invoice)
}

// succeeded books money. What is more than is owed by now becomes balance.
func (t *tx) succeeded(p *Payment) error {
	p.Status, p.Code, p.Hard = payment.Succeeded, "", false
	t.notice("payment.succeeded", p.Invoice, "%s was paid", t.text(p.Amount))
	return t.receive(p.Invoice, p.ID, p.Amount)
}

func (t *tx) receive(id, key string, amount int64) error {
	v := t.Invoice(id)
	was := v.State
	take := int64(0)
	if was == invoice.Open || was == invoice.Uncollectible {
		take = min(amount, v.Due())
	}
	if take > 0 {
		var err error
		if *v, err = v.Receive(take, t.now); err != nil {
			return err
		}
	}
	owed := ledger.Receivable
	if was == invoice.Uncollectible {
		owed = ledger.BadDebt
	}
	rest := amount - take
	if err := t.post(key+"/received", v.Number, "payment received", ledger.Debit(ledger.Cash, amount),
		ledger.Credit(owed, take), ledger.Credit(ledger.Balance, rest)); err != nil {
		return err
	}
	if rest > 0 {
		t.Credits = append(t.Credits, Grant{ID: t.doc("cr"), Kind: FromNotes, Amount: rest, Left: rest, Active: true,
			Created: t.now, Note: key})
		t.mail("payment.surplus", v.Number, "%s more than was owed is kept as balance", t.text(rest))
	}
	if v.State == invoice.Paid && was != invoice.Paid {
		t.paidInFull(v.ID)
	}
	return nil
}

// paidInFull ends the chase for an invoice, wakes the credit that it sold, and lifts the restriction when nothing is
// owed any more.
func (t *tx) paidInFull(id string) {
	v := t.Invoice(id)
	t.notice("invoice.paid", v.Number, "Invoice %s is paid", v.Number)
	for i := range t.Credits {
		if g := &t.Credits[i]; g.Invoice == id && !g.Active {
			g.Active = true
			t.notice("credit.active", g.ID, "%s of credit can be spent", t.text(g.Amount))
		}
	}
	t.endChase(id)
}

func (t *tx) endChase(id string) {
	n := len(t.Chases)
	t.Chases = filter(t.Chases, func(c Chase) bool { return c.Invoice != id })
	if n == 0 && !t.Restricted || len(t.Chases) > 0 {
		return
	}
	if t.Restricted {
		t.Restricted = false
		t.mail("account.restored", t.ID, "Everything is paid; the workspace can be written again")
	} else {
		t.mail("account.recovered", t.ID, "Everything is paid; thank you")
	}
}

// failed notes a decline and plans what follows: another method at once after a hard decline, else the next retry.
func (t *tx) failed(p *Payment) {
	p.Status = payment.Failed
	t.mail("payment.failed", p.Invoice, "A payment of %s failed: %s", t.text(p.Amount), p.Code)
	t.chaseUp(p.Invoice)
	if m, ok := t.nextMethod(p.Invoice); ok && p.Hard && m != p.Method {
		t.collect(t.Invoice(p.Invoice))
	}
}

// chaseUp starts or goes on with the chase for an invoice.
func (t *tx) chaseUp(id string) {
	v := t.Invoice(id)
	if low, ok := t.cat.Dunning.Minimum[t.Currency]; ok && money.Int(v.Due()).Cmp(money.Number(low).Minor(t.Currency)) < 0 {
		return // too little to chase
	}
	c := t.chase(id)
	if c == nil {
		t.Chases = append(t.Chases, Chase{Invoice: id, First: t.now})
		c = &t.Chases[len(t.Chases)-1]
		t.mail("account.past_due", v.Number, "Invoice %s over %s is past due", v.Number, t.text(v.Due()))
	}
	c.Tries++
	c.Retry = time.Time{}
	if _, ok := t.nextMethod(id); !ok {
		return
	}
	for _, d := range t.cat.Dunning.Retries {
		if at := c.First.Add(d); at.After(t.now) {
			c.Retry = at
			return
		}
	}
}

// event books what a processor told later. Repetitions and what comes too late change nothing.
func (t *tx) event(e payment.Event) error {
	if t.Seen[e.ID] {
		return nil
	}
	t.Seen[e.ID] = true
	p := t.payment(e.Charge)
	if p == nil {
		return fault.Errorf("billing.event", fault.NotFound, "event %s is about charge %q, which is not known yet", e.ID, e.Charge)
	}
	switch open := p.Status != payment.Succeeded && !p.Returned; e.Kind {
	case payment.ChargeSucceeded:
		if open {
			return t.succeeded(p)
		}
	case payment.ChargeFailed:
		if open && p.Status != payment.Failed {
			p.Code, p.Hard = e.Code, e.Hard
			t.failed(p)
		}
	case payment.ChargeAction:
		if p.Status == payment.Processing {
			t.confirm(p)
		}
	case payment.RefundFailed:
		return t.notRefunded(p, e)
	case payment.ChargeReturned:
		if p.Returned {
			return nil
		}
		p.Returned, p.Code, p.Hard = true, e.Code, e.Hard
		if open {
			t.failed(p)
			return nil
		}
		return t.bounced(p)
	case payment.DisputeOpened, payment.DisputeWon, payment.DisputeLost:
		return t.disputed(p, e)
	}
	return nil
}

// bounced takes back money that a bank took back: the invoice is owed again, and what had become balance is gone, as
// far as it is not spent; what is spent is a loss.
func (t *tx) bounced(p *Payment) error {
	p.Status = payment.Failed
	v := t.Invoice(p.Invoice)
	whole := p.Amount - p.Refunded
	back := min(whole, v.Received)
	rest := whole - back
	var held int64
	for i := range t.Credits {
		if g := &t.Credits[i]; g.Note == p.ID && g.Kind == FromNotes {
			n := min(rest-held, g.Left)
			g.Left -= n
			held += n
		}
	}
	t.mail("payment.returned", v.Number, "%s was taken back by the bank: %s", t.text(whole), p.Code)
	if back > 0 {
		var err error
		if *v, err = v.Return(back); err != nil {
			return err
		}
		for i := range t.Credits {
			if g := &t.Credits[i]; g.Invoice == v.ID {
				g.Active = false // until it is paid again
			}
		}
		t.chaseUp(v.ID)
	}
	return t.post(p.ID+"/returned", v.Number, "payment returned", ledger.Debit(ledger.Receivable, back),
		ledger.Debit(ledger.Balance, held),
		ledger.Debit(ledger.DisputeLoss, rest-held), ledger.Credit(ledger.Cash, whole))
}

func (t *tx) disputed(p *Payment, e payment.Event) error {
	n := p.Amount - p.Refunded
	switch {
	case e.Kind == payment.DisputeOpened && p.Dispute == "" && n > 0:
		p.Dispute = "opened"
		t.mail("dispute.opened", p.Invoice, "The customer's bank took back %s until a dispute is decided", t.text(n))
		return t.post(p.ID+"/disputed", p.Invoice, "dispute opened", ledger.Debit(ledger.Disputed, n), ledger.Credit(ledger.Cash, n))
	case e.Kind == payment.DisputeWon && p.Dispute == "opened":
		p.Dispute = "won"
		t.notice("dispute.won", p.Invoice, "The dispute over %s is won", t.text(n))
		return t.post(p.ID+"/won", p.Invoice, "dispute won", ledger.Debit(ledger.Cash, n), ledger.Credit(ledger.Disputed, n))
	case e.Kind == payment.DisputeLost && p.Dispute == "opened":
		p.Dispute = "lost"
		t.mail("dispute.lost", p.Invoice, "The dispute over %s is lost", t.text(n))
		return t.post(p.ID+"/lost", p.Invoice, "dispute lost", ledger.Debit(ledger.DisputeLoss, n), ledger.Credit(ledger.Disputed, n))
	case p.Dispute == "" && n > 0: // the end came before the beginning
		if err := t.disputed(p, payment.Event{Kind: payment.DisputeOpened}); err != nil {
			return err
		}
		return t.disputed(p, e)
	}
	return nil
}
