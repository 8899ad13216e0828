// Package restapi is the public API under /api/v1. Its description (OpenAPI 3.1) is made of the code and served at /api/v1/openapi.json.
//
// Errors are problem details (RFC 9457). Whatever changes something needs an Idempotency-Key
// (draft-ietf-httpapi-idempotency-key-header): without one it is refused with 400; while the first request with a key is
// under way a second is refused with 409; a key that was used for another request is refused with 422; a repetition within a day gets the
// first answer again. Failures on our side (5xx) are not kept: the request may be sent again.
package restapi

import (
	"context"
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
	"holdfast/server/outbox"
	"holdfast/server/tenancy"
	"holdfast/server/throttle"
	"holdfast/sync/id"
	"holdfast/sync/problem"
)

// Config is what the API needs.
type Config struct {
	Identity *identity.Service
	Tenancy  *tenancy.Service
	Billing  *biller.Service
	Outbox   *outbox.Service
	Keys     *apikey.Service                                    // nil: nobody comes with a key
	Flush    func(context.Context) (revision uint64, err error) // of the directory
	Origins  []string
	Now      func() time.Time
	Log      *slog.Logger
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
	h.Info.Description = "Plans, usage, invoices and payment of a workspace."
	h.Components.SecuritySchemes = waysIn
	r := humago.New(mux, h)
	s.routes(r)
	s.webhookRoutes(r)
	return s.guard(mux)
}

// refusal is a fault as huma writes it.
type refusal struct{ problem.Problem }

func (r *refusal) Error() string             { return r.Detail }
func (r *refusal) GetStatus() int            { return r.Status }
func (r *refusal) ContentType(string) string { return problem.ContentType }

// handle registers an operation. do is called for those who may.
func handle[I interface{ tenant() id.ID }, O any](s *service, api huma.API, o huma.Operation, do func(context.Context, I) (O, error)) {
	o.Path = "/api/v1/workspaces/{workspace}" + o.Path
	o.Tags = []string{"Billing"}
	writes, scope := o.Method != http.MethodGet, scopeOf(o)
	o.Security = needs(scope)
	o.Errors = []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests}
	if writes {
		o.Errors = append(o.Errors, http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity)
		o.Parameters = append(o.Parameters, &huma.Param{Name: "Idempotency-Key", In: "header", Required: true, Description: "Makes sending the request again safe.", Schema: &huma.Schema{Type: "string", MaxLength: new(keyMax)}})
	}
	huma.Register(api, o, func(ctx context.Context, in *I) (*answer[O], error) {
		err := s.may(ctx, (*in).tenant(), scope)
		var out answer[O]
		if err == nil {
			out.Tenant = string((*in).tenant())
			out.Body, err = do(ctx, *in)
		}
		if err != nil {
			p := problem.Of(err)
			if p.Status >= http.StatusInternalServerError {
				s.Log.Error("request failed", "operation", o.OperationID, "tenant", (*in).tenant(), "err", err)
			}
			return nil, &refusal{p}
		}
		if writes {
			out.Directory = s.flush(ctx)
		}
		return &out, nil
	})
}

type answer[O any] struct {
	Directory string `header:"X-Holdfast-Directory" hidden:"true"` // wire.HeaderDirectory
	Tenant    string `header:"X-Holdfast-Tenant" hidden:"true"`    // wire.HeaderTenant
	Body      O
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
type Workspace struct {
	Workspace string `path:"workspace" doc:"The workspace's id"`
}

func (w Workspace) tenant() id.ID { return id.ID(w.Workspace) }

type planInput struct {
	Workspace
	Body struct {
		Plan string `json:"plan" minLength:"1" maxLength:"64" doc:"The plan's id in the catalogue"`
	}
}

type methodInput struct {
	Workspace
	Body struct {
		Kind  string `json:"kind" enum:"card,debit,wire"`
		Token string `json:"token,omitempty" maxLength:"64" doc:"The processor's name for the method"`
	}
}

type detailsInput struct {
	Workspace
	Body biller.Details
}

// Event is a CloudEvent (1.0) to be counted.
type Event struct {
	SpecVersion string            `json:"specversion" enum:"1.0"`
	ID          string            `json:"id" minLength:"1" maxLength:"128" doc:"With the source, names the fact: a repetition is not counted"`
	Source      string            `json:"source" minLength:"1" maxLength:"128"`
	Type        string            `json:"type" minLength:"1" maxLength:"128" doc:"The event type of a meter in the catalogue"`
	Time        time.Time         `json:"time,omitempty" required:"false"`
	Replaces    string            `json:"replaces,omitempty" maxLength:"128" doc:"The id of an earlier event of the same source and type that this one corrects: its data take the place of that one's, at that one's time. Of several corrections the one with the greatest id counts"`
	Data        map[string]string `json:"data,omitempty" doc:"What the meter adds up (by default value), and dimensions to filter by. Numbers are texts, so that none is rounded on the way"`
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
		list[i] = meter.Event{ID: e.ID, Source: e.Source, Type: e.Type, Time: e.Time, Replaces: e.Replaces, Data: e.Data}
	}
	done, err := s.Billing.Record(ctx, in.tenant(), list)
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
