package biller

import (
	"context"
	"net/http"

	"holdfast/server/billing"
	"holdfast/server/payment"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// AddMethod makes the processor's page on which a payment method is added; the browser has to go there and comes back to the billing page.
func (s *Service) AddMethod(ctx context.Context, tenant id.ID) (page string, err error) {
	if s.stripe == nil || s.of(tenant).test {
		return "", fault.Errorf("biller.AddMethod", fault.Conflict, "The test bank has no page for that. Set the method itself.")
	}
	if _, err := s.fresh(ctx, tenant); err != nil {
		return "", err
	}
	a, err := s.engine.Account(string(tenant))
	if err != nil {
		return "", err
	}
	return s.stripe.setup(ctx, a.Customer, s.page(tenant))
}

// added makes a method that a customer added the one that is charged.
func (s *Service) added(ctx context.Context, tenant id.ID, m payment.Method) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.engine.Do(ctx, string(tenant), billing.Methods{List: []payment.Method{m}})
}

// HearStripe takes a webhook of Stripe in. After a nil error it is kept and need not be sent again.
func (s *Service) HearStripe(ctx context.Context, h http.Header, body []byte) error {
	if s.stripe == nil {
		return fault.Errorf("biller.HearStripe", fault.NotFound, "There is nothing at this address.")
	}
	e, ok, err := s.cfg.Stripe.Event(h, body)
	if err != nil || !ok {
		return err
	}
	if err := s.stripe.hear(ctx, e); err != nil {
		return err
	}
	s.hearNow(ctx)
	return nil
}

// hearNow tells billing what the processor told. It is told again at the next pass if that fails.
func (s *Service) hearNow(ctx context.Context) {
	if err := s.advance(context.WithoutCancel(ctx)); err != nil {
		s.cfg.Log.Error("billing has to be tried again", "err", err)
	}
}
