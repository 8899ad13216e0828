package restapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"holdfast/server/apikey"
	"holdfast/server/restapi/endpoint"
	"holdfast/server/rule"
	"holdfast/sync/id"
)

// OneRule is in the path of every operation about one.
type OneRule struct {
	Workspace
	Rule string `path:"rule" maxLength:"64" doc:"The rule's id"`
}

type ruleInput struct {
	Workspace
	Body rule.Draft
}

type oneRuleInput struct {
	OneRule
	Body rule.Draft
}

// ruleRoutes are a workspace's rules.
func (s *service) ruleRoutes(api huma.API) {
	g := s.workspaces(api)
	g.Tag = tagRules
	const at, one = "/rules", "/rules/{rule}"
	read, write := map[string]any{scopeKey: apikey.ReadRules}, map[string]any{scopeKey: apikey.WriteRules}
	endpoint.Register(g, huma.Operation{OperationID: "listRules", Method: http.MethodGet, Path: at, Summary: "The rules, in the order in which they are asked", Metadata: read},
		func(ctx context.Context, in Workspace) ([]rule.Rule, error) { return s.Rules.List(ctx, in.Tenant()) })
	endpoint.Register(g, huma.Operation{OperationID: "addRule", Method: http.MethodPost, Path: at, Summary: "Add a rule; its module is tried first", Metadata: write},
		func(ctx context.Context, in ruleInput) (rule.Rule, error) {
			return s.Rules.Add(ctx, in.Tenant(), in.Body)
		})
	endpoint.Register(g, huma.Operation{OperationID: "changeRule", Method: http.MethodPut, Path: one, Summary: "Rename a rule, switch it on or off, or give it another module", Metadata: write},
		func(ctx context.Context, in oneRuleInput) (rule.Rule, error) {
			return s.Rules.Change(ctx, in.Tenant(), id.ID(in.Rule), in.Body)
		})
	endpoint.Register(g, huma.Operation{OperationID: "removeRule", Method: http.MethodDelete, Path: one, Summary: "Remove a rule", Metadata: write},
		func(ctx context.Context, in OneRule) ([]rule.Rule, error) {
			if err := s.Rules.Remove(ctx, in.Tenant(), id.ID(in.Rule)); err != nil {
				return nil, err
			}
			return s.Rules.List(ctx, in.Tenant())
		})
}
