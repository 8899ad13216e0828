// Package api is the hub's JSON API for the page: people, passkeys, sessions, workspaces, invitations, usage, billing.
//
// Requests come from edges, which pass on what browsers send and add the client's address, their region and a request id.
// Bodies and answers are JSON; errors are problem details (holdfast/sync/problem). What a request must bring:
//   - the session cookie, except to sign up, sign in, use a code or look at an invitation;
//   - an Origin header with one of our origins, whenever it changes something. With the cookie's SameSite=Lax and the
//     content type application/json, which a form cannot send, this is what keeps other sites from acting for a person.
//
// An answer to a request that changed the directory carries its revision (wire.HeaderDirectory), so that the edge can
// wait until it knows what the person was just promised. Nothing that is secret is logged: routes, not paths.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast/server/apikey"
	"holdfast/server/biller"
	"holdfast/server/identity"
	"holdfast/server/metering"
	"holdfast/server/operator"
	"holdfast/server/outbox"
	"holdfast/server/restapi"
	"holdfast/server/rule"
	"holdfast/server/tenancy"
	"holdfast/server/throttle"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/problem"
	"holdfast/sync/token"
	"holdfast/sync/wire"
)

// Usage tells what a workspace used.
type Usage interface {
	// Month gives the totals of a month, which begins at the given moment (UTC), and when they were last added to.
	Month(ctx context.Context, tenant id.ID, month time.Time) (rows []UsageRow, asOf time.Time, err error)
}

// Meters tells how usage is counted.
type Meters interface {
	Health(ctx context.Context) ([]metering.Health, error)
	Totals(ctx context.Context, month time.Time) ([]metering.Total, error)
}

// UsageRow is the total of one meter.
type UsageRow struct {
	Meter    string `json:"meter"`
	Unit     string `json:"unit"`
	Quantity int64  `json:"quantity"`
}

// Config is what the API needs.
type Config struct {
	Identity  *identity.Service
	Tenancy   *tenancy.Service
	Usage     Usage
	Billing   *biller.Service // nil: nothing is billed
	Outbox    *outbox.Service
	Rules     *rule.Service // nil: there are no rules
	Operators *operator.Service
	Meters    Meters                                             // how usage is counted, for operators
	Keys      *apikey.Service                                    // nil: there are no API keys
	Flush     func(context.Context) (revision uint64, err error) // of the directory
	Origins   []string
	Now       func() time.Time
	Log       *slog.Logger
}

type api struct {
	Config
	mux   *http.ServeMux
	codes *throttle.Throttle
}

// New makes the handler.
func New(cfg Config) http.Handler {
	a := &api{Config: cfg, mux: http.NewServeMux(), codes: throttle.New(codeRate)}
	a.routes()
	return a
}

