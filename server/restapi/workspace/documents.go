package workspace

import (
	"context"
	"slices"
	"strings"

	"holdfast/server/billing"
	"holdfast/server/invoice"
	"holdfast/server/payment"
	"holdfast/server/restapi/endpoint"
	"holdfast/sync/fault"
)

// Listing asks for a page of a list.
type Listing struct {
	Workspace
	endpoint.Paging
}

type invoicesInput struct {
	Listing
	State string `query:"state" enum:"open,paid,void,uncollectible" doc:"Only those in this state"`
}

// Numbered is a workspace's document.
type Numbered struct {
	Workspace
	Number string `path:"number" maxLength:"100" doc:"The document's number"`
}

type documentInput struct {
	Numbered
	As string `query:"as" enum:"pdf,html,xml" default:"pdf" doc:"xml is an e-invoice (EN 16931 UBL)"`
}

func withConfirm(a *billing.Account, v invoice.Invoice) Invoice {
	o := oneInvoice(v)
	for _, p := range a.Payments {
		o.Confirm = o.Confirm || p.Invoice == v.ID && p.Status == payment.Action && v.State == invoice.Open
	}
	return o
}

func (r registrar) documents() {
	endpoint.Register(r.Group, get("listInvoices", "/invoices", "Issued invoices, the newest first"), r.invoices)
	endpoint.Register(r.Group, get("getInvoice", "/invoices/{number}", "One invoice"), r.invoice)
	endpoint.Register(r.Group, get("getUpcomingInvoice", "/upcoming", "The invoice of the running period as it would be now, with usage so far"), r.upcoming)
	endpoint.Register(r.Group, get("listCreditNotes", "/credit-notes", "Credit notes, the newest first"),
		func(ctx context.Context, in Listing) (endpoint.Page[CreditNote], error) {
			a, err := r.account(ctx, in.Workspace)
			if err != nil {
				return endpoint.Page[CreditNote]{}, err
			}
			var list []CreditNote
			for _, n := range slices.Backward(a.Notes) {
				list = append(list, oneNote(n))
			}
			return endpoint.Cut(in.Paging, list, func(n CreditNote) string { return n.Number })
		})
	endpoint.Register(r.Group, get("getCreditNote", "/credit-notes/{number}", "One credit note"),
		func(ctx context.Context, in Numbered) (CreditNote, error) {
			a, err := r.account(ctx, in.Workspace)
			if err != nil {
				return CreditNote{}, err
			}
			for _, n := range a.Notes {
				if n.Number == in.Number {
					return oneNote(n), nil
				}
			}
			return CreditNote{}, fault.Errorf("workspace.getCreditNote", fault.NotFound, "There is no credit note %s. Load the list again.", in.Number)
		})
	endpoint.RegisterFile(r.Group, get("getDocument", "/documents/{number}", "An invoice or a credit note as PDF, HTML or e-invoice"), []string{"application/pdf", "text/html", "application/xml"},
		func(_ context.Context, in documentInput) (endpoint.File, error) {
			body, kind, err := r.b.Document(in.Tenant(), in.Number, in.As)
			return endpoint.File{Name: in.Number + "." + in.As, Type: kind, Body: body}, err
		})
}

func issued(a *billing.Account, number string) (*invoice.Invoice, error) {
	if v := a.Invoice(number); v != nil && v.State != invoice.Draft && v.Number == number {
		return v, nil
	}
	return nil, fault.Errorf("workspace.issued", fault.NotFound, "There is no invoice %s. Load the list again.", number)
}

func (r registrar) invoice(ctx context.Context, in Numbered) (Invoice, error) {
	a, err := r.account(ctx, in.Workspace)
	if err != nil {
		return Invoice{}, err
	}
	v, err := issued(a, in.Number)
	if err != nil {
		return Invoice{}, err
	}
	return withConfirm(a, *v), nil
}

func (r registrar) invoices(ctx context.Context, in invoicesInput) (endpoint.Page[Invoice], error) {
	a, err := r.account(ctx, in.Workspace)
	if err != nil {
		return endpoint.Page[Invoice]{}, err
	}
	var list []invoice.Invoice
	for _, v := range slices.Backward(a.Invoices) {
		if v.State != invoice.Draft && (in.State == "" || string(v.State) == in.State) {
			list = append(list, v)
		}
	}
	slices.SortStableFunc(list, func(x, y invoice.Invoice) int { return -strings.Compare(x.Number, y.Number) })
	cut, err := endpoint.Cut(in.Paging, list, func(v invoice.Invoice) string { return v.Number })
	out := endpoint.Page[Invoice]{Items: []Invoice{}, Next: cut.Next}
	for _, v := range cut.Items {
		out.Items = append(out.Items, withConfirm(a, v))
	}
	return out, err
}

// Upcoming is what is to come.
type Upcoming struct {
	Invoice *Invoice `json:"invoice,omitempty" doc:"Absent: nothing would be owed"`
}

func (r registrar) upcoming(ctx context.Context, in Workspace) (Upcoming, error) {
	p, err := r.b.Upcoming(ctx, in.Tenant())
	switch {
	case fault.KindOf(err) == fault.Conflict || err == nil && len(p.Invoices) == 0:
		return Upcoming{}, nil // nothing runs, or it costs nothing
	case err != nil:
		return Upcoming{}, err
	}
	v := oneInvoice(p.Invoices[len(p.Invoices)-1])
	return Upcoming{&v}, nil
}
