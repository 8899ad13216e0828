package metering

import (
	"context"
	"database/sql"
	"sort"
	"time"

	"holdfast/sync/sqlite"
)

// Health is how the reading of one region goes, for operators.
type Health struct {
	Region    string
	Watermark uint64
	Epoch     int64     // how often its stream had to be read again
	ReadMS    int64     // when something was counted last
	Aside     int64     // events set aside
	Current   bool      // all there is was read when last looked
	AsOf      time.Time // up to when it was read, if not Current; zero: never
}

// Health tells how the reading of each region goes, by name.
func (s *Service) Health(ctx context.Context) ([]Health, error) {
	rows, err := s.db.QueryContext(ctx, q.Get("health"))
	if err != nil {
		return nil, sqlite.Wrap("metering.Health", err)
	}
	list, err := scan(rows, func(r *sql.Rows) (h Health, err error) {
		return h, r.Scan(&h.Region, &h.Watermark, &h.Epoch, &h.ReadMS, &h.Aside)
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	known := map[string]bool{}
	for i := range list {
		h := &list[i]
		known[h.Region] = true
		if p := s.regions[h.Region]; p != nil {
			h.Current, h.AsOf = p.current, p.at
		}
	}
	for name, p := range s.regions {
		if !known[name] { // nothing was counted there yet
			list = append(list, Health{Region: name, Current: p.current, AsOf: p.at})
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Region < list[j].Region })
	return list, sqlite.Wrap("metering.Health", err)
}

// Totals are what all workspaces used in the month that begins at the given moment (UTC), by meter. Storage is that of every region.
func (s *Service) Totals(ctx context.Context, month time.Time) ([]Total, error) {
	rows, err := s.db.QueryContext(ctx, q.Get("totals"), monthName(month))
	if err != nil {
		return nil, sqlite.Wrap("metering.Totals", err)
	}
	list, err := scan(rows, func(r *sql.Rows) (t Total, err error) { return t, r.Scan(&t.Meter, &t.Quantity) })
	for i := range list {
		list[i].Unit = unitOf(list[i].Meter)
	}
	return list, sqlite.Wrap("metering.Totals", err)
}
