package period

import (
	"time"

	"holdfast/server/money"
	"holdfast/sync/fault"
)

// Policy says how a part of a period is priced.
type Policy string

// The policies.
const (
	// Second counts seconds of the real period (Stripe's way).
	Second Policy = "second"
	// DayActual counts calendar days of the real period in the anchor's zone; the day of a change belongs whole to what
	// comes after it (Lago's and Kill Bill's way).
	DayActual Policy = "day"
	// Day30 gives every month thirty days: the 30/360 count, with the anchor's day as the end of the month.
	Day30 Policy = "day30"
	// None does not prorate: a part costs as much as the whole, and a change within a period neither credits nor
	// charges.
	None Policy = "none"
)

// ParsePolicy reads the name of a policy.
func ParsePolicy(s string) (Policy, error) {
	switch p := Policy(s); p {
	case Second, DayActual, Day30, None:
		return p, nil
	}
	return "", fault.Errorf("period.ParsePolicy", fault.Invalid, "unknown proration %q; use second, day, day30 or none", s)
}

// Left is the exact share of the full period that is left from t on: 1 at or before its start, 0 at or after its end,
// never rising in between. Under None it is 1 until the end. iv is the interval whose full period it is; the full
// period's start carries the time zone.
func (p Policy) Left(full Span, iv Interval, t time.Time) money.Exact {
	switch {
	case !t.After(full.Start):
		return money.Int(1)
	case !t.Before(full.End):
		return money.Int(0)
	}
	loc := full.Start.Location()
	switch p {
	case None:
		return money.Int(1)
	case DayActual:
		return money.Frac(int64(Span{t, full.End}.Days(loc)), int64(full.Days(loc)))
	case Day30:
		if iv.Unit == Month || iv.Unit == Year {
			return left30(full, iv, t.In(loc))
		}
		return money.Frac(int64(Span{t, full.End}.Days(loc)), int64(full.Days(loc)))
	default:
		return money.Frac(int64(full.End.Sub(t)), int64(full.End.Sub(full.Start)))
	}
}

// left30 counts the days left by the 30/360 rule. The day on which the period turns is the later of the days of its
// ends, because a short month may have pulled one of them back from the anchor's.
func left30(full Span, iv Interval, t time.Time) money.Exact {
	total := 30 * iv.Count
	if iv.Unit == Year {
		total *= 12
	}
	end := full.End.In(t.Location())
	turn := min(max(full.Start.Day(), end.Day()), 30)
	left := 30*months(t, end) + turn - min(t.Day(), 30)
	return money.Frac(int64(min(max(left, 0), total)), int64(total))
}

// Part is what the share from t to the end costs of a price that is exact for the full period.
func (p Policy) Part(price money.Exact, full Span, iv Interval, t time.Time) money.Exact {
	return price.Mul(p.Left(full, iv, t))
}

// Cut splits a price over the pieces that the moments cut out of the full period, in minor units. The pieces sum to the
// rounded price whatever the cuts are: each is the difference of two rounded remainders, so that the piece from a cut
// to the end is rounded exactly like a charge that starts there.
func (p Policy) Cut(price money.Exact, full Span, iv Interval, cuts []time.Time) ([]int64, error) {
	out := make([]int64, 0, len(cuts)+1)
	before, err := price.Round()
	if err != nil {
		return nil, err
	}
	for _, t := range cuts {
		after, err := p.Part(price, full, iv, t).Round()
		if err != nil {
			return nil, err
		}
		out, before = append(out, before-after), after
	}
	return append(out, before), nil
}
