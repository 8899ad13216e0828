package simulate

import (
	"strings"
	"testing"
	"time"
)

func TestWorkedLagoUpgrades(t *testing.T) {
	same(t, play(t, `
start: 2023-03-01
end: 2023-03-31
catalog:
  currency: EUR
  proration: day
  align: calendar
  seller: {country: SE}
  taxes: [{country: SE, percent: 25}]
  plans:
    a: {prices: [{id: base, model: flat, amount: 10.00}]}
    b: {prices: [{id: base, model: flat, amount: 15.00}]}
    c: {prices: [{id: base, model: flat, amount: 19.00}]}
customers: {acme: {country: SE, pays: {card: ok}}}
events:
  - {at: 2023-03-05, subscribe: {customer: acme, plan: a}}
  - {at: 2023-03-12, change: {customer: acme, plan: b}}
  - {at: 2023-03-12, change: {customer: acme, plan: c}}
`), `
03-05 start 10.89 paid: base (27/31) 8.71;
03-12 change 12.10 credits 8.06 paid: base (20/31) 9.68;
03-12 change 15.33 credits 12.10 paid: base (20/31) 12.26;
note 03-12 8.06 on INV-000001: off 0.00, balance 8.06, refund 0.00
note 03-12 12.10 on INV-000002: off 0.00, balance 12.10, refund 0.00`)
}

func TestWorkedLagoYearlyDowngrade(t *testing.T) {
	same(t, play(t, `
start: 2023-07-19
end: 2024-07-20
catalog:
  currency: EUR
  proration: day
  plans:
    monthly: {prices: [{id: base, model: flat, amount: 129.00}]}
    yearly: {interval: year, prices: [{id: base, model: flat, amount: 1188.00}]}
customers: {acme: {pays: {card: ok}}}
events:
  - {at: 2023-07-19, subscribe: {customer: acme, plan: monthly}}
  - {at: 2023-11-05, change: {customer: acme, plan: yearly}}
`), `
07-19 start 129.00 paid: base 129.00;
08-19 cycle 129.00 paid: base 129.00;
09-19 cycle 129.00 paid: base 129.00;
10-19 cycle 129.00 paid: base 129.00;
11-19 cycle 788.75 paid: base (81/122) 788.75;
07-19 cycle 1188.00 paid: base 1188.00;`)
}

func TestWorkedLagoCreditAtTheEnd(t *testing.T) {
	for amount, want := range map[string]string{"200.00": "241.66", "160.00": "193.34"} {
		r := play(t, `
start: 2022-06-01
end: 2022-06-03
catalog:
  currency: EUR
  proration: day
  align: calendar
  seller: {country: SE}
  taxes: [{country: SE, percent: 25}]
  plans: {a: {prices: [{id: base, model: flat, amount: `+amount+`}]}}
customers: {acme: {country: SE, pays: {card: ok}}}
events:
  - {at: 2022-06-01, subscribe: {customer: acme, plan: a}}
  - {at: 2022-06-02, cancel: {customer: acme, when: now}}
`)
		equal(t, "credit of "+amount, r.Notes[0].Total, want)
	}
}

func TestBM13_UpgradeNowDowngradeAtTheEnd(t *testing.T) {
	r := play(t, "start: 2025-04-01\nend: 2025-06-02\n"+shop+`
  plans:
    small: {proration: second, prices: [{id: base, model: flat, amount: 10.00}]}
    large: {proration: second, prices: [{id: base, model: flat, amount: 20.00}]}
customers: {acme: {pays: {card: ok}}}
events:
  - {at: 2025-04-01, subscribe: {customer: acme, plan: small}}
  - {at: 2025-04-16, preview: {change: {customer: acme, plan: large}}}
  - {at: 2025-04-16, change: {customer: acme, plan: large}}
  - {at: 2025-04-20, change: {customer: acme, plan: small}}
`)
	same(t, r, `
04-01 start 10.00 paid: base 10.00;
04-16 change 10.00 credits 5.00 paid: base (1/2) 10.00;
05-01 cycle 10.00 paid: base 10.00;
06-01 cycle 10.00 paid: base 10.00;
note 04-16 5.00 on INV-000001: off 0.00, balance 5.00, refund 0.00`)
	p := r.Previews[0]
	equal(t, "preview", []string{p.Net, p.DueNow, p.Invoices[0].Total, p.Notes[0].Total}, []string{"5.00", "5.00", "10.00", "5.00"})
}

