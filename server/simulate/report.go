package simulate

import (
	"encoding/json"
	"io"
	"time"

	"holdfast/server/billing"
	"holdfast/server/invoice"
	"holdfast/server/ledger"
	"holdfast/server/money"
	"holdfast/server/rating"
	"holdfast/server/revenue"
)

// Report is everything that came of a simulation. Amounts are decimal text in major units of the currency beside them.
type Report struct {
	From      time.Time            `json:"from"`
	To        time.Time            `json:"to"`
	Customers []CustomerRow        `json:"customers"`
	Invoices  []InvoiceRow         `json:"invoices"`
	Notes     []NoteRow            `json:"credit_notes"`
	Payments  []PaymentRow         `json:"payments"`
	Credits   []CreditRow          `json:"credits"`
	Previews  []PreviewRow         `json:"previews,omitempty"`
	Refused   []Refused            `json:"refused,omitempty"`
	Ledger    []LedgerRow          `json:"ledger"`
	Journal   []JournalRow         `json:"journal"`
	Revenue   []RevenueRow         `json:"revenue"`
	Stray     []StrayRow           `json:"unmatched_wires,omitempty"`
	Events    []EventRow           `json:"events"`
	Differ    []billing.Difference `json:"differences"`
	Agrees    bool                 `json:"reconciled"`
}

// CustomerRow is how a customer stands at the end.
type CustomerRow struct {
	ID         string           `json:"id"`
	Currency   money.Currency   `json:"currency"`
	Status     billing.Status   `json:"status,omitempty"`
	Plan       string           `json:"plan,omitempty"`
	Version    int              `json:"version,omitempty"`
	Quantities map[string]int64 `json:"quantities,omitempty"`
	Addons     []string         `json:"addons,omitempty"`
	PeriodFrom *time.Time       `json:"period_start,omitempty"`
	PeriodTo   *time.Time       `json:"period_end,omitempty"`
	EndsAt     *time.Time       `json:"ends_at,omitempty"`
	Standing   string           `json:"standing"`
	Access     string           `json:"access"`
	Owed       string           `json:"owed"`
	Credit     string           `json:"credit"`
	Grants     []GrantRow       `json:"entitlements,omitempty"`
}

// GrantRow is what a customer may use of a feature at the end.
type GrantRow struct {
	Feature string     `json:"feature"`
	On      bool       `json:"on"`
	Limit   string     `json:"limit,omitempty"` // a number, or unlimited
	Used    string     `json:"used,omitempty"`
	Soft    bool       `json:"soft,omitempty"`
	Again   *time.Time `json:"starts_again,omitempty"`
}

// LineRow is a line of an invoice.
type LineRow struct {
	Name      string    `json:"name"`
	Kind      string    `json:"kind"`
	Price     string    `json:"price,omitempty"`
	Plan      string    `json:"plan,omitempty"`
	Version   int       `json:"version,omitempty"`
	Quantity  string    `json:"quantity,omitempty"`
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	Share     string    `json:"share,omitempty"`
	Amount    string    `json:"amount"`
	Discount  string    `json:"discount,omitempty"`
	Net       string    `json:"net"`
	TaxRate   string    `json:"tax_percent"`
	Tax       string    `json:"tax"`
	Explained []PartRow `json:"parts,omitempty"`
}

// PartRow explains a piece of a line.
type PartRow struct {
	What     string `json:"what"`
	From     string `json:"from,omitempty"`
	UpTo     string `json:"up_to,omitempty"`
	Quantity string `json:"quantity,omitempty"`
	Rate     string `json:"rate,omitempty"`
	Amount   string `json:"amount"`
}

// TaxRow is the tax of one category and rate.
type TaxRow struct {
	Category string `json:"category"`
	Name     string `json:"name"`
	Country  string `json:"country,omitempty"`
	Percent  string `json:"percent"`
	Net      string `json:"net"`
	Tax      string `json:"tax"`
	Reason   string `json:"reason,omitempty"`
}

// InvoiceRow is an invoice as it stands at the end.
type InvoiceRow struct {
	Number   string         `json:"number"`
	Customer string         `json:"customer"`
	State    invoice.State  `json:"state"`
	Reason   string         `json:"reason"`
	Issued   *time.Time     `json:"issued,omitempty"`
	DueBy    *time.Time     `json:"due_by,omitempty"`
	Closed   *time.Time     `json:"closed,omitempty"`
	Currency money.Currency `json:"currency"`
	Lines    []LineRow      `json:"lines"`
	Subtotal string         `json:"subtotal"`
	Discount string         `json:"discount"`
	Net      string         `json:"net"`
	Taxes    []TaxRow       `json:"taxes"`
	Tax      string         `json:"tax"`
	Total    string         `json:"total"`
	Applied  string         `json:"credits_applied"`
	Credited string         `json:"credited"`
	Received string         `json:"paid"`
	Due      string         `json:"due"`
}

