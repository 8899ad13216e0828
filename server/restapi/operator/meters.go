package operator

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"holdfast/server/billing"
	"holdfast/server/restapi/endpoint"
)

type sinceInput struct {
	endpoint.None
	Since string `query:"since" format:"date" doc:"A day, such as 2026-11-01; absent: all"`
}

func (r registrar) health() {
	endpoint.Register(r.all, op(http.MethodGet, "getMeters", "/meters", "How the reading of each region's usage goes, and what was used this month"), r.meters)
	endpoint.Register(r.all, op(http.MethodGet, "listReconciliations", "/reconciliations", "The last comparisons of metered, billed, booked and paid, the newest first"),
		func(ctx context.Context, _ endpoint.None) ([]Reconciliation, error) {
			list, err := r.Billing.Reconciliations(ctx)
			out := []Reconciliation{}
			for _, x := range list {
				out = append(out, Reconciliation{x.At.UTC(), x.Customers, x.Differences})
			}
			return out, err
		})
	endpoint.Register(r.all, op(http.MethodPost, "reconcile", "/reconciliations", "Compare everything now; rows are what does not agree"),
		func(ctx context.Context, _ endpoint.None) (DayDifferences, error) {
			rows, err := r.Billing.Reconcile(ctx)
			return DayDifferences{r.Now().UTC().Format(time.DateOnly), rows}.whole(), err
		})
	endpoint.Register(r.all, op(http.MethodGet, "listDifferences", "/differences", "The rows that did not agree, by day"),
		func(ctx context.Context, in sinceInput) ([]DayDifferences, error) {
			by, err := r.Billing.Differences(ctx, in.Since)
			out := []DayDifferences{}
			for day, rows := range by {
				out = append(out, DayDifferences{day, rows}.whole())
			}
			slices.SortFunc(out, func(x, y DayDifferences) int { return strings.Compare(y.Day, x.Day) })
			return out, err
		})
}

// whole makes no rows an empty list.
func (d DayDifferences) whole() DayDifferences {
	if d.Rows == nil {
		d.Rows = []billing.Difference{}
	}
	return d
}

func (r registrar) meters(ctx context.Context, _ endpoint.None) (Meters, error) {
	now := r.Now().UTC()
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	out := Meters{Regions: []RegionMeter{}, Month: month.Format("2006-01"), Totals: []MeterTotal{}}
	regions, err := r.Meters.Health(ctx)
	if err != nil {
		return out, err
	}
	for _, h := range regions {
		m := RegionMeter{Region: h.Region, Current: h.Current, Aside: h.Aside}
		if !h.Current && !h.AsOf.IsZero() {
			at := h.AsOf.UTC()
			m.AsOf, m.LagMS = &at, max(0, now.Sub(at).Milliseconds())
		}
		out.Regions = append(out.Regions, m)
	}
	totals, err := r.Meters.Totals(ctx, month)
	for _, t := range totals {
		out.Totals = append(out.Totals, MeterTotal{t.Meter, t.Unit, t.Quantity})
	}
	return out, err
}
