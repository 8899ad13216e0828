package console

import (
	"sort"
	"time"

	"holdfast/server/billing"
	"holdfast/server/catalog"
	"holdfast/server/invoice"
)

// chased is an invoice that is being collected after it was not paid.
type chased struct {
	a *billing.Account
	v *invoice.Invoice
	c billing.Chase
}

// chases lists what is being collected, the longest first.
func chases(all []*billing.Account) (out []chased) {
	for _, a := range all {
		for _, c := range a.Chases {
			if v := a.Invoice(c.Invoice); v != nil {
				out = append(out, chased{a, v, c})
			}
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].c.First.Before(out[j].c.First) })
	return out
}

// step is where dunning stands, and what is next.
func (x chased) step(d catalog.Dunning, now time.Time) cell {
	restrict, end := x.c.First.Add(d.Restrict), x.c.First.Add(d.End)
	switch {
	case x.c.Ended:
		return cell{Text: "Ended", Small: map[string]string{"cancel": "the subscription is cancelled", "unpaid": "the workspace can be read until it is paid"}[d.Action], Chip: "gray"}
	case x.a.Restricted:
		small := ""
		if d.End > 0 {
			small = "ends on " + date(end)
		}
		return cell{Text: "Restricted to reading", Small: small, Chip: "red"}
	case d.Restrict > 0 && restrict.After(now):
		return cell{Text: "Past due", Small: "restricted on " + date(restrict), Chip: "amber"}
	}
	return cell{Text: "Past due", Chip: "amber"}
}

// why is why the last payment of the invoice failed.
func (x chased) why() cell {
	for i := len(x.a.Payments) - 1; i >= 0; i-- {
		if p := &x.a.Payments[i]; p.Invoice == x.v.ID {
			return cell{Text: outcome(p, x.a.Currency).Text, Small: reason(p)}
		}
	}
	return cell{Text: "Not paid in time", Small: "due " + date(x.v.DueBy)}
}

func (c *console) payments(k *call) (any, error) {
	cat, now, all := c.Billing.Catalog(), c.Now(), c.Billing.Accounts()
	failed := &table{Caption: "Payments that failed", Heads: []head{{Text: "Customer"}, {Text: "Invoice"}, {Text: "Owed", Num: true}, {Text: "Why"}, {Text: "Next try", Wide: true}, {Text: "Dunning"}}}
	for _, x := range chases(all) {
		if len(failed.Rows) == rowsMax {
			break
		}
		next := cell{Text: "none", Small: count(x.c.Tries, "try", "tries") + " so far"}
		if !x.c.Retry.IsZero() {
			next.Text = moment(x.c.Retry)
		}
		failed.Rows = append(failed.Rows, row{Cells: []cell{{Text: x.a.Name, Href: customerHref(x.a.ID)}, {Text: x.v.Number, Small: date(x.v.Issued)}, {Text: amount(x.v.Due(), x.a.Currency)}, x.why(), next, x.step(cat.Dunning, now)}})
	}
	open := &table{Caption: "Open invoices", Heads: []head{{Text: "Customer"}, {Text: "Invoice"}, {Text: "State"}, {Text: "Due by"}, {Text: "Owed", Num: true}}}
	type owing struct {
		a *billing.Account
		v *invoice.Invoice
	}
	var list []owing
	for _, a := range all {
		for i := range a.Invoices {
			if v := &a.Invoices[i]; v.State == invoice.Open {
				list = append(list, owing{a, v})
			}
		}
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].v.DueBy.Before(list[j].v.DueBy) })
	for _, x := range list[:min(len(list), rowsMax)] {
		open.Rows = append(open.Rows, row{Cells: []cell{{Text: x.a.Name, Href: customerHref(x.a.ID)}, {Text: x.v.Number, Small: date(x.v.Issued)}, invoiceState(x.v, now), {Text: date(x.v.DueBy)}, {Text: amount(x.v.Due(), x.a.Currency)}}})
	}
	stray := &table{Caption: "Transfers that match no invoice", Heads: []head{{Text: "Bank's reference"}, {Text: "Amount", Num: true}, {Text: "What can be done"}}}
	for _, e := range c.Billing.Stray() {
		stray.Rows = append(stray.Rows, row{Cells: []cell{{Text: e.Reference, Small: e.ID}, {Text: e.Amount.String()}, {Links: []link{{Text: "Book it", Href: matchHref(e.ID), Label: "Book the transfer " + e.ID}}}}})
	}
	d := cat.Dunning
	rules := section{Title: "Rules of dunning", Facts: []fact{{Name: "Tries after a failure", Text: number(int64(len(d.Retries))), Small: retries(d.Retries)}}}
	if d.Restrict > 0 {
		rules.Facts = append(rules.Facts, fact{Name: "Restricted to reading", Text: "after " + days(d.Restrict)})
	}
	if d.End > 0 {
		rules.Facts = append(rules.Facts, fact{Name: "Ends", Text: "after " + days(d.End), Small: d.Action})
	}
	return page{Title: "Payments", Intro: "What was not paid, and what comes next. Act on an invoice from its customer's page.", Sections: []section{
		{Title: "Failed", Table: failed, Empty: "No payment is being chased."},
		{Title: "Open invoices", Note: shownOf(len(open.Rows), len(list)), Table: open, Empty: "No invoice is open."},
		{Title: "Unmatched transfers", Table: stray, Empty: "Every transfer that arrived named its invoice."},
		rules,
	}}, nil
}

func shownOf(n, all int) string {
	if n == all {
		return ""
	}
	return "the " + number(int64(n)) + " that are due first, of " + number(int64(all))
}

func retries(list []time.Duration) (text string) {
	for i, d := range list {
		text += pick(i == 0, "", ", ") + days(d)
	}
	return text
}
