// Package catalog is what is for sale: plans in versions, prices, add-ons, coupons, entitlements, meters, tax rates,
// and the rules of billing and dunning. It is read from one YAML file (example.yaml shows everything) and never changes
// after.
//
// A published version of a plan or add-on is immutable: subscribers stay on theirs until they are migrated. Compare
// shows what a new file would change, for whom, and refuses an edit of a published version.
package catalog

import (
	"time"

	"github.com/govalues/decimal"

	"holdfast/server/money"
	"holdfast/server/period"
	"holdfast/sync/fault"
)

// Catalog is everything for sale by one seller. Lists keep the order of the file.
type Catalog struct {
	Seller   Seller
	Zone     *time.Location // billing days and months are counted in it
	Currency money.Currency // what a bare price is in
	Meters   []Meter
	Features []Feature
	Plans    []Plan
	Addons   []Plan // sold beside a plan, in its currency
	Coupons  []Coupon
	Taxes    []Tax
	Invoices InvoiceRules
	Dunning  Dunning
}

// Seller is who stands on the invoice.
type Seller struct {
	Name, Country, VATID, Email, IBAN, CompanyID string
	Address                                      []string
	EU                                           bool
}

// Meter turns events into a quantity (package meter does it).
type Meter struct {
	ID        string
	Name      string
	Event     string // CloudEvents type
	Aggregate string // sum, count, unique, min, max, average, latest, weighted
	Value     string // the property that is aggregated; "value" if empty
	GroupBy   []string
	Filter    map[string][]string
	From      time.Time // events before it are not counted
}

// Feature is something a plan may grant.
type Feature struct {
	ID, Name string
	Type     string // boolean, number, metered
	Meter    string // of a metered one
}

// Plan is a thing for sale, in versions with rising numbers and dates.
type Plan struct {
	ID, Name string
	Versions []Version
}

// Version is a plan's terms from a date on.
type Version struct {
	Plan       string
	Number     int
	Name       string
	From       time.Time
	Currencies []money.Currency
	Interval   period.Interval
	Align      string // anniversary, calendar
	Proration  period.Policy
	TrialDays  int
	Prices     []Price
	Minimum    Rates // least spend for a full period, made up by a line of its own
	Thresholds Rates2
	Grants     []Grant
	Next       *Next
	Line       int
	text       string // canonical, for Compare
}

// Next moves a subscriber to another plan after a number of periods: the phases of a plan.
type Next struct {
	Plan  string
	After int
}

// Rates is a decimal number of major units in each currency.
type Rates map[money.Currency]decimal.Decimal

// Rates2 is a rising list of amounts in each currency.
type Rates2 map[money.Currency][]decimal.Decimal

// Model is how a quantity becomes an amount.
type Model string

// The models.
const (
	Flat       Model = "flat"       // Amount, whatever the quantity
	PerUnit    Model = "per_unit"   // Amount × quantity
	Package    Model = "package"    // Amount × started packages of Size
	Graduated  Model = "graduated"  // each unit at the price of the tier it falls into
	Volume     Model = "volume"     // all units at the price of the tier of the last one
	Percentage Model = "percentage" // Percent of a metered amount, plus Amount for each event
)

// Price is one line of a plan.
type Price struct {
	ID, Name    string
	Model       Model
	Quantity    string // name of the licensed quantity, such as seats; "" with no meter: 1
	Meter       string
	Filter      map[string][]string
	Advance     bool // billed at the start of the period; metered prices never are
	Included    decimal.Decimal
	Amount      Rates
	Size        decimal.Decimal
	Percent     decimal.Decimal
	Tiers       []Tier
	Min, Max    Rates
	TaxCategory string
	TaxIncluded bool
}

// Metered tells whether usage decides the quantity.
func (p Price) Metered() bool { return p.Meter != "" }

// Tier prices the units above the tier before it, up to and including UpTo; the last tier has no UpTo.
type Tier struct {
	UpTo   *decimal.Decimal
	Amount Rates // for each unit
	Flat   Rates // once, when the tier is reached
}

// Grant is what a version gives of a feature.
type Grant struct {
	Feature   string
	On        bool
	Limit     decimal.Decimal
	Unlimited bool
	Soft      bool   // over the limit is allowed, and reported
	Period    string // when a metered one starts again: billing, day, week, month, year, never
	Alerts    []int  // percent of the limit
	PerUnit   string // the limit is for each unit of this licensed quantity
}

