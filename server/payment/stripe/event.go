package stripe

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	api "github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"

	"holdfast/server/payment"
	"holdfast/sync/fault"
)

// Event verifies a webhook and reads it. ok is false for kinds that billing does not need.
func (p *Processor) Event(h http.Header, body []byte) (e payment.Event, ok bool, err error) {
	const op = "stripe.Event"
	if len(body) > payment.BodyMax*4 {
		return e, false, fault.Errorf(op, fault.TooLarge, "a webhook of %d bytes", len(body))
	}
	sig := h.Get("Stripe-Signature")
	if !fresh(sig, p.cfg.Now()) {
		return e, false, fault.Errorf(op, fault.Denied, "the webhook's time is missing or more than %s off", payment.Tolerance)
	}
	ev, err := webhook.ConstructEventWithOptions(body, sig, p.cfg.WebhookSecret,
		webhook.ConstructEventOptions{IgnoreTolerance: true, IgnoreAPIVersionMismatch: true})
	if err != nil {
		return e, false, fault.Errorf(op, fault.Denied, "the webhook's signature is wrong")
	}
	e = payment.Event{ID: ev.ID, At: time.Unix(ev.Created, 0).UTC()}
	read := map[api.EventType]func(*payment.Event, *api.Event) (bool, error){
		"payment_intent.succeeded": intent, "payment_intent.payment_failed": intent, "payment_intent.canceled": intent,
		"charge.dispute.created": dispute, "charge.dispute.closed": dispute,
		"refund.failed": refund, "refund.updated": refund, "checkout.session.completed": session,
	}[ev.Type]
	if read == nil || ev.Data == nil {
		return e, false, nil
	}
	ok, err = read(&e, &ev)
	return e, ok, fault.As(op, fault.Invalid, err)
}

func intent(e *payment.Event, ev *api.Event) (bool, error) {
	var pi api.PaymentIntent
	if err := json.Unmarshal(ev.Data.Raw, &pi); err != nil {
		return false, err
	}
	e.Charge, e.Customer, e.Amount, e.Kind = pi.ID, pi.Metadata["customer"], back(pi.Amount, pi.Currency), payment.ChargeSucceeded
	switch ev.Type {
	case "payment_intent.payment_failed":
		r := result(&pi, pi.LastPaymentError)
		if r.Status == payment.Action {
			return false, nil // the answer to the charge says so, and the customer has yet to confirm
		}
		e.Kind, e.Code, e.Hard = payment.ChargeFailed, r.Code, r.Hard
	case "payment_intent.canceled":
		e.Kind, e.Code = payment.ChargeFailed, "canceled"
	}
	return true, nil
}

func dispute(e *payment.Event, ev *api.Event) (bool, error) {
	var d api.Dispute
	if err := json.Unmarshal(ev.Data.Raw, &d); err != nil || d.PaymentIntent == nil {
		return false, err
	}
	e.Charge, e.Amount, e.Kind = d.PaymentIntent.ID, back(d.Amount, d.Currency), payment.DisputeOpened
	switch {
	case ev.Type == "charge.dispute.created":
	case d.Status == api.DisputeStatusWon || d.Status == api.DisputeStatusWarningClosed:
		e.Kind = payment.DisputeWon
	default:
		e.Kind = payment.DisputeLost
	}
	return true, nil
}

func refund(e *payment.Event, ev *api.Event) (bool, error) {
	var r api.Refund
	if err := json.Unmarshal(ev.Data.Raw, &r); err != nil || r.PaymentIntent == nil {
		return false, err
	}
	if r.Status != api.RefundStatusFailed && r.Status != api.RefundStatusCanceled {
		return false, nil
	}
	e.Charge, e.Refund, e.Amount, e.Kind, e.Code = r.PaymentIntent.ID, r.ID, back(r.Amount, r.Currency), payment.RefundFailed, string(r.FailureReason)
	return true, nil
}

// session is a page for a payment method that was completed; Added tells which method it is.
func session(e *payment.Event, ev *api.Event) (bool, error) {
	var s api.CheckoutSession
	if err := json.Unmarshal(ev.Data.Raw, &s); err != nil {
		return false, err
	}
	e.Kind, e.Reference, e.Customer = payment.MethodAdded, s.ID, s.ClientReferenceID
	return s.Mode == api.CheckoutSessionModeSetup, nil
}

// fresh tells whether the time in a signature header lies within the tolerance of now.
func fresh(sig string, now time.Time) bool {
	for _, part := range strings.Split(sig, ",") {
		if k, v, _ := strings.Cut(strings.TrimSpace(part), "="); k == "t" {
			sec, err := strconv.ParseInt(v, 10, 64)
			age := now.Sub(time.Unix(sec, 0))
			return err == nil && age <= payment.Tolerance && age >= -payment.Tolerance
		}
	}
	return false
}
