package simulate

import (
	"testing"

	"holdfast/sync/fault"
)

const calls = shop + `
  meters: {calls: {aggregate: sum}}
`

func TestBM04_LateUsageIsCarriedOrWaitedFor(t *testing.T) {
	file := func(rules string) string {
		return "start: 2026-01-01\nend: 2026-03-02\n" + calls + `
  invoices: {` + rules + `}
  plans: {a: {prices: [{id: base, model: flat, amount: 10}, {id: calls, model: graduated, meter: calls, tiers: [{up_to: 100, amount: 1}, {amount: 0.5}]}]}}
customers: {acme: {pays: {card: ok}}}
events:
  - {at: 2026-01-01, subscribe: {customer: acme, plan: a}}
  - {at: 2026-01-10, usage: {customer: acme, meter: calls, value: 90}}
  - {at: 2026-02-03, usage: {customer: acme, meter: calls, value: 20, time: 2026-01-31}}
`
	}
	same(t, play(t, file("grace: 2h")), `
01-01 start 10.00 paid: base 10.00;
02-01 cycle 100.00 paid: calls ×90 90.00; base 10.00;
03-01 cycle 25.00 paid: base 10.00; Late usage: calls ×20 15.00;`)
	same(t, play(t, file("grace: 3d")), `
01-01 start 10.00 paid: base 10.00;
02-04 cycle 115.00 paid: calls ×110 105.00; base 10.00;
draft cycle 10.00 draft: base 10.00;`)
	same(t, play(t, file("late: drop")), `
01-01 start 10.00 paid: base 10.00;
02-01 cycle 100.00 paid: calls ×90 90.00; base 10.00;
03-01 cycle 10.00 paid: base 10.00;`)
}

func TestBM04_CorrectedUsageIsCredited(t *testing.T) {
	same(t, play(t, "start: 2026-01-01\nend: 2026-03-02\n"+calls+`
  plans: {a: {prices: [{id: calls, model: per_unit, meter: calls, amount: 1}]}}
customers: {acme: {pays: {card: ok}}}
events:
  - {at: 2026-01-01, subscribe: {customer: acme, plan: a}}
  - {at: 2026-01-10, usage: {customer: acme, meter: calls, value: 90, id: x}}
  - {at: 2026-02-10, usage: {customer: acme, meter: calls, value: 60, id: y, replaces: x}}
  - {at: 2026-02-11, usage: {customer: acme, meter: calls, value: 40}}
`), `
02-01 cycle 90.00 paid: calls ×90 90.00;
03-01 cycle 40.00 credits 30.00 paid: calls ×40 40.00;
note 03-01 30.00 on INV-000001: off 0.00, balance 30.00, refund 0.00`)
}

func TestBM05_UsageShownIsUsageBilled(t *testing.T) {
	r := play(t, "start: 2026-01-01\nend: 2026-02-01\n"+calls+`
  plans: {a: {prices: [{id: base, model: flat, amount: 10}, {id: calls, model: package, meter: calls, size: 10, amount: 3}], minimum: 40}}
customers: {acme: {pays: {card: ok}}}
events:
  - {at: 2026-01-01, subscribe: {customer: acme, plan: a}}
  - {at: 2026-01-10, usage: {customer: acme, meter: calls, value: 95}}
  - {at: 2026-01-31, upcoming: {customer: acme}}
`)
	shown, billed := r.Previews[0].Invoices[0], r.Invoices[1]
	equal(t, "upcoming", []string{shown.Total, shown.Lines[0].Amount, shown.Lines[0].Quantity},
		[]string{billed.Total, billed.Lines[0].Amount, billed.Lines[0].Quantity})
	equal(t, "total", billed.Total, "40.00")
}

