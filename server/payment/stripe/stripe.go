// Package stripe is the processor of package payment over Stripe's API, with stripe-go.
//
// A method's token names Stripe's customer and payment method: "cus_…/pm_…". A charge is a payment intent that is
// confirmed at once while the customer is away; its key is the idempotency key, so that sending it again gives Stripe's
// first answer. Declines are results. Whatever leaves the outcome unknown (no answer, 409, 429, 5xx) is an Unavailable
// error: the same request is sent again.
package stripe

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	api "github.com/stripe/stripe-go/v85"

	"holdfast/server/money"
	"holdfast/server/payment"
	"holdfast/sync/fault"
)

// Config is what a Processor needs.
type Config struct {
	Key           string // sk_…
	WebhookSecret string // whsec_…
	URL           string // empty: Stripe's
	HTTP          *http.Client
	Now           func() time.Time
}

// Processor charges with Stripe. It is safe for concurrent use.
type Processor struct {
	cfg Config
	c   *api.Client
}

var _ payment.Processor = (*Processor)(nil)

// New makes a processor; it sends nothing.
func New(cfg Config) *Processor {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.HTTP == nil {
		cfg.HTTP = &http.Client{Timeout: timeout}
	}
	b := &api.BackendConfig{HTTPClient: cfg.HTTP, MaxNetworkRetries: api.Int64(0), EnableTelemetry: api.Bool(false),
		LeveledLogger: &api.LeveledLogger{Level: api.LevelNull}}
	if cfg.URL != "" {
		b.URL = api.String(cfg.URL)
	}
	return &Processor{cfg, api.NewClient(cfg.Key, api.WithBackends(api.NewBackendsWithConfig(b)))}
}

// timeout is longer than Stripe's slowest banks take.
const timeout = 80 * time.Second

func split(m payment.Method) (customer, method string, ok bool) {
	customer, method, ok = strings.Cut(m.Token, "/")
	return customer, method, ok && strings.HasPrefix(customer, "cus_") && len(method) > 3
}

// Check tells whether a method has the form of Stripe's names.
func (p *Processor) Check(m payment.Method) error {
	if m.Kind == payment.Wire {
		return nil
	}
	if _, _, ok := split(m); !ok || m.Kind != payment.Card && m.Kind != payment.Debit {
		return fault.Errorf("stripe.Check", fault.Invalid, "not a payment method of Stripe: %s %.40q", m.Kind, m.Token)
	}
	return nil
}

// Charge takes money.
func (p *Processor) Charge(ctx context.Context, r payment.ChargeRequest) (payment.Result, error) {
	const op = "stripe.Charge"
	if err := p.Check(r.Method); err != nil {
		return payment.Result{}, err
	}
	n, err := Amount(r.Amount)
	if err != nil {
		return payment.Result{}, err
	}
	customer, method, _ := split(r.Method)
	params := &api.PaymentIntentCreateParams{Amount: api.Int64(n),
		Currency: api.String(strings.ToLower(string(r.Amount.Currency))), Customer: api.String(customer),
		PaymentMethod: api.String(method), Confirm: api.Bool(true), OffSession: api.Bool(true),
		Metadata: map[string]string{"customer": r.Customer, "invoice": r.Invoice, "key": r.Key}}
	params.SetIdempotencyKey(r.Key)
	pi, err := p.c.V1PaymentIntents.Create(ctx, params)
	if err == nil {
		return result(pi, nil), nil
	}
	var e *api.Error
	if errors.As(err, &e) && e.Type == api.ErrorTypeCard && e.PaymentIntent != nil {
		return result(e.PaymentIntent, e), nil
	}
	if e != nil && unusable(e) {
		return payment.Result{ID: r.Key, Status: payment.Failed, Code: code(e), Hard: true}, nil
	}
	return payment.Result{}, kind(op, err)
}

// unusable tells whether Stripe will never charge this method this amount: it was detached, say, or the amount is below the least.
func unusable(e *api.Error) bool {
	if e.Type != api.ErrorTypeInvalidRequest || e.HTTPStatusCode != http.StatusBadRequest && e.HTTPStatusCode != http.StatusNotFound {
		return false
	}
	return e.Param == "payment_method" || e.Param == "customer" || e.Code == api.ErrorCodeAmountTooSmall || e.Code == api.ErrorCodeAmountTooLarge
}

