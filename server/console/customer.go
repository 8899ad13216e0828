package console

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"holdfast/server/biller"
	"holdfast/server/billing"
	"holdfast/server/billingdb"
	"holdfast/server/document"
	"holdfast/server/entitlement"
	"holdfast/server/invoice"
	"holdfast/server/ledger"
	"holdfast/server/money"
	"holdfast/server/operator"
	"holdfast/server/payment"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// view is one customer as the page shows them.
type view struct {
	a     *billing.Account
	now   time.Time
	plan  string
	most  int // rows of each list
	owner biller.Overview
	may   []entitlement.Entitlement
	audit []operator.Entry

	letters []billingdb.Delivery
}

func (c *console) customer(k *call) (any, error) {
	tenant := id.ID(k.r.PathValue("tenant"))
	a, err := c.Billing.Account(k.ctx, tenant)
	if err != nil {
		return nil, noCustomer(err)
	}
	v := view{a: a, now: c.Now(), plan: planName(c.Billing.Catalog(), a.Sub().Plan), most: recentMax}
	if k.r.URL.Query().Get("all") != "" {
		v.most = everyMax
	}
	if v.owner, err = c.Billing.Overview(k.ctx, tenant); err != nil {
		return nil, err
	}
	if v.may, err = c.Billing.Entitlements(tenant); err != nil {
		return nil, err
	}
	if v.audit, err = c.Operators.Entries(k.ctx, string(tenant), 0, recentMax); err != nil {
		return nil, err
	}
	if v.letters, err = c.Mails.Mails(k.ctx, string(tenant), 0, v.most); err != nil {
		return nil, err
	}
	month, err := a.Recurring(c.Billing.Catalog())
	if err != nil {
		return nil, err
	}
	p := page{Title: a.Name, Intro: strings.Join(who(a), " · "), Back: &link{Text: "Customers", Href: prefix + "/customers"}}
	if text := done[k.r.URL.Query().Get("done")]; text != "" {
		p.Notice = &notice{"good", text}
	}
	p.Sections = []section{v.subscription(month), v.usage(), v.upcoming(), v.invoices(), v.notes(), v.payments(), v.credits(), v.ledger(), v.events(), v.notices(), v.mails(), auditSection(v.audit, false)}
	return p, nil
}

// noCustomer says what an operator can do about an id that is not known.
func noCustomer(err error) error {
	if fault.KindOf(err) != fault.NotFound {
		return err
	}
	return &fault.Error{Op: "console.customer", Kind: fault.NotFound, Detail: "There is no such customer. Look for them in the list of customers.", Err: err}
}

// who is what is known of a customer.
func who(a *billing.Account) []string {
	out := []string{a.ID}
	for _, s := range []string{strings.Join(a.Address, ", "), a.Country, a.VATID, a.Email} {
		if s != "" {
			out = append(out, s)
		}
	}
	if a.VATID != "" && a.VATStatus != "" {
		out = append(out, "VAT number "+string(a.VATStatus))
	}
	return out
}

