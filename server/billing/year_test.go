package billing

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"holdfast/server/meter"
	"holdfast/server/money"
	"holdfast/server/payment"
	"holdfast/server/period"
	"holdfast/sync/fault"
)

// TestBM34_AYearOf1000CustomersReconciles lives a year with every event of life, and compares usage, invoices,
// payments, credits, revenue and ledger at the end. The seed makes it repeatable.
func TestBM34_AYearOf1000CustomersReconciles(t *testing.T) {
	const customers = 1000
	r := rand.New(rand.NewPCG(2026, 1))
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, paris)
	w := newTown(t, withPolicy(period.DayActual), start)
	began := time.Now()
	cards := []string{"ok", "ok", "ok", "ok", "fails-twice", "generic-decline", "disputed", "authenticate", "expired-card"}
	type next struct {
		at time.Time
		id string
	}
	var agenda []next
	for i := range customers {
		id := fmt.Sprintf("c%04d", i)
		w.open(id, cards[r.IntN(len(cards))])
		agenda = append(agenda, next{start.Add(time.Duration(r.IntN(60*24)) * time.Hour), id})
	}
	end := start.AddDate(1, 0, 0)
	events, refused := 0, 0
	for at := start; at.Before(end); at = at.Add(12 * time.Hour) {
		w.to(at)
		for i := range agenda {
			n := &agenda[i]
			if n.at.After(at) {
				continue
			}
			n.at = at.Add(time.Duration(1+r.IntN(40*24)) * time.Hour)
			events++
			if err := w.e.Do(context.Background(), n.id, lifeEvent(r, w, n.id)); err != nil {
				if fault.KindOf(err) == fault.Other {
					t.Fatal(err)
				}
				refused++
			}
			for range r.IntN(6) {
				events++
				ev := meter.Event{Source: "s", ID: fmt.Sprint(events), Type: []string{"calls", "gb", "people"}[r.IntN(3)],
					Time: at.Add(-time.Duration(r.IntN(72)) * time.Hour),
					Data: map[string]string{"value": fmt.Sprint(r.IntN(2000))}}
				if _, err := w.e.Record(context.Background(), n.id, ev); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	w.to(end)
	if err := w.e.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	invoices, notes, payments, past := 0, 0, 0, 0
	numbers := map[string]bool{}
	var charged int64
	for _, a := range w.e.Accounts() {
		invoices, notes, payments = invoices+len(a.Invoices), notes+len(a.Notes), payments+len(a.Payments)
		for _, v := range a.Invoices {
			if !v.Issued.IsZero() {
				numbers[v.Number] = true
				charged += v.Total
			}
		}
		if a.Standing() != "good" {
			past++
		}
	}
	for n := 1; n <= len(numbers); n++ {
		if want := fmt.Sprintf("INV-%06d", n); !numbers[want] {
			t.Fatalf("there is no %s, but there are %d invoices", want, len(numbers))
		}
	}
	for _, d := range w.e.Reconcile() {
		t.Errorf("%+v", d)
	}
	t.Logf("%d customers, %d events (%d refused): %d invoices over %s, %d credit notes, %d payments, %d past due; %v",
		customers, events, refused, invoices, money.New(charged, "EUR"), notes, payments, past, took.Round(time.Millisecond))
	if invoices < 5*customers || notes < customers/2 {
		t.Errorf("a year with %d invoices and %d notes is too quiet to prove anything", invoices, notes)
	}
}

func lifeEvent(r *rand.Rand, w *town, id string) Command {
	a := w.account(id)
	seats := map[string]int64{"seats": int64(1 + r.IntN(15))}
	if !a.Sub().Live() {
		if len(a.Subs) > 0 && r.IntN(2) == 0 {
			return Reactivate{Reset: r.IntN(2) == 0}
		}
		trial := []int{0, 0, 14}[r.IntN(3)]
		s := Subscribe{Plan: []string{"small", "large", "yearly"}[r.IntN(3)], Quantities: seats, TrialDays: &trial}
		if r.IntN(3) == 0 {
			s.Coupons = []string{[]string{"TENTH", "FIVER", "FIRST"}[r.IntN(3)]}
		}
		return s
	}
	last := ""
	if n := len(a.Invoices); n > 0 {
		last = a.Invoices[r.IntN(n)].ID
	}
	switch r.IntN(20) {
	case 0, 1:
		return Change{Plan: []string{"small", "large", "yearly"}[r.IntN(3)], Quantities: seats}
	case 2:
		return Change{Plan: "large", When: "now", Credit: "refund"}
	case 3, 4, 5:
		return Change{Quantities: seats}
	case 6:
		return Change{Add: "help"}
	case 7:
		return Change{Remove: "help"}
	case 8:
		return Pause{Until: w.now.AddDate(0, 0, 30)}
	case 9:
		return Cancel{}
	case 10:
		return Stay{}
	case 11:
		return Cancel{Now: true, Credit: []string{"", "refund", "none"}[r.IntN(3)]}
	case 12:
		return Give{Amount: 2500, Expires: w.now.AddDate(0, 2, 0)}
	case 13:
		return Buy{Amount: 10000, Expires: w.now.AddDate(1, 0, 0)}
	case 14:
		return CreditInvoice{Invoice: last, Gross: int64(1 + r.IntN(2000)), Refund: r.IntN(2) == 0}
	case 15:
		return Void{Invoice: last}
	case 16:
		return Methods{List: []payment.Method{{Kind: payment.Card, Token: "ok"}}}
	case 17:
		return Methods{List: []payment.Method{{Kind: payment.Debit,
			Token: []string{"account-ok", "account-bounces", "account-no-funds"}[r.IntN(3)]}}}
	case 18:
		return Charge{Name: "Migration service", Amount: 15000, Now: r.IntN(2) == 0}
	default:
		return Change{Plan: "large", At: w.now.AddDate(0, 0, 11)}
	}
}
