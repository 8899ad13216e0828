package tax

import (
	"strings"
	"testing"
	"time"

	"holdfast/server/catalog"
	"holdfast/sync/fault"
)

const base = `currency: EUR
plans: {p: {prices: [{id: a, model: flat, amount: 1}]}}
seller: {country: FR}
taxes:
  - {country: FR, percent: 20}
  - {country: FR, percent: 21, from: 2027-01-01}
  - {country: FR, category: reduced, percent: 5.5}
  - {country: IT, percent: 22}
  - {country: GB, percent: 20}
`

func parse(t *testing.T, s string) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Parse(strings.NewReader(s))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBM25_TaxByCountryAndNumber(t *testing.T) {
	c, now := parse(t, base), time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	for _, x := range []struct {
		name     string
		b        Buyer
		category string
		want     Category
		percent  string
	}{
		{"us-customer", Buyer{Country: "US"}, "standard", Export, "0"},
		{"fr-customer", Buyer{Country: "FR"}, "standard", Standard, "20"},
		{"no-country-is-home", Buyer{}, "standard", Standard, "20"},
		{"fr-reduced", Buyer{Country: "FR"}, "reduced", Standard, "5.5"},
		{"it-reduced-falls-back", Buyer{Country: "IT"}, "reduced", Standard, "22"},
		{"it-consumer", Buyer{Country: "IT"}, "standard", Standard, "22"},
		{"it-valid-number", Buyer{Country: "IT", VATID: "IT00743110157", Status: Valid}, "standard", Reverse, "0"},
		{"it-invalid-number", Buyer{Country: "IT", VATID: "IT00743110157", Status: Bad}, "standard", Standard, "22"},
		{"it-unchecked-number", Buyer{Country: "IT", VATID: "IT00743110157"}, "standard", Standard, "22"},
		{"fr-valid-number", Buyer{Country: "FR", VATID: "FR83404833048", Status: Valid}, "standard", Standard, "20"},
		{"exempt", Buyer{Country: "FR", Exempt: true}, "standard", Exempt, "0"},
		{"named-country-outside", Buyer{Country: "GB"}, "standard", Standard, "20"},
	} {
		got, err := For(c, x.b, x.category, now)
		if err != nil || got.Category != x.want || got.Percent.String() != x.percent {
			t.Errorf("%s: got %s %s %v, want %s %s", x.name, got.Category, got.Percent, err, x.want, x.percent)
		}
	}
	if got, _ := For(c, Buyer{}, "standard", now.AddDate(1, 0, 0)); got.Percent.String() != "21" {
		t.Errorf("a rate from a later day: got %s, want 21", got.Percent)
	}
	if _, err := For(c, Buyer{Country: "ES"}, "standard", now); fault.KindOf(err) != fault.Invalid {
		t.Errorf("no rate in the table: got %v, want invalid", err)
	}
}

func TestVATNumbers(t *testing.T) {
	for in, want := range map[string]string{"fr 83 404 833 048": "FR83404833048", "IT00743110157": "IT00743110157", "": "",
		"CHE-123.456.788": "CHE123456788"} {
		if got, err := CheckID(in); err != nil || got != want {
			t.Errorf("%q: got %q %v, want %q", in, got, err, want)
		}
	}
	for _, bad := range []string{"FR1", "IT123", "DEABCDEFGHI", "x"} {
		if _, err := CheckID(bad); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: got %v, want invalid", bad, err)
		}
	}
}
