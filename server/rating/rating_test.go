package rating

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"holdfast/server/catalog"
	"holdfast/server/meter"
	"holdfast/server/money"
	"holdfast/sync/fault"
)

func price(t interface{ Fatal(...any) }, yaml string) *catalog.Price {
	c, err := catalog.Parse(strings.NewReader("currency: EUR\nmeters: {m: {aggregate: sum}}\nplans: {p: {currencies: [EUR, JPY, KWD], prices: [" + yaml + "]}}"))
	if err != nil {
		t.Fatal(err)
	}
	return &c.Plans[0].Versions[0].Prices[0]
}

func all(s string) string { return fmt.Sprintf("{EUR: %s, JPY: %s, KWD: %s}", s, s, s) }

func units(s string) meter.Quantity {
	d, err := money.ParseNumber(s)
	if err != nil {
		panic(err)
	}
	return meter.Quantity{Units: money.Number(d), Events: 3}
}

func TestBM09_PriceModels(t *testing.T) {
	tiers := "tiers: [{up_to: 5, amount: " + all("7") + "}, {up_to: 10, amount: " + all("6.5") + "}, {amount: " + all("6") + "}]"
	flats := func(m string) string {
		return "{id: a, meter: m, model: " + m + ", tiers: [{up_to: 5, amount: " + all("10") + ", flat: " + all("100") + "}, {amount: " + all("5") + ", flat: " + all("50") + "}]}"
	}
	steps := "{id: a, meter: m, model: graduated, tiers: [{up_to: 5, flat: " + all("100") + "}, {up_to: 10, flat: " + all("50") + "}, {up_to: 15, amount: " + all("5") + "}, {amount: " + all("1") + "}]}"
	volume5 := "{id: a, meter: m, model: volume, tiers: [{up_to: 10, amount: " + all("5") + ", flat: " + all("100") + "}, {amount: " + all("2") + ", flat: " + all("50") + "}]}"
	for _, c := range []struct{ name, yaml, units, want string }{
		{"volume-1", "{id: a, meter: m, model: volume, " + tiers + "}", "1", "7.00"},
		{"volume-5", "{id: a, meter: m, model: volume, " + tiers + "}", "5", "35.00"},
		{"volume-6", "{id: a, meter: m, model: volume, " + tiers + "}", "6", "39.00"},
		{"volume-20", "{id: a, meter: m, model: volume, " + tiers + "}", "20", "120.00"},
		{"graduated-1", "{id: a, meter: m, model: graduated, " + tiers + "}", "1", "7.00"},
		{"graduated-6", "{id: a, meter: m, model: graduated, " + tiers + "}", "6", "41.50"},
		{"graduated-20", "{id: a, meter: m, model: graduated, " + tiers + "}", "20", "127.50"},
		{"graduated-nothing", flats("graduated"), "0", "0.00"},
		{"graduated-with-flat", flats("graduated"), "3", "130.00"},
		{"graduated-second-flat", flats("graduated"), "6", "205.00"},
		{"volume-with-flat", volume5, "5", "125.00"},
		{"volume-above", volume5, "11", "72.00"},
		{"steps-22", steps, "22", "182.00"},
		{"package-3", "{id: a, meter: m, model: package, size: 10, amount: " + all("100") + "}", "3", "100.00"},
		{"package-10", "{id: a, meter: m, model: package, size: 10, amount: " + all("100") + "}", "10", "100.00"},
		{"package-15", "{id: a, meter: m, model: package, size: 10, amount: " + all("100") + "}", "15", "200.00"},
		{"package-none", "{id: a, meter: m, model: package, size: 10, amount: " + all("100") + "}", "0", "0.00"},
		{"package-included", "{id: a, meter: m, model: package, size: 10, included: 5, amount: " + all("100") + "}", "15", "100.00"},
		{"per-unit-fine", "{id: a, meter: m, model: per_unit, amount: " + all("0.000015") + "}", "1000001", "15.00"},
		{"per-unit-included", "{id: a, meter: m, model: per_unit, included: 3, amount: " + all("8") + "}", "2", "0.00"},
		{"flat", "{id: a, model: flat, amount: {EUR: 29.99, JPY: 4000, KWD: 9}}", "1", "29.99"},
		{"percentage", "{id: a, meter: m, model: percentage, percent: 2.9, amount: " + all("0.30") + "}", "100", "3.80"},
		{"half-a-cent-goes-up", "{id: a, meter: m, model: per_unit, amount: " + all("0.005") + "}", "1", "0.01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Price(price(t, c.yaml), "EUR", units(c.units), money.Int(1))
			if err != nil || money.Text(got.Amount, "EUR") != c.want {
				t.Errorf("got %s %v, want %s", money.Text(got.Amount, "EUR"), err, c.want)
			}
		})
	}
}

