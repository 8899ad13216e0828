package biller

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"time"

	"holdfast/server/billing"
	"holdfast/server/billingdb"
	"holdfast/server/payment"
	"holdfast/server/payment/stripe"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// remote is Stripe as the engine's processor. The engine never waits for the network: what it asks is kept as a job and answered with "under way"; a
// worker asks Stripe, again and again under the same key, and what it hears becomes an event, like what Stripe tells by webhook. A charge is named by its key;
// Stripe's own name is in its job.
type remote struct {
	db    *billingdb.DB
	p     *stripe.Processor
	now   func() time.Time
	log   *slog.Logger
	added func(ctx context.Context, tenant id.ID, m payment.Method) error

	wake    chan struct{}
	working sync.Mutex // one round at a time
}

// Kinds of jobs.
const (
	jobCharge = "charge"
	jobRefund = "refund"
	jobSetup  = "setup" // a page on which a customer adds a payment method
)

func newRemote(db *billingdb.DB, p *stripe.Processor, now func() time.Time, log *slog.Logger, added func(context.Context, id.ID, payment.Method) error) *remote {
	return &remote{db: db, p: p, now: now, log: log, added: added, wake: make(chan struct{}, 1)}
}

// Charge, Refund and Check are what the engine asks.
func (r *remote) Charge(ctx context.Context, q payment.ChargeRequest) (payment.Result, error) {
	err := r.ask(ctx, billingdb.Job{Key: q.Key, Account: q.Customer, Kind: jobCharge}, q)
	return payment.Result{ID: q.Key, Status: payment.Processing}, err
}

func (r *remote) Refund(ctx context.Context, q payment.RefundRequest) (payment.Result, error) {
	err := r.ask(ctx, billingdb.Job{Key: q.Key, Kind: jobRefund}, q)
	return payment.Result{ID: q.Key, Status: payment.Succeeded}, err // if it fails it comes back as an event
}

func (r *remote) Check(m payment.Method) error { return r.p.Check(m) }

func (r *remote) ask(ctx context.Context, j billingdb.Job, q any) (err error) {
	if j.Doc, err = json.Marshal(q); err != nil {
		return fault.E("biller.ask", fault.Other, err)
	}
	j.State, j.Made, j.Due = billingdb.Pending, r.now(), r.now()
	if err := r.db.AddJob(ctx, j); err != nil {
		return err
	}
	r.hurry()
	return nil
}

func (r *remote) hurry() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Stripe has a clock of its own.
func (r *remote) pass(time.Time)  {}
func (r *remote) next() time.Time { return time.Time{} }

// take lists what was told and not taken in yet.
func (r *remote) take(ctx context.Context) ([]payment.Event, error) {
	list, err := r.db.Events(ctx, eventsMax)
	for i, e := range list {
		if !strings.HasPrefix(e.Charge, "pi_") {
			continue
		}
		j, err := r.db.JobOf(ctx, e.Charge)
		switch {
		case err == nil:
			list[i].Charge = j.Key
		case fault.KindOf(err) != fault.NotFound:
			return nil, err
		}
	}
	return list, err
}

// heard settles an event after it was told to billing. What is about a charge that nobody knows yet is kept for some days.
func (r *remote) heard(ctx context.Context, e payment.Event, failure error) error {
	switch {
	case failure == nil:
		return r.db.DropEvent(ctx, e.ID)
	case fault.KindOf(failure) != fault.NotFound:
		return failure
	case r.now().Sub(e.At) > unknownFor:
		r.log.Warn("Stripe told of a charge that is not known here", "event", e.ID, "kind", e.Kind, "charge", e.Charge)
		return r.db.DropEvent(ctx, e.ID)
	}
	return nil
}

// confirm makes the page on which the customer confirms a payment at their bank.
func (r *remote) confirm(ctx context.Context, p billing.Payment, back string) (string, error) {
	j, err := r.db.Job(ctx, p.ID)
	if err != nil {
		return "", err
	}
	if err := r.db.HurryOf(ctx, j.Remote, r.now().Add(lookSoon)); err != nil {
		return "", err
	}
	return r.p.Confirm(ctx, j.Remote, p.Method, back)
}

// setup makes the page on which a customer adds a payment method.
func (r *remote) setup(ctx context.Context, c billing.Customer, back string) (string, error) {
	customer, err := r.db.RemoteCustomer(ctx, c.ID)
	if err == nil && customer == "" {
		if customer, err = r.p.Customer(ctx, c.ID, c.Name, c.Email); err == nil {
			err = r.db.PutRemoteCustomer(ctx, c.ID, customer)
		}
	}
	if err != nil {
		return "", err
	}
	session, url, err := r.p.Setup(ctx, customer, c.ID, c.Currency, back)
	if err != nil {
		return "", err
	}
	now := r.now()
	return url, r.db.AddJob(ctx, billingdb.Job{Key: session, Account: c.ID, Kind: jobSetup, Doc: []byte("{}"), State: billingdb.Undecided, Remote: session, Made: now, Due: now.Add(lookSoon)})
}

// hear takes a webhook in. Once it is kept it is safe; what it says is told to billing afterwards.
func (r *remote) hear(ctx context.Context, e payment.Event) error {
	if e.Kind == payment.MethodAdded {
		defer r.hurry()
		return r.db.HurryOf(ctx, e.Reference, r.now())
	}
	return r.db.AddEvent(ctx, e)
}

// run works until the context ends; heard is called after every round that had something to do.
func (r *remote) run(ctx context.Context, heard func(context.Context)) {
	t := time.NewTicker(jobsEvery)
	defer t.Stop()
	for {
		if n, err := r.work(ctx); err != nil && ctx.Err() == nil {
			r.log.Error("what Stripe is asked has to be looked at again", "err", err)
		} else if n > 0 {
			heard(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		case <-r.wake:
		}
	}
}

// work does what is due, some at once, and tells how much there was.
func (r *remote) work(ctx context.Context) (int, error) {
	r.working.Lock()
	defer r.working.Unlock()
	list, err := r.db.DueJobs(ctx, r.now(), jobsMax)
	if err != nil {
		return 0, err
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, jobsAtOnce)
	for _, j := range list {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := r.do(ctx, j); err != nil && ctx.Err() == nil {
				r.log.Error("a job for Stripe has to be tried again", "job", j.Key, "kind", j.Kind, "tenant", j.Account, "err", err)
			}
		})
	}
	wg.Wait()
	return len(list), nil
}
