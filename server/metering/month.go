package metering

import (
	"context"
	"database/sql"
	"time"

	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
	"holdfast/sync/usage"
)

// Total is what a workspace used of one meter in one month.
type Total struct {
	Meter    string
	Unit     string
	Quantity int64
}

// storageHours is the meter of storage held over time.
const storageHours = "storage-byte-hours"

var units = map[string]string{usage.Changes: "changes", usage.APICalls: "calls", usage.Storage: "bytes", storageHours: "byte-hours"}

// Month gives a workspace's totals of the month that begins at month (UTC), by meter, and the moment up to which all
// regions had been read. The meters that are always there come first, also when they are zero.
//
// Each region stores the whole workspace, and a customer pays for one copy: of a gauge, the region with the most counts.
func (s *Service) Month(ctx context.Context, tenant id.ID, month time.Time) ([]Total, time.Time, error) {
	const op = "metering.Month"
	asOf := s.asOf() // before the totals: they may only be newer
	sums := map[string]int64{usage.Changes: 0, usage.APICalls: 0, usage.Storage: 0, storageHours: 0}
	order := []string{usage.Changes, usage.APICalls, usage.Storage, storageHours}
	rows, err := s.db.QueryContext(ctx, q.Get("sums"), tenant, monthName(month))
	if err != nil {
		return nil, asOf, sqlite.Wrap(op, err)
	}
	list, err := scan(rows, func(r *sql.Rows) (t Total, err error) { return t, r.Scan(&t.Meter, &t.Quantity) })
	if err != nil {
		return nil, asOf, sqlite.Wrap(op, err)
	}
	for _, t := range list {
		if _, ok := sums[t.Meter]; !ok {
			order = append(order, t.Meter)
		}
		sums[t.Meter] = t.Quantity
	}
	gauges, err := s.gauges(ctx, tenant, month)
	if err != nil {
		return nil, asOf, fault.Wrap(op, err)
	}
	for _, g := range gauges {
		sums[usage.Storage] = max(sums[usage.Storage], g.last)
		sums[storageHours] = max(sums[storageHours], g.hours)
	}
	out := make([]Total, 0, len(order))
	for _, m := range order {
		unit := units[m]
		if unit == "" {
			unit = m
		}
		out = append(out, Total{m, unit, sums[m]})
	}
	return out, asOf, nil
}

type gaugeTotal struct{ last, hours int64 }

// gauges gives each region's storage in a month. The latest reading holds until now.
func (s *Service) gauges(ctx context.Context, tenant id.ID, month time.Time) ([]gaugeTotal, error) {
	const op = "metering.gauges"
	rows, err := s.db.QueryContext(ctx, q.Get("gauges"), monthName(month), tenant)
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	now := s.cfg.Now()
	list, err := scan(rows, func(r *sql.Rows) (g gaugeTotal, err error) {
		var meter, region string
		var value, atMS int64
		var last sql.NullInt64
		var a area
		if err := r.Scan(&meter, &region, &value, &atMS, &a.hours, &a.rest, &last); err != nil {
			return g, err
		}
		g.last = last.Int64
		eachMonth(time.UnixMilli(atMS), now, func(m time.Time, ms int64) {
			if m.Equal(month) {
				a.add(value, ms)
				g.last = value
			}
		})
		g.hours = a.hours
		return g, nil
	})
	return list, sqlite.Wrap(op, err)
}