func TestBM10_LeastSpendOfAPriceIsALineOfItsOwn(t *testing.T) {
	same(t, play(t, "start: 2026-04-01\nend: 2026-06-02\n"+calls+`
  invoices: {grace: 1h}
  plans: {a: {prices: [{id: calls, model: per_unit, meter: calls, amount: 20, min: 150}]}}
customers: {acme: {pays: {card: ok}}}
events:
  - {at: 2026-04-01, subscribe: {customer: acme, plan: a}}
  - {at: 2026-04-10, usage: {customer: acme, meter: calls, value: 4}}
  - {at: 2026-05-01T00:30, usage: {customer: acme, meter: calls, value: 1, time: 2026-04-30}}
`), `
05-01 cycle 150.00 paid: calls ×5 100.00; Minimum of calls 50.00;
06-01 cycle 150.00 paid: calls ×0 150.00;`)
}

func TestBM10_LeastSpendOfAPlan(t *testing.T) {
	same(t, play(t, "start: 2026-04-01\nend: 2026-06-02\n"+calls+`
  plans:
    a: {prices: [{id: base, model: flat, amount: 10}, {id: calls, model: per_unit, meter: calls, amount: 1}], minimum: 60}
    b: {prices: [{id: base, model: flat, amount: 60}]}
customers: {acme: {pays: {card: ok}}}
events:
  - {at: 2026-04-01, subscribe: {customer: acme, plan: a}}
  - {at: 2026-04-10, usage: {customer: acme, meter: calls, value: 20}}
  - {at: 2026-05-01, usage: {customer: acme, meter: calls, value: 70}}
  - {at: 2026-05-10, usage: {customer: acme, meter: calls, value: 1}}
`), `
04-01 start 10.00 paid: base 10.00;
05-01 cycle 60.00 paid: calls ×20 20.00; Minimum of a 30.00; base 10.00;
06-01 cycle 81.00 paid: calls ×71 71.00; base 10.00;`)
}

func TestBM21_CouponsOverTime(t *testing.T) {
	same(t, play(t, "start: 2026-04-01\nend: 2026-07-02\n"+shop+`
  plans:
    a: {prices: [{id: base, model: flat, amount: 30}, {id: seats, model: per_unit, quantity: seats, amount: 10}]}
  coupons:
    HALF: {percent: 50, lasts: periods, periods: 2, prices: [seats]}
    FIVE: {amount: 5, lasts: forever}
    ONCE: {amount: 1000}
customers: {acme: {pays: {card: ok}}}
events:
  - {at: 2026-04-01, subscribe: {customer: acme, plan: a, seats: 2, coupons: [HALF, FIVE]}}
  - {at: 2026-04-16, change: {customer: acme, seats: 4}}
  - {at: 2026-06-10, coupon: {customer: acme, coupon: ONCE}}
`), `
04-01 start 35.00 paid: base 30.00 -3.75; seats ×2 20.00 -11.25;
04-16 change 5.00 paid: seats ×2 (1/2) 10.00 -5.00;
05-01 cycle 45.00 paid: base 30.00 -3.00; seats ×4 40.00 -22.00;
06-01 cycle 65.00 paid: base 30.00 -2.14; seats ×4 40.00 -2.86;
07-01 cycle 0.00 paid: base 30.00 -30.00; seats ×4 40.00 -40.00;`)
}

func TestBM21_ChangeAndUndoWithACouponBillsAsIfUntouched(t *testing.T) {
	file := func(more string) string {
		return "start: 2026-04-01\nend: 2026-06-02\n" + shop + `
  taxes: [{country: FR, percent: 20}]
  plans:
    a: {prices: [{id: base, model: flat, amount: 29.99}]}
    b: {prices: [{id: base, model: flat, amount: 79.97}]}
  coupons: {TEN: {amount: 10, lasts: periods, periods: 2}}
customers: {acme: {pays: {card: ok}}}
events:
  - {at: 2026-04-01, subscribe: {customer: acme, plan: a, coupon: TEN}}
` + more
	}
	net := func(r *Report) string { return r.Ledger[0].Accounts["cash"] + r.Ledger[0].Accounts["customer_balance"] }
	want := net(play(t, file("")))
	got := net(play(t, file("  - {at: 2026-04-11, change: {customer: acme, plan: b}}\n  - {at: 2026-04-11, change: {customer: acme, plan: a, when: now}}\n")))
	equal(t, "cash", got, want)
}

