// Package export writes billing as CSV for accountants: invoices, their lines, credit notes, payments, billed usage,
// the journal, and the revenue schedule. Amounts are decimal numbers in major units, times are RFC 3339 in UTC.
//
// Cells that a spreadsheet would take for a formula are disarmed with a leading apostrophe (OWASP, CSV Injection).
package export

import (
	"encoding/csv"
	"io"
	"slices"
	"strings"
	"time"

	"holdfast/server/billing"
	"holdfast/server/invoice"
	"holdfast/server/ledger"
	"holdfast/server/money"
	"holdfast/server/revenue"
	"holdfast/sync/fault"
)

// File is one table.
type File struct {
	Name  string // invoices.csv
	Write func(io.Writer) error
}

// Files lists every table for some accounts. books are their ledgers and the house's; zone is the one in which days are
// counted.
func Files(accounts []*billing.Account, books []*ledger.Book, zone *time.Location) []File {
	return []File{
		{"invoices.csv", func(w io.Writer) error { return Invoices(w, accounts) }},
		{"invoice-lines.csv", func(w io.Writer) error { return Lines(w, accounts) }},
		{"credit-notes.csv", func(w io.Writer) error { return Notes(w, accounts) }},
		{"payments.csv", func(w io.Writer) error { return Payments(w, accounts) }},
		{"usage.csv", func(w io.Writer) error { return Usage(w, accounts) }},
		{"journal.csv", func(w io.Writer) error { return Journal(w, books) }},
		{"revenue.csv", func(w io.Writer) error { return Revenue(w, accounts, zone) }},
	}
}

// table writes rows and keeps the first error.
type table struct {
	w   *csv.Writer
	err error
}

func begin(w io.Writer, head ...string) *table {
	t := &table{w: csv.NewWriter(w)}
	t.row(head...)
	return t
}

func (t *table) row(cells ...string) {
	if t.err != nil {
		return
	}
	for i, c := range cells {
		cells[i] = safe(c)
	}
	t.err = t.w.Write(cells)
}

func (t *table) end(op string) error {
	t.w.Flush()
	if t.err == nil {
		t.err = t.w.Error()
	}
	if t.err != nil {
		return fault.E(op, fault.Other, t.err)
	}
	return nil
}

// safe disarms what a spreadsheet would run. A number stays a number.
func safe(s string) string {
	if s == "" || !strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return s
	}
	if _, err := money.ParseNumber(s); err == nil {
		return s
	}
	return "'" + s
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// Invoices writes a row for each issued invoice.
func Invoices(w io.Writer, accounts []*billing.Account) error {
	t := begin(w, "number", "customer", "name", "country", "vat_id", "state", "reason", "issued", "due_by", "closed",
		"currency", "net", "tax", "total", "credits_applied", "credited", "paid", "due")
	for _, a := range accounts {
		for _, v := range a.Invoices {
			if v.State == invoice.Draft {
				continue
			}
			m := func(n int64) string { return money.Text(n, v.Currency) }
			t.row(v.Number, a.ID, v.Buyer.Name, v.Buyer.Country, v.Buyer.VATID, string(v.State), v.Reason, moment(v.Issued),
				moment(v.DueBy), moment(v.Closed), string(v.Currency), m(v.Net), m(v.Tax),
				m(v.Total), m(v.CreditsApplied()), m(v.Credited), m(v.Received), m(v.Due()))
		}
	}
	return t.end("export.Invoices")
}

// Lines writes a row for each line of an issued invoice.
func Lines(w io.Writer, accounts []*billing.Account) error {
	t := begin(w, "invoice", "customer", "line", "kind", "name", "plan", "version", "price", "quantity", "from", "to",
		"currency", "amount", "discount", "net", "tax_category", "tax_percent", "tax")
	for _, a := range accounts {
		for _, v := range a.Invoices {
			if v.State == invoice.Draft {
				continue
			}
			m := func(n int64) string { return money.Text(n, v.Currency) }
			for _, l := range v.Lines {
				version := ""
				if l.Version > 0 {
					version = money.Int(int64(l.Version)).Text(0)
				}
				t.row(v.Number, a.ID, l.ID, l.Kind, l.Name, l.Plan, version, l.Price, l.Quantity, moment(l.Span.Start),
					moment(l.Span.End), string(v.Currency), m(l.Amount), m(l.Amount-l.Discounted()),
					m(l.Net), string(l.Treatment.Category), l.Treatment.Percent.String(), m(l.Tax))
			}
		}
	}
	return t.end("export.Lines")
}

