package billing

import (
	"strings"
	"testing"
	"time"

	"holdfast/server/catalog"
	"holdfast/sync/fault"
)

func TestBM08_AnotherCatalogueKeepsSubscribers(t *testing.T) {
	const first = "currency: EUR\nplans: {a: {prices: [{id: x, model: flat, amount: 10}]}}\n"
	parse := func(s string) *catalog.Catalog {
		c, err := catalog.Parse(strings.NewReader(s))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	w := newTown(t, first, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	w.open("old", "ok")
	w.do("old", Subscribe{Plan: "a"})
	for name, s := range map[string]string{
		"edited-price": strings.Replace(first, "amount: 10", "amount: 11", 1),
		"plan-is-gone": strings.Replace(first, "a: {", "b: {", 1),
		"other-zone":   "timezone: Europe/Paris\n" + first,
		"other-series": first + "invoices: {prefix: X-}\n",
	} {
		if got, err := w.e.SetCatalog(parse(s)); fault.KindOf(err) != fault.Conflict {
			t.Errorf("%s: got %+v %v, want conflict", name, got, err)
		}
	}
	next := "currency: EUR\nplans: {a: {versions: [{prices: [{id: x, model: flat, amount: 10}]}, " +
		"{from: 2026-01-15, prices: [{id: x, model: flat, amount: 12}]}]}}\n"
	changes, err := w.e.SetCatalog(parse(next))
	if err != nil || len(changes) != 1 || changes[0].Kind != "new-version" {
		t.Fatalf("got %+v %v", changes, err)
	}
	w.to(w.now.AddDate(0, 0, 20))
	w.open("young", "ok")
	w.do("young", Subscribe{Plan: "a"})
	w.to(w.now.AddDate(0, 1, 0))
	if a, b := w.account("old").Invoices, w.account("young").Invoices; a[len(a)-1].Total != 1000 || b[len(b)-1].Total != 1200 {
		t.Errorf("old pays %d, young %d", a[len(a)-1].Total, b[len(b)-1].Total)
	}
}