// Coupon takes something off.
type Coupon struct {
	ID, Name string
	Percent  decimal.Decimal // or
	Amount   Rates
	Lasts    string // once, forever, periods
	Periods  int
	Plans    []string // empty: any
	Prices   []string // empty: any
	Until    time.Time
	MaxUses  int
}

// Tax is a rate for a country ("*" for any other) and a category, from a date on.
type Tax struct {
	Country, Category, Name string
	Percent                 decimal.Decimal
	From                    time.Time
}

// InvoiceRules says how invoices are numbered and when they are due.
type InvoiceRules struct {
	Prefix, CreditPrefix string
	Test                 bool // documents say that they are tests; not from files
	Digits               int
	PerCustomer          bool
	DueDays              int
	Grace                time.Duration // how long a draft waits for late usage
	Late                 string        // carry: late usage is billed with the next invoice; drop: it is reported only
}

// Dunning says what happens when a payment fails.
type Dunning struct {
	Retries  []time.Duration // after the first failure, each counted from it
	Restrict time.Duration   // from the first failure until the workspace may only be read
	End      time.Duration   // from the first failure until End action; 0: never
	Action   string          // cancel, unpaid, none
	Minimum  Rates           // less than this is not chased
}

func find[T any](list []T, ok func(*T) bool) *T {
	for i := range list {
		if ok(&list[i]) {
			return &list[i]
		}
	}
	return nil
}

// Plan finds a plan by its id.
func (c *Catalog) Plan(id string) (*Plan, error) {
	if p := find(c.Plans, func(p *Plan) bool { return p.ID == id }); p != nil {
		return p, nil
	}
	return nil, fault.Errorf("catalog.Plan", fault.NotFound, "there is no plan %q", id)
}

// Addon finds an add-on by its id.
func (c *Catalog) Addon(id string) (*Plan, error) {
	if p := find(c.Addons, func(p *Plan) bool { return p.ID == id }); p != nil {
		return p, nil
	}
	return nil, fault.Errorf("catalog.Addon", fault.NotFound, "there is no add-on %q", id)
}

// Meter finds a meter by its id.
func (c *Catalog) Meter(id string) (*Meter, error) {
	if m := find(c.Meters, func(m *Meter) bool { return m.ID == id }); m != nil {
		return m, nil
	}
	return nil, fault.Errorf("catalog.Meter", fault.NotFound, "there is no meter %q", id)
}

// Feature finds a feature by its id, or nil.
func (c *Catalog) Feature(id string) *Feature {
	return find(c.Features, func(f *Feature) bool { return f.ID == id })
}

// Coupon finds a coupon by its id.
func (c *Catalog) Coupon(id string) (*Coupon, error) {
	if k := find(c.Coupons, func(k *Coupon) bool { return k.ID == id }); k != nil {
		return k, nil
	}
	return nil, fault.Errorf("catalog.Coupon", fault.NotFound, "there is no coupon %q", id)
}

// At is the newest version that is for sale at t.
func (p *Plan) At(t time.Time) (*Version, error) {
	for i := len(p.Versions) - 1; i >= 0; i-- {
		if !p.Versions[i].From.After(t) {
			return &p.Versions[i], nil
		}
	}
	return nil, fault.Errorf("catalog.At", fault.NotFound, "%s is not for sale before %s", p.ID,
		p.Versions[0].From.Format("2006-01-02"))
}

// Number finds a version by its number.
func (p *Plan) Number(n int) (*Version, error) {
	if v := find(p.Versions, func(v *Version) bool { return v.Number == n }); v != nil {
		return v, nil
	}
	return nil, fault.Errorf("catalog.Number", fault.NotFound, "%s has no version %d", p.ID, n)
}

// Price finds a version's price, or nil.
func (v *Version) Price(id string) *Price {
	return find(v.Prices, func(p *Price) bool { return p.ID == id })
}

// Sells tells whether the version is priced in c.
func (v *Version) Sells(c money.Currency) bool {
	return find(v.Currencies, func(k *money.Currency) bool { return *k == c }) != nil
}

// Quantities lists the licensed quantities that the version's prices and grants ask for, in order, each once.
func (v *Version) Quantities() []string {
	var out []string
	seen := map[string]bool{"": true}
	for _, p := range v.Prices {
		if !seen[p.Quantity] {
			seen[p.Quantity] = true
			out = append(out, p.Quantity)
		}
	}
	return out
}