// Notes writes a row for each credit note.
func Notes(w io.Writer, accounts []*billing.Account) error {
	t := begin(w, "number", "invoice", "customer", "reason", "issued", "currency", "net", "tax", "total", "to_invoice",
		"to_balance", "to_refund")
	for _, a := range accounts {
		for _, n := range a.Notes {
			m := func(x int64) string { return money.Text(x, n.Currency) }
			t.row(n.Number, n.Of, a.ID, n.Reason, moment(n.Issued), string(n.Currency), m(n.Net), m(n.Tax), m(n.Total),
				m(n.ToInvoice), m(n.ToBalance), m(n.ToRefund))
		}
	}
	return t.end("export.Notes")
}

// Payments writes a row for each try to collect and for money that arrived.
func Payments(w io.Writer, accounts []*billing.Account) error {
	t := begin(w, "id", "customer", "invoice", "method", "at", "currency", "amount", "status", "code", "refunded", "dispute")
	for _, a := range accounts {
		for _, p := range a.Payments {
			status := string(p.Status)
			if p.Returned {
				status = "returned"
			}
			t.row(p.ID, a.ID, a.Invoice(p.Invoice).Number, p.Method.Kind, moment(p.At), string(a.Currency),
				money.Text(p.Amount, a.Currency), status, p.Code, money.Text(p.Refunded, a.Currency), p.Dispute)
		}
	}
	return t.end("export.Payments")
}

// Usage writes what was metered and billed for, segment by segment.
func Usage(w io.Writer, accounts []*billing.Account) error {
	t := begin(w, "customer", "subscription", "plan", "version", "price", "from", "to", "quantity", "currency", "billed", "invoice")
	for _, a := range accounts {
		for _, c := range a.Closed {
			number := ""
			if v := a.Invoice(c.Invoice); v != nil {
				number = v.Number
			}
			t.row(a.ID, c.Sub, c.Plan, money.Int(int64(c.Version)).Text(0), c.Price, moment(c.Span.Start), moment(c.Span.End),
				c.Units.Text(9), string(a.Currency), money.Text(c.Billed, a.Currency), number)
		}
	}
	return t.end("export.Usage")
}

// Journal writes a row for each side of each booking, in the order of booking within each book.
func Journal(w io.Writer, books []*ledger.Book) error {
	t := begin(w, slices.Clone(journalHead)...)
	for _, b := range books {
		t.bookings(b.Txs())
	}
	return t.end("export.Journal")
}

var journalHead = []string{"key", "booked", "effective", "customer", "document", "memo", "account", "currency", "debit", "credit"}

// Bookings writes the same rows for some bookings, in their order.
func Bookings(w io.Writer, list []ledger.Tx) error {
	t := begin(w, slices.Clone(journalHead)...)
	t.bookings(list)
	return t.end("export.Bookings")
}

func (t *table) bookings(list []ledger.Tx) {
	for _, x := range list {
		for _, e := range x.Entries {
			debit, credit := money.Text(e.Amount, x.Currency), ""
			if e.Amount < 0 {
				debit, credit = "", money.Text(-e.Amount, x.Currency)
			}
			t.row(x.Key, moment(x.At), moment(x.Effective), x.Customer, x.Document, x.Memo, string(e.Account),
				string(x.Currency), debit, credit)
		}
	}
}

// Revenue writes the schedule by month.
func Revenue(w io.Writer, accounts []*billing.Account, zone *time.Location) error {
	var items []revenue.Item
	for _, a := range accounts {
		for _, e := range a.Earnings {
			items = append(items, e.Item)
		}
	}
	return Months(w, revenue.Schedule(items, zone))
}

// Months writes a schedule of revenue.
func Months(w io.Writer, list []revenue.Month) error {
	t := begin(w, "month", "currency", "recognised", "deferred", "deferred_change", "unbilled")
	for _, m := range list {
		x := func(n int64) string { return money.Text(n, m.Currency) }
		t.row(m.Month, string(m.Currency), x(m.Recognised), x(m.Deferred), x(m.Change), x(m.Unbilled))
	}
	return t.end("export.Revenue")
}
