// Package restapi is the public API under /api/v1. Its description (OpenAPI 3.1) is made of the code and served at /api/v1/openapi.json.
//
// Errors are problem details (RFC 9457). Whatever changes something needs an Idempotency-Key
// (draft-ietf-httpapi-idempotency-key-header): without one it is refused with 400; while the first request with a key is
// under way a second is refused with 409; a key that was used for another request is refused with 422; a repetition within a day gets the
// first answer again. Failures on our side (5xx) are not kept: the request may be sent again.
package restapi

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"holdfast/server/apikey"
	"holdfast/server/biller"
	"holdfast/server/identity"
	"holdfast/server/meter"
	runners "holdfast/server/operator"
	"holdfast/server/outbox"
	"holdfast/server/restapi/endpoint"
	"holdfast/server/restapi/operator"
	"holdfast/server/restapi/workspace"
	"holdfast/server/rule"
	"holdfast/server/tenancy"
	"holdfast/server/throttle"
	"holdfast/sync/fault"
	"holdfast/sync/problem"
)

// Config is what the API needs.
type Config struct {
	Identity  *identity.Service
	Tenancy   *tenancy.Service
	Billing   *biller.Service
	Outbox    *outbox.Service
	Rules     *rule.Service
	Operators *runners.Service
	Meters    operator.Metering
	Keys      *apikey.Service                                    // nil: nobody comes with a key
	Flush     func(context.Context) (revision uint64, err error) // of the directory
	Origins   []string
	Now       func() time.Time
	Log       *slog.Logger
}

type service struct {
	Config
	keys  keys
	quota *throttle.Throttle
}

// New makes the handler of everything under /api/v1/.
func New(cfg Config) http.Handler {
	s := &service{Config: cfg, keys: keys{under: map[[2]string]bool{}}, quota: throttle.New(pace)}
	mux := http.NewServeMux()
	h := huma.DefaultConfig("Holdfast", "1")
	h.OpenAPIPath, h.DocsPath, h.SchemasPath = "/api/v1/openapi", "", ""
	h.CreateHooks = nil // no $schema in answers
	h.Info.Description = "Plans, usage, invoices, payment and rules: of a workspace, and for operators of all. Amounts are decimal numbers as text, moments are RFC 3339. " +
		"Whatever changes something needs an Idempotency-Key and has a preview beside it; errors are problem details (RFC 9457); lists go by cursor, the newest first."
	h.Info.Contact = &huma.Contact{Name: "The operator of this installation"}
	h.Servers = []*huma.Server{{URL: "/", Description: "Every region of this installation"}}
	h.Tags = []*huma.Tag{{Name: tagBilling, Description: "A workspace's billing, for its owners (admins look) and its API keys"},
		{Name: tagRules, Description: "A workspace's rules: WebAssembly modules that may refuse a change, for its owners and admins and its API keys"},
		{Name: tagBehalf, Description: "The same for operators, and what only they may do; it is written down who did what"},
		{Name: tagOperators, Description: "The whole installation, for operators"}}
	h.Components.SecuritySchemes = waysIn()
	huma.NewError = endpoint.Plain
	r := humago.New(mux, h)
	s.routes(r)
	s.webhookRoutes(r)
	if s.Rules != nil {
		s.ruleRoutes(r)
	}
	workspace.Register(s.workspaces(r), s.Billing, s.Billing.Paying())
	onBehalf := s.operators(r, "/workspaces/{workspace}", tagBehalf)
	workspace.Register(onBehalf, s.Billing, s.Billing)
	operator.Register(s.operators(r, "", tagOperators), onBehalf, operator.Config{Billing: s.Billing, Operators: s.Operators, Meters: s.Meters, Now: s.Now})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		problem.Write(w, fault.Errorf("restapi", fault.NotFound, "There is nothing at this address. The API is described at /api/v1/openapi.json."))
	})
	return s.guard(mux)
}

// workspaces is the group of operations about one workspace, for its owners and admins and for its keys.
func (s *service) workspaces(api huma.API) endpoint.Group {
	return endpoint.Group{API: api, Base: "/api/v1/workspaces/{workspace}", Tag: tagBilling, Scope: scopeOf, Security: needs, Admit: s.may, Flush: s.flush, Log: s.Log}
}

