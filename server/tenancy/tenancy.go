// Package tenancy owns workspaces: who is in them, with which role, and how one gets in.
//
// Every decision and the directory record that follows from it commit together; edges learn of it from the directory.
// A workspace has at least one active owner at all times. Somebody who is not an active member is told that the
// workspace does not exist, whether it does or not.
//
// What a workspace contains is not here: that is in the regions.
package tenancy

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"errors"
	"hash/fnv"
	"io"
	"log/slog"
	"slices"
	"time"

	"holdfast/server/hubdb"
	"holdfast/server/naming"
	"holdfast/sync/directory"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
	"holdfast/sync/work"

	outbox "holdfast/server/directory"
)

//go:embed sql/tenancy.sql
var tenancySQL string

var q = hubdb.Parse(tenancySQL)

// States of a workspace.
const (
	Active     = "active"
	Restricted = "restricted" // reading only
	Deleted    = "deleted"
)

// Config is what a Service needs.
type Config struct {
	DB   *sql.DB // opened by hubdb
	Now  func() time.Time
	Rand io.Reader
	Log  *slog.Logger
}

// Service is the hub's tenancy. It is safe for concurrent use.
type Service struct{ cfg Config }

// New makes a service.
func New(cfg Config) *Service { return &Service{cfg} }

// Workspace is a workspace as one of its members sees it.
type Workspace struct {
	ID   id.ID  `json:"id"`
	Name string `json:"name"`
	Role string `json:"role"`
}

func noSuch(op string) error {
	return fault.Errorf(op, fault.NotFound, "There is no such workspace, or you are not a member of it.")
}

// Create makes a workspace whose only member is its owner. home is the region in which it was asked for.
func (s *Service) Create(ctx context.Context, owner id.ID, name, home string) (id.ID, error) {
	const op = "tenancy.Create"
	name, err := naming.Clean(op, "the workspace", name)
	if err != nil {
		return "", err
	}
	now := s.cfg.Now()
	tenant := id.New(now, s.cfg.Rand)
	err = sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		if err := roomForWorkspace(ctx, tx, op, owner); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, q.Get("add-tenant"), tenant, name, home, "[]", "{}", Active, now.UnixMilli()); err != nil {
			return err
		}
		if err := s.put(ctx, tx, member{tenant, owner, work.Owner, true}); err != nil {
			return err
		}
		return s.publish(ctx, tx, tenant)
	})
	if err != nil {
		return "", fault.Wrap(op, err)
	}
	s.cfg.Log.Info("workspace created", "tenant", tenant, "person", owner, "home", home)
	return tenant, nil
}

func roomForWorkspace(ctx context.Context, tx *sql.Tx, op string, person id.ID) error {
	var n int
	if err := tx.QueryRowContext(ctx, q.Get("count-tenants"), person).Scan(&n); err != nil {
		return err
	}
	if n >= WorkspacesMax {
		return fault.Errorf(op, fault.Limit, "You are in %d workspaces, the most there can be. Leave one first.", WorkspacesMax)
	}
	return nil
}

type member struct {
	tenant, person id.ID
	role           string
	active         bool
}

// put writes a membership and keeps the count of seats.
func (s *Service) put(ctx context.Context, tx *sql.Tx, m member) error {
	now := s.cfg.Now().UnixMilli()
	if _, err := tx.ExecContext(ctx, q.Get("put-member"), m.tenant, m.person, m.role, colorOf(m.person), m.active, now); err != nil {
		return err
	}
	var n, last int64
	var at sql.NullInt64
	if err := tx.QueryRowContext(ctx, q.Get("count-seats"), m.tenant).Scan(&n); err != nil {
		return err
	}
	err := tx.QueryRowContext(ctx, q.Get("last-seats"), m.tenant).Scan(&at, &last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if at.Valid && last == n {
		return nil
	}
	if n > last {
		if err := s.roomForSeat(ctx, tx, m.tenant, n); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, q.Get("put-seats"), m.tenant, max(now, at.Int64+1), n)
	return err
}

// roomForSeat refuses one more seat than the plan allows. Somebody who only reads needs none.
func (s *Service) roomForSeat(ctx context.Context, tx *sql.Tx, tenant id.ID, n int64) error {
	const op = "tenancy.roomForSeat"
	var text string
	if err := tx.QueryRowContext(ctx, q.Get("limits"), tenant).Scan(&text); err != nil {
		return err
	}
	var limits map[string]int64
	if err := json.Unmarshal([]byte(text), &limits); err != nil {
		return fault.E(op, fault.Corrupt, err)
	}
	if limit, ok := limits["seats"]; ok && n > limit {
		return fault.Errorf(op, fault.Limit, "All %d seats of this workspace's plan are taken. An owner can choose a larger plan under Billing, or free a seat; viewers need none.", limit)
	}
	return nil
}

// colorOf gives a person the same color everywhere.
func colorOf(person id.ID) string {
	h := fnv.New32a()
	h.Write([]byte(person))
	bright := work.Colors[1:] // the first is gray, which means nobody
	return bright[int(h.Sum32()%uint32(len(bright)))]
}

// roleOf is the role of an active member of a workspace that is not deleted; everybody else gets "no such workspace".
func roleOf(ctx context.Context, db querier, op string, tenant, person id.ID) (string, error) {
	var role string
	err := db.QueryRowContext(ctx, q.Get("role"), tenant, person).Scan(&role)
	if errors.Is(err, sql.ErrNoRows) {
		return "", noSuch(op)
	}
	return role, sqlite.Wrap(op, err)
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Role is a person's role in a workspace; kind NotFound when they are no active member.
func (s *Service) Role(ctx context.Context, tenant, person id.ID) (string, error) {
	return roleOf(ctx, s.cfg.DB, "tenancy.Role", tenant, person)
}

// Rename changes the name that invitations and the list of workspaces show.
func (s *Service) Rename(ctx context.Context, tenant, caller id.ID, name string) error {
	const op = "tenancy.Rename"
	name, err := naming.Clean(op, "the workspace", name)
	if err != nil {
		return err
	}
	return fault.Wrap(op, sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		role, err := roleOf(ctx, tx, op, tenant, caller)
		if err != nil {
			return err
		}
		if role != work.Owner && role != work.Admin {
			return fault.Errorf(op, fault.Denied, "Only owners and admins can rename the workspace. Ask one of them.")
		}
		if _, err := tx.ExecContext(ctx, q.Get("rename-tenant"), name, tenant); err != nil {
			return err
		}
		return s.publish(ctx, tx, tenant)
	}))
}

