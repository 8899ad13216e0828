package stripe

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85/webhook"

	"holdfast/server/money"
	"holdfast/server/payment"
	"holdfast/sync/fault"
)

// fake answers like Stripe does in recorded cases; it keeps what it was asked.
type fake struct {
	status int
	body   string
	path   string
	form   string
	key    string
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	f.path, f.form, f.key = r.URL.Path, string(b), r.Header.Get("Idempotency-Key")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	_, _ = io.WriteString(w, f.body)
}

func setup(t *testing.T) (*Processor, *fake) {
	t.Helper()
	f := &fake{status: 200}
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return New(Config{Key: "sk_test_x", WebhookSecret: "whsec_test", URL: s.URL, HTTP: s.Client(),
		Now: func() time.Time { return time.Unix(1_800_000_000, 0) }}), f
}

var charge = payment.ChargeRequest{Key: "inv_1#1", Customer: "acme", Invoice: "inv_1",
	Method: payment.Method{Kind: payment.Card, Token: "cus_1/pm_1"}, Amount: money.New(1234, "EUR")}

func TestChargeAnswers(t *testing.T) {
	p, f := setup(t)
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   payment.Result
		kind   fault.Kind
	}{
		{"paid", 200, `{"id":"pi_1","object":"payment_intent","status":"succeeded"}`, payment.Result{ID: "pi_1", Status: payment.Succeeded}, 0},
		{"debit-under-way", 200, `{"id":"pi_1","object":"payment_intent","status":"processing"}`, payment.Result{ID: "pi_1", Status: payment.Processing}, 0},
		{"soft", 402, `{"error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds","payment_intent":{"id":"pi_1","object":"payment_intent","status":"requires_payment_method"}}}`,
			payment.Result{ID: "pi_1", Status: payment.Failed, Code: "insufficient_funds"}, 0},
		{"hard", 402, `{"error":{"type":"card_error","code":"card_declined","decline_code":"stolen_card","payment_intent":{"id":"pi_1","object":"payment_intent","status":"requires_payment_method"}}}`,
			payment.Result{ID: "pi_1", Status: payment.Failed, Code: "stolen_card", Hard: true}, 0},
		{"expired", 402, `{"error":{"type":"card_error","code":"expired_card","payment_intent":{"id":"pi_1","object":"payment_intent","status":"requires_payment_method"}}}`,
			payment.Result{ID: "pi_1", Status: payment.Failed, Code: "expired_card", Hard: true}, 0},
		{"three-d-secure", 402, `{"error":{"type":"card_error","code":"authentication_required","decline_code":"authentication_required","payment_intent":{"id":"pi_1","object":"payment_intent","status":"requires_payment_method"}}}`,
			payment.Result{ID: "pi_1", Status: payment.Action}, 0},
		{"busy", 409, `{"error":{"type":"idempotency_error","message":"in flight"}}`, payment.Result{}, fault.Unavailable},
		{"too-fast", 429, `{"error":{"type":"invalid_request_error","code":"rate_limit"}}`, payment.Result{}, fault.Unavailable},
		{"down", 503, `{"error":{"type":"api_error"}}`, payment.Result{}, fault.Unavailable},
		{"wrong-key", 401, `{"error":{"type":"invalid_request_error"}}`, payment.Result{}, fault.Denied},
		{"malformed", 400, `{"error":{"type":"invalid_request_error","message":"No such customer"}}`, payment.Result{}, fault.Invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.status, f.body = c.status, c.body
			got, err := p.Charge(context.Background(), charge)
			if got != c.want || c.kind == 0 && err != nil || c.kind != 0 && fault.KindOf(err) != c.kind {
				t.Errorf("got %+v %v, want %+v %v", got, err, c.want, c.kind)
			}
		})
	}
	if f.path != "/v1/payment_intents" || f.key != "inv_1#1" {
		t.Errorf("asked %s with key %q", f.path, f.key)
	}
	if want := "amount=1234&confirm=true&currency=eur&customer=cus_1&metadata[customer]=acme&metadata[invoice]=inv_1&metadata[key]=inv_1%231&off_session=true&payment_method=pm_1"; f.form != want {
		t.Errorf("sent %s\nwant %s", f.form, want)
	}
}

