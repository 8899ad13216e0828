package control

import (
	"net/http"
	"time"

	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// Moment is where a test clock is set, or how far it is moved.
type Moment struct {
	At time.Time     `json:"at,omitzero"`
	By time.Duration `json:"by,omitempty"` // nanoseconds; with At zero
}

func workspace(r *http.Request) id.ID { return id.ID(r.PathValue("workspace")) }

func (s *service) startClock(r *http.Request) (any, error) {
	var m Moment
	if err := decode(r, &m); err != nil {
		return nil, err
	}
	c, err := s.Billing.StartTestClock(r.Context(), workspace(r), m.At)
	if err == nil {
		err = s.Operators.Audit(r.Context(), "", "testclock.start", string(c.Tenant), c.At.Format(time.RFC3339))
	}
	return c, err
}

func (s *service) advanceClock(r *http.Request) (any, error) {
	var m Moment
	if err := decode(r, &m); err != nil {
		return nil, err
	}
	if m.At.IsZero() {
		c, ok := s.Billing.TestClock(workspace(r))
		if !ok {
			return nil, fault.Errorf("control.advanceClock", fault.NotFound, "The workspace has no test clock. Give it one with: holdfast clock start")
		}
		m.At = c.At.Add(m.By)
	}
	c, err := s.Billing.AdvanceTestClock(r.Context(), workspace(r), m.At)
	if err == nil {
		err = s.Operators.Audit(r.Context(), "", "testclock.advance", string(c.Tenant), c.At.Format(time.RFC3339))
	}
	return c, err
}

func (s *service) endClock(r *http.Request) (any, error) {
	err := s.Billing.EndTestClock(r.Context(), workspace(r))
	if err == nil {
		err = s.Operators.Audit(r.Context(), "", "testclock.end", string(workspace(r)), "")
	}
	return nil, err
}
