package billing

import (
	"holdfast/server/invoice"
	"holdfast/server/money"
	"holdfast/sync/fault"
)

// Preview is what a command would do now: the documents that it would issue and the subscription after it. It is the
// same code as Do, on a copy that is thrown away, and it sends nothing.
type Preview struct {
	Invoices []invoice.Invoice
	Notes    []invoice.Note
	Pending  []invoice.Line
	Sub      Sub
	DueNow   money.Amount
	Balance  money.Amount // change of the customer's balance and credit
	After    *Account     `json:"-"` // all of it as it would be; what is to be done outside waits in its Outbox
}

// Preview tries a command.
func (e *Engine) Preview(customer string, c Command) (Preview, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	a, err := e.account(customer)
	if err != nil {
		return Preview{}, err
	}
	t := e.begin(a)
	if err := c.apply(t); err != nil {
		return Preview{}, err
	}
	return Between(a, t.Account), nil
}

// Upcoming is the invoice of the running period as it would be if nothing more happened: usage so far is in it.
func (e *Engine) Upcoming(customer string) (Preview, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	a, err := e.account(customer)
	if err != nil {
		return Preview{}, err
	}
	sub := a.Sub()
	if sub.Status != Active {
		return Preview{}, fault.Errorf("billing.Upcoming", fault.Conflict, "nothing runs; the subscription is %s", sub.Status)
	}
	t := e.begin(a)
	t.now = sub.Period.End
	if err := t.run(t.now, how{reason: "cycle", waits: true}, (*step).turn); err != nil {
		return Preview{}, err
	}
	for _, w := range copied(t.Waits) {
		if err := t.issue(w.Invoice); err != nil {
			return Preview{}, err
		}
	}
	return Between(a, t.Account), nil
}

// Between is what an account has more than before: as a preview tells it of a command that was tried, and after one that was done.
func Between(before, after *Account) Preview {
	p := Preview{Notes: after.Notes[len(before.Notes):], Sub: after.Sub(), Pending: after.Pending, DueNow: money.New(0, after.Currency),
		Balance: money.New(0, after.Currency), After: after}
	for _, v := range after.Invoices {
		if old := before.Invoice(v.ID); old == nil || old.State == invoice.Draft && v.State != invoice.Draft {
			p.Invoices = append(p.Invoices, v)
			p.DueNow.Minor += v.Due()
		}
	}
	for _, g := range after.Credits {
		p.Balance.Minor += g.Left
	}
	for _, g := range before.Credits {
		p.Balance.Minor -= g.Left
	}
	return p
}
