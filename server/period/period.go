// Package period is the calendar of billing: intervals that recur from an anchor without drifting, and the share of a
// period that is left at some moment, by policy.
//
// Everything is pure; the time zone is the anchor's location. A period is half open: its end is the next one's start.
package period

import (
	"time"

	"holdfast/server/money"
	"holdfast/sync/fault"
)

// Unit is what an interval counts.
type Unit string

// The units.
const (
	Day   Unit = "day"
	Week  Unit = "week"
	Month Unit = "month"
	Year  Unit = "year"
)

// Interval is a length of time on the calendar, such as 3 months.
type Interval struct {
	Unit  Unit `json:"unit"`
	Count int  `json:"count"`
}

// ParseUnit reads the name of a unit.
func ParseUnit(s string) (Unit, error) {
	switch u := Unit(s); u {
	case Day, Week, Month, Year:
		return u, nil
	}
	return "", fault.Errorf("period.ParseUnit", fault.Invalid, "unknown interval %q; use day, week, month or year", s)
}

// Span is a half-open stretch of time.
type Span struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Empty tells whether nothing lies in s.
func (s Span) Empty() bool { return !s.Start.Before(s.End) }

// Contains tells whether t lies in s.
func (s Span) Contains(t time.Time) bool { return !t.Before(s.Start) && t.Before(s.End) }

// Nth is the anchor moved by n intervals. Months are counted from the anchor itself, so that the 31st comes back after
// a short month: 31 Jan, 28 Feb, 31 Mar. The clock time of the anchor is kept across changes of daylight saving.
func (iv Interval) Nth(anchor time.Time, n int) time.Time {
	y, m, d := anchor.Date()
	h, mi, s := anchor.Clock()
	at := func(y int, m time.Month, d int) time.Time {
		return time.Date(y, m, d, h, mi, s, anchor.Nanosecond(), anchor.Location())
	}
	switch k := n * iv.Count; iv.Unit {
	case Day:
		return at(y, m, d+k)
	case Week:
		return at(y, m, d+7*k)
	case Year:
		return at(y+k, m, min(d, daysIn(y+k, m)))
	default:
		first := time.Date(y, m+time.Month(k), 1, 0, 0, 0, 0, time.UTC)
		return at(first.Year(), first.Month(), min(d, daysIn(first.Year(), first.Month())))
	}
}

// Containing is the period of the anchor's series in which t lies. Periods before the anchor count too.
func (iv Interval) Containing(anchor, t time.Time) Span {
	t = t.In(anchor.Location())
	days := civil(t) - civil(anchor)
	n := 0
	switch iv.Unit {
	case Day:
		n = days / iv.Count
	case Week:
		n = days / (7 * iv.Count)
	case Year:
		n = (t.Year() - anchor.Year()) / iv.Count
	default:
		n = months(anchor, t) / iv.Count
	}
	for iv.Nth(anchor, n).After(t) {
		n--
	}
	for !iv.Nth(anchor, n+1).After(t) {
		n++
	}
	return Span{iv.Nth(anchor, n), iv.Nth(anchor, n+1)}
}

// CalendarAnchor is the start of the calendar day, week (Monday), month or year in which t lies.
func (iv Interval) CalendarAnchor(t time.Time) time.Time {
	y, m, d := t.Date()
	switch iv.Unit {
	case Day:
	case Week:
		d -= (int(t.Weekday()) + 6) % 7
	case Year:
		m, d = time.January, 1
	default:
		d = 1
	}
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}

// PerYear is how often the interval fits into a year, for comparing prices: a yearly plan costs its price once, a
// monthly one twelve times.
func (iv Interval) PerYear() money.Exact {
	switch iv.Unit {
	case Day:
		return money.Frac(365, int64(iv.Count))
	case Week:
		return money.Frac(365, int64(7*iv.Count))
	case Year:
		return money.Frac(1, int64(iv.Count))
	default:
		return money.Frac(12, int64(iv.Count))
	}
}

func daysIn(y int, m time.Month) int { return time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC).Day() }

// civil numbers the calendar days, so that a day with 23 hours is still one day.
func civil(t time.Time) int {
	y, m, d := t.Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// months is the number of month boundaries between a and b.
func months(a, b time.Time) int {
	return (b.Year()-a.Year())*12 + int(b.Month()) - int(a.Month())
}

// Days is the number of calendar days from the day of s.Start to the day of s.End, the last not counted.
func (s Span) Days(loc *time.Location) int { return civil(s.End.In(loc)) - civil(s.Start.In(loc)) }

// Last is the last calendar day of s, as paper names it: the day on which s ends belongs whole to what comes after it, as DayActual counts.
// Within a day, it is that day.
func (s Span) Last(loc *time.Location) time.Time {
	y, m, d := s.End.In(loc).Date()
	last := time.Date(y, m, d-1, 0, 0, 0, 0, loc)
	if y, m, d = s.Start.In(loc).Date(); last.Before(time.Date(y, m, d, 0, 0, 0, 0, loc)) {
		last = time.Date(y, m, d, 0, 0, 0, 0, loc)
	}
	return last
}
