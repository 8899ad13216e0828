// Package money holds amounts: whole minor units of an ISO 4217 currency. There is no floating point in it.
//
// Prices, quantities and shares of a period are Exact numbers; an Amount appears when an Exact is rounded, once, by the
// one rule of Exact.Round. Splitting an amount (Allocate) never creates or loses a minor unit.
package money

import (
	"math/big"
	"sort"
	"strconv"
	"strings"

	"github.com/govalues/decimal"

	"holdfast/sync/fault"
)

// Amount is a number of minor units (cents, yen, fils) of one currency.
type Amount struct {
	Minor    int64    `json:"minor"`
	Currency Currency `json:"currency"`
}

// New is an amount of minor units.
func New(minor int64, c Currency) Amount { return Amount{minor, c} }

// Parse reads a decimal number of major units, such as "12.34". More digits after the point than the currency has are
// refused: money is never rounded on the way in.
func Parse(s string, c Currency) (Amount, error) {
	const op = "money.Parse"
	d, err := ParseNumber(s)
	if err != nil {
		return Amount{}, fault.Wrap(op, err)
	}
	return FromDecimal(d, c)
}

// FromDecimal turns a decimal number of major units into an amount; it fails if that needs rounding.
func FromDecimal(d decimal.Decimal, c Currency) (Amount, error) {
	const op = "money.FromDecimal"
	if d.Trim(0).Scale() > c.Decimals() {
		return Amount{}, fault.Errorf(op, fault.Invalid, "%s has more than the %d decimals of %s", d, c.Decimals(), c)
	}
	n, err := Number(d).Minor(c).Round()
	if err != nil {
		return Amount{}, fault.Wrap(op, err)
	}
	return Amount{n, c}, nil
}

// ParseNumber reads a plain decimal number of at most 19 digits; exponents, infinities and a loss of digits are
// refused.
func ParseNumber(s string) (decimal.Decimal, error) {
	const op = "money.ParseNumber"
	t := strings.ReplaceAll(strings.TrimSpace(s), "_", "")
	digits := 0
	for i := range len(t) {
		c := t[i]
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '.' || (c == '-' || c == '+') && i == 0:
		default:
			return decimal.Decimal{}, fault.Errorf(op, fault.Invalid,
				"%.40q is not a number; write digits and a point, such as 12.50", s)
		}
	}
	whole, frac, _ := strings.Cut(strings.TrimLeft(t, "+-"), ".")
	if len(strings.TrimLeft(whole, "0"))+len(frac) > 19 {
		return decimal.Decimal{}, fault.Errorf(op, fault.TooLarge, "%.40q has more than 19 digits", s)
	}
	d, err := decimal.Parse(t)
	if err != nil || digits == 0 {
		return decimal.Decimal{}, fault.Errorf(op, fault.Invalid, "%.40q is not a number; write digits and a point, such as 12.50", s)
	}
	return d, nil
}

// Add is a + b; it fails on different currencies and beyond MaxMinor.
func (a Amount) Add(b Amount) (Amount, error) {
	const op = "money.Add"
	if a.Currency != b.Currency {
		return Amount{}, fault.Errorf(op, fault.Invalid, "%s and %s cannot be added", a.Currency, b.Currency)
	}
	s := a.Minor + b.Minor
	if s > MaxMinor || s < -MaxMinor {
		return Amount{}, fault.Errorf(op, fault.TooLarge, "a sum above %d minor units", MaxMinor)
	}
	return Amount{s, a.Currency}, nil
}

// Neg is −a.
func (a Amount) Neg() Amount { return Amount{-a.Minor, a.Currency} }

// IsZero tells whether a is nothing.
func (a Amount) IsZero() bool { return a.Minor == 0 }

// Exact is the number of minor units.
func (a Amount) Exact() Exact { return Int(a.Minor) }

// Text is the amount in major units without the currency: "12.34", "-5", "0.500".
func (a Amount) Text() string { return Text(a.Minor, a.Currency) }

// String is "12.34 EUR".
func (a Amount) String() string { return a.Text() + " " + string(a.Currency) }

// Text writes minor units of c in major units: "12.34".
func Text(minor int64, c Currency) string {
	sign, u := "", uint64(minor)
	if minor < 0 {
		sign, u = "-", -uint64(minor)
	}
	s, d := strconv.FormatUint(u, 10), c.Decimals()
	if d == 0 {
		return sign + s
	}
	for len(s) <= d {
		s = "0" + s
	}
	return sign + s[:len(s)-d] + "." + s[len(s)-d:]
}

// Allocate splits a in proportion to the weights by largest remainder: each part is within one minor unit of its exact
// share, the parts sum to a, and equal remainders go to the earlier part. Negative weights, no weights, or weights that
// sum to zero while a does not, are Invalid.
func (a Amount) Allocate(weights []int64) ([]Amount, error) {
	parts, err := Allocate(a.Minor, weights)
	if err != nil {
		return nil, err
	}
	out := make([]Amount, len(parts))
	for i, p := range parts {
		out[i] = Amount{p, a.Currency}
	}
	return out, nil
}

// Allocate is Amount.Allocate on bare minor units.
func Allocate(total int64, weights []int64) ([]int64, error) {
	const op = "money.Allocate"
	sum := new(big.Int)
	for _, w := range weights {
		if w < 0 {
			return nil, fault.Errorf(op, fault.Invalid, "a weight of %d", w)
		}
		sum.Add(sum, big.NewInt(w))
	}
	out := make([]int64, len(weights))
	if sum.Sign() == 0 {
		if total != 0 {
			return nil, fault.Errorf(op, fault.Invalid, "nothing to split %d over", total)
		}
		return out, nil
	}
	sign := int64(1)
	if total < 0 {
		sign = -1
	}
	abs := new(big.Int).Abs(big.NewInt(total))
	left := new(big.Int).Set(abs)
	rest := make([]*big.Int, len(weights))
	order := make([]int, len(weights))
	for i, w := range weights {
		q, m := new(big.Int).QuoRem(new(big.Int).Mul(abs, big.NewInt(w)), sum, new(big.Int))
		out[i], rest[i], order[i] = q.Int64(), m, i
		left.Sub(left, q)
	}
	sort.SliceStable(order, func(i, j int) bool { return rest[order[i]].Cmp(rest[order[j]]) > 0 })
	for _, i := range order[:left.Int64()] {
		out[i]++
	}
	for i := range out {
		out[i] *= sign
	}
	return out, nil
}
