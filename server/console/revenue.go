package console

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"holdfast/server/billing"
	"holdfast/server/export"
	"holdfast/server/ledger"
	"holdfast/server/money"
	"holdfast/server/revenue"
	"holdfast/sync/fault"
)

// remembered is a figure over all customers that takes a while to make.
type remembered struct {
	at  time.Time
	all []revenue.Month
}

// months is the schedule of revenue of all customers, a minute old at most.
func (c *console) months() ([]revenue.Month, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r, ok := c.taken["months"]; ok && c.Now().Sub(r.at) < rememberedMax {
		return r.all, nil
	}
	var items []revenue.Item
	for _, a := range c.Billing.Accounts() {
		for _, e := range a.Earnings {
			items = append(items, e.Item)
		}
	}
	all := revenue.Schedule(items, c.Billing.Catalog().Zone)
	c.taken["months"] = remembered{c.Now(), all}
	return all, nil
}

// planOf finds what each line of an account was for.
func planOf(a *billing.Account) map[string]string {
	out := map[string]string{}
	for _, v := range a.Invoices {
		for _, l := range v.Lines {
			out[l.ID] = l.Plan
		}
	}
	return out
}

// byPlan is what was earned in the month that begins at from, by plan and currency.
func byPlan(all []*billing.Account, from time.Time) map[string]map[money.Currency]int64 {
	to, out := from.AddDate(0, 1, 0), map[string]map[money.Currency]int64{}
	for _, a := range all {
		var plans map[string]string
		for _, e := range a.Earnings {
			n := e.Earned(to, from.Location()) - e.Earned(from, from.Location())
			if n == 0 {
				continue
			}
			if plans == nil {
				plans = planOf(a)
			}
			plan := plans[e.Line]
			if out[plan] == nil {
				out[plan] = map[money.Currency]int64{}
			}
			out[plan][e.Currency] += n
		}
	}
	return out
}

func (c *console) revenue(k *call) (any, error) {
	cat := c.Billing.Catalog()
	all, err := c.months()
	if err != nil {
		return nil, err
	}
	now := c.Now().In(cat.Zone)
	this := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, cat.Zone)
	chosen := this
	if m := k.r.URL.Query().Get("month"); m != "" {
		if chosen, err = time.ParseInLocation("2006-01", m, cat.Zone); err != nil {
			return nil, fault.Errorf("console.revenue", fault.Invalid, "%q is not a month. Write it like 2026-11.", m)
		}
	}
	p := page{Title: "Revenue", Intro: "What was billed is earned evenly by day over the time it is for. Usage counts in the month of use. Amounts are without tax."}
	for _, cur := range currencies(all) {
		p.Sections = append(p.Sections, monthSection(all, cur, this, len(currencies(all)) > 1))
	}
	if len(p.Sections) == 0 {
		p.Sections = append(p.Sections, section{Title: "By month", Empty: "Revenue is here once something was billed."})
	}
	t := &table{Caption: "Earned by plan", Heads: []head{{Text: "Plan"}, {Text: "Earned", Num: true}}}
	plans := byPlan(c.Billing.Accounts(), chosen)
	var names []string
	for n := range plans {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		t.Rows = append(t.Rows, row{Cells: []cell{{Text: pick(n == "", "Charges without a plan", planName(cat, n))}, {Text: amounts(plans[n], cat.Currency)}}})
	}
	p.Sections = append(p.Sections, section{ID: "plans", Title: "By plan in " + chosen.Format("January 2006"), Table: t, Empty: "Nothing was earned in this month."}, c.exports(chosen))
	return p, nil
}

func currencies(all []revenue.Month) (out []money.Currency) {
	for _, m := range all {
		if !slices.Contains(out, m.Currency) {
			out = append(out, m.Currency)
		}
	}
	return out
}

