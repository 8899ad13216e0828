package catalog

import (
	"holdfast/server/money"
	"holdfast/server/period"
	"holdfast/server/yamldoc"
)

var versionKeys = []string{"version", "name", "from", "currencies", "interval", "every", "align", "proration", "trial_days",
	"prices", "minimum",
	"thresholds", "entitlements", "next"}

// plans reads plans or add-ons. A plan with one version may be written without the list of versions.
func (r *reader) plans(n yamldoc.Node, addon bool) []Plan {
	var out []Plan
	entries := n.Entries()
	if len(entries) > maxPlans {
		n.Fail("more than %d", maxPlans)
		return nil
	}
	for _, e := range entries {
		e.Value.CheckName(e.Key)
		p := Plan{ID: e.Key, Name: e.Key}
		short := true
		for _, x := range e.Value.Entries() {
			short = short && x.Key != "versions"
		}
		if short {
			v := r.version(e.Value, p, addon)
			p.Name, p.Versions = v.Name, []Version{v}
			out = append(out, p)
			continue
		}
		f := e.Value.Fields("name", "versions")
		if f["name"].Ok() {
			p.Name = f["name"].Str()
		}
		list := f["versions"].List()
		if len(list) == 0 || len(list) > maxVersions {
			f["versions"].Fail("a plan has 1 to %d versions", maxVersions)
		}
		for i, vn := range list {
			v := r.version(vn, p, addon)
			if v.Number == 0 {
				v.Number = i + 1
			}
			if i > 0 {
				before := p.Versions[i-1]
				if v.Number <= before.Number {
					vn.Fail("version %d comes after version %d; numbers must rise", v.Number, before.Number)
				}
				if !v.From.After(before.From) {
					vn.Fail("version %d must start (from) after version %d", v.Number, before.Number)
				}
			}
			p.Versions = append(p.Versions, v)
		}
		if len(p.Versions) > 0 {
			out = append(out, p)
		}
	}
	return out
}

func (r *reader) version(n yamldoc.Node, p Plan, addon bool) Version {
	f := n.Fields(versionKeys...)
	v := Version{Plan: p.ID, Name: p.Name, Number: int(f["version"].Int(1, 1_000_000)), From: f["from"].Time(r.c.Zone), Align: r.align,
		Proration: r.prorate, TrialDays: int(f["trial_days"].Int(0, 3660)), Line: n.Line(),
		Interval: period.Interval{Unit: period.Month, Count: 1}}
	if v.Number == 0 && f["version"].Ok() {
		f["version"].Fail("versions start at 1")
	}
	if v.Number == 0 && !f["version"].Ok() {
		v.Number = max(1, len(p.Versions)+1)
	}
	if f["name"].Ok() {
		v.Name = f["name"].Str()
	}
	var err error
	if f["interval"].Ok() {
		v.Interval.Unit, err = period.ParseUnit(f["interval"].Str())
		f["interval"].FailErr(err)
	}
	if f["every"].Ok() {
		v.Interval.Count = int(f["every"].Int(1, 366))
	}
	if f["align"].Ok() {
		v.Align = f["align"].OneOf("anniversary", "calendar")
	}
	if v.Align == "calendar" && v.Interval.Count != 1 {
		n.Fail("align: calendar needs every: 1")
	}
	if f["proration"].Ok() {
		v.Proration, err = period.ParsePolicy(f["proration"].Str())
		f["proration"].FailErr(err)
	}
	v.Currencies = []money.Currency{r.c.Currency}
	if f["currencies"].Ok() {
		v.Currencies = nil
		for _, k := range f["currencies"].List() {
			v.Currencies = append(v.Currencies, currency(k))
		}
		if len(v.Currencies) == 0 {
			f["currencies"].Fail("name at least one currency")
		}
	}
	if addon {
		for _, k := range []string{"interval", "every", "align", "proration", "trial_days", "minimum", "thresholds", "next"} {
			if f[k].Ok() {
				f[k].Fail("an add-on takes this from the plan it is added to")
			}
		}
	}
	r.prices(n.Need(f, "prices"), &v)
	v.Minimum = r.rates(f["minimum"], v.Currencies, true)
	v.Thresholds = r.thresholds(f["thresholds"], v.Currencies)
	r.grants(f["entitlements"], &v)
	if nx := f["next"]; nx.Ok() {
		g := nx.Fields("plan", "after")
		v.Next = &Next{Plan: nx.Need(g, "plan").Name(), After: int(nx.Need(g, "after").Int(1, 1200))}
	}
	v.text = v.canonical()
	return v
}

func (r *reader) prices(n yamldoc.Node, v *Version) {
	list := n.List()
	if n.Ok() && len(list) > maxPrices {
		n.Fail("more than %d prices", maxPrices)
		return
	}
	for _, pn := range list {
		p := r.price(pn, v)
		if v.Price(p.ID) != nil {
			pn.Fail("there are two prices %q", p.ID)
		}
		v.Prices = append(v.Prices, p)
	}
}

var priceKeys = []string{"id", "name", "model", "quantity", "meter", "filter", "billed", "included", "amount", "size",
	"percent", "tiers", "min", "max",
	"tax_category", "tax_included"}

