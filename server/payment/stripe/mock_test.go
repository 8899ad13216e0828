//go:build stripemock

package stripe

import (
	"context"
	"os"
	"testing"

	"holdfast/server/money"
	"holdfast/server/payment"
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
}
