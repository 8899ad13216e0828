package biller

import (
	"context"
	"encoding/json"
	"time"

	"holdfast/server/billingdb"
	"holdfast/server/payment"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// do asks or looks, and keeps what came of it.
func (r *remote) do(ctx context.Context, j billingdb.Job) error {
	switch {
	case j.Kind == jobSetup:
		return r.lookSetup(ctx, j)
	case j.Kind == jobRefund:
		return r.refund(ctx, j)
	case j.State == billingdb.Pending:
		return r.charge(ctx, j)
	}
	res, err := r.p.Look(ctx, j.Remote)
	if err != nil {
		return r.later(ctx, j, err)
	}
	return r.decided(ctx, j, res)
}

// later plans the next try after a failure that says nothing about the matter itself.
func (r *remote) later(ctx context.Context, j billingdb.Job, failure error) error {
	r.log.Warn("Stripe did not answer well", "job", j.Key, "kind", j.Kind, "tenant", j.Account, "tries", j.Tries+1, "err", failure)
	j.Due = r.now().Add(jobSchedule[min(j.Tries, len(jobSchedule)-1)])
	j.Tries++
	return r.db.PutJob(ctx, j, nil)
}

func (r *remote) charge(ctx context.Context, j billingdb.Job) error {
	const op = "biller.charge"
	var q payment.ChargeRequest
	if err := json.Unmarshal(j.Doc, &q); err != nil {
		return fault.E(op, fault.Corrupt, err)
	}
	res, err := r.p.Charge(ctx, q)
	switch k := fault.KindOf(err); {
	case err == nil:
	case k == fault.Invalid:
		r.log.Error("Stripe refuses a charge as malformed", "job", j.Key, "tenant", j.Account, "err", err)
		res = payment.Result{Status: payment.Failed, Code: "processing_error", Hard: true}
	case r.now().Sub(j.Made) > askFor: // Stripe forgets keys after a day: asking later might charge twice. If it went through, a webhook says so.
		r.log.Error("Stripe did not answer for most of a day; the charge counts as failed", "job", j.Key, "tenant", j.Account, "err", err)
		res = payment.Result{Status: payment.Failed, Code: "processing_error"}
	default:
		return r.later(ctx, j, err)
	}
	j.Remote = res.ID
	if res.ID == j.Key {
		j.Remote = ""
	}
	return r.decided(ctx, j, res)
}

// decided keeps how a charge stands and what billing is told of it.
func (r *remote) decided(ctx context.Context, j billingdb.Job, res payment.Result) error {
	now := r.now()
	e := &payment.Event{ID: "stripe/" + j.Key + "/" + string(res.Status), At: now, Charge: j.Key, Customer: j.Account, Code: res.Code, Hard: res.Hard}
	j.Tries, j.State = 0, billingdb.Done
	switch res.Status {
	case payment.Succeeded:
		e.Kind = payment.ChargeSucceeded
	case payment.Failed:
		e.Kind = payment.ChargeFailed
	case payment.Action:
		e.Kind = payment.ChargeAction
		j.State = billingdb.Undecided
	default:
		e, j.State = nil, billingdb.Undecided
	}
	if j.State == billingdb.Undecided {
		j.Due = now.Add(lookEvery)
		if now.Sub(j.Made) > openFor {
			j.State = billingdb.Done // a webhook may still say more
		}
	}
	return r.db.PutJob(ctx, j, e)
}

func (r *remote) refund(ctx context.Context, j billingdb.Job) error {
	var q payment.RefundRequest
	if err := json.Unmarshal(j.Doc, &q); err != nil {
		return fault.E("biller.refund", fault.Corrupt, err)
	}
	j.State = billingdb.Done
	failed := &payment.Event{ID: "stripe/" + j.Key + "/failed", Kind: payment.RefundFailed, At: r.now(), Charge: q.Charge, Amount: q.Amount, Code: "processing_error"}
	of, err := r.db.Job(ctx, q.Charge)
	if fault.KindOf(err) == fault.NotFound || err == nil && of.Remote == "" {
		r.log.Error("a payment cannot be paid back: it was not made with Stripe", "job", j.Key)
		return r.db.PutJob(ctx, j, failed)
	}
	if err != nil {
		return err
	}
	q.Charge = of.Remote
	res, err := r.p.Refund(ctx, q)
	switch {
	case fault.KindOf(err) == fault.Invalid && err != nil:
		r.log.Error("Stripe refuses a refund", "job", j.Key, "tenant", of.Account, "err", err)
		return r.db.PutJob(ctx, j, failed)
	case err != nil:
		j.State = billingdb.Pending
		return r.later(ctx, j, err)
	case res.Status == payment.Failed:
		failed.Code = res.Code
		return r.db.PutJob(ctx, j, failed)
	}
	j.Remote = res.ID
	return r.db.PutJob(ctx, j, nil)
}

func (r *remote) lookSetup(ctx context.Context, j billingdb.Job) error {
	m, over, err := r.p.Added(ctx, j.Remote)
	if err != nil && fault.KindOf(err) != fault.Invalid {
		return r.later(ctx, j, err)
	}
	if m.Token != "" {
		if err := r.added(ctx, id.ID(j.Account), m); err != nil {
			return err
		}
	}
	j.Tries, j.Due = 0, r.now().Add(lookEvery)
	if over || err != nil || r.now().Sub(j.Made) > setupFor {
		j.State = billingdb.Done
	}
	return r.db.PutJob(ctx, j, nil)
}

// settle waits until what an account asked was tried, so that whoever changed something sees what came of it; but not for long.
func (r *remote) settle(ctx context.Context, account string) error {
	ctx, cancel := context.WithTimeout(ctx, settleMax)
	defer cancel()
	t := time.NewTicker(settleEvery)
	defer t.Stop()
	for {
		n, err := r.db.Waiting(ctx, account, r.now())
		if n == 0 || ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// look has the open matters of an account looked at now, unless that was done a moment ago, and waits for it.
func (r *remote) look(ctx context.Context, account string) error {
	now := r.now()
	if err := r.db.Hurry(ctx, account, now, now.Add(lookEvery-lookPause)); err != nil {
		return err
	}
	r.hurry()
	return r.settle(ctx, account)
}
