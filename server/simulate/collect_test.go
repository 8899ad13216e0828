package simulate

import (
	"testing"
)

const plan100 = shop + `
  plans: {a: {prices: [{id: base, model: flat, amount: 100}]}}
  dunning: {retries: [1d, 3d, 5d], restrict_after: 7d, end_after: 14d, action: cancel}
`

func payments(r *Report) []string {
	var out []string
	for _, p := range r.Payments {
		out = append(out, p.At.Format("01-02")+" "+p.Status+" "+p.Code)
	}
	return out
}

func TestBM28_SoftDeclinesAreRetriedHardOnesNever(t *testing.T) {
	file := func(card, more string) string {
		return "start: 2026-04-01\nend: 2026-04-28\n" + plan100 + "customers: {acme: {pays: " + card + "}}\nevents:\n  - {at: 2026-04-01, subscribe: {customer: acme, plan: a}}\n" + more
	}
	r := play(t, file("{card: fails-twice}", ""))
	equal(t, "soft", payments(r), "[04-01 failed insufficient_funds 04-02 failed insufficient_funds 04-04 succeeded ]")
	equal(t, "told", told(r, "account."), "[04-01 account.past_due 04-04 account.recovered]")
	r = play(t, file("{card: stolen-card}", ""))
	equal(t, "hard", payments(r), "[04-01 failed stolen_card]")
	r = play(t, file("[{card: expired-card}, {card: generic-decline}, {card: ok}]", ""))
	equal(t, "order of methods", payments(r), "[04-01 failed expired_card 04-01 failed generic_decline 04-02 failed generic_decline 04-04 failed generic_decline 04-06 failed generic_decline]")
	r = play(t, file("{card: stolen-card}", "  - {at: 2026-04-03, methods: {customer: acme, pays: {card: ok}}}\n"))
	equal(t, "a new card is tried at once", payments(r), "[04-01 failed stolen_card 04-03 succeeded ]")
}

func TestBM29_BM30_DunningToTheEnd(t *testing.T) {
	file := func(action string) string {
		return "start: 2026-04-01\nend: 2026-05-20\n" + shop + `
  plans: {a: {prices: [{id: base, model: flat, amount: 100}]}}
  dunning: {retries: [1d, 3d, 5d], restrict_after: 7d, end_after: 14d, action: ` + action + `}
customers: {acme: {pays: {card: generic-decline}}}
events:
  - {at: 2026-04-01, subscribe: {customer: acme, plan: a}}
`
	}
	r := play(t, file("cancel"))
	equal(t, "cancel", told(r, "account.", "subscription.cancelled", "invoice.uncollectible"),
		"[04-01 account.past_due 04-08 account.restricted 04-15 subscription.cancelled 04-15 invoice.uncollectible]")
	equal(t, "tries", len(r.Payments), 4)
	equal(t, "customer", []any{r.Customers[0].Status, r.Customers[0].Access, r.Customers[0].Owed}, "[cancelled read_only 100.00]")
	equal(t, "bad debt", r.Ledger[0].Accounts["bad_debt"], "100.00")
	r = play(t, file("unpaid"))
	equal(t, "unpaid", []any{r.Customers[0].Status, r.Customers[0].Access, r.Customers[0].Standing, r.Invoices[0].State},
		"[paused read_only restricted open]")
	r = play(t, file("none"))
	equal(t, "none", []any{r.Customers[0].Status, r.Customers[0].Access, len(r.Invoices)}, "[active read_only 2]")
}

func TestBM30_RecoveryGivesEverythingBack(t *testing.T) {
	r := play(t, "start: 2026-04-01\nend: 2026-04-20\n"+plan100+`
customers: {acme: {pays: {card: generic-decline}}}
events:
  - {at: 2026-04-01, subscribe: {customer: acme, plan: a}}
  - {at: 2026-04-10, methods: {customer: acme, pays: {card: ok}}}
`)
	equal(t, "told", told(r, "account."), "[04-01 account.past_due 04-08 account.restricted 04-10 account.restored]")
	equal(t, "customer", []any{r.Customers[0].Status, r.Customers[0].Access, r.Customers[0].Standing}, "[active full good]")
}

func TestBM29_SmallDebtsAreNotChased(t *testing.T) {
	r := play(t, "start: 2026-04-01\nend: 2026-04-28\n"+shop+`
  plans: {a: {prices: [{id: base, model: flat, amount: 4}]}}
  dunning: {minimum: 5}
customers: {acme: {pays: {card: generic-decline}}}
events:
  - {at: 2026-04-01, subscribe: {customer: acme, plan: a}}
`)
	equal(t, "tries and access", []any{len(r.Payments), r.Customers[0].Access}, "[1 full]")
}

