package simulate

import (
	"strings"
	"testing"

	"holdfast/sync/fault"
)

const badHead = "start: 2026-04-01\nend: 2026-06-02\n" + calls + `
  taxes: [{country: FR, percent: 20}]
  plans:
    a: {prices: [{id: base, model: flat, amount: 100}, {id: seats, model: per_unit, quantity: seats, amount: 10}, {id: calls, model: per_unit, meter: calls, amount: 1}]}
    b: {prices: [{id: base, model: flat, amount: 200}]}
  addons: {extra: {prices: [{id: extra, model: flat, amount: 5}]}}
  coupons: {OLD: {percent: 5, until: 2026-01-01}, B: {percent: 5, plans: [b]}, ONE: {percent: 1, max_uses: 1}}
customers: {acme: {pays: {card: ok}}, other: {pays: {card: ok}}}
events:
  - {at: 2026-04-01, subscribe: {customer: acme, plan: a, seats: 2, coupon: ONE}}
  - {at: 2026-04-02, usage: {customer: acme, meter: calls, value: 5, id: e1}}
`

var refusals = []struct{ name, event, want string }{
	{"second-subscription", "subscribe: {customer: acme, plan: b}", "already has a subscription"},
	{"negative-seats", "change: {customer: acme, seats: -1}", "a negative quantity of seats: -1"},
	{"no-seats", "subscribe: {customer: other, plan: a}", "is sold by seats; say how many"},
	{"foreign-quantity", "change: {customer: acme, quantities: {chairs: 1}}", `nothing here is sold by "chairs"`},
	{"too-many-seats", "change: {customer: acme, seats: 999999999}", "more than"},
	{"unknown-plan", "change: {customer: acme, plan: zzz}", `there is no plan "zzz"`},
	{"unknown-addon", "change: {customer: acme, add: zzz}", `there is no add-on "zzz"`},
	{"absent-addon", "change: {customer: acme, remove: extra}", `has no add-on "extra"`},
	{"change-in-the-past", "change: {customer: acme, plan: b, when: 2026-04-03}", "cannot be scheduled in the past"},
	{"event-from-the-future", "usage: {customer: acme, meter: calls, value: 5, time: 2026-05-01}", "from the future"},
	{"event-too-old", "usage: {customer: acme, meter: calls, value: 5, time: 2025-05-01}", "older than"},
	{"negative-usage", "usage: {customer: acme, meter: calls, value: -5}", "negative"},
	{"usage-without-value", "usage: {customer: acme, meter: calls}", `has no "value"`},
	{"usage-of-nothing", "usage: {customer: acme, event: steps, value: 1}", `no meter counts events of type "steps"`},
	{"refund-above-the-payment", "refund: {customer: acme, amount: 1000}", "more than what is left"},
	{"refund-of-what-was-not-paid", "refund: {customer: other, invoice: 1}", `has no invoice "1"`},
	{"coupon-over", "coupon: {customer: acme, coupon: OLD}", "could be redeemed until"},
	{"coupon-of-another-plan", "coupon: {customer: acme, coupon: B}", "is not for a"},
	{"coupon-twice", "coupon: {customer: acme, coupon: ONE}", "used up"},
	{"coupon-unknown", "coupon: {customer: acme, coupon: NOPE}", `there is no coupon "NOPE"`},
	{"resume-what-runs", "resume: {customer: acme}", "is active, not paused"},
	{"undo-nothing", "undo: {customer: acme}", "no cancellation is waiting"},
	{"unschedule-nothing", "unschedule: {customer: acme}", "no change is waiting"},
	{"huge-usage", "usage: {customer: acme, meter: calls, value: 1000000000000001}", "send what was used in parts"},
	{"control-character", `charge: {customer: acme, name: "a\u0000b", amount: 5}`, "cannot stand on a document"},
	{"turned-around", `charge: {customer: acme, name: "a\u202eb", amount: 5}`, "cannot stand on a document"},
	{"reason-in-two-lines", `credit: {customer: acme, amount: 5, reason: "a\nb"}`, "cannot stand on a document"},
	{"credit-of-nothing", "give: {customer: acme, amount: 0}", "credit of"},
	{"credit-over", "give: {customer: acme, amount: 5, expires: 2026-01-01}", "expired already"},
	{"part-of-a-cent", "give: {customer: acme, amount: 1.005}", "more than the 2 decimals"},
	{"void-what-is-paid", "void: {customer: acme, invoice: 1}", "is paid and cannot be made void"},
	{"collect-what-is-paid", "collect: {customer: acme, invoice: 1}", "nothing is owed"},
	{"vat-without-number", "vat: {customer: acme, status: valid}", "has no VAT number"},
	{"bad-vat-number", "update: {customer: acme, vat_id: FR12}", "does not have the form"},
	{"country-without-rate", "update: {customer: acme, country: ES}", `no tax rate for "ES"`},
	{"charge-of-nothing", "charge: {customer: acme, name: x, amount: 0}", "above zero"},
	{"authenticate-nothing", "authenticate: {customer: acme}", "no payment for which this fits"},
}

