package billing

import (
	"fmt"

	"holdfast/server/catalog"
	"holdfast/server/invoice"
	"holdfast/server/ledger"
	"holdfast/server/money"
	"holdfast/server/payment"
	"holdfast/sync/fault"
)

// Difference is a row that does not agree with another.
type Difference struct {
	Customer string `json:"customer"`
	What     string `json:"what"`
	Got      string `json:"got"`
	Want     string `json:"want"`
}

// Reconcile compares what was metered with what was billed, and the ledger with invoices, payments, credits and
// revenue, for all customers. No rows is agreement.
func (e *Engine) Reconcile() []Difference {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []Difference
	for _, id := range e.order {
		out = append(out, e.accounts[id].reconcile(e.cat)...)
		if x, ok := e.stuck[id]; ok {
			out = append(out, Difference{id, "what was due", fault.DetailOf(x.Err), "done on " + x.At.Format("2006-01-02 15:04")})
		}
	}
	for _, row := range ledger.Trial(&e.book) {
		if row.Sum != 0 {
			out = append(out, Difference{What: "house ledger " + string(row.Currency), Got: fmt.Sprint(row.Sum), Want: "0"})
		}
	}
	return out
}

func (a *Account) reconcile(cat *catalog.Catalog) []Difference {
	var out []Difference
	same := func(what string, got, want int64) {
		if got != want {
			out = append(out, Difference{a.ID, what, money.Text(got, a.Currency), money.Text(want, a.Currency)})
		}
	}
	var owed, lost, taxed, sold int64
	for i := range a.Invoices {
		v := &a.Invoices[i]
		same("lines of "+v.Number, sum(v.Lines, func(l invoice.Line) int64 { return l.Net + l.Tax }), v.Total)
		switch v.State {
		case invoice.Draft, invoice.Void:
			continue
		case invoice.Uncollectible:
			lost += v.Due()
		default:
			owed += v.Due()
		}
		taxed += v.Tax
		if v.State != invoice.Paid || v.Due() != 0 {
			sold += sum(a.Credits, func(g Grant) int64 {
				if g.Invoice == v.ID && !g.Active {
					return g.Left
				}
				return 0
			})
		}
	}
	taxed -= sum(a.Notes, func(n invoice.Note) int64 { return n.Tax })
	balance := func(k ledger.Account) int64 { return a.Book.Balance(k, a.Currency) }
	same("receivable = what is owed on invoices", balance(ledger.Receivable), owed)
	same("bad debt = uncollectible invoices", balance(ledger.BadDebt), lost)
	same("tax payable = tax on invoices less credit notes", -balance(ledger.TaxPayable), taxed)
	left := func(kind string) int64 {
		return sum(a.Credits, func(g Grant) int64 {
			if g.Kind != kind || !g.Active {
				return 0
			}
			return g.Left
		})
	}
	same("customer balance = balance left", -balance(ledger.Balance), left(FromNotes))
	same("prepaid credit = credit left", -balance(ledger.PrepaidHeld), left(Bought)+sold)
	same("revenue = recognised", -balance(ledger.Revenue), sum(a.Earnings, func(e Earning) int64 { return e.Posted }))
	same("deferred = not yet recognised", -balance(ledger.Deferred),
		sum(a.Earnings, func(e Earning) int64 { return e.Amount - e.Posted }))
	same("cash = payments", balance(ledger.Cash), a.cash())
	same("the ledger sums to zero", ledgerSum(&a.Book), 0)
	return append(out, a.unbilled(cat)...)
}

func sum[T any](list []T, of func(T) int64) int64 {
	var s int64
	for _, x := range list {
		s += of(x)
	}
	return s
}

func ledgerSum(b *ledger.Book) int64 {
	return sum(ledger.Trial(b), func(r ledger.Balances) int64 { return r.Sum })
}

// cash is what payments left with us: less refunds that went out, debits that bounced and disputes that are open or
// lost.
func (a *Account) cash() int64 {
	waiting := sum(a.Outbox, func(e Effect) int64 {
		if e.Refund == nil {
			return 0
		}
		return e.Refund.Amount.Minor
	})
	return waiting + sum(a.Payments, func(p Payment) int64 {
		if p.Status != payment.Succeeded || p.Returned || p.Dispute == "opened" || p.Dispute == "lost" {
			return 0 // a refund before a dispute left with the money it belongs to
		}
		return p.Amount - p.Refunded
	})
}

// unbilled compares usage that was billed with what is metered for the same time now. What was heard since is carried
// to the next invoice while a subscription runs, and to a last one after it ended; it is a difference only if nothing
// will bill it.
func (a *Account) unbilled(cat *catalog.Catalog) []Difference {
	var out []Difference
	if s := a.Sub(); s.ID == "" || s.Status == Active || s.Status == Trialing || a.LateChecked.Before(s.Since) ||
		cat.Invoices.Late == "drop" {
		return nil
	}
	for _, c := range a.Closed {
		if v := a.Invoice(c.Invoice); v != nil && v.State == invoice.Draft {
			continue
		}
		now := c
		if _, err := usageLine(cat, a.Usage, a.Currency, &now); err != nil {
			out = append(out, Difference{a.ID, "usage of " + c.Price, "unreadable", err.Error()})
		} else if now.Units.Cmp(c.Units) != 0 {
			out = append(out, Difference{a.ID, "usage of " + c.Price + " from " + c.Span.Start.Format("2006-01-02"),
				c.Units.Text(9), now.Units.Text(9)})
		}
	}
	return out
}
