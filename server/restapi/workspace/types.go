package workspace

import (
	"time"

	"holdfast/server/billing"
	"holdfast/server/invoice"
	"holdfast/server/money"
	"holdfast/server/period"
	"holdfast/server/restapi/endpoint"
)

// Money is an amount with its currency.
type Money = endpoint.Money

// Span is from a moment until another, which is outside.
type Span struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
}

func span(s period.Span) *Span {
	if s.Start.IsZero() {
		return nil
	}
	return &Span{s.Start.UTC(), s.End.UTC()}
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// Subscription is the current one of a workspace.
type Subscription struct {
	ID         string            `json:"id"`
	Status     billing.Status    `json:"status" enum:"none,planned,trialing,active,paused,cancelled"`
	Plan       string            `json:"plan,omitempty"`
	Version    int               `json:"version,omitempty" doc:"Of the plan"`
	Addons     []Addon           `json:"addons"`
	Quantities map[string]int64  `json:"quantities"`
	Starts     *time.Time        `json:"starts,omitempty"`
	TrialEnd   *time.Time        `json:"trial_end,omitempty"`
	Anchor     *time.Time        `json:"anchor,omitempty" doc:"From which the periods are counted"`
	Period     *Span             `json:"period,omitempty" doc:"That runs, or ran last"`
	Ends       *time.Time        `json:"ends,omitempty" doc:"When a cancellation takes effect that waits for the end of the period"`
	ResumeAt   *time.Time        `json:"resume_at,omitempty"`
	Reason     string            `json:"reason,omitempty"`
	Coupons    []CouponInUse     `json:"coupons"`
	Scheduled  []ScheduledChange `json:"scheduled"`
	Standing   string            `json:"standing" enum:"good,past_due,restricted"`
	Access     string            `json:"access" enum:"full,read_only"`
}

// Addon is an add-on of a subscription.
type Addon struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
}

// CouponInUse is a coupon that was redeemed.
type CouponInUse struct {
	ID      string `json:"id"`
	Periods int    `json:"periods" doc:"In how many periods it takes something off; 0: in all"`
	Used    int    `json:"used" doc:"In how many it did"`
}

// ScheduledChange is a change that waits.
type ScheduledChange struct {
	At         *time.Time       `json:"at,omitempty" doc:"Absent: at the end of the period"`
	Plan       string           `json:"plan,omitempty"`
	Version    int              `json:"version,omitempty"`
	Quantities map[string]int64 `json:"quantities,omitempty"`
	Add        string           `json:"add,omitempty"`
	Remove     string           `json:"remove,omitempty"`
}

func subscription(a *billing.Account) Subscription { return subOf(a, a.Sub()) }

func subOf(a *billing.Account, s billing.Sub) Subscription {
	o := Subscription{ID: s.ID, Status: s.Status, Plan: s.Plan, Addons: []Addon{}, Quantities: s.Quantities, Starts: moment(s.Starts), TrialEnd: moment(s.TrialEnd),
		Anchor: moment(s.Anchor), Period: span(s.Period), Ends: moment(s.Ends), ResumeAt: moment(s.ResumeAt), Reason: s.Reason,
		Coupons: []CouponInUse{}, Scheduled: []ScheduledChange{}, Standing: a.Standing(), Access: a.Access()}
	if s.ID == "" {
		o.Status = "none"
	}
	if o.Quantities == nil {
		o.Quantities = map[string]int64{}
	}
	for n, i := range s.Items {
		if n == 0 {
			o.Version = i.Version
			continue
		}
		o.Addons = append(o.Addons, Addon{i.Key, i.Version})
	}
	for _, c := range s.Coupons {
		o.Coupons = append(o.Coupons, CouponInUse{c.ID, c.Cycles, len(c.Uses)})
	}
	for _, w := range s.Scheduled {
		o.Scheduled = append(o.Scheduled, ScheduledChange{moment(w.At), w.Change.Plan, w.Change.Version, w.Change.Quantities, w.Change.Add, w.Change.Remove})
	}
	return o
}

// Invoice is a bill.
type Invoice struct {
	Number    string        `json:"number"`
	State     invoice.State `json:"state" enum:"draft,open,paid,void,uncollectible"`
	Test      bool          `json:"test,omitempty" doc:"Of a test clock: nothing is owed"`
	Reason    string        `json:"reason"`
	Issued    *time.Time    `json:"issued,omitempty"`
	DueBy     *time.Time    `json:"due_by,omitempty"`
	Closed    *time.Time    `json:"closed,omitempty" doc:"When it was paid, made void or given up"`
	Lines     []InvoiceLine `json:"lines"`
	Subtotal  Money         `json:"subtotal"`
	Discount  Money         `json:"discount"`
	Net       Money         `json:"net"`
	Taxes     []TaxRow      `json:"taxes"`
	Tax       Money         `json:"tax"`
	Total     Money         `json:"total"`
	Credits   Money         `json:"credits" doc:"What credit paid of it"`
	Credited  Money         `json:"credited" doc:"What credit notes took off"`
	Paid      Money         `json:"paid"`
	Due       Money         `json:"due"`
	Confirm   bool          `json:"confirm,omitempty" doc:"A payment waits for the customer to confirm it"`
	ConfirmAt string        `json:"confirm_at,omitempty" doc:"The processor's page on which the customer confirms"`
	BuyerName string        `json:"buyer_name"`
}

