package tenancy

import (
	"context"
	"database/sql"
	"encoding/json"

	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
)

// Brief is a workspace as the hub's own parts need it.
type Brief struct {
	ID     id.ID
	Name   string
	State  string
	Limits map[string]int64
	Seats  int64 // active members who may write
}

// All lists every workspace, deleted ones too, the oldest first.
func (s *Service) All(ctx context.Context) ([]Brief, error) { return s.briefs(ctx, "") }

// Brief gives one workspace. It is for the hub's own parts, not for callers from outside.
func (s *Service) Brief(ctx context.Context, tenant id.ID) (Brief, error) {
	list, err := s.briefs(ctx, tenant)
	if err == nil && (tenant == "" || len(list) == 0) {
		err = noSuch("tenancy.Brief")
	}
	if err != nil {
		return Brief{}, err
	}
	return list[0], nil
}

func (s *Service) briefs(ctx context.Context, tenant id.ID) ([]Brief, error) {
	const op = "tenancy.briefs"
	rows, err := s.cfg.DB.QueryContext(ctx, q.Get("all-tenants"), tenant)
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	list, err := scan(rows, func(r *sql.Rows) (b Brief, err error) {
		var limits string
		if err := r.Scan(&b.ID, &b.Name, &b.State, &limits, &b.Seats); err != nil {
			return b, err
		}
		if err := json.Unmarshal([]byte(limits), &b.Limits); err != nil {
			return b, fault.E(op, fault.Corrupt, err)
		}
		return b, nil
	})
	return list, sqlite.Wrap(op, err)
}
