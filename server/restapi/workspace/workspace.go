// Package workspace is the part of the public API about one workspace's billing. It is registered twice: for the workspace's owners and
// admins, and for operators who act on its behalf.
package workspace

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"holdfast/server/biller"
	"holdfast/server/billing"
	"holdfast/server/restapi/endpoint"
	"holdfast/sync/id"
)

// Workspace is in every path.
type Workspace = endpoint.Workspace

// Runner runs commands, or tries them.
type Runner interface {
	Run(ctx context.Context, tenant id.ID, c billing.Command) (billing.Preview, error)
	Try(ctx context.Context, tenant id.ID, c billing.Command) (billing.Preview, error)
}

// Register adds every operation. run decides what may be done without a way to pay.
func Register(g endpoint.Group, b *biller.Service, run Runner) {
	r := registrar{g, b, run}
	r.subscription()
	r.credit()
	r.documents()
	r.payments()
	r.usage()
}

type registrar struct {
	endpoint.Group
	b   *biller.Service
	run Runner
}

func get(id, path, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary}
}

func post(id, path, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: http.MethodPost, Path: path, Summary: summary}
}

func put(id, path, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: http.MethodPut, Path: path, Summary: summary}
}

// Command registers something that changes a workspace's billing, and its preview beside it: the same code on a copy that is thrown away.
// make turns the input into the engine's command.
func Command[I endpoint.Input](g endpoint.Group, b Runner, o huma.Operation, make func(context.Context, I) (billing.Command, error)) {
	endpoint.Register(g, o, func(ctx context.Context, in I) (Outcome, error) {
		c, err := make(ctx, in)
		if err != nil {
			return Outcome{}, err
		}
		done, err := b.Run(ctx, in.Tenant(), c)
		if err != nil {
			return Outcome{}, err
		}
		return outcome(done), nil
	})
	preview := huma.Operation{OperationID: "preview" + string(o.OperationID[0]-'a'+'A') + o.OperationID[1:], Method: http.MethodPost, Path: o.Path + "/preview",
		Summary: "Preview: " + o.Summary, Description: "Tells what it would do now. It changes nothing.", Metadata: map[string]any{endpoint.Harmless: true}}
	endpoint.Register(g, preview, func(ctx context.Context, in I) (Outcome, error) {
		c, err := make(ctx, in)
		if err != nil {
			return Outcome{}, err
		}
		p, err := b.Try(ctx, in.Tenant(), c)
		if err != nil {
			return Outcome{}, err
		}
		return outcome(p), nil
	})
}

// account gives the workspace's account, brought to now.
func (r registrar) account(ctx context.Context, w Workspace) (*billing.Account, error) {
	return r.b.Account(ctx, w.Tenant())
}