func TestRefundAnswers(t *testing.T) {
	p, f := setup(t)
	r := payment.RefundRequest{Key: "cn_1/pi_1", Charge: "pi_1", Amount: money.New(500, "EUR")}
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   payment.Status
	}{
		{"done", 200, `{"id":"re_1","object":"refund","status":"succeeded"}`, payment.Succeeded},
		{"pending", 200, `{"id":"re_1","object":"refund","status":"pending"}`, payment.Succeeded},
		{"failed", 200, `{"id":"re_1","object":"refund","status":"failed","failure_reason":"lost_or_stolen_card"}`, payment.Failed},
		{"disputed", 400, `{"error":{"type":"invalid_request_error","code":"charge_disputed"}}`, payment.Failed},
	} {
		f.status, f.body = c.status, c.body
		if got, err := p.Refund(context.Background(), r); err != nil || got.Status != c.want {
			t.Errorf("%s: got %+v %v, want %s", c.name, got, err, c.want)
		}
	}
	if want := "amount=500&metadata[key]=cn_1%2Fpi_1&payment_intent=pi_1"; f.form != want || f.key != r.Key {
		t.Errorf("sent %s with key %q", f.form, f.key)
	}
}

func TestWebhooks(t *testing.T) {
	p, _ := setup(t)
	sign := func(body string, at time.Time, secret string) http.Header {
		s := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: []byte(body), Secret: secret, Timestamp: at})
		return http.Header{"Stripe-Signature": {s.Header}}
	}
	now := time.Unix(1_800_000_000, 0)
	for body, want := range map[string]payment.Event{
		`{"id":"evt_1","object":"event","created":1800000000,"type":"payment_intent.succeeded","data":{"object":{"id":"pi_1","amount":1234,"currency":"eur","metadata":{"customer":"acme"}}}}`: {ID: "evt_1",
			Kind: payment.ChargeSucceeded, Charge: "pi_1", Customer: "acme", Amount: money.New(1234, "EUR"), At: now.UTC()},
		`{"id":"evt_2","object":"event","created":1800000000,"type":"payment_intent.payment_failed","data":{"object":{"id":"pi_1","amount":1234,"currency":"isk","status":"requires_payment_method","metadata":{"customer":"acme"},"last_payment_error":{"code":"card_declined","decline_code":"lost_card"}}}}`: {
			ID: "evt_2", Kind: payment.ChargeFailed, Charge: "pi_1", Customer: "acme", Amount: money.New(12,
				"ISK"), Code: "lost_card", Hard: true, At: now.UTC()},
		`{"id":"evt_3","object":"event","created":1800000000,"type":"charge.dispute.closed","data":{"object":{"id":"dp_1","amount":900,"currency":"eur","status":"lost","payment_intent":"pi_1"}}}`: {ID: "evt_3",
			Kind: payment.DisputeLost, Charge: "pi_1", Amount: money.New(900, "EUR"), At: now.UTC()},
	} {
		got, ok, err := p.Event(sign(body, now, "whsec_test"), []byte(body))
		if err != nil || !ok || got != want {
			t.Errorf("got %+v %v %v\nwant %+v", got, ok, err, want)
		}
		if _, _, err := p.Event(sign(body, now, "whsec_other"), []byte(body)); fault.KindOf(err) != fault.Denied {
			t.Errorf("a wrong secret: %v", err)
		}
		if _, _, err := p.Event(sign(body, now.Add(-10*time.Minute), "whsec_test"), []byte(body)); fault.KindOf(err) != fault.Denied {
			t.Errorf("an old one: %v", err)
		}
		if _, _, err := p.Event(nil, []byte(body)); fault.KindOf(err) != fault.Denied {
			t.Errorf("an unsigned one: %v", err)
		}
	}
	other := `{"id":"evt_4","object":"event","created":1800000000,"type":"customer.created","data":{"object":{}}}`
	if _, ok, err := p.Event(sign(other, now, "whsec_test"), []byte(other)); ok || err != nil {
		t.Errorf("another kind: %v %v", ok, err)
	}
}

func TestAmountsOfSpecialCurrencies(t *testing.T) {
	for _, c := range []struct {
		a    money.Amount
		want int64
		ok   bool
	}{{money.New(500, "JPY"), 500, true}, {money.New(500, "ISK"), 50000, true}, {money.New(1230, "KWD"), 1230,
		true}, {money.New(1234, "KWD"), 0, false}} {
		if got, err := Amount(c.a); got != c.want || (err == nil) != c.ok {
			t.Errorf("%s: got %d %v", c.a, got, err)
		}
	}
}
