package console

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"holdfast/server/billing"
	"holdfast/server/catalog"
	"holdfast/server/invoice"
	"holdfast/server/metering"
	"holdfast/server/money"
	"holdfast/server/payment"
)

type noteOf = invoice.Note

// standing is all customers in figures.
type standing struct {
	monthly       map[money.Currency]int64
	states        map[string]int
	open, overdue tally
	failed        int // payments that are being chased
}

// tally is a number of documents and what is owed on them.
type tally struct {
	n   int
	sum map[money.Currency]int64
}

func (t *tally) add(n int64, c money.Currency) {
	if t.sum == nil {
		t.sum = map[money.Currency]int64{}
	}
	t.n++
	t.sum[c] += n
}

// amounts writes sums, a currency each.
func amounts(m map[money.Currency]int64, none money.Currency) string {
	var cs []money.Currency
	for c, n := range m {
		if n != 0 {
			cs = append(cs, c)
		}
	}
	sort.Slice(cs, func(i, j int) bool { return cs[i] < cs[j] })
	if len(cs) == 0 {
		return amount(0, none)
	}
	out := ""
	for i, c := range cs {
		if i > 0 {
			out += " · "
		}
		out += amount(m[c], c)
	}
	return out
}

func countAll(all []*billing.Account, cat *catalog.Catalog, now time.Time) (standing, error) {
	s := standing{monthly: map[money.Currency]int64{}, states: map[string]int{}}
	for _, a := range all {
		n, err := a.Recurring(cat)
		if err != nil {
			return s, err
		}
		s.monthly[a.Currency] += n
		s.states[state(a)]++
		for i := range a.Invoices {
			v := &a.Invoices[i]
			if v.State != invoice.Open {
				continue
			}
			s.open.add(v.Due(), a.Currency)
			if v.DueBy.Before(now) {
				s.overdue.add(v.Due(), a.Currency)
			}
		}
		for _, c := range a.Chases {
			if !c.Ended {
				s.failed++
			}
		}
	}
	return s, nil
}

func (c *console) overview(k *call) (any, error) {
	now, cat := c.Now(), c.Billing.Catalog()
	all := c.Billing.Accounts()
	s, err := countAll(all, cat, now)
	if err != nil {
		return nil, err
	}
	months, err := c.months()
	if err != nil {
		return nil, err
	}
	recognised, deferred := map[money.Currency]int64{}, map[money.Currency]int64{}
	for _, m := range months {
		if m.Month == now.In(cat.Zone).Format("2006-01") {
			recognised[m.Currency], deferred[m.Currency] = m.Recognised, m.Deferred
		}
	}
	figures := section{Title: "Now", Facts: []fact{
		{Name: "Monthly recurring revenue", Text: amounts(s.monthly, cat.Currency), Small: "list prices, before discounts and tax"},
		{Name: "Revenue this month", Text: amounts(recognised, cat.Currency), Small: "of what is billed; " + amounts(deferred, cat.Currency) + " deferred to later", Href: prefix + "/revenue"},
		{Name: "Open invoices", Text: number(int64(s.open.n)), Small: amounts(s.open.sum, cat.Currency), Href: prefix + "/payments"},
		{Name: "Overdue", Text: number(int64(s.overdue.n)), Small: amounts(s.overdue.sum, cat.Currency), Href: prefix + "/payments", Kind: pick(s.overdue.n > 0, "warn", "")},
		{Name: "Payments that failed", Text: number(int64(s.failed)), Small: pick(s.failed > 0, "being chased", "none is being chased"), Href: prefix + "/payments", Kind: pick(s.failed > 0, "warn", "")},
	}}
	by := section{Title: "Customers by state"}
	for _, name := range states {
		if name == "planned" && s.states[name] == 0 {
			continue // few services sell ahead
		}
		by.Facts = append(by.Facts, fact{Name: stateNames[name], Text: number(int64(s.states[name])), Href: filter{State: name}.next("")})
	}
	alarms, err := c.alarms(k.ctx, now)
	if err != nil {
		return nil, err
	}
	return page{Title: "Overview", Intro: count(len(all), "customer", "customers") + ", on " + date(now) + ".", Sections: []section{alarms, figures, by}}, nil
}

func pick[T any](yes bool, a, b T) T {
	if yes {
		return a
	}
	return b
}

