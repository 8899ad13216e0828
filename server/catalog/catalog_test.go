package catalog

import (
	"strings"
	"testing"
	"time"

	"holdfast/sync/fault"
)

func date(s string) time.Time {
	t, err := time.Parse("2006-01-02", s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestExampleReads(t *testing.T) {
	c, err := Parse(strings.NewReader(Example))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Plans) != 3 || len(c.Addons) != 2 || len(c.Coupons) != 3 || len(c.Meters) != 5 {
		t.Errorf("got %d plans, %d add-ons, %d coupons, %d meters", len(c.Plans), len(c.Addons), len(c.Coupons), len(c.Meters))
	}
	if d := c.Plans[1].Versions[0].Price("base").Amount["KWD"]; d.String() != "8.1" {
		t.Errorf("got %s", d)
	}
}

func TestBM08_VersionByDate(t *testing.T) {
	c, err := Parse(strings.NewReader(Example))
	if err != nil {
		t.Fatal(err)
	}
	team, _ := c.Plan("team")
	for day, want := range map[string]int{"2025-06-01": 1, "2026-01-01": 2, "2027-01-01": 2} {
		if v, err := team.At(date(day)); err != nil || v.Number != want {
			t.Errorf("%s: got %v %v, want version %d", day, v, err, want)
		}
	}
	if _, err := team.At(date("2024-12-30")); fault.KindOf(err) != fault.NotFound {
		t.Errorf("before the first version: got %v", err)
	}
}

const head = "currency: EUR\nmeters: {calls: {aggregate: sum, group_by: [region]}}\nfeatures: {sso: {type: boolean}}\nplans:\n  team:\n"

func TestBadCataloguesNameTheLine(t *testing.T) {
	price := func(s string) string { return head + "    prices:\n      - " + s + "\n" }
	tiers := func(s string) string {
		return price("{id: a, model: graduated, meter: calls, tiers: [" + s + "]}")
	}
	for _, c := range []struct{ name, file, want string }{
		{"gap-in-tiers", head + "    prices:\n      - id: a\n        model: volume\n        meter: calls\n        tiers:\n          - {from: 1, up_to: 5, amount: 7}\n          - {from: 7, amount: 6}\n",
			"line 12: plans.team.prices[0].tiers[1].from: gap: nothing prices what lies between 5 and 7"},
		{"gap-at-the-end", tiers("{up_to: 5, amount: 7}"), "nothing prices what lies above 5"},
		{"overlap", tiers("{up_to: 5, amount: 7}, {from: 4, amount: 1}"), "inside the one before it"},
		{"tiers-fall", tiers("{up_to: 5, amount: 7}, {up_to: 3, amount: 1}, {amount: 1}"), "tiers must rise"},
		{"open-tier-first", tiers("{amount: 7}, {amount: 1}"), "up_to is missing"},
		{"no-tiers", tiers(""), "1 to 100 tiers"},
		{"unknown-currency", strings.Replace(price("{id: a, model: flat, amount: 1}"), "EUR", "EUX", 1), `line 1: currency: unknown currency "EUX"`},
		{"no-currency", "plans: {a: {prices: []}}", "line 1: currency is missing"},
		{"negative-amount", price("{id: a, model: flat, amount: -1}"), "line 7: plans.team.prices[0].amount: -1 is negative"},
		{"part-of-a-cent", price("{id: a, model: flat, amount: 1.005}"), "1.005 has more than the 2 decimals of EUR"},
		{"two-prices", price("{id: a, model: flat, amount: 1}\n      - {id: a, model: flat, amount: 1}"), `there are two prices "a"`},
		{"unknown-meter", price("{id: a, model: per_unit, meter: kalls, amount: 1}"), `there is no meter "kalls"`},
		{"unknown-model", price("{id: a, model: stairs, amount: 1}"), `"stairs" is not known here`},
		{"unknown-key", price("{id: a, model: flat, amount: 1, colour: red}"), "colour: unknown key"},
		{"usage-in-advance", price("{id: a, model: per_unit, meter: calls, amount: 1, billed: advance}"), "billed in arrears"},
		{"percent-above-100", price("{id: a, model: percentage, meter: calls, percent: 101}"), "more than the whole"},
		{"min-above-max", price("{id: a, model: per_unit, meter: calls, amount: 1, min: 10, max: 5}"), "below the minimum"},
		{"package-of-nothing", price("{id: a, model: package, meter: calls, amount: 1, size: 0}"), "more than 0 units"},
		{"no-quantity", price("{id: a, model: per_unit, amount: 1}"), "needs a meter, or a quantity"},
		{"filter-by-foreign-dimension", price("{id: a, model: per_unit, meter: calls, filter: {colour: [red]}, amount: 1}"), `not grouped by "colour"`},
		{"unknown-feature", price("{id: a, model: flat, amount: 1}") + "    entitlements: {ssso: true}\n", `there is no feature "ssso"`},
		{"missing-currency", head + "    currencies: [EUR, JPY]\n    prices:\n      - {id: a, model: flat, amount: {EUR: 1}}\n",
			"there is no amount in JPY"},
		{"bare-in-two-currencies", head + "    currencies: [EUR, JPY]\n    prices:\n      - {id: a, model: flat, amount: 1}\n",
			"several currencies"},
		{"versions-not-rising", head + "    versions:\n      - {version: 2, prices: [{id: a, model: flat, amount: 1}]}\n      - {version: 1, prices: [{id: a, model: flat, amount: 1}]}\n", "numbers must rise"},
		{"versions-same-day", head + "    versions:\n      - {prices: [{id: a, model: flat, amount: 1}]}\n      - {prices: [{id: a, model: flat, amount: 1}]}\n", "must start (from) after"},
		{"coupon-of-both", price("{id: a, model: flat, amount: 1}") + "coupons: {X: {percent: 5, amount: 1}}\n",
			"either a percent or an amount"},
		{"coupon-of-nothing", price("{id: a, model: flat, amount: 1}") + "coupons: {X: {percent: 0}}\n", "more than 0"},
		{"tax-country", price("{id: a, model: flat, amount: 1}") + "taxes: [{country: France, percent: 5}]\n", "two capital letters"},
		{"tax-twice", price("{id: a, model: flat, amount: 1}") + "taxes: [{country: FR, percent: 5}, {country: FR, percent: 6}]\n", "two rates"},
		{"time-zone", "timezone: Mars/Base\n" + price("{id: a, model: flat, amount: 1}"), `unknown time zone "Mars/Base"`},
		{"next-unknown", price("{id: a, model: flat, amount: 1}") + "    next: {plan: moon, after: 1}\n", `there is no plan "moon"`},
		{"no-plans", "currency: EUR\n", "there is no plan"},
		{"retries-fall", price("{id: a, model: flat, amount: 1}") + "dunning: {retries: [3d, 1d]}\n", "must rise"},
		{"tab", "currency:\tEUR\n\tplans: x\n", "line 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cat, err := Parse(strings.NewReader(c.file))
			if cat != nil || fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.DetailOf(err), c.want) {
				t.Errorf("got %v\nwant %q", err, c.want)
			}
		})
	}
}

