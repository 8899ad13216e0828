package biller

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"holdfast/server/billing"
	"holdfast/server/meter"
	"holdfast/server/payment"
	"holdfast/server/tenancy"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// A workspace lives through months on its test clock while everybody else stays where they are: nothing of it is in the real numbers,
// ledger or totals, and it goes on as before when the clock is taken away.
func TestBM19_ATestClockForAWorkspace(t *testing.T) {
	w := newWorld(t)
	w.used["2026-11/changes"] = 500_000
	w.pass()
	ctx := t.Context()
	real, err := w.people.Create(ctx, w.person("Cy"), "Real", "eu")
	must(t, err)
	w.pass()
	must(t, w.s.SetMethod(ctx, real, payment.Method{Kind: payment.Card, Token: "ok"}))
	must(t, w.s.ChangePlan(ctx, real, "team"))

	start := time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)
	_, err = w.s.StartTestClock(ctx, w.ws, start)
	must(t, err)
	must(t, w.s.SetMethod(ctx, w.ws, payment.Method{Kind: payment.Card, Token: "ok"}))
	must(t, w.s.ChangePlan(ctx, w.ws, "business"))
	if l := w.limits(); len(l) != 0 {
		t.Errorf("the plan of the test clock is not felt: %v", l)
	}
	for tenant, counted := range map[id.ID]bool{w.ws: true, real: false} { // only a test clock takes events of what Holdfast counts itself
		r, err := w.s.Record(ctx, tenant, []meter.Event{{Source: "t", ID: "1", Type: "changes", Data: map[string]string{"value": "5"}}})
		if must(t, err); r[0].New != counted {
			t.Errorf("%+v", r)
		}
	}
	c, err := w.s.AdvanceTestClock(ctx, w.ws, start.AddDate(0, 1, 1))
	must(t, err)
	w.restart()
	if now, on := w.s.TestClock(w.ws); !on || !now.At.Equal(c.At) {
		t.Fatalf("after a restart the clock stands at %v, not %v", now.At, c.At)
	}
	_, err = w.s.AdvanceTestClock(ctx, w.ws, start.AddDate(0, 3, 0))
	must(t, err)
	a, err := w.s.Account(ctx, w.ws)
	must(t, err)
	if len(a.Invoices) != 5 { // for January 31, then February to May
		t.Fatalf("%d invoices", len(a.Invoices))
	}
	for i, v := range a.Invoices {
		if want := []string{"TEST-HF-000001", "TEST-HF-000002", "TEST-HF-000003", "TEST-HF-000004", "TEST-HF-000005"}[i]; v.Number != want || !v.Test || v.State != "paid" {
			t.Errorf("%s %s, a test: %t", v.Number, v.State, v.Test)
		}
	}
	for form, want := range map[string]string{"html": "Test invoice", "xml": "This is a test of prices"} {
		b, _, err := w.s.Document(w.ws, "TEST-HF-000001", form)
		if err != nil || !bytes.Contains(b, []byte(want)) {
			t.Errorf("%s does not say that it is a test: %v", form, err)
		}
	}
	if d := w.s.of(w.ws).engine.Reconcile(); len(d) > 0 {
		t.Errorf("%+v", d)
	}
	must(t, w.s.ChangePlan(ctx, real, "business"))
	for _, a := range w.s.Accounts() {
		for _, v := range a.Invoices {
			if a.ID == string(w.ws) || v.Test || strings.HasPrefix(v.Number, testPrefix) {
				t.Errorf("%s is among the real ones", v.Number)
			}
		}
	}
	if n := w.s.engine; n.Now().After(w.now) {
		t.Errorf("the hub's clock went along to %v", n.Now())
	}

	w.used["2026-11/changes"] = 9_000_000 // while on the test clock
	w.to(day(11, 12))
	must(t, w.s.EndTestClock(ctx, w.ws))
	w.restart()
	if a := w.account(); a.Sub().Plan != "free" || a.Sub().Status != billing.Active || len(a.Invoices) != 0 {
		t.Errorf("%+v", a.Sub())
	}
	must(t, w.s.SetMethod(ctx, w.ws, payment.Method{Kind: payment.Card, Token: "ok"}))
	must(t, w.s.ChangePlan(ctx, w.ws, "team"))
	w.used["2026-12/changes"] = 1
	w.to(day(12, 2))
	for _, v := range w.account().Invoices {
		for _, l := range v.Lines {
			if l.Kind != "recurring" && l.Amount != 0 {
				t.Errorf("what was used on the test clock is billed: %s %s %d", l.Name, l.Quantity, l.Amount)
			}
		}
	}
	if d := w.s.engine.Reconcile(); len(d) > 0 {
		t.Errorf("%+v", d)
	}
	if b, _ := w.people.Brief(ctx, w.ws); b.State != tenancy.Active {
		t.Errorf("the workspace is %s", b.State)
	}
}

