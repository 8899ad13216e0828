package operator

import (
	"strings"
	"time"

	"holdfast/server/biller"
	"holdfast/server/billing"
	"holdfast/server/billingdb"
	"holdfast/server/invoice"
	"holdfast/server/ledger"
	"holdfast/server/restapi/endpoint"
	"holdfast/server/restapi/workspace"
	"holdfast/sync/id"
)

// Customer is a workspace as operators see it.
type Customer struct {
	Workspace string         `json:"workspace"`
	Name      string         `json:"name"`
	Email     string         `json:"email,omitempty"`
	Country   string         `json:"country,omitempty"`
	VATID     string         `json:"vat_id,omitempty"`
	VATStatus string         `json:"vat_status,omitempty"`
	Exempt    bool           `json:"exempt,omitempty"`
	Plan      string         `json:"plan,omitempty"`
	Version   int            `json:"version,omitempty"`
	Status    string         `json:"status"`
	Standing  string         `json:"standing" enum:"good,past_due,restricted"`
	Recurring endpoint.Money `json:"recurring" doc:"A month's licensed prices, before discounts and tax"`
	Owed      endpoint.Money `json:"owed"`
	Invoices  int            `json:"invoices"`
	TestClock *time.Time     `json:"test_clock,omitempty" doc:"Where it stands; absent: the workspace lives on real time"`
}

func customer(b *biller.Service, a *billing.Account) (Customer, error) {
	s := a.Sub()
	recurring, err := a.Recurring(b.Catalog())
	o := Customer{Workspace: a.ID, Name: a.Name, Email: a.Email, Country: a.Country, VATID: a.VATID, VATStatus: string(a.VATStatus), Exempt: a.Exempt, Plan: s.Plan,
		Status: string(s.Status), Standing: a.Standing(), Recurring: endpoint.Of(recurring, a.Currency)}
	if s.ID == "" {
		o.Status = "none"
	} else {
		o.Version = s.Items[0].Version
	}
	var owed int64
	for _, v := range a.Invoices {
		if v.State == invoice.Draft {
			continue
		}
		o.Invoices++
		if v.State == invoice.Open {
			owed += v.Due()
		}
	}
	o.Owed = endpoint.Of(owed, a.Currency)
	if c, on := b.TestClock(id.ID(a.ID)); on {
		o.TestClock = &c.At
	}
	return o, err
}

// matches tells whether a customer is meant by what an operator typed: a part of the name, the address, the id or a document's number.
func matches(a *billing.Account, search string) bool {
	search = strings.ToLower(strings.TrimSpace(search))
	if search == "" {
		return true
	}
	for _, s := range []string{a.ID, a.Name, a.Email, a.VATID} {
		if strings.Contains(strings.ToLower(s), search) {
			return true
		}
	}
	for _, v := range a.Invoices {
		if strings.ToLower(v.Number) == search {
			return true
		}
	}
	return false
}

// Booking is one transaction of the ledger.
type Booking struct {
	Key       string       `json:"key"`
	Booked    time.Time    `json:"booked"`
	Effective time.Time    `json:"effective" doc:"The day whose books it belongs to"`
	Workspace string       `json:"workspace,omitempty" doc:"Absent: the house's own"`
	Document  string       `json:"document,omitempty"`
	Memo      string       `json:"memo"`
	Entries   []BookedSide `json:"entries" doc:"They add up to zero"`
}

// BookedSide is one side of a booking: a debit if positive, a credit if negative.
type BookedSide struct {
	Account string         `json:"account"`
	Amount  endpoint.Money `json:"amount"`
}

func booking(t ledger.Tx) Booking {
	o := Booking{Key: t.Key, Booked: t.At.UTC(), Effective: t.Effective.UTC(), Workspace: t.Customer, Document: t.Document, Memo: t.Memo, Entries: []BookedSide{}}
	for _, e := range t.Entries {
		o.Entries = append(o.Entries, BookedSide{string(e.Account), endpoint.Of(e.Amount, t.Currency)})
	}
	return o
}

// BalanceRow is the balance of one account of the ledger over all books.
type BalanceRow struct {
	Account string         `json:"account"`
	Balance endpoint.Money `json:"balance"`
}

// RevenueMonth is one month of the schedule.
type RevenueMonth struct {
	Month      string         `json:"month"`
	Recognised endpoint.Money `json:"recognised"`
	Deferred   endpoint.Money `json:"deferred" doc:"Billed and not earned at the end of the month"`
	Change     endpoint.Money `json:"deferred_change"`
	Unbilled   endpoint.Money `json:"unbilled" doc:"Earned and not billed at the end of the month"`
}

// Transfer is money that arrived at the bank.
type Transfer struct {
	ID        string         `json:"id" minLength:"1" maxLength:"128" doc:"The bank's: the same one is booked once"`
	Amount    endpoint.Money `json:"amount"`
	Reference string         `json:"reference" maxLength:"500" doc:"What the sender wrote"`
	At        *time.Time     `json:"at,omitempty" readOnly:"true"`
}

// FailedPayment is one that did not work, of an invoice that is still owed.
type FailedPayment struct {
	Workspace string            `json:"workspace"`
	Name      string            `json:"name"`
	Standing  string            `json:"standing"`
	Payment   workspace.Payment `json:"payment"`
	Due       endpoint.Money    `json:"due" doc:"On the invoice"`
	Retry     *time.Time        `json:"retry,omitempty" doc:"The next try"`
	Tries     int               `json:"tries"`
}

// RegionMeter is how the reading of one region's usage goes.
type RegionMeter struct {
	Region  string     `json:"region"`
	Current bool       `json:"current" doc:"All there is was read when last looked"`
	AsOf    *time.Time `json:"as_of,omitempty" doc:"Up to when it was read, if not current"`
	LagMS   int64      `json:"lag_ms"`
	Aside   int64      `json:"aside" doc:"Events set aside because they could not be counted"`
}

// MeterTotal is what all workspaces used in the running month.
type MeterTotal struct {
	Meter    string `json:"meter"`
	Unit     string `json:"unit"`
	Quantity int64  `json:"quantity"`
}

// Meters are the meters of the whole installation.
type Meters struct {
	Regions []RegionMeter `json:"regions"`
	Month   string        `json:"month"`
	Totals  []MeterTotal  `json:"totals"`
}

// Reconciliation is one comparison of metered, billed, booked and paid.
type Reconciliation struct {
	At          time.Time `json:"at"`
	Customers   int       `json:"customers"`
	Differences int       `json:"differences"`
}

// DayDifferences are the rows that a day's comparisons found.
type DayDifferences struct {
	Day  string               `json:"day"`
	Rows []billing.Difference `json:"rows"`
}

// Clock is a workspace's test clock.
type Clock struct {
	Workspace string    `json:"workspace"`
	Started   time.Time `json:"started" doc:"On real time"`
	At        time.Time `json:"at" doc:"Where it stands"`
}

func clock(c billingdb.TestClock) Clock { return Clock{string(c.Tenant), c.Started, c.At} }
