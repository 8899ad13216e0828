package simulate

import (
	"sort"
	"time"

	"holdfast/server/invoice"
	"holdfast/server/ledger"
	"holdfast/server/money"
)

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) // drafts come last
	}
	return *t
}

func sortBy[T any](list []T, key func(T) time.Time) {
	sort.SliceStable(list, func(i, j int) bool { return key(list[i]).Before(key(list[j])) })
}

func invoiceRow(customer string, v invoice.Invoice) InvoiceRow {
	t := func(n int64) string { return money.Text(n, v.Currency) }
	row := InvoiceRow{Number: v.Number, Customer: customer, State: v.State, Reason: v.Reason, Issued: moment(v.Issued),
		DueBy: moment(v.DueBy), Closed: moment(v.Closed), Currency: v.Currency,
		Subtotal: t(v.Subtotal), Discount: t(v.Discount), Net: t(v.Net), Taxes: taxRows(v.Groups,
			v.Currency), Tax: t(v.Tax), Total: t(v.Total), Applied: t(v.CreditsApplied()),
		Credited: t(v.Credited), Received: t(v.Received), Due: t(v.Due())}
	for _, l := range v.Lines {
		x := LineRow{Name: l.Name, Kind: l.Kind, Price: l.Price, Plan: l.Plan, Version: l.Version, Quantity: l.Quantity,
			From: l.Span.Start, To: l.Span.End, Share: l.Share, Amount: t(l.Amount),
			Net: t(l.Net), TaxRate: l.Treatment.Percent.String(), Tax: t(l.Tax), Explained: partRows(l.Parts, v.Currency)}
		if d := l.Amount - l.Discounted(); d != 0 {
			x.Discount = t(d)
		}
		row.Lines = append(row.Lines, x)
	}
	return row
}

func noteRow(customer string, n invoice.Note) NoteRow {
	t := func(x int64) string { return money.Text(x, n.Currency) }
	row := NoteRow{Number: n.Number, Customer: customer, Invoice: n.Of, Reason: n.Reason, Issued: n.Issued,
		Currency: n.Currency, Net: t(n.Net), Taxes: taxRows(n.Groups, n.Currency), Tax: t(n.Tax),
		Total: t(n.Total), ToInvoice: t(n.ToInvoice), ToBalance: t(n.ToBalance), ToRefund: t(n.ToRefund)}
	for _, l := range n.Lines {
		x := NoteLineRow{Name: l.Name, From: l.Span.Start, To: l.Span.End, Amount: t(l.Amount), Net: t(l.Net), Tax: t(l.Tax)}
		if l.Discount != 0 {
			x.Discount = t(l.Discount)
		}
		row.Lines = append(row.Lines, x)
	}
	return row
}

func previewRow(s shown) PreviewRow {
	c := s.p.DueNow.Currency
	row := PreviewRow{At: s.at, Line: s.line, Customer: s.customer, What: s.what, Invoices: []InvoiceRow{}, Notes: []NoteRow{},
		DueNow: s.p.DueNow.Text(), Balance: s.p.Balance.Text()}
	var net int64
	for _, v := range s.p.Invoices {
		row.Invoices = append(row.Invoices, invoiceRow(s.customer, v))
		net += v.Total
	}
	for _, n := range s.p.Notes {
		row.Notes = append(row.Notes, noteRow(s.customer, n))
		net -= n.Total
	}
	row.Net = money.Text(net, c)
	return row
}

func ledgerRow(b ledger.Balances) LedgerRow {
	row := LedgerRow{Currency: b.Currency, Accounts: map[string]string{}, Sum: money.Text(b.Sum, b.Currency), order: b.Accounts}
	for _, e := range b.Accounts {
		row.Accounts[string(e.Account)] = money.Text(e.Amount, b.Currency)
	}
	return row
}

func journalRow(t ledger.Tx) JournalRow {
	row := JournalRow{At: t.At, Effective: t.Effective, Customer: t.Customer, Document: t.Document, Memo: t.Memo, Currency: t.Currency}
	for _, e := range t.Entries {
		x := EntryRow{Account: string(e.Account), Debit: money.Text(e.Amount, t.Currency)}
		if e.Amount < 0 {
			x.Debit, x.Credit = "", money.Text(-e.Amount, t.Currency)
		}
		row.Entries = append(row.Entries, x)
	}
	return row
}
