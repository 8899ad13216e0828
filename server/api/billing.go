package api

import (
	"io"
	"net/http"

	"holdfast/server/biller"
	"holdfast/server/payment"
	"holdfast/sync/fault"
	"holdfast/sync/problem"
	"holdfast/sync/work"
)

// file is an answer that is not JSON.
type file struct {
	name, contentType string
	body              []byte
}

func (a *api) billingRoutes() {
	const at = " /api/workspaces/{tenant}/billing"
	a.route("GET"+at, signedIn|publishes, a.billing)
	a.route("POST"+at+"/preview", signedIn, a.previewPlan)
	a.route("POST"+at+"/plan", signedIn|publishes, a.changePlan)
	a.route("POST"+at+"/cancel", signedIn|publishes, a.cancelPlan)
	a.route("POST"+at+"/reactivate", signedIn|publishes, a.reactivatePlan)
	a.route("PUT"+at+"/method", signedIn|publishes, a.setMethod)
	a.route("POST"+at+"/method/page", signedIn, a.addMethod)
	a.route("PUT"+at+"/details", signedIn, a.setDetails)
	a.route("GET"+at+"/documents/{number}", signedIn, a.billingDocument)
	a.route("POST"+at+"/documents/{number}/confirm", signedIn|publishes, a.confirmPayment)
	if a.Billing != nil {
		a.mux.HandleFunc("POST /api/webhooks/stripe", a.stripeHook)
	}
}

// mayBill lets owners do everything and admins look.
func (a *api) mayBill(c *call, change bool) error {
	const op = "api.billing"
	if a.Billing == nil {
		return fault.Errorf(op, fault.NotFound, "There is nothing at this address.")
	}
	role, err := a.Tenancy.Role(c.ctx, c.tenant(), c.caller.Person.ID)
	switch {
	case err != nil:
		return err
	case role == work.Owner, role == work.Admin && !change:
		return nil
	case change:
		return fault.Errorf(op, fault.Denied, "Only owners can change the plan and how it is paid. Ask one of them.")
	}
	return fault.Errorf(op, fault.Denied, "Only owners and admins see the billing. Ask one of them.")
}

func (a *api) billing(c *call) (any, error) {
	if err := a.mayBill(c, false); err != nil {
		return nil, err
	}
	return a.Billing.Overview(c.ctx, c.tenant())
}

type planBody struct {
	Plan string `json:"plan"`
}

func (a *api) previewPlan(c *call) (any, error) {
	var in planBody
	if err := a.mayBill(c, false); err != nil {
		return nil, err
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	return a.Billing.PreviewChange(c.ctx, c.tenant(), in.Plan)
}

// changed does what an owner wants and answers with how everything is afterwards.
func (a *api) changed(c *call, in any, do func() error) (any, error) {
	if err := a.mayBill(c, true); err != nil {
		return nil, err
	}
	if in != nil {
		if err := c.decode(in); err != nil {
			return nil, err
		}
	}
	if err := do(); err != nil {
		return nil, err
	}
	return a.Billing.Overview(c.ctx, c.tenant())
}

func (a *api) changePlan(c *call) (any, error) {
	var in planBody
	return a.changed(c, &in, func() error { return a.Billing.ChangePlan(c.ctx, c.tenant(), in.Plan) })
}

func (a *api) cancelPlan(c *call) (any, error) {
	return a.changed(c, nil, func() error { return a.Billing.Cancel(c.ctx, c.tenant()) })
}

func (a *api) reactivatePlan(c *call) (any, error) {
	return a.changed(c, nil, func() error { return a.Billing.Reactivate(c.ctx, c.tenant()) })
}

func (a *api) setMethod(c *call) (any, error) {
	var in payment.Method
	return a.changed(c, &in, func() error { return a.Billing.SetMethod(c.ctx, c.tenant(), in) })
}

func (a *api) setDetails(c *call) (any, error) {
	var in biller.Details
	return a.changed(c, &in, func() error { return a.Billing.SetDetails(c.ctx, c.tenant(), in) })
}

func (a *api) confirmPayment(c *call) (any, error) {
	return a.goTo(c, func() (string, error) { return a.Billing.Confirm(c.ctx, c.tenant(), c.r.PathValue("number")) })
}

func (a *api) addMethod(c *call) (any, error) {
	return a.goTo(c, func() (string, error) { return a.Billing.AddMethod(c.ctx, c.tenant()) })
}

// goTo is changed for what goes on on a page of the processor.
func (a *api) goTo(c *call, do func() (page string, err error)) (any, error) {
	if err := a.mayBill(c, true); err != nil {
		return nil, err
	}
	page, err := do()
	if err != nil {
		return nil, err
	}
	o, err := a.Billing.Overview(c.ctx, c.tenant())
	o.GoTo = page
	return o, err
}

// stripeHook takes Stripe's webhooks in. They are signed, so they come without a session.
func (a *api) stripeHook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, hookBytesMax))
	if err != nil {
		problem.Write(w, fault.Errorf("api.stripeHook", fault.TooLarge, "A webhook has at most %d bytes.", hookBytesMax))
		return
	}
	if err := a.Billing.HearStripe(r.Context(), r.Header, body); err != nil {
		if p := problem.Write(w, err); p.Status >= http.StatusInternalServerError {
			a.Log.Error("a webhook of Stripe was not kept", "err", err)
		}
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a *api) billingDocument(c *call) (any, error) {
	if err := a.mayBill(c, false); err != nil {
		return nil, err
	}
	number, form := c.r.PathValue("number"), c.r.URL.Query().Get("as")
	body, contentType, err := a.Billing.Document(c.tenant(), number, form)
	if err != nil {
		return nil, err
	}
	if form == "" {
		form = "html"
	}
	return file{number + "." + form, contentType, body}, nil
}
