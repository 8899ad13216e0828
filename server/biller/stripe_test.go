package biller

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85/webhook"

	"holdfast/server/billing"
	"holdfast/server/metering"
	"holdfast/server/payment"
	"holdfast/server/payment/stripe"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// fakeStripe remembers what it was asked, declines, waits for customers, and tells by signed webhooks. Payment methods behave by their names.
type fakeStripe struct {
	w  *stripeWorld
	mu sync.Mutex

	n        int
	down     bool              // answers 503
	deaf     int               // so many times it does what it is asked, and the answer is lost
	eager    bool              // tells by webhook before it answers
	byKey    map[string]string // answers by idempotency key
	objects  map[string]map[string]any
	asked    []string
	noRefund bool
}

type object = map[string]any

func (f *fakeStripe) id(prefix string) string { f.n++; return fmt.Sprintf("%s_%d", prefix, f.n) }

func (f *fakeStripe) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	must(f.w.t, r.ParseForm())
	status, answer := 503, any(object{"error": object{"type": "api_error"}})
	key := r.Header.Get("Idempotency-Key")
	if !f.down {
		f.asked = append(f.asked, r.Method+" "+r.URL.Path)
		if was, ok := f.byKey[key]; ok && key != "" {
			f.lose()
			w.Header().Set("Idempotent-Replayed", "true")
			fmt.Fprint(w, was)
			return
		}
		status, answer = f.answer(r.Method, strings.TrimPrefix(r.URL.Path, "/v1/"), r.Form)
	}
	b, err := json.Marshal(answer)
	must(f.w.t, err)
	if key != "" && status < 500 {
		f.byKey[key] = string(b)
	}
	f.lose()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(b)
}

// lose drops the answer, if it is to be lost.
func (f *fakeStripe) lose() {
	if f.deaf > 0 {
		f.deaf--
		panic(http.ErrAbortHandler)
	}
}

func (f *fakeStripe) answer(method, path string, form url.Values) (int, any) {
	parts := strings.Split(path, "/")
	switch {
	case method == "POST" && path == "customers":
		return 200, object{"id": f.id("cus"), "object": "customer"}
	case method == "POST" && path == "checkout/sessions":
		id := f.id("cs")
		f.objects[id] = object{"id": id, "object": "checkout.session", "mode": form.Get("mode"), "status": "open", "url": "https://checkout.stripe.example/" + id,
			"client_reference_id": form.Get("client_reference_id"), "customer": form.Get("customer")}
		return 200, f.objects[id]
	case method == "POST" && path == "payment_intents":
		pi := object{"id": f.id("pi"), "object": "payment_intent", "currency": form.Get("currency"), "payment_method": form.Get("payment_method"),
			"metadata": object{"customer": form.Get("metadata[customer]"), "key": form.Get("metadata[key]")}}
		var n int64
		fmt.Sscan(form.Get("amount"), &n)
		pi["amount"] = n
		f.objects[pi["id"].(string)] = pi
		return f.try(pi)
	case method == "POST" && len(parts) == 3 && parts[2] == "confirm":
		pi := f.objects[parts[1]]
		pi["status"] = "requires_action"
		pi["next_action"] = object{"type": "redirect_to_url", "redirect_to_url": object{"url": "https://bank.example/" + parts[1] + "?back=" + url.QueryEscape(form.Get("return_url"))}}
		return 200, pi
	case method == "POST" && path == "refunds":
		if f.noRefund {
			return 400, object{"error": object{"type": "invalid_request_error", "code": "charge_disputed"}}
		}
		re := object{"id": f.id("re"), "object": "refund", "status": "pending", "payment_intent": form.Get("payment_intent"), "amount": json.Number(form.Get("amount")), "currency": "eur"}
		f.objects[re["id"].(string)] = re
		return 200, re
	case method == "GET":
		if o := f.objects[parts[len(parts)-1]]; o != nil {
			return 200, o
		}
	}
	return 404, object{"error": object{"type": "invalid_request_error", "code": "resource_missing"}}
}