func (a *api) routes() {
	a.route("POST /api/auth/signup/begin", 0, a.signUpBegin)
	a.route("POST /api/auth/signup/finish", publishes, a.signUpFinish)
	a.route("POST /api/auth/signin/begin", 0, a.signInBegin)
	a.route("POST /api/auth/signin/finish", publishes, a.signInFinish)
	a.route("POST /api/auth/link/begin", signedIn, a.linkBegin)
	a.route("POST /api/auth/link/finish", publishes, a.linkFinish)
	a.route("POST /api/auth/renew", 0, a.renew)
	a.route("POST /api/auth/signout", publishes, a.signOut)
	a.route("GET /api/auth/sessions", signedIn, a.sessions)
	a.route("DELETE /api/auth/sessions", signedIn|publishes, a.endOthers)
	a.route("DELETE /api/auth/sessions/{session}", signedIn|publishes, a.endSession)
	a.route("GET /api/auth/passkeys", signedIn, a.passkeys)
	a.route("POST /api/auth/passkeys/begin", signedIn, a.addBegin)
	a.route("POST /api/auth/passkeys/finish", signedIn, a.addFinish)
	a.route("PATCH /api/auth/passkeys/{passkey}", signedIn, a.renamePasskey)
	a.route("DELETE /api/auth/passkeys/{passkey}", signedIn, a.removePasskey)
	a.route("GET /api/people/me", signedIn, a.person)
	a.route("PATCH /api/people/me", signedIn|publishes, a.renamePerson)

	a.route("POST /api/workspaces", signedIn|publishes, a.createWorkspace)
	a.route("PATCH /api/workspaces/{tenant}", signedIn|publishes, a.renameWorkspace)
	a.route("PATCH /api/workspaces/{tenant}/members/{person}", signedIn|publishes, a.setMember)
	a.route("POST /api/workspaces/{tenant}/invitations", signedIn, a.invite)
	a.route("GET /api/workspaces/{tenant}/invitations", signedIn, a.invitations)
	a.route("DELETE /api/workspaces/{tenant}/invitations/{invitation}", signedIn, a.revokeInvitation)
	a.route("GET /api/workspaces/{tenant}/usage", signedIn, a.usage)
	a.billingRoutes()
	a.webhookRoutes()
	if a.Rules != nil {
		a.ruleRoutes()
	}
	if a.Keys != nil {
		a.route("GET /api/workspaces/{tenant}/keys", signedIn, a.keys)
		a.route("POST /api/workspaces/{tenant}/keys", signedIn, a.makeKey)
		a.route("DELETE /api/workspaces/{tenant}/keys/{key}", signedIn, a.revokeKey)
	}
	a.route("GET /api/invitations/{code}", 0, a.lookAtInvitation)
	a.route("POST /api/invitations/{code}/accept", signedIn|publishes, a.acceptInvitation)
	if a.Billing != nil {
		a.mux.Handle("/api/v1/", restapi.New(restapi.Config{Identity: a.Identity, Operators: a.Operators, Meters: a.Meters, Tenancy: a.Tenancy, Billing: a.Billing, Outbox: a.Outbox, Rules: a.Rules, Keys: a.Keys, Flush: a.Flush, Origins: a.Origins, Now: a.Now, Log: a.Log}))
	}
	a.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		problem.Write(w, fault.Errorf("api", fault.NotFound, "There is nothing at this address."))
	})
}

// What a route asks for.
const (
	signedIn  = 1 << iota // the caller's session is checked
	publishes             // may have changed the directory
)

// call is one request on its way through a route.
type call struct {
	ctx     context.Context
	w       http.ResponseWriter
	r       *http.Request
	body    []byte
	visitor identity.Visitor
	caller  identity.Caller // of a signedIn route
}

// route registers a handler. A nil answer is 204; anything else is written as JSON.
func (a *api) route(pattern string, flags int, h func(*call) (any, error)) {
	a.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		c := &call{ctx: r.Context(), w: w, r: r}
		answer, err := a.serve(c, flags, h)
		if err != nil {
			p := problem.Write(w, err)
			level := slog.LevelInfo
			switch {
			case p.Status >= http.StatusInternalServerError:
				level = slog.LevelError
			case c.caller.Session != "" && (p.Status == http.StatusForbidden || p.Status == http.StatusNotFound):
				level = slog.LevelWarn // somebody with a session reaches for what is not theirs
			}
			a.Log.Log(c.ctx, level, "request refused", "route", pattern, "status", p.Status, "err", err,
				"request", r.Header.Get(wire.HeaderRequest), "person", c.caller.Person.ID, "tenant", logTenant(c))
			return
		}
		writeJSON(w, answer)
	})
}

func (a *api) serve(c *call, flags int, h func(*call) (any, error)) (answer any, err error) {
	const op = "api.serve"
	defer func() {
		if p := recover(); p != nil {
			err = fault.E(op, fault.Other, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	if err := a.accept(c); err != nil {
		return nil, err
	}
	if flags&signedIn != 0 {
		if c.caller, err = a.authenticate(c); err != nil {
			return nil, err
		}
	}
	answer, err = h(c)
	if flags&publishes != 0 && err == nil {
		a.publish(c)
	}
	return answer, err
}

// accept reads the body and refuses what does not come from one of our pages.
func (a *api) accept(c *call) error {
	const op = "api.accept"
	c.visitor = identity.Visitor{IP: c.r.Header.Get(wire.HeaderClient), Agent: c.r.UserAgent(), Region: c.r.Header.Get(wire.HeaderRegion)}
	if c.r.Method == http.MethodGet || c.r.Method == http.MethodHead {
		return nil
	}
	if !slices.Contains(a.Origins, c.r.Header.Get("Origin")) {
		return fault.Errorf(op, fault.Denied, "This request did not come from one of Holdfast's own pages. Open Holdfast and do it there.")
	}
	b, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, bodyBytesMax))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return fault.Errorf(op, fault.TooLarge, "A request holds at most %d bytes.", bodyBytesMax)
	}
	if err != nil {
		return fault.E(op, fault.Invalid, err)
	}
	c.body = b
	if len(b) == 0 {
		return nil
	}
	if t, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return fault.Errorf(op, fault.Invalid, "The content type must be application/json.")
	}
	return nil
}

