package console

import (
	"net/url"
	"slices"
	"strings"

	"holdfast/server/billing"
	"holdfast/server/catalog"
	"holdfast/sync/fault"
)

// filter is what a list of customers is narrowed to.
type filter struct {
	Text, Plan, State string
	After             string // the id of the last one that was shown
}

func filterOf(q url.Values) filter {
	text := strings.TrimSpace(q.Get("q"))
	return filter{text[:min(len(text), searchMax)], q.Get("plan"), q.Get("state"), q.Get("after")}
}

// takes tells whether an account is in the list. A text is looked for in names, ids, addresses of mail and numbers of documents.
func (f filter) takes(a *billing.Account) bool {
	if f.Plan != "" && a.Sub().Plan != f.Plan || f.State != "" && state(a) != f.State {
		return false
	}
	if f.Text == "" {
		return true
	}
	has := func(s string) bool { return strings.Contains(strings.ToLower(s), strings.ToLower(f.Text)) }
	if has(a.Name) || has(a.ID) || has(a.Email) || has(a.VATID) {
		return true
	}
	for _, v := range a.Invoices {
		if strings.EqualFold(v.Number, f.Text) {
			return true
		}
	}
	return slices.ContainsFunc(a.Notes, func(n noteOf) bool { return strings.EqualFold(n.Number, f.Text) })
}

// pageOf is one page of those that f takes, the newest first, and the id after which the next one goes on; empty: there is none.
func pageOf(all []*billing.Account, f filter, most int) (list []*billing.Account, next string, err error) {
	begun := f.After == ""
	for _, a := range slices.Backward(all) {
		switch {
		case !begun:
			begun = a.ID == f.After
		case !f.takes(a):
		case len(list) == most:
			return list, list[most-1].ID, nil
		default:
			list = append(list, a)
		}
	}
	if !begun {
		err = fault.Errorf("console.customers", fault.NotFound, "The list has changed. Open it again from its beginning.")
	}
	return list, "", err
}

func (f filter) next(after string) string {
	q := url.Values{}
	for k, v := range map[string]string{"q": f.Text, "plan": f.Plan, "state": f.State, "after": after} {
		if v != "" {
			q.Set(k, v)
		}
	}
	return prefix + "/customers?" + q.Encode()
}

func (c *console) customers(k *call) (any, error) {
	f := filterOf(k.r.URL.Query())
	cat := c.Billing.Catalog()
	list, next, err := pageOf(c.Billing.Accounts(), f, rowsMax)
	if err != nil {
		return nil, err
	}
	t := &table{Caption: "Customers", Heads: []head{{Text: "Customer"}, {Text: "Plan"}, {Text: "State"}, {Text: "Seats", Num: true, Wide: true},
		{Text: "A month", Num: true, Wide: true}, {Text: "Owed", Num: true}}}
	for _, a := range list {
		r, err := customerRow(a, cat)
		if err != nil {
			return nil, err
		}
		t.Rows = append(t.Rows, r)
	}
	if next != "" {
		t.More = &link{Text: "Older customers", Href: f.next(next)}
	}
	p := page{Title: "Customers", Intro: "Every workspace has a billing account. The newest are first.", Sections: []section{
		{Search: &search{prefix + "/customers", []field{{Name: "q", Label: "Name, id, e-mail or document number", Type: "search", Value: f.Text, Max: searchMax},
			{Name: "plan", Label: "Plan", Type: "select", Options: planOptions(cat, f.Plan)}, {Name: "state", Label: "State", Type: "select", Options: stateOptions(f.State)}}}},
		{Title: "Found", Table: t, Empty: "No customer is like that. Search for less, or take the filters off."},
	}}
	if f == (filter{}) {
		p.Sections[1].Title, p.Sections[1].Empty = "All", "Customers are here once the first workspace is made."
	}
	return p, nil
}

func planOptions(cat *catalog.Catalog, now string) []option {
	out := []option{{"", "All plans", now == ""}}
	for _, p := range cat.Plans {
		out = append(out, option{p.ID, planName(cat, p.ID), p.ID == now})
	}
	return out
}

func stateOptions(now string) []option {
	out := []option{{"", "All states", now == ""}}
	for _, s := range states {
		out = append(out, option{s, stateNames[s], s == now})
	}
	return out
}

func planName(cat *catalog.Catalog, id string) string {
	if p, err := cat.Plan(id); err == nil && p.Name != "" {
		return p.Name
	}
	return id
}

// owed is what is open on a customer's invoices.
func owed(a *billing.Account) (n int64) {
	for i := range a.Invoices {
		if a.Invoices[i].State == "open" {
			n += a.Invoices[i].Due()
		}
	}
	return n
}

func customerHref(id string) string { return prefix + "/customers/" + url.PathEscape(id) }

func customerRow(a *billing.Account, cat *catalog.Catalog) (row, error) {
	month, err := a.Recurring(cat)
	if err != nil {
		return row{}, err
	}
	s := a.Sub()
	seats, due := "", ""
	if n, ok := s.Quantities["seats"]; ok {
		seats = number(n)
	}
	if n := owed(a); n > 0 {
		due = amount(n, a.Currency)
	}
	small := a.Email
	if small == "" {
		small = a.ID
	}
	return row{Cells: []cell{{Text: a.Name, Small: small, Href: customerHref(a.ID)}, {Text: planName(cat, s.Plan)}, stateCell(state(a)), {Text: seats},
		{Text: amount(month, a.Currency)}, {Text: due}}}, nil
}
