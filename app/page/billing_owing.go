package page

import (
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/api"
	"holdfast/app/view"
)

// owing says what was not paid, why, what comes next, and what to do about it.
func (c *BillingPage) owing() app.UI {
	b := c.b
	if len(b.PastDue) == 0 {
		return app.Text("")
	}
	var list []app.UI
	for _, p := range b.PastDue {
		var says []string
		if p.Why != "" {
			says = append(says, "The bank said: "+p.Why+".")
		}
		if p.RetryMS > 0 {
			says = append(says, "It is tried again on "+b.Day(p.RetryMS)+".")
		} else {
			says = append(says, "It is not tried again by itself: another payment method is needed.")
		}
		if p.RestrictMS > 0 {
			says = append(says, "From "+b.Day(p.RestrictMS)+" the workspace can only be read.")
		}
		list = append(list, app.Li().Body(view.Icon("alert"), app.Div().Class("what").Body(
			app.Span().Text(p.Number+" · "+p.Due+" to be paid"), app.Elem("small").Text(strings.Join(says, " ")))))
	}
	return app.Section().ID("past-due").Body(
		app.Header().Body(app.H2().Text("To be paid"), view.Button{Act: "method", DOM: "pay-method", Label: "Use another card", Icon: "card", Kind: "primary"}.UI()),
		app.Ul().Class("cards").Body(list...))
}

// planNote says until when the plan runs, and what becomes of it then.
func planNote(b *api.Billing) string {
	p := &b.Plan
	switch {
	case p.Status == "cancelled":
		return "It has ended. The workspace can be read, and nothing is deleted."
	case p.EndsMS > 0:
		return "Ends on " + b.Day(p.EndsMS-1) + ". After that the workspace can only be read."
	case p.Status == "paused" && p.ResumeMS > 0:
		return "Paused until " + b.Day(p.ResumeMS) + ". The workspace can be read."
	case p.Status == "paused":
		return "Paused. The workspace can be read."
	case p.TrialMS > 0:
		return "On trial until " + b.Day(p.TrialMS-1) + ". Nothing is charged before."
	case p.Next != "":
		return "Changes to " + p.Next + " on " + b.Day(p.UntilMS)
	}
	return view.Count(int(p.Seats), "seat", "seats") + " · this period ends on " + b.Day(p.UntilMS-1)
}

// planEnd is the way out of a plan, or back into it.
func (c *BillingPage) planEnd() app.UI {
	p := c.b.Plan
	switch {
	case p.MayReactivate && p.Status == "cancelled":
		return app.Div().Class("row").Body(view.Button{Act: "reactivate", DOM: "reactivate", Label: "Start " + p.Name + " again", Kind: "primary", Busy: c.busy == "reactivate"}.UI())
	case p.MayReactivate:
		return app.Div().Class("row").Body(view.Button{Act: "reactivate", DOM: "reactivate", Label: "Keep " + p.Name, Kind: "primary", Busy: c.busy == "reactivate"}.UI())
	case p.MayCancel:
		return app.Div().Class("row").Body(view.Button{Act: "cancel", DOM: "cancel-plan", Label: "Cancel " + p.Name, Kind: "quiet"}.UI())
	}
	return app.Text("")
}

// cancel asks before the plan ends with its month.
func (c *BillingPage) cancel(after func(api.Billing, *api.Problem, func(string), string)) {
	a, tenant, p := c.App, c.App.store.Tenant(), c.b.Plan
	last := p.UntilMS - 1
	if p.TrialMS > 0 {
		last = p.TrialMS - 1
	}
	day := c.b.Day(last)
	a.ask(dialog{Title: "Cancel " + p.Name, Back: "cancel-plan", Confirm: "Cancel at the end", Danger: true,
		Text: "The plan runs until " + day + ". After that everybody can read the workspace, and nobody can change it. Nothing is deleted. To go on working without paying, change to a free plan instead.",
		Submit: func(_ map[string]string, done func(string)) {
			go func() {
				b, q := a.API.CancelPlan(tenant)
				after(b, q, done, "The plan ends on "+day+".")
			}()
		}})
}

// reactivate takes the cancellation back, or starts the plan again.
func (c *BillingPage) reactivate(ctx app.Context) {
	a, tenant := c.App, c.App.store.Tenant()
	c.busy = "reactivate"
	go func() {
		b, p := a.API.ReactivatePlan(tenant)
		ctx.Dispatch(func(app.Context) {
			if c.busy = ""; p != nil {
				c.failed = p.Sentence()
				return
			}
			c.show(b, nil)
		})
		if p == nil {
			a.told(nil, "The plan goes on.")
		}
	}()
}

// credits lists what pays the next invoices.
func (c *BillingPage) credits() app.UI {
	if len(c.b.Credits) == 0 {
		return app.Text("")
	}
	var list []app.UI
	for _, g := range c.b.Credits {
		until := "It does not expire."
		if g.ExpiresMS > 0 {
			until = "To be used until " + c.b.Day(g.ExpiresMS-1) + "."
		}
		list = append(list, app.Li().Body(app.Div().Class("what").Body(app.Span().Text(g.Left+" left"), app.Elem("small").Text(g.From+" · "+until))))
	}
	return app.Section().Body(app.Header().Body(app.H2().Text("Credit"), app.P().Text(c.b.Credit+" of credit pays the next invoices.")), app.Ul().Class("cards").Body(list...))
}