// SetState restricts, frees or deletes a workspace. It is for the hub's own parts, not for callers from outside.
func (s *Service) SetState(ctx context.Context, tenant id.ID, state string) error {
	const op = "tenancy.SetState"
	if !slices.Contains([]string{Active, Restricted, Deleted}, state) {
		return fault.Errorf(op, fault.Invalid, "no state is called %q", state)
	}
	return fault.Wrap(op, s.set(ctx, tenant, "set-state", state))
}

// SetLimits replaces a workspace's plan limits. It is for the hub's own parts, not for callers from outside.
func (s *Service) SetLimits(ctx context.Context, tenant id.ID, limits map[string]int64) error {
	const op = "tenancy.SetLimits"
	b, err := json.Marshal(limits)
	if err != nil {
		return fault.E(op, fault.Invalid, err)
	}
	return fault.Wrap(op, s.set(ctx, tenant, "set-limits", string(b)))
}

func (s *Service) set(ctx context.Context, tenant id.ID, query, value string) error {
	return sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, q.Get(query), value, tenant)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(noSuch("tenancy.set"), err)
		}
		return s.publish(ctx, tx, tenant)
	})
}

// Renamed carries a person's new name to all of their workspaces, within the transaction that changed it.
func (s *Service) Renamed(ctx context.Context, tx *sql.Tx, person id.ID) error {
	const op = "tenancy.Renamed"
	rows, err := tx.QueryContext(ctx, q.Get("tenants-of"), person)
	if err != nil {
		return sqlite.Wrap(op, err)
	}
	tenants, err := scan(rows, func(r *sql.Rows) (t id.ID, err error) { return t, r.Scan(&t) })
	if err != nil {
		return sqlite.Wrap(op, err)
	}
	now := s.cfg.Now().UnixMilli()
	for _, t := range tenants {
		if _, err := tx.ExecContext(ctx, q.Get("touch-member"), now, t, person); err != nil {
			return sqlite.Wrap(op, err)
		}
		if err := s.publish(ctx, tx, t); err != nil {
			return err
		}
	}
	return nil
}

func scan[T any](rows *sql.Rows, one func(*sql.Rows) (T, error)) (list []T, err error) {
	defer rows.Close()
	for rows.Next() {
		v, err := one(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// publish puts the workspace's record, as it now is, into the directory's outbox.
func (s *Service) publish(ctx context.Context, tx *sql.Tx, tenant id.ID) error {
	t := directory.Tenant{ID: tenant}
	var regions, limits string
	err := tx.QueryRowContext(ctx, q.Get("get-tenant"), tenant).Scan(&t.Name, &t.Home, &regions, &limits, &t.State, &t.CreatedMS)
	if err != nil {
		return err
	}
	if err := errors.Join(json.Unmarshal([]byte(regions), &t.Regions), json.Unmarshal([]byte(limits), &t.Limits)); err != nil {
		return fault.E("tenancy.publish", fault.Corrupt, err)
	}
	rows, err := tx.QueryContext(ctx, q.Get("members"), tenant)
	if err != nil {
		return err
	}
	t.Members, err = scan(rows, func(r *sql.Rows) (m directory.Member, err error) {
		return m, r.Scan(&m.Person, &m.Name, &m.Role, &m.Color, &m.Active, &m.ChangedMS)
	})
	if err != nil {
		return err
	}
	return outbox.Put(ctx, tx, directory.TenantKey(tenant), t, time.Time{})
}
