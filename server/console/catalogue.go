package console

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"holdfast/server/catalog"
	"holdfast/server/document"
	"holdfast/server/money"
	"holdfast/sync/fault"
)

func sorted[V any, K ~string](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

func (c *console) catalogue(k *call) (any, error) {
	text, own, err := c.Billing.CatalogText()
	if err != nil {
		return nil, err
	}
	cat := c.Billing.Catalog()
	p := page{Title: "Catalogue", Intro: "What is for sale, and by which rules it is billed. Terms that were published never change: a new version is added, and its subscribers are those who come or are moved.",
		Sections: []section{sellerSection(cat)}}
	if k.r.URL.Query().Get("done") != "" {
		p.Notice = &notice{"good", "The catalogue is applied. It is sold by from now on."}
	}
	for i := range cat.Plans {
		p.Sections = append(p.Sections, c.planSection(&cat.Plans[i], "Plan"))
	}
	for i := range cat.Addons {
		p.Sections = append(p.Sections, c.planSection(&cat.Addons[i], "Add-on"))
	}
	p.Sections = append(p.Sections, couponSection(cat), taxSection(cat), change(text, own))
	return p, nil
}

// change is the form in which the file is edited.
func change(text string, own bool) section {
	return section{ID: "change", Title: "Change it", Note: pick(own, "catalog.yaml in the hub's data folder", "the built-in catalogue; applying another one writes catalog.yaml into the hub's data folder"),
		Form: &form{Action: prefix + "/catalogue", Submit: "Show what changes", Fields: []field{{Name: "text", Label: "Catalogue (YAML)", Type: "area", Value: text, Required: true}}}}
}

func sellerSection(cat *catalog.Catalog) section {
	s := cat.Seller
	late := map[string]string{"carry": "billed with the next invoice", "drop": "only reported"}[cat.Invoices.Late]
	return section{Title: "Seller and rules", Facts: []fact{
		{Name: "Seller", Text: s.Name, Small: strings.Join(slices.DeleteFunc(append(slices.Clone(s.Address), s.Country, s.VATID), func(x string) bool { return x == "" }), ", ")},
		{Name: "Currency and days", Text: string(cat.Currency), Small: "days are those of " + cat.Zone.String()},
		{Name: "Invoices", Text: cat.Invoices.Prefix + strings.Repeat("0", max(0, cat.Invoices.Digits-1)) + "1", Small: "due after " + count(cat.Invoices.DueDays, "day", "days")},
		{Name: "Late usage", Text: late, Small: "drafts wait " + days(cat.Invoices.Grace)},
	}}
}

// planSection shows a plan, its version for sale first, and who is on the others.
func (c *console) planSection(p *catalog.Plan, what string) section {
	on := map[int]int{}
	for _, a := range c.Billing.Accounts() {
		s := a.Sub()
		for i, item := range s.Items {
			if s.Live() && (item.Key == p.ID || i == 0 && s.Plan == p.ID && what == "Plan") {
				on[item.Version]++
			}
		}
	}
	t := &table{Caption: "Versions of " + p.ID, Heads: []head{{Text: "Version"}, {Text: "From"}, {Text: "Prices"}, {Text: "Grants", Wide: true}, {Text: "Subscribers", Num: true}}}
	old := 0
	now, err := p.At(c.Now())
	for _, v := range slices.Backward(p.Versions) {
		var prices, grants []string
		for _, x := range v.Prices {
			prices = append(prices, priceText(&x, string(v.Interval.Unit)))
		}
		for _, g := range v.Grants {
			grants = append(grants, grantText(c.Billing.Catalog(), g))
		}
		from := cell{Text: pick(v.From.IsZero(), "always", date(v.From))}
		if err == nil && now.Number == v.Number {
			from.Small = "for sale now"
		} else if v.From.Before(c.Now()) {
			old += on[v.Number]
		}
		t.Rows = append(t.Rows, row{Cells: []cell{{Text: fmt.Sprint("Version ", v.Number)}, from, {Text: strings.Join(prices, "; ")}, {Text: strings.Join(grants, "; ")}, {Text: number(int64(on[v.Number]))}}})
	}
	note := p.ID
	if old > 0 {
		note += " · " + count(old, "subscriber is", "subscribers are") + " on old versions"
	}
	return section{Title: what + ": " + pick(p.Name == "", p.ID, p.Name), Note: note, Table: t}
}

// priceText tells a price in every currency.
func priceText(p *catalog.Price, unit string) string {
	name := pick(p.Name == "", p.ID, p.Name)
	of := pick(p.Meter != "", p.Meter, p.Quantity)
	included := ""
	if !p.Included.IsZero() {
		included = ", " + document.Grouped(p.Included.String()) + " included"
	}
	switch p.Model {
	case catalog.Flat:
		return fmt.Sprintf("%s: %s a %s", name, rates(p.Amount), unit)
	case catalog.PerUnit:
		return fmt.Sprintf("%s: %s for each of %s%s", name, rates(p.Amount), of, included)
	case catalog.Package:
		return fmt.Sprintf("%s: %s for each started %s of %s%s", name, rates(p.Amount), document.Grouped(p.Size.String()), of, included)
	case catalog.Percentage:
		return fmt.Sprintf("%s: %s %% of %s", name, p.Percent, of)
	}
	var tiers []string
	for _, x := range p.Tiers {
		upTo := "above"
		if x.UpTo != nil {
			upTo = "to " + document.Grouped(x.UpTo.String())
		}
		text := upTo + " " + rates(x.Amount)
		if len(x.Flat) > 0 {
			text += " and " + rates(x.Flat) + " once"
		}
		tiers = append(tiers, text)
	}
	return fmt.Sprintf("%s: %s by tiers of %s (%s)", name, p.Model, of, strings.Join(tiers, ", "))
}

func rates(r catalog.Rates) string {
	var out []string
	for _, c := range sorted(r) {
		text := r[c].String()
		if a, err := money.FromDecimal(r[c], c); err == nil {
			text = money.Text(a.Minor, c)
		}
		out = append(out, document.Grouped(text)+" "+string(c))
	}
	return strings.Join(out, " or ")
}

func grantText(cat *catalog.Catalog, g catalog.Grant) string {
	f := cat.Feature(g.Feature)
	name := pick(f == nil || f.Name == "", g.Feature, "")
	if name == "" {
		name = f.Name
	}
	switch {
	case g.Unlimited:
		return name + ": unlimited"
	case f != nil && f.Type == "boolean":
		return name + pick(g.On, "", ": no")
	}
	text := name + ": " + document.Grouped(g.Limit.String())
	if g.PerUnit != "" {
		text += " for each of " + g.PerUnit
	}
	if f != nil && f.Type == "metered" {
		text += map[string]string{"": "", "billing": " a billing period", "never": " in all"}[g.Period] + pick(g.Period == "" || g.Period == "billing" || g.Period == "never", "", " a "+g.Period)
	}
	return text + pick(g.Soft, ", more is charged", "")
}

func couponSection(cat *catalog.Catalog) section {
	t := &table{Caption: "Coupons", Heads: []head{{Text: "Coupon"}, {Text: "Takes off"}, {Text: "Lasts"}, {Text: "Until", Wide: true}}}
	for _, k := range cat.Coupons {
		off := rates(k.Amount)
		if !k.Percent.IsZero() {
			off = k.Percent.String() + " %"
		}
		lasts := map[string]string{"once": "one period", "forever": "for ever", "periods": count(k.Periods, "period", "periods")}[k.Lasts]
		t.Rows = append(t.Rows, row{Cells: []cell{{Text: k.ID, Small: strings.Join(k.Plans, ", ")}, {Text: off}, {Text: lasts}, {Text: pick(k.Until.IsZero(), "always", date(k.Until))}}})
	}
	return section{Title: "Coupons", Table: t, Empty: "The catalogue has no coupons."}
}

func taxSection(cat *catalog.Catalog) section {
	t := &table{Caption: "Taxes", Heads: []head{{Text: "Country"}, {Text: "Name"}, {Text: "Rate", Num: true}, {Text: "Category", Wide: true}, {Text: "From", Wide: true}}}
	for _, x := range cat.Taxes {
		t.Rows = append(t.Rows, row{Cells: []cell{{Text: pick(x.Country == "*", "any other", x.Country)}, {Text: x.Name}, {Text: x.Percent.String() + " %"}, {Text: x.Category}, {Text: pick(x.From.IsZero(), "always", date(x.From))}}})
	}
	return section{Title: "Taxes", Table: t, Empty: "The catalogue has no taxes."}
}

// planCatalogue shows what an edited file would change, and for whom.
func (c *console) planCatalogue(k *call) (any, error) {
	text := k.form.Get("text")
	changes, err := c.Billing.PlanCatalog(text)
	p := page{Title: "Change the catalogue", Back: &link{Text: "Catalogue", Href: prefix + "/catalogue"}}
	_, own, terr := c.Billing.CatalogText()
	if terr != nil {
		return nil, terr
	}
	edit := change(text, own)
	if err != nil {
		if fault.DetailOf(err) == "" {
			return nil, err
		}
		p.Notice, p.status = &notice{"danger", sentence(fault.DetailOf(err))}, http.StatusUnprocessableEntity
		p.Sections = []section{edit}
		if len(changes) > 0 {
			p.Sections = []section{{Title: "What would change", Table: changeTable(changes)}, edit}
		}
		return p, nil
	}
	what := section{Title: "What changes", Table: changeTable(changes), Empty: "Nothing changes: this is what is sold already."}
	if len(changes) > 0 {
		what.Form = &form{Action: prefix + "/catalogue/apply", Submit: "Apply the catalogue", Kind: "primary", Hidden: []pair{{"text", text}}, Cancel: &link{Text: "Leave it", Href: prefix + "/catalogue"}}
	}
	p.Sections = []section{what, edit}
	return p, nil
}

func changeTable(list []catalog.Change) *table {
	t := &table{Caption: "Changes", Heads: []head{{Text: "What"}, {Text: "Subscribers on it", Num: true}, {Text: "Allowed"}}}
	for _, x := range list {
		var who []string
		for _, s := range x.Who {
			who = append(who, s.Name)
		}
		t.Rows = append(t.Rows, row{Cells: []cell{{Text: sentence(x.Text), Small: strings.Join(who, ", ")}, {Text: number(int64(x.Subscribers))}, {Text: pick(x.Refused, "Refused", "Yes"), Chip: pick(x.Refused, "red", "green")}}})
	}
	return t
}

func (c *console) applyCatalogue(k *call) (any, error) {
	c.acting.Lock()
	defer c.acting.Unlock()
	changes, err := c.Billing.ApplyCatalog(k.ctx, k.form.Get("text"))
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, x := range changes {
		texts = append(texts, x.Text)
	}
	return to(prefix + "/catalogue?done=1"), c.Operators.Audit(k.ctx, k.caller.Person.ID, "catalogue.apply", "", strings.Join(texts, "; "))
}
