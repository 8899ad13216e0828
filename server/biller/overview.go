package biller

import (
	"context"
	"fmt"
	"slices"
	"time"

	"holdfast/server/billing"
	"holdfast/server/catalog"
	"holdfast/server/document"
	"holdfast/server/invoice"
	"holdfast/server/money"
	"holdfast/server/payment"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// Overview is a workspace's billing as its owner sees it. Amounts are texts with their currency; moments are Unix milliseconds.
type Overview struct {
	Plan      PlanNow       `json:"plan"`
	Standing  string        `json:"standing"` // good, past_due, restricted
	Zone      []Offset      `json:"zone" doc:"Of the days on which things happen"`
	Plans     []Offer       `json:"plans"`
	Usage     []UsageNow    `json:"usage"`
	Upcoming  *Bill         `json:"upcoming,omitempty"` // of the running month with usage so far; absent when nothing is to come
	Invoices  []InvoiceRow  `json:"invoices"`           // and credit notes, the newest first
	Methods   []MethodNow   `json:"methods"`
	Details   Details       `json:"details"`
	Credit    string        `json:"credit"` // that pays the next invoices; empty: none
	Credits   []CreditNow   `json:"credits"`
	PastDue   []PastDue     `json:"pastDue"`
	Notices   []NoticeShown `json:"notices"`
	Processor string        `json:"processor"`      // "test": no money is moved; "stripe": methods are added and payments confirmed on its pages
	GoTo      string        `json:"goTo,omitempty"` // the page of the processor or the bank to which the browser has to go now
}

// PlanNow is the plan and what is to become of it.
type PlanNow struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Status  string `json:"status"`
	Seats   int64  `json:"seats"`
	FromMS  int64  `json:"fromMS"`
	UntilMS int64  `json:"untilMS"`
	Next    string `json:"next,omitempty"` // the plan that follows at UntilMS

	EndsMS        int64 `json:"endsMS,omitempty"`   // it is cancelled for then
	TrialMS       int64 `json:"trialMS,omitempty"`  // a trial runs until then
	ResumeMS      int64 `json:"resumeMS,omitempty"` // it is paused until then
	MayCancel     bool  `json:"mayCancel,omitempty"`
	MayReactivate bool  `json:"mayReactivate,omitempty"`
}

// Offer is a plan for sale.
type Offer struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Prices []string `json:"prices"`
	Grants []string `json:"grants"`
	Now    bool     `json:"now,omitempty"`
}

// UsageNow is a meter in the running period, measured as for the invoice.
type UsageNow struct {
	Meter    string  `json:"meter"`
	Name     string  `json:"name"`
	Unit     string  `json:"unit"` // the type of its events
	Used     int64   `json:"used"`
	Forecast int64   `json:"forecast"`        // at the end of the month, if it goes on like this
	Limit    int64   `json:"limit,omitempty"` // 0: none
	Soft     bool    `json:"soft,omitempty"`
	Days     []int64 `json:"days"` // used on each day so far
	DaysAll  int     `json:"daysAll"`
}

// Bill is what is or would be owed.
type Bill struct {
	Lines []BillLine `json:"lines"`
	Net   string     `json:"net"`
	Tax   string     `json:"tax"`
	Total string     `json:"total"`
	Due   string     `json:"due"`
}

// BillLine is one line of a bill.
type BillLine struct {
	Name     string `json:"name"`
	Quantity string `json:"quantity,omitempty"`
	FromMS   int64  `json:"fromMS"`
	UntilMS  int64  `json:"untilMS"`
	Amount   string `json:"amount"`
}

// InvoiceRow is one document.
type InvoiceRow struct {
	Number   string `json:"number"`
	Note     bool   `json:"note,omitempty"` // a credit note
	State    string `json:"state"`
	IssuedMS int64  `json:"issuedMS"`
	DueMS    int64  `json:"dueMS,omitempty"`
	Total    string `json:"total"`
	Due      string `json:"due,omitempty"`     // empty: nothing
	Confirm  bool   `json:"confirm,omitempty"` // the bank wants the owner to confirm a payment
}