// alarms is what somebody has to look at.
func (c *console) alarms(ctx context.Context, now time.Time) (section, error) {
	runs, err := c.Billing.Reconciliations(ctx)
	if err != nil {
		return section{}, err
	}
	health, err := c.Meters.Health(ctx)
	if err != nil {
		return section{}, err
	}
	t := &table{Caption: "Alarms", Heads: []head{{Text: "What"}, {Text: "Where"}}}
	add := func(what, small, where, href string) {
		t.Rows = append(t.Rows, row{Cells: []cell{{Text: what, Small: small}, {Text: where, Href: href}}})
	}
	if len(runs) > 0 && runs[0].Differences > 0 {
		add(count(runs[0].Differences, "row of the books does not agree", "rows of the books do not agree"), "found "+moment(runs[0].At), "Reconciliation", prefix+"/reconciliation")
	}
	for _, h := range health {
		if l := lag(h, now); l >= lagAlarm {
			add("Usage of region "+h.Region+" is not read", "the last time was "+ago(now, now.Add(-l)), "Meters", prefix+"/meters")
		}
		if h.Aside > 0 {
			add(count(int(h.Aside), "usage event", "usage events")+" of region "+h.Region+" could not be counted", "set aside with the reason", "Meters", prefix+"/meters")
		}
	}
	if stray := c.Billing.Stray(); len(stray) > 0 {
		add(count(len(stray), "transfer matches", "transfers match")+" no invoice", strayText(stray), "Payments", prefix+"/payments")
	}
	return section{Title: "To look at", Table: t, Empty: "Nothing needs you: the books agree, every region's usage is read, and no transfer is unmatched."}, nil
}

func strayText(list []payment.Event) string {
	sums := map[money.Currency]int64{}
	for _, e := range list {
		sums[e.Amount.Currency] += e.Amount.Minor
	}
	return amounts(sums, "") + " in all"
}

// lag is how long a region's usage was not read.
func lag(h metering.Health, now time.Time) time.Duration {
	if h.Current {
		return 0
	}
	return now.Sub(h.AsOf)
}

func (c *console) subscriptions(k *call) (any, error) {
	cat := c.Billing.Catalog()
	type terms struct {
		plan    string
		version int
	}
	n, monthly := map[terms]int{}, map[terms]map[money.Currency]int64{}
	for _, a := range c.Billing.Accounts() {
		s := a.Sub()
		if !s.Live() {
			continue
		}
		month, err := a.Recurring(cat)
		if err != nil {
			return nil, err
		}
		for i, item := range s.Items {
			key := terms{item.Key, item.Version}
			if i == 0 {
				key.plan = s.Plan
			}
			if n[key]++; monthly[key] == nil {
				monthly[key] = map[money.Currency]int64{}
			}
			if i == 0 { // a subscription's add-ons are in its plan's figure
				monthly[key][a.Currency] += month
			}
		}
	}
	list := func(plans []catalog.Plan, title, empty string) section {
		t := &table{Caption: title, Heads: []head{{Text: "Name"}, {Text: "Version"}, {Text: "For sale"}, {Text: "Subscribers", Num: true}, {Text: "A month", Num: true, Wide: true}}}
		for i := range plans {
			p := &plans[i]
			for _, v := range slices.Backward(p.Versions) {
				key := terms{p.ID, v.Number}
				sale := cell{Text: "Old", Chip: "gray"}
				if now, err := p.At(c.Now()); err == nil && now.Number == v.Number {
					sale = cell{Text: "Now", Chip: "green"}
				} else if v.From.After(c.Now()) {
					sale = cell{Text: "From " + date(v.From), Chip: "blue"}
				}
				name := cell{Text: pick(p.Name != "", p.Name, p.ID), Small: p.ID}
				if title == "Plans" {
					name.Href = filter{Plan: p.ID}.next("")
				}
				t.Rows = append(t.Rows, row{Cells: []cell{name, {Text: fmt.Sprint(v.Number)}, sale, {Text: number(int64(n[key]))}, {Text: amounts(monthly[key], cat.Currency)}}})
			}
		}
		return section{Title: title, Table: t, Empty: empty}
	}
	p := page{Title: "Subscriptions", Intro: "Who is on which version of what is sold. Subscribers of an old version stay on its terms until they are moved.",
		Sections: []section{list(cat.Plans, "Plans", "The catalogue has no plans."), list(cat.Addons, "Add-ons", "The catalogue has no add-ons.")}}
	for i := range cat.Plans {
		x := &cat.Plans[i]
		now, err := x.At(c.Now())
		for key, on := range n {
			if err == nil && key.plan == x.ID && key.version != now.Number && on > 0 {
				p.Sections[0].Links = append(p.Sections[0].Links, link{Text: "Move subscribers of " + planName(cat, x.ID), Href: moveHref(x.ID)})
				break
			}
		}
	}
	if k.r.URL.Query().Get("moved") != "" {
		p.Notice = &notice{"good", "The subscribers are moved, or will be at the end of their period."}
	}
	return p, nil
}
