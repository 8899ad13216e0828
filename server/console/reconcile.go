package console

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast/server/operator"
	"holdfast/sync/id"
)

func (c *console) reconciliation(k *call) (any, error) {
	runs, err := c.Billing.Reconciliations(k.ctx)
	if err != nil {
		return nil, err
	}
	t := &table{Caption: "The last comparisons", Heads: []head{{Text: "When"}, {Text: "Customers", Num: true}, {Text: "Rows that differ", Num: true}, {Text: "Outcome"}}}
	since := c.Now()
	for _, r := range runs[:min(len(runs), recentMax)] {
		out := cell{Text: "All agrees", Chip: "green"}
		if r.Differences > 0 {
			out = cell{Text: "Drift", Chip: "red"}
		}
		t.Rows = append(t.Rows, row{Cells: []cell{{Text: moment(r.At), Small: ago(c.Now(), r.At)}, {Text: number(int64(r.Customers))}, {Text: number(int64(r.Differences))}, out}})
		since = r.At
	}
	found, err := c.Billing.Differences(k.ctx, since.UTC().Format(time.DateOnly))
	if err != nil {
		return nil, err
	}
	rows := &table{Caption: "Rows that differed", Heads: []head{{Text: "Day"}, {Text: "Customer"}, {Text: "What should be equal"}, {Text: "Is", Num: true}, {Text: "Should be", Num: true}}}
	names := map[string]string{}
	for _, a := range c.Billing.Accounts() {
		names[a.ID] = a.Name
	}
	for _, day := range slices.Backward(sorted(found)) {
		for _, d := range found[day] {
			if len(rows.Rows) == rowsMax {
				break
			}
			who := cell{Text: "The house"}
			if d.Customer != "" {
				who = cell{Text: pick(names[d.Customer] == "", d.Customer, names[d.Customer]), Href: customerHref(d.Customer)}
			}
			rows.Rows = append(rows.Rows, row{Cells: []cell{{Text: day}, who, {Text: sentence(d.What)}, {Text: d.Got}, {Text: d.Want}}})
		}
	}
	p := page{Title: "Reconciliation", Intro: "Every night, what was metered is compared with what was billed and carried, and the ledger with invoices, payments, credits and revenue. A row that differs raises an alarm.",
		Sections: []section{
			{Title: "Runs", Table: t, Empty: "The first comparison is made within a minute of the start.", Form: &form{Action: prefix + "/reconciliation", Submit: "Compare now"}},
			{Title: "Differences", Table: rows, Empty: "No row differed in these runs."},
		}}
	if n := k.r.URL.Query().Get("found"); n != "" {
		p.Notice = &notice{pick(n == "0", "good", "danger"), pick(n == "0", "Everything agrees.", "Rows differ. They are listed below.")}
	}
	return p, nil
}

func (c *console) reconcile(k *call) (any, error) {
	list, err := c.Billing.Reconcile(k.ctx)
	if err != nil {
		return nil, err
	}
	n := strconv.Itoa(len(list))
	return to(prefix + "/reconciliation?found=" + n), c.Operators.Audit(k.ctx, k.caller.Person.ID, "reconciliation.run", "", n+" rows differ")
}

func (c *console) audit(k *call) (any, error) {
	before, _ := strconv.ParseInt(k.r.URL.Query().Get("before"), 10, 64) // not a number: from the newest
	list, err := c.Operators.Entries(k.ctx, "", before, rowsMax+1)
	if err != nil {
		return nil, err
	}
	more := len(list) > rowsMax
	s := auditSection(list[:min(len(list), rowsMax)], true)
	s.Title = "What operators did"
	if more {
		s.Table.More = &link{Text: "Older entries", Href: prefix + "/audit?before=" + strconv.FormatInt(list[rowsMax-1].N, 10)}
	}
	for i := range s.Table.Rows {
		if subject := id.ID(list[i].Subject); subject.Valid() {
			if a, err := c.Billing.Known(subject); err == nil {
				s.Table.Rows[i].Cells[3] = cell{Text: a.Name, Small: a.ID, Href: customerHref(a.ID)}
			}
		}
	}
	return page{Title: "Audit", Intro: "Everything that operators did, by whom and when. Entries are never changed or removed.", Sections: []section{s}}, nil
}

// auditSection shows entries, with what they are about unless that is the page's own customer.
func auditSection(list []operator.Entry, subject bool) section {
	t := &table{Caption: "What operators did", Heads: []head{{Text: "When"}, {Text: "Who"}, {Text: "What"}}}
	if subject {
		t.Heads = append(t.Heads, head{Text: "To whom"})
	}
	for _, e := range list {
		who := cell{Text: pick(e.Name == "", string(e.Person), e.Name)}
		if e.Person == "" {
			who.Text = "The command line"
		}
		r := []cell{{Text: moment(time.UnixMilli(e.AtMS))}, who, {Text: words(strings.ReplaceAll(e.Action, ".", ": ")), Small: e.Detail}}
		if subject {
			r = append(r, cell{Text: e.Subject})
		}
		t.Rows = append(t.Rows, row{Cells: r})
	}
	return section{ID: "audit", Title: "By operators", Table: t, Empty: "What operators do is here, with their names."}
}
