package tenancy

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"io"
	"slices"
	"strings"

	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
	"holdfast/sync/work"
)

// Invitation is a way into a workspace for whoever has its code.
type Invitation struct {
	ID        id.ID  `json:"id"`
	Role      string `json:"role"`
	Inviter   string `json:"inviter"`  // name
	UsesLeft  int    `json:"usesLeft"` //
	CreatedMS int64  `json:"createdMS"`
	ExpiresMS int64  `json:"expiresMS"`
}

// Welcome is what somebody who holds a code may know before they accept.
type Welcome struct {
	Workspace string `json:"workspace"`
	Inviter   string `json:"inviter"`
	Role      string `json:"role"`
}

// Invite makes an invitation and its code. Only the code's hash is kept, so the code can be shown this once only. uses 0
// means InvitationUses.
func (s *Service) Invite(ctx context.Context, tenant, caller id.ID, role string, uses int) (inv Invitation, code string, err error) {
	const op = "tenancy.Invite"
	if uses == 0 {
		uses = InvitationUses
	}
	switch {
	case !slices.Contains([]string{work.Admin, work.Member, work.Viewer}, role):
		return inv, "", fault.Errorf(op, fault.Invalid, "An invitation is for an admin, a member or a viewer. An owner can make a member an owner later.")
	case uses < 0 || uses > InvitationUseMax:
		return inv, "", fault.Errorf(op, fault.Invalid, "An invitation can be used 1 to %d times.", InvitationUseMax)
	}
	var raw [codeBytes]byte
	if _, err := io.ReadFull(s.cfg.Rand, raw[:]); err != nil {
		return inv, "", fault.E(op, fault.Other, err)
	}
	code = id.Text(raw)
	now := s.cfg.Now()
	inv = Invitation{ID: id.New(now, s.cfg.Rand), Role: role, UsesLeft: uses, CreatedMS: now.UnixMilli(), ExpiresMS: now.Add(invitationTTL).UnixMilli()}
	err = sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		mine, err := roleOf(ctx, tx, op, tenant, caller)
		if err != nil {
			return err
		}
		if err := mayInvite(op, mine, role); err != nil {
			return err
		}
		var open int
		if err := tx.QueryRowContext(ctx, q.Get("count-invitations"), tenant, inv.CreatedMS).Scan(&open); err != nil {
			return err
		}
		if open >= InvitationsMax {
			return fault.Errorf(op, fault.Limit, "There are %d open invitations, the most there can be. Revoke some first.", InvitationsMax)
		}
		if err := tx.QueryRowContext(ctx, q.Get("person-name"), caller).Scan(&inv.Inviter); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, q.Get("add-invitation"), inv.ID, codeHash(code), tenant, caller, role, uses, inv.CreatedMS, inv.ExpiresMS)
		return err
	})
	return inv, code, fault.Wrap(op, err)
}

func mayInvite(op, mine, role string) error {
	switch {
	case mine == work.Owner, mine == work.Admin && role != work.Admin:
		return nil
	case mine == work.Admin:
		return fault.Errorf(op, fault.Denied, "Only an owner can invite admins. Ask one of them.")
	}
	return fault.Errorf(op, fault.Denied, "Only owners and admins can invite people. Ask one of them.")
}

// codeHash is what is kept of a code. Codes are 128 random bits, so a plain hash cannot be searched.
func codeHash(code string) []byte {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.TrimSpace(code))))
	return sum[:]
}