func (r *reader) price(n yamldoc.Node, v *Version) Price {
	f := n.Fields(priceKeys...)
	p := Price{ID: n.Need(f, "id").Name(), Name: f["name"].Str(), Quantity: f["quantity"].Str(), Meter: f["meter"].Str(),
		TaxCategory: "standard",
		TaxIncluded: r.incl, Filter: filter(f["filter"])}
	p.Model = Model(n.Need(f, "model").OneOf("flat", "per_unit", "package", "graduated", "volume", "percentage"))
	if p.Name == "" {
		p.Name = p.ID
	}
	if f["quantity"].Ok() {
		f["quantity"].Name()
	}
	if f["tax_category"].Ok() {
		p.TaxCategory = f["tax_category"].Name()
	}
	if f["tax_included"].Ok() {
		p.TaxIncluded = f["tax_included"].Bool()
	}
	r.source(n, f, &p)
	r.amounts(n, f, &p, v.Currencies)
	p.Min = r.rates(f["min"], v.Currencies, true)
	p.Max = r.rates(f["max"], v.Currencies, true)
	for c, low := range p.Min {
		if high, ok := p.Max[c]; ok && high.Less(low) {
			f["max"].Fail("the maximum %s %s is below the minimum %s", high, c, low)
		}
	}
	return p
}

// source checks where the quantity comes from and when it is billed.
func (r *reader) source(n yamldoc.Node, f map[string]yamldoc.Node, p *Price) {
	if p.Meter != "" {
		m := r.needMeter(f["meter"], p.Meter)
		if p.Quantity != "" {
			f["quantity"].Fail("a price has a quantity or a meter, not both")
		}
		for k := range p.Filter {
			if m != nil && !contains(m.GroupBy, k) {
				f["filter"].Fail("meter %s is not grouped by %q", m.ID, k)
			}
		}
	} else if len(p.Filter) > 0 {
		f["filter"].Fail("only a metered price has a filter")
	}
	switch p.Model {
	case Flat:
		if p.Meter != "" || p.Quantity != "" {
			n.Fail("a flat price has neither meter nor quantity; use per_unit")
		}
	case Percentage:
		if p.Meter == "" {
			n.Fail("a percentage needs a meter that sums an amount")
		}
	case "":
	default:
		if p.Meter == "" && p.Quantity == "" {
			n.Fail("%s needs a meter, or a quantity such as seats", p.Model)
		}
	}
	p.Advance = p.Meter == ""
	if f["billed"].Ok() {
		p.Advance = f["billed"].OneOf("advance", "arrears") == "advance"
		if p.Advance && p.Meter != "" {
			f["billed"].Fail("usage is known only afterwards; a metered price is billed in arrears")
		}
	}
	p.Included = f["included"].Number()
	if f["included"].Ok() && (p.Model == Flat || p.Model == Graduated || p.Model == Volume) {
		f["included"].Fail("%s takes no included units; use a first tier at 0", p.Model)
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// thresholds reads a rising list of amounts, bare or by currency.
func (r *reader) thresholds(n yamldoc.Node, cs []money.Currency) Rates2 {
	if !n.Ok() {
		return nil
	}
	out := Rates2{}
	read := func(l yamldoc.Node, c money.Currency) {
		for _, x := range l.List() {
			d := x.Number()
			_, err := money.FromDecimal(d, c)
			x.FailErr(err)
			if k := len(out[c]); d.IsZero() || k > 0 && !out[c][k-1].Less(d) {
				x.Fail("thresholds must rise from above 0")
			}
			out[c] = append(out[c], d)
		}
	}
	if n.IsList() {
		if len(cs) != 1 {
			n.Fail("sold in several currencies: write a list for each")
		}
		read(n, cs[0])
		return out
	}
	for _, e := range n.Entries() {
		if c, err := money.ParseCurrency(e.Key); err != nil {
			e.Value.FailErr(err)
		} else {
			read(e.Value, c)
		}
	}
	return out
}

var grantKeys = []string{"limit", "soft", "period", "alerts", "per"}

func (r *reader) grants(n yamldoc.Node, v *Version) {
	for _, e := range n.Entries() {
		g := Grant{Feature: e.Key, Period: "billing"}
		ft := r.c.Feature(e.Key)
		if ft == nil {
			e.Value.Fail("there is no feature %q; list it under features", e.Key)
			continue
		}
		limit := e.Value
		if e.Value.IsMap() {
			f := e.Value.Fields(grantKeys...)
			limit = e.Value.Need(f, "limit")
			g.Soft, g.PerUnit = f["soft"].Bool(), f["per"].Str()
			if f["period"].Ok() {
				g.Period = f["period"].OneOf("billing", "day", "week", "month", "year", "never")
			}
			for _, a := range f["alerts"].List() {
				g.Alerts = append(g.Alerts, int(a.Int(1, 1000)))
			}
		}
		switch {
		case ft.Type == "boolean":
			g.On = limit.Bool()
		case limit.Str() == "unlimited":
			g.Unlimited, g.On = true, true
		default:
			g.Limit, g.On = limit.Number(), true
		}
		v.Grants = append(v.Grants, g)
	}
}

// cross checks what plans say of each other.
func (r *reader) cross(n yamldoc.Node) {
	at := map[string]yamldoc.Node{}
	for _, e := range n.Entries() {
		at[e.Key] = e.Value
	}
	for _, p := range r.c.Plans {
		for _, v := range p.Versions {
			if v.Next == nil {
				continue
			}
			if _, err := r.c.Plan(v.Next.Plan); err != nil {
				at[p.ID].Fail("next: there is no plan %q", v.Next.Plan)
			}
		}
	}
}