func TestBM13_PoliciesOfProration(t *testing.T) {
	for policy, want := range map[string]string{"day": "17.00", "day30": "16.00", "none": "30.00", "second": "17.00"} {
		r := play(t, "start: 2026-01-15\nend: 2026-01-15\n"+shop+`
  plans: {a: {proration: `+policy+`, align: calendar, prices: [{id: base, model: flat, amount: `+map[string]string{"day": "31", "second": "31", "day30": "30", "none": "30"}[policy]+`}]}}
customers: {acme: {pays: {card: ok}}}
events: [{at: 2026-01-15, subscribe: {customer: acme, plan: a}}]
`)
		equal(t, policy, r.Invoices[0].Total, want)
	}
}

func TestBM14_TheThirtyFirstComesBack(t *testing.T) {
	r := play(t, "start: 2026-01-31\nend: 2026-06-01\n"+shop+`
  plans: {a: {prices: [{id: base, model: flat, amount: 5}]}}
customers: {acme: {pays: {card: ok}}}
events: [{at: 2026-01-31, subscribe: {customer: acme, plan: a}}]
`)
	var days []string
	for _, v := range r.Invoices {
		days = append(days, v.Issued.Format("01-02"))
	}
	equal(t, "days", days, "[01-31 02-28 03-31 04-30 05-31]")
}

func TestBM15_SeatsWithinAPeriod(t *testing.T) {
	same(t, play(t, "start: 2026-04-01\nend: 2026-05-02\n"+shop+`
  plans: {team: {prices: [{id: base, model: flat, amount: 30}, {id: seats, model: per_unit, quantity: seats, amount: 9}]}}
customers: {acme: {pays: {card: ok}}}
events:
  - {at: 2026-04-01, subscribe: {customer: acme, plan: team, seats: 5}}
  - {at: 2026-04-11, change: {customer: acme, seats: 8}}
  - {at: 2026-04-21, change: {customer: acme, seats: 4}}
`), `
04-01 start 75.00 paid: base 30.00; seats ×5 45.00;
04-11 change 18.00 paid: seats ×3 (2/3) 18.00;
05-01 cycle 66.00 credits 12.00 paid: base 30.00; seats ×4 36.00;
note 04-21 9.00 on INV-000002: off 0.00, balance 9.00, refund 0.00
note 04-21 3.00 on INV-000001: off 0.00, balance 3.00, refund 0.00`)
}

func TestBM16_CancelNowAndAtTheEnd(t *testing.T) {
	file := func(cancel string) string {
		return "start: 2026-04-01\nend: 2026-07-01\n" + shop + `
  plans: {a: {prices: [{id: base, model: flat, amount: 30}]}}
customers: {acme: {pays: {card: ok}}}
events:
  - {at: 2026-04-01, subscribe: {customer: acme, plan: a}}
  - {at: 2026-04-11, cancel: {customer: acme, ` + cancel + `}}
`
	}
	paid := "04-01 start 30.00 paid: base 30.00;\n"
	same(t, play(t, file("when: end")), paid)
	same(t, play(t, file("when: now")), paid+"note 04-11 20.00 on INV-000001: off 0.00, balance 20.00, refund 0.00")
	same(t, play(t, file("when: now, credit: refund")), paid+"note 04-11 20.00 on INV-000001: off 0.00, balance 0.00, refund 20.00")
	same(t, play(t, file("when: now, credit: none")), paid)
	r := play(t, file("when: end"))
	equal(t, "status", r.Customers[0].Status, "cancelled")
	equal(t, "told", told(r, "subscription.ends", "subscription.cancelled"), "[04-11 subscription.ends 05-01 subscription.cancelled]")
}

