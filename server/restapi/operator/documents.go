package operator

import (
	"context"
	"net/http"
	"time"

	"holdfast/server/billing"
	"holdfast/server/restapi/endpoint"
	"holdfast/server/restapi/workspace"
	"holdfast/server/tax"
)

type giveInput struct {
	endpoint.Workspace
	Body struct {
		Amount   endpoint.Money `json:"amount"`
		Expires  time.Time      `json:"expires,omitempty" doc:"Absent: never"`
		Priority *int           `json:"priority,omitempty" minimum:"0" maximum:"1000"`
	}
}

type creditInput struct {
	workspace.Numbered
	Body struct {
		Amount *endpoint.Money `json:"amount,omitempty" doc:"With tax; absent: all that is left"`
		Line   string          `json:"line,omitempty" maxLength:"100" doc:"Only of this line"`
		Refund bool            `json:"refund,omitempty" doc:"Pay it back; refused if that is more than was paid"`
		Reason string          `json:"reason,omitempty" maxLength:"500"`
	}
}

type chargeInput struct {
	endpoint.Workspace
	Body struct {
		Name        string         `json:"name" minLength:"1" maxLength:"200"`
		Amount      endpoint.Money `json:"amount"`
		TaxCategory string         `json:"tax_category,omitempty" maxLength:"64"`
		TaxIncluded bool           `json:"tax_included,omitempty"`
		Now         bool           `json:"now,omitempty" doc:"An invoice of its own; otherwise a line of the next one"`
	}
}

type trialInput struct {
	endpoint.Workspace
	Body struct {
		Until time.Time `json:"until"`
	}
}

type vatInput struct {
	endpoint.Workspace
	Body struct {
		Status string `json:"status" enum:"valid,invalid,unavailable" doc:"What the register says of the customer's number"`
	}
}

type taxInput struct {
	endpoint.Workspace
	Body struct {
		Exempt bool `json:"exempt"`
	}
}

func (r registrar) documents() {
	g, b := r.one, r.Billing
	money := func(ctx context.Context, w endpoint.Workspace, m endpoint.Money) (int64, error) {
		a, err := b.Account(ctx, w.Tenant())
		if err != nil {
			return 0, err
		}
		return m.Minor(a.Currency)
	}
	workspace.Command(g, b, op(http.MethodPost, "voidInvoice", "/invoices/{number}/void", "Make an open invoice void"),
		func(_ context.Context, in workspace.Numbered) (billing.Command, error) {
			return billing.Void{Invoice: in.Number}, nil
		})
	workspace.Command(g, b, op(http.MethodPost, "giveUpInvoice", "/invoices/{number}/uncollectible", "Mark an open invoice uncollectible"),
		func(_ context.Context, in workspace.Numbered) (billing.Command, error) {
			return billing.GiveUp{Invoice: in.Number}, nil
		})
	workspace.Command(g, b, op(http.MethodPost, "creditInvoice", "/invoices/{number}/credit", "Give a part of an invoice back by a credit note, or refund it"),
		func(ctx context.Context, in creditInput) (billing.Command, error) {
			c := billing.CreditInvoice{Invoice: in.Number, Line: in.Body.Line, Refund: in.Body.Refund, Reason: in.Body.Reason}
			if in.Body.Amount == nil {
				return c, nil
			}
			n, err := money(ctx, in.Workspace, *in.Body.Amount)
			c.Gross = n
			return c, err
		})
	workspace.Command(g, b, op(http.MethodPost, "giveCredit", "/credits/give", "Give promotional credit"),
		func(ctx context.Context, in giveInput) (billing.Command, error) {
			n, err := money(ctx, in.Workspace, in.Body.Amount)
			return billing.Give{Amount: n, Expires: in.Body.Expires, Priority: in.Body.Priority}, err
		})
	workspace.Command(g, b, op(http.MethodPost, "charge", "/charges", "Charge something by hand"),
		func(ctx context.Context, in chargeInput) (billing.Command, error) {
			n, err := money(ctx, in.Workspace, in.Body.Amount)
			return billing.Charge{Name: in.Body.Name, Amount: n, TaxCategory: in.Body.TaxCategory, TaxIncluded: in.Body.TaxIncluded, Now: in.Body.Now}, err
		})
	workspace.Command(g, b, op(http.MethodPost, "extendTrial", "/subscription/extend-trial", "Move the end of a running trial to a later moment"),
		func(_ context.Context, in trialInput) (billing.Command, error) {
			return billing.Extend{Until: in.Body.Until}, nil
		})
	endpoint.Register(g, op(http.MethodPut, "setVATStatus", "/vat", "Say what the register says of the customer's VAT number"),
		func(ctx context.Context, in vatInput) (Customer, error) {
			status := tax.Status(in.Body.Status)
			if status == "unavailable" {
				status = tax.Unchecked
			}
			return r.changed(ctx, in.Workspace, billing.CheckedVAT{Status: status})
		})
	endpoint.Register(g, op(http.MethodPut, "setExempt", "/exempt", "Say whether a customer is exempt from tax"),
		func(ctx context.Context, in taxInput) (Customer, error) {
			a, err := b.Account(ctx, in.Tenant())
			if err != nil {
				return Customer{}, err
			}
			c := a.Customer
			c.Exempt = in.Body.Exempt
			return r.changed(ctx, in.Workspace, billing.Update{Customer: c})
		})
}

func (r registrar) changed(ctx context.Context, w endpoint.Workspace, c billing.Command) (Customer, error) {
	done, err := r.Billing.Run(ctx, w.Tenant(), c)
	if err != nil {
		return Customer{}, err
	}
	return customer(r.Billing, done.After)
}
