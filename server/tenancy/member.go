package tenancy

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
	"holdfast/sync/work"
)

// MemberChange is what may be changed about a member; nil leaves it.
type MemberChange struct {
	Role   *string `json:"role"`
	Active *bool   `json:"active"` // false removes the member, who stays known as the author of their work; the way back is an invitation
}

// SetMember changes a member's role or removes them. Owners may change everybody; admins may change members and viewers;
// everybody may leave. A workspace's last owner can neither leave nor become something else. Nobody is made a member again
// without their own doing: whoever was removed, or left, accepts an invitation like anybody else.
func (s *Service) SetMember(ctx context.Context, tenant, caller, person id.ID, c MemberChange) error {
	const op = "tenancy.SetMember"
	if c.Role != nil && !slices.Contains(work.Roles, *c.Role) {
		return fault.Errorf(op, fault.Invalid, "No role is called %q. Choose owner, admin, member or viewer.", *c.Role)
	}
	err := sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		mine, err := roleOf(ctx, tx, op, tenant, caller)
		if err != nil {
			return err
		}
		old := member{tenant: tenant, person: person}
		err = tx.QueryRowContext(ctx, q.Get("get-member"), tenant, person).Scan(&old.role, &old.active)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.Errorf(op, fault.NotFound, "There is no such member. Load the list again.")
		}
		if err != nil {
			return err
		}
		next := old
		if c.Role != nil {
			next.role = *c.Role
		}
		if c.Active != nil {
			next.active = *c.Active
		}
		if next == old {
			return nil
		}
		if !old.active {
			return fault.Errorf(op, fault.Conflict, "They are no member any more. Send them an invitation, so that they can decide to come back.")
		}
		if err := mayChange(op, mine, caller == person, old, next); err != nil {
			return err
		}
		if err := s.put(ctx, tx, next); err != nil {
			return err
		}
		if err := hasOwner(ctx, tx, op, tenant); err != nil {
			return err
		}
		if !next.active || rank(next.role) > rank(old.role) {
			// Whoever may invite less must not let people in, or themselves back in, with a code from before.
			if _, err := tx.ExecContext(ctx, q.Get("revoke-of-inviter"), s.cfg.Now().UnixMilli(), tenant, person); err != nil {
				return err
			}
		}
		return s.publish(ctx, tx, tenant)
	})
	if err == nil {
		s.cfg.Log.Info("member changed", "tenant", tenant, "by", caller, "person", person)
	}
	return fault.Wrap(op, err)
}

// mayChange decides whether somebody with a role may turn old into next.
func mayChange(op, role string, self bool, old, next member) error {
	low := func(r string) bool { return r == work.Member || r == work.Viewer }
	switch {
	case role == work.Owner:
		return nil
	case self && old.active && rank(next.role) >= rank(old.role):
		return nil // leaving, or stepping down
	case role == work.Admin && low(old.role) && low(next.role):
		return nil
	case role == work.Admin:
		return fault.Errorf(op, fault.Denied, "Only an owner can change owners and admins. Ask one of them.")
	}
	return fault.Errorf(op, fault.Denied, "Only owners and admins can change members. Ask one of them.")
}

// rank is 0 for an owner and grows as the role may do less.
func rank(role string) int { return slices.Index(work.Roles, role) }

func hasOwner(ctx context.Context, tx *sql.Tx, op string, tenant id.ID) error {
	var n int
	if err := tx.QueryRowContext(ctx, q.Get("count-owners"), tenant).Scan(&n); err != nil {
		return err
	}
	if n == 0 {
		return fault.Errorf(op, fault.Conflict, "A workspace needs an owner. Make somebody else an owner first.")
	}
	return nil
}

// Seats is how many paid seats a workspace has: active members who may write.
type Seats struct {
	Now   int64     // at the end of the span asked for
	Since time.Time // when they became so many
	Peak  int64     // most at any moment of the span
	Hours int64     // seats times hours in the span, rounded down
}

// SeatsIn counts the seats of a workspace from a moment until before another.
func (s *Service) SeatsIn(ctx context.Context, tenant id.ID, from, until time.Time) (n Seats, err error) {
	const op = "tenancy.SeatsIn"
	rows, err := s.cfg.DB.QueryContext(ctx, q.Get("seats-in"), tenant, until.UnixMilli(), tenant, from.UnixMilli())
	if err != nil {
		return n, sqlite.Wrap(op, err)
	}
	type step struct{ at, seats int64 }
	list, err := scan(rows, func(r *sql.Rows) (v step, err error) { return v, r.Scan(&v.at, &v.seats) })
	area := int64(0)
	for i, v := range list {
		end := until.UnixMilli()
		if i+1 < len(list) {
			end = list[i+1].at
		}
		area += v.seats * max(0, end-max(v.at, from.UnixMilli()))
		n.Now, n.Since, n.Peak = v.seats, time.UnixMilli(v.at), max(n.Peak, v.seats)
	}
	n.Hours = area / time.Hour.Milliseconds()
	return n, sqlite.Wrap(op, err)
}
