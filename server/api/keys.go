package api

import (
	"holdfast/server/apikey"
)

func (a *api) keys(c *call) (any, error) {
	list, err := a.Keys.List(c.ctx, c.tenant(), c.caller.Person.ID)
	return struct {
		Keys []apikey.Key `json:"keys"`
	}{list}, err
}

// makeKey answers with the key's text, which is nowhere else and cannot be asked for again.
func (a *api) makeKey(c *call) (any, error) {
	var in apikey.Wish
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	k, text, err := a.Keys.Create(c.ctx, c.tenant(), c.caller.Person.ID, in)
	if err != nil {
		return nil, err
	}
	a.Log.Info("API key made", "tenant", k.Tenant, "key", k.ID, "person", c.caller.Person.ID)
	return struct {
		apikey.Key
		Text string `json:"text"`
	}{k, text}, nil
}

func (a *api) revokeKey(c *call) (any, error) {
	key := c.r.PathValue("key")
	if err := a.Keys.Revoke(c.ctx, c.tenant(), c.caller.Person.ID, key); err != nil {
		return nil, err
	}
	a.Log.Info("API key revoked", "tenant", logTenant(c), "person", c.caller.Person.ID)
	return nil, nil
}