// MethodNow is a payment method, as far as it may be shown.
type MethodNow struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// NoticeShown is something that happened.
type NoticeShown struct {
	AtMS int64  `json:"atMS"`
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// Overview shows a workspace's billing as of now.
func (s *Service) Overview(ctx context.Context, tenant id.ID) (Overview, error) {
	if _, err := s.fresh(ctx, tenant); err != nil {
		return Overview{}, err
	}
	b := s.of(tenant)
	processor := "test"
	if s.stripe != nil && !b.test {
		processor = "stripe"
		if err := s.stripe.look(ctx, string(tenant)); err != nil {
			return Overview{}, err
		}
		s.hearNow(ctx)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	a, err := b.engine.Account(string(tenant))
	if err != nil {
		return Overview{}, err
	}
	cat, now := b.engine.Catalog(), b.engine.Now()
	sub := a.Sub()
	o := Overview{Standing: a.Standing(), Zone: offsets(cat.Zone, now), Processor: processor, Methods: []MethodNow{}, Notices: []NoticeShown{}, Invoices: []InvoiceRow{},
		Plan:    PlanNow{ID: sub.Plan, Name: planName(cat, sub.Plan), Status: string(sub.Status), Seats: sub.Quantities[seats], FromMS: millis(sub.Period.Start), UntilMS: millis(sub.Period.End)},
		Details: DetailsOf(a)}
	o.Plan.ending(cat, sub)
	o.owing(cat, a)
	for _, w := range sub.Scheduled {
		if w.Change.Plan != "" {
			o.Plan.Next = planName(cat, w.Change.Plan)
		}
	}
	if o.Plans, err = offers(cat, a, now); err != nil {
		return o, err
	}
	if o.Usage, err = used(cat, a, now); err != nil {
		return o, err
	}
	switch p, err := b.engine.Upcoming(string(tenant)); {
	case err == nil && len(p.Invoices) > 0:
		b := BillOf(p.Invoices[len(p.Invoices)-1])
		o.Upcoming = &b
	case err != nil && fault.KindOf(err) != fault.Conflict:
		return o, err
	}
	o.documents(a)
	for _, m := range a.Methods {
		o.Methods = append(o.Methods, MethodNow{m.Kind, Shown(m)})
	}
	if a.Collect == "send" {
		o.Methods = append(o.Methods, MethodNow{payment.Wire, "Bank transfer by invoice"})
	}
	var credit int64
	for _, g := range a.Credits {
		if g.Active {
			credit += g.Left
		}
	}
	if credit > 0 {
		o.Credit = text(credit, a.Currency)
	}
	for _, n := range slices.Backward(a.Notices) {
		if n.Mail && len(o.Notices) < noticesShown {
			o.Notices = append(o.Notices, NoticeShown{n.At.UnixMilli(), n.Kind, n.Text})
		}
	}
	return o, nil
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func text(n int64, c money.Currency) string { return document.Amount(n, c) + " " + string(c) }

func planName(c *catalog.Catalog, plan string) string {
	if p, err := c.Plan(plan); err == nil && p.Name != "" {
		return p.Name
	}
	return plan
}

// Shown is a method without what could be misused: the end of a number.
func Shown(m payment.Method) string {
	if m.Label != "" {
		return m.Label
	}
	t := m.Token
	if len(t) > 8 && t[0] >= '0' && t[0] <= '9' || len(t) > 20 {
		t = "•••• " + t[len(t)-4:]
	}
	return t
}

func (o *Overview) documents(a *billing.Account) {
	for _, v := range a.Invoices {
		if v.State == invoice.Draft {
			continue
		}
		row := InvoiceRow{Number: v.Number, State: string(v.State), IssuedMS: v.Issued.UnixMilli(), DueMS: millis(v.DueBy), Total: text(v.Total, v.Currency)}
		if v.Due() > 0 {
			row.Due = text(v.Due(), v.Currency)
		}
		for _, p := range a.Payments {
			row.Confirm = row.Confirm || p.Invoice == v.ID && p.Status == payment.Action && v.State == invoice.Open
		}
		o.Invoices = append(o.Invoices, row)
	}
	for _, n := range a.Notes {
		o.Invoices = append(o.Invoices, InvoiceRow{Number: n.Number, Note: true, State: "credit note", IssuedMS: n.Issued.UnixMilli(), Total: text(-n.Total, n.Currency)})
	}
	slices.SortStableFunc(o.Invoices, func(x, y InvoiceRow) int { return int(y.IssuedMS/1000 - x.IssuedMS/1000) })
}

// BillOf is an invoice for people.
func BillOf(v invoice.Invoice) Bill {
	b := Bill{Lines: []BillLine{}, Net: text(v.Net, v.Currency), Tax: text(v.Tax, v.Currency), Total: text(v.Total, v.Currency), Due: text(v.Due(), v.Currency)}
	for _, l := range v.Lines {
		b.Lines = append(b.Lines, BillLine{l.Name, document.Grouped(l.Quantity), millis(l.Span.Start), millis(l.Span.End), text(l.Amount, v.Currency)})
	}
	return b
}

func offers(cat *catalog.Catalog, a *billing.Account, now time.Time) ([]Offer, error) {
	out := []Offer{}
	for i := range cat.Plans {
		p := &cat.Plans[i]
		v, err := p.At(now)
		if err != nil || !v.Sells(a.Currency) {
			continue // not for sale yet, or not in the customer's currency
		}
		o := Offer{ID: p.ID, Name: planName(cat, p.ID), Now: p.ID == a.Sub().Plan && a.Sub().Live(), Prices: []string{}, Grants: []string{}}
		for _, x := range v.Prices {
			o.Prices = append(o.Prices, priceText(x, a.Currency, string(v.Interval.Unit)))
		}
		for _, g := range v.Grants {
			f := cat.Feature(g.Feature)
			switch {
			case g.Unlimited:
				o.Grants = append(o.Grants, f.Name+": as many as you need")
			case f.Type == "boolean":
				o.Grants = append(o.Grants, f.Name)
			case g.Soft:
				o.Grants = append(o.Grants, fmt.Sprintf("%s: %s, more is possible", f.Name, document.Grouped(g.Limit.String())))
			default:
				o.Grants = append(o.Grants, fmt.Sprintf("%s: up to %s", f.Name, document.Grouped(g.Limit.String())))
			}
		}
		out = append(out, o)
	}
	return out, nil
}

func priceText(p catalog.Price, c money.Currency, unit string) string {
	amount, ok := p.Amount[c]
	each := ""
	if ok {
		each = amount.String() + " " + string(c)
	}
	switch {
	case p.Model == catalog.Flat && ok:
		return fmt.Sprintf("%s a %s", each, unit)
	case p.Model == catalog.PerUnit && ok && amount.IsZero():
		return p.Name + ": free"
	case p.Model == catalog.PerUnit && ok && p.Quantity == seats:
		return fmt.Sprintf("%s for each seat and %s", each, unit)
	case p.Model == catalog.PerUnit && ok:
		return fmt.Sprintf("%s: %s each", p.Name, each)
	case p.Model == catalog.Package && ok:
		return fmt.Sprintf("%s: %s for each started package", p.Name, each)
	}
	return p.Name + ": by tiers"
}

// Change is what a change of plan would do, for people.
type Change struct {
	Plan   string   `json:"plan"`
	WhenMS int64    `json:"whenMS"` // 0: now
	Due    string   `json:"due"`    // now
	Bills  []Bill   `json:"bills"`
	Back   string   `json:"back,omitempty"` // credited
	Needs  []string `json:"needs"`          // what has to be done first
}

// PreviewChange is Preview for people.
func (s *Service) PreviewChange(ctx context.Context, tenant id.ID, plan string) (Change, error) {
	p, err := s.Preview(ctx, tenant, plan)
	if err != nil {
		return Change{}, err
	}
	a, err := s.of(tenant).engine.Account(string(tenant))
	if err != nil {
		return Change{}, err
	}
	c := Change{Plan: plan, Due: text(p.DueNow.Minor, p.DueNow.Currency), Bills: []Bill{}, Needs: []string{}}
	for _, v := range p.Invoices {
		c.Bills = append(c.Bills, BillOf(v))
	}
	if p.Sub.Plan != plan {
		c.WhenMS = millis(p.Sub.Period.End)
	}
	var back int64
	for _, n := range p.Notes {
		back += n.Total
	}
	if back > 0 {
		c.Back = text(back, a.Currency)
	}
	if p.DueNow.Minor > 0 && len(a.Methods) == 0 && a.Collect == "" {
		c.Needs = append(c.Needs, "Add a payment method first.")
	}
	return c, nil
}