func TestBM23_CreditInOrderWithExpiryAndTopUp(t *testing.T) {
	r := play(t, "start: 2026-04-01\nend: 2026-07-02\n"+calls+`
  taxes: [{country: FR, percent: 20}]
  plans: {a: {prices: [{id: calls, model: per_unit, meter: calls, amount: 1}]}}
customers: {acme: {country: FR, pays: {card: ok}}}
events:
  - {at: 2026-04-01, subscribe: {customer: acme, plan: a}}
  - {at: 2026-04-02, buy: {customer: acme, amount: 100, expires: 2026-12-31}}
  - {at: 2026-04-02, give: {customer: acme, amount: 20, expires: 2026-06-15}}
  - {at: 2026-04-02, give: {customer: acme, amount: 7, expires: 2026-04-20}}
  - {at: 2026-04-10, usage: {customer: acme, meter: calls, value: 50}}
  - {at: 2026-05-10, usage: {customer: acme, meter: calls, value: 30}}
  - {at: 2026-05-20, top_up: {customer: acme, below: 30, amount: 50, lasts: 365d}}
  - {at: 2026-06-10, usage: {customer: acme, meter: calls, value: 10}}
`)
	same(t, r, `
04-02 credit 100.00 paid: Prepaid credit 100.00;
05-01 cycle 60.00 credits 60.00 paid: calls ×50 50.00;
06-01 cycle 36.00 credits 36.00 paid: calls ×30 30.00;
06-01 credit 50.00 paid: Prepaid credit 50.00;
07-01 cycle 12.00 credits 12.00 paid: calls ×10 10.00;`)
	equal(t, "expired", told(r, "credit.expired"), "[04-20 credit.expired]")
	equal(t, "prepaid", r.Ledger[0].Accounts["prepaid_credit"], "-62.00")
	equal(t, "promotion", r.Ledger[0].Accounts["promotion"], "20.00")
}

func TestBM24_ProgressiveBilling(t *testing.T) {
	same(t, play(t, "start: 2026-04-01\nend: 2026-05-02\n"+calls+`
  plans: {a: {thresholds: [50, 100], prices: [{id: base, model: flat, amount: 10}, {id: calls, model: graduated, meter: calls, tiers: [{up_to: 60, amount: 1}, {amount: 0.5}]}]}}
customers: {acme: {pays: {card: ok}}}
events:
  - {at: 2026-04-01, subscribe: {customer: acme, plan: a}}
  - {at: 2026-04-05, usage: {customer: acme, meter: calls, value: 40}}
  - {at: 2026-04-06, usage: {customer: acme, meter: calls, value: 15}}
  - {at: 2026-04-07, usage: {customer: acme, meter: calls, value: 40}}
  - {at: 2026-04-08, usage: {customer: acme, meter: calls, value: 60}}
  - {at: 2026-04-09, usage: {customer: acme, meter: calls, value: 9}}
`), `
04-01 start 10.00 paid: base 10.00;
04-06 threshold 55.00 paid: calls ×55 55.00;
04-08 threshold 52.50 paid: calls ×155 52.50;
05-01 cycle 14.50 paid: calls ×164 4.50; base 10.00;`)
}

func TestBM19_NumbersWithoutGaps(t *testing.T) {
	file := func(rules string) string {
		return "start: 2026-04-01\nend: 2026-04-03\n" + shop + `
  invoices: {prefix: F-, credit_prefix: A-, digits: 3, ` + rules + `}
  plans: {free: {prices: [{id: base, model: flat, amount: 0}]}, a: {prices: [{id: base, model: flat, amount: 10}]}}
customers: {x: {pays: {card: ok}}, y: {pays: {card: ok}}, z: {}}
events:
  - {at: 2026-04-01, subscribe: {customer: z, plan: free}}
  - {at: 2026-04-01, subscribe: {customer: x, plan: a}}
  - {at: 2026-04-01, subscribe: {customer: x, plan: a}, expect: refused}
  - {at: 2026-04-01, preview: {charge: {customer: y, name: extra, amount: 5, now: true}}}
  - {at: 2026-04-01, subscribe: {customer: y, plan: a}}
  - {at: 2026-04-02, credit: {customer: x, amount: 4}}
  - {at: 2026-04-02, charge: {customer: x, name: extra, amount: 5, now: true}}
`
	}
	numbers := func(r *Report) []string {
		var out []string
		for _, v := range r.Invoices {
			out = append(out, v.Number)
		}
		for _, n := range r.Notes {
			out = append(out, n.Number)
		}
		return out
	}
	equal(t, "one series", numbers(play(t, file("per_customer: false"))), "[F-001 F-002 F-003 A-001]")
	equal(t, "a series for each", numbers(play(t, file("per_customer: true"))), "[F-x-001 F-y-001 F-x-002 A-x-001]")
}

