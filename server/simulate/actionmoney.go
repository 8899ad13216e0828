package simulate

import (
	"strconv"
	"time"

	"holdfast/server/billing"
	"holdfast/server/invoice"
	"holdfast/server/money"
	"holdfast/server/payment"
	"holdfast/server/period"
	"holdfast/server/yamldoc"
	"holdfast/sync/fault"
)

func prio(f map[string]yamldoc.Node) *int {
	if !f["priority"].Ok() {
		return nil
	}
	p := int(f["priority"].Int(0, 1000))
	return &p
}

func give(r *reader, n yamldoc.Node, f map[string]yamldoc.Node, _ string) maker {
	takes(f, "amount", "expires", "priority")
	amount, expires, p := r.amount(n.Need(f, "amount")), f["expires"].Time(r.zone), prio(f)
	return func(w *world, id string) (billing.Command, error) {
		m, err := minor(w, id, amount)
		return billing.Give{Amount: m, Expires: expires, Priority: p}, err
	}
}

func buy(r *reader, n yamldoc.Node, f map[string]yamldoc.Node, _ string) maker {
	takes(f, "amount", "expires", "priority")
	amount, expires, p := r.amount(n.Need(f, "amount")), f["expires"].Time(r.zone), prio(f)
	return func(w *world, id string) (billing.Command, error) {
		m, err := minor(w, id, amount)
		return billing.Buy{Amount: m, Expires: expires, Priority: p}, err
	}
}

func topUp(r *reader, n yamldoc.Node, f map[string]yamldoc.Node, _ string) maker {
	takes(f, "below", "amount", "lasts")
	below, amount, lasts := r.amount(n.Need(f, "below")), r.amount(n.Need(f, "amount")), f["lasts"].Duration()
	return func(w *world, id string) (billing.Command, error) {
		low, err := minor(w, id, below)
		if err != nil {
			return nil, err
		}
		m, err := minor(w, id, amount)
		return billing.Auto{Rule: &billing.TopUp{Below: low, Amount: m, Lasts: lasts}}, err
	}
}

// pick finds an invoice by the word last, its place (1 is the first), or its number.
func pick(w *world, customer, which string) (string, error) {
	a, err := w.engine.Account(customer)
	if err != nil {
		return "", err
	}
	var issued []invoice.Invoice
	for _, v := range a.Invoices {
		if v.State != invoice.Draft {
			issued = append(issued, v)
		}
		if v.Number == which {
			return v.ID, nil
		}
	}
	n, err := strconv.Atoi(which)
	if which == "last" || which == "" {
		n, err = len(issued), nil
	}
	if err != nil || n < 1 || n > len(issued) {
		return "", fault.Errorf("simulate", fault.NotFound, "%s has no invoice %q; say last, a place such as 1, or a number",
			customer, which)
	}
	return issued[n-1].ID, nil
}

// onInvoice makes a command about an invoice.
func onInvoice(f map[string]yamldoc.Node, c func(id string) billing.Command) maker {
	which := f["invoice"].Str()
	return func(w *world, customer string) (billing.Command, error) {
		id, err := pick(w, customer, which)
		return c(id), err
	}
}

func giveBack(r *reader, f map[string]yamldoc.Node, refund bool) maker {
	which, line, reason, amount := f["invoice"].Str(), f["line"].Str(), f["reason"].Str(), ""
	if f["amount"].Ok() {
		amount = r.amount(f["amount"])
		if f["amount"].Number().IsZero() {
			f["amount"].Fail("nothing is given back; leave amount out to give back all of it")
		}
	}
	return func(w *world, customer string) (billing.Command, error) {
		id, err := pick(w, customer, which)
		if err != nil {
			return nil, err
		}
		c := billing.CreditInvoice{Invoice: id, Line: line, Reason: reason, Refund: refund}
		if amount != "" {
			c.Gross, err = minor(w, customer, amount)
		}
		return c, err
	}
}

func credit(r *reader, _ yamldoc.Node, f map[string]yamldoc.Node, _ string) maker {
	takes(f, "invoice", "line", "amount", "reason")
	return giveBack(r, f, false)
}

func refund(r *reader, _ yamldoc.Node, f map[string]yamldoc.Node, _ string) maker {
	takes(f, "invoice", "line", "amount", "reason")
	return giveBack(r, f, true)
}

func void(_ *reader, _ yamldoc.Node, f map[string]yamldoc.Node, _ string) maker {
	takes(f, "invoice")
	return onInvoice(f, func(id string) billing.Command { return billing.Void{Invoice: id} })
}

func giveUp(_ *reader, _ yamldoc.Node, f map[string]yamldoc.Node, _ string) maker {
	takes(f, "invoice")
	return onInvoice(f, func(id string) billing.Command { return billing.GiveUp{Invoice: id} })
}

func collect(_ *reader, _ yamldoc.Node, f map[string]yamldoc.Node, _ string) maker {
	takes(f, "invoice")
	return onInvoice(f, func(id string) billing.Command { return billing.Collect{Invoice: id} })
}

func charge(r *reader, n yamldoc.Node, f map[string]yamldoc.Node, _ string) maker {
	takes(f, "name", "amount", "tax_category", "now", "starts", "until")
	c := billing.Charge{Name: n.Need(f, "name").Str(), TaxCategory: f["tax_category"].Str(), Now: f["now"].Bool(),
		Span: period.Span{Start: f["starts"].Time(r.zone), End: f["until"].Time(r.zone)}}
	amount := r.amount(n.Need(f, "amount"))
	return func(w *world, id string) (billing.Command, error) {
		c := c
		var err error
		c.Amount, err = minor(w, id, amount)
		return c, err
	}
}