func TestBM16_UndoneCancellationBillsAsIfUntouched(t *testing.T) {
	file := func(more string) string {
		return "start: 2026-04-01\nend: 2026-08-01\n" + shop + `
  plans: {a: {prices: [{id: base, model: flat, amount: 30}]}}
customers: {acme: {pays: {card: ok}}}
events:
  - {at: 2026-04-01, subscribe: {customer: acme, plan: a}}
` + more
	}
	want := brief(play(t, file("")))
	same(t, play(t, file("  - {at: 2026-04-11, cancel: {customer: acme}}\n  - {at: 2026-04-20, undo: {customer: acme}}\n")), want)
	same(t, play(t, file("  - {at: 2026-04-11, cancel: {customer: acme, when: now, credit: none}}\n  - {at: 2026-04-20, reactivate: {customer: acme}}\n")), want)
	r := play(t, file("  - {at: 2026-04-11, cancel: {customer: acme, when: now}}\n  - {at: 2026-04-11, reactivate: {customer: acme}}\n"))
	equal(t, "ledger", r.Ledger[0].Accounts, play(t, file("")).Ledger[0].Accounts)
}

func TestBM16_ACancellationOutlivesChangesAndPauses(t *testing.T) {
	file := func(more string) string {
		return "start: 2026-01-31\nend: 2027-06-01\n" + shop + `
  plans:
    a: {trial_days: 0, prices: [{id: base, model: flat, amount: 30}]}
    year: {interval: year, prices: [{id: base, model: flat, amount: 400}]}
    tried: {trial_days: 10, prices: [{id: base, model: flat, amount: 20}]}
customers: {acme: {pays: {card: ok}}}
events:
` + more
	}
	monthly := "  - {at: 2026-01-31, subscribe: {customer: acme, plan: a}}\n  - {at: 2026-02-10, cancel: {customer: acme}}\n"
	for name, x := range map[string]struct{ events, ends, told string }{
		"paused beyond the end":      {monthly + "  - {at: 2026-02-12, pause: {customer: acme, until: 2026-04-20}}\n", "2026-02-28", "02-10 02-28"},
		"resumed before the end":     {monthly + "  - {at: 2026-02-12, pause: {customer: acme, until: 2026-02-20}}\n", "2026-02-28", "02-10 02-28"},
		"resumed in a new period":    {monthly + "  - {at: 2026-02-12, pause: {customer: acme}}\n  - {at: 2026-02-20, resume: {customer: acme, reset: true}}\n", "2026-03-20", "02-10 02-20 03-20"},
		"changed to a longer period": {monthly + "  - {at: 2026-02-12, change: {customer: acme, plan: year}}\n", "2027-01-31", "02-10 02-12 01-31"},
		"a trial that was cut short": {"  - {at: 2026-01-31, subscribe: {customer: acme, plan: tried}}\n  - {at: 2026-02-02, cancel: {customer: acme}}\n" +
			"  - {at: 2026-02-04, change: {customer: acme, end_trial: true}}\n", "2026-03-04", "02-02 02-04 03-04"},
	} {
		t.Run(name, func(t *testing.T) {
			r := play(t, file(x.events))
			equal(t, "status", r.Customers[0].Status, "cancelled")
			var days []string
			for _, e := range r.Events {
				if e.Kind == "subscription.ends" || e.Kind == "subscription.cancelled" {
					days = append(days, e.At.Format("01-02"))
				}
			}
			equal(t, "told", strings.Join(days, " "), x.told)
			for _, e := range r.Events {
				if e.Kind == "subscription.cancelled" {
					equal(t, "ended", e.At.Format(time.DateOnly), x.ends)
				}
			}
			for _, v := range r.Invoices {
				if !v.Issued.Before(date(x.ends)) {
					t.Errorf("billed on %s, after the end", v.Issued.Format(time.DateOnly))
				}
			}
		})
	}
}