// NoteRow is a credit note.
type NoteRow struct {
	Number    string         `json:"number"`
	Customer  string         `json:"customer"`
	Invoice   string         `json:"invoice"`
	Reason    string         `json:"reason"`
	Issued    time.Time      `json:"issued"`
	Currency  money.Currency `json:"currency"`
	Lines     []NoteLineRow  `json:"lines"`
	Net       string         `json:"net"`
	Taxes     []TaxRow       `json:"taxes"`
	Tax       string         `json:"tax"`
	Total     string         `json:"total"`
	ToInvoice string         `json:"to_invoice"`
	ToBalance string         `json:"to_balance"`
	ToRefund  string         `json:"to_refund"`
}

// NoteLineRow is a line of a credit note.
type NoteLineRow struct {
	Name     string    `json:"name"`
	From     time.Time `json:"from,omitzero"`
	To       time.Time `json:"to,omitzero"`
	Amount   string    `json:"amount"`
	Discount string    `json:"discount,omitempty"`
	Net      string    `json:"net"`
	Tax      string    `json:"tax"`
}

// PaymentRow is a try to collect, or money that arrived.
type PaymentRow struct {
	At       time.Time      `json:"at"`
	Customer string         `json:"customer"`
	Invoice  string         `json:"invoice"`
	Method   string         `json:"method"`
	Currency money.Currency `json:"currency"`
	Amount   string         `json:"amount"`
	Status   string         `json:"status"`
	Code     string         `json:"code,omitempty"`
	Refunded string         `json:"refunded,omitempty"`
	Dispute  string         `json:"dispute,omitempty"`
}

// CreditRow is credit of a customer.
type CreditRow struct {
	Customer string         `json:"customer"`
	Kind     string         `json:"kind"`
	Currency money.Currency `json:"currency"`
	Amount   string         `json:"amount"`
	Left     string         `json:"left"`
	Active   bool           `json:"active"`
	Expires  *time.Time     `json:"expires,omitempty"`
	Note     string         `json:"from,omitempty"`
}

// PreviewRow is what something would do.
type PreviewRow struct {
	At       time.Time    `json:"at"`
	Line     int          `json:"line"`
	Customer string       `json:"customer"`
	What     string       `json:"what"`
	Invoices []InvoiceRow `json:"invoices"`
	Notes    []NoteRow    `json:"credit_notes"`
	DueNow   string       `json:"due_now"`
	Balance  string       `json:"balance_change"`
	Net      string       `json:"net_change"` // new invoices less credit notes, with tax
}

// LedgerRow is the trial balance of a currency.
type LedgerRow struct {
	Currency money.Currency    `json:"currency"`
	Accounts map[string]string `json:"accounts"` // debits positive
	Sum      string            `json:"sum"`
	order    []ledger.Entry
}

// JournalRow is a booking.
type JournalRow struct {
	At        time.Time      `json:"at"`
	Effective time.Time      `json:"effective"`
	Customer  string         `json:"customer,omitempty"`
	Document  string         `json:"document,omitempty"`
	Memo      string         `json:"memo"`
	Currency  money.Currency `json:"currency"`
	Entries   []EntryRow     `json:"entries"`
}

// EntryRow is one side of a booking.
type EntryRow struct {
	Account string `json:"account"`
	Debit   string `json:"debit,omitempty"`
	Credit  string `json:"credit,omitempty"`
}

// RevenueRow is one month of the schedule.
type RevenueRow struct {
	Month      string         `json:"month"`
	Currency   money.Currency `json:"currency"`
	Recognised string         `json:"recognised"`
	Deferred   string         `json:"deferred"`
	Change     string         `json:"deferred_change"`
	Unbilled   string         `json:"unbilled"`
}

// StrayRow is a wire that matches no invoice.
type StrayRow struct {
	At        time.Time      `json:"at"`
	Reference string         `json:"reference"`
	Currency  money.Currency `json:"currency"`
	Amount    string         `json:"amount"`
}

// EventRow is something that customers were told of, or webhooks.
type EventRow struct {
	At       time.Time `json:"at"`
	Customer string    `json:"customer"`
	Kind     string    `json:"kind"`
	Ref      string    `json:"ref,omitempty"`
	Text     string    `json:"text"`
	Mail     bool      `json:"mail,omitempty"`
}

