package hub

import (
	"context"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85/webhook"

	"holdfast/server/payment/stripe"
)

// Stripe's webhooks come through any region, without a session; only what Stripe signed is taken.
func TestStripeWebhooksThroughARegion(t *testing.T) {
	h := New(Config{DataDir: t.TempDir(), LeafListen: "127.0.0.1:0", LeafSecret: "s", RPID: "localhost", Origins: []string{origin},
		Stripe: stripe.New(stripe.Config{Key: "sk_test_x", WebhookSecret: "whsec_right"})})
	must(t, h.Open(t.Context()))
	t.Cleanup(func() { h.Close(context.Background()) })
	e := newEdge(t, h.LeafAddr())
	within(t, 10*time.Second, func() error { return e.register(`{"name":"eu","url":"` + origin + `"}`) })
	body := `{"id":"evt_1","object":"event","created":` + strconv.FormatInt(time.Now().Unix(), 10) + `,"type":"payment_intent.succeeded","data":{"object":{"id":"pi_1","amount":5,"currency":"eur","metadata":{}}}}`
	for secret, want := range map[string]int{"whsec_right": 204, "whsec_wrong": 403} {
		s := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: []byte(body), Secret: secret, Timestamp: time.Now()})
		for range 2 {
			status, _, answer := e.raw("POST", "/api/webhooks/stripe", body, func(r *http.Request) {
				r.Header.Del("Origin")
				r.Header.Set("Stripe-Signature", s.Header)
			})
			if status != want {
				t.Errorf("%s: %d %s, want %d", secret, status, answer, want)
			}
		}
	}
	list, err := h.biller.Replies().Events(t.Context(), 10)
	if err != nil || len(list) != 1 {
		t.Errorf("%+v %v", list, err)
	}
	if status, _, _ := newEdgeOf(t).raw("POST", "/api/webhooks/stripe", body); status != 404 {
		t.Errorf("without Stripe: %d", status)
	}
}

// newEdgeOf is a region of a hub with the test bank.
func newEdgeOf(t *testing.T) *edge {
	h := open(t, t.TempDir(), "127.0.0.1:0")
	e := newEdge(t, h.LeafAddr())
	within(t, 10*time.Second, func() error { return e.register(`{"name":"eu","url":"` + origin + `"}`) })
	return e
}
