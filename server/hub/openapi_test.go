package hub

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
)

// caller calls the public API of a real hub, holds every request and answer against the API's own description, and remembers what it called.
type caller struct {
	t     *testing.T
	h     *Hub
	e     *edge
	check validator.Validator
	ops   map[string]*regexp.Regexp // "GET /api/v1/…" with parameters → its paths
	ok    map[string]bool           // answered with 2xx at least once
	n     int
}

func newCaller(t *testing.T, e *edge) *caller {
	t.Helper()
	c := &caller{t: t, e: e, ops: map[string]*regexp.Regexp{}, ok: map[string]bool{}}
	text := e.ok("GET", "/api/v1/openapi.json", "")
	doc, err := libopenapi.NewDocument([]byte(text))
	must(t, err)
	v, errs := validator.NewValidator(doc)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if valid, errs := v.ValidateDocument(); !valid {
		for _, e := range errs {
			t.Errorf("the description is not OpenAPI: %v", e)
		}
	}
	c.check = v
	var paths struct {
		Paths map[string]map[string]json.RawMessage
	}
	must(t, json.Unmarshal([]byte(text), &paths))
	parameter := regexp.MustCompile(`\\\{[a-z_]+\\\}`)
	for path, methods := range paths.Paths {
		for method := range methods {
			c.ops[strings.ToUpper(method)+" "+path] = regexp.MustCompile("^" + parameter.ReplaceAllString(regexp.QuoteMeta(path), `[^/]+`) + "$")
		}
	}
	return c
}

// operation is the description's name of a request. Of two that fit, the one with fewer parameters is meant.
func (c *caller) operation(method, path string) string {
	path, _, _ = strings.Cut(path, "?")
	best := ""
	for op, is := range c.ops {
		if m, _, _ := strings.Cut(op, " "); m == method && is.MatchString(path) && (best == "" || strings.Count(op, "{") < strings.Count(best, "{")) {
			best = op
		}
	}
	return best
}

// do sends a request with a key of its own. Requests that are meant to be wrong are not held against the description; their answers are.
func (c *caller) do(status int, method, path, body string) string {
	c.t.Helper()
	c.n++
	var sent *http.Request
	got, header, answer := c.e.raw(method, path, body, func(r *http.Request) {
		if method != "GET" {
			r.Header.Set("Idempotency-Key", fmt.Sprint("key-", c.n))
		}
		sent = r.Clone(r.Context())
	})
	if got != status {
		c.t.Errorf("%s %s %s: %d %s, want %d", method, path, body, got, answer, status)
	}
	op := c.operation(method, path)
	if op == "" {
		c.t.Fatalf("%s %s is not in the description", method, path)
	}
	if got/100 == 2 {
		c.ok[op] = true
	}
	sent.Body = io.NopCloser(strings.NewReader(body))
	res := &http.Response{StatusCode: got, Header: header, Body: io.NopCloser(bytes.NewReader([]byte(answer)))}
	valid, errs := true, []string{}
	if got/100 == 2 {
		ok, list := c.check.ValidateHttpRequest(sent)
		valid = ok
		for _, e := range list {
			errs = append(errs, "request: "+e.Error())
		}
		sent.Body = io.NopCloser(strings.NewReader(body))
	}
	if ok, list := c.check.ValidateHttpResponse(sent, res); !ok {
		valid = false
		for _, e := range list {
			errs = append(errs, fmt.Sprintf("answer: %v %v", e, e.SchemaValidationErrors))
		}
	}
	if !valid {
		c.t.Errorf("%s %s does not fit the description:\n%s\n%s", method, path, strings.Join(errs, "\n"), answer)
	}
	return answer
}

func (c *caller) into(v any, method, path, body string) {
	c.t.Helper()
	must(c.t, json.Unmarshal([]byte(c.do(200, method, path, body)), v))
}

// uncalled lists the operations that never succeeded.
func (c *caller) uncalled() []string {
	var out []string
	for _, op := range slices.Sorted(maps.Keys(c.ops)) {
		if !c.ok[op] {
			out = append(out, op)
		}
	}
	return out
}

const apiShop = `
currency: EUR
seller: {name: Shop, country: FR, iban: FR7630006000011234567890189}
taxes: [{country: FR, percent: 20, name: TVA}]
meters:
  mails: {aggregate: sum}
features:
  mails: {name: Mails, type: metered, meter: mails}
plans:
  free: {prices: [{id: base, model: flat, amount: 0}], entitlements: {mails: {limit: 100, period: month, alerts: [80, 100]}}}
  pro: {prices: [{id: base, model: flat, amount: 30}, {id: seats, model: per_unit, quantity: seats, amount: 5}, {id: mails, model: per_unit, meter: mails, amount: 0.02}]}
  try: {trial_days: 14, prices: [{id: base, model: flat, amount: 10}]}
addons:
  help: {prices: [{id: help, model: flat, amount: 7}]}
coupons: {TEN: {percent: 10, lasts: once}}
invoices: {prefix: S-, credit_prefix: SC-, late: carry}
dunning: {retries: [1d], restrict_after: 14d, end_after: 30d, action: unpaid}
`

// apiWorld is a hub with an owner who is an operator too.
func apiWorld(t *testing.T) (c *caller, own, operator string) {
	h, e, ws := owned(t, t.TempDir(), apiShop)
	must(t, e.register(`{"name":"eu","url":"`+origin+`"}`))
	l, err := h.runners.Invite(t.Context())
	must(t, err)
	e.send("POST", "/operator/accept/"+l.Code, "")
	c = newCaller(t, e)
	c.h = h
	return c, "/api/v1/workspaces/" + string(ws), "/api/v1/operator"
}

type outcome struct {
	Subscription struct {
		Status, Plan string
		Scheduled    []any
	}
	Invoices    []struct{ Number, State string }
	CreditNotes []struct{ Number string } `json:"credit_notes"`
	DueNow      struct{ Amount string }   `json:"due_now"`
}

// command tries a command and does it, and finds that both say the same.
func (c *caller) command(at, path, body string) outcome {
	c.t.Helper()
	var would, did outcome
	c.into(&would, "POST", at+path+"/preview", body)
	c.into(&did, "POST", at+path, body)
	if would.Subscription.Status != did.Subscription.Status || would.Subscription.Plan != did.Subscription.Plan || len(would.Invoices) != len(did.Invoices) || len(would.CreditNotes) != len(did.CreditNotes) {
		c.t.Errorf("%s: previewed %+v, got %+v", path, would, did)
	}
	return did
}
