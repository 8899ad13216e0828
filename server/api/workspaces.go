package api

import (
	"time"

	"holdfast/server/tenancy"
	"holdfast/server/throttle"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/work"
)

func (a *api) createWorkspace(c *call) (any, error) {
	name, err := c.name()
	if err != nil {
		return nil, err
	}
	tenant, err := a.Tenancy.Create(c.ctx, c.caller.Person.ID, name, c.visitor.Region)
	if err != nil {
		return nil, err
	}
	return struct {
		ID id.ID `json:"id"`
	}{tenant}, nil
}

func (a *api) renameWorkspace(c *call) (any, error) {
	name, err := c.name()
	if err != nil {
		return nil, err
	}
	return nil, a.Tenancy.Rename(c.ctx, c.tenant(), c.caller.Person.ID, name)
}

func (a *api) setMember(c *call) (any, error) {
	var change tenancy.MemberChange
	if err := c.decode(&change); err != nil {
		return nil, err
	}
	return nil, a.Tenancy.SetMember(c.ctx, c.tenant(), c.caller.Person.ID, id.ID(c.r.PathValue("person")), change)
}

func (a *api) invite(c *call) (any, error) {
	var in struct {
		Role string `json:"role"`
		Uses int    `json:"uses"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	inv, code, err := a.Tenancy.Invite(c.ctx, c.tenant(), c.caller.Person.ID, in.Role, in.Uses)
	if err != nil {
		return nil, err
	}
	return struct {
		tenancy.Invitation
		URL string `json:"url"`
	}{inv, c.page("join", code)}, nil
}

func (a *api) invitations(c *call) (any, error) {
	list, err := a.Tenancy.Invitations(c.ctx, c.tenant(), c.caller.Person.ID)
	return struct {
		Invitations []tenancy.Invitation `json:"invitations"`
	}{list}, err
}

func (a *api) revokeInvitation(c *call) (any, error) {
	return nil, a.Tenancy.Revoke(c.ctx, c.tenant(), c.caller.Person.ID, id.ID(c.r.PathValue("invitation")))
}

// code reads an invitation's code, slowing down whoever tries many.
func (a *api) code(c *call) (string, error) {
	if !a.codes.Allow(throttle.Address(c.visitor.IP), a.Now()) {
		return "", fault.Errorf("api.code", fault.Limit, "That was too often. Wait a minute and try again.")
	}
	code := c.r.PathValue("code")
	if len(code) > codeBytesMax {
		code = ""
	}
	return code, nil
}

func (a *api) lookAtInvitation(c *call) (any, error) {
	code, err := a.code(c)
	if err != nil {
		return nil, err
	}
	return a.Tenancy.Look(c.ctx, code)
}

func (a *api) acceptInvitation(c *call) (any, error) {
	code, err := a.code(c)
	if err != nil {
		return nil, err
	}
	tenant, err := a.Tenancy.Accept(c.ctx, c.caller.Person.ID, code)
	return struct {
		ID id.ID `json:"id"`
	}{tenant}, err
}

const monthForm = "2006-01"

// usage gives the totals of a month to owners and admins: the numbers that an invoice is made of.
func (a *api) usage(c *call) (any, error) {
	const op = "api.usage"
	role, err := a.Tenancy.Role(c.ctx, c.tenant(), c.caller.Person.ID)
	if err != nil {
		return nil, err
	}
	if role != work.Owner && role != work.Admin {
		return nil, fault.Errorf(op, fault.Denied, "Only owners and admins see the usage. Ask one of them.")
	}
	now := a.Now().UTC()
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	if text := c.r.URL.Query().Get("month"); text != "" {
		if month, err = time.Parse(monthForm, text); err != nil {
			return nil, fault.Errorf(op, fault.Invalid, "A month looks like %s.", now.Format(monthForm))
		}
	}
	rows, asOf, err := a.Usage.Month(c.ctx, c.tenant(), month)
	if err != nil {
		return nil, err
	}
	asOfMS := int64(0) // a region was never read
	if !asOf.IsZero() {
		asOfMS = asOf.UnixMilli()
	}
	return struct {
		Month  string     `json:"month"`
		Rows   []UsageRow `json:"rows"`
		AsOfMS int64      `json:"asOfMS"`
	}{month.Format(monthForm), rows, asOfMS}, nil
}
