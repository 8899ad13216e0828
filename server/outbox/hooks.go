package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"holdfast/server/billing"
	"holdfast/server/billingdb"
	"holdfast/server/webhook"
	"holdfast/sync/fault"
)

// Message is what an endpoint gets. Its id is the header webhook-id, and the same however often it is sent.
type Message struct {
	Type      string      `json:"type"`
	Timestamp time.Time   `json:"timestamp"` // when it happened
	Data      MessageData `json:"data"`
}

// MessageData says what happened, and where to look.
type MessageData struct {
	ID        string `json:"id"`
	Workspace string `json:"workspace"`
	Sequence  int    `json:"sequence"` // of the workspace's events, from 1
	Ref       string `json:"ref,omitempty"`
	Text      string `json:"text"`
	Test      bool   `json:"test,omitempty"` // it happened on a test clock: no money moved, and timestamp is the clock's
}

// webhook sends an event to an endpoint.
func (s *Service) webhook(ctx context.Context, v billingdb.Delivery, n billingdb.Told) error {
	e, err := s.cfg.DB.Endpoint(ctx, v.Lane)
	if fault.KindOf(err) == fault.NotFound || err == nil && e.State != billingdb.On {
		return s.skip(ctx, v, billingdb.Failed, "The address is switched off.")
	}
	if err != nil {
		return err
	}
	began := s.cfg.Now()
	eventID := n.Event()
	body, err := json.Marshal(Message{n.Kind, n.At.UTC(), MessageData{eventID, v.Account, n.ID, n.Ref, n.Text, n.Test()}})
	if err != nil {
		return fault.E("outbox.webhook", fault.Other, err)
	}
	v.Recipient = e.URL
	header, failure := webhook.Sign(signing(e, began), eventID, began, body)
	if failure == nil {
		failure = s.cfg.Webhooks.Post(ctx, e.URL, header, body)
	}
	if stopped(ctx, failure) {
		return nil
	}
	gone := errors.Is(failure, webhook.Gone)
	over, err := s.tried(ctx, v, began, failure, gone || fault.KindOf(failure) == fault.TooLarge, e.Owner != "" && !n.Test(), webhook.Schedule)
	if err != nil || !over || fault.KindOf(failure) == fault.TooLarge {
		return err
	}
	reason := "It did not accept an event in three days."
	if gone {
		reason = "It answered 410: it wants no more events."
	}
	return s.switchOff(ctx, e, reason)
}

// signing lists the secrets that sign at a moment.
func signing(e billingdb.Endpoint, at time.Time) []string {
	var out []string
	for _, x := range e.Secrets {
		if x.Until.IsZero() || at.Before(x.Until) {
			out = append(out, x.Value)
		}
	}
	return out
}

// switchOff ends an endpoint that does not work, and tells.
func (s *Service) switchOff(ctx context.Context, e billingdb.Endpoint, reason string) error {
	e.State, e.Reason = billingdb.Off, reason
	if err := s.cfg.DB.PutEndpoint(ctx, e); err != nil {
		return err
	}
	if e.Owner == "" {
		s.cfg.Log.Error("a webhook of the operator is switched off", "endpoint", e.ID, "reason", reason)
		return nil
	}
	return s.cfg.Book.Tell(ctx, e.Owner, billing.Tell{Kind: "webhook.disabled", Ref: e.ID, Text: "The webhook " + e.URL + " is switched off. " + reason, Mail: true})
}
