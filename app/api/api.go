// Package api is what the page asks over HTTP: signing in, workspaces and their people, usage. The work itself never goes
// this way: it goes through the replica, and so works without a network.
//
// Every call blocks; make it on a goroutine of its own.
package api

import (
	"encoding/json"
	"net/url"
	"strings"

	"holdfast/app/browser"
	"holdfast/app/view"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// Fetch makes one same-origin request with a JSON body; an error means that no answer came.
type Fetch func(method, path, body string) (status int, answer string, err error)

// Client asks. The zero value asks the page's own origin.
type Client struct {
	Fetch Fetch
}

// Problem is a refused or failed call (RFC 9457).
type Problem struct {
	Status int        `json:"status"`
	Title  string     `json:"title"`
	Detail string     `json:"detail"`
	Kind   kindName   `json:"kind"`
	Fault  fault.Kind `json:"-"`
}

// kindName reads a fault's kind, written as its name or its number.
type kindName string

func (k *kindName) UnmarshalJSON(b []byte) error {
	*k = kindName(strings.Trim(string(b), `"`))
	return nil
}

// Sentence is what a person reads.
func (p *Problem) Sentence() string { return view.Sentence(p.Fault, p.Detail) }

// Away tells whether the service could not be asked at all.
func (p *Problem) Away() bool { return p.Status == 0 }

// call asks; in and out may be nil.
func (c Client) call(method, path string, in, out any) *Problem {
	body := ""
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return &Problem{Status: 400, Fault: fault.Invalid}
		}
		body = string(b)
	}
	return c.raw(method, path, body, out)
}

func (c Client) raw(method, path, body string, out any) *Problem {
	fetch := c.Fetch
	if fetch == nil {
		fetch = browser.Fetch
	}
	status, answer, err := fetch(method, path, body)
	if err != nil {
		return &Problem{Fault: fault.Unavailable}
	}
	if status >= 400 {
		return problem(status, answer)
	}
	if text, ok := out.(*string); ok {
		*text = answer
		return nil
	}
	if out != nil && json.Unmarshal([]byte(answer), out) != nil {
		return &Problem{Status: status, Fault: fault.Unsupported}
	}
	return nil
}

func problem(status int, answer string) *Problem {
	p := &Problem{}
	// An answer that is no problem document comes from something in between; the status says enough.
	json.Unmarshal([]byte(answer), p)
	p.Status = status
	for k := fault.Other; k.Known(); k++ {
		if string(p.Kind) == k.String() {
			p.Fault = k
			return p
		}
	}
	p.Fault = byStatus(status)
	return p
}

func byStatus(status int) fault.Kind {
	switch status {
	case 400, 422:
		return fault.Invalid
	case 401:
		return fault.Expired
	case 403:
		return fault.Denied
	case 404, 410:
		return fault.NotFound
	case 409:
		return fault.Conflict
	case 413:
		return fault.TooLarge
	case 429:
		return fault.Limit
	case 502, 503, 504:
		return fault.Unavailable
	}
	return fault.Other
}

// Person is somebody with passkeys.
type Person struct {
	ID   id.ID  `json:"id"`
	Name string `json:"name"`
}

// Workspace is one that the person belongs to.
type Workspace struct {
	ID      id.ID    `json:"id"`
	Name    string   `json:"name"`
	Role    string   `json:"role"`
	Home    string   `json:"home"`
	Regions []string `json:"regions"`
}

// Me is who is signed in here.
type Me struct {
	Person     Person      `json:"person"`
	Session    Session     `json:"session"`
	Workspaces []Workspace `json:"workspaces"`
}

// Workspace finds one of mine.
func (m *Me) Workspace(of id.ID) (Workspace, bool) {
	if m != nil {
		for _, w := range m.Workspaces {
			if w.ID == of {
				return w, true
			}
		}
	}
	return Workspace{}, false
}

// Session is a signed-in browser.
type Session struct {
	ID        string `json:"id"`
	Agent     string `json:"agent"` // browser and system, in words
	Region    string `json:"region"`
	CreatedMS int64  `json:"createdMS"`
	SeenMS    int64  `json:"seenMS"`
	ExpiresMS int64  `json:"expiresMS"`
	Current   bool   `json:"current"`
}

// Passkey is one of a person's.
type Passkey struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	CreatedMS int64  `json:"createdMS"`
	UsedMS    int64  `json:"usedMS"`
	Synced    bool   `json:"synced"`
}

// Invitation is a link by which people join.
type Invitation struct {
	ID        string `json:"id"`
	Role      string `json:"role"`
	URL       string `json:"url"`
	ExpiresMS int64  `json:"expiresMS"`
}

// Invited is what an invitation says to whom it was sent.
type Invited struct {
	Workspace string `json:"workspace"`
	Inviter   string `json:"inviter"`
}

// Usage is a month's totals of a workspace.
type Usage struct {
	Month  string     `json:"month"`
	Rows   []UsageRow `json:"rows"`
	AsOfMS int64      `json:"asOfMS"`
}

type UsageRow struct {
	Meter    string `json:"meter"`
	Unit     string `json:"unit"`
	Quantity int64  `json:"quantity"`
}

// Link is a one-time link that signs a second browser in.
type Link struct {
	URL       string `json:"url"`
	Code      string `json:"code"`
	ExpiresMS int64  `json:"expiresMS"`
}

type named struct {
	Name string `json:"name"`
}