func TestBM10_MinimumAndMaximum(t *testing.T) {
	p := price(t, "{id: a, meter: m, model: per_unit, amount: "+all("20")+", min: "+all("150")+", max: "+all("400")+"}")
	for n, want := range map[string]int64{"5": 15000, "0": 15000, "7.5": 15000, "10": 20000, "20": 40000, "21": 40000} {
		got, err := Price(p, "EUR", units(n), money.Int(1))
		if err != nil || got.Amount != want {
			t.Errorf("%s units: got %d %v, want %d", n, got.Amount, err, want)
		}
	}
	got, _ := Price(p, "EUR", units("5"), money.Int(1))
	if len(got.Parts) != 2 || got.Parts[0].Amount != 10000 || got.Parts[1].What != "minimum" || got.Parts[1].Amount != 5000 {
		t.Errorf("the minimum is not a part of its own: %+v", got.Parts)
	}
	if got, _ = Price(p, "EUR", units("0"), money.Frac(1, 2)); got.Amount != 7500 {
		t.Errorf("half a period: got a minimum of %d, want 7500", got.Amount)
	}
}

func TestBM36_Currencies(t *testing.T) {
	p := price(t, "{id: a, meter: m, model: per_unit, amount: {EUR: 0.333, JPY: 33.3, KWD: 0.3333}}")
	for c, want := range map[money.Currency]string{"EUR": "2.33", "JPY": "233", "KWD": "2.333"} {
		got, err := Price(p, c, units("7"), money.Int(1))
		if err != nil || money.Text(got.Amount, c) != want {
			t.Errorf("%s: got %s %v, want %s", c, money.Text(got.Amount, c), err, want)
		}
	}
}

func TestNegativeQuantityIsRefused(t *testing.T) {
	p := price(t, "{id: a, meter: m, model: per_unit, amount: "+all("1")+"}")
	if _, err := Price(p, "EUR", meter.Quantity{Units: money.Int(-1)}, money.Int(1)); fault.KindOf(err) != fault.Invalid {
		t.Errorf("got %v, want invalid", err)
	}
	if _, err := Price(p, "EUR", units("9999999999999999"), money.Int(1)); fault.KindOf(err) != fault.TooLarge {
		t.Errorf("got %v, want too-large", err)
	}
}

func TestLawPartsSumToTheLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := func(n string) string { return all(fmt.Sprintf("0.%03d", rapid.IntRange(0, 999).Draw(t, n))) }
		model := rapid.SampledFrom([]string{"graduated", "volume"}).Draw(t, "model")
		p := price(t, "{id: a, meter: m, model: "+model+", tiers: [{up_to: 5, amount: "+rate("a")+"}, {up_to: 77, amount: "+rate("b")+", flat: "+all("1")+"}, {amount: "+rate("c")+"}], min: "+all("3")+", max: "+all("50")+"}")
		c := rapid.SampledFrom([]money.Currency{"EUR", "JPY", "KWD"}).Draw(t, "currency")
		q := meter.Quantity{Units: money.Frac(rapid.Int64Range(0, 100_000).Draw(t, "n"), rapid.Int64Range(1, 100).Draw(t, "d"))}
		got, err := Price(p, c, q, money.Frac(rapid.Int64Range(0, 31).Draw(t, "share"), 31))
		if err != nil {
			t.Fatal(err)
		}
		var sum int64
		for _, x := range got.Parts {
			sum += x.Amount
		}
		if sum != got.Amount {
			t.Fatalf("parts sum to %d, the line is %d: %+v", sum, got.Amount, got.Parts)
		}
	})
}

func TestLawGraduatedRisesWithoutJumps(t *testing.T) {
	p := price(t, "{id: a, meter: m, model: graduated, tiers: [{up_to: 5, amount: "+all("7")+"}, {up_to: 10, amount: "+all("6.5")+"}, {amount: "+all("6")+"}]}")
	rapid.Check(t, func(t *rapid.T) {
		n, d := rapid.Int64Range(0, 4000).Draw(t, "n"), rapid.Int64Range(1, 400).Draw(t, "d")
		a, _ := Price(p, "EUR", meter.Quantity{Units: money.Frac(n, 100)}, money.Int(1))
		b, _ := Price(p, "EUR", meter.Quantity{Units: money.Frac(n+d, 100)}, money.Int(1))
		if step := b.Amount - a.Amount; step < 6*d-1 || step > 7*d+1 {
			t.Fatalf("%d hundredths more cost %d", d, step)
		}
	})
}