func (a *api) authenticate(c *call) (identity.Caller, error) {
	const op = "api.authenticate"
	caller, err := a.Identity.Authenticate(c.ctx, c.token())
	if fault.KindOf(err) == fault.Denied {
		return caller, &fault.Error{Op: op, Kind: fault.Expired, Detail: "You are not signed in. Sign in first.", Err: err}
	}
	return caller, fault.Wrap(op, err)
}

// publish brings what was decided to the directory before the answer goes out.
func (a *api) publish(c *call) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), flushMax)
	defer cancel()
	revision, err := a.Flush(ctx)
	if err != nil {
		a.Log.Warn("the directory follows later", "err", err, "request", c.r.Header.Get(wire.HeaderRequest))
		return
	}
	c.w.Header().Set(wire.HeaderDirectory, strconv.FormatUint(revision, 10))
}

func (c *call) token() string {
	k, err := c.r.Cookie(token.Cookie)
	if err != nil {
		return ""
	}
	return k.Value
}

// tenant reads the workspace of the path. A malformed one exists as little as an unknown one.
func (c *call) tenant() id.ID { return id.ID(c.r.PathValue("tenant")) }

// logTenant is the workspace asked for, when it is an id at all: the rest of what people send stays out of the log.
func logTenant(c *call) id.ID {
	if t := c.tenant(); t.Valid() {
		return t
	}
	return ""
}

// decode reads the body's JSON object into v; fields that are not known are refused.
func (c *call) decode(v any) error {
	const op = "api.decode"
	d := json.NewDecoder(strings.NewReader(string(c.body)))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fault.E(op, fault.Invalid, err)
	}
	if d.More() {
		return fault.E(op, fault.Invalid, errors.New("more than one JSON value"))
	}
	return nil
}

// grant puts a token into the session cookie. The cookie outlives the token, which can be renewed.
func (c *call) grant(g identity.Grant) any {
	http.SetCookie(c.w, c.cookie(g.Token, int(identity.CookieTTL/time.Second)))
	return sessionAnswer{
		Person:  identity.Person{ID: g.Claims.Person, Name: g.Claims.Name},
		Session: sessionBrief{g.Claims.Session, g.Claims.Expires.UnixMilli()},
	}
}

type sessionAnswer struct {
	Person  identity.Person `json:"person"`
	Session sessionBrief    `json:"session"`
}

type sessionBrief struct {
	ID        id.ID `json:"id"`
	ExpiresMS int64 `json:"expiresMS"`
}

func (c *call) cookie(value string, maxAge int) *http.Cookie {
	// Only http://localhost can be one of our origins without TLS, and there a Secure cookie is not kept everywhere.
	secure := !strings.HasPrefix(c.origin(), "http://")
	return &http.Cookie{Name: token.Cookie, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode}
}

// origin is the page's origin, which accept has checked for every request that changes something.
func (c *call) origin() string { return c.r.Header.Get("Origin") }

// page is the address of a page on the caller's origin.
func (c *call) page(parts ...string) string {
	u, err := url.JoinPath(c.origin(), parts...)
	if err != nil {
		return ""
	}
	return u
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if v == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if f, ok := v.(file); ok {
		w.Header().Set("Content-Type", f.contentType)
		w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.name}))
		w.Write(f.body)
		return
	}
	b, err := json.Marshal(v)
	if err != nil {
		problem.Write(w, fault.E("api.writeJSON", fault.Other, err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(append(b, '\n')) // a failed write is a client that left
}

// ServeHTTP answers one request.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := a.Now()
	rec := &recorder{ResponseWriter: w, status: http.StatusOK}
	if rid := r.Header.Get(wire.HeaderRequest); rid != "" {
		w.Header().Set(wire.HeaderRequest, rid)
	}
	a.mux.ServeHTTP(rec, r)
	// The pattern and not the path: an invitation's code is part of the path.
	a.Log.Info("request", "route", r.Pattern, "method", r.Method, "status", rec.status, "took", a.Now().Sub(start), "request", r.Header.Get(wire.HeaderRequest))
}

type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) { r.status = status; r.ResponseWriter.WriteHeader(status) }
