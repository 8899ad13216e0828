// Package outbox brings what happened in billing to those who want to know: mails to customers, webhooks to the addresses that owners and the
// operator name.
//
// A delivery is a row of the transaction that made its notice (billingdb). A worker sends it and keeps what became of it, so each is sent
// at least once: a crash between the two sends it again, with the same Message-ID or webhook-id. Mails do not wait for each other. An endpoint gets its events in
// order: while one waits for its next try, those behind it wait too; when the schedule is over the endpoint is switched off, with a notice.
package outbox

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"holdfast/server/billing"
	"holdfast/server/billingdb"
	"holdfast/server/mail"
	"holdfast/server/webhook"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// Book is what billing knows about a notice.
type Book interface {
	// Facts gathers what a mail says; skip tells why there is to be none.
	Facts(n billingdb.Told) (f mail.Facts, skip string, err error)
	// Attachment makes the PDF of a document.
	Attachment(account, number string) ([]byte, error)
	// Tell adds a notice to an account.
	Tell(ctx context.Context, account string, n billing.Tell) error
}

// Config is what a Service needs.
type Config struct {
	DB       *billingdb.DB
	Book     Book
	Mail     *mail.Sender // nil: mails are kept and can be read
	Webhooks *webhook.Sender
	Counted  func(ctx context.Context, tenant id.ID, event string, at time.Time) error // meters what was sent; may be nil
	Now      func() time.Time
	Rand     io.Reader
	Log      *slog.Logger
}

// Service sends. It is safe for concurrent use.
type Service struct {
	cfg Config

	mu     sync.Mutex
	busy   map[string]bool // lanes that are being served
	slots  chan struct{}
	forgot time.Time
	wake   chan struct{}
	stop   context.CancelFunc
	done   sync.WaitGroup
}

// New makes a service that sends nothing yet.
func New(cfg Config) *Service {
	return &Service{cfg: cfg, busy: map[string]bool{}, slots: make(chan struct{}, lanesMax), wake: make(chan struct{}, 1)}
}

// Open begins to send.
func (s *Service) Open(ctx context.Context) {
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.done.Go(func() { s.run(ctx) })
}

// Close stops; what is under way is sent again at the next start, if it did not arrive.
func (s *Service) Close() {
	if s.stop != nil {
		s.stop()
	}
	s.done.Wait()
}

// Wake has the outbox looked at now.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Service) run(ctx context.Context) {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for ctx.Err() == nil {
		if err := s.look(ctx, &s.done); err != nil && ctx.Err() == nil {
			s.cfg.Log.Error("the outbox has to be looked at again", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-t.C:
		case <-s.wake:
		}
	}
}

// Pass sends everything that is due now, and waits for it.
func (s *Service) Pass(ctx context.Context) error {
	var wg sync.WaitGroup
	err := s.look(ctx, &wg)
	wg.Wait()
	return err
}

// look starts serving every lane in which something is due and which is not served already.
func (s *Service) look(ctx context.Context, wg *sync.WaitGroup) error {
	now := s.cfg.Now()
	if now.Sub(s.forgot) >= forgetEvery {
		s.forgot = now
		if err := s.cfg.DB.Forget(ctx, now.Add(-keptFor)); err != nil {
			return err
		}
	}
	lanes, err := s.cfg.DB.Lanes(ctx, now)
	if err != nil {
		return err
	}
	for _, lane := range lanes {
		if !s.take(lane) {
			continue
		}
		wg.Go(func() {
			defer s.leave(lane)
			s.slots <- struct{}{}
			defer func() { <-s.slots }()
			if err := s.serve(ctx, lane); err != nil && ctx.Err() == nil {
				s.cfg.Log.Error("a delivery has to be tried again", "lane", lane, "err", err)
			}
		})
	}
	return nil
}

func (s *Service) take(lane string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[lane] {
		return false
	}
	s.busy[lane] = true
	return true
}

func (s *Service) leave(lane string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.busy, lane)
}

// serve sends what is due in a lane, one after another.
func (s *Service) serve(ctx context.Context, lane string) error {
	for ctx.Err() == nil {
		v, ok, err := s.cfg.DB.Next(ctx, lane, s.cfg.Now())
		if err != nil || !ok {
			return err
		}
		n, err := s.cfg.DB.Notice(ctx, v)
		if err == nil && lane == billingdb.MailLane {
			err = s.mail(ctx, v, n)
		} else if err == nil {
			err = s.webhook(ctx, v, n)
		}
		if err != nil {
			return fault.Wrap("outbox.serve", err)
		}
	}
	return nil
}

// skip settles a delivery without a try.
func (s *Service) skip(ctx context.Context, v billingdb.Delivery, state, reason string) error {
	v.State, v.Reason = state, reason
	return s.cfg.DB.Settle(ctx, v, nil)
}

// tried settles a delivery after a try, and has it metered if it arrived and the workspace pays for it. It tells whether it was given up, after a refusal that is final or at the end of the schedule.
func (s *Service) tried(ctx context.Context, v billingdb.Delivery, began time.Time, failure error, final, metered bool, schedule []time.Duration) (over bool, err error) {
	now := s.cfg.Now()
	a := billingdb.Attempt{At: began, Took: now.Sub(began)}
	v.Tries++
	switch {
	case failure == nil:
		v.State, v.Reason = billingdb.Sent, ""
	case final || v.Tries > len(schedule):
		v.State, over = billingdb.Failed, true
	default:
		v.Due = now.Add(schedule[v.Tries-1])
	}
	if failure != nil {
		if a.Reason = fault.DetailOf(failure); a.Reason == "" {
			a.Reason = "It could not be sent."
		}
		v.Reason = a.Reason
		s.cfg.Log.Info("a delivery failed", "delivery", v.Seq, "lane", v.Lane, "tenant", v.Account, "kind", v.Kind, "tries", v.Tries, "given-up", over, "err", failure)
	}
	ctx = context.WithoutCancel(ctx) // what was sent is kept even when the service is stopping, or it would be sent again
	if failure == nil && metered && s.cfg.Counted != nil {
		// Before it is settled: after a crash it is sent and counted again, and counts once.
		if err := s.cfg.Counted(ctx, id.ID(v.Account), countID(v), now); err != nil {
			s.cfg.Log.Error("what was sent is not metered", "delivery", v.Seq, "tenant", v.Account, "err", err)
		}
	}
	return over, s.cfg.DB.Settle(ctx, v, &a)
}

// stopped tells whether a try ended because the service stops; it is no failure of the receiver.
func stopped(ctx context.Context, failure error) bool {
	return failure != nil && ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled)
}
