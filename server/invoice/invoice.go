// Package invoice computes and keeps invoices and credit notes. It is pure.
//
// The order of computing is fixed: line amounts, discounts, net, tax for each group of one category and rate, total,
// credits, due (EN 16931 BR-CO-10 to 16). Rounding happens per line and per tax group and nowhere else, so every sum on
// the paper adds up. An issued invoice is never edited: a credit note takes back what was wrong.
package invoice

import (
	"time"

	"github.com/govalues/decimal"

	"holdfast/server/money"
	"holdfast/server/period"
	"holdfast/server/rating"
	"holdfast/server/tax"
)

// State is where an invoice is in its life.
type State string

// The states. Draft → Open or Paid → Paid, Void, Uncollectible. A draft may be dropped; nothing else is ever deleted.
const (
	Draft         State = "draft"
	Open          State = "open"
	Paid          State = "paid"
	Void          State = "void"
	Uncollectible State = "uncollectible"
)

// Line kinds.
const (
	Recurring = "recurring" // licensed, for the span
	Usage     = "usage"     // metered, in the span
	Minimum   = "minimum"   // makes up a plan's least spend
	Late      = "late"      // usage of an earlier period that was heard after its invoice
	Prepaid   = "prepaid"   // buys credit; taxed when it is spent
	Manual    = "manual"
	Adjusts   = "adjustment" // takes back a line of the same draft
)

// Line is one row of an invoice. Amounts are minor units of the invoice's currency.
type Line struct {
	ID           string        `json:"id"`
	Kind         string        `json:"kind"`
	Name         string        `json:"name"`
	Subscription string        `json:"subscription,omitempty"`
	Plan         string        `json:"plan,omitempty"`
	Version      int           `json:"version,omitempty"`
	Price        string        `json:"price,omitempty"`
	Quantity     string        `json:"quantity,omitempty"`
	Span         period.Span   `json:"span"`
	Share        string        `json:"share,omitempty"` // of the full period, such as 20/31
	Parts        []rating.Part `json:"parts,omitempty"`
	Amount       int64         `json:"amount"` // before discounts; with tax if TaxIncluded
	Discounts    []Discount    `json:"discounts,omitempty"`
	TaxCategory  string        `json:"tax_category"`
	TaxIncluded  bool          `json:"tax_included,omitempty"`
	Treatment    tax.Treatment `json:"treatment"`
	Net          int64         `json:"net"` // after discounts, without tax
	Tax          int64         `json:"tax"` // this line's share of its group's tax
}

// Discounted is the amount after discounts.
func (l Line) Discounted() int64 {
	a := l.Amount
	for _, d := range l.Discounts {
		a -= d.Amount
	}
	return a
}

// Discount is what a coupon takes off a line.
type Discount struct {
	Coupon string `json:"coupon"`
	Amount int64  `json:"amount"`
}

// Group is the tax of all lines of one category and rate.
type Group struct {
	Treatment tax.Treatment `json:"treatment"`
	Net       int64         `json:"net"`
	Tax       int64         `json:"tax"`
}

// Party is a seller or buyer as they stand on the paper on that day.
type Party struct {
	ID        string   `json:"id,omitempty"`
	Name      string   `json:"name"`
	Address   []string `json:"address,omitempty"`
	Country   string   `json:"country,omitempty"`
	VATID     string   `json:"vat_id,omitempty"`
	CompanyID string   `json:"company_id,omitempty"`
	Email     string   `json:"email,omitempty"`
	IBAN      string   `json:"iban,omitempty"`
}

// Applied is credit that pays a part of the total.
type Applied struct {
	Credit string `json:"credit"`
	Kind   string `json:"kind"`
	Amount int64  `json:"amount"`
}

// Invoice is a bill. Lines to Total never change once State is past Draft.
type Invoice struct {
	ID       string         `json:"id"`
	Number   string         `json:"number"`         // DRAFT-… until issued
	Test     bool           `json:"test,omitempty"` // of a test clock: nothing is owed
	State    State          `json:"state"`
	Reason   string         `json:"reason"` // cycle, change, threshold, credit, manual
	Seller   Party          `json:"seller"`
	Buyer    Party          `json:"buyer"`
	Currency money.Currency `json:"currency"`
	Created  time.Time      `json:"created"`
	Issued   time.Time      `json:"issued,omitzero"`
	DueBy    time.Time      `json:"due_by,omitzero"`
	Closed   time.Time      `json:"closed,omitzero"` // paid, void or uncollectible

	Lines    []Line  `json:"lines"`
	Subtotal int64   `json:"subtotal"` // sum of line amounts
	Discount int64   `json:"discount"`
	Net      int64   `json:"net"`
	Groups   []Group `json:"taxes"`
	Tax      int64   `json:"tax"`
	Total    int64   `json:"total"`

	Applied  []Applied `json:"applied,omitempty"`
	Credited int64     `json:"credited"` // by credit notes, against what was owed
	Received int64     `json:"received"` // payments, less those returned
}

// Line finds a line, or nil.
func (v *Invoice) Line(id string) *Line {
	for i := range v.Lines {
		if v.Lines[i].ID == id {
			return &v.Lines[i]
		}
	}
	return nil
}

// CreditsApplied is what credits pay of the total.
func (v *Invoice) CreditsApplied() int64 {
	var s int64
	for _, a := range v.Applied {
		s += a.Amount
	}
	return s
}

// Due is what is still owed; it never goes below zero. A void or draft invoice owes nothing.
func (v *Invoice) Due() int64 {
	if v.State == Void || v.State == Draft {
		return 0
	}
	return v.owed()
}

func (v *Invoice) owed() int64 { return max(0, v.Total-v.CreditsApplied()-v.Credited-v.Received) }

// Coupon is a discount to apply, in order.
type Coupon struct {
	ID      string
	Percent decimal.Decimal
	Amount  int64 // used if Percent is zero
	Takes   func(Line) bool
}
