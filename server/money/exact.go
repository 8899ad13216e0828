package money

import (
	"math/big"
	"strings"

	"github.com/govalues/decimal"

	"holdfast/sync/fault"
)

// Exact is a number without rounding: what an amount is before it becomes money. The zero value is 0. It is immutable.
//
// A price times a quantity times the share of a period is seldom a whole cent; all of it is multiplied out here and
// rounded once, at the end, by Round.
type Exact struct{ r *big.Rat }

// Int is the whole number n.
func Int(n int64) Exact { return Exact{new(big.Rat).SetInt64(n)} }

// Frac is num/den; den must not be zero.
func Frac(num, den int64) Exact { return Exact{big.NewRat(num, den)} }

// Number is the value of a decimal.
func Number(d decimal.Decimal) Exact {
	n := new(big.Int).SetUint64(d.Coef())
	if d.IsNeg() {
		n.Neg(n)
	}
	den := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.Scale())), nil)
	return Exact{new(big.Rat).SetFrac(n, den)}
}

func (e Exact) rat() *big.Rat {
	if e.r == nil {
		return new(big.Rat)
	}
	return e.r
}

// Add is e + o.
func (e Exact) Add(o Exact) Exact { return Exact{new(big.Rat).Add(e.rat(), o.rat())} }

// Sub is e − o.
func (e Exact) Sub(o Exact) Exact { return Exact{new(big.Rat).Sub(e.rat(), o.rat())} }

// Mul is e × o.
func (e Exact) Mul(o Exact) Exact { return Exact{new(big.Rat).Mul(e.rat(), o.rat())} }

// Div is e ÷ o; o must not be zero.
func (e Exact) Div(o Exact) Exact { return Exact{new(big.Rat).Quo(e.rat(), o.rat())} }

// Neg is −e.
func (e Exact) Neg() Exact { return Exact{new(big.Rat).Neg(e.rat())} }

// Cmp is −1, 0 or 1 as e is below, equal to or above o.
func (e Exact) Cmp(o Exact) int { return e.rat().Cmp(o.rat()) }

// Sign is −1, 0 or 1.
func (e Exact) Sign() int { return e.rat().Sign() }

// Ceil is the smallest whole number not below e.
func (e Exact) Ceil() Exact {
	r := e.rat()
	q, m := new(big.Int).DivMod(r.Num(), r.Denom(), new(big.Int))
	if m.Sign() != 0 {
		q.Add(q, big.NewInt(1))
	}
	return Exact{new(big.Rat).SetInt(q)}
}

// Min is the smaller of e and o.
func (e Exact) Min(o Exact) Exact {
	if o.Cmp(e) < 0 {
		return o
	}
	return e
}

// Max is the larger of e and o.
func (e Exact) Max(o Exact) Exact {
	if o.Cmp(e) > 0 {
		return o
	}
	return e
}

// Minor turns a number of major units of c into minor units.
func (e Exact) Minor(c Currency) Exact { return e.Mul(Int(c.unit())) }

// Round is the one rounding rule of Holdfast: to the nearest minor unit, halves away from zero ("commercial", HALF_UP
// on the magnitude), so that a credit rounds like the charge it takes back. Beyond MaxMinor it fails with TooLarge.
func (e Exact) Round() (int64, error) {
	r := e.rat()
	n := new(big.Int).Abs(r.Num())
	n.Lsh(n, 1)
	n.Add(n, r.Denom())
	n.Quo(n, new(big.Int).Lsh(r.Denom(), 1))
	if !n.IsInt64() || n.Int64() > MaxMinor {
		return 0, fault.Errorf("money.Round", fault.TooLarge, "an amount above %d minor units cannot be billed", MaxMinor)
	}
	if r.Sign() < 0 {
		return -n.Int64(), nil
	}
	return n.Int64(), nil
}

// Text writes e with at most places digits after the point, rounded, without trailing zeros: for people, never for
// sums.
func (e Exact) Text(places int) string {
	s := e.rat().FloatString(places)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

func (e Exact) String() string { return e.rat().RatString() }

// MarshalText writes "7" or "20/31".
func (e Exact) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (e *Exact) UnmarshalText(b []byte) error {
	r, ok := new(big.Rat).SetString(string(b))
	if !ok || len(b) > 200 || strings.ContainsAny(string(b), "eEpP") {
		return fault.Errorf("money.Exact", fault.Invalid, "not a number: %.40q", b)
	}
	e.r = r
	return nil
}
