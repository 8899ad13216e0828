// Package operator is the part of the public API for those who run the installation: all customers, what may be done to their documents,
// the catalogue, the ledger, revenue, transfers, reconciliation and test clocks. Whoever is no operator is told that there is nothing here.
package operator

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"holdfast/server/biller"
	"holdfast/server/billing"
	"holdfast/server/metering"
	"holdfast/server/operator"
	"holdfast/server/restapi/endpoint"
)

// Metering tells how usage is counted.
type Metering interface {
	Health(ctx context.Context) ([]metering.Health, error)
	Totals(ctx context.Context, month time.Time) ([]metering.Total, error)
}

// Config is what the operations need.
type Config struct {
	Billing   *biller.Service
	Operators *operator.Service
	Meters    Metering
	Now       func() time.Time
}

// registrar has two groups: of the whole installation, and of one workspace.
type registrar struct {
	Config
	all, one endpoint.Group
}

// Register adds every operation. all is the group under …/operator, one that under …/operator/workspaces/{workspace}.
func Register(all, one endpoint.Group, cfg Config) {
	r := registrar{cfg, all, one}
	r.customers()
	r.documents()
	r.overrides()
	r.catalogue()
	r.books()
	r.transfers()
	r.health()
	r.clocks()
}

func op(method, id, path, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary}
}

type customersInput struct {
	endpoint.None
	endpoint.Paging
	Search   string `query:"search" maxLength:"100" doc:"A part of the name, e-mail, VAT number or id, or an invoice's number"`
	Standing string `query:"standing" enum:"good,past_due,restricted"`
	Plan     string `query:"plan" maxLength:"64"`
}

func (r registrar) customers() {
	endpoint.Register(r.all, op(http.MethodGet, "listCustomers", "/workspaces", "All customers, the newest first"), r.list)
	endpoint.Register(r.one, op(http.MethodGet, "getCustomer", "", "One customer"),
		func(ctx context.Context, in endpoint.Workspace) (Customer, error) {
			a, err := r.Billing.Account(ctx, in.Tenant())
			if err != nil {
				return Customer{}, err
			}
			return customer(r.Billing, a)
		})
	endpoint.Register(r.all, op(http.MethodGet, "listOperators", "/operators", "Who runs the installation"),
		func(ctx context.Context, _ endpoint.None) ([]operator.Operator, error) { return r.Operators.List(ctx) })
	endpoint.Register(r.all, op(http.MethodGet, "listAudit", "/audit", "What operators did, the newest first"),
		func(ctx context.Context, in struct {
			endpoint.None
			Subject string `query:"subject" maxLength:"64" doc:"Only what was done to this, such as a workspace's id"`
			Before  int64  `query:"before" minimum:"0" doc:"Only entries before this one: the last n of the page before"`
			Limit   int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
		}) ([]operator.Entry, error) {
			return r.Operators.Entries(ctx, in.Subject, in.Before, in.Limit)
		})
}

func (r registrar) list(_ context.Context, in customersInput) (endpoint.Page[Customer], error) {
	var found []*billing.Account
	for _, a := range slices.Backward(r.Billing.Everyone()) {
		if matches(a, in.Search) && (in.Standing == "" || a.Standing() == in.Standing) && (in.Plan == "" || a.Sub().Plan == in.Plan) {
			found = append(found, a)
		}
	}
	cut, err := endpoint.Cut(in.Paging, found, func(a *billing.Account) string { return a.ID })
	out := endpoint.Page[Customer]{Items: []Customer{}, Next: cut.Next}
	for _, a := range cut.Items {
		c, err := customer(r.Billing, a)
		if err != nil {
			return out, err
		}
		out.Items = append(out.Items, c)
	}
	return out, err
}

type clockInput struct {
	endpoint.Workspace
	Body struct {
		At time.Time `json:"at,omitempty" doc:"Where it begins; absent: now"`
	}
}

type advanceInput struct {
	endpoint.Workspace
	Body struct {
		To time.Time `json:"to" doc:"A later moment; whatever falls due until then happens in order"`
	}
}

func (r registrar) clocks() {
	const path = "/test-clock"
	endpoint.Register(r.all, op(http.MethodGet, "listTestClocks", "/test-clocks", "The workspaces on a test clock"),
		func(context.Context, endpoint.None) ([]Clock, error) {
			out := []Clock{}
			for _, c := range r.Billing.TestClocks() {
				out = append(out, clock(c))
			}
			return out, nil
		})
	endpoint.Register(r.one, op(http.MethodPut, "startTestClock", path, "Give a workspace a test clock: its account begins anew there, and no real money moves"),
		func(ctx context.Context, in clockInput) (Clock, error) {
			c, err := r.Billing.StartTestClock(ctx, in.Tenant(), in.Body.At)
			return clock(c), err
		})
	endpoint.Register(r.one, op(http.MethodPost, "advanceTestClock", path+"/advance", "Move a workspace's test clock"),
		func(ctx context.Context, in advanceInput) (Clock, error) {
			c, err := r.Billing.AdvanceTestClock(ctx, in.Tenant(), in.Body.To)
			return clock(c), err
		})
	endpoint.Register(r.one, op(http.MethodDelete, "endTestClock", path, "Take a workspace's test clock away, with all that its account was there"),
		func(ctx context.Context, in endpoint.Workspace) (Customer, error) {
			if err := r.Billing.EndTestClock(ctx, in.Tenant()); err != nil {
				return Customer{}, err
			}
			a, err := r.Billing.Account(ctx, in.Tenant())
			if err != nil {
				return Customer{}, err
			}
			return customer(r.Billing, a)
		})
}