// InvoiceLine is one row of an invoice.
type InvoiceLine struct {
	ID         string `json:"id"`
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	Price      string `json:"price,omitempty"`
	Quantity   string `json:"quantity,omitempty"`
	Span       *Span  `json:"span,omitempty"`
	Share      string `json:"share,omitempty" doc:"Of the full period, such as 20/31"`
	Amount     Money  `json:"amount" doc:"Before discounts"`
	Net        Money  `json:"net"`
	TaxPercent string `json:"tax_percent"`
	Tax        Money  `json:"tax"`
}

// TaxRow is the tax of one rate.
type TaxRow struct {
	Category string `json:"category"`
	Percent  string `json:"percent"`
	Reason   string `json:"reason,omitempty" doc:"Why there is none"`
	Net      Money  `json:"net"`
	Tax      Money  `json:"tax"`
}

func taxes(list []invoice.Group, c money.Currency) []TaxRow {
	out := []TaxRow{}
	for _, g := range list {
		out = append(out, TaxRow{string(g.Treatment.Category), g.Treatment.Percent.String(), g.Treatment.Reason, endpoint.Of(g.Net, c), endpoint.Of(g.Tax, c)})
	}
	return out
}

func oneInvoice(v invoice.Invoice) Invoice {
	m := func(n int64) Money { return endpoint.Of(n, v.Currency) }
	o := Invoice{Number: v.Number, State: v.State, Test: v.Test, Reason: v.Reason, Issued: moment(v.Issued), DueBy: moment(v.DueBy), Closed: moment(v.Closed), Lines: []InvoiceLine{},
		Subtotal: m(v.Subtotal), Discount: m(v.Discount), Net: m(v.Net), Taxes: taxes(v.Groups, v.Currency), Tax: m(v.Tax), Total: m(v.Total),
		Credits: m(v.CreditsApplied()), Credited: m(v.Credited), Paid: m(v.Received), Due: m(v.Due()), BuyerName: v.Buyer.Name}
	for _, l := range v.Lines {
		o.Lines = append(o.Lines, InvoiceLine{l.ID, l.Kind, l.Name, l.Price, l.Quantity, span(l.Span), l.Share, m(l.Amount), m(l.Net), l.Treatment.Percent.String(), m(l.Tax)})
	}
	return o
}

// CreditNote takes a part of an invoice back.
type CreditNote struct {
	Number    string       `json:"number"`
	Invoice   string       `json:"invoice"`
	Test      bool         `json:"test,omitempty"`
	Reason    string       `json:"reason"`
	Issued    time.Time    `json:"issued"`
	Lines     []CreditLine `json:"lines"`
	Net       Money        `json:"net"`
	Taxes     []TaxRow     `json:"taxes"`
	Tax       Money        `json:"tax"`
	Total     Money        `json:"total"`
	ToInvoice Money        `json:"to_invoice" doc:"Lowers what is owed on the invoice"`
	ToBalance Money        `json:"to_balance" doc:"Kept for the next invoices"`
	ToRefund  Money        `json:"to_refund" doc:"Paid back"`
}

// CreditLine is one row of a credit note.
type CreditLine struct {
	Line   string `json:"line" doc:"Of the invoice"`
	Name   string `json:"name"`
	Span   *Span  `json:"span,omitempty"`
	Amount Money  `json:"amount"`
	Net    Money  `json:"net"`
	Tax    Money  `json:"tax"`
}

func oneNote(n invoice.Note) CreditNote {
	m := func(x int64) Money { return endpoint.Of(x, n.Currency) }
	o := CreditNote{Number: n.Number, Invoice: n.Of, Test: n.Test, Reason: n.Reason, Issued: n.Issued.UTC(), Lines: []CreditLine{}, Net: m(n.Net), Taxes: taxes(n.Groups, n.Currency),
		Tax: m(n.Tax), Total: m(n.Total), ToInvoice: m(n.ToInvoice), ToBalance: m(n.ToBalance), ToRefund: m(n.ToRefund)}
	for _, l := range n.Lines {
		o.Lines = append(o.Lines, CreditLine{l.Line, l.Name, span(l.Span), m(l.Amount), m(l.Net), m(l.Tax)})
	}
	return o
}

// Outcome is what a change did, or would do as its preview: the documents that it makes and the subscription after it.
type Outcome struct {
	Subscription Subscription  `json:"subscription"`
	Invoices     []Invoice     `json:"invoices"`
	CreditNotes  []CreditNote  `json:"credit_notes"`
	Pending      []InvoiceLine `json:"pending" doc:"Lines that wait for the next invoice"`
	DueNow       Money         `json:"due_now"`
	Balance      Money         `json:"balance" doc:"Change of the credit that pays invoices"`
}

func outcome(p billing.Preview) Outcome {
	c := p.After.Currency
	o := Outcome{Subscription: subOf(p.After, p.Sub), Invoices: []Invoice{}, CreditNotes: []CreditNote{}, Pending: []InvoiceLine{},
		DueNow: endpoint.Of(p.DueNow.Minor, c), Balance: endpoint.Of(p.Balance.Minor, c)}
	for _, v := range p.Invoices {
		o.Invoices = append(o.Invoices, oneInvoice(v))
	}
	for _, n := range p.Notes {
		o.CreditNotes = append(o.CreditNotes, oneNote(n))
	}
	o.Pending = append(o.Pending, oneInvoice(invoice.Invoice{Currency: c, Lines: p.Pending}).Lines...)
	return o
}
