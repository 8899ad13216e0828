package invoice

import (
	"time"

	"holdfast/server/money"
	"holdfast/sync/fault"
)

func (v Invoice) conflict(op, what string) error {
	return fault.Errorf(op, fault.Conflict, "invoice %s is %s and cannot be %s", v.Number, v.State, what)
}

// Issue makes a draft final: it gets its number, is owed by due, and applied credits count. A draft below zero cannot
// be issued. What nobody owes is paid at once.
func (v Invoice) Issue(number string, at, due time.Time, applied []Applied) (Invoice, error) {
	const op = "invoice.Issue"
	switch {
	case v.State != Draft:
		return v, v.conflict(op, "issued again")
	case len(v.Lines) == 0:
		return v, fault.Errorf(op, fault.Invalid, "an invoice needs at least one line")
	case v.Total < 0:
		return v, fault.Errorf(op, fault.Invalid, "an invoice below zero (%s) is a credit note", money.Text(v.Total, v.Currency))
	}
	v.Number, v.Issued, v.DueBy, v.Applied, v.State = number, at, due, applied, Open
	if v.CreditsApplied() > v.Total {
		return v, fault.Errorf(op, fault.Invalid, "credits of %s are more than the total", money.Text(v.CreditsApplied(), v.Currency))
	}
	return v.settle(at), nil
}

// settle closes an open invoice of which nothing is owed.
func (v Invoice) settle(at time.Time) Invoice {
	if (v.State == Open || v.State == Uncollectible) && v.owed() == 0 {
		v.State, v.Closed = Paid, at
	}
	return v
}

// Receive books money that came in: at most what is owed. Money may still come for what was given up.
func (v Invoice) Receive(amount int64, at time.Time) (Invoice, error) {
	const op = "invoice.Receive"
	if v.State != Open && v.State != Uncollectible {
		return v, v.conflict(op, "paid")
	}
	if amount <= 0 || amount > v.owed() {
		return v, fault.Errorf(op, fault.Invalid, "%s was received for invoice %s, on which %s is owed",
			money.Text(amount, v.Currency), v.Number, money.Text(v.owed(), v.Currency))
	}
	v.Received += amount
	return v.settle(at), nil
}

// Return books money that went back without a credit note: a debit that bounced, a dispute. The invoice is owed again.
func (v Invoice) Return(amount int64) (Invoice, error) {
	const op = "invoice.Return"
	if v.State != Paid && v.State != Open {
		return v, v.conflict(op, "owed again")
	}
	if amount <= 0 || amount > v.Received {
		return v, fault.Errorf(op, fault.Invalid, "%s cannot go back: %s was received for invoice %s",
			money.Text(amount, v.Currency), money.Text(v.Received, v.Currency), v.Number)
	}
	v.Received -= amount
	v.State, v.Closed = Open, time.Time{}
	return v, nil
}

// Reduce books a credit note against what is owed.
func (v Invoice) Reduce(amount int64, at time.Time) (Invoice, error) {
	const op = "invoice.Reduce"
	if amount < 0 || amount > v.owed() {
		return v, fault.Errorf(op, fault.Invalid, "%s cannot be taken off invoice %s, on which %s is owed",
			money.Text(amount, v.Currency), v.Number, money.Text(v.owed(), v.Currency))
	}
	v.Credited += amount
	return v.settle(at), nil
}

// Cancel makes an open invoice void. Money that was received must be given back first.
func (v Invoice) Cancel(at time.Time) (Invoice, error) {
	const op = "invoice.Cancel"
	if v.State != Open && v.State != Uncollectible {
		return v, v.conflict(op, "made void")
	}
	if v.Received > 0 || v.Credited > 0 {
		return v, fault.Errorf(op, fault.Conflict, "invoice %s has payments or credit notes; credit the rest instead of making it void", v.Number)
	}
	v.State, v.Closed = Void, at
	return v, nil
}

// GiveUp marks an open invoice uncollectible.
func (v Invoice) GiveUp(at time.Time) (Invoice, error) {
	if v.State != Open {
		return v, v.conflict("invoice.GiveUp", "marked uncollectible")
	}
	v.State, v.Closed = Uncollectible, at
	return v, nil
}
