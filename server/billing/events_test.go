package billing

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/server/meter"
	"holdfast/server/money"
	"holdfast/server/payment"
	"holdfast/sync/fault"
)

const oneplan = "currency: EUR\nplans: {a: {prices: [{id: x, model: flat, amount: 10}]}}\n"

// TestBM37_ProcessorEventsInAnyOrderAndRepeated tells one charge's story in every order, with repetitions, and wants one end.
func TestBM37_ProcessorEventsInAnyOrderAndRepeated(t *testing.T) {
	for name, kinds := range map[string][]string{
		"settled":       {payment.ChargeSucceeded},
		"bounced":       {payment.ChargeSucceeded, payment.ChargeReturned},
		"disputed-won":  {payment.ChargeSucceeded, payment.DisputeOpened, payment.DisputeWon},
		"disputed-lost": {payment.ChargeSucceeded, payment.DisputeOpened, payment.DisputeLost},
	} {
		t.Run(name, func(t *testing.T) {
			story := func(t fataler, order []int) string {
				w := newTown(t, oneplan, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
				if err := w.e.Open(context.Background(), Customer{ID: "c"}); err != nil {
					t.Fatalf("%v", err)
				}
				w.do("c", Methods{List: []payment.Method{{Kind: payment.Debit, Token: "account-ok"}}})
				w.do("c", Subscribe{Plan: "a"})
				p := w.account("c").Payments[0]
				for _, i := range order {
					e := payment.Event{ID: fmt.Sprint("e", i), Kind: kinds[i], Charge: p.ID, Customer: "c", Amount: money.New(p.Amount, "EUR")}
					if err := w.e.Hear(context.Background(), e); err != nil {
						t.Fatalf("%v", err)
					}
				}
				a := w.account("c")
				if d := w.e.Reconcile(); len(d) > 0 {
					t.Fatalf("%v: %+v", order, d)
				}
				return fmt.Sprint(a.Invoices[0].Due(), a.Book.Balance("cash", "EUR"), a.Book.Balance("disputed", "EUR"),
					a.Book.Balance("dispute_losses", "EUR"), len(a.Payments) > 0)
			}
			var straight []int
			for i := range kinds {
				straight = append(straight, i)
			}
			want := story(t, straight)
			rapid.Check(t, func(t *rapid.T) {
				order := append(rapid.Permutation(straight).Draw(t, "order"), rapid.SliceOfN(rapid.SampledFrom(straight), 0, 4).Draw(t, "again")...)
				if got := story(t, order); got != want {
					t.Fatalf("in order %v: due, cash, disputed, lost = %s; straight: %s", order, got, want)
				}
			})
		})
	}
}

func TestUnknownChargeIsToldAgainLater(t *testing.T) {
	w := newTown(t, oneplan, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	w.open("c", "ok")
	e := payment.Event{ID: "e", Kind: payment.ChargeSucceeded, Charge: "nobody", Customer: "c"}
	for range 2 {
		if err := w.e.Hear(context.Background(), e); fault.KindOf(err) != fault.NotFound {
			t.Errorf("got %v, want not-found, so that it is sent again", err)
		}
	}
}

func TestWiresMatchWholeNumbersOnly(t *testing.T) {
	for ref, want := range map[string]bool{"INV000001": true, "inv-000001 thanks": true, "INV-0000012": false, "INV-00001": false, "": false, "Re: INV 000001/2026": false,
		"INV-000001 / 2026": false} {
		if got := mentions(plain(ref), plain("INV-000001")); got != want {
			t.Errorf("%q: got %v, want %v", ref, got, want)
		}
	}
}

// What cannot be billed for one customer stops neither the clock nor anybody else, is named by reconciliation, and goes on once it is mended.
func TestOneStuckAccountStopsNobody(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	w := newTown(t, "currency: EUR\nmeters: {calls: {aggregate: sum}}\nplans: {a: {prices: [{id: x, model: flat, amount: 10}, {id: calls, model: per_unit, meter: calls, amount: 1}]}}\n", start)
	for _, c := range []string{"c", "d"} {
		w.open(c, "ok")
		w.do(c, Subscribe{Plan: "a"})
	}
	use := func(id, replaces, value string) {
		t.Helper()
		if _, err := w.e.Record(t.Context(), "c", meter.Event{Source: "s", ID: id, Type: "calls", Time: w.now, Replaces: replaces, Data: map[string]string{"value": value}}); err != nil {
			t.Fatal(err)
		}
	}
	use("1", "", "1000000000000000") // beyond what an invoice can hold
	w.to(start.AddDate(0, 2, 3))
	if n := len(w.account("d").Invoices); n != 3 {
		t.Errorf("the other customer has %d invoices", n)
	}
	if n := len(w.account("c").Invoices); n != 1 {
		t.Errorf("the stuck customer has %d invoices", n)
	}
	list := w.e.Stuck()
	if len(list) != 1 || list[0].Customer != "c" || !list[0].At.Equal(start.AddDate(0, 1, 0)) || fault.KindOf(list[0].Err) != fault.TooLarge {
		t.Fatalf("%+v", list)
	}
	if d := w.e.Reconcile(); len(d) != 1 || d[0].Customer != "c" || d[0].Got != fault.DetailOf(list[0].Err) {
		t.Errorf("%+v", d)
	}
	if at := w.e.Next(); !at.After(w.now) {
		t.Errorf("the clock waits for %v", at)
	}
	use("2", "1", "5")
	w.to(w.now.Add(time.Minute))
	if v := w.account("c").Invoices; len(v) != 3 || v[1].Total != 1500 || v[2].Total != 1000 || len(w.e.Stuck()) != 0 {
		t.Errorf("%d invoices after it was mended, %+v", len(v), w.e.Stuck())
	}
	if d := w.e.Reconcile(); len(d) > 0 {
		t.Errorf("%+v", d)
	}
}
