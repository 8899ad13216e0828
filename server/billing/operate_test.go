package billing

import (
	"testing"
	"time"

	"holdfast/sync/fault"
)

func TestBM12_ATrialIsExtended(t *testing.T) {
	w := newTown(t, "currency: EUR\nplans: {a: {trial_days: 10, prices: [{id: x, model: flat, amount: 10}]}}\n", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	w.open("c", "ok")
	w.do("c", Subscribe{Plan: "a"})
	until := w.now.AddDate(0, 0, 30)
	if err := w.e.Do(t.Context(), "c", Extend{w.now.AddDate(0, 0, 5)}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("an earlier end: %v", err)
	}
	w.do("c", Extend{until})
	w.to(until.Add(-time.Hour))
	if s := w.account("c").Sub(); s.Status != Trialing || len(w.account("c").Invoices) != 0 {
		t.Fatalf("%s before its end", s.Status)
	}
	w.to(until)
	if s := w.account("c").Sub(); s.Status != Active {
		t.Errorf("%s after its end", s.Status)
	}
	if err := w.e.Do(t.Context(), "c", Extend{until.AddDate(0, 1, 0)}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("no trial runs: %v", err)
	}
}

func TestBM27_AnOperatorBooksATransfer(t *testing.T) {
	w := newTown(t, oneplan, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	w.open("c", "ok")
	w.do("c", Methods{Send: true})
	w.do("c", Subscribe{Plan: "a"})
	v := w.account("c").Invoices[0]
	for name, c := range map[string]Wire{"nothing": {v.Number, "T1", 0}, "no-reference": {v.Number, "", 5}} {
		if err := w.e.Do(t.Context(), "c", c); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.do("c", Wire{v.Number, "T1", 400})
	if err := w.e.Do(t.Context(), "c", Wire{v.Number, "T1", 400}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("booked twice: %v", err)
	}
	w.do("c", Wire{v.Number, "T2", 700})
	a := w.account("c")
	if a.Invoices[0].State != "paid" || a.Credits[0].Left != 100 {
		t.Errorf("%s, %+v", a.Invoices[0].State, a.Credits)
	}
	if d := w.e.Reconcile(); len(d) > 0 {
		t.Errorf("%+v", d)
	}
}

func TestRecurringIsByTheMonth(t *testing.T) {
	w := newTown(t, `
currency: EUR
meters: {calls: {aggregate: sum}}
plans:
  month: {prices: [{id: base, model: flat, amount: 9}, {id: seats, model: per_unit, quantity: seats, amount: 2.50}, {id: calls, model: per_unit, meter: calls, amount: 1}]}
  year: {interval: year, prices: [{id: base, model: flat, amount: 100}]}
  trial: {trial_days: 5, prices: [{id: base, model: flat, amount: 9}]}
`, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	for plan, want := range map[string]int64{"month": 1650, "year": 833, "trial": 0} {
		w.open(plan, "ok")
		q := map[string]int64{}
		if plan == "month" {
			q["seats"] = 3
		}
		w.do(plan, Subscribe{Plan: plan, Quantities: q})
		got, err := w.account(plan).Recurring(w.e.Catalog())
		if err != nil || got != want {
			t.Errorf("%s brings %d, want %d (%v)", plan, got, want, err)
		}
	}
}