// try is a payment while the customer is away.
func (f *fakeStripe) try(pi object) (int, any) {
	decline := func(code, why string) (int, any) {
		pi["status"] = "requires_payment_method"
		e := object{"type": "card_error", "code": code, "decline_code": why, "payment_intent": pi}
		pi["last_payment_error"] = object{"type": "card_error", "code": code, "decline_code": why}
		return 402, object{"error": e}
	}
	switch pi["payment_method"] {
	case "pm_poor":
		return decline("card_declined", "insufficient_funds")
	case "pm_lost":
		return decline("card_declined", "lost_card")
	case "pm_secure":
		return decline("authentication_required", "authentication_required")
	case "pm_gone":
		return 400, object{"error": object{"type": "invalid_request_error", "param": "payment_method", "code": "payment_method_unexpected_state"}}
	case "pm_debit":
		pi["status"] = "processing"
		return 200, pi
	}
	pi["status"] = "succeeded"
	if f.eager {
		body, h := f.event("payment_intent.succeeded", pi)
		must(f.w.t, f.w.s.HearStripe(f.w.t.Context(), h, body))
		must(f.w.t, f.w.s.HearStripe(f.w.t.Context(), h, body))
	}
	return 200, pi
}

func (f *fakeStripe) event(kind string, o object) ([]byte, http.Header) {
	now := f.w.clock()
	body, err := json.Marshal(object{"id": f.id("evt"), "object": "event", "created": now.Unix(), "type": kind, "data": object{"object": o}})
	must(f.w.t, err)
	s := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: body, Secret: "whsec_verysecret", Timestamp: now})
	return body, http.Header{"Stripe-Signature": {s.Header}}
}

// tell changes an object and sends the webhook about it, twice.
func (f *fakeStripe) tell(kind, id string, change object) {
	f.w.t.Helper()
	f.mu.Lock()
	o := f.objects[id]
	for k, v := range change {
		o[k] = v
	}
	body, h := f.event(kind, o)
	f.mu.Unlock()
	for range 2 {
		must(f.w.t, f.w.s.HearStripe(f.w.t.Context(), h, body))
	}
}

// last is the newest object of a kind.
func (f *fakeStripe) last(prefix string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	for n := f.n; n > 0; n-- {
		if id := fmt.Sprintf("%s_%d", prefix, n); f.objects[id] != nil {
			return id
		}
	}
	f.w.t.Fatalf("no %s", prefix)
	return ""
}

func (f *fakeStripe) count(ask string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.asked {
		if a == ask {
			n++
		}
	}
	return n
}

func (f *fakeStripe) set(change func()) { f.mu.Lock(); defer f.mu.Unlock(); change() }

// stripeWorld is a world whose processor is Stripe.
type stripeWorld struct {
	*world
	f   *fakeStripe
	url string
	log bytes.Buffer
	mu  sync.Mutex
}

func (w *stripeWorld) clock() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }

// Month is a workspace that uses nothing.
func (w *stripeWorld) Month(context.Context, id.ID, time.Time) ([]metering.Total, time.Time, error) {
	return nil, w.clock(), nil
}

func (w *stripeWorld) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(b)
}

func newStripeWorld(t *testing.T) *stripeWorld {
	w := &stripeWorld{world: newWorld(t)}
	must(t, w.s.db.Close())
	w.f = &fakeStripe{w: w, byKey: map[string]string{}, objects: map[string]object{}}
	srv := httptest.NewServer(w.f)
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	t.Cleanup(srv.Close)
	w.url = srv.URL
	w.start()
	return w
}

func (w *stripeWorld) start() {
	p := stripe.New(stripe.Config{Key: "sk_test_verysecret", WebhookSecret: "whsec_verysecret", URL: w.url, Now: w.clock})
	w.s = New(Config{Dir: w.dir, URL: "https://holdfast.example", Tenancy: w.people, Usage: w, Now: w.clock, Stripe: p, Log: slog.New(slog.NewTextHandler(w, nil))})
	must(w.t, w.s.open(w.t.Context()))
	ctx, stop := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.s.stripe.run(ctx, w.s.hearNow) }()
	w.t.Cleanup(func() { stop(); <-done })
	w.pass()
}

func (w *stripeWorld) after(d time.Duration) {
	w.t.Helper()
	w.mu.Lock()
	w.now = w.now.Add(d)
	w.mu.Unlock()
	w.pass()
}

// work does what is due and tells billing.
func (w *stripeWorld) work() {
	w.t.Helper()
	for range 3 {
		_, err := w.s.stripe.work(w.t.Context())
		must(w.t, err)
		w.s.hearNow(w.t.Context())
	}
}

// add is an owner who adds a payment method on Stripe's page.
func (w *stripeWorld) add(pm string) {
	w.t.Helper()
	page, err := w.s.AddMethod(w.t.Context(), w.ws)
	must(w.t, err)
	session := w.f.last("cs")
	if page != "https://checkout.stripe.example/"+session {
		w.t.Fatalf("the page is %s", page)
	}
	m := object{"id": pm, "object": "payment_method", "type": "card", "card": object{"brand": "visa", "last4": "4242"}}
	if pm == "pm_debit" {
		m = object{"id": pm, "object": "payment_method", "type": "sepa_debit", "sepa_debit": object{"country": "DE", "last4": "3000"}}
	}
	w.f.tell("checkout.session.completed", session, object{"status": "complete", "setup_intent": object{"id": "seti_1", "object": "setup_intent", "payment_method": m}})
	w.work()
}

