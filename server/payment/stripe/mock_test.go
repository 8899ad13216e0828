//go:build stripemock

package stripe

import (
	"context"
	"os"
	"testing"

	"holdfast/server/money"
	"holdfast/server/payment"
	"holdfast/sync/fault"
)

// TestShapesAgainstStripeMock sends the requests to stripe-mock, which checks them against Stripe's OpenAPI
// description:
//
//	go install github.com/stripe/stripe-mock@v0.203.0 && stripe-mock &
//	go test -tags stripemock ./server/payment/stripe
func TestShapesAgainstStripeMock(t *testing.T) {
	url := os.Getenv("STRIPE_MOCK")
	if url == "" {
		url = "http://127.0.0.1:12111"
	}
	p := New(Config{Key: "sk_test_123", URL: url})
	if _, err := p.Charge(context.Background(), charge); err != nil {
		t.Error(err)
	}
	if _, err := p.Refund(context.Background(), payment.RefundRequest{Key: "k", Charge: "pi_123",
		Amount: money.New(5, "EUR")}); err != nil {
		t.Error(err)
	}
	ctx := context.Background()
	if id, err := p.Customer(ctx, "acme", "Acme", "billing@acme.example"); err != nil || id == "" {
		t.Errorf("customer %q: %v", id, err)
	}
	if _, url, err := p.Setup(ctx, "cus_1", "acme", "EUR", "https://holdfast.example/w/acme/billing"); err != nil {
		t.Errorf("setup %q: %v", url, err)
	}
	if _, _, err := p.Added(ctx, "cs_test_123"); err != nil && fault.KindOf(err) != fault.Invalid {
		t.Errorf("added: %v", err) // the mock's session has no method
	}
	if _, err := p.Look(ctx, "pi_123"); err != nil {
		t.Errorf("look: %v", err)
	}
	if _, err := p.Confirm(ctx, "pi_123", charge.Method, "https://holdfast.example/w/acme/billing"); err != nil {
		t.Errorf("confirm: %v", err)
	}
}
