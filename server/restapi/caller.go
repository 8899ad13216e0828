package restapi

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"holdfast/server/apikey"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/problem"
	"holdfast/sync/token"
	"holdfast/sync/work"
)

// caller is who asks: somebody who signed in, or a program with a key.
type caller struct {
	person id.ID
	key    *apikey.Key
}

// name tells callers apart; nobody's requests are another's.
func (c caller) name() string {
	if c.key != nil {
		return "key/" + c.key.ID
	}
	return string(c.person)
}

type callerKey struct{}

// who finds out who sends a request. A key counts alone: a browser never sends one, so what comes with it is meant.
func (s *service) who(r *http.Request) (caller, error) {
	const op = "restapi.who"
	if bearer := r.Header.Get("Authorization"); bearer != "" {
		scheme, text, _ := strings.Cut(bearer, " ")
		if !strings.EqualFold(scheme, "Bearer") || s.Keys == nil {
			return caller{}, fault.Errorf(op, fault.Expired, "Send an API key as “Authorization: Bearer %s…”. Owners make keys in the workspace's settings.", apikey.Prefix)
		}
		k, err := s.Keys.Authenticate(r.Context(), strings.TrimSpace(text))
		return caller{key: &k}, err
	}
	text := ""
	if k, err := r.Cookie(token.Cookie); err == nil {
		text = k.Value
	}
	c, err := s.Identity.Authenticate(r.Context(), text)
	if k := fault.KindOf(err); k == fault.Denied || k == fault.Expired {
		return caller{}, &fault.Error{Op: op, Kind: fault.Expired, Detail: "You are not signed in. Sign in, or send an API key.", Err: err}
	}
	return caller{person: c.Person.ID}, err
}

// policy names the one quota there is (draft-ietf-httpapi-ratelimit-headers-10).
const policy = "default"

// pace takes one from the caller's quota and tells how much is left. When nothing is, it answers with 429 and returns false.
func (s *service) pace(w http.ResponseWriter, c caller) bool {
	left, ok := s.quota.Take(c.name(), s.Now())
	window := pace.Every * time.Duration(pace.Burst)
	next := max(1, int((pace.Every+time.Second-1)/time.Second)) // until there is one more
	w.Header().Set("RateLimit-Policy", fmt.Sprintf("%q;q=%d;w=%d", policy, pace.Burst, int(window/time.Second)))
	w.Header().Set("RateLimit", fmt.Sprintf("%q;r=%d;t=%d", policy, left, next))
	if ok {
		return true
	}
	w.Header().Set("Retry-After", strconv.Itoa(next))
	err := sendProblem(w, http.StatusTooManyRequests, struct {
		problem.Problem
		Violated []string `json:"violated-policies"`
	}{problem.Problem{Type: "https://iana.org/assignments/http-problem-types#quota-exceeded", Title: "Too many requests", Status: http.StatusTooManyRequests, Kind: fault.Limit.String(),
		Detail: fmt.Sprintf("That was more than %d requests in %d seconds. Wait a moment; events can be sent %d at once.", pace.Burst, int(window/time.Second), eventsMax)}, []string{policy}})
	if err != nil {
		s.Log.Error("a refusal was not sent", "err", err)
	}
	return false
}

// may decides who may do something with a workspace. Of people, owners may do everything and admins look; a key does what its scopes say, in
// its own workspace.
func (s *service) may(ctx context.Context, tenant id.ID, scope string) error {
	const op = "restapi.may"
	c, ok := ctx.Value(callerKey{}).(caller)
	switch {
	case !ok:
		return fault.Errorf(op, fault.Expired, "You are not signed in. Sign in, or send an API key.")
	case c.key != nil && c.key.Tenant != tenant:
		return fault.Errorf(op, fault.NotFound, "There is no such workspace, or this API key is not one of it.")
	case c.key != nil && !c.key.May(scope):
		return fault.Errorf(op, fault.Denied, "This API key may not do that: it has %s and needs %s. An owner can make another key.", strings.Join(c.key.Scopes, ", "), scope)
	case c.key != nil:
		return nil
	}
	role, err := s.Tenancy.Role(ctx, tenant, c.person)
	if scope == apikey.ReadRules || scope == apikey.WriteRules {
		if err == nil && role != work.Owner && role != work.Admin {
			err = fault.Errorf(op, fault.Denied, "Only owners and admins see and change the rules. Ask one of them.")
		}
		return err
	}
	if err == nil && role != work.Owner && (scope != apikey.ReadBilling || role != work.Admin) {
		err = fault.Errorf(op, fault.Denied, "Only owners manage the billing; admins may look. Ask an owner.")
	}
	return err
}

// mayOperate lets operators do everything. A key is never an operator's.
func (s *service) mayOperate(ctx context.Context, tenant id.ID, _ string) error {
	const op = "restapi.mayOperate"
	c, ok := ctx.Value(callerKey{}).(caller)
	if !ok || c.key != nil {
		return fault.Errorf(op, fault.NotFound, "There is nothing at this address.")
	}
	if err := s.Operators.Admit(ctx, c.person); err != nil || tenant == "" {
		return err
	}
	_, err := s.Tenancy.Brief(ctx, tenant)
	return err
}

// operated writes down what an operator did.
func (s *service) operated(ctx context.Context, tenant id.ID, operation, detail string) error {
	c, _ := ctx.Value(callerKey{}).(caller)
	return s.Operators.Audit(ctx, c.person, "api."+operation, string(tenant), detail)
}

// bySession is the name of a person's way in; a key's is byKey of what it needs to be allowed.
const bySession = "session"

// byKey names the way in with a key of a scope. Each scope is a way in of its own: OpenAPI lets only OAuth list scopes in a form that tools know.
func byKey(scope string) string { return "key-" + strings.ReplaceAll(scope, ":", "-") }

// waysIn describes them.
func waysIn() map[string]*huma.SecurityScheme {
	out := map[string]*huma.SecurityScheme{
		bySession: {Type: "apiKey", In: "cookie", Name: token.Cookie, Description: "The session of somebody who signed in. What changes something needs an Origin header too."}}
	for _, scope := range apikey.Scopes {
		out[byKey(scope)] = &huma.SecurityScheme{Type: "http", Scheme: "bearer",
			Description: "An API key of the workspace with the scope " + scope + ", such as " + apikey.Prefix + "…, which an owner makes on the billing page."}
	}
	return out
}

// needs documents the scope of an operation.
func needs(scope string) []map[string][]string {
	return []map[string][]string{{bySession: {}}, {byKey(scope): {}}}
}

// scopeKey is where an operation's metadata names another scope than reading or changing the billing.
const scopeKey = "scope"

// scopeOf is what an operation needs: what it says, or to read or change the billing.
func scopeOf(o huma.Operation) string {
	if scope, ok := o.Metadata[scopeKey].(string); ok {
		return scope
	}
	if o.Method == http.MethodGet {
		return apikey.ReadBilling
	}
	return apikey.WriteBilling
}
