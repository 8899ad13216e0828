// Package billing is the heart of the hub's billing: subscriptions as event-sourced state machines, what they cost,
// invoices, credits, collection of payments, dunning, the ledger's postings. It owns what is owed and why; it does not
// own meters' ingestion, prices (catalog), or how money moves (payment).
//
// One customer is one Account. A command works on a copy and replaces the account only when all of it succeeded, so
// that a refused command changes nothing; a preview is the same command on a copy that is thrown away. Time is an
// input: the hub's clock and a test clock run the same code. Accounts are not safe for concurrent use; Engine guards
// them.
package billing

import (
	"time"

	"holdfast/server/catalog"
	"holdfast/server/entitlement"
	"holdfast/server/invoice"
	"holdfast/server/ledger"
	"holdfast/server/meter"
	"holdfast/server/money"
	"holdfast/server/payment"
	"holdfast/server/revenue"
	"holdfast/server/tax"
)

// Customer is who pays. All their invoices are in one currency.
type Customer struct {
	ID        string         `json:"id"`
	Name      string         `json:"name"`
	Address   []string       `json:"address,omitempty"`
	Country   string         `json:"country,omitempty"`
	VATID     string         `json:"vat_id,omitempty"`
	VATStatus tax.Status     `json:"vat_status,omitempty"`
	Exempt    bool           `json:"exempt,omitempty"`
	Email     string         `json:"email,omitempty"`
	CompanyID string         `json:"company_id,omitempty"`
	Currency  money.Currency `json:"currency"`
}

// Grant kinds.
const (
	FromNotes   = "balance"     // from credit notes and overpayments; never expires
	Bought      = "prepaid"     // paid ahead
	Promotional = "promotional" // given away
)

// Grant is credit that pays invoices.
type Grant struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"`
	Amount   int64     `json:"amount"`
	Left     int64     `json:"left"`
	Active   bool      `json:"active"` // a bought one is active once it is paid
	Priority int       `json:"priority"`
	Created  time.Time `json:"created"`
	Expires  time.Time `json:"expires,omitzero"`
	Invoice  string    `json:"invoice,omitempty"` // that sells it
	Note     string    `json:"note,omitempty"`    // that it comes from
}

// TopUp buys credit when less than Below is left.
type TopUp struct {
	Below  int64         `json:"below"`
	Amount int64         `json:"amount"`
	Lasts  time.Duration `json:"lasts,omitempty"`
}

// Payment is one try to collect, or money that arrived.
type Payment struct {
	ID       string         `json:"id"` // the processor's
	Key      string         `json:"key"`
	Invoice  string         `json:"invoice"`
	Method   payment.Method `json:"method"`
	Amount   int64          `json:"amount"`
	Status   payment.Status `json:"status"`
	Code     string         `json:"code,omitempty"`
	Hard     bool           `json:"hard,omitempty"`
	At       time.Time      `json:"at"`
	Refunded int64          `json:"refunded,omitempty"`
	Returned bool           `json:"returned,omitempty"`
	Dispute  string         `json:"dispute,omitempty"` // opened, won, lost
}

// Chase is an invoice that is being collected after it was not paid.
type Chase struct {
	Invoice string    `json:"invoice"`
	First   time.Time `json:"first"` // failure, or the day after it was due
	Retry   time.Time `json:"retry,omitzero"`
	Tries   int       `json:"tries"`
	Ended   bool      `json:"ended,omitempty"`
}

// Wait is a draft that waits for late usage.
type Wait struct {
	Invoice string    `json:"invoice"`
	Until   time.Time `json:"until"`
}

// Earning is a revenue item, and how much of it the ledger has recognised up to when.
type Earning struct {
	revenue.Item
	Posted int64     `json:"posted"`
	To     time.Time `json:"to,omitzero"` // the day before which it is recognised
}

// Notice is something that happened which others want to know: it becomes a webhook, and some become mails.
type Notice struct {
	ID   int       `json:"id"`
	At   time.Time `json:"at"`
	Kind string    `json:"kind"`
	Ref  string    `json:"ref,omitempty"`
	Text string    `json:"text"`
	Mail bool      `json:"mail,omitempty"`
}

// Effect is something to do outside, once the account is saved. Its key makes doing it twice the same as once.
type Effect struct {
	Charge *payment.ChargeRequest
	Refund *payment.RefundRequest
}

