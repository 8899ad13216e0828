// Package payment moves money through a processor behind one small interface, and holds the built-in test processor.
//
// Every request carries a key: sending it again is the same request and gives the same answer. What a processor learns
// later (a debit that settles, a dispute) comes as signed Events, in any order and more than once; their ids tell
// repetitions.
package payment

import (
	"context"
	"time"

	"holdfast/server/money"
)

// Processor charges and refunds. Its failures are results, not errors: an error means that nobody knows and the same
// request must be sent again.
type Processor interface {
	Charge(ctx context.Context, r ChargeRequest) (Result, error)
	Refund(ctx context.Context, r RefundRequest) (Result, error)
	Check(m Method) error // whether a method could ever be charged
}

// Kinds of methods.
const (
	Card  = "card"
	Debit = "debit" // bank debit: settles days later
	Wire  = "wire"  // the customer sends money and names the invoice
)

// Method is a way to pay. Token is the processor's name for it; the test processor takes the numbers and names of
// Outcomes.
type Method struct {
	Kind  string `json:"kind"`
	Token string `json:"token,omitempty"`
	Label string `json:"label,omitempty"` // what may be shown of it; empty: made of the token
}

// ChargeRequest asks for money without the customer being there.
type ChargeRequest struct {
	Key      string
	Customer string
	Invoice  string
	Method   Method
	Amount   money.Amount
}

// RefundRequest gives a part of a charge back.
type RefundRequest struct {
	Key    string
	Charge string
	Amount money.Amount
}

// Status is how a request ended.
type Status string

// The statuses.
const (
	Succeeded  Status = "succeeded"
	Failed     Status = "failed"
	Processing Status = "processing"      // an event will tell
	Action     Status = "action_required" // the customer must confirm (3-D Secure); an event will tell
)

// Result is an answer. Hard declines must not be tried again with the same method.
type Result struct {
	ID     string `json:"id"`
	Status Status `json:"status"`
	Code   string `json:"code,omitempty"`
	Hard   bool   `json:"hard,omitempty"`
}

// Kinds of events.
const (
	ChargeSucceeded = "charge.succeeded"
	ChargeFailed    = "charge.failed"
	ChargeAction    = "charge.action_required" // the customer must confirm
	ChargeReturned  = "charge.returned"        // a settled debit bounced
	RefundSucceeded = "refund.succeeded"
	RefundFailed    = "refund.failed"
	DisputeOpened   = "dispute.opened"
	DisputeWon      = "dispute.won"
	DisputeLost     = "dispute.lost"
	WireReceived    = "wire.received"
	MethodAdded     = "method.added" // the customer added a way to pay; Reference names the page on which it was done
)

// Event is what a processor tells later.
type Event struct {
	ID        string       `json:"id"`
	Kind      string       `json:"kind"`
	At        time.Time    `json:"at"`
	Charge    string       `json:"charge,omitempty"`
	Refund    string       `json:"refund,omitempty"`
	Customer  string       `json:"customer,omitempty"`
	Amount    money.Amount `json:"amount"`
	Code      string       `json:"code,omitempty"`
	Hard      bool         `json:"hard,omitempty"`
	Reference string       `json:"reference,omitempty"` // what the sender of a wire wrote
}