func (v view) subscription(month int64) section {
	s := v.a.Sub()
	facts := []fact{{Name: "Plan", Text: v.plan}, {Name: "State", Text: stateNames[state(v.a)], Small: pick(s.Since.IsZero() || s.Status == billing.Active, "", "since "+date(s.Since)), Kind: map[string]string{"red": "danger", "amber": "warn"}[stateColors[state(v.a)]]}}
	if len(s.Items) > 0 {
		facts[0].Small = fmt.Sprintf("version %d", s.Items[0].Version)
	}
	for _, w := range s.Scheduled {
		if w.Change.Plan != "" {
			facts[0].Small = "changes to " + w.Change.Plan + " on " + date(pick(w.AtEnd, s.Period.End, w.At))
		}
	}
	switch {
	case s.Status == billing.Trialing:
		facts = append(facts, fact{Name: "Trial ends", Text: brief(s.TrialEnd)})
	case !s.Period.End.IsZero() && s.Live():
		facts = append(facts, fact{Name: "Period ends", Text: brief(s.Period.End.Add(-time.Millisecond)), Small: pick(s.Ends.IsZero(), "", "cancelled: ends on "+date(s.Ends))})
	}
	if !s.ResumeAt.IsZero() {
		facts = append(facts, fact{Name: "Resumes", Text: brief(s.ResumeAt)})
	}
	var names []string
	for k := range s.Quantities {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		facts = append(facts, fact{Name: words(k), Text: number(s.Quantities[k])})
	}
	for _, i := range s.Items[min(1, len(s.Items)):] {
		facts = append(facts, fact{Name: "Add-on", Text: i.Key, Small: fmt.Sprintf("version %d", i.Version)})
	}
	facts = append(facts, fact{Name: "A month", Text: amount(month, v.a.Currency), Small: "list prices, before discounts and tax"},
		fact{Name: "Owed", Text: amount(owed(v.a), v.a.Currency), Kind: pick(len(v.a.Chases) > 0, "warn", "")})
	for _, k := range s.Coupons {
		facts = append(facts, fact{Name: "Coupon", Text: k.ID})
	}
	var links []link
	for _, x := range actions {
		if !x.Invoice && x.offered(v.a) {
			links = append(links, link{Text: x.Link, Href: customerHref(v.a.ID) + "/do/" + x.Name, Kind: x.Kind})
		}
	}
	return section{Title: "Subscription", Facts: facts, Links: links}
}

func (v view) usage() section {
	t := &table{Caption: "What the workspace may use and has used", Heads: []head{{Text: "What"}, {Text: "Used", Num: true}, {Text: "Allowed", Num: true}, {Text: "Counted until", Wide: true}}}
	limited := map[string]bool{}
	for _, e := range v.may {
		r := []cell{{Text: e.Name}, {Text: ""}, {Text: "no"}, {}}
		if e.Type == "metered" {
			r[1].Text = digits(e.Used)
			if !e.Window.End.IsZero() && e.Window.End.Year() < 9000 {
				r[3].Text = date(e.Window.End.Add(-time.Millisecond))
			}
			limited[e.Name] = true
		}
		switch {
		case e.Unlimited:
			r[2].Text = "unlimited"
		case e.On && e.Type == "boolean":
			r[2].Text = "yes"
		case e.On:
			r[2].Text = digits(e.Limit) + pick(e.Soft, ", more is charged", "")
		}
		if o := e.Override; o != nil {
			r[2].Small = "not as in the plan" + pick(o.Until.IsZero(), "", ", until "+date(o.Until.Add(-time.Millisecond))) + ": " + o.Reason
		}
		t.Rows = append(t.Rows, row{Cells: r})
	}
	for _, u := range v.owner.Usage {
		if u.Limit == 0 {
			t.Rows = append(t.Rows, row{Cells: []cell{{Text: u.Name, Small: "this month, about " + number(u.Forecast) + " by its end"}, {Text: number(u.Used)}, {}, {}}})
		}
	}
	return section{Title: "Usage", Table: t, Empty: "The plan grants nothing and nothing is metered."}
}

func digits(x money.Exact) string { return document.Grouped(x.Text(2)) }

func (v view) upcoming() section {
	s := section{Title: "Next invoice", Empty: "Nothing is to be paid for the running period so far."}
	if u := v.owner.Upcoming; u != nil {
		s.Note = "On " + date(v.a.Sub().Period.End) + ", with what is used so far"
		s.Table = billTable(*u)
	}
	return s
}

