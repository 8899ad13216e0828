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

// Meters of the people in a workspace, which are known by their roles and not by events.
const (
	Seats     = "seats"      // a gauge
	SeatHours = "seat-hours" // seats held over time
)

// storageHours is the meter of storage held over time.
const storageHours = "storage-byte-hours"

var units = map[string]string{usage.Changes: "changes", usage.APICalls: "calls", usage.Storage: "bytes", storageHours: "byte-hours", usage.Connected: "seconds",
	usage.Egress: "bytes", usage.RuleTime: "nanoseconds", usage.Notifications: "notifications", Seats: "seats", SeatHours: "seat-hours"}

// always are the meters that a month shows first, also when they are zero.
var always = []string{usage.Changes, usage.APICalls, usage.Storage, storageHours, usage.Connected, usage.Egress, usage.RuleTime, usage.Notifications}

// Month gives a workspace's totals of the month that begins at month (UTC), by meter, and the moment up to which all
// regions had been read. The meters that are always there come first, also when they are zero.
func (s *Service) Month(ctx context.Context, tenant id.ID, month time.Time) ([]Total, time.Time, error) {
	parts, asOf, err := s.Parts(ctx, tenant, month)
	if err != nil {
		return nil, asOf, err
	}
	sums := map[string]int64{}
	order := append([]string{}, always...)
	for _, m := range order {
		sums[m] = 0
	}
	for _, p := range parts {
		was, ok := sums[p.Meter]
		if !ok {
			order = append(order, p.Meter)
		}
		if sums[p.Meter] = was + p.Quantity; p.Gauge {
			sums[p.Meter] = max(was, p.Quantity)
		}
	}
	out := make([]Total, 0, len(order))
	for _, m := range order {
		out = append(out, Total{m, unitOf(m), sums[m]})
	}
	return out, asOf, nil
}

func unitOf(meter string) string {
	if u := units[meter]; u != "" {
		return u
	}
	return meter
}

// Part is what a workspace used of one meter in one month, in one region.
type Part struct {
	Meter    string
	Region   string // empty: it is not of any one region
	Quantity int64  // used in the month; of a gauge: the latest reading
	Gauge    bool
	At       time.Time // of a gauge: when it was read
}

// Parts gives a month's totals by meter and region, and the moment up to which all regions had been read.
//
// Each region stores the whole workspace, and a customer pays for one copy: of storage over time, the region with the most counts.
func (s *Service) Parts(ctx context.Context, tenant id.ID, month time.Time) ([]Part, time.Time, error) {
	const op = "metering.Parts"
	asOf := s.asOf() // before the totals: they may only be newer
	rows, err := s.db.QueryContext(ctx, q.Get("parts"), tenant, monthName(month))
	if err != nil {
		return nil, asOf, sqlite.Wrap(op, err)
	}
	list, err := scan(rows, func(r *sql.Rows) (p Part, err error) { return p, r.Scan(&p.Meter, &p.Region, &p.Quantity) })
	if err != nil {
		return nil, asOf, sqlite.Wrap(op, err)
	}
	gauges, err := s.gauges(ctx, tenant, month)
	if err != nil {
		return nil, asOf, fault.Wrap(op, err)
	}
	hours := int64(0)
	for _, g := range gauges {
		list = append(list, Part{Meter: usage.Storage, Region: g.region, Quantity: g.last, Gauge: true, At: g.at})
		hours = max(hours, g.hours)
	}
	if hours > 0 {
		list = append(list, Part{Meter: storageHours, Quantity: hours})
	}
	return list, asOf, nil
}

type gaugeTotal struct {
	region      string
	at          time.Time
	last, hours int64
}

// gauges gives each region's storage in a month. The latest reading holds until now.
func (s *Service) gauges(ctx context.Context, tenant id.ID, month time.Time) ([]gaugeTotal, error) {
	const op = "metering.gauges"
	rows, err := s.db.QueryContext(ctx, q.Get("gauges"), monthName(month), tenant)
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	now := s.cfg.Now()
	list, err := scan(rows, func(r *sql.Rows) (g gaugeTotal, err error) {
		var meter string
		var value, atMS int64
		var last sql.NullInt64
		var a area
		if err := r.Scan(&meter, &g.region, &value, &atMS, &a.hours, &a.rest, &last); err != nil {
			return g, err
		}
		g.last, g.at = last.Int64, time.UnixMilli(atMS)
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
