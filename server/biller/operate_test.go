package biller

import (
	"strings"
	"testing"

	"holdfast/server/billing"
	"holdfast/server/ledger"
	"holdfast/server/money"
	"holdfast/server/payment"
	"holdfast/sync/fault"
)

func TestWhatIsTriedIsWhatHappens(t *testing.T) {
	w := newWorld(t)
	w.pass()
	ctx := t.Context()
	must(t, w.s.SetMethod(ctx, w.ws, payment.Method{Kind: payment.Card, Token: "ok"}))
	must(t, w.s.ChangePlan(ctx, w.ws, "team"))
	a, err := w.s.Account(ctx, w.ws)
	must(t, err)
	give := billing.CreditInvoice{Invoice: a.Invoices[0].Number, Gross: 200, Refund: true, Reason: "sorry"}
	p, err := w.s.Try(ctx, w.ws, give)
	must(t, err)
	if len(w.account().Notes) != 0 {
		t.Fatal("trying changed something")
	}
	must(t, w.s.Do(ctx, w.ws, give))
	if n := w.account().Notes; len(n) != 1 || len(p.Notes) != 1 || n[0].Total != p.Notes[0].Total || n[0].ToRefund != 200 {
		t.Errorf("tried %+v, got %+v", p.Notes, n)
	}
}

func TestReconciliationsAreListed(t *testing.T) {
	w := newWorld(t)
	w.pass()
	w.to(day(11, 12))
	_, err := w.s.Reconcile(t.Context())
	must(t, err)
	w.restart()
	runs, err := w.s.Reconciliations(t.Context())
	must(t, err)
	if len(runs) < 2 || !runs[0].At.Equal(w.now) || runs[0].Customers != 1 || runs[0].Differences != 0 {
		t.Errorf("%+v", runs)
	}
}

func TestBM08_AnotherCatalogueIsPlannedAndApplied(t *testing.T) {
	w := newWorld(t)
	w.pass()
	ctx := t.Context()
	text, own, err := w.s.CatalogText()
	must(t, err)
	if own {
		t.Fatal("a new hub has a catalogue of its own already")
	}
	for name, c := range map[string]struct{ from, to string }{
		"broken":  {"currency: EUR", "currency: NUTS"},
		"refused": {"amount: 6.00", "amount: 7.00"},
		"empty":   {text, "currency: EUR\n"},
	} {
		if _, err := w.s.ApplyCatalog(ctx, strings.Replace(text, c.from, c.to, 1)); err == nil || fault.DetailOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, own, _ := w.s.CatalogText(); own {
		t.Error("a refused catalogue was kept")
	}
	next := strings.ReplaceAll(strings.Replace(text, "plans:\n", "plans:\n", 1)+"coupons: {HELLO: {percent: 10, lasts: once}}", "\n", "\r\n")
	planned, err := w.s.PlanCatalog(next)
	must(t, err)
	applied, err := w.s.ApplyCatalog(ctx, next)
	must(t, err)
	w.restart()
	if _, err := w.s.Catalog().Coupon("HELLO"); err != nil || len(planned) != 1 || len(applied) != 1 {
		t.Errorf("%v, planned %+v, applied %+v", err, planned, applied)
	}
}

func TestBM27_ATransferIsMatchedByHand(t *testing.T) {
	w := newWorld(t)
	w.pass()
	ctx := t.Context()
	must(t, w.s.SetMethod(ctx, w.ws, payment.Method{Kind: payment.Wire}))
	must(t, w.s.ChangePlan(ctx, w.ws, "business"))
	v := w.account().Invoices[0]
	wire := payment.Event{ID: "T1", Amount: money.New(v.Total, "EUR"), Reference: "thank you"}
	for range 2 { // a bank tells twice
		must(t, w.s.Arrived(ctx, wire))
	}
	w.restart()
	if len(w.s.Stray()) != 1 {
		t.Fatalf("%+v", w.s.Stray())
	}
	for name, try := range map[string][2]string{"no-transfer": {"T2", v.Number}, "no-invoice": {"T1", "HF-9"}} {
		if err := w.s.Match(ctx, try[0], w.ws, try[1]); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, w.s.Match(ctx, "T1", w.ws, v.Number))
	w.restart()
	must(t, w.s.Arrived(ctx, wire)) // a third time
	if a := w.account(); len(w.s.Stray()) != 0 || a.Invoices[0].State != "paid" || len(a.Payments) != 1 {
		t.Errorf("%+v, the invoice is %s", w.s.Stray(), a.Invoices[0].State)
	}
	if err := w.s.Match(ctx, "T1", w.ws, v.Number); fault.KindOf(err) != fault.NotFound {
		t.Errorf("matched twice: %v", err)
	}
	if d := w.s.engine.Reconcile(); len(d) > 0 {
		t.Errorf("%+v", d)
	}
	for _, row := range ledger.Trial(w.s.Books()...) {
		for _, e := range row.Accounts {
			if e.Account == ledger.Unapplied || e.Account == ledger.Cash && e.Amount != v.Total {
				t.Errorf("%s holds %d", e.Account, e.Amount)
			}
		}
	}
}
