package api

import (
	"net/http"

	"holdfast/server/identity"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

func (a *api) signUpBegin(c *call) (any, error) {
	var in struct {
		Name string `json:"name"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	return a.Identity.BeginSignUp(c.ctx, c.visitor, in.Name)
}

func (a *api) signUpFinish(c *call) (any, error) {
	return c.granted(a.Identity.FinishSignUp(c.ctx, c.visitor, c.body))
}

func (a *api) signInBegin(c *call) (any, error) { return a.Identity.BeginSignIn(c.ctx, c.visitor) }

func (a *api) signInFinish(c *call) (any, error) {
	return c.granted(a.Identity.FinishSignIn(c.ctx, c.visitor, c.body))
}

func (c *call) granted(g identity.Grant, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return c.grant(g), nil
}

func (a *api) linkBegin(c *call) (any, error) {
	l, err := a.Identity.BeginLink(c.ctx, c.caller)
	if err != nil {
		return nil, err
	}
	return struct {
		Code      string `json:"code"`
		URL       string `json:"url"`
		ExpiresMS int64  `json:"expiresMS"`
	}{l.Code, c.page("link", l.Code), l.ExpiresMS}, nil
}

func (a *api) linkFinish(c *call) (any, error) {
	var in struct {
		Code string `json:"code"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if len(in.Code) > codeBytesMax {
		in.Code = ""
	}
	return c.granted(a.Identity.FinishLink(c.ctx, c.visitor, in.Code))
}

func (a *api) renew(c *call) (any, error) {
	g, err := a.Identity.Renew(c.ctx, c.token(), c.visitor)
	if fault.KindOf(err) == fault.Denied {
		return nil, &fault.Error{Op: "api.renew", Kind: fault.Expired, Detail: "You are not signed in. Sign in first.", Err: err}
	}
	return c.granted(g, err)
}

// signOut ends the session, when there is one, and takes the cookie away in any case.
func (a *api) signOut(c *call) (any, error) {
	caller, err := a.authenticate(c)
	if err == nil {
		err = a.Identity.EndSession(c.ctx, caller, caller.Session)
	}
	switch fault.KindOf(err) {
	case fault.Expired, fault.NotFound:
		err = nil
	}
	if err != nil {
		return nil, err
	}
	http.SetCookie(c.w, c.cookie("", -1))
	return nil, nil
}

func (a *api) sessions(c *call) (any, error) {
	list, err := a.Identity.Sessions(c.ctx, c.caller)
	return struct {
		Sessions []identity.Session `json:"sessions"`
	}{list}, err
}

func (a *api) endSession(c *call) (any, error) {
	return nil, a.Identity.EndSession(c.ctx, c.caller, id.ID(c.r.PathValue("session")))
}

func (a *api) endOthers(c *call) (any, error) {
	n, err := a.Identity.EndOthers(c.ctx, c.caller)
	return struct {
		Ended int `json:"ended"`
	}{n}, err
}

func (a *api) passkeys(c *call) (any, error) {
	list, err := a.Identity.Passkeys(c.ctx, c.caller)
	return struct {
		Passkeys []identity.Passkey `json:"passkeys"`
	}{list}, err
}

func (a *api) addBegin(c *call) (any, error) { return a.Identity.BeginAdd(c.ctx, c.caller) }

func (a *api) addFinish(c *call) (any, error) {
	return nil, a.Identity.FinishAdd(c.ctx, c.caller, c.visitor, c.body)
}

func (a *api) renamePasskey(c *call) (any, error) {
	name, err := c.name()
	if err != nil {
		return nil, err
	}
	return nil, a.Identity.RenamePasskey(c.ctx, c.caller, c.r.PathValue("passkey"), name)
}

func (a *api) removePasskey(c *call) (any, error) {
	return nil, a.Identity.RemovePasskey(c.ctx, c.caller, c.r.PathValue("passkey"))
}

// person is the caller; operators, and only they, are told that there is a console.
func (a *api) person(c *call) (any, error) {
	out := struct {
		identity.Person
		Operator bool `json:"operator,omitempty"`
	}{Person: c.caller.Person}
	if a.Operators == nil {
		return out, nil
	}
	var err error
	out.Operator, err = a.Operators.IsOperator(c.ctx, c.caller.Person.ID)
	return out, err
}

// renamePerson also hands out a token with the new name.
func (a *api) renamePerson(c *call) (any, error) {
	name, err := c.name()
	if err != nil {
		return nil, err
	}
	if _, err := a.Identity.RenamePerson(c.ctx, c.caller, name); err != nil {
		return nil, err
	}
	return c.granted(a.Identity.Renew(c.ctx, c.token(), c.visitor))
}

func (c *call) name() (string, error) {
	var in struct {
		Name string `json:"name"`
	}
	err := c.decode(&in)
	return in.Name, err
}