func TestBM27_ThreeDSecureDebitAndWire(t *testing.T) {
	r := play(t, "start: 2026-04-01\nend: 2026-04-26\n"+plan100+`
customers:
  secure: {pays: {card: authenticate}}
  wrong: {pays: {card: 4000002760003184}}
  debit: {pays: {debit: account-ok}}
  nodebit: {pays: {debit: account-no-funds}}
  bounce: {pays: {debit: account-bounces}}
  wire: {pays: wire, send_invoice: true}
events:
  - {at: 2026-04-01, subscribe: {customer: secure, plan: a}}
  - {at: 2026-04-01T10:00, authenticate: {customer: secure}}
  - {at: 2026-04-01, subscribe: {customer: wrong, plan: a}}
  - {at: 2026-04-01T10:00, authenticate: {customer: wrong, ok: false}}
  - {at: 2026-04-01, subscribe: {customer: debit, plan: a}}
  - {at: 2026-04-01, subscribe: {customer: nodebit, plan: a}}
  - {at: 2026-04-01, subscribe: {customer: bounce, plan: a}}
  - {at: 2026-04-01, subscribe: {customer: wire, plan: a}}
  - {at: 2026-04-12, wire: {customer: wire, amount: 40}}
  - {at: 2026-04-13, wire: {reference: "Rechnung INV 000006 / danke", amount: 60}}
  - {at: 2026-04-13, wire: {reference: "no idea", amount: 12}}
`)
	got := map[string]string{}
	for _, v := range r.Invoices {
		got[v.Customer] = string(v.State)
	}
	equal(t, "states", got, "map[bounce:uncollectible debit:paid nodebit:uncollectible secure:paid wire:paid wrong:uncollectible]")
	equal(t, "debit settles later", r.Invoices[2].Closed.Format("01-02"), "04-04")
	equal(t, "stray", len(r.Stray), 1)
	equal(t, "unapplied", r.Ledger[0].Accounts["unapplied_payments"], "-12.00")
}

func TestWireCustomersAreChasedWhenDue(t *testing.T) {
	r := play(t, "start: 2026-04-01\nend: 2026-04-24\n"+plan100+`
customers: {wire: {pays: wire, send_invoice: true}}
events:
  - {at: 2026-04-01, subscribe: {customer: wire, plan: a}}
  - {at: 2026-04-23, wire: {customer: wire, amount: 100}}
`)
	equal(t, "told", told(r, "account."), "[04-15 account.past_due 04-22 account.restricted 04-23 account.restored]")
}

func TestBM27_Disputes(t *testing.T) {
	r := play(t, "start: 2026-04-01\nend: 2026-04-20\n"+plan100+`
customers: {won: {pays: {card: disputed}}, lost: {pays: {card: ok}}, open: {pays: {card: ok}}}
events:
  - {at: 2026-04-01, subscribe: {customer: won, plan: a}}
  - {at: 2026-04-01, subscribe: {customer: lost, plan: a}}
  - {at: 2026-04-01, subscribe: {customer: open, plan: a}}
  - {at: 2026-04-02, dispute: {customer: lost}}
  - {at: 2026-04-02, dispute: {customer: open}}
  - {at: 2026-04-02, dispute: {customer: open}, expect: refused}
  - {at: 2026-04-03, refund: {customer: lost}, expect: refused}
  - {at: 2026-04-10, decide: {customer: won, won: true}}
  - {at: 2026-04-10, decide: {customer: lost, won: false}}
`)
	a := r.Ledger[0].Accounts
	equal(t, "cash, disputed, lost", []string{a["cash"], a["disputed"], a["dispute_losses"]}, "[100.00 100.00 100.00]")
}

func TestBM37_EveryChangeIsTold(t *testing.T) {
	r := play(t, "start: 2026-04-01\nend: 2026-05-02\n"+plan100+`
customers: {acme: {pays: {card: ok}}}
events:
  - {at: 2026-04-01, subscribe: {customer: acme, plan: a}}
  - {at: 2026-04-11, cancel: {customer: acme, when: now, credit: refund}}
`)
	var kinds []string
	for _, e := range r.Events {
		kinds = append(kinds, e.Kind)
	}
	equal(t, "events", kinds, "[customer.methods_changed subscription.created subscription.period-started invoice.issued payment.succeeded invoice.paid subscription.cancelled credit_note.issued refund.paid]")
}