func TestTestClocksRefuse(t *testing.T) {
	w := newWorld(t)
	w.pass()
	ctx := t.Context()
	try := func(what string, kind fault.Kind, err error) {
		t.Helper()
		if fault.KindOf(err) != kind || err == nil || fault.DetailOf(err) == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := w.s.AdvanceTestClock(ctx, w.ws, w.now)
	try("none there", fault.NotFound, err)
	try("none to end", fault.NotFound, w.s.EndTestClock(ctx, w.ws))
	_, err = w.s.StartTestClock(ctx, id.ID("nobody"), time.Time{})
	try("no such workspace", fault.NotFound, err)
	_, err = w.s.StartTestClock(ctx, w.ws, w.now.AddDate(9, 0, 0))
	try("far away", fault.Invalid, err)
	must(t, w.s.SetMethod(ctx, w.ws, payment.Method{Kind: payment.Card, Token: "ok"}))
	must(t, w.s.ChangePlan(ctx, w.ws, "team"))
	_, err = w.s.StartTestClock(ctx, w.ws, time.Time{})
	try("it pays", fault.Conflict, err)
	must(t, w.s.Do(ctx, w.ws, billing.Change{Plan: "free", Quantities: map[string]int64{"seats": 1}, When: "now"}))
	_, err = w.s.StartTestClock(ctx, w.ws, time.Time{})
	must(t, err)
	_, err = w.s.StartTestClock(ctx, w.ws, time.Time{})
	try("twice", fault.Conflict, err)
	_, err = w.s.AdvanceTestClock(ctx, w.ws, w.now.Add(-time.Hour))
	try("backwards", fault.Invalid, err)
	_, err = w.s.AdvanceTestClock(ctx, w.ws, w.now.Add(testStepMax+time.Hour))
	try("too far", fault.TooLarge, err)
	text, _, err := w.s.CatalogText()
	must(t, err)
	before := w.s.of(w.ws).engine.Catalog()
	_, err = w.s.ApplyCatalog(ctx, text+"coupons: {HELLO: {percent: 10, lasts: once}}\n")
	must(t, err)
	if now := w.s.of(w.ws).engine.Catalog(); now == before || !now.Invoices.Test {
		t.Error("the test clock does not sell by the new catalogue")
	}
}

// A process that ends while a test clock is being moved loses and repeats nothing: its work is ahead of its clock.
func TestTestClocksSurviveACrash(t *testing.T) {
	start, middle, end := time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC), time.Date(2027, 4, 2, 0, 0, 0, 0, time.UTC), time.Date(2027, 7, 2, 0, 0, 0, 0, time.UTC)
	live := func(crash bool) string {
		w := newWorld(t)
		w.pass()
		ctx := t.Context()
		c, err := w.s.StartTestClock(ctx, w.ws, start)
		must(t, err)
		must(t, w.s.SetMethod(ctx, w.ws, payment.Method{Kind: payment.Card, Token: "4000000000000259"})) // disputed
		must(t, w.s.ChangePlan(ctx, w.ws, "business"))
		_, err = w.s.AdvanceTestClock(ctx, w.ws, middle)
		must(t, err)
		if crash {
			must(t, w.s.db.PutTestClock(ctx, c)) // what the disk held before
			w.restart()
			if now, _ := w.s.TestClock(w.ws); !now.At.After(start) {
				t.Errorf("the clock went back to %v", now.At)
			}
		}
		_, err = w.s.AdvanceTestClock(ctx, w.ws, end)
		must(t, err)
		a, err := w.s.Account(ctx, w.ws)
		must(t, err)
		var b strings.Builder
		for _, v := range a.Invoices {
			fmt.Fprintln(&b, v.Number, v.State, v.Total, v.Due())
		}
		fmt.Fprintln(&b, len(a.Payments), a.Standing(), len(a.Book.Txs()))
		if d := w.s.of(w.ws).engine.Reconcile(); len(d) > 0 {
			t.Errorf("%+v", d)
		}
		return b.String()
	}
	if without, with := live(false), live(true); with != without {
		t.Errorf("with a crash\n%swithout\n%s", with, without)
	}
}
