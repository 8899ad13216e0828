package operator

import (
	"context"
	"net/http"
	"slices"

	"holdfast/server/invoice"
	"holdfast/server/money"
	"holdfast/server/payment"
	"holdfast/server/restapi/endpoint"
	"holdfast/server/restapi/workspace"
	"holdfast/sync/id"
)

type transferInput struct {
	endpoint.None
	Body Transfer
}

type matchInput struct {
	endpoint.None
	Transfer string `path:"transfer" maxLength:"128"`
	Body     struct {
		Workspace string `json:"workspace" minLength:"1" maxLength:"64"`
		Invoice   string `json:"invoice" minLength:"1" maxLength:"100"`
	}
}

func (r registrar) transfers() {
	endpoint.Register(r.all, op(http.MethodGet, "listTransfers", "/transfers", "Transfers that match no invoice"),
		func(context.Context, endpoint.None) ([]Transfer, error) { return r.stray(), nil })
	endpoint.Register(r.all, op(http.MethodPost, "recordTransfer", "/transfers", "Take in a transfer that arrived: it pays the invoice whose number stands in its reference, or waits to be matched"),
		func(ctx context.Context, in transferInput) ([]Transfer, error) {
			c, err := money.ParseCurrency(string(in.Body.Amount.Currency))
			if err != nil {
				return nil, err
			}
			n, err := in.Body.Amount.Minor(c)
			if err != nil {
				return nil, err
			}
			err = r.Billing.Arrived(ctx, payment.Event{ID: in.Body.ID, Amount: money.New(n, c), Reference: in.Body.Reference})
			return r.stray(), err
		})
	endpoint.Register(r.all, op(http.MethodPost, "matchTransfer", "/transfers/{transfer}/match", "Book a transfer that matched no invoice for one"),
		func(ctx context.Context, in matchInput) ([]Transfer, error) {
			err := r.Billing.Match(ctx, in.Transfer, id.ID(in.Body.Workspace), in.Body.Invoice)
			return r.stray(), err
		})
	endpoint.Register(r.all, op(http.MethodGet, "listFailedPayments", "/failed-payments", "Payments that did not work, of invoices that are still owed, the newest first"),
		func(_ context.Context, in struct {
			endpoint.None
			endpoint.Paging
		}) (endpoint.Page[FailedPayment], error) {
			return endpoint.Cut(in.Paging, r.failed(), func(f FailedPayment) string { return f.Workspace + "/" + f.Payment.ID })
		})
}

func (r registrar) stray() []Transfer {
	out := []Transfer{}
	for _, e := range r.Billing.Stray() {
		at := e.At.UTC()
		out = append(out, Transfer{e.ID, endpoint.Of(e.Amount.Minor, e.Amount.Currency), e.Reference, &at})
	}
	return out
}

func (r registrar) failed() []FailedPayment {
	var out []FailedPayment
	for _, a := range r.Billing.Accounts() {
		for _, p := range a.Payments {
			v := a.Invoice(p.Invoice)
			if p.Status != payment.Failed && !p.Returned || v == nil || v.State != invoice.Open || v.Due() == 0 {
				continue
			}
			f := FailedPayment{Workspace: a.ID, Name: a.Name, Standing: a.Standing(), Payment: workspace.OnePayment(a, p), Due: endpoint.Of(v.Due(), a.Currency)}
			for _, c := range a.Chases {
				if c.Invoice == v.ID {
					f.Tries = c.Tries
					if !c.Retry.IsZero() {
						at := c.Retry.UTC()
						f.Retry = &at
					}
				}
			}
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(x, y FailedPayment) int { return y.Payment.At.Compare(x.Payment.At) })
	return out
}