func TestBM17_PauseResumeReactivate(t *testing.T) {
	r := play(t, "start: 2026-04-01\nend: 2026-08-31\n"+shop+`
  meters: {calls: {aggregate: sum}}
  plans: {a: {prices: [{id: base, model: flat, amount: 30}, {id: calls, model: per_unit, meter: calls, amount: 0.10}]}}
customers: {acme: {pays: {card: ok}}}
events:
  - {at: 2026-04-01, subscribe: {customer: acme, plan: a}}
  - {at: 2026-04-05, usage: {customer: acme, meter: calls, value: 50}}
  - {at: 2026-04-11, pause: {customer: acme, until: 2026-06-16}}
  - {at: 2026-05-11, usage: {customer: acme, meter: calls, value: 1000}}
  - {at: 2026-07-10, cancel: {customer: acme, when: now}}
  - {at: 2026-08-01, reactivate: {customer: acme}}
`)
	same(t, r, `
04-01 start 30.00 paid: base 30.00;
04-11 pause 5.00 credits 5.00 paid: calls ×50 5.00;
06-16 resume 15.00 credits 15.00 paid: base (1/2) 15.00;
07-01 cycle 30.00 paid: base 30.00;
08-01 reactivate 30.00 credits 21.29 paid: base 30.00;
note 04-11 20.00 on INV-000001: off 0.00, balance 20.00, refund 0.00
note 07-10 21.29 on INV-000004: off 0.00, balance 21.29, refund 0.00`)
}

func TestBM11_AddonsPhasesSchedules(t *testing.T) {
	same(t, play(t, "start: 2026-04-01\nend: 2026-08-02\n"+shop+`
  plans:
    intro: {prices: [{id: base, model: flat, amount: 10}], next: {plan: full, after: 2}}
    full: {prices: [{id: base, model: flat, amount: 30}]}
    big: {prices: [{id: base, model: flat, amount: 60}]}
  addons:
    support: {prices: [{id: support, model: flat, amount: 15}]}
    packs: {prices: [{id: packs, model: per_unit, quantity: packs, amount: 3}]}
customers: {acme: {pays: {card: ok}}}
events:
  - {at: 2026-04-01, subscribe: {customer: acme, plan: intro}}
  - {at: 2026-04-16, change: {customer: acme, add: support}}
  - {at: 2026-05-01, change: {customer: acme, add: packs, quantities: {packs: 2}}}
  - {at: 2026-05-16, change: {customer: acme, remove: support}}
  - {at: 2026-06-10, change: {customer: acme, plan: big, when: 2026-07-16}}
`), `
04-01 start 10.00 paid: base 10.00;
04-16 change 7.50 paid: support (1/2) 7.50;
05-01 cycle 25.00 paid: base 10.00; support 15.00;
05-01 change 6.00 paid: packs ×2 6.00;
06-01 cycle 36.00 credits 7.74 paid: base 30.00; packs ×2 6.00;
07-01 cycle 36.00 paid: base 30.00; packs ×2 6.00;
07-16 change 30.97 credits 15.48 paid: base (16/31) 30.97;
08-01 cycle 66.00 paid: base 60.00; packs ×2 6.00;
note 05-16 7.74 on INV-000003: off 0.00, balance 7.74, refund 0.00
note 07-16 15.48 on INV-000006: off 0.00, balance 15.48, refund 0.00`)
}

func TestBM12_Trials(t *testing.T) {
	r := play(t, `
start: 2023-03-01
end: 2023-04-02
catalog:
  currency: JPY
  proration: day
  align: calendar
  plans: {a: {trial_days: 10, prices: [{id: base, model: flat, amount: 5_000_000}]}}
customers: {acme: {pays: {card: ok}}}
events:
  - {at: 2023-03-05T10:00, subscribe: {customer: acme, plan: a}}
`)
	equal(t, "first invoice", r.Invoices[0].Total+" "+r.Invoices[0].Issued.Format("2006-01-02 15:04"), "2741935 2023-03-15 10:00")
	same(t, play(t, "start: 2026-04-01\nend: 2026-05-20\n"+shop+`
  meters: {calls: {aggregate: sum}}
  plans:
    a: {trial_days: 14, prices: [{id: base, model: flat, amount: 30}, {id: calls, model: per_unit, meter: calls, amount: 1}]}
    b: {prices: [{id: base, model: flat, amount: 60}, {id: calls, model: per_unit, meter: calls, amount: 1}]}
customers: {ann: {pays: {card: ok}}, ben: {pays: {card: ok}}, cy: {pays: {card: ok}}, di: {pays: {card: ok}}}
events:
  - {at: 2026-04-01, subscribe: {customer: ann, plan: a}}
  - {at: 2026-04-05, usage: {customer: ann, meter: calls, value: 7}}
  - {at: 2026-04-10, change: {customer: ann, plan: b}}
  - {at: 2026-04-20, usage: {customer: ann, meter: calls, value: 2}}
  - {at: 2026-04-01, subscribe: {customer: ben, plan: a}}
  - {at: 2026-04-03, cancel: {customer: ben}}
  - {at: 2026-04-01, subscribe: {customer: cy, plan: a, trial_days: 0}}
  - {at: 2026-04-01, subscribe: {customer: di, plan: a}}
  - {at: 2026-04-02, change: {customer: di, end_trial: true}}
`), `
04-01 start 30.00 paid: base 30.00;
04-02 change 30.00 paid: base 30.00;
04-15 cycle 60.00 paid: base 60.00;
05-01 cycle 30.00 paid: base 30.00;
05-02 cycle 30.00 paid: base 30.00;
05-15 cycle 62.00 paid: calls ×2 2.00; base 60.00;`)
}

