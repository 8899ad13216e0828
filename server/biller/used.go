package biller

import (
	"slices"
	"time"

	"holdfast/server/billing"
	"holdfast/server/catalog"
	"holdfast/server/money"
	"holdfast/server/period"
)

// used shows the meters of the running billing period, day by day. It measures as an invoice does: what is shown is what would be billed.
func used(cat *catalog.Catalog, a *billing.Account, now time.Time) ([]UsageNow, error) {
	month := monthOf(now)
	full := period.Span{Start: month, End: month.AddDate(0, 1, 0)}
	if sub := a.Sub(); sub.Live() && !sub.Period.Empty() && !now.Before(sub.Period.Start) && now.Before(sub.Period.End) {
		full = sub.Period
	}
	grants, err := a.Entitlements(cat, now)
	if err != nil {
		return nil, err
	}
	out := []UsageNow{}
	for i := range cat.Meters {
		u, err := usedOf(&cat.Meters[i], a, full, now)
		if err != nil {
			return nil, err
		}
		for _, e := range grants {
			if f := cat.Feature(e.Feature); f.Meter == u.Meter && e.On && !e.Unlimited {
				u.Limit, u.Soft = floor(e.Limit), e.Soft
			}
		}
		out = append(out, u)
	}
	return out, nil
}

// growing are the aggregates that are the larger the longer one counts.
var growing = []string{"sum", "count", "weighted"}

func usedOf(m *catalog.Meter, a *billing.Account, full period.Span, now time.Time) (UsageNow, error) {
	u := UsageNow{Meter: m.ID, Name: m.Name, Unit: m.Event, Days: []int64{}}
	for d := full.Start; d.Before(full.End); u.DaysAll++ {
		next := d.AddDate(0, 0, 1)
		if !d.After(now) {
			day := period.Span{Start: d, End: next}
			q, err := a.Usage.Measure(m, nil, day, day)
			if err != nil {
				return u, err
			}
			u.Days = append(u.Days, floor(q.Units))
		}
		d = next
	}
	q, err := a.Usage.Measure(m, nil, period.Span{Start: full.Start, End: now.Add(1)}, full) // what happens at this moment counts
	if err != nil {
		return u, err
	}
	u.Used, u.Forecast = floor(q.Units), floor(q.Units)
	if slices.Contains(growing, m.Aggregate) {
		u.Forecast = max(u.Used, forecast(q.Units, full, now))
	}
	return u, nil
}

// forecast is what the whole period will have used if it goes on as until now. A period's first hours tell little: what they used is taken for a day's of a month.
func forecast(used money.Exact, full period.Span, now time.Time) int64 {
	whole := int64(full.End.Sub(full.Start) / time.Second)
	return floor(used.Mul(money.Frac(whole, max(1, whole/forecastMax, int64(now.Sub(full.Start)/time.Second)))))
}