func TestBM08_CompareKeepsPublishedVersions(t *testing.T) {
	parse := func(s string) *Catalog {
		c, err := Parse(strings.NewReader(s))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	who := func(plan string, v int) []Subscriber {
		if plan == "team" && v == 1 {
			return make([]Subscriber, 7)
		}
		return nil
	}
	old, now := parse(Example), date("2026-06-01")
	if got, err := Compare(old, parse(Example), now, who); err != nil || len(got) != 0 {
		t.Errorf("nothing changed: got %v %v", got, err)
	}
	got, err := Compare(old, parse(strings.Replace(Example, "EUR: 24", "EUR: 25", 1)), now, who)
	if fault.KindOf(err) != fault.Conflict || len(got) != 1 || !got[0].Refused || got[0].Subscribers != 7 {
		t.Errorf("an edited price: got %+v %v", got, err)
	}
	next := strings.Replace(Example, "  business:\n", "  solo:\n    prices: [{id: base, model: flat, amount: 5}]\n\n  business:\n", 1)
	next = strings.Replace(next, "TEN: {amount: 10", "TEN: {amount: 12", 1)
	if got, err = Compare(old, parse(next), now, who); err != nil || len(got) != 2 || got[0].Kind != "new-plan" ||
		got[1].Kind != "edited-coupon" {
		t.Errorf("a new plan: got %+v %v", got, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Example)
	f.Add(head + "    prices: [{id: a, model: volume, meter: calls, tiers: [{up_to: 1, amount: 2}, {amount: 1}]}]\n")
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := Parse(strings.NewReader(s)); (c == nil) == (err == nil) {
			t.Fatalf("got %v and %v", c, err)
		}
	})
}
