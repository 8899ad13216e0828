package restapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"holdfast/server/apikey"
	"holdfast/server/biller"
	"holdfast/server/payment"
)

func (s *service) routes(api huma.API) {
	b := s.Billing
	handle(s, api, huma.Operation{OperationID: "getBilling", Method: http.MethodGet, Path: "/billing", Summary: "Plan, usage so far, upcoming invoice, invoices and payment"},
		func(ctx context.Context, in Workspace) (biller.Overview, error) { return b.Overview(ctx, in.tenant()) })
	handle(s, api, huma.Operation{OperationID: "previewPlan", Method: http.MethodGet, Path: "/billing/plans/{plan}/preview", Summary: "What changing to a plan would do now"},
		func(ctx context.Context, in struct {
			Workspace
			Plan string `path:"plan"`
		}) (biller.Change, error) {
			return b.PreviewChange(ctx, in.tenant(), in.Plan)
		})
	handle(s, api, huma.Operation{OperationID: "changePlan", Method: http.MethodPut, Path: "/billing/plan", Summary: "Change the plan: a dearer one at once, a cheaper one at the end of the month"},
		func(ctx context.Context, in planInput) (biller.Overview, error) {
			if err := b.ChangePlan(ctx, in.tenant(), in.Body.Plan); err != nil {
				return biller.Overview{}, err
			}
			return b.Overview(ctx, in.tenant())
		})
	handle(s, api, huma.Operation{OperationID: "setMethod", Method: http.MethodPut, Path: "/billing/method", Summary: "Set how invoices are paid; what is past due is tried at once"},
		func(ctx context.Context, in methodInput) (biller.Overview, error) {
			if err := b.SetMethod(ctx, in.tenant(), payment.Method{Kind: in.Body.Kind, Token: in.Body.Token}); err != nil {
				return biller.Overview{}, err
			}
			return b.Overview(ctx, in.tenant())
		})
	handle(s, api, huma.Operation{OperationID: "setDetails", Method: http.MethodPut, Path: "/billing/details", Summary: "Set what stands on the next invoices about the customer"},
		func(ctx context.Context, in detailsInput) (biller.Overview, error) {
			if err := b.SetDetails(ctx, in.tenant(), in.Body); err != nil {
				return biller.Overview{}, err
			}
			return b.Overview(ctx, in.tenant())
		})
	handle(s, api, huma.Operation{OperationID: "recordEvents", Method: http.MethodPost, Path: "/events", Summary: "Count a batch of usage events (CloudEvents)", Security: needs(apikey.WriteEvents)}, s.events)
}
