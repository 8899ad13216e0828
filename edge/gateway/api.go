package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/problem"
	"holdfast/sync/token"
	"holdfast/sync/wire"
)

// session reads who sends a request. Whoever has no session is told to sign in.
func (g *Gateway) session(r *http.Request) (token.Claims, error) {
	const op = "gateway.session"
	raw := ""
	if c, err := r.Cookie(token.Cookie); err == nil {
		raw = c.Value
	}
	claims, err := g.cfg.Node.Verify(raw)
	if fault.KindOf(err) == fault.Denied {
		return claims, &fault.Error{Op: op, Kind: fault.Expired, Detail: "You are not signed in. Sign in first.", Err: err}
	}
	return claims, fault.Wrap(op, err)
}

type meAnswer struct {
	Person     person      `json:"person"`
	Session    session     `json:"session"`
	Workspaces []workspace `json:"workspaces"`
}

// visitor is the answer to somebody who has no session at all.
type visitor struct {
	Person     *person     `json:"person"`
	Session    *session    `json:"session"`
	Workspaces []workspace `json:"workspaces"`
}

type person struct {
	ID   id.ID  `json:"id"`
	Name string `json:"name"`
}

type session struct {
	ID        id.ID `json:"id"`
	ExpiresMS int64 `json:"expiresMS"`
}

type workspace struct {
	ID      id.ID    `json:"id"`
	Name    string   `json:"name"`
	Role    string   `json:"role"`
	State   string   `json:"state"`
	Home    string   `json:"home"`
	Regions []string `json:"regions"` // empty: all
}

// me tells who one is and where one is a member. It is answered here: the token and the directory's copy say it all, and
// it must not depend on the hub.
func (g *Gateway) me(w http.ResponseWriter, r *http.Request) {
	if _, err := r.Cookie(token.Cookie); err != nil { // a visitor, which is no error: the page opens with this question
		writeJSON(w, visitor{Workspaces: []workspace{}})
		return
	}
	claims, err := g.session(r)
	if err != nil {
		problem.Write(w, err)
		return
	}
	a := meAnswer{person{claims.Person, claims.Name}, session{claims.Session, claims.Expires.UnixMilli()}, []workspace{}}
	for _, t := range g.cfg.Node.TenantsOf(claims.Person) {
		m := t.Member(claims.Person)
		if m == nil {
			continue
		}
		a.Person.Name = m.Name // newer than the token when it was changed since
		regions := t.Regions
		if regions == nil {
			regions = []string{}
		}
		a.Workspaces = append(a.Workspaces, workspace{t.ID, t.Name, m.Role, t.State, t.Home, regions})
	}
	writeJSON(w, a)
}

// What the hub gets to see of a request. Everything else stays here, above all what a client might send to look like us.
var passed = []string{"Accept", "Accept-Language", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "Origin", "Stripe-Signature", "User-Agent"}

// restPath begins the public API.
const restPath = "/api/v1/"

// hub passes a request on to the hub and its answer back.
func (g *Gateway) hub(w http.ResponseWriter, r *http.Request) {
	g.pass(w, r, func(*http.Response) bool { return false })
}