// Me asks who is signed in.
func (c Client) Me() (m Me, p *Problem) { p = c.call("GET", "/api/me", nil, &m); return }

// Operator tells whether the person runs the whole installation.
func (c Client) Operator() (is bool, p *Problem) {
	var me struct {
		Operator bool `json:"operator"`
	}
	p = c.call("GET", "/api/people/me", nil, &me)
	return me.Operator, p
}

// Renew gets a new token for a session that still stands.
func (c Client) Renew() *Problem { return c.call("POST", "/api/auth/renew", struct{}{}, nil) }

// SignOut ends the session.
func (c Client) SignOut() *Problem { return c.call("POST", "/api/auth/signout", struct{}{}, nil) }

// The ceremonies: Begin gives the browser's options as JSON, Finish takes its answer.
func (c Client) SignUpBegin(name string) (options string, p *Problem) {
	p = c.call("POST", "/api/auth/signup/begin", named{name}, &options)
	return
}

func (c Client) SignUpFinish(answer string) *Problem {
	return c.raw("POST", "/api/auth/signup/finish", answer, nil)
}

func (c Client) SignInBegin() (options string, p *Problem) {
	p = c.call("POST", "/api/auth/signin/begin", struct{}{}, &options)
	return
}

func (c Client) SignInFinish(answer string) *Problem {
	return c.raw("POST", "/api/auth/signin/finish", answer, nil)
}

func (c Client) PasskeyBegin() (options string, p *Problem) {
	p = c.call("POST", "/api/auth/passkeys/begin", struct{}{}, &options)
	return
}

func (c Client) PasskeyFinish(answer string) *Problem {
	return c.raw("POST", "/api/auth/passkeys/finish", answer, nil)
}

// LinkBegin makes a one-time link; LinkFinish, on the second browser, redeems its code and gives options for a passkey.
func (c Client) LinkBegin() (l Link, p *Problem) {
	p = c.call("POST", "/api/auth/link/begin", struct{}{}, &l)
	return
}

func (c Client) LinkFinish(code string) *Problem {
	return c.call("POST", "/api/auth/link/finish", map[string]string{"code": code}, nil)
}

// Passkeys and sessions of the person.
func (c Client) Passkeys() (list []Passkey, p *Problem) { return all[Passkey](c, "/api/auth/passkeys") }

func (c Client) RenamePasskey(key, name string) *Problem {
	return c.call("PATCH", "/api/auth/passkeys/"+url.PathEscape(key), named{name}, nil)
}

func (c Client) RemovePasskey(key string) *Problem {
	return c.call("DELETE", "/api/auth/passkeys/"+url.PathEscape(key), nil, nil)
}

func (c Client) Sessions() (list []Session, p *Problem) { return all[Session](c, "/api/auth/sessions") }

func (c Client) EndSession(of string) *Problem {
	return c.call("DELETE", "/api/auth/sessions/"+url.PathEscape(of), nil, nil)
}

// all reads a list, given bare or as the one member of an object.
func all[T any](c Client, path string) (list []T, p *Problem) {
	var raw json.RawMessage
	if p = c.call("GET", path, nil, &raw); p != nil {
		return nil, p
	}
	if json.Unmarshal(raw, &list) == nil {
		return list, nil
	}
	var wrapped map[string]json.RawMessage
	if json.Unmarshal(raw, &wrapped) == nil {
		for _, v := range wrapped {
			if json.Unmarshal(v, &list) == nil {
				return list, nil
			}
		}
	}
	return nil, &Problem{Status: 200, Fault: fault.Unsupported}
}

// NewWorkspace makes a workspace whose owner is the person.
func (c Client) NewWorkspace(name string) (w Workspace, p *Problem) {
	p = c.call("POST", "/api/workspaces", named{name}, &w)
	return
}

// SetRole gives a member a role; Deactivate takes the seat away.
func (c Client) SetRole(tenant, person id.ID, role string) *Problem {
	return c.call("PATCH", ws(tenant)+"/members/"+string(person), map[string]string{"role": role}, nil)
}

func (c Client) Deactivate(tenant, person id.ID) *Problem {
	return c.call("PATCH", ws(tenant)+"/members/"+string(person), map[string]bool{"active": false}, nil)
}

func (c Client) Invite(tenant id.ID, role string) (i Invitation, p *Problem) {
	p = c.call("POST", ws(tenant)+"/invitations", map[string]string{"role": role}, &i)
	return
}

func (c Client) Invitations(tenant id.ID) ([]Invitation, *Problem) {
	return all[Invitation](c, ws(tenant)+"/invitations")
}

func (c Client) Withdraw(tenant id.ID, invitation string) *Problem {
	return c.call("DELETE", ws(tenant)+"/invitations/"+url.PathEscape(invitation), nil, nil)
}

// Invited tells what an invitation is to; Accept joins.
func (c Client) Invited(code string) (i Invited, p *Problem) {
	p = c.call("GET", "/api/invitations/"+url.PathEscape(code), nil, &i)
	return
}

func (c Client) Accept(code string) (w Workspace, p *Problem) {
	p = c.call("POST", "/api/invitations/"+url.PathEscape(code)+"/accept", struct{}{}, &w)
	return
}

// Usage is a month's, written 2026-11.
func (c Client) Usage(tenant id.ID, month string) (u Usage, p *Problem) {
	p = c.call("GET", ws(tenant)+"/usage?month="+month, nil, &u)
	return
}

func ws(tenant id.ID) string { return "/api/workspaces/" + string(tenant) }