// result turns an intent, and the card error that came with it, into an answer.
func result(pi *api.PaymentIntent, e *api.Error) payment.Result {
	r := payment.Result{ID: pi.ID}
	if e == nil {
		e = pi.LastPaymentError
	}
	switch {
	case pi.Status == api.PaymentIntentStatusSucceeded:
		r.Status = payment.Succeeded
	case pi.Status == api.PaymentIntentStatusProcessing:
		r.Status = payment.Processing
	case pi.Status == api.PaymentIntentStatusRequiresAction, e != nil && e.Code == api.ErrorCodeAuthenticationRequired:
		r.Status = payment.Action
	default:
		r.Status, r.Code = payment.Failed, "generic_decline"
		if e != nil {
			r.Code = code(e)
		}
		r.Hard = hard[r.Code]
	}
	return r
}

func code(e *api.Error) string {
	if e.DeclineCode != "" {
		return string(e.DeclineCode)
	}
	return string(e.Code)
}

// hard are the declines that trying again does not help (Stripe, "Decline codes"; networks forbid some of them).
var hard = func() map[string]bool {
	m := map[string]bool{}
	for _, c := range strings.Fields(`card_not_supported currency_not_supported do_not_try_again expired_card fraudulent incorrect_cvc incorrect_number incorrect_zip invalid_account
		invalid_cvc invalid_expiry_month invalid_expiry_year invalid_number lost_card merchant_blacklist not_permitted pickup_card restricted_card revocation_of_all_authorizations
		revocation_of_authorization security_violation service_not_allowed stolen_card stop_payment_order transaction_not_allowed account_closed debit_not_authorized
		bank_account_restricted no_account mandate_invalid`) {
		m[c] = true
	}
	return m
}()

// Refund gives a part of a charge back. What is pending counts as paid back; Stripe tells if it fails.
func (p *Processor) Refund(ctx context.Context, r payment.RefundRequest) (payment.Result, error) {
	const op = "stripe.Refund"
	n, err := Amount(r.Amount)
	if err != nil {
		return payment.Result{}, err
	}
	params := &api.RefundCreateParams{PaymentIntent: api.String(r.Charge), Amount: api.Int64(n),
		Metadata: map[string]string{"key": r.Key}}
	params.SetIdempotencyKey(r.Key)
	re, err := p.c.V1Refunds.Create(ctx, params)
	var e *api.Error
	switch {
	case errors.As(err, &e) && (e.Code == api.ErrorCodeChargeDisputed || e.Code == api.ErrorCodeChargeAlreadyRefunded):
		return payment.Result{ID: r.Key, Status: payment.Failed, Code: string(e.Code), Hard: true}, nil
	case err != nil:
		return payment.Result{}, kind(op, err)
	case re.Status == api.RefundStatusFailed || re.Status == api.RefundStatusCanceled:
		return payment.Result{ID: re.ID, Status: payment.Failed, Code: string(re.FailureReason), Hard: true}, nil
	}
	return payment.Result{ID: re.ID, Status: payment.Succeeded}, nil
}

// kind says whether the same request may be sent again.
func kind(op string, err error) error {
	var e *api.Error
	if !errors.As(err, &e) {
		return fault.E(op, fault.Unavailable, err)
	}
	switch s := e.HTTPStatusCode; {
	case s == http.StatusTooManyRequests, s == http.StatusConflict, s >= 500, s == 0:
		return fault.E(op, fault.Unavailable, err)
	case s == http.StatusUnauthorized, s == http.StatusForbidden:
		return fault.E(op, fault.Denied, err)
	}
	return fault.E(op, fault.Invalid, err)
}

// Amount is the amount in Stripe's smallest unit. Stripe counts krona of Iceland and shillings of Uganda in hundredths,
// and takes three-decimal currencies only in tens ("Supported currencies").
func Amount(a money.Amount) (int64, error) {
	switch {
	case a.Currency == "ISK" || a.Currency == "UGX":
		return a.Minor * 100, nil
	case a.Currency.Decimals() == 3 && a.Minor%10 != 0:
		return 0, fault.Errorf("stripe.Amount", fault.Invalid, "Stripe takes %s only in steps of 0.010, not %s", a.Currency, a)
	}
	return a.Minor, nil
}

// back is Amount the other way round.
func back(n int64, currency api.Currency) money.Amount {
	c := money.Currency(strings.ToUpper(string(currency)))
	if c == "ISK" || c == "UGX" {
		n /= 100
	}
	return money.New(n, c)
}
