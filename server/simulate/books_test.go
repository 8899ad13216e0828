package simulate

import (
	"strings"
	"testing"

	"holdfast/server/money"
)

// TestBM31_LedgerMonthsAreTheSchedulesMonths adds up what the ledger recognised, by the month in whose books it stands,
// and compares it with the schedule up to the end of the simulation.
func TestBM31_LedgerMonthsAreTheSchedulesMonths(t *testing.T) {
	files := map[string]string{"example": Example, "late-usage-and-yearly": "start: 2026-01-15\nend: 2026-12-01\n" + calls + `
  invoices: {grace: 2d}
  plans:
    a: {prices: [{id: base, model: flat, amount: 31}, {id: calls, model: per_unit, meter: calls, amount: 1}]}
    y: {interval: year, prices: [{id: base, model: flat, amount: 365}, {id: calls, model: per_unit, meter: calls, amount: 1}]}
customers: {acme: {pays: {card: ok}}, year: {pays: {card: ok}}}
events:
  - {at: 2026-01-15, subscribe: {customer: acme, plan: a}}
  - {at: 2026-01-20, usage: {customer: acme, meter: calls, value: 3, every: 5d, until: 2026-11-01}}
  - {at: 2026-03-20, usage: {customer: acme, meter: calls, value: 50, time: 2026-02-10}}
  - {at: 2026-01-31, subscribe: {customer: year, plan: y}}
  - {at: 2026-02-02, usage: {customer: year, meter: calls, value: 10, every: 20d, until: 2026-10-01}}
  - {at: 2026-09-10, cancel: {customer: year, when: now}}
`}
	for name, file := range files {
		t.Run(name, func(t *testing.T) {
			r := play(t, file)
			got := map[string]int64{}
			for _, j := range r.Journal {
				for _, e := range j.Entries {
					if e.Account != "revenue" {
						continue
					}
					for text, sign := range map[string]int64{e.Credit: 1, e.Debit: -1} {
						if text != "" {
							a, err := money.Parse(text, j.Currency)
							if err != nil {
								t.Fatal(err)
							}
							got[j.Effective.Format("2006-01")] += sign * a.Minor
						}
					}
				}
			}
			end := r.To.Format("2006-01")
			for _, m := range r.Revenue {
				if m.Month >= end {
					break // the running month is booked up to today
				}
				if have := money.Text(got[m.Month], m.Currency); have != m.Recognised {
					t.Errorf("%s: the ledger says %s, the schedule %s", m.Month, have, m.Recognised)
				}
			}
		})
	}
}

func TestWorkedRevenueOfAMonthFromThe15th(t *testing.T) {
	r := play(t, "start: 2026-01-15\nend: 2026-02-14\n"+strings.Replace(shop, "EUR", "USD", 1)+`
  plans: {a: {prices: [{id: base, model: flat, amount: 31}]}}
customers: {acme: {pays: {card: ok}}}
events: [{at: 2026-01-15, subscribe: {customer: acme, plan: a}}]
`)
	equal(t, "January", []string{r.Revenue[0].Recognised, r.Revenue[0].Deferred, r.Revenue[1].Recognised}, "[17.00 14.00 14.00]")
}

func TestWorkedStripeBackdating(t *testing.T) {
	for start, want := range map[string]string{"2025-02-15": "14.00", "2025-01-15": "15.35"} {
		anchor := map[string]string{"2025-02-15": "2025-03-01", "2025-01-15": "2025-02-01"}[start]
		r := play(t, "start: "+start+"\nend: "+start+"\n"+strings.Replace(shop, "proration: day", "proration: second", 1)+`
  plans: {a: {prices: [{id: base, model: flat, amount: 28}]}}
customers: {acme: {pays: {card: ok}}}
events: [{at: `+start+`, subscribe: {customer: acme, plan: a, anchor: `+anchor+`}}]
`)
		equal(t, start, r.Invoices[0].Total, want)
	}
}