// wire lets money arrive: with a reference as the bank shows it, or for a customer's invoice.
func wire(r *reader, n yamldoc.Node, _ time.Time) func(*world) error {
	f := n.Fields("customer", "invoice", "reference", "amount", "currency")
	id, which, ref, amount := f["customer"].Str(), f["invoice"].Str(), f["reference"].Str(), r.amount(n.Need(f, "amount"))
	if f["customer"].Ok() {
		r.who(n, f)
	} else if !f["reference"].Ok() {
		n.Fail("a wire needs a reference, or a customer whose invoice it names")
	}
	return func(w *world) error {
		cur := w.file.cat.Currency
		if f["currency"].Ok() {
			var err error
			if cur, err = money.ParseCurrency(f["currency"].Str()); err != nil {
				return err
			}
		}
		if id != "" {
			a, err := w.engine.Account(id)
			if err != nil {
				return err
			}
			cur = a.Currency
			if ref == "" {
				v, err := pick(w, id, which)
				if err != nil {
					return err
				}
				ref = "invoice " + a.Invoice(v).Number
			}
		}
		m, err := money.Parse(amount, cur)
		if err != nil {
			return err
		}
		e, err := w.proc.Wire(ref, m)
		if err != nil {
			return err
		}
		return w.engine.Hear(w.ctx, e)
	}
}

// lastCharge finds the customer's latest payment that fits.
func lastCharge(w *world, id string, fits func(billing.Payment) bool) (string, error) {
	a, err := w.engine.Account(id)
	if err != nil {
		return "", err
	}
	for i := len(a.Payments) - 1; i >= 0; i-- {
		if fits(a.Payments[i]) {
			return a.Payments[i].ID, nil
		}
	}
	return "", fault.Errorf("simulate", fault.Conflict, "%s has no payment for which this fits", id)
}

// later is an action of the processor on the customer's latest charge that fits.
func later(r *reader, n yamldoc.Node, key string, fits func(billing.Payment) bool,
	do func(p *payment.Test, charge string, yes bool) (payment.Event, error)) func(*world) error {
	keys := []string{"customer"}
	if key != "" {
		keys = append(keys, key)
	}
	f := n.Fields(keys...)
	id, yes := r.who(n, f), f[key].Bool() || !f[key].Ok()
	return func(w *world) error {
		c, err := lastCharge(w, id, fits)
		if err != nil {
			return err
		}
		e, err := do(w.proc, c, yes)
		if err != nil {
			return err
		}
		return w.engine.Hear(w.ctx, e)
	}
}

func authenticate(r *reader, n yamldoc.Node, _ time.Time) func(*world) error {
	return later(r, n, "ok", func(p billing.Payment) bool { return p.Status == payment.Action }, (*payment.Test).Authenticate)
}

func dispute(r *reader, n yamldoc.Node, _ time.Time) func(*world) error {
	return later(r, n, "", func(p billing.Payment) bool {
		return p.Status == payment.Succeeded && p.Dispute == "" && p.Method.Kind != payment.Wire
	},
		func(p *payment.Test, c string, _ bool) (payment.Event, error) { return p.Dispute(c) })
}

func decide(r *reader, n yamldoc.Node, _ time.Time) func(*world) error {
	return later(r, n, "won", func(p billing.Payment) bool { return p.Dispute == "opened" }, (*payment.Test).Decide)
}

var previewable = map[string]builder{"subscribe": subscribe, "change": change, "cancel": cancel, "pause": pause,
	"resume": resume, "reactivate": reactivate, "coupon": coupon,
	"charge": charge, "refund": refund, "credit": credit, "buy": buy}

// preview tries another action and shows what it would do.
func preview(r *reader, n yamldoc.Node, at time.Time) func(*world) error {
	entries := n.Entries()
	if len(entries) != 1 || previewable[entries[0].Key] == nil {
		n.Fail("a preview holds one action that can be tried: subscribe, change, cancel, pause, resume, reactivate, coupon, charge, credit, refund or buy")
		return nil
	}
	what := entries[0].Key
	id, m := build(r, entries[0].Value, previewable[what])
	line := n.Line()
	return func(w *world) error {
		c, err := m(w, id)
		if err != nil {
			return err
		}
		p, err := w.engine.Preview(id, c)
		if err != nil {
			return err
		}
		w.previews = append(w.previews, shown{at, line, id, what, p})
		return nil
	}
}

// upcoming shows the invoice of the running period as far as usage goes.
func upcoming(r *reader, n yamldoc.Node, at time.Time) func(*world) error {
	id, line := r.who(n, n.Fields("customer")), n.Line()
	return func(w *world) error {
		p, err := w.engine.Upcoming(id)
		if err != nil {
			return err
		}
		w.previews = append(w.previews, shown{at, line, id, "upcoming", p})
		return nil
	}
}

// migrate moves the subscribers of a plan's version to another, at the end of their period or now.
func migrate(r *reader, n yamldoc.Node, _ time.Time) func(*world) error {
	f := n.Fields("plan", "from", "to", "when")
	plan, from, to := n.Need(f, "plan").Str(), int(n.Need(f, "from").Int(1, 1e6)), int(n.Need(f, "to").Int(1, 1e6))
	when := f["when"].OneOf("now", "end")
	if when == "" {
		when = "end"
	}
	return func(w *world) error {
		for _, a := range w.engine.Accounts() {
			s := a.Sub()
			if !s.Live() || s.Plan != plan || s.Items[0].Version != from {
				continue
			}
			if err := w.engine.Do(w.ctx, a.ID, billing.Change{Plan: plan, Version: to, When: when}); err != nil {
				return err
			}
		}
		return nil
	}
}
