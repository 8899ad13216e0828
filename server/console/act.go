package console

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"holdfast/server/biller"
	"holdfast/server/billing"
	"holdfast/server/billingdb"
	"holdfast/server/catalog"
	"holdfast/server/document"
	"holdfast/server/money"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// asked is an action with what a form says about it.
type asked struct {
	action
	tenant id.ID
	a      *billing.Account
	in     url.Values
}

func (c *console) asked(k *call, in url.Values) (asked, error) {
	x := asked{tenant: id.ID(k.r.PathValue("tenant")), in: in}
	var err error
	if x.action, err = actionOf(k.r.PathValue("action")); err != nil {
		return x, err
	}
	if x.a, err = c.Billing.Account(k.ctx, x.tenant); err != nil {
		return x, noCustomer(err)
	}
	if x.Invoice && x.a.Invoice(in.Get("invoice")) == nil {
		return x, fault.Errorf("console.ask", fault.NotFound, "There is no such invoice. Open the customer's page again.")
	}
	return x, nil
}

// ask shows an action's form and, once it is filled in, what the action will do.
func (c *console) ask(k *call) (any, error) {
	x, err := c.asked(k, k.r.URL.Query())
	if err != nil {
		return nil, err
	}
	k.path = prefix + "/customers"
	return c.preview(k, x, "")
}

// preview tries what the form says. why is what went wrong before, if anything.
func (c *console) preview(k *call, x asked, why string) (page, error) {
	p := page{Title: x.Title, Intro: x.Text, At: prefix + "/customers", Back: &link{Text: x.a.Name, Href: customerHref(x.a.ID)}}
	fields := []field{}
	if x.fields != nil {
		fields = x.fields(c, x.a, x.in)
	}
	if why != "" {
		p.Notice = &notice{"danger", why}
	}
	f := &form{Action: k.r.URL.Path, Submit: "Show what happens", Ask: true, Fields: fields}
	if x.Invoice {
		f.Hidden = []pair{{"invoice", x.in.Get("invoice")}}
		p.Title += ": " + x.a.Invoice(x.in.Get("invoice")).Number
	}
	if len(fields) > 0 {
		f.Hidden = append(f.Hidden, pair{"show", "1"})
		p.Sections = append(p.Sections, section{Form: f})
		if x.in.Get("show") == "" {
			return p, nil
		}
	}
	shown, print, err := c.try(k, x)
	if err != nil {
		if fault.KindOf(err) == fault.Other || fault.DetailOf(err) == "" {
			return p, err
		}
		p.Notice, p.status = &notice{"danger", sentence(fault.DetailOf(err))}, http.StatusUnprocessableEntity
		return p, nil
	}
	var once [onceBytes]byte
	rand.Read(once[:]) // never fails (crypto/rand)
	do := &form{Action: k.r.URL.Path, Submit: x.Title, Kind: pick(x.Kind == "", "primary", x.Kind), Hidden: []pair{{"once", hex.EncodeToString(once[:])}, {"print", print}},
		Cancel: &link{Text: "Leave it", Href: customerHref(x.a.ID)}}
	for name, list := range x.in {
		if name != "once" && name != "print" && len(list) > 0 {
			do.Hidden = append(do.Hidden, pair{name, list[0]})
		}
	}
	p.Sections = append(p.Sections, shown...)
	p.Sections[len(p.Sections)-1].Form = do
	return p, nil
}

// try shows what the action would do, and a print of it, by which the same outcome is known again.
func (c *console) try(k *call, x asked) ([]section, string, error) {
	cmd, err := x.command(k.ctx, c, x.a, x.in)
	if err != nil {
		return nil, "", err
	}
	p, err := c.Billing.Try(k.ctx, x.tenant, cmd)
	if err != nil {
		return nil, "", err
	}
	list := outcomeOf(c.Billing.Catalog(), x.a, p)
	return list, printOf(list), nil
}