// The chapters of the API's description.
const (
	tagBilling   = "Billing"
	tagRules     = "Rules"
	tagBehalf    = "On behalf of a workspace"
	tagOperators = "Operators"
)

// operatorPath begins every address for operators.
const operatorPath = "/api/v1/operator"

// operators is a group for operators, who act on any workspace; what they change is written down.
func (s *service) operators(api huma.API, base, tag string) endpoint.Group {
	return endpoint.Group{API: api, Base: operatorPath + base, Tag: tag, Prefix: "operator", Scope: scopeOf,
		Security: func(string) []map[string][]string { return []map[string][]string{{bySession: {}}} },
		Admit:    s.mayOperate, Done: s.operated, Flush: s.flush, Log: s.Log}
}

// handle registers an operation about a workspace. do is called for those who may.
func handle[I endpoint.Input, O any](s *service, api huma.API, o huma.Operation, do func(context.Context, I) (O, error)) {
	endpoint.Register(s.workspaces(api), o, do)
}

// flush brings what was decided to the edges before the answer goes out.
func (s *service) flush(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushMax)
	defer cancel()
	revision, err := s.Flush(ctx)
	if err != nil {
		s.Log.Warn("the directory follows later", "err", err)
		return ""
	}
	return strconv.FormatUint(revision, 10)
}

// Workspace is in every path.
type Workspace = endpoint.Workspace

// Event is a CloudEvent (1.0) to be counted. Attributes beyond these are taken, as the standard wants, and mean nothing here.
type Event struct {
	_           struct{}          `additionalProperties:"true"`
	SpecVersion string            `json:"specversion" enum:"1.0"`
	ID          string            `json:"id" minLength:"1" maxLength:"128" doc:"With the source, names the fact: a repetition is not counted"`
	Source      string            `json:"source" minLength:"1" maxLength:"128"`
	Type        string            `json:"type" minLength:"1" maxLength:"128" doc:"The event type of a meter in the catalogue"`
	Time        time.Time         `json:"time,omitempty" required:"false"`
	Replaces    string            `json:"replaces,omitempty" maxLength:"128" doc:"The id of an earlier event of the same source and type that this one corrects: its data take the place of that one's, at that one's time. Of several corrections the one with the greatest id counts"`
	Data        map[string]Scalar `json:"data,omitempty" doc:"What the meter adds up (by default value), and dimensions to filter by. Numbers count digit by digit as they are written, also as texts"`
}

// Scalar is a text, a number or a truth value of JSON, kept as it was written: a number is never a float.
type Scalar string

// UnmarshalJSON reads one.
func (v *Scalar) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(v))
	}
	*v = Scalar(b)
	return nil
}

// Schema says what it may be.
func (Scalar) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}}
}

type eventsInput struct {
	Workspace
	Body []Event `minItems:"1" maxItems:"500"`
}

// Counted is what became of one event of a batch.
type Counted struct {
	ID     string           `json:"id"`
	Status string           `json:"status" enum:"counted,repeated,refused"`
	Error  *problem.Problem `json:"error,omitempty"`
}

func (s *service) events(ctx context.Context, in eventsInput) ([]Counted, error) {
	list := make([]meter.Event, len(in.Body))
	for i, e := range in.Body {
		list[i] = meter.Event{ID: e.ID, Source: e.Source, Type: e.Type, Time: e.Time, Replaces: e.Replaces, Data: map[string]string{}}
		for k, v := range e.Data {
			list[i].Data[k] = string(v)
		}
	}
	if len(list) == 0 {
		return nil, fault.Errorf("restapi.events", fault.Invalid, "There is no event in the batch.")
	}
	done, err := s.Billing.Record(ctx, in.Tenant(), list)
	if err != nil {
		return nil, err // the whole batch may be sent again: what was counted is not counted twice
	}
	out := make([]Counted, len(list))
	for i, r := range done {
		out[i] = Counted{ID: list[i].ID, Status: "repeated"}
		switch {
		case r.Err != nil:
			p := problem.Of(r.Err)
			out[i].Status, out[i].Error = "refused", &p
		case r.New:
			out[i].Status = "counted"
		}
	}
	return out, nil
}
