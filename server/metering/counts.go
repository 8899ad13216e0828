package metering

import (
	"context"
	"database/sql"

	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
	"holdfast/sync/usage"
)

// Counts tells whether a meter is one that Holdfast counts itself.
func Counts(meter string) bool { return units[meter] != "" }

// Gauge tells whether a meter that Holdfast counts itself is read, and not summed.
func Gauge(meter string) bool { return meter == usage.Storage || meter == Seats }

// hub is the source of what the hub counts itself.
const hub = "hub"

// Count counts a fact of the hub's own, such as a mail that was sent. Its id is derived from the fact, so telling it again counts nothing;
// isNew tells which it was. Source is set here.
func (s *Service) Count(ctx context.Context, e usage.Event) (isNew bool, err error) {
	const op = "metering.Count"
	e.Source = hub
	if e, err = usage.Decode(e.Encode()); err != nil {
		return false, fault.Wrap(op, err)
	}
	err = sqlite.Tx(ctx, s.db, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, q.Get("see"), e.Source, e.ID, s.cfg.Now().UnixMilli())
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return err
		}
		isNew = true
		_, err = tx.ExecContext(ctx, q.Get("add"), e.Tenant, monthName(e.Time), e.Meter, "", e.Quantity, 1)
		return err
	})
	if err == nil && isNew {
		s.touch([]id.ID{e.Tenant})
	}
	return isNew, fault.Wrap(op, err)
}

// touch notes workspaces whose totals have changed.
func (s *Service) touch(tenants []id.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range tenants {
		s.touched[t] = true
	}
}

// Touched gives the workspaces whose totals have changed since it was asked last.
func (s *Service) Touched() map[id.ID]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.touched
	s.touched = map[id.ID]bool{}
	return out
}