func billTable(b biller.Bill) *table {
	t := &table{Caption: "Lines", Heads: []head{{Text: "What"}, {Text: "Quantity", Num: true}, {Text: "Amount", Num: true}}}
	for _, l := range b.Lines {
		small := ""
		if l.FromMS != 0 {
			small = date(time.UnixMilli(l.FromMS)) + " to " + date(time.UnixMilli(l.UntilMS-1))
		}
		t.Rows = append(t.Rows, row{Cells: []cell{{Text: l.Name, Small: small}, {Text: l.Quantity}, {Text: l.Amount}}})
	}
	t.Rows = append(t.Rows, row{Cells: []cell{{Text: "Tax"}, {}, {Text: b.Tax}}}, row{Sum: true, Cells: []cell{{Text: "Total"}, {}, {Text: b.Total}}})
	return t
}

// papers are the ways to get a document.
func papers(customer, number string) []link {
	var out []link
	for _, as := range [][2]string{{"html", "View"}, {"pdf", "PDF"}, {"xml", "E-invoice"}} {
		l := link{Text: as[1], Href: customerHref(customer) + "/documents/" + url.PathEscape(number) + "?as=" + as[0], Label: as[1] + " of " + number}
		if as[0] != "html" {
			l.File = number + "." + as[0]
		}
		out = append(out, l)
	}
	return out
}

func (v view) invoices() section {
	t := &table{Caption: "Invoices", Heads: []head{{Text: "Number"}, {Text: "State"}, {Text: "Due by", Wide: true}, {Text: "Total", Num: true}, {Text: "Owed", Num: true, Wide: true}, {Text: "Documents and what can be done"}}}
	for i := len(v.a.Invoices) - 1; i >= 0 && len(t.Rows) < v.most; i-- {
		x := &v.a.Invoices[i]
		r := row{Cells: []cell{{Text: x.Number, Small: date(x.Issued)}, invoiceState(x, v.now), {Text: date(x.DueBy)}, {Text: amount(x.Total, x.Currency)}, {Text: pick(x.Due() > 0, amount(x.Due(), x.Currency), "")}, {}}}
		if x.State == invoice.Draft {
			r.Cells[0] = cell{Text: "Draft", Small: "issued by itself once late usage is in"}
		} else {
			r.Cells[5].Links = append(papers(v.a.ID, x.Number), v.invoiceActions(x)...)
		}
		t.Rows = append(t.Rows, r)
	}
	return v.list("invoices", "Invoices", t, len(v.a.Invoices), "Invoices are here once something was charged.")
}

func (v view) invoiceActions(x *invoice.Invoice) (out []link) {
	for _, k := range actions {
		if k.Invoice && k.forInvoice(v.a, x) {
			out = append(out, link{Text: k.Link, Href: customerHref(v.a.ID) + "/do/" + k.Name + "?invoice=" + url.QueryEscape(x.Number), Label: k.Link + ": " + x.Number, Kind: "act"})
		}
	}
	return out
}

// list ends a table that shows the newest rows only with the way to all of them.
func (v view) list(anchor, title string, t *table, all int, empty string) section {
	s := section{ID: anchor, Title: title, Table: t, Empty: empty}
	if all > len(t.Rows) {
		s.Note = fmt.Sprintf("the last %d of %s", len(t.Rows), number(int64(all)))
		if v.most < everyMax {
			t.More = &link{Text: "Show more", Href: customerHref(v.a.ID) + "?all=1#" + anchor}
		}
	}
	return s
}

func (v view) notes() section {
	t := &table{Caption: "Credit notes", Heads: []head{{Text: "Number"}, {Text: "On invoice"}, {Text: "Reason", Wide: true}, {Text: "Total", Num: true}, {Text: "Went to"}, {Text: "Documents"}}}
	for i := len(v.a.Notes) - 1; i >= 0 && len(t.Rows) < v.most; i-- {
		n := &v.a.Notes[i]
		var went []string
		for _, w := range []struct {
			n    int64
			text string
		}{{n.ToInvoice, "the invoice"}, {n.ToBalance, "credit"}, {n.ToRefund, "paid back"}} {
			if w.n != 0 {
				went = append(went, w.text+" "+amount(w.n, n.Currency))
			}
		}
		t.Rows = append(t.Rows, row{Cells: []cell{{Text: n.Number, Small: date(n.Issued)}, {Text: n.Of}, {Text: n.Reason}, {Text: amount(n.Total, n.Currency)}, {Text: strings.Join(went, ", ")}, {Links: papers(v.a.ID, n.Number)}}})
	}
	return v.list("notes", "Credit notes", t, len(v.a.Notes), "Credit notes are here once something was given back.")
}

