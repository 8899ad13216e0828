package money

import (
	"sort"
	"strings"

	"holdfast/sync/fault"
)

// Currency is an ISO 4217 alphabetic code in upper case.
type Currency string

// decimals holds the minor-unit exponent of every currency that can be billed (ISO 4217, table A.1). Funds, metals and
// testing codes have no minor unit there and are left out, as are MRU and MGA, whose minor unit is a fifth, and the
// four-decimal accounting units.
var decimals = func() map[Currency]int {
	t := map[Currency]int{}
	for d, codes := range map[int]string{
		0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
		2: `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP
			CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES
			KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD
			PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT
			TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW`,
		3: "BHD IQD JOD KWD LYD OMR TND",
	} {
		for _, c := range strings.Fields(codes) {
			t[Currency(c)] = d
		}
	}
	return t
}()

// ParseCurrency checks that s is a billable ISO 4217 code. Lower case is accepted.
func ParseCurrency(s string) (Currency, error) {
	c := Currency(strings.ToUpper(strings.TrimSpace(s)))
	if _, ok := decimals[c]; !ok {
		return "", fault.Errorf("money.ParseCurrency", fault.Invalid,
			"unknown currency %q; use an ISO 4217 code such as EUR, USD or JPY", s)
	}
	return c, nil
}

// Known tells whether c can be billed.
func (c Currency) Known() bool { _, ok := decimals[c]; return ok }

// Decimals is the number of digits after the point: 0, 2 or 3. An unknown currency has 2, but never gets past
// ParseCurrency.
func (c Currency) Decimals() int {
	if d, ok := decimals[c]; ok {
		return d
	}
	return 2
}

// unit is how many minor units make one major unit.
func (c Currency) unit() int64 {
	u := int64(1)
	for range c.Decimals() {
		u *= 10
	}
	return u
}

// Currencies lists every billable code in alphabetical order.
func Currencies() []Currency {
	out := make([]Currency, 0, len(decimals))
	for c := range decimals {
		out = append(out, c)
	}
	sort.Slice(out, func(i, j int) bool { return out[i] < out[j] })
	return out
}