func TestBM22_RefundsAndCreditNotes(t *testing.T) {
	head := "start: 2026-04-01\nend: 2026-05-02\n" + shop + `
  taxes: [{country: FR, percent: 20}]
  plans: {a: {prices: [{id: base, model: flat, amount: 100}]}}
customers: {acme: {pays: {card: ok}}, owes: {}}
events:
  - {at: 2026-04-01, subscribe: {customer: acme, plan: a}}
  - {at: 2026-04-01, subscribe: {customer: owes, plan: a}}
`
	r := play(t, head+`
  - {at: 2026-04-05, refund: {customer: acme, invoice: 1, amount: 33.33, reason: goodwill}}
  - {at: 2026-04-05, refund: {customer: acme, invoice: 1, amount: 100}, expect: refused}
  - {at: 2026-04-06, credit: {customer: acme, invoice: 1, amount: 10}}
  - {at: 2026-04-06, credit: {customer: acme, invoice: 1, amount: 76.68}, expect: refused}
  - {at: 2026-04-07, credit: {customer: owes, amount: 50}}
`)
	equal(t, "refused", len(r.Refused), 2)
	n := r.Notes
	equal(t, "refund", []string{n[0].Total, n[0].ToRefund, n[0].Net, n[0].Tax}, "[33.33 33.33 27.77 5.56]")
	equal(t, "to balance", []string{n[1].Total, n[1].ToBalance}, "[10.00 10.00]")
	equal(t, "off what is owed", []string{n[2].Total, n[2].ToInvoice}, "[50.00 50.00]")
	equal(t, "owed", r.Customers[1].Owed, "190.00")
	if got := refuse(t, head+"  - {at: 2026-04-05, refund: {customer: acme, amount: 120.01}}\n",
		fault.Invalid); got != "line 15: 120.01 EUR is more than what is left of invoice INV-000001 (120.00 EUR)" {
		t.Errorf("got %q", got)
	}
}

func TestBM18_VoidAndUncollectible(t *testing.T) {
	r := play(t, "start: 2026-04-01\nend: 2026-05-15\n"+shop+`
  taxes: [{country: FR, percent: 20}]
  plans: {a: {prices: [{id: base, model: flat, amount: 100}]}}
customers: {x: {}, y: {}, z: {}}
events:
  - {at: 2026-04-01, give: {customer: x, amount: 30}}
  - {at: 2026-04-01, charge: {customer: x, name: thing, amount: 50, now: true}}
  - {at: 2026-04-02, void: {customer: x, invoice: 1}}
  - {at: 2026-04-02, void: {customer: x, invoice: 1}, expect: refused}
  - {at: 2026-04-01, charge: {customer: y, name: thing, amount: 50, now: true}}
  - {at: 2026-04-03, give_up: {customer: y}}
  - {at: 2026-05-01, wire: {customer: y, amount: 20}}
  - {at: 2026-05-02, wire: {customer: y, amount: 45}}
`)
	equal(t, "states", []any{r.Invoices[0].State, r.Invoices[1].State}, "[void paid]")
	equal(t, "credit comes back", r.Customers[0].Credit, "30.00")
	equal(t, "too much becomes balance", r.Customers[1].Credit, "5.00")
	equal(t, "bad debt", r.Ledger[0].Accounts["bad_debt"], "")
}

