package billing

import (
	"github.com/govalues/decimal"

	"holdfast/server/invoice"
	"holdfast/server/ledger"
	"holdfast/server/money"
	"holdfast/server/revenue"
	"holdfast/sync/fault"
)

// minorOf is a decimal that the catalogue has checked to be whole minor units of c.
func minorOf(d decimal.Decimal, c money.Currency) int64 {
	a, err := money.FromDecimal(d, c)
	if err != nil {
		return 0 // the catalogue refuses such amounts
	}
	return a.Minor
}

func (c Void) apply(t *tx) error {
	const op = "billing.Void"
	v := t.Invoice(c.Invoice)
	if v == nil {
		return fault.Errorf(op, fault.NotFound, "there is no invoice %q", c.Invoice)
	}
	if v.State == invoice.Draft {
		return fault.Errorf(op, fault.Conflict, "%s is a draft; it is issued by itself", v.Number)
	}
	if t.underway(v.ID) {
		return fault.Errorf(op, fault.Busy, "a payment of invoice %s is under way", v.Number)
	}
	for _, g := range t.Credits {
		if g.Invoice == v.ID && g.Left != g.Amount {
			return fault.Errorf(op, fault.Conflict, "the credit that invoice %s sold is partly spent; it cannot be made void", v.Number)
		}
	}
	was := v.State
	done, err := v.Cancel(t.now)
	if err != nil {
		return err
	}
	*v = done
	var held int64
	for _, l := range v.Lines {
		if l.Kind == invoice.Prepaid {
			held += l.Net
			continue
		}
		t.Earnings = append(t.Earnings, Earning{Item: revenue.Item{Line: l.ID, Document: v.Number + " void", Customer: t.ID,
			Currency: t.Currency, Span: l.Span, Amount: -l.Net, Booked: t.now,
			NotUntil: t.now}})
	}
	owed := ledger.Receivable
	if was == invoice.Uncollectible {
		owed = ledger.BadDebt
	}
	applied := v.CreditsApplied()
	if err := t.post(v.ID+"/void", v.Number, "invoice void", ledger.Debit(ledger.Deferred, v.Net-held),
		ledger.Debit(ledger.PrepaidHeld, held), ledger.Debit(ledger.TaxPayable, v.Tax),
		ledger.Credit(ledger.Receivable, applied), ledger.Credit(owed, v.Total-applied)); err != nil {
		return err
	}
	for _, a := range v.Applied {
		for i := range t.Credits {
			if g := &t.Credits[i]; g.ID == a.Credit {
				g.Left += a.Amount
			}
		}
		if err := t.post(v.ID+"/void/"+a.Credit, v.Number, "credit given back", ledger.Debit(ledger.Receivable, a.Amount),
			ledger.Credit(holder(a.Kind), a.Amount)); err != nil {
			return err
		}
	}
	t.Credits = filter(t.Credits, func(g Grant) bool { return g.Invoice != v.ID })
	t.mail("invoice.void", v.Number, "Invoice %s is void", v.Number)
	t.endChase(v.ID)
	return t.recognise()
}
