// Package revenue says when what was billed is earned: evenly by calendar day over the time served (ASC 606-10-25-31,
// IFRS 15.39), so that any month's figure is the difference of two rounded running sums and all months add up to the
// amount.
//
// Usage is billed after it was earned and counts in the months in which it was served. What a credit note takes back of
// days that are over counts on the note's day: closed months stay closed. A change of plan is prospective
// (606-10-25-13a): the note ends the old schedule and the new invoice starts one.
package revenue

import (
	"sort"
	"time"

	"holdfast/server/money"
	"holdfast/server/period"
)

// Item is an amount earned over a span. A credit note's amount is negative.
type Item struct {
	Line     string         `json:"line"`
	Document string         `json:"document"`
	Customer string         `json:"customer"`
	Currency money.Currency `json:"currency"`
	Span     period.Span    `json:"span"`
	Amount   int64          `json:"amount"`
	Booked   time.Time      `json:"booked"`    // when the document was issued
	NotUntil time.Time      `json:"not_until"` // earlier days count on this one; zero: each day on itself
}

// Earned is how much of the item is earned before the day of t begins, in loc.
func (i Item) Earned(t time.Time, loc *time.Location) int64 {
	if !i.NotUntil.IsZero() && dayAfter(i.NotUntil, t, loc) {
		return 0
	}
	total := max(i.Span.Days(loc), 1)
	past := period.Span{Start: i.Span.Start, End: t}.Days(loc)
	switch {
	case past <= 0:
		return 0
	case past >= total:
		return i.Amount
	}
	n, err := money.Int(i.Amount).Mul(money.Frac(int64(past), int64(total))).Round()
	if err != nil {
		return i.Amount // a part of a bounded amount is bounded
	}
	return n
}

// dayAfter tells whether the day of a is not before the day of t: nothing of it is over yet.
func dayAfter(a, t time.Time, loc *time.Location) bool {
	return period.Span{Start: a, End: t}.Days(loc) <= 0
}

// Month is one month of the schedule in one currency.
type Month struct {
	Month      string         `json:"month"` // 2026-01
	Currency   money.Currency `json:"currency"`
	Recognised int64          `json:"recognised"`
	Deferred   int64          `json:"deferred"`        // billed and not earned at the end of the month
	Change     int64          `json:"deferred_change"` // against the month before
	Unbilled   int64          `json:"unbilled"`        // earned and not yet billed at the end of the month
}

// Schedule lays the items out by month, from the first month in which anything is earned or billed to the last, without
// gaps.
func Schedule(items []Item, loc *time.Location) []Month {
	byCur := map[money.Currency][]Item{}
	for _, i := range items {
		byCur[i.Currency] = append(byCur[i.Currency], i)
	}
	var cs []money.Currency
	for c := range byCur {
		cs = append(cs, c)
	}
	sort.Slice(cs, func(a, b int) bool { return cs[a] < cs[b] })
	var out []Month
	for _, c := range cs {
		out = append(out, months(c, byCur[c], loc)...)
	}
	return out
}

func months(c money.Currency, items []Item, loc *time.Location) []Month {
	first, last := bounds(items, loc)
	var out []Month
	var before, deferred int64
	for m := first; !m.After(last); m = m.AddDate(0, 1, 0) {
		end := m.AddDate(0, 1, 0)
		row := Month{Month: m.Format("2006-01"), Currency: c}
		var earned int64
		for _, i := range items {
			e := i.Earned(end, loc)
			earned += e
			if i.Booked.Before(end) {
				row.Deferred += i.Amount - e
			} else {
				row.Unbilled += e
			}
		}
		row.Recognised, before = earned-before, earned
		row.Change, deferred = row.Deferred-deferred, row.Deferred
		out = append(out, row)
	}
	return out
}

// bounds gives the first days of the first and the last month.
func bounds(items []Item, loc *time.Location) (first, last time.Time) {
	month := func(t time.Time) time.Time {
		t = t.In(loc)
		return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, loc)
	}
	for n, i := range items {
		low, high := month(i.Span.Start), month(i.Span.End.Add(-1))
		if high.Before(low) { // a moment at the turn of a month
			high = low
		}
		if b := month(i.Booked); b.Before(low) {
			low = b
		}
		for _, t := range []time.Time{i.NotUntil, i.Booked} {
			if m := month(t); !t.IsZero() && m.After(high) {
				high = m
			}
		}
		if n == 0 || low.Before(first) {
			first = low
		}
		if n == 0 || high.After(last) {
			last = high
		}
	}
	return first, last
}