func TestBM25_TaxOnInvoices(t *testing.T) {
	r := play(t, "start: 2026-04-01\nend: 2026-05-02\n"+shop+`
  taxes: [{country: FR, percent: 20, name: TVA}, {country: IT, percent: 22, name: IVA}]
  plans: {a: {prices: [{id: base, model: flat, amount: 100}]}, inside: {prices: [{id: base, model: flat, amount: 100, tax_included: true}]}}
customers:
  fr: {country: FR, vat_id: FR83404833048, vat: valid}
  it: {country: IT}
  itco: {country: IT, vat_id: IT00743110157, vat: valid}
  late: {country: IT, vat_id: IT00743110157}
  us: {country: US}
  in: {country: IT}
events:
  - {at: 2026-04-01, subscribe: {customer: fr, plan: a}}
  - {at: 2026-04-01, subscribe: {customer: it, plan: a}}
  - {at: 2026-04-01, subscribe: {customer: itco, plan: a}}
  - {at: 2026-04-01, subscribe: {customer: late, plan: a}}
  - {at: 2026-04-02, vat: {customer: late, status: unavailable}}
  - {at: 2026-04-03, vat: {customer: late, status: valid}}
  - {at: 2026-04-01, subscribe: {customer: us, plan: a}}
  - {at: 2026-04-01, subscribe: {customer: in, plan: inside}}
`)
	var got []string
	for _, v := range r.Invoices {
		got = append(got, v.Customer+" "+v.Taxes[0].Category+" "+v.Total)
	}
	equal(t, "taxes", got, "[fr S 120.00 it S 122.00 itco AE 100.00 late S 122.00 us G 100.00 in S 100.00 fr S 120.00 it S 122.00 itco AE 100.00 late AE 100.00 us G 100.00 in S 100.00]")
	equal(t, "inside", r.Invoices[5].Net+" "+r.Invoices[5].Tax, "81.97 18.03")
}

func TestBM36_ThreeKindsOfCurrency(t *testing.T) {
	r := play(t, "start: 2026-04-01\nend: 2026-04-16\n"+shop+`
  taxes: [{country: FR, percent: 20}]
  plans: {a: {currencies: [EUR, JPY, KWD], prices: [{id: base, model: flat, amount: {EUR: 9.99, JPY: 999, KWD: 9.999}}]}}
customers: {e: {}, j: {currency: JPY}, k: {currency: KWD}, u: {currency: USD}}
events:
  - {at: 2026-04-01, subscribe: {customer: e, plan: a}}
  - {at: 2026-04-01, subscribe: {customer: j, plan: a}}
  - {at: 2026-04-01, subscribe: {customer: k, plan: a}}
  - {at: 2026-04-01, subscribe: {customer: u, plan: a}, expect: refused}
  - {at: 2026-04-11, cancel: {customer: j, when: now}}
`)
	equal(t, "totals", []string{r.Invoices[0].Total, r.Invoices[1].Total, r.Invoices[2].Total, r.Notes[0].Total},
		"[11.99 1199 11.999 799]")
	equal(t, "ledgers", len(r.Ledger), 3)
}

func TestBM04_LateUsageAfterTheEndIsBilled(t *testing.T) {
	same(t, play(t, "start: 2026-01-01\nend: 2026-05-01\n"+calls+`
  plans: {a: {prices: [{id: calls, model: per_unit, meter: calls, amount: 1}]}}
customers: {acme: {pays: {card: ok}}}
events:
  - {at: 2026-01-01, subscribe: {customer: acme, plan: a}}
  - {at: 2026-01-10, usage: {customer: acme, meter: calls, value: 9}}
  - {at: 2026-01-20, cancel: {customer: acme, when: now}}
  - {at: 2026-01-25, usage: {customer: acme, meter: calls, value: 4, time: 2026-01-19}}
  - {at: 2026-01-25, usage: {customer: acme, meter: calls, value: 5000}}
`), `
01-20 cancel 9.00 paid: calls ×9 9.00;
03-22 late 4.00 paid: Late usage: calls ×4 4.00;`)
}