func TestBadInputIsRefusedAndChangesNothing(t *testing.T) {
	want := brief(play(t, badHead))
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			event := "  - {at: 2026-04-10, " + c.event + "}\n"
			if got := refuse(t, badHead+event, kindOf(t, badHead+event)); !strings.HasPrefix(got, "line 21: ") ||
				!strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			same(t, play(t, badHead+"  - {at: 2026-04-10, "+c.event+", expect: refused}\n"), want)
		})
	}
}

func kindOf(t *testing.T, file string) fault.Kind {
	t.Helper()
	_, err := Play(t.Context(), strings.NewReader(file), Options{})
	if k := fault.KindOf(err); k != fault.Other {
		return k
	}
	t.Errorf("a refusal without a kind: %v", err)
	return fault.Other
}

func TestBadFilesNameTheLine(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"unknown-customer", badHead + "  - {at: 2026-04-10, cancel: {customer: nobody}}\n", `line 21: events[2].cancel.customer: there is no customer "nobody"`},
		{"two-things", badHead + "  - {at: 2026-04-10, cancel: {customer: acme}, undo: {customer: acme}}\n", "stand in one event"},
		{"nothing", badHead + "  - {at: 2026-04-10}\n", "nothing happens"},
		{"before-the-start", badHead + "  - {at: 2025-04-10, undo: {customer: acme}}\n", "before the start"},
		{"after-the-end", badHead + "  - {at: 2027-04-10, undo: {customer: acme}}\n", "after the end"},
		{"unknown-action", badHead + "  - {at: 2026-04-10, dance: {customer: acme}}\n", "dance: unknown key"},
		{"unknown-field", badHead + "  - {at: 2026-04-10, cancel: {customer: acme, colour: red}}\n", "colour: unknown key"},
		{"field-of-another", badHead + "  - {at: 2026-04-10, cancel: {customer: acme, plan: a}}\n", "plan: unknown key"},
		{"unknown-meter", badHead + "  - {at: 2026-04-10, usage: {customer: acme, meter: kalls, value: 1}}\n", `there is no meter "kalls"`},
		{"unknown-card", strings.Replace(badHead, "card: ok", "card: gold", 1), `knows no card "gold"`},
		{"gap-in-tiers", strings.Replace(badHead, "model: flat, amount: 200",
			"model: volume, quantity: n, tiers: [{up_to: 5, amount: 1}]", 1), "nothing prices what lies above 5"},
		{"unknown-currency", strings.Replace(badHead, "currency: EUR", "currency: ABC", 1), `unknown currency "ABC"`},
		{"no-start", "catalog: {currency: EUR, plans: {a: {prices: []}}}\ncustomers: {a: {}}\n", "start is missing"},
		{"other-file", "start: 2026-01-01\ncatalog: prices.yaml\ncustomers: {a: {}}\n", "cannot be read here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := refuse(t, c.file, fault.Invalid); !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if got := refuse(t, badHead+"  - {at: 2026-04-10, cancel: {customer: acme}, expect: refused}\n",
		fault.Invalid); !strings.Contains(got, "expected to be refused") {
		t.Errorf("got %q", got)
	}
}