// Invitations lists the open invitations of a workspace, for owners and admins.
func (s *Service) Invitations(ctx context.Context, tenant, caller id.ID) ([]Invitation, error) {
	const op = "tenancy.Invitations"
	mine, err := roleOf(ctx, s.cfg.DB, op, tenant, caller)
	if err != nil {
		return nil, err
	}
	if err := mayInvite(op, mine, work.Viewer); err != nil {
		return nil, err
	}
	rows, err := s.cfg.DB.QueryContext(ctx, q.Get("list-invitations"), tenant, s.cfg.Now().UnixMilli())
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	list, err := scan(rows, func(r *sql.Rows) (v Invitation, err error) {
		return v, r.Scan(&v.ID, &v.Role, &v.Inviter, &v.UsesLeft, &v.CreatedMS, &v.ExpiresMS)
	})
	if list == nil {
		list = []Invitation{}
	}
	return list, sqlite.Wrap(op, err)
}

// Revoke makes an invitation's code useless.
func (s *Service) Revoke(ctx context.Context, tenant, caller, invitation id.ID) error {
	const op = "tenancy.Revoke"
	return fault.Wrap(op, sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		mine, err := roleOf(ctx, tx, op, tenant, caller)
		if err != nil {
			return err
		}
		if err := mayInvite(op, mine, work.Viewer); err != nil {
			return err
		}
		r, err := tx.ExecContext(ctx, q.Get("revoke-invitation"), s.cfg.Now().UnixMilli(), invitation, tenant)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(fault.Errorf(op, fault.NotFound, "That invitation is not open any more. Load the list again."), err)
		}
		return nil
	}))
}

func badCode(op string) error {
	return fault.Errorf(op, fault.NotFound, "This invitation does not work any more. Ask whoever sent it for a new one.")
}

type opened struct {
	invitation, tenant id.ID
	Welcome
}

// open finds what a code leads to. Codes that were never made, have expired, were revoked or are used up look the same.
func (s *Service) open(ctx context.Context, db querier, op, code string) (o opened, err error) {
	err = db.QueryRowContext(ctx, q.Get("open-invitation"), codeHash(code), s.cfg.Now().UnixMilli()).
		Scan(&o.invitation, &o.tenant, &o.Workspace, &o.Inviter, &o.Role)
	if errors.Is(err, sql.ErrNoRows) {
		return o, badCode(op)
	}
	return o, sqlite.Wrap(op, err)
}

// Look tells what a code leads to.
func (s *Service) Look(ctx context.Context, code string) (Welcome, error) {
	o, err := s.open(ctx, s.cfg.DB, "tenancy.Look", code)
	return o.Welcome, err
}

// Accept makes a person a member, and uses the invitation up by one. Who is a member already stays what they are; who
// was one comes back with the invitation's role.
func (s *Service) Accept(ctx context.Context, person id.ID, code string) (tenant id.ID, err error) {
	const op = "tenancy.Accept"
	err = sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		o, err := s.open(ctx, tx, op, code)
		if err != nil {
			return err
		}
		tenant = o.tenant
		var role string
		var active bool
		err = tx.QueryRowContext(ctx, q.Get("get-member"), o.tenant, person).Scan(&role, &active)
		if err == nil && active {
			return nil
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err := roomFor(ctx, tx, op, o.tenant, person, err == nil); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, q.Get("use-invitation"), o.invitation); err != nil {
			return err
		}
		if err := s.put(ctx, tx, member{o.tenant, person, o.Role, true}); err != nil {
			return err
		}
		s.cfg.Log.Info("invitation accepted", "tenant", o.tenant, "person", person, "invitation", o.invitation)
		return s.publish(ctx, tx, o.tenant)
	})
	if err != nil {
		return "", fault.Wrap(op, err)
	}
	return tenant, nil
}

func roomFor(ctx context.Context, tx *sql.Tx, op string, tenant, person id.ID, known bool) error {
	if err := roomForWorkspace(ctx, tx, op, person); err != nil || known {
		return err
	}
	var n int
	if err := tx.QueryRowContext(ctx, q.Get("count-members"), tenant).Scan(&n); err != nil {
		return err
	}
	if n >= MembersMax {
		return fault.Errorf(op, fault.Limit, "This workspace has %d members, the most there can be. Tell whoever invited you.", MembersMax)
	}
	return nil
}