func TestBM08_OldSubscribersStayUntilMigrated(t *testing.T) {
	same(t, play(t, "start: 2026-01-01\nend: 2026-05-02\n"+shop+`
  plans:
    team:
      versions:
        - {prices: [{id: base, model: flat, amount: 10}]}
        - {from: 2026-02-01, prices: [{id: base, model: flat, amount: 12}]}
customers: {old: {pays: {card: ok}}, young: {pays: {card: ok}}}
events:
  - {at: 2026-01-01, subscribe: {customer: old, plan: team}}
  - {at: 2026-03-01, subscribe: {customer: young, plan: team}}
  - {at: 2026-03-10, migrate: {plan: team, from: 1, to: 2}}
`), `
01-01 start 10.00 paid: base 10.00;
02-01 cycle 10.00 paid: base 10.00;
03-01 cycle 10.00 paid: base 10.00;
03-01 start 12.00 paid: base 12.00;
04-01 cycle 12.00 paid: base 12.00;
04-01 cycle 12.00 paid: base 12.00;
05-01 cycle 12.00 paid: base 12.00;
05-01 cycle 12.00 paid: base 12.00;`)
}

func TestChangeWithoutCredit(t *testing.T) {
	same(t, play(t, "start: 2026-04-01\nend: 2026-04-30\n"+shop+`
  plans:
    a: {prices: [{id: base, model: flat, amount: 30}, {id: seats, model: per_unit, quantity: seats, amount: 3}]}
    b: {prices: [{id: base, model: flat, amount: 60}]}
customers: {acme: {pays: {card: ok}}}
events:
  - {at: 2026-04-01, subscribe: {customer: acme, plan: a, seats: 4}}
  - {at: 2026-04-11, change: {customer: acme, seats: 1, credit: none}}
  - {at: 2026-04-16, change: {customer: acme, plan: b, credit: none}}
`), `
04-01 start 42.00 paid: base 30.00; seats ×4 12.00;
04-16 change 30.00 paid: base (1/2) 30.00;`)
}

func TestStartInThePastIsBilledPeriodByPeriod(t *testing.T) {
	r := play(t, "start: 2026-04-20\nend: 2026-05-01\n"+shop+`
  meters: {calls: {aggregate: sum}}
  plans: {a: {prices: [{id: base, model: flat, amount: 30}, {id: calls, model: per_unit, meter: calls, amount: 1}]}}
customers: {acme: {pays: {card: ok}}}
events:
  - {at: 2026-04-20, usage: {customer: acme, meter: calls, value: 4, time: 2026-03-12}}
  - {at: 2026-04-20, subscribe: {customer: acme, plan: a, starts: 2026-02-10}}
`)
	same(t, r, `
04-20 start 30.00 paid: base 30.00;
04-20 cycle 30.00 paid: base 30.00;
04-20 cycle 34.00 paid: calls ×4 4.00; base 30.00;`)
	equal(t, "periods", []string{r.Invoices[0].Lines[0].From.Format("01-02"), r.Invoices[2].Lines[1].To.Format("01-02")},
		"[02-10 05-10]")
}
