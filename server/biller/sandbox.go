package biller

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"holdfast/server/billing"
	"holdfast/server/billingdb"
	"holdfast/server/payment"
	"holdfast/sync/fault"
)

// sandbox is the built-in test processor with a memory: it answers the same calls at the same moments in the same way, so its calls are
// kept and played again at a start. A call is kept before it is made; making it again gives the same answer, as its key is the same.
type sandbox struct {
	db   *billingdb.DB
	test *payment.Test

	mu   sync.Mutex
	at   time.Time
	tell []payment.Event // of the last take; they may not have been heard before the process ended
}

// call is one of the things that a processor is asked.
type call struct {
	Charge *payment.ChargeRequest `json:"charge,omitempty"`
	Refund *payment.RefundRequest `json:"refund,omitempty"`
	Take   bool                   `json:"take,omitempty"`
	Ask    string                 `json:"authenticate,omitempty"` // a charge that its customer confirmed
}

func openSandbox(ctx context.Context, db *billingdb.DB) (*sandbox, error) {
	s := &sandbox{db: db}
	s.test = payment.NewTest(func() time.Time { return s.at })
	return s, db.Calls(ctx, func(at time.Time, doc []byte) error {
		var c call
		if err := json.Unmarshal(doc, &c); err != nil {
			return fault.E("biller.sandbox", fault.Corrupt, err)
		}
		s.at = at
		_, _ = s.make(ctx, c) // it was answered then; a refusal is played again too
		return nil
	})
}

// make does a call now.
func (s *sandbox) make(ctx context.Context, c call) (payment.Result, error) {
	switch {
	case c.Charge != nil:
		return s.test.Charge(ctx, *c.Charge)
	case c.Refund != nil:
		return s.test.Refund(ctx, *c.Refund)
	case c.Ask != "":
		e, err := s.test.Authenticate(c.Ask, true)
		if err == nil {
			s.tell = []payment.Event{e}
		}
		return payment.Result{}, err
	}
	s.tell = s.test.Take()
	return payment.Result{}, nil
}

func (s *sandbox) keep(ctx context.Context, c call) (payment.Result, error) {
	doc, err := json.Marshal(c)
	if err != nil {
		return payment.Result{}, fault.E("biller.sandbox", fault.Other, err)
	}
	if err := s.db.AddCall(ctx, s.at, doc); err != nil {
		return payment.Result{}, err
	}
	return s.make(ctx, c)
}

// pass moves the bank's clock.
func (s *sandbox) pass(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now = now.Truncate(time.Millisecond); now.After(s.at) {
		s.at = now
	}
}

// next is when the bank will have something to tell, or the zero time.
func (s *sandbox) next() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.tell) > 0 {
		return s.at
	}
	return s.test.Next()
}

// Charge, Refund and Check are what the engine asks.
func (s *sandbox) Charge(ctx context.Context, r payment.ChargeRequest) (payment.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keep(ctx, call{Charge: &r})
}

func (s *sandbox) Refund(ctx context.Context, r payment.RefundRequest) (payment.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keep(ctx, call{Refund: &r})
}

func (s *sandbox) Check(m payment.Method) error { return s.test.Check(m) }

// take gives what the bank tells by now; what was told last before a start is told again.
func (s *sandbox) take(ctx context.Context) ([]payment.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	told := s.tell
	if next := s.test.Next(); next.IsZero() || next.After(s.at) {
		s.tell = nil
		return told, nil
	}
	if _, err := s.keep(ctx, call{Take: true}); err != nil {
		return told, err
	}
	told, s.tell = append(told, s.tell...), nil
	return told, nil
}

// heard drops what billing does not know.
func (s *sandbox) heard(_ context.Context, _ payment.Event, failure error) error {
	if fault.KindOf(failure) == fault.NotFound {
		return nil
	}
	return failure
}

// confirm is the customer who passes the 3-D Secure step; the next take tells.
func (s *sandbox) confirm(ctx context.Context, p billing.Payment, _ string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	told := s.tell
	_, err := s.keep(ctx, call{Ask: p.ID})
	s.tell = append(told, s.tell...)
	return "", err
}
