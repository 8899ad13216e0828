package api

import (
	"holdfast/server/rule"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/work"
)

func (a *api) ruleRoutes() {
	const at = " /api/workspaces/{tenant}/rules"
	const one = at + "/{rule}"
	a.route("GET"+at, signedIn, a.ruled(func(c *call) (any, error) { return a.Rules.List(c.ctx, c.tenant()) }))
	a.route("POST"+at, signedIn|publishes, a.ruled(func(c *call) (any, error) {
		var d rule.Draft
		if err := c.decode(&d); err != nil {
			return nil, err
		}
		return a.Rules.Add(c.ctx, c.tenant(), d)
	}))
	a.route("PUT"+one, signedIn|publishes, a.ruled(func(c *call) (any, error) {
		var d rule.Draft
		if err := c.decode(&d); err != nil {
			return nil, err
		}
		return a.Rules.Change(c.ctx, c.tenant(), c.rule(), d)
	}))
	a.route("DELETE"+one, signedIn|publishes, a.ruled(func(c *call) (any, error) {
		return nil, a.Rules.Remove(c.ctx, c.tenant(), c.rule())
	}))
}

func (c *call) rule() id.ID { return id.ID(c.r.PathValue("rule")) }

// ruled lets owners and admins through.
func (a *api) ruled(do func(*call) (any, error)) func(*call) (any, error) {
	return func(c *call) (any, error) {
		role, err := a.Tenancy.Role(c.ctx, c.tenant(), c.caller.Person.ID)
		if err == nil && role != work.Owner && role != work.Admin {
			err = fault.Errorf("api.ruled", fault.Denied, "Only owners and admins see and change the rules. Ask one of them.")
		}
		if err != nil {
			return nil, err
		}
		return do(c)
	}
}