func (w *stripeWorld) state() string {
	var out []string
	for _, v := range w.account().Invoices {
		out = append(out, string(v.State))
	}
	return strings.Join(out, " ")
}

// end checks what must hold at the end of every story.
func (w *stripeWorld) end() {
	w.t.Helper()
	if d := w.s.engine.Reconcile(); len(d) > 0 {
		w.t.Errorf("%+v", d)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if strings.Contains(w.log.String(), "verysecret") {
		w.t.Error("a secret is in the log")
	}
}

func TestBM27_StripeFromCardToPaid(t *testing.T) {
	w := newStripeWorld(t)
	ctx := t.Context()
	kind := fault.KindOf(w.s.SetMethod(ctx, w.ws, payment.Method{Kind: payment.Card, Token: "cus_other/pm_other"}))
	if kind != fault.Invalid {
		t.Errorf("somebody else's card: %v", kind)
	}
	w.f.set(func() { w.f.eager = true }) // webhooks come before answers, and twice
	w.add("pm_fine")
	must(t, w.s.ChangePlan(ctx, w.ws, "team"))
	o, err := w.s.Overview(ctx, w.ws)
	must(t, err)
	if w.state() != "paid" || o.Processor != "stripe" || len(o.Methods) != 1 || o.Methods[0].Text != "Visa •••• 4242" {
		t.Fatalf("%s %+v %+v", w.state(), o.Methods, w.account().Payments)
	}
	if n := w.f.count("POST /v1/payment_intents"); n != 1 {
		t.Errorf("asked %d times", n)
	}
	w.add("pm_other")
	if n := w.f.count("POST /v1/customers"); n != 1 {
		t.Errorf("%d customers", n)
	}
	w.end()
}

func TestBM28_StripeDeclinesAndRetries(t *testing.T) {
	w := newStripeWorld(t)
	w.add("pm_poor")
	must(t, w.s.ChangePlan(t.Context(), w.ws, "team"))
	if p := w.account().Payments; w.state() != "open" || len(p) != 1 || p[0].Code != "insufficient_funds" || p[0].Hard {
		t.Fatalf("%s %+v", w.state(), p)
	}
	w.after(25 * time.Hour)
	w.work()
	if n := len(w.account().Payments); n != 2 {
		t.Fatalf("%d payments", n)
	}
	w.add("pm_fine") // tried at once
	if w.state() != "paid" || w.account().Standing() != "good" {
		t.Errorf("%s %+v", w.state(), w.account().Payments)
	}
	w.end()

	w = newStripeWorld(t)
	w.add("pm_gone")
	must(t, w.s.ChangePlan(t.Context(), w.ws, "team"))
	if p := w.account().Payments; w.state() != "open" || len(p) != 1 || !p[0].Hard {
		t.Errorf("a method that is gone: %s %+v", w.state(), p)
	}
	w.end()
}

func TestStripeThreeDSecure(t *testing.T) {
	for _, told := range []bool{true, false} { // without the webhook it is found out when somebody looks
		w := newStripeWorld(t)
		ctx := t.Context()
		w.add("pm_secure")
		must(t, w.s.ChangePlan(ctx, w.ws, "team"))
		o, err := w.s.Overview(ctx, w.ws)
		must(t, err)
		if !o.Invoices[0].Confirm {
			t.Fatalf("%+v", w.account().Payments)
		}
		page, err := w.s.Confirm(ctx, w.ws, o.Invoices[0].Number)
		must(t, err)
		pi := w.f.last("pi")
		if want := "https://bank.example/" + pi + "?back=" + url.QueryEscape("https://holdfast.example/w/"+string(w.ws)+"/billing"); page != want {
			t.Errorf("got %s, want %s", page, want)
		}
		if told {
			w.f.tell("payment_intent.succeeded", pi, object{"status": "succeeded"})
		} else {
			w.f.set(func() { w.f.objects[pi]["status"] = "succeeded" })
			w.after(time.Minute)
			_, err = w.s.Overview(ctx, w.ws)
			must(t, err)
		}
		if w.state() != "paid" {
			t.Errorf("told %t: %s %+v", told, w.state(), w.account().Payments)
		}
		w.end()
	}
}

func TestStripeDebitDisputeAndRefund(t *testing.T) {
	w := newStripeWorld(t)
	ctx := t.Context()
	w.add("pm_debit")
	must(t, w.s.ChangePlan(ctx, w.ws, "business"))
	pi := w.f.last("pi")
	if w.state() != "open" || w.account().Methods[0].Label != "DE •••• 3000" || w.account().Standing() != "good" {
		t.Fatalf("%s %+v", w.state(), w.account().Methods)
	}
	w.after(3 * 24 * time.Hour)
	w.f.tell("payment_intent.succeeded", pi, object{"status": "succeeded"})
	if w.state() != "paid" {
		t.Fatalf("%s", w.state())
	}
	w.f.set(func() {
		w.f.objects["dp_1"] = object{"id": "dp_1", "amount": 4800, "currency": "eur", "status": "needs_response", "payment_intent": pi}
	})
	w.f.tell("charge.dispute.closed", "dp_1", object{"status": "lost"}) // the end comes first
	w.f.tell("charge.dispute.created", "dp_1", nil)
	if p := w.account().Payments[0]; p.Dispute != "lost" {
		t.Errorf("%+v", p)
	}
	w.end()

	w = newStripeWorld(t)
	w.add("pm_fine")
	must(t, w.s.ChangePlan(ctx, w.ws, "business"))
	v := w.account().Invoices[0]
	must(t, w.s.do(ctx, w.ws, billing.CreditInvoice{Invoice: v.Number, Refund: true, Reason: "a mistake"}))
	w.work()
	if n := w.f.count("POST /v1/refunds"); n != 1 || w.account().Payments[0].Refunded == 0 {
		t.Fatalf("%d refunds, %+v", n, w.account().Payments)
	}
	w.f.tell("refund.failed", w.f.last("re"), object{"status": "failed", "failure_reason": "expired_or_canceled_card"})
	var left int64
	for _, c := range w.account().Credits {
		left += c.Left
	}
	if left == 0 || w.account().Payments[0].Refunded != 0 {
		t.Errorf("what could not be paid back is not kept: %+v", w.account().Credits)
	}
	w.end()
}

func TestStripeDownAndAnswersThatAreLost(t *testing.T) {
	w := newStripeWorld(t)
	w.add("pm_fine")
	w.f.set(func() { w.f.down = true })
	must(t, w.s.ChangePlan(t.Context(), w.ws, "team")) // nobody waits for Stripe
	if w.account().Sub().Plan != "team" || w.state() != "open" {
		t.Fatalf("%s %s", w.account().Sub().Plan, w.state())
	}
	w.after(3 * time.Second)
	w.work()
	w.f.set(func() { w.f.down, w.f.deaf = false, 4 })
	w.after(time.Minute)
	w.work()
	must(t, w.s.db.Close())
	w.start()
	for range 12 {
		w.after(10 * time.Minute)
		w.work()
	}
	intents := 0
	w.f.set(func() {
		for id := range w.f.objects {
			if strings.HasPrefix(id, "pi_") {
				intents++
			}
		}
	})
	if w.state() != "paid" || intents != 1 {
		t.Errorf("%s after %d charges", w.state(), intents)
	}
	w.end()
}

func TestStripeWebhooksThatAreNotTheirs(t *testing.T) {
	w := newStripeWorld(t)
	ctx := t.Context()
	w.add("pm_debit")
	must(t, w.s.ChangePlan(ctx, w.ws, "team"))
	pi := w.f.last("pi")
	w.f.mu.Lock()
	body, h := w.f.event("payment_intent.succeeded", w.f.objects[pi])
	w.f.mu.Unlock()
	for name, do := range map[string]func() error{
		"changed":  func() error { return w.s.HearStripe(ctx, h, append(bytes.Clone(body), ' ')) },
		"unsigned": func() error { return w.s.HearStripe(ctx, http.Header{}, body) },
	} {
		if err := do(); fault.KindOf(err) != fault.Denied {
			t.Errorf("%s: %v", name, err)
		}
	}
	if w.state() != "open" {
		t.Errorf("%s", w.state())
	}
	// Of another program on the same account: kept for a while, then dropped.
	w.f.set(func() {
		w.f.objects["pi_other"] = object{"id": "pi_other", "amount": 1, "currency": "eur", "metadata": object{}}
	})
	w.f.tell("payment_intent.succeeded", "pi_other", object{"status": "succeeded"})
	w.after(4 * 24 * time.Hour)
	list, err := w.s.db.Events(ctx, 10)
	if err != nil || len(list) != 0 {
		t.Errorf("%+v %v", list, err)
	}
	w.end()
}
