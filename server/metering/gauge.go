package metering

import (
	"math/bits"
	"time"
)

// A reading holds until the next one. What is billed is how much there was for how long: bytes times hours. The sum is
// kept exactly, as whole unit-hours and the rest in unit-milliseconds.

const hourMS = 3_600_000

// area is value held over time: hours·unit and rest·unit·ms, with rest below one unit-hour.
type area struct{ hours, rest int64 }

// add holds value for ms milliseconds. Neither is negative.
func (a *area) add(value, ms int64) {
	hi, lo := bits.Mul64(uint64(value), uint64(ms))
	lo, carry := bits.Add64(lo, uint64(a.rest), 0)
	hours, rest := bits.Div64(hi+carry, lo, hourMS)
	a.hours += int64(hours)
	a.rest = int64(rest)
}

// monthStart is the first moment of the month, in UTC, that a moment lies in.
func monthStart(t time.Time) time.Time {
	t = t.UTC()
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// eachMonth cuts the span from…until at the ends of months.
func eachMonth(from, until time.Time, f func(month time.Time, ms int64)) {
	for from.Before(until) {
		m := monthStart(from)
		end := m.AddDate(0, 1, 0)
		if end.After(until) {
			end = until
		}
		f(m, end.UnixMilli()-from.UnixMilli())
		from = end
	}
}

func monthName(t time.Time) string { return t.UTC().Format("2006-01") }
