// Package endpoint is how operations of the public API are registered: who may call them, what they promise about errors and repetition,
// lists by pages, files, and the words for money and errors. It knows nothing of billing.
package endpoint

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/problem"
)

// KeyMax is how many characters an idempotency key may have.
const KeyMax = 255

// Group is a set of operations under one path with one rule about who may call them.
type Group struct {
	API    huma.API
	Base   string // before the path of each operation
	Tag    string
	Prefix string // of operation ids, so that they differ between groups; empty: none
	// Scope is what an operation needs, by its method and what it asks for.
	Scope func(huma.Operation) string
	// Security documents a scope.
	Security func(scope string) []map[string][]string
	// Admit decides who may do what a scope names with a workspace (empty: with none in particular).
	Admit func(ctx context.Context, tenant id.ID, scope string) error
	// Done is told of every change that succeeded, with what its input says of itself (Detailed); nil: nobody is.
	Done func(ctx context.Context, tenant id.ID, operation, detail string) error
	// Flush brings what was decided to the edges before the answer goes out, and gives the directory's revision.
	Flush func(context.Context) string
	Log   *slog.Logger
}

// Harmless marks, in an operation's metadata, one that changes nothing although it is a POST: a preview. Who may read may call it.
const Harmless = "harmless"

// reads tells whether an operation changes nothing.
func reads(o huma.Operation) bool { return o.Method == http.MethodGet || o.Metadata[Harmless] == true }

// scope is what an operation needs.
func (g Group) scope(o huma.Operation) string {
	if reads(o) {
		o.Method = http.MethodGet
	}
	return g.Scope(o)
}

// Input is what every operation takes: the workspace that it is about, or none.
type Input interface{ Tenant() id.ID }

// Detailed is an input of which more is written down than the operation's name.
type Detailed interface{ Detail() string }

// Workspace is in every path of a group about workspaces.
type Workspace struct {
	Workspace string `path:"workspace" maxLength:"64" doc:"The workspace's id"`
}

// Tenant is the workspace's id.
func (w Workspace) Tenant() id.ID { return id.ID(w.Workspace) }

// None is the input of operations about no workspace in particular.
type None struct{}

// Tenant is none.
func (None) Tenant() id.ID { return "" }

type answer[O any] struct {
	Directory string `header:"X-Holdfast-Directory" hidden:"true"` // wire.HeaderDirectory
	Tenant    string `header:"X-Holdfast-Tenant" hidden:"true"`    // wire.HeaderTenant
	Body      O
}

type fileAnswer struct {
	Tenant string `header:"X-Holdfast-Tenant" hidden:"true"`
	Type   string `header:"Content-Type"`
	Name   string `header:"Content-Disposition"`
	Body   []byte
}

// Register adds an operation. do is called for those who may.
func Register[I Input, O any](g Group, o huma.Operation, do func(context.Context, I) (O, error)) {
	g.prepare(&o)
	writes, scope := !reads(o), g.scope(o)
	o.Security = g.Security(scope)
	huma.Register(g.API, o, func(ctx context.Context, in *I) (*answer[O], error) {
		tenant := (*in).Tenant()
		err := g.Admit(ctx, tenant, scope)
		out := answer[O]{Tenant: string(tenant)}
		if err == nil {
			out.Body, err = do(ctx, *in)
		}
		if err == nil && writes && g.Done != nil {
			detail := ""
			if d, ok := any(*in).(Detailed); ok {
				detail = d.Detail()
			}
			err = g.Done(ctx, tenant, o.OperationID, detail)
		}
		if err != nil {
			return nil, g.refuse(o, tenant, err)
		}
		if writes {
			out.Directory = g.Flush(ctx)
		}
		return &out, nil
	})
}

// File is an answer that is not JSON.
type File struct {
	Name, Type string
	Body       []byte
}

// RegisterFile adds an operation that answers with a file of one of the content types.
func RegisterFile[I Input](g Group, o huma.Operation, types []string, do func(context.Context, I) (File, error)) {
	g.prepare(&o)
	content := map[string]*huma.MediaType{}
	for _, t := range types {
		content[t] = &huma.MediaType{Schema: &huma.Schema{Type: "string"}}
	}
	o.Responses = map[string]*huma.Response{"200": {Description: "The file", Content: content}}
	scope := g.scope(o)
	o.Security = g.Security(scope)
	huma.Register(g.API, o, func(ctx context.Context, in *I) (*fileAnswer, error) {
		tenant := (*in).Tenant()
		err := g.Admit(ctx, tenant, scope)
		var f File
		if err == nil {
			f, err = do(ctx, *in)
		}
		if err != nil {
			return nil, g.refuse(o, tenant, err)
		}
		return &fileAnswer{string(tenant), f.Type, `attachment; filename="` + f.Name + `"`, f.Body}, nil
	})
}

func (g Group) prepare(o *huma.Operation) {
	o.Path = g.Base + o.Path
	o.Tags = []string{g.Tag}
	if g.Prefix != "" {
		o.OperationID = g.Prefix + string(o.OperationID[0]-'a'+'A') + o.OperationID[1:]
	}
	if o.Description == "" {
		o.Description = o.Summary + "."
	}
	o.Errors = []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusServiceUnavailable}
	if o.Method == http.MethodGet {
		o.Errors = append(o.Errors, http.StatusBadRequest, http.StatusConflict)
		return
	}
	o.Errors = append(o.Errors, http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge)
	o.Parameters = append(o.Parameters, &huma.Param{Name: "Idempotency-Key", In: "header", Required: true, Description: "Makes sending the request again safe.",
		Schema: &huma.Schema{Type: "string", MinLength: new(1), MaxLength: new(KeyMax)}})
}

func (g Group) refuse(o huma.Operation, tenant id.ID, err error) error {
	p := problem.Of(err)
	if p.Status >= http.StatusInternalServerError {
		g.Log.Error("request failed", "operation", o.OperationID, "tenant", tenant, "err", err)
	}
	return &Refusal{Problem: p}
}

// Refusal is an error as the API writes it (RFC 9457).
type Refusal struct {
	problem.Problem
	Errors []*huma.ErrorDetail `json:"errors,omitempty" doc:"What is wrong with the request, part by part"`
}

func (p *Refusal) Error() string { return p.Detail }

// GetStatus is the HTTP status.
func (p *Refusal) GetStatus() int { return p.Status }

// ContentType is that of problems.
func (p *Refusal) ContentType(string) string { return problem.ContentType }

// Plain makes every error that huma finds by itself, such as a body that does not fit, a problem like all others.
func Plain(status int, msg string, errs ...error) huma.StatusError {
	p := &Refusal{Problem: problem.Of(fault.Errorf("endpoint", fault.Invalid, "%s", sentence(msg)))}
	p.Status, p.Title = status, http.StatusText(status)
	for _, err := range errs {
		if d, ok := err.(huma.ErrorDetailer); ok {
			p.Errors = append(p.Errors, d.ErrorDetail())
		} else if err != nil {
			p.Errors = append(p.Errors, &huma.ErrorDetail{Message: err.Error()})
		}
	}
	return p
}

func sentence(msg string) string {
	if msg == "validation failed" {
		return "The request does not fit the API's description. See errors for each part."
	}
	return msg
}
