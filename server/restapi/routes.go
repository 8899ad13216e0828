package restapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"holdfast/server/apikey"
	"holdfast/server/biller"
)

func (s *service) routes(api huma.API) {
	handle(s, api, huma.Operation{OperationID: "getBilling", Method: http.MethodGet, Path: "/billing", Summary: "Everything at once: plan, usage so far, upcoming invoice, invoices and payment"},
		func(ctx context.Context, in Workspace) (biller.Overview, error) {
			return s.Billing.Overview(ctx, in.Tenant())
		})
	handle(s, api, huma.Operation{OperationID: "recordEvents", Method: http.MethodPost, Path: "/events", Summary: "Count a batch of usage events (CloudEvents)", Metadata: map[string]any{scopeKey: apikey.WriteEvents}}, s.events)
}
