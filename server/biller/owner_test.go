package biller

import (
	"testing"
	"time"

	"holdfast/server/billing"
	"holdfast/server/payment"
	"holdfast/server/tenancy"
	"holdfast/sync/fault"
)

func (w *world) overview() Overview {
	w.t.Helper()
	o, err := w.s.Overview(w.t.Context(), w.ws)
	must(w.t, err)
	return o
}

func TestBM16_AnOwnerCancelsAndComesBack(t *testing.T) {
	w := newWorld(t)
	w.pass()
	ctx := t.Context()
	if p := w.overview().Plan; p.MayCancel || p.MayReactivate {
		t.Errorf("the free plan: %+v", p)
	}
	must(t, w.s.SetMethod(ctx, w.ws, payment.Method{Kind: payment.Card, Token: "ok"}))
	must(t, w.s.ChangePlan(ctx, w.ws, "team"))
	if err := w.s.Reactivate(ctx, w.ws); fault.KindOf(err) != fault.Conflict {
		t.Errorf("nothing was cancelled: %v", err)
	}
	must(t, w.s.Cancel(ctx, w.ws))
	end := day(12, 1).Truncate(24 * time.Hour)
	if p := w.overview().Plan; p.EndsMS != end.UnixMilli() || p.MayCancel || !p.MayReactivate {
		t.Errorf("cancelled: %+v", p)
	}
	must(t, w.s.Reactivate(ctx, w.ws))
	if p := w.overview().Plan; p.EndsMS != 0 || !p.MayCancel || p.MayReactivate {
		t.Errorf("taken back: %+v", p)
	}
	must(t, w.s.Cancel(ctx, w.ws))
	w.to(day(12, 2))
	state := func() string {
		b, err := w.people.Brief(ctx, w.ws)
		must(t, err)
		return b.State
	}
	o := w.overview()
	if o.Plan.Status != "cancelled" || !o.Plan.MayReactivate || state() != tenancy.Restricted {
		t.Errorf("ended: %+v, %s", o.Plan, state())
	}
	for _, p := range o.Plans {
		if p.Now {
			t.Errorf("%s is shown as the plan of a workspace that has none", p.ID)
		}
	}
	must(t, w.s.Reactivate(ctx, w.ws))
	if o := w.overview(); o.Plan.Status != "active" || state() != tenancy.Active || o.Invoices[0].State != "paid" {
		t.Errorf("back again: %+v, %s", o.Plan, state())
	}
}

func TestBM30_AnOwnerReadsWhatIsPastDueAndWhatComesNext(t *testing.T) {
	w := newWorld(t)
	w.pass()
	ctx := t.Context()
	must(t, w.s.SetMethod(ctx, w.ws, payment.Method{Kind: payment.Card, Token: "insufficient-funds"}))
	must(t, w.s.ChangePlan(ctx, w.ws, "team"))
	must(t, w.s.Do(ctx, w.ws, billing.Give{Amount: 500, Expires: w.now.AddDate(0, 3, 0)}))
	o := w.overview()
	if len(o.PastDue) != 1 || o.PastDue[0].Why != "insufficient funds" || o.PastDue[0].RetryMS != w.now.AddDate(0, 0, 1).UnixMilli() || o.PastDue[0].RestrictMS != w.now.AddDate(0, 0, 14).UnixMilli() {
		t.Errorf("%+v", o.PastDue)
	}
	if len(o.Credits) != 1 || o.Credits[0].Left != "5.00 EUR" || o.Credits[0].ExpiresMS == 0 {
		t.Errorf("%+v", o.Credits)
	}
	must(t, w.s.SetMethod(ctx, w.ws, payment.Method{Kind: payment.Card, Token: "ok"}))
	if o := w.overview(); len(o.PastDue) != 0 || o.Standing != "good" {
		t.Errorf("%+v", o.PastDue)
	}
}