func (v view) payments() section {
	t := &table{Caption: "Tries to collect, and money that arrived", Heads: []head{{Text: "When"}, {Text: "Invoice"}, {Text: "How", Wide: true}, {Text: "Amount", Num: true}, {Text: "Outcome"}}}
	for i := len(v.a.Payments) - 1; i >= 0 && len(t.Rows) < v.most; i-- {
		p := &v.a.Payments[i]
		t.Rows = append(t.Rows, row{Cells: []cell{{Text: moment(p.At)}, {Text: v.numberOf(p.Invoice)}, {Text: words(p.Method.Kind)}, {Text: amount(p.Amount, v.a.Currency)}, outcome(p, v.a.Currency)}})
	}
	s := v.list("payments", "Payments", t, len(v.a.Payments), "Payments are here once something was charged.")
	for _, c := range v.a.Chases {
		next := "no further try"
		if !c.Retry.IsZero() {
			next = "tried again on " + moment(c.Retry)
		}
		s.Facts = append(s.Facts, fact{Name: "Chasing " + v.numberOf(c.Invoice), Text: count(c.Tries, "try", "tries"), Small: next, Kind: "warn"})
	}
	how := "none"
	if len(v.owner.Methods) > 0 {
		how = words(v.owner.Methods[0].Kind)
		s.Facts = append([]fact{{Name: "Pays by", Text: how, Small: v.owner.Methods[0].Text}}, s.Facts...)
	} else {
		s.Facts = append([]fact{{Name: "Pays by", Text: how, Small: "no payment method yet"}}, s.Facts...)
	}
	return s
}

func (v view) numberOf(invoice string) string {
	if x := v.a.Invoice(invoice); x != nil {
		return x.Number
	}
	return invoice
}

// outcome is what became of a payment.
func outcome(p *billing.Payment, c money.Currency) cell {
	out := cell{Text: words(string(p.Status)), Chip: map[payment.Status]string{payment.Succeeded: "green", payment.Failed: "red", payment.Action: "amber", payment.Processing: "blue"}[p.Status], Small: reason(p)}
	switch {
	case p.Status == payment.Action:
		out.Text = "Waits for the customer's bank"
	case p.Refunded > 0:
		out.Small = amount(p.Refunded, c) + " paid back"
	case p.Dispute != "":
		out.Small = "dispute " + p.Dispute
	}
	return out
}

// reason is why a payment failed.
func reason(p *billing.Payment) string {
	if p.Code == "" {
		return ""
	}
	return strings.ReplaceAll(p.Code, "_", " ") + pick(p.Hard, ", for good", "")
}

func (v view) credits() section {
	t := &table{Caption: "Credit", Heads: []head{{Text: "From"}, {Text: "Given", Num: true}, {Text: "Left", Num: true}, {Text: "Expires", Wide: true}}}
	for _, g := range slices.Backward(v.a.Credits) {
		from := map[string]string{billing.FromNotes: "Credit note or overpayment", billing.Bought: "Bought ahead", billing.Promotional: "Given"}[g.Kind]
		t.Rows = append(t.Rows, row{Cells: []cell{{Text: from, Small: date(g.Created) + pick(g.Active, "", ", not paid yet")}, {Text: amount(g.Amount, v.a.Currency)}, {Text: amount(g.Left, v.a.Currency)}, {Text: pick(g.Expires.IsZero(), "never", date(g.Expires))}}})
	}
	return section{Title: "Credit", Table: t, Empty: "Credit that pays the next invoices is here once there is some."}
}