// pass is hub with the right to answer in the hub's place.
func (g *Gateway) pass(w http.ResponseWriter, r *http.Request, instead func(*http.Response) bool) {
	leave, ok := g.calls.enter(from(r).ip)
	if !ok {
		problem.Write(w, fault.Errorf("gateway.hub", fault.Limit, "Too many requests at once from your network. Wait a minute and try again."))
		return
	}
	defer leave()
	ctx, cancel := context.WithTimeout(r.Context(), hubMax)
	defer cancel()
	resp, err := g.ask(ctx, w, r)
	if err != nil {
		if fault.KindOf(err) == fault.Unavailable {
			g.cfg.Log.Warn("the hub did not answer", "route", r.Pattern, "err", err, "request", from(r).request)
			err = &fault.Error{Op: "gateway.hub", Kind: fault.Unavailable, Err: err,
				Detail: "Holdfast's center cannot be reached now, so people, passkeys and invitations have to wait. Your work goes on. Try again in a minute."}
		}
		problem.Write(w, err)
		return
	}
	defer resp.Body.Close()
	if instead(resp) {
		return
	}
	g.await(ctx, resp)
	if t := g.tenantOf(r, resp); t != "" {
		g.count(r, t)
	}
	for k, v := range resp.Header {
		switch k {
		case wire.HeaderDirectory, wire.HeaderTenant, wire.HeaderRequest, "Connection", "Transfer-Encoding", "Content-Length":
		default:
			w.Header()[k] = v
		}
	}
	w.WriteHeader(resp.StatusCode)
	if _, err := io.Copy(w, resp.Body); err != nil {
		g.cfg.Log.Debug("a client left before its answer", "err", err)
	}
}

func (g *Gateway) ask(ctx context.Context, w http.ResponseWriter, r *http.Request) (*http.Response, error) {
	const op = "gateway.ask"
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyBytesMax))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, fault.Errorf(op, fault.TooLarge, "A request holds at most %d bytes.", bodyBytesMax)
	}
	if err != nil {
		return nil, fault.E(op, fault.Invalid, err)
	}
	out, err := http.NewRequestWithContext(ctx, r.Method, "http://hub"+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return nil, fault.E(op, fault.Invalid, err)
	}
	for _, k := range passed {
		if v := r.Header.Values(k); len(v) > 0 {
			out.Header[k] = v
		}
	}
	if _, ok := out.Header["User-Agent"]; !ok {
		out.Header.Set("User-Agent", "") // or net/http would name itself
	}
	if key := r.Header.Get("Authorization"); key != "" && strings.HasPrefix(r.URL.Path, restPath) {
		out.Header.Set("Authorization", key) // and no cookie: whoever sends a key means the key
	} else if c, err := r.Cookie(token.Cookie); err == nil {
		out.AddCookie(&http.Cookie{Name: token.Cookie, Value: c.Value})
	}
	o := from(r)
	out.Header.Set(wire.HeaderClient, o.ip)
	out.Header.Set(wire.HeaderRequest, o.request)
	out.Header.Set(wire.HeaderRegion, g.cfg.Region)
	return g.cfg.Node.HubHTTP(ctx, out)
}

// await lets the directory's copy catch up with what the hub has just decided, so that the next request of the same
// person (opening the new workspace, say) finds it here. Past the time the answer goes out all the same.
func (g *Gateway) await(ctx context.Context, resp *http.Response) {
	revision, err := strconv.ParseUint(resp.Header.Get(wire.HeaderDirectory), 10, 64)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, revisionMax)
	defer cancel()
	if err := g.cfg.Node.WaitRevision(ctx, revision); err != nil {
		g.cfg.Log.Warn("the directory's copy is behind", "revision", revision, "err", err)
	}
}

// count meters a request for a workspace, and what is sent in answer to it.
func (g *Gateway) count(r *http.Request, t id.ID) {
	g.cfg.Node.APICall(t)
	*from(r).tenant = t
}

// tenantOf is the workspace for which a request was answered, when its sender may use it; otherwise it is empty.
func (g *Gateway) tenantOf(r *http.Request, resp *http.Response) id.ID {
	if t := id.ID(resp.Header.Get(wire.HeaderTenant)); t.Valid() {
		return t // the hub says so: only it knows keys
	}
	rest, ok := strings.CutPrefix(r.URL.Path, "/api/workspaces/")
	if !ok || resp.StatusCode >= http.StatusInternalServerError {
		return ""
	}
	tenant, _, _ := strings.Cut(rest, "/")
	claims, err := g.session(r)
	if err != nil {
		return ""
	}
	if _, _, ok := g.cfg.Node.Member(id.ID(tenant), claims.Person); !ok {
		return ""
	}
	return id.ID(tenant)
}
