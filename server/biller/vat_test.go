package biller

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast/server/payment"
	"holdfast/server/tax"
	"holdfast/sync/fault"
)

// register answers what it is told to; nil: nothing.
type register struct {
	mu    sync.Mutex
	says  map[string]tax.Status
	asked int
}

func (r *register) Check(_ context.Context, n string) (tax.Status, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	if s, ok := r.says[n]; ok {
		return s, nil
	}
	return tax.Unchecked, fault.Errorf("register", fault.Unavailable, "down")
}

// BM25: a valid number of another state is charged in reverse; while the register is away the last answer stands and a notice says so, once.
func TestBM25_VATNumbersAreAskedAbout(t *testing.T) {
	w := newWorld(t)
	w.pass()
	ctx := t.Context()
	r := &register{} // it is away
	w.s.cfg.Register = r
	check := func(after time.Duration) {
		t.Helper()
		w.now = w.now.Add(after)
		w.pass()
		must(t, w.s.checkVAT(ctx))
	}
	notices := func(kind string) (n int) {
		for _, x := range w.account().Notices {
			if x.Kind == kind {
				n++
			}
		}
		return n
	}
	must(t, w.s.SetMethod(ctx, w.ws, payment.Method{Kind: payment.Card, Token: "ok"}))
	check(0)
	if r.asked != 0 {
		t.Error("asked without a number")
	}
	must(t, w.s.SetDetails(ctx, w.ws, Details{Name: "Acme", Country: "DE", VATID: "DE 136695976"}))
	check(0)
	check(time.Second)
	check(5 * time.Minute)
	if r.asked != 2 || notices("customer.vat_unavailable") != 1 || w.account().VATStatus != tax.Unchecked {
		t.Errorf("asked %d times, %d notices, %q", r.asked, notices("customer.vat_unavailable"), w.account().VATStatus)
	}
	r.says = map[string]tax.Status{"DE136695976": tax.Valid}
	check(time.Hour)
	if w.account().VATStatus != tax.Valid {
		t.Fatalf("%q", w.account().VATStatus)
	}
	must(t, w.s.ChangePlan(ctx, w.ws, "business"))
	if v := w.account().Invoices[0]; v.Tax != 0 || !strings.Contains(v.Lines[0].Treatment.Reason, "Reverse charge") {
		t.Errorf("tax %d: %+v", v.Tax, v.Lines[0].Treatment)
	}
	r.says = nil
	check(40 * 24 * time.Hour)
	if w.account().VATStatus != tax.Valid || notices("customer.vat_unavailable") != 2 {
		t.Errorf("the last answer does not stand: %q, %d notices", w.account().VATStatus, notices("customer.vat_unavailable"))
	}
	r.says = map[string]tax.Status{"DE136695976": tax.Bad}
	check(24 * time.Hour)
	if w.account().VATStatus != tax.Bad {
		t.Errorf("%q", w.account().VATStatus)
	}
	asked := r.asked
	check(time.Minute)
	if r.asked != asked {
		t.Error("asked again at once")
	}
}
