package biller

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"holdfast/server/billing"
	"holdfast/server/billingdb"
	"holdfast/server/invoice"
	"holdfast/server/mail"
	"holdfast/server/money"
	"holdfast/sync/id"
)

// toOperator are the kinds whose mails go to the seller.
var toOperator = map[string]bool{"dispute.opened": true, "dispute.lost": true, "invoice.uncollectible": true}

// Facts gathers what the mail about a notice says. skip tells why there is to be none.
func (s *Service) Facts(told billingdb.Told) (f mail.Facts, skip string, err error) {
	b, account, n := &s.books, told.Account, told.Notice
	if told.Test() {
		t := s.tests.get(id.ID(account))
		if t == nil || !t.started.Equal(told.Clock) {
			return f, "The test clock was taken away.", nil
		}
		b = &t.books
	}
	a, err := b.engine.Account(account)
	if err != nil {
		return f, "", err
	}
	cat := b.engine.Catalog()
	f = mail.Facts{ID: told.Event(), Test: told.Test(), Kind: n.Kind, Text: n.Text, Workspace: a.Name, Seller: cmp.Or(cat.Seller.Name, "Holdfast"),
		Plan: planName(cat, a.Sub().Plan), HasMethod: len(a.Methods) > 0, To: a.Email, Link: s.page(id.ID(account))}
	if toOperator[n.Kind] {
		f.To, f.Operator = cat.Seller.Email, true
	}
	if n.Kind == "account.past_due" && alreadySaid(a, n) {
		return f, "Another mail of the same moment says it.", nil
	}
	if n.Kind == "subscription.cancelled" && slices.ContainsFunc(a.Events, func(e billing.SubEvent) bool { return e.At.Equal(n.At) && e.Text == parked }) {
		return f, "The workspace goes on on a test clock.", nil
	}
	day := func(t time.Time) string { return t.In(cat.Zone).Format("2 January 2006") }
	p := lastPayment(a, n)
	if p != nil {
		f.Amount, f.Reason = text(p.Amount, a.Currency), reason(p.Code)
	}
	v := a.Invoice(n.Ref)
	if v == nil && p != nil {
		v = a.Invoice(p.Invoice)
	}
	if v != nil {
		f.Invoice = mail.Invoice{Number: v.Number, Total: text(v.Total, v.Currency), Due: text(v.Due(), v.Currency), DueBy: day(v.DueBy), Paid: v.State == invoice.Paid,
			ByTransfer: a.Collect == "send"}
		for _, c := range a.Chases {
			if c.Invoice != v.ID {
				continue
			}
			if !c.Retry.IsZero() {
				f.Retry = day(c.Retry)
			}
			if d := cat.Dunning.Restrict; d > 0 && !a.Restricted {
				f.Restrict = day(c.First.Add(d))
			}
		}
	}
	for _, x := range a.Notes {
		if x.Number == n.Ref {
			f.Note = mail.Note{Number: x.Number, Of: x.Of, Reason: x.Reason, Total: text(x.Total, x.Currency), ToInvoice: some(x.ToInvoice, x.Currency),
				ToBalance: some(x.ToBalance, x.Currency), ToRefund: some(x.ToRefund, x.Currency)}
		}
	}
	if n.Kind == "invoice.issued" || n.Kind == "credit_note.issued" {
		f.Attach = n.Ref
	}
	return f, "", nil
}

// Page is where a workspace's billing is looked at and paid.
func (s *Service) page(tenant id.ID) string { return s.cfg.URL + "/w/" + string(tenant) + "/billing" }

func some(n int64, c money.Currency) string {
	if n == 0 {
		return ""
	}
	return text(n, c)
}

// alreadySaid tells whether a failed payment of the same moment made the invoice past due: that mail says what to do.
func alreadySaid(a *billing.Account, n billing.Notice) bool {
	v := a.Invoice(n.Ref)
	for _, x := range a.Notices {
		if v != nil && x.At.Equal(n.At) && x.Mail && x.Ref == v.ID && strings.HasPrefix(x.Kind, "payment.") {
			return true
		}
	}
	return false
}

// lastPayment is the payment that a notice is about: of its invoice or by its own id, the last one by then.
func lastPayment(a *billing.Account, n billing.Notice) *billing.Payment {
	v := a.Invoice(n.Ref)
	var out *billing.Payment
	for i := range a.Payments {
		p := &a.Payments[i]
		if (p.ID == n.Ref || v != nil && p.Invoice == v.ID) && !p.At.After(n.At) {
			out = p
		}
	}
	return out
}

// reasons are declines as people say them.
var reasons = map[string]string{
	"insufficient_funds":          "There was not enough money on the account.",
	"card_velocity_exceeded":      "The card's limit is reached.",
	"expired_card":                "The card has expired.",
	"incorrect_cvc":               "The card's security code is wrong.",
	"lost_card":                   "The bank refuses the card.",
	"stolen_card":                 "The bank refuses the card.",
	"account_closed":              "The bank account is closed.",
	"debit_not_authorized":        "The account's holder did not agree to the debit.",
	"processing_error":            "The bank could not be reached.",
	"authentication_failed":       "The payment was not confirmed.",
	"authentication_required":     "The bank wants the payment to be confirmed.",
	"fraudulent":                  "The bank refuses the card.",
	"currency_not_supported":      "The card does not pay in this currency.",
	"card_not_supported":          "The card cannot be used for this.",
	"transaction_not_allowed":     "The card cannot be used for this.",
	"bank_account_restricted":     "The bank account does not allow debits.",
	"revocation_of_authorization": "The agreement to be charged was withdrawn.",
}

func reason(code string) string {
	if r := reasons[code]; r != "" {
		return r
	}
	return "The bank refused it without saying why."
}

// Attachment is the PDF that goes with a mail.
func (s *Service) Attachment(account, number string) ([]byte, error) {
	b, _, err := s.books.document(account, number, "pdf")
	return b, err
}

// Tell adds a notice to a workspace's account.
func (s *Service) Tell(ctx context.Context, account string, n billing.Tell) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.engine.Do(ctx, account, n)
}