// monthSection shows a currency's months around now: the last year, and what is deferred into the next months.
func monthSection(all []revenue.Month, cur money.Currency, this time.Time, several bool) section {
	first := this.AddDate(0, -monthsShown+1, 0).Format("2006-01")
	t := &table{Caption: "Revenue by month", Heads: []head{{Text: "Month"}, {Text: "Earned", Num: true}, {Text: "Still to be earned at its end", Num: true}, {Text: "Change", Num: true, Wide: true}, {Text: "Earned, not billed", Num: true, Wide: true}}}
	var list []point
	for _, m := range all {
		if m.Currency != cur || m.Month < first {
			continue
		}
		at, _ := time.Parse("2006-01", m.Month) // it was formatted like this
		soft := m.Month >= this.Format("2006-01")
		list = append(list, point{at.Format("Jan"), amount(m.Recognised, cur), m.Recognised, soft})
		name := cell{Text: at.Format("January 2006"), Href: prefix + "/revenue?month=" + m.Month + "#plans", Small: pick(m.Month == this.Format("2006-01"), "not over yet", pick(soft, "what is billed already", ""))}
		t.Rows = append(t.Rows, row{Cells: []cell{name, {Text: amount(m.Recognised, cur)}, {Text: amount(m.Deferred, cur)}, {Text: amount(m.Change, cur)}, {Text: amount(m.Unbilled, cur)}}})
	}
	list = list[:min(len(list), 2*monthsShown)]
	b := chart("Revenue earned by month in "+string(cur), list, cur)
	slices.Reverse(t.Rows)
	return section{Title: pick(several, "By month in "+string(cur), "By month"), Bars: b, Table: t}
}

// exports are the books as files.
func (c *console) exports(month time.Time) section {
	name := month.Format("2006-01")
	n := len(c.journal(month))
	s := section{Title: "For the accountant", Note: "CSV files; amounts in major units, times in UTC"}
	for part := range max(1, (n+journalRows-1)/journalRows) {
		file, text := "journal-"+name+".csv", "Journal of "+month.Format("January 2006")
		if n > journalRows {
			file, text = fmt.Sprintf("journal-%s-%d.csv", name, part+1), fmt.Sprintf("%s, part %d", text, part+1)
		}
		s.Links = append(s.Links, link{Text: text, Href: prefix + "/revenue/" + file, Icon: "download", File: file})
	}
	s.Links = append(s.Links, link{Text: "Revenue by month", Href: prefix + "/revenue/revenue.csv", Icon: "download", File: "revenue.csv"})
	return s
}

// journal is the bookings of a month, by the day whose books they belong to, in their order.
func (c *console) journal(month time.Time) []ledger.Tx {
	end := month.AddDate(0, 1, 0)
	var out []ledger.Tx
	for _, b := range c.Billing.Books() {
		for _, x := range b.Txs() {
			if !x.Effective.Before(month) && x.Effective.Before(end) {
				out = append(out, x)
			}
		}
	}
	slices.SortStableFunc(out, func(x, y ledger.Tx) int { return x.Effective.Compare(y.Effective) })
	return out
}

// books writes one of the files.
func (c *console) books(k *call) (any, error) {
	const op = "console.books"
	file := k.r.PathValue("file")
	cat := c.Billing.Catalog()
	var b bytes.Buffer
	if file == "revenue.csv" {
		all, err := c.months()
		if err == nil {
			err = export.Months(&b, all)
		}
		return download{file, "text/csv; charset=utf-8", b.Bytes()}, err
	}
	name, isCSV := strings.CutSuffix(file, ".csv")
	name, isJournal := strings.CutPrefix(name, "journal-")
	part := 1
	if len(name) > 8 {
		if _, err := fmt.Sscanf(name[8:], "%d", &part); err != nil || part < 1 {
			isJournal = false
		}
		name = name[:7]
	}
	month, err := time.ParseInLocation("2006-01", name, cat.Zone)
	if !isCSV || !isJournal || err != nil {
		return nil, fault.Errorf(op, fault.NotFound, "There is no such file. Take one of those on the page of revenue.")
	}
	list := c.journal(month)
	from := min(len(list), (part-1)*journalRows)
	if err := export.Bookings(&b, list[from:min(len(list), from+journalRows)]); err != nil {
		return nil, err
	}
	return download{file, "text/csv; charset=utf-8", b.Bytes()}, nil
}
