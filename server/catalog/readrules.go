package catalog

import (
	"time"

	"github.com/govalues/decimal"

	"holdfast/server/money"
	"holdfast/server/yamldoc"
)

func (r *reader) coupons(n yamldoc.Node) {
	for _, e := range n.Entries() {
		e.Value.CheckName(e.Key)
		f := e.Value.Fields("name", "percent", "amount", "lasts", "periods", "plans", "prices", "until", "max_uses")
		k := Coupon{ID: e.Key, Name: f["name"].Str(), Percent: f["percent"].Number(), Lasts: "once",
			Periods: int(f["periods"].Int(1, 1200)),
			Plans:   texts(f["plans"]), Prices: texts(f["prices"]), Until: f["until"].Time(r.c.Zone), MaxUses: int(f["max_uses"].Int(1, 1_000_000_000))}
		if k.Name == "" {
			k.Name = k.ID
		}
		if f["percent"].Ok() == f["amount"].Ok() {
			e.Value.Fail("a coupon has either a percent or an amount")
		}
		if f["percent"].Ok() && (k.Percent.IsZero() || decimal.MustNew(100, 0).Less(k.Percent)) {
			f["percent"].Fail("want more than 0 and at most 100")
		}
		k.Amount = r.couponRates(f["amount"])
		if f["lasts"].Ok() {
			k.Lasts = f["lasts"].OneOf("once", "forever", "periods")
		} else if k.Periods > 0 {
			k.Lasts = "periods"
		}
		if (k.Lasts == "periods") != (k.Periods > 0) {
			e.Value.Fail("periods: n goes with lasts: periods")
		}
		for _, p := range k.Plans {
			if _, err := r.c.Plan(p); err != nil {
				f["plans"].FailErr(err)
			}
		}
		r.c.Coupons = append(r.c.Coupons, k)
	}
}

// couponRates reads an amount that need not exist in every currency.
func (r *reader) couponRates(n yamldoc.Node) Rates {
	if !n.IsMap() {
		return r.rates(n, []money.Currency{r.c.Currency}, true)
	}
	return r.rates(n, nil, true)
}

func (r *reader) taxes(n yamldoc.Node) {
	seen := map[string]bool{}
	for _, t := range n.List() {
		f := t.Fields("country", "category", "name", "percent", "from")
		x := Tax{Category: "standard", Name: f["name"].Str(), Percent: t.Need(f, "percent").Number().Trim(0),
			From: f["from"].Time(r.c.Zone)}
		if f["category"].Ok() {
			x.Category = f["category"].Name()
		}
		if x.Country = t.Need(f, "country").Str(); x.Country != "*" {
			Country(f["country"])
		}
		if x.Name == "" {
			x.Name = "VAT"
		}
		if decimal.MustNew(100, 0).Less(x.Percent) {
			f["percent"].Fail("%s %% is more than the whole", x.Percent)
		}
		key := x.Country + "/" + x.Category + "/" + x.From.String()
		if seen[key] {
			t.Fail("there are two rates for %s, %s, from the same day", x.Country, x.Category)
		}
		seen[key] = true
		r.c.Taxes = append(r.c.Taxes, x)
	}
}

func invoices(n yamldoc.Node) InvoiceRules {
	f := n.Fields("prefix", "credit_prefix", "digits", "per_customer", "due_days", "grace", "late")
	x := InvoiceRules{Prefix: "INV-", CreditPrefix: "CN-", Digits: 6, PerCustomer: f["per_customer"].Bool(), DueDays: 14,
		Grace: f["grace"].Duration(),
		Late:  "carry"}
	if f["prefix"].Ok() {
		x.Prefix = f["prefix"].Str()
	}
	if f["credit_prefix"].Ok() {
		x.CreditPrefix = f["credit_prefix"].Str()
	}
	if x.Prefix == x.CreditPrefix {
		f["credit_prefix"].Fail("invoices and credit notes need different prefixes")
	}
	if f["digits"].Ok() {
		x.Digits = int(f["digits"].Int(1, 12))
	}
	if f["due_days"].Ok() {
		x.DueDays = int(f["due_days"].Int(0, 365))
	}
	if f["late"].Ok() {
		x.Late = f["late"].OneOf("carry", "drop")
	}
	if x.Grace > 28*24*time.Hour {
		f["grace"].Fail("a draft waits 28 days at most")
	}
	return x
}

func (r *reader) dunning(n yamldoc.Node) Dunning {
	f := n.Fields("retries", "restrict_after", "end_after", "action", "minimum")
	const day = 24 * time.Hour
	d := Dunning{Retries: []time.Duration{1 * day, 3 * day, 7 * day, 14 * day}, Restrict: 7 * day, End: 21 * day, Action: "cancel"}
	if f["retries"].Ok() {
		d.Retries = nil
		for _, x := range f["retries"].List() {
			v := x.Duration()
			if k := len(d.Retries); v <= 0 || k > 0 && v <= d.Retries[k-1] {
				x.Fail("retries are counted from the first failure and must rise")
			}
			d.Retries = append(d.Retries, v)
		}
		if len(d.Retries) > 8 {
			f["retries"].Fail("8 retries at most; card networks fine more")
		}
	}
	if f["restrict_after"].Ok() {
		d.Restrict = f["restrict_after"].Duration()
	}
	if f["end_after"].Ok() {
		d.End = f["end_after"].Duration()
	}
	if f["action"].Ok() {
		d.Action = f["action"].OneOf("cancel", "unpaid", "none")
	}
	if k := len(d.Retries); k > 0 && d.End > 0 && d.Retries[k-1] > d.End {
		f["retries"].Fail("the last retry comes after the end (%s)", d.End)
	}
	d.Minimum = r.couponRates(f["minimum"])
	return d
}
