package workspace

import (
	"context"
	"slices"
	"time"

	"holdfast/server/biller"
	"holdfast/server/billing"
	"holdfast/server/payment"
	"holdfast/server/restapi/endpoint"
	"holdfast/sync/fault"
)

// Payment is one try to collect, or money that arrived.
type Payment struct {
	ID       string         `json:"id"`
	Invoice  string         `json:"invoice"`
	Method   string         `json:"method" enum:"card,debit,wire"`
	Amount   Money          `json:"amount"`
	Status   payment.Status `json:"status" enum:"succeeded,failed,processing,action_required"`
	Code     string         `json:"code,omitempty" doc:"Why it failed"`
	Final    bool           `json:"final,omitempty" doc:"The method must not be tried again"`
	At       time.Time      `json:"at"`
	Refunded Money          `json:"refunded"`
	Returned bool           `json:"returned,omitempty" doc:"A settled debit that bounced"`
	Dispute  string         `json:"dispute,omitempty" doc:"opened, won or lost"`
}

// Method is a way to pay.
type Method struct {
	Kind  string `json:"kind" enum:"card,debit,wire"`
	Token string `json:"token,omitempty" maxLength:"64" doc:"The processor's name for it; in answers only its end"`
}

// Methods are the ways in which a workspace pays, in the order of trying.
type Methods struct {
	Methods []Method `json:"methods" maxItems:"10"`
	Send    bool     `json:"send,omitempty" doc:"The customer sends the money; nothing is charged"`
}

// MethodPage is where a method is added.
type MethodPage struct {
	URL string `json:"url,omitempty" doc:"Absent: the test bank has none; set the method itself"`
}

type methodsInput struct {
	Workspace
	Body Methods
}

type detailsInput struct {
	Workspace
	Body biller.Details
}

// OnePayment makes one of an account's.
func OnePayment(a *billing.Account, p billing.Payment) Payment {
	o := Payment{ID: p.ID, Method: p.Method.Kind, Amount: endpoint.Of(p.Amount, a.Currency), Status: p.Status, Code: p.Code, Final: p.Hard, At: p.At.UTC(),
		Refunded: endpoint.Of(p.Refunded, a.Currency), Returned: p.Returned, Dispute: p.Dispute}
	if v := a.Invoice(p.Invoice); v != nil {
		o.Invoice = v.Number
	}
	return o
}

func (r registrar) methods(ctx context.Context, in Workspace) (Methods, error) {
	a, err := r.account(ctx, in)
	if err != nil {
		return Methods{}, err
	}
	m := Methods{Methods: []Method{}, Send: a.Collect == "send"}
	for _, x := range a.Methods {
		m.Methods = append(m.Methods, Method{x.Kind, biller.Shown(x)})
	}
	return m, nil
}

func (r registrar) payments() {
	endpoint.Register(r.Group, get("listPayments", "/payments", "Payments and tries, the newest first"),
		func(ctx context.Context, in Listing) (endpoint.Page[Payment], error) {
			a, err := r.account(ctx, in.Workspace)
			if err != nil {
				return endpoint.Page[Payment]{}, err
			}
			var list []Payment
			for _, p := range slices.Backward(a.Payments) {
				list = append(list, OnePayment(a, p))
			}
			return endpoint.Cut(in.Paging, list, func(p Payment) string { return p.ID })
		})
	endpoint.Register(r.Group, post("confirmPayment", "/invoices/{number}/confirm", "Pass the bank's extra step (3-D Secure) for an invoice that waits for it"),
		func(ctx context.Context, in Numbered) (Invoice, error) {
			page, err := r.b.Confirm(ctx, in.Tenant(), in.Number)
			if err != nil {
				return Invoice{}, err
			}
			v, err := r.invoice(ctx, in)
			v.ConfirmAt = page
			return v, err
		})
	endpoint.Register(r.Group, post("payInvoice", "/invoices/{number}/pay", "Try to collect what is owed on an invoice now"),
		func(ctx context.Context, in Numbered) (Invoice, error) {
			if _, err := r.b.Run(ctx, in.Tenant(), billing.Collect{Invoice: in.Number}); err != nil {
				return Invoice{}, err
			}
			return r.invoice(ctx, in)
		})
	endpoint.Register(r.Group, get("getMethods", "/methods", "How invoices are paid"),
		func(ctx context.Context, in Workspace) (Methods, error) { return r.methods(ctx, in) })
	endpoint.Register(r.Group, put("setMethods", "/methods", "Set how invoices are paid; what is past due is tried at once"),
		func(ctx context.Context, in methodsInput) (Methods, error) {
			var list []payment.Method
			for _, m := range in.Body.Methods {
				list = append(list, payment.Method{Kind: m.Kind, Token: m.Token})
			}
			if err := r.b.SetMethods(ctx, in.Tenant(), list, in.Body.Send); err != nil {
				return Methods{}, err
			}
			return r.methods(ctx, in.Workspace)
		})
	endpoint.Register(r.Group, post("openMethodPage", "/methods/page", "Make the processor's page on which a method is added; open it in a browser. The test bank has none"),
		func(ctx context.Context, in Workspace) (MethodPage, error) {
			page, err := r.b.AddMethod(ctx, in.Tenant())
			if fault.KindOf(err) == fault.Conflict {
				err = nil // the test bank
			}
			return MethodPage{page}, err
		})
	endpoint.Register(r.Group, get("getDetails", "/details", "What stands on invoices about the customer"),
		func(ctx context.Context, in Workspace) (biller.Details, error) { return r.details(ctx, in) })
	endpoint.Register(r.Group, put("setDetails", "/details", "Set what stands on the next invoices about the customer"),
		func(ctx context.Context, in detailsInput) (biller.Details, error) {
			if err := r.b.SetDetails(ctx, in.Tenant(), in.Body); err != nil {
				return biller.Details{}, err
			}
			return r.details(ctx, in.Workspace)
		})
}

func (r registrar) details(ctx context.Context, in Workspace) (biller.Details, error) {
	a, err := r.account(ctx, in)
	if err != nil {
		return biller.Details{}, err
	}
	return biller.DetailsOf(a), nil
}
