package outbox

import (
	"context"
	"strings"
	"time"

	"holdfast/server/billingdb"
	"holdfast/server/webhook"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// Endpoint is an address as its owner sees it. The secret is there only when it is new.
type Endpoint struct {
	ID        string   `json:"id"`
	URL       string   `json:"url"`
	Note      string   `json:"note"`
	Events    []string `json:"events" doc:"Kinds that are sent; empty: all"`
	On        bool     `json:"on"`
	Tests     bool     `json:"tests,omitempty" doc:"The operator's: it hears of test clocks too"`
	Reason    string   `json:"reason,omitempty" doc:"Why it was switched off"`
	CreatedMS int64    `json:"createdMS"`
	Secret    string   `json:"secret,omitempty" doc:"Shown once, when it is made"`
}

// Wish is how an endpoint is to be.
type Wish struct {
	URL    string   `json:"url" maxLength:"500"`
	Note   string   `json:"note,omitempty" maxLength:"100"`
	Events []string `json:"events,omitempty" maxItems:"50"`
	On     bool     `json:"on"`
	Tests  bool     `json:"-"` // the operator's also hears of test clocks; a workspace's always hears of its own
}

func shown(e billingdb.Endpoint) Endpoint {
	return Endpoint{ID: e.ID, URL: e.URL, Note: e.Note, Events: append([]string{}, e.Events...), On: e.State == billingdb.On, Tests: e.Tests, Reason: e.Reason, CreatedMS: e.Created.UnixMilli()}
}

// Endpoints lists an owner's endpoints: a workspace's, or the operator's (empty).
func (s *Service) Endpoints(ctx context.Context, owner string) ([]Endpoint, error) {
	list, err := s.cfg.DB.Endpoints(ctx, owner)
	out := make([]Endpoint, len(list))
	for i, e := range list {
		out[i] = shown(e)
	}
	return out, err
}

func (s *Service) check(w Wish) error {
	const op = "outbox.Endpoint"
	if err := s.cfg.Webhooks.CheckURL(w.URL); err != nil {
		return err
	}
	if len(w.Note) > noteMax || len(w.Events) > eventsMax {
		return fault.Errorf(op, fault.TooLarge, "A note has at most %d characters, and a webhook names at most %d kinds of events.", noteMax, eventsMax)
	}
	for _, k := range w.Events {
		if k == "" || len(k) > kindMax || strings.Trim(k, "abcdefghijklmnopqrstuvwxyz._-") != "" {
			return fault.Errorf(op, fault.Invalid, "%.64q is no kind of event, such as invoice.issued.", k)
		}
	}
	return nil
}

// Add makes an endpoint, which is on. The answer has its secret.
func (s *Service) Add(ctx context.Context, owner string, w Wish) (Endpoint, error) {
	const op = "outbox.Add"
	if err := s.check(w); err != nil {
		return Endpoint{}, err
	}
	s.mu.Lock() // or two at once might pass the limit
	defer s.mu.Unlock()
	list, err := s.cfg.DB.Endpoints(ctx, owner)
	if err != nil {
		return Endpoint{}, err
	}
	if len(list) >= endpointsMax {
		return Endpoint{}, fault.Errorf(op, fault.Limit, "There are %d webhooks already, which is the most. Remove one first.", endpointsMax)
	}
	secret, err := webhook.NewSecret(s.cfg.Rand)
	if err != nil {
		return Endpoint{}, err
	}
	now := s.cfg.Now()
	e := billingdb.Endpoint{ID: "ep_" + string(id.New(now, s.cfg.Rand)), Owner: owner, URL: w.URL, Note: w.Note, Events: w.Events, Tests: w.Tests, State: billingdb.On, Created: now,
		Secrets: []billingdb.Secret{{Value: secret}}}
	out := shown(e)
	out.Secret = secret
	return out, s.cfg.DB.PutEndpoint(ctx, e)
}

// endpoint finds an owner's endpoint; those of others do not exist.
func (s *Service) endpoint(ctx context.Context, owner, endpoint string) (billingdb.Endpoint, error) {
	e, err := s.cfg.DB.Endpoint(ctx, endpoint)
	if err == nil && e.Owner != owner {
		return billingdb.Endpoint{}, fault.Errorf("outbox.endpoint", fault.NotFound, "There is no such webhook address.")
	}
	return e, err
}

// Change makes an endpoint as it is wished. Switched off, it hears nothing; what it missed can be replayed.
func (s *Service) Change(ctx context.Context, owner, endpoint string, w Wish) (Endpoint, error) {
	e, err := s.endpoint(ctx, owner, endpoint)
	if err == nil {
		err = s.check(w)
	}
	if err != nil {
		return Endpoint{}, err
	}
	e.URL, e.Note, e.Events, e.State, e.Reason = w.URL, w.Note, w.Events, billingdb.Off, ""
	if w.On {
		e.State = billingdb.On
	}
	return shown(e), s.cfg.DB.PutEndpoint(ctx, e)
}

// Rotate gives an endpoint a new secret. For a day both sign.
func (s *Service) Rotate(ctx context.Context, owner, endpoint string) (Endpoint, error) {
	e, err := s.endpoint(ctx, owner, endpoint)
	if err != nil {
		return Endpoint{}, err
	}
	secret, err := webhook.NewSecret(s.cfg.Rand)
	if err != nil {
		return Endpoint{}, err
	}
	old := e.Secrets[0]
	old.Until = s.cfg.Now().Add(secretOverlap)
	e.Secrets = []billingdb.Secret{{Value: secret}, old}
	out := shown(e)
	out.Secret = secret
	return out, s.cfg.DB.PutEndpoint(ctx, e)
}

// Drop removes an endpoint and what was sent to it.
func (s *Service) Drop(ctx context.Context, owner, endpoint string) error {
	if _, err := s.endpoint(ctx, owner, endpoint); err != nil {
		return err
	}
	return s.cfg.DB.DropEndpoint(ctx, endpoint)
}

// Delivery is a delivery as its owner sees it.
type Delivery struct {
	ID       int64  `json:"id"`
	Event    string `json:"event"` // its kind
	State    string `json:"state" enum:"pending,sent,failed,kept,skipped"`
	Tries    int    `json:"tries"`
	AtMS     int64  `json:"atMS"`
	NextMS   int64  `json:"nextMS,omitempty" doc:"The next try"`
	To       string `json:"to,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Test     bool   `json:"test,omitempty" doc:"It is of a test clock"`
	Attempts []Try  `json:"attempts,omitempty"`
}

// Try is one try of a delivery. An empty reason means that it arrived.
type Try struct {
	AtMS   int64  `json:"atMS"`
	TookMS int64  `json:"tookMS"`
	Reason string `json:"reason,omitempty"`
}

// Shown is a delivery for those who may see it.
func Shown(v billingdb.Delivery, tries []billingdb.Attempt) Delivery {
	d := Delivery{ID: v.Seq, Event: v.Kind, State: v.State, Tries: v.Tries, AtMS: v.At.UnixMilli(), To: v.Recipient, Reason: v.Reason, Test: v.Test != 0}
	if v.State == billingdb.Pending {
		d.NextMS = v.Due.UnixMilli()
	}
	for _, t := range tries {
		d.Attempts = append(d.Attempts, Try{t.At.UnixMilli(), t.Took.Milliseconds(), t.Reason})
	}
	return d
}

// Deliveries lists what was sent to an endpoint, the newest first, below a number (0: all).
func (s *Service) Deliveries(ctx context.Context, owner, endpoint string, below int64, most int) ([]Delivery, error) {
	if _, err := s.endpoint(ctx, owner, endpoint); err != nil {
		return nil, err
	}
	list, err := s.cfg.DB.Deliveries(ctx, endpoint, "", below, min(max(most, 1), PageMax))
	out := make([]Delivery, len(list))
	for i, v := range list {
		out[i] = Shown(v, nil)
	}
	return out, err
}

// Delivery reads one with its tries.
func (s *Service) Delivery(ctx context.Context, owner, endpoint string, seq int64) (Delivery, error) {
	if _, err := s.endpoint(ctx, owner, endpoint); err != nil {
		return Delivery{}, err
	}
	v, err := s.delivery(ctx, endpoint, seq)
	if err != nil {
		return Delivery{}, err
	}
	tries, err := s.cfg.DB.Attempts(ctx, seq)
	return Shown(v, tries), err
}

// Resend sends one event once more, under the same webhook-id.
func (s *Service) Resend(ctx context.Context, owner, endpoint string, seq int64) error {
	if _, err := s.on(ctx, owner, endpoint); err != nil {
		return err
	}
	return s.again(ctx, endpoint, seq)
}

// Replay sends every event since a moment once more, in order and under the same ids, and tells how many there are.
func (s *Service) Replay(ctx context.Context, owner, endpoint string, since time.Time) (int, error) {
	e, err := s.on(ctx, owner, endpoint)
	if err != nil {
		return 0, err
	}
	now := s.cfg.Now()
	if since.After(now) {
		return 0, fault.Errorf("outbox.Replay", fault.Invalid, "That moment is still to come.")
	}
	n, err := s.cfg.DB.Replay(ctx, e, since, now, replayMax)
	s.Wake()
	return n, err
}

func (s *Service) on(ctx context.Context, owner, endpoint string) (billingdb.Endpoint, error) {
	e, err := s.endpoint(ctx, owner, endpoint)
	if err == nil && e.State != billingdb.On {
		err = fault.Errorf("outbox.on", fault.Conflict, "This webhook is switched off. Switch it on first.")
	}
	return e, err
}
