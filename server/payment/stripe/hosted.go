package stripe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	api "github.com/stripe/stripe-go/v85"

	"holdfast/server/money"
	"holdfast/server/payment"
	"holdfast/sync/fault"
)

// What people enter, they enter on Stripe's own pages: no card number reaches us, and no script of theirs our pages.

// Customer makes a customer at Stripe for an account; asking again within a day gives the same one.
func (p *Processor) Customer(ctx context.Context, account, name, email string) (id string, err error) {
	params := &api.CustomerCreateParams{Name: api.String(name), Metadata: map[string]string{"customer": account}}
	if email != "" {
		params.Email = api.String(email)
	}
	words := sha256.Sum256([]byte(name + "\x00" + email)) // the same key with other words would be refused
	params.SetIdempotencyKey("customer/" + account + "/" + hex.EncodeToString(words[:8]))
	c, err := p.c.V1Customers.Create(ctx, params)
	if err != nil {
		return "", kind("stripe.Customer", err)
	}
	return c.ID, nil
}

// Setup makes a page on which a customer adds a payment method; the browser comes back to an address of ours.
func (p *Processor) Setup(ctx context.Context, customer, account string, currency money.Currency, back string) (session, url string, err error) {
	params := &api.CheckoutSessionCreateParams{Mode: api.String("setup"), Customer: api.String(customer), ClientReferenceID: api.String(account),
		Currency: api.String(strings.ToLower(string(currency))), SuccessURL: api.String(back), CancelURL: api.String(back)}
	s, err := p.c.V1CheckoutSessions.Create(ctx, params)
	if err != nil {
		return "", "", kind("stripe.Setup", err)
	}
	return s.ID, s.URL, nil
}

// Added tells what became of a page for a payment method. over: nothing more will come of it.
func (p *Processor) Added(ctx context.Context, session string) (m payment.Method, over bool, err error) {
	params := &api.CheckoutSessionRetrieveParams{}
	params.AddExpand("setup_intent.payment_method")
	s, err := p.c.V1CheckoutSessions.Retrieve(ctx, session, params)
	if err != nil {
		return m, false, kind("stripe.Added", err)
	}
	if s.Status != api.CheckoutSessionStatusComplete {
		return m, s.Status == api.CheckoutSessionStatusExpired, nil
	}
	if s.Customer == nil || s.SetupIntent == nil || s.SetupIntent.PaymentMethod == nil {
		return m, true, fault.Errorf("stripe.Added", fault.Invalid, "session %s ended without a payment method", session)
	}
	pm := s.SetupIntent.PaymentMethod
	m = payment.Method{Kind: payment.Card, Token: s.Customer.ID + "/" + pm.ID, Label: label(pm)}
	if pm.Card == nil {
		m.Kind = payment.Debit
	}
	return m, true, nil
}

// label is what may be shown of a method: its brand and the end of its number.
func label(pm *api.PaymentMethod) string {
	switch {
	case pm.Card != nil:
		brand := strings.ReplaceAll(string(pm.Card.Brand), "_", " ")
		if brand == "" {
			brand = "card"
		}
		return strings.ToUpper(brand[:1]) + brand[1:] + " •••• " + pm.Card.Last4
	case pm.SEPADebit != nil:
		return pm.SEPADebit.Country + " •••• " + pm.SEPADebit.Last4
	case pm.USBankAccount != nil:
		return pm.USBankAccount.BankName + " •••• " + pm.USBankAccount.Last4
	}
	return strings.ReplaceAll(string(pm.Type), "_", " ")
}

// Look tells how a charge stands now.
func (p *Processor) Look(ctx context.Context, charge string) (payment.Result, error) {
	pi, err := p.c.V1PaymentIntents.Retrieve(ctx, charge, nil)
	if err != nil {
		return payment.Result{}, kind("stripe.Look", err)
	}
	return result(pi, nil), nil
}

// Confirm lets the customer, who is there now, confirm a charge that their bank wants confirmed. The page is the bank's; empty: none is needed.
func (p *Processor) Confirm(ctx context.Context, charge string, m payment.Method, back string) (url string, err error) {
	_, method, _ := split(m)
	params := &api.PaymentIntentConfirmParams{PaymentMethod: api.String(method), ReturnURL: api.String(back)}
	pi, err := p.c.V1PaymentIntents.Confirm(ctx, charge, params)
	if err != nil {
		return "", kind("stripe.Confirm", err)
	}
	if pi.NextAction != nil && pi.NextAction.RedirectToURL != nil {
		return pi.NextAction.RedirectToURL.URL, nil
	}
	return "", nil
}