// JSON prints the report as indented JSON.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (w *world) report() *Report {
	r := &Report{From: w.file.start, To: w.file.end, Invoices: []InvoiceRow{}, Notes: []NoteRow{}, Payments: []PaymentRow{},
		Credits: []CreditRow{}, Journal: []JournalRow{},
		Events: []EventRow{}, Refused: w.refused, Differ: w.engine.Reconcile()}
	if r.Agrees = len(r.Differ) == 0; r.Agrees {
		r.Differ = []billing.Difference{}
	}
	var items []revenue.Item
	for _, a := range w.engine.Accounts() {
		r.account(a)
		r.grants(w, a)
		for _, e := range a.Earnings {
			items = append(items, e.Item)
		}
	}
	for _, p := range w.previews {
		r.Previews = append(r.Previews, previewRow(p))
	}
	for _, b := range w.engine.Books() {
		for _, t := range b.Txs() {
			r.Journal = append(r.Journal, journalRow(t))
		}
	}
	sortBy(r.Invoices, func(v InvoiceRow) time.Time { return orZero(v.Issued) })
	sortBy(r.Notes, func(n NoteRow) time.Time { return n.Issued })
	sortBy(r.Payments, func(p PaymentRow) time.Time { return p.At })
	sortBy(r.Journal, func(j JournalRow) time.Time { return j.At })
	sortBy(r.Events, func(e EventRow) time.Time { return e.At })
	for _, row := range ledger.Trial(w.engine.Books()...) {
		r.Ledger = append(r.Ledger, ledgerRow(row))
	}
	for _, m := range revenue.Schedule(items, w.file.cat.Zone) {
		t := func(n int64) string { return money.Text(n, m.Currency) }
		r.Revenue = append(r.Revenue, RevenueRow{m.Month, m.Currency, t(m.Recognised), t(m.Deferred), t(m.Change), t(m.Unbilled)})
	}
	for _, e := range w.engine.Stray() {
		r.Stray = append(r.Stray, StrayRow{e.At, e.Reference, e.Amount.Currency, e.Amount.Text()})
	}
	return r
}

func (r *Report) account(a *billing.Account) {
	s := a.Sub()
	t := func(n int64) string { return money.Text(n, a.Currency) }
	var owed, credit int64
	for i := range a.Invoices {
		r.Invoices = append(r.Invoices, invoiceRow(a.ID, a.Invoices[i]))
		owed += a.Invoices[i].Due()
	}
	for _, n := range a.Notes {
		r.Notes = append(r.Notes, noteRow(a.ID, n))
	}
	for _, p := range a.Payments {
		row := PaymentRow{At: p.At, Customer: a.ID, Invoice: a.Invoice(p.Invoice).Number, Method: p.Method.Kind,
			Currency: a.Currency, Amount: t(p.Amount), Status: string(p.Status),
			Code: p.Code, Dispute: p.Dispute}
		if p.Returned {
			row.Status = "returned"
		}
		if p.Refunded > 0 {
			row.Refunded = t(p.Refunded)
		}
		r.Payments = append(r.Payments, row)
	}
	for _, g := range a.Credits {
		if g.Active {
			credit += g.Left
		}
		r.Credits = append(r.Credits, CreditRow{a.ID, g.Kind, a.Currency, t(g.Amount), t(g.Left), g.Active, moment(g.Expires), g.Note})
	}
	for _, n := range a.Notices {
		r.Events = append(r.Events, EventRow{n.At, a.ID, n.Kind, n.Ref, n.Text, n.Mail})
	}
	row := CustomerRow{ID: a.ID, Currency: a.Currency, Status: s.Status, Plan: s.Plan, Quantities: s.Quantities,
		Standing: a.Standing(), Access: a.Access(), Owed: t(owed), Credit: t(credit),
		EndsAt: moment(s.Ends)}
	for i, x := range s.Items {
		if i == 0 {
			row.Version = x.Version
		} else {
			row.Addons = append(row.Addons, x.Key)
		}
	}
	if s.Status == billing.Active {
		row.PeriodFrom, row.PeriodTo = moment(s.Period.Start), moment(s.Period.End)
	}
	if s.Status == billing.Trialing {
		row.PeriodTo = moment(s.TrialEnd)
	}
	r.Customers = append(r.Customers, row)
}

func (r *Report) grants(w *world, a *billing.Account) {
	list, err := w.engine.Entitlements(a.ID)
	if err != nil {
		return // the catalogue was checked; an account names only what it sells
	}
	row := &r.Customers[len(r.Customers)-1]
	for _, e := range list {
		g := GrantRow{Feature: e.Feature, On: e.On, Soft: e.Soft}
		if e.Type != "boolean" && e.On {
			g.Limit = e.Limit.Text(9)
			if e.Unlimited {
				g.Limit = "unlimited"
			}
		}
		if e.Type == "metered" && e.On {
			g.Used, g.Again = e.Used.Text(9), moment(e.Window.End)
		}
		row.Grants = append(row.Grants, g)
	}
}

func taxRows(groups []invoice.Group, c money.Currency) []TaxRow {
	out := []TaxRow{}
	for _, g := range groups {
		out = append(out, TaxRow{string(g.Treatment.Category), g.Treatment.Name, g.Treatment.Country,
			g.Treatment.Percent.String(), money.Text(g.Net, c), money.Text(g.Tax, c), g.Treatment.Reason})
	}
	return out
}

func partRows(parts []rating.Part, c money.Currency) []PartRow {
	var out []PartRow
	for _, p := range parts {
		out = append(out, PartRow{p.What, p.From, p.UpTo, p.Quantity, p.Rate, money.Text(p.Amount, c)})
	}
	return out
}