func (v view) ledger() section {
	t := &table{Caption: "Ledger balances", Heads: []head{{Text: "Account"}, {Text: "Debit", Num: true}, {Text: "Credit", Num: true}}}
	for _, r := range ledger.Trial(&v.a.Book) {
		for _, e := range r.Accounts {
			cells := []cell{{Text: words(string(e.Account))}, {}, {}}
			cells[pick(e.Amount > 0, 1, 2)].Text = amount(max(e.Amount, -e.Amount), r.Currency)
			t.Rows = append(t.Rows, row{Cells: cells})
		}
	}
	return section{Title: "Ledger", Table: t, Empty: "Balances are here once something was booked."}
}

func (v view) events() section {
	t := &table{Caption: "History of the subscription", Heads: []head{{Text: "When"}, {Text: "What"}}}
	all := 0
	for _, e := range slices.Backward(v.a.Events) {
		text := eventText(e.Event)
		if text == "" {
			continue
		}
		if all++; len(t.Rows) < v.most {
			t.Rows = append(t.Rows, row{Cells: []cell{{Text: moment(e.At)}, {Text: text}}})
		}
	}
	return v.list("history", "History", t, all, "What happens to the subscription is here.")
}

// eventText tells an event of a subscription; empty: it is bookkeeping within another one.
func eventText(e billing.Event) string {
	switch e.Kind {
	case billing.EvDebit, billing.EvCut, billing.EvSegment, billing.EvClosed, billing.EvInterim, billing.EvCouponUsed, billing.EvMinimum, billing.EvUnscheduled:
		return ""
	case billing.EvCreated:
		return "Created on plan " + e.Plan
	case billing.EvTrial:
		return "Trial until " + date(e.When)
	case billing.EvPeriod:
		return "Period " + date(e.Period.Start) + " to " + date(e.Period.End.Add(-time.Millisecond))
	case billing.EvPlan:
		return fmt.Sprintf("Plan changed to %s, version %d", e.Plan, e.Item.Version)
	case billing.EvQuantity:
		var list []string
		for k, n := range e.Quantities {
			list = append(list, fmt.Sprintf("%s %s", number(n), k))
		}
		slices.Sort(list)
		return "Quantity changed: " + strings.Join(list, ", ")
	case billing.EvAddonAdded, billing.EvAddonRemoved:
		return words(string(e.Kind)) + ": " + e.Item.Key
	case billing.EvScheduled:
		return "Change planned" + pick(e.Change.Plan != "", " to "+e.Change.Plan, "") + pick(e.AtEnd, " at the end of the period", " on "+date(e.When))
	case billing.EvEnds:
		return "Cancelled for " + date(e.When)
	case billing.EvPaused:
		return "Paused" + pick(e.When.IsZero(), "", " until "+date(e.When))
	}
	text := words(string(e.Kind))
	if e.Text != "" {
		text += ": " + e.Text
	}
	return text
}

func (v view) notices() section {
	t := &table{Caption: "What happened", Heads: []head{{Text: "When"}, {Text: "What"}, {Text: "Mail", Wide: true}}}
	for i := len(v.a.Notices) - 1; i >= 0 && len(t.Rows) < v.most; i-- {
		n := v.a.Notices[i]
		t.Rows = append(t.Rows, row{Cells: []cell{{Text: moment(n.At)}, {Text: n.Text, Small: n.Kind}, {Text: pick(n.Mail, "yes", "")}}})
	}
	return v.list("notices", "Notices", t, len(v.a.Notices), "What happens to the account is here.")
}

func (c *console) document(k *call) (any, error) {
	number, as := k.r.PathValue("number"), k.r.URL.Query().Get("as")
	body, contentType, err := c.Billing.Document(id.ID(k.r.PathValue("tenant")), number, as)
	if err != nil {
		return nil, err
	}
	return download{number + "." + pick(as == "", "html", as), contentType, body}, nil
}
