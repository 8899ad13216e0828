package billing

import (
	"context"
	"slices"
	"strings"

	"holdfast/server/invoice"
	"holdfast/server/ledger"
	"holdfast/server/payment"
	"holdfast/sync/fault"
)

// wire matches money that arrived with the invoice whose number stands in its reference. What nobody can match is kept
// apart.
func (e *Engine) wire(ctx context.Context, ev payment.Event) error {
	if e.seen[ev.ID] {
		return nil
	}
	for _, a := range e.accounts {
		if a.Seen[ev.ID] {
			return nil
		}
	}
	ref := plain(ev.Reference)
	for _, id := range e.order {
		a := e.accounts[id]
		for _, v := range a.Invoices {
			if v.State == invoice.Draft || v.State == invoice.Void || a.Currency != ev.Amount.Currency ||
				!mentions(ref, plain(v.Number)) {
				continue
			}
			t := e.begin(a)
			if err := t.wired(t.Invoice(v.ID), ev.ID, ev.Charge, ev.Amount.Minor); err != nil {
				return err
			}
			if err := e.commit(ctx, t); err != nil {
				return err
			}
			return e.drain(ctx, id)
		}
	}
	book := e.book.Clone()
	if err := book.Post(ledger.Tx{Key: ev.ID, At: e.now, Memo: "wire that matches no invoice: " + ev.Reference,
		Currency: ev.Amount.Currency,
		Entries: []ledger.Entry{ledger.Debit(ledger.Cash, ev.Amount.Minor),
			ledger.Credit(ledger.Unapplied, ev.Amount.Minor)}}); err != nil {
		return err
	}
	if err := e.save(ctx, Saved{Stray: &ev, Book: book.Txs()[len(e.book.Txs()):]}); err != nil {
		return err
	}
	e.book, e.seen[ev.ID], e.stray = book, true, append(e.stray, ev)
	return nil
}

// Match books a wire that nobody could match for a customer's invoice.
func (e *Engine) Match(ctx context.Context, wire, customer, number string) error {
	const op = "billing.Match"
	e.mu.Lock()
	defer e.mu.Unlock()
	at := slices.IndexFunc(e.stray, func(s payment.Event) bool { return s.ID == wire })
	if at < 0 {
		return fault.Errorf(op, fault.NotFound, "there is no unmatched transfer %q", wire)
	}
	ev := e.stray[at]
	a, err := e.account(customer)
	if err != nil {
		return err
	}
	t := e.begin(a)
	v := t.Invoice(number)
	switch {
	case v == nil || v.State == invoice.Draft:
		return fault.Errorf(op, fault.NotFound, "there is no invoice %q", number)
	case v.State == invoice.Void:
		return fault.Errorf(op, fault.Conflict, "invoice %s is void; nothing can be paid on it", v.Number)
	case ev.Amount.Currency != a.Currency:
		return fault.Errorf(op, fault.Invalid, "the transfer is in %s, the invoice in %s", ev.Amount.Currency, a.Currency)
	}
	if err := t.wired(v, ev.ID, ev.Charge, ev.Amount.Minor); err != nil {
		return err
	}
	book := e.book.Clone()
	if err := book.Post(ledger.Tx{Key: ev.ID + "/matched", At: e.now, Memo: "wire matched with invoice " + v.Number, Document: v.Number,
		Currency: ev.Amount.Currency, Entries: []ledger.Entry{ledger.Debit(ledger.Unapplied, ev.Amount.Minor),
			ledger.Credit(ledger.Cash, ev.Amount.Minor)}}); err != nil {
		return err
	}
	if err := e.commitWith(ctx, t, Saved{Matched: ev.ID, Book: book.Txs()[len(e.book.Txs()):]}); err != nil {
		return err
	}
	e.book, e.stray = book, append(copied(e.stray[:at]), e.stray[at+1:]...)
	return e.drain(ctx, customer)
}

// plain keeps letters and digits, in capitals: banks mangle the rest.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToUpper(s))
}

// mentions tells whether a number stands in a reference and is not the beginning of a longer number.
func mentions(ref, number string) bool {
	i := strings.Index(ref, number)
	if i < 0 || number == "" {
		return false
	}
	after := i + len(number)
	return after == len(ref) || ref[after] < '0' || ref[after] > '9'
}
