// Package tax decides how a sale is taxed: by the catalogue's table, the seller's and the customer's country, and the
// customer's VAT number. It is pure; asking VIES whether a number is valid is somebody else's work, and while nobody
// answers the last known status stays.
//
// Rules for a seller in the EU (Directive 2006/112/EC, art. 44, 45, 58, 196): at home the home rate; to a business with
// a valid number elsewhere in the EU, reverse charge; to anybody else in the EU, the rate of their country; outside the
// EU, no tax unless the table names that country.
package tax

import (
	"regexp"
	"strings"
	"time"

	"github.com/govalues/decimal"

	"holdfast/server/catalog"
	"holdfast/server/money"
	"holdfast/sync/fault"
)

// Status is what is known of a VAT number.
type Status string

// The statuses.
const (
	Unchecked Status = ""
	Valid     Status = "valid"
	Bad       Status = "invalid"
)

// Buyer is what tax depends on.
type Buyer struct {
	Country string
	VATID   string
	Status  Status
	Exempt  bool
}

// Category is a VAT category code of EN 16931 (UNCL 5305).
type Category string

// The categories that are used here.
const (
	Standard Category = "S"
	Zero     Category = "Z"
	Exempt   Category = "E"
	Reverse  Category = "AE"
	Export   Category = "G"
	Outside  Category = "O"
)

// Treatment is how a line is taxed.
type Treatment struct {
	Category Category        `json:"category"`
	Name     string          `json:"name"`
	Country  string          `json:"country,omitempty"`
	Percent  decimal.Decimal `json:"percent"`
	Reason   string          `json:"reason,omitempty"` // why there is no tax; stands on the invoice
}

// Share is the rate as a number: 0.2 for 20 %.
func (t Treatment) Share() money.Exact { return money.Number(t.Percent).Div(money.Int(100)) }

var eu = func() map[string]bool {
	m := map[string]bool{}
	for _, c := range strings.Fields("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK") {
		m[c] = true
	}
	return m
}()

// EU tells whether a country is in the EU's VAT area.
func EU(country string) bool { return eu[country] }

// For decides the treatment of a category of goods sold to b at t. It fails with Invalid if the table has no rate where
// one is due.
func For(c *catalog.Catalog, b Buyer, category string, t time.Time) (Treatment, error) {
	country := b.Country
	if country == "" {
		country = c.Seller.Country
	}
	switch {
	case len(c.Taxes) == 0:
		return Treatment{Category: Outside, Name: "No tax", Reason: "The seller charges no tax"}, nil
	case b.Exempt:
		return Treatment{Category: Exempt, Name: "VAT", Country: country, Reason: "The customer is exempt from tax"}, nil
	case EU(c.Seller.Country) && EU(country) && country != c.Seller.Country && b.VATID != "" && b.Status == Valid:
		return Treatment{Category: Reverse, Name: "VAT", Country: country,
			Reason: "Reverse charge: VAT to be paid by the customer (Directive 2006/112/EC, art. 196)"}, nil
	}
	rate := lookup(c.Taxes, country, category, t)
	switch {
	case rate == nil && EU(c.Seller.Country) && !EU(country):
		return Treatment{Category: Export, Name: "VAT", Country: country, Reason: "Supplied outside the European Union"}, nil
	case rate == nil:
		rate = lookup(c.Taxes, "*", category, t)
	}
	if rate == nil {
		if EU(country) && EU(c.Seller.Country) || country == c.Seller.Country {
			return Treatment{}, fault.Errorf("tax.For", fault.Invalid,
				"the catalogue has no tax rate for %q; add one for it or for \"*\" under taxes", country)
		}
		return Treatment{Category: Outside, Name: "No tax", Country: country, Reason: "Not subject to tax"}, nil
	}
	out := Treatment{Category: Standard, Name: rate.Name, Country: country, Percent: rate.Percent}
	if rate.Percent.IsZero() {
		out.Category = Zero
	}
	return out, nil
}

// lookup finds the newest rate for a country and category, or that country's standard rate.
func lookup(table []catalog.Tax, country, category string, t time.Time) *catalog.Tax {
	var best *catalog.Tax
	for i := range table {
		x := &table[i]
		if x.Country != country || x.Category != category || x.From.After(t) {
			continue
		}
		if best == nil || x.From.After(best.From) {
			best = x
		}
	}
	if best == nil && category != "standard" {
		return lookup(table, country, "standard", t)
	}
	return best
}

// forms are the VAT numbers of the EU and Northern Ireland as VIES publishes them (structure only; Greece's prefix is
// EL).
var forms = func() map[string]*regexp.Regexp {
	m := map[string]*regexp.Regexp{}
	for c, f := range map[string]string{
		"AT": `U\d{8}`, "BE": `[01]\d{9}`, "BG": `\d{9,10}`, "CY": `\d{8}[A-Z]`, "CZ": `\d{8,10}`, "DE": `\d{9}`, "DK": `\d{8}`, "EE": `\d{9}`,
		"EL": `\d{9}`, "ES": `[A-Z0-9]\d{7}[A-Z0-9]`, "FI": `\d{8}`, "FR": `[A-HJ-NP-Z0-9]{2}\d{9}`, "HR": `\d{11}`, "HU": `\d{8}`,
		"IE": `(\d{7}[A-Z]{1,2}|\d[A-Z+*]\d{5}[A-Z])`, "IT": `\d{11}`, "LT": `(\d{9}|\d{12})`, "LU": `\d{8}`, "LV": `\d{11}`, "MT": `\d{8}`,
		"NL": `[A-Z0-9+*]{12}`, "PL": `\d{10}`, "PT": `\d{9}`, "RO": `\d{2,10}`, "SE": `\d{12}`, "SI": `\d{8}`, "SK": `\d{10}`, "XI": `(\d{9}|\d{12}|GD\d{3}|HA\d{3})`,
	} {
		m[c] = regexp.MustCompile("^" + c + f + "$")
	}
	return m
}()

// CheckID normalises a VAT number and checks its form. Numbers of other countries are taken as they are.
func CheckID(id string) (string, error) {
	n := strings.ToUpper(strings.NewReplacer(" ", "", ".", "", "-", "").Replace(id))
	if n == "" {
		return "", nil
	}
	if len(n) < 4 || len(n) > 20 {
		return "", fault.Errorf("tax.CheckID", fault.Invalid, "%q is not a VAT number", id)
	}
	if f, ok := forms[n[:2]]; ok && !f.MatchString(n) {
		return "", fault.Errorf("tax.CheckID", fault.Invalid, "%q does not have the form of a VAT number of %s", id, n[:2])
	}
	return n, nil
}