// printOf is by which what was shown is known again.
func printOf(list []section) string {
	h := sha256.New()
	for _, s := range list {
		for _, f := range s.Facts {
			fmt.Fprintln(h, f.Name, f.Text)
		}
		if s.Table == nil {
			continue
		}
		for _, r := range s.Table.Rows {
			for _, c := range r.Cells {
				fmt.Fprint(h, c.Text, "|")
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// outcomeOf tells what a command would do: what changes, and the documents that it makes.
func outcomeOf(cat *catalog.Catalog, a *billing.Account, p billing.Preview) []section {
	was, is := a, p.After
	changes := &table{Caption: "What changes", Heads: []head{{Text: "What"}, {Text: "Now"}, {Text: "Then"}}}
	differ := func(what, before, after string) {
		if before != after {
			changes.Rows = append(changes.Rows, row{Cells: []cell{{Text: what}, {Text: before}, {Text: after}}})
		}
	}
	differ("Plan", termsText(cat, was.Sub()), termsText(cat, is.Sub()))
	differ("Planned", plannedText(cat, was.Sub()), plannedText(cat, is.Sub()))
	differ("State", stateNames[state(was)], stateNames[state(is)])
	differ("Trial ends", date(was.Sub().TrialEnd), date(is.Sub().TrialEnd))
	differ("Subscription ends", date(was.Sub().Ends), date(is.Sub().Ends))
	differ("Resumes", date(was.Sub().ResumeAt), date(is.Sub().ResumeAt))
	differ("Owed", amount(owed(was), a.Currency), amount(owed(is), a.Currency))
	differ("Credit", amount(credit(was), a.Currency), amount(credit(is), a.Currency))
	for _, f := range cat.Features {
		differ(f.Name, overrideText(was, f.ID), overrideText(is, f.ID))
	}
	for _, v := range was.Invoices {
		if n := is.Invoice(v.ID); n != nil {
			differ("Invoice "+v.Number, words(string(v.State)), words(string(n.State)))
		}
	}
	if back := refunds(is) - refunds(was); back > 0 {
		differ("Paid back", amount(0, a.Currency), amount(back, a.Currency))
	}
	for _, e := range is.Outbox[min(len(was.Outbox), len(is.Outbox)):] {
		if e.Charge != nil {
			differ("Charged", "", e.Charge.Amount.String()+" by "+e.Charge.Method.Kind)
		}
	}
	out := []section{{Title: "What happens", Table: changes, Empty: "Nothing changes at once."}}
	for _, v := range p.Invoices {
		note := methodText(a.Methods)
		if a.Collect == "send" {
			note = "the customer is asked to send the money"
		}
		out = append(out, section{Title: "A new invoice over " + amount(v.Total, v.Currency), Note: pick(v.Due() > 0, note, "nothing is left to pay"), Table: billTable(biller.BillOf(v))})
	}
	for _, n := range p.Notes {
		t := &table{Caption: "Lines", Heads: []head{{Text: "What"}, {Text: "Net", Num: true}}}
		for _, l := range n.Lines {
			t.Rows = append(t.Rows, row{Cells: []cell{{Text: l.Name}, {Text: amount(l.Net, n.Currency)}}})
		}
		t.Rows = append(t.Rows, row{Cells: []cell{{Text: "Tax"}, {Text: amount(n.Tax, n.Currency)}}}, row{Sum: true, Cells: []cell{{Text: "Total"}, {Text: amount(n.Total, n.Currency)}}})
		out = append(out, section{Title: "A credit note over " + amount(n.Total, n.Currency), Note: "on invoice " + n.Of, Table: t})
	}
	return out
}

// overrideText is what a customer is granted of a feature otherwise than by the plan.
func overrideText(a *billing.Account, feature string) string {
	for _, o := range a.Overrides {
		if o.Feature == feature {
			return grouped(o.Value) + pick(o.Until.IsZero(), "", " until "+date(o.Until.Add(-time.Millisecond)))
		}
	}
	return "as in the plan"
}

// grouped writes a number as people read it; a word stays.
func grouped(value string) string {
	if _, err := money.ParseNumber(value); err != nil {
		return value
	}
	return document.Grouped(value)
}

func termsText(cat *catalog.Catalog, s billing.Sub) string {
	if len(s.Items) == 0 {
		return "none"
	}
	text := fmt.Sprintf("%s, version %d", planName(cat, s.Plan), s.Items[0].Version)
	for _, k := range s.Items[1:] {
		text += " + " + k.Key
	}
	return text
}

func plannedText(cat *catalog.Catalog, s billing.Sub) string {
	var out []string
	for _, w := range s.Scheduled {
		out = append(out, pick(w.Change.Plan == "", "a change", "plan "+planName(cat, w.Change.Plan))+" on "+date(pick(w.AtEnd, s.Period.End, w.At)))
	}
	return pick(len(out) == 0, "nothing", strings.Join(out, ", "))
}

func credit(a *billing.Account) (n int64) {
	for _, g := range a.Credits {
		if g.Active {
			n += g.Left
		}
	}
	return n
}

func refunds(a *billing.Account) (n int64) {
	for _, x := range a.Notes {
		n += x.ToRefund
	}
	return n
}

// act does what was shown. Sent again, it is not done again; if it would do something else by now, it is shown anew.
func (c *console) act(k *call) (any, error) {
	const op = "console.act"
	x, err := c.asked(k, k.form)
	if err != nil {
		return nil, err
	}
	k.path = prefix + "/customers"
	c.acting.Lock()
	defer c.acting.Unlock()
	replies, owner, once := c.Billing.Replies(), "console/"+string(k.caller.Person.ID), k.form.Get("once")
	if len(once) != 2*onceBytes {
		return nil, fault.Errorf(op, fault.Invalid, "This form is incomplete. Open the customer's page and begin again.")
	}
	back := to(customerHref(x.a.ID) + "?done=" + x.Name)
	if _, known, err := replies.Reply(k.ctx, owner, once, c.Now()); err != nil || known {
		return back, err
	}
	_, print, err := c.try(k, x)
	if err == nil && print != k.form.Get("print") {
		x.in.Set("show", "1")
		return c.preview(k, x, "Something changed since this was shown. Look at it again before you go on.")
	}
	var cmd billing.Command
	if err == nil {
		cmd, err = x.command(k.ctx, c, x.a, x.in)
	}
	if err == nil {
		err = c.Billing.Do(k.ctx, x.tenant, cmd)
	}
	if err != nil {
		return nil, err
	}
	if err := replies.PutReply(k.ctx, owner, once, billingdb.Reply{Print: []byte(print), Status: http.StatusSeeOther, Body: []byte(back)}, c.Now()); err != nil {
		c.Log.Error("console: an action was not remembered", "err", err, "tenant", x.tenant)
	}
	if err := c.Operators.Audit(k.ctx, k.caller.Person.ID, x.Writes, string(x.tenant), c.detail(x)); err != nil {
		return nil, err
	}
	return back, nil
}

// detail is what the audit says of an action: its fields as they were sent.
func (c *console) detail(x asked) string {
	var out []string
	add := func(label, value string) {
		if value != "" {
			out = append(out, label+" "+value)
		}
	}
	add("invoice", x.in.Get("invoice"))
	if x.fields != nil {
		for _, f := range x.fields(c, x.a, x.in) {
			add(f.Name, x.in.Get(f.Name))
		}
	}
	return strings.Join(out, ", ")
}
