package money

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"holdfast/sync/fault"
)

func TestParseAndText(t *testing.T) {
	for _, c := range []struct {
		name, in string
		cur      Currency
		minor    int64
		text     string
		kind     fault.Kind
	}{
		{"two-decimals", "12.34", "EUR", 1234, "12.34", 0},
		{"whole", "12", "EUR", 1200, "12.00", 0},
		{"negative-cents", "-0.05", "EUR", -5, "-0.05", 0},
		{"trailing-zeros-carry-no-value", "1.5000", "EUR", 150, "1.50", 0},
		{"zero-decimals", "4000", "JPY", 4000, "4000", 0},
		{"three-decimals", "1.234", "KWD", 1234, "1.234", 0},
		{"small-three-decimals", "0.005", "BHD", 5, "0.005", 0},
		{"too-fine-for-cents", "1.234", "EUR", 0, "", fault.Invalid},
		{"too-fine-for-yen", "1.5", "JPY", 0, "", fault.Invalid},
		{"exponent", "1e3", "EUR", 0, "", fault.Invalid},
		{"empty", "", "EUR", 0, "", fault.Invalid},
		{"word", "NaN", "EUR", 0, "", fault.Invalid},
		{"two-points", "1.2.3", "EUR", 0, "", fault.Invalid},
		{"above-the-bound", "10000000000000.01", "EUR", 0, "", fault.TooLarge},
		{"at-the-bound", "10000000000000", "EUR", MaxMinor, "10000000000000.00", 0},
		{"too-many-digits", "0.12345678901234567890", "EUR", 0, "", fault.TooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Parse(c.in, c.cur)
			if c.kind != 0 {
				if fault.KindOf(err) != c.kind {
					t.Fatalf("got %v, %v; want kind %v", got, err, c.kind)
				}
				return
			}
			if err != nil || got.Minor != c.minor || got.Text() != c.text {
				t.Fatalf("got %d %q %v; want %d %q", got.Minor, got.Text(), err, c.minor, c.text)
			}
		})
	}
}

func TestCurrencies(t *testing.T) {
	for c, want := range map[Currency]int{"EUR": 2, "USD": 2, "JPY": 0, "KRW": 0, "KWD": 3, "TND": 3, "ISK": 0, "HUF": 2} {
		if got := c.Decimals(); got != want || !c.Known() {
			t.Errorf("%s: got %d decimals, want %d", c, got, want)
		}
	}
	for _, bad := range []string{"", "EURO", "XYZ", "XAU", "XXX"} {
		if _, err := ParseCurrency(bad); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: got %v, want invalid", bad, err)
		}
	}
	if c, err := ParseCurrency(" eur "); err != nil || c != "EUR" {
		t.Errorf("got %q %v", c, err)
	}
}

func TestRoundHalvesAwayFromZero(t *testing.T) {
	for _, c := range []struct{ num, den, want int64 }{
		{5, 2, 3}, {-5, 2, -3}, {3, 2, 2}, {1, 2, 1}, {-1, 2, -1}, {49, 100, 0}, {51, 100, 1}, {1000 * 27, 31, 871}, {0, 1, 0},
	} {
		if got, err := Frac(c.num, c.den).Round(); err != nil || got != c.want {
			t.Errorf("%d/%d: got %d %v, want %d", c.num, c.den, got, err, c.want)
		}
	}
	if _, err := Int(MaxMinor + 1).Round(); fault.KindOf(err) != fault.TooLarge {
		t.Errorf("got %v, want too-large", err)
	}
}

func TestAddRefusesMixedCurrencies(t *testing.T) {
	if _, err := New(1, "EUR").Add(New(1, "USD")); fault.KindOf(err) != fault.Invalid {
		t.Errorf("got %v, want invalid", err)
	}
	if _, err := New(MaxMinor, "EUR").Add(New(1, "EUR")); fault.KindOf(err) != fault.TooLarge {
		t.Errorf("got %v, want too-large", err)
	}
}

func TestLawAllocateSumsAndStaysWithinOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(-MaxMinor, MaxMinor).Draw(t, "total")
		weights := rapid.SliceOfN(rapid.Int64Range(0, 1_000_000_000_000), 1, 40).Draw(t, "weights")
		weights[0]++
		parts, err := Allocate(total, weights)
		if err != nil {
			t.Fatal(err)
		}
		var sum, weight int64
		for i := range parts {
			sum, weight = sum+parts[i], weight+weights[i]
		}
		if sum != total {
			t.Fatalf("parts sum to %d, want %d", sum, total)
		}
		for i, p := range parts {
			exact := new(big.Rat).Mul(big.NewRat(weights[i], weight), new(big.Rat).SetInt64(total))
			off := exact.Sub(exact, new(big.Rat).SetInt64(p))
			if off.Abs(off).Cmp(big.NewRat(1, 1)) >= 0 {
				t.Fatalf("part %d is %d, off by %s", i, p, off.RatString())
			}
		}
	})
}

func TestAllocateRefuses(t *testing.T) {
	for name, w := range map[string][]int64{"none": {}, "zeros": {0, 0}, "negative": {1, -1}} {
		if _, err := Allocate(5, w); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: got %v, want invalid", name, err)
		}
	}
	got, err := New(1000, "EUR").Allocate([]int64{10000, 5000, 3000, 2000})
	if err != nil || got[0].Minor != 500 || got[1].Minor != 250 || got[2].Minor != 150 || got[3].Minor != 100 {
		t.Errorf("got %v %v", got, err)
	}
}

func TestLawTextRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := New(rapid.Int64Range(-MaxMinor, MaxMinor).Draw(t, "minor"), rapid.SampledFrom(Currencies()).Draw(t, "currency"))
		back, err := Parse(a.Text(), a.Currency)
		if err != nil || back != a {
			t.Fatalf("%v became %v, %v", a, back, err)
		}
	})
}

func TestExactTextRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := Frac(rapid.Int64().Draw(t, "num"), rapid.Int64Range(1, 1<<60).Draw(t, "den"))
		b, _ := e.MarshalText()
		var back Exact
		if err := back.UnmarshalText(b); err != nil || back.Cmp(e) != 0 {
			t.Fatalf("%s became %s, %v", e, back, err)
		}
	})
	for _, bad := range []string{"", "x", "1e999999999", "1/0"} {
		if err := new(Exact).UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}