// SubEvent is an event of one of the customer's subscriptions.
type SubEvent struct {
	Sub string `json:"sub"`
	Event
}

// Account is everything of one customer.
type Account struct {
	Customer
	Collect  string // charge (default), send
	Methods  []payment.Method
	Subs     []Sub // the last is the current one
	Events   []SubEvent
	Pending  []invoice.Line // for the next invoice
	Invoices []invoice.Invoice
	Notes    []invoice.Note
	Waits    []Wait
	Credits  []Grant
	TopUp    *TopUp
	Payments []Payment
	Chases   []Chase
	Closed   []Closed
	Earnings []Earning
	Book     ledger.Book
	Notices  []Notice
	Outbox   []Effect
	Seen     map[string]bool // ids of processor events
	Alerted  map[string]bool // alerts that were told; replaced, never changed

	Overrides []entitlement.Override // what is granted otherwise than by the plan, the newest last

	Restricted  bool      // may only read
	Recognised  time.Time // revenue is booked up to here
	LateChecked time.Time // the end after which late usage was billed
	Usage       *meter.Log
	Lines       int // counters for ids
	Docs        int
}

func copied[T any](s []T) []T { return append([]T(nil), s...) }

// clone is a copy that shares nothing that anybody changes in place.
func (a *Account) clone() *Account {
	c := *a
	c.Methods, c.Subs, c.Pending, c.Invoices = copied(a.Methods), copied(a.Subs), copied(a.Pending), copied(a.Invoices)
	c.Waits, c.Credits, c.Payments, c.Chases = copied(a.Waits), copied(a.Credits), copied(a.Payments), copied(a.Chases)
	c.Overrides = copied(a.Overrides)
	c.Closed, c.Earnings, c.Outbox = copied(a.Closed), copied(a.Earnings), copied(a.Outbox)
	c.Events, c.Notes, c.Notices = a.Events[:len(a.Events):len(a.Events)], a.Notes[:len(a.Notes):len(a.Notes)], a.Notices[:len(a.Notices):len(a.Notices)]
	c.Book = a.Book.Clone()
	c.Seen = make(map[string]bool, len(a.Seen)+1)
	for k := range a.Seen {
		c.Seen[k] = true
	}
	return &c
}

// Sub is the current subscription, or the zero Sub.
func (a *Account) Sub() Sub {
	if len(a.Subs) == 0 {
		return Sub{}
	}
	return a.Subs[len(a.Subs)-1]
}

// Invoice finds an invoice by id or number, or nil.
func (a *Account) Invoice(id string) *invoice.Invoice {
	for i := range a.Invoices {
		if a.Invoices[i].ID == id || a.Invoices[i].Number == id {
			return &a.Invoices[i]
		}
	}
	return nil
}

func (a *Account) chase(id string) *Chase {
	for i := range a.Chases {
		if a.Chases[i].Invoice == id {
			return &a.Chases[i]
		}
	}
	return nil
}

func (a *Account) payment(id string) *Payment {
	for i := range a.Payments {
		if a.Payments[i].ID == id {
			return &a.Payments[i]
		}
	}
	return nil
}

// Standing is how the customer is doing: good, past_due, restricted.
func (a *Account) Standing() string {
	switch {
	case a.Restricted:
		return "restricted"
	case len(a.Chases) > 0:
		return "past_due"
	}
	return "good"
}

// Access is what the workspace may do: full, read_only. Nothing is ever deleted for want of payment.
func (a *Account) Access() string {
	if s := a.Sub().Status; !a.Restricted && (s == Active || s == Trialing) {
		return "full"
	}
	return "read_only"
}

func (a *Account) buyer() tax.Buyer {
	return tax.Buyer{Country: a.Country, VATID: a.VATID, Status: a.VATStatus, Exempt: a.Exempt}
}

func (a *Account) party() invoice.Party {
	return invoice.Party{ID: a.ID, Name: a.Name, Address: a.Address, Country: a.Country, VATID: a.VATID, CompanyID: a.CompanyID,
		Email: a.Email}
}

func sellerParty(s catalog.Seller) invoice.Party {
	return invoice.Party{Name: s.Name, Address: s.Address, Country: s.Country, VATID: s.VATID, CompanyID: s.CompanyID,
		Email: s.Email, IBAN: s.IBAN}
}
