package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"holdfast/server/billing"
	"holdfast/server/payment"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

func matchHref(transfer string) string {
	return prefix + "/payments/match?transfer=" + url.QueryEscape(transfer)
}

// match asks for which invoice a transfer is that matched none, and shows what booking it does.
func (c *console) match(k *call) (any, error) { return c.showMatch(k, k.r.URL.Query()) }

func (c *console) showMatch(k *call, in url.Values) (page, error) {
	ev, err := c.transfer(in.Get("transfer"))
	if err != nil {
		return page{}, err
	}
	number := strings.TrimSpace(in.Get("number"))
	p := page{Title: "Book an unmatched transfer", At: prefix + "/payments", Back: &link{Text: "Payments", Href: prefix + "/payments"},
		Intro: ev.Amount.String() + " arrived with the reference “" + ev.Reference + "”. Name the invoice that it pays.",
		Sections: []section{{Form: &form{Action: prefix + "/payments/match", Submit: "Show what happens", Ask: true, Hidden: []pair{{"transfer", ev.ID}},
			Fields: []field{{Name: "number", Label: "Number of the invoice", Type: "text", Value: number, Max: searchMax, Required: true}}}}}}
	if number == "" {
		return p, nil
	}
	a := c.ofInvoice(number)
	if a == nil {
		p.Notice, p.status = &notice{"danger", "There is no invoice " + number + ". Look at the customer's page for its number."}, http.StatusUnprocessableEntity
		return p, nil
	}
	try, err := c.Billing.Try(k.ctx, id.ID(a.ID), billing.Wire{Invoice: number, ID: ev.ID, Amount: ev.Amount.Minor})
	if err == nil && a.Currency != ev.Amount.Currency {
		err = fault.Errorf("console.match", fault.Invalid, "the transfer is in %s, the invoice in %s", ev.Amount.Currency, a.Currency)
	}
	if err != nil {
		p.Notice, p.status = &notice{"danger", sentence(fault.DetailOf(err))}, http.StatusUnprocessableEntity
		return p, nil
	}
	shown := outcomeOf(c.Billing.Catalog(), a, try)
	shown[0].Note = "for " + a.Name
	shown[len(shown)-1].Form = &form{Action: prefix + "/payments/match", Submit: "Book the transfer", Kind: "primary", Hidden: []pair{{"transfer", ev.ID}, {"number", number}, {"print", printOf(shown)}},
		Cancel: &link{Text: "Leave it", Href: prefix + "/payments"}}
	p.Sections = append(p.Sections, shown...)
	return p, nil
}

func (c *console) transfer(name string) (payment.Event, error) {
	list := c.Billing.Stray()
	i := slices.IndexFunc(list, func(e payment.Event) bool { return e.ID == name })
	if i < 0 {
		return payment.Event{}, fault.Errorf("console.match", fault.NotFound, "This transfer is booked by now, or was never here. Open the page of payments again.")
	}
	return list[i], nil
}

// ofInvoice finds whose invoice has a number, or nil.
func (c *console) ofInvoice(number string) *billing.Account {
	for _, a := range c.Billing.Accounts() {
		if v := a.Invoice(number); v != nil && v.Number == number {
			return a
		}
	}
	return nil
}

// doMatch books the transfer as it was shown. Once it is booked there is nothing left to book again.
func (c *console) doMatch(k *call) (any, error) {
	c.acting.Lock()
	defer c.acting.Unlock()
	p, err := c.showMatch(k, k.form)
	if err != nil {
		return nil, err
	}
	last := p.Sections[len(p.Sections)-1]
	if last.Form == nil || last.Form.Ask {
		return p, nil
	}
	if k.form.Get("print") != last.Form.Hidden[2].Value {
		p.Notice, p.status = &notice{"danger", "Something changed since this was shown. Look at it again before you go on."}, http.StatusConflict
		return p, nil
	}
	a, number := c.ofInvoice(k.form.Get("number")), k.form.Get("number")
	if err := c.Billing.Match(k.ctx, k.form.Get("transfer"), id.ID(a.ID), number); err != nil {
		return nil, err
	}
	return to(customerHref(a.ID) + "?done=transfer"), c.Operators.Audit(k.ctx, k.caller.Person.ID, "payment.match", a.ID, "transfer "+k.form.Get("transfer")+", invoice "+number)
}
