package page

import (
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/api"
	"holdfast/app/browser"
	"holdfast/app/view"
)

// BillingPage is the owner's: the plan, what was used and what it will cost, invoices, and how they are paid.
type BillingPage struct {
	app.Compo
	App *App
	Rev int

	b      *api.Billing
	failed string
	busy   string // the plan that is being looked at
}

func (c *BillingPage) OnMount(ctx app.Context) { c.load(ctx) }

func (c *BillingPage) load(ctx app.Context) {
	tenant := c.App.store.Tenant()
	go func() {
		b, p := c.App.API.Billing(tenant)
		ctx.Dispatch(func(app.Context) { c.show(b, p) })
	}()
}

func (c *BillingPage) show(b api.Billing, p *api.Problem) {
	if c.failed = ""; p != nil {
		c.failed = p.Sentence()
		return
	}
	if c.b = &b; strings.HasPrefix(b.GoTo, "https://") {
		browser.Leave(b.GoTo) // to the processor or the bank; it sends people back here
	}
}

func (c *BillingPage) Render() app.UI {
	a := c.App
	const text = "What this workspace pays for, and what it has used. Owners change the plan; admins can look."
	if _, loaded := a.store.Frame(); loaded && !a.store.CanManage() {
		return a.prose("Billing", "", view.Empty("card", "Billing is for owners and admins", "Ask one of them if you need to see it."))
	}
	if c.b == nil {
		return app.Div().Class("body").OnClick(c.onClick).Body(a.prose("Billing", text, view.Notice("danger", c.failed),
			app.If(c.failed != "", func() app.UI {
				return app.Div().Class("row").Body(view.Button{Act: "again", Label: "Try again", Icon: "refresh"}.UI())
			}).Else(func() app.UI { return view.Skeleton(5) })))
	}
	return app.Div().Class("body").OnClick(c.onClick).Body(a.prose("Billing", text,
		view.Notice("danger", c.failed), view.Notice("danger", standing(c.b.Standing)),
		c.owing(), c.plans(), c.usage(), c.upcoming(), c.invoices(), c.credits(), c.paying(), &Webhooks{App: a}, &APIKeys{App: a}))
}

func standing(s string) string {
	switch s {
	case "past_due":
		return "An invoice is not paid. Check the payment method below; it is tried again as soon as you change it."
	case "restricted":
		return "This workspace can only be read until its invoices are paid. Nothing is lost. Add a payment method that works and it opens again at once."
	}
	return ""
}

func (c *BillingPage) plans() app.UI {
	b := c.b
	var list []app.UI
	for _, p := range b.Plans {
		var says []app.UI
		for _, s := range append(append([]string{}, p.Prices...), p.Grants...) {
			says = append(says, app.Li().Text(s))
		}
		label, kind := "Change to "+p.Name, "primary"
		if p.Now {
			label, kind = "Stay on "+p.Name, ""
		}
		list = append(list, app.Li().Class("plan"+pick(p.Now, " plan-now", "")).Body(
			app.H3().Text(p.Name), app.Ul().Body(says...),
			app.If(p.Now && b.Plan.Next == "", func() app.UI { return app.P().Class("plan-is").Body(view.Icon("check"), app.Text("Your plan")) }).
				Else(func() app.UI {
					return view.Button{Act: "plan", ID: p.ID, DOM: "plan-" + p.ID, Label: label, Kind: kind, Busy: c.busy == p.ID}.UI()
				})))
	}
	return app.Section().Body(app.Header().Body(app.H2().Text("Plan: "+b.Plan.Name), app.P().Text(planNote(b))), app.Ul().Class("plans").Body(list...), c.planEnd())
}

const tiny = "less than 1 KB"

// amountOf writes a meter's quantity with its unit.
func amountOf(meter string, n int64) string {
	switch meter {
	case "storage-byte-hours": // as much kept for a month
		if n > 0 && n < 730_000 {
			return tiny
		}
		return view.Bytes(n / 730)
	case "storage-bytes", "egress-bytes":
		return view.Bytes(n)
	case "connected-seconds":
		return hours(n)
	case "rule-nanoseconds":
		return brief(n)
	case "seat-hours":
		return view.Number(n) + " h"
	}
	return view.Number(n)
}

// outlook says what a meter comes to by the end of the month. A curve of what is shown as next to nothing would only mislead.
func outlook(u api.BillingUsage) (text string, grows bool) {
	end := amountOf(u.Unit, u.Forecast)
	grows = end != tiny && end != amountOf(u.Unit, 0)
	if text = pick(end == tiny, "", "about ") + end + " by the end of the month"; u.Limit > 0 {
		text += " · " + pick(u.Soft, "included: ", "limit: ") + amountOf(u.Unit, u.Limit)
	}
	return text, grows
}

func (c *BillingPage) usage() app.UI {
	var list []app.UI
	for _, u := range c.b.Usage {
		forecast, grows := outlook(u)
		list = append(list, app.Div().Class("fact").Body(
			app.Dt().Text(u.Name),
			app.Dd().Body(app.Text(amountOf(u.Unit, u.Used)), app.Elem("small").Text(forecast),
				app.If(grows, func() app.UI {
					return view.Growth(u.Name+": "+amountOf(u.Unit, u.Used)+" so far, "+forecast, u.Days, u.DaysAll, u.Forecast, u.Limit)
				}))))
	}
	return app.Section().Body(
		app.Header().Body(app.H2().Text("Used this month"), view.Button{Act: "again", Label: "Refresh", Icon: "refresh", Kind: "quiet"}.UI()),
		app.Dl().Class("facts facts-wide").Body(list...))
}

// bill is a small table of what is owed.
func bill(b api.Bill) app.UI {
	var rows []app.UI
	row := func(class, name, amount string) {
		rows = append(rows, app.Tr().Class(class).Body(app.Th().Scope("row").Text(name), app.Td().Text(amount)))
	}
	for _, l := range b.Lines {
		name := l.Name
		if l.Quantity != "" && l.Quantity != "1" {
			name += " × " + l.Quantity
		}
		row("", name, l.Amount)
	}
	row("", "Tax", b.Tax)
	row("total", "Total", b.Total)
	return app.Table().Class("bill").Body(app.TBody().Body(rows...))
}

func (c *BillingPage) upcoming() app.UI {
	u := c.b.Upcoming
	if u == nil {
		return app.Section().Body(app.Header().Body(app.H2().Text("Next invoice")), app.P().Text("Nothing is to be paid. There will be no invoice for this month."))
	}
	return app.Section().Body(app.Header().Body(app.H2().Text("Next invoice"), app.P().Text("On "+c.b.Day(c.b.Plan.UntilMS)+", with what is used so far")), bill(*u))
}

func (c *BillingPage) invoices() app.UI {
	tenant := c.App.store.Tenant()
	var list []app.UI
	for _, v := range c.b.Invoices {
		state := strings.ToUpper(v.State[:1]) + v.State[1:]
		if v.Due != "" {
			state = v.Due + " to be paid"
		}
		file := func(form, label string) app.UI {
			return app.A().Class("btn btn-quiet").Href(api.Document(tenant, v.Number, form)).Attr("download", v.Number+"."+form).Aria("label", label+" of "+v.Number).Body(view.Icon("download"), app.Span().Text(label))
		}
		list = append(list, app.Li().Body(
			app.Div().Class("what").Body(app.Span().Text(v.Number+" · "+v.Total), app.Elem("small").Text(c.b.Day(v.IssuedMS)+" · "+state)),
			app.If(v.Confirm, func() app.UI {
				return view.Button{Act: "confirm", ID: v.Number, Label: "Confirm payment", Kind: "primary"}.UI()
			}),
			file("pdf", "PDF"), file("xml", "E-invoice")))
	}
	if len(list) == 0 {
		return app.Section().Body(app.Header().Body(app.H2().Text("Invoices")), app.P().Text("There are none yet."))
	}
	return app.Section().Body(app.Header().Body(app.H2().Text("Invoices")), app.Ul().Class("cards").Body(list...))
}

func (c *BillingPage) paying() app.UI {
	var list []app.UI
	for _, m := range c.b.Methods {
		list = append(list, app.Li().Body(view.Icon("card"), app.Div().Class("what").Body(app.Span().Text(map[string]string{"card": "Card", "debit": "Bank debit", "wire": "Bank transfer"}[m.Kind]), app.Elem("small").Text(m.Text))))
	}
	d := c.b.Details
	list = append(list, app.Li().Body(view.Icon("users"), app.Div().Class("what").Body(
		app.Span().Text("Invoices are made out to "+d.Name), app.Elem("small").Text(strings.Join(append(append([]string{}, d.Address...), strings.TrimSpace(d.Country+" "+d.VATID)), ", "))),
		view.Button{Act: "details", DOM: "details", Label: "Change"}.UI()))
	mails := or(d.Email, "Nobody gets the invoices and reminders by e-mail. Add an address.")
	list = append(list, app.Li().Body(view.Icon(pick(d.Email == "", "alert", "check")), app.Div().Class("what").Body(app.Span().Text("Invoices and reminders by e-mail"), app.Elem("small").Text(mails)),
		app.If(d.Email == "", func() app.UI { return view.Button{Act: "details", DOM: "mail", Label: "Add an e-mail"}.UI() })))
	add := pick(c.b.Processor == "stripe", "a payment method", "a card")
	note := pick(len(c.b.Methods) == 0, "There is no payment method yet.", "")
	return app.Section().Body(
		app.Header().Body(app.H2().Text("Payment"), view.Button{Act: "method", DOM: "method", Label: pick(len(c.b.Methods) == 0, "Add "+add, "Change "+strings.Replace(add, "a ", "the ", 1)), Busy: c.busy == "method", Icon: "plus"}.UI()),
		app.If(note != "", func() app.UI { return app.P().Text(note) }),
		app.Ul().Class("cards").Body(list...))
}

func (c *BillingPage) onClick(ctx app.Context, e app.Event) {
	a, tenant := c.App, c.App.store.Tenant()
	// after shows an answer and closes the dialog that asked.
	after := func(b api.Billing, p *api.Problem, done func(string), well string) {
		if p != nil {
			done(p.Sentence())
			return
		}
		done("")
		ctx.Dispatch(func(app.Context) { c.show(b, nil) })
		a.told(nil, well)
	}
	switch act, i, _ := view.Act(e); act {
	case "again":
		c.load(ctx)
	case "plan":
		c.plan(ctx, i, after)
	case "cancel":
		c.cancel(after)
	case "reactivate":
		c.reactivate(ctx)
	case "confirm":
		go func() {
			b, p := a.API.ConfirmPayment(tenant, i)
			ctx.Dispatch(func(app.Context) { c.show(b, p) })
		}()
	case "method":
		if c.b.Processor == "stripe" {
			c.busy = "method"
			go func() {
				b, p := a.API.AddMethod(tenant)
				ctx.Dispatch(func(app.Context) { c.busy = ""; c.show(b, p) })
			}()
			return
		}
		a.ask(dialog{Title: "Payment card", Text: "This installation uses a test bank: no money is moved. 4242 4242 4242 4242 always pays.", Confirm: "Use this card", Back: "method",
			Fields: []view.Field{{DOM: "card", Label: "Card number", Complete: "cc-number", Max: 32, Required: true}},
			Submit: func(v map[string]string, done func(string)) {
				go func() {
					b, p := a.API.SetMethod(tenant, "card", v["card"])
					after(b, p, done, "The card is used from now on.")
				}()
			}})
	case "details":
		d := c.b.Details
		a.ask(dialog{Title: "On the invoices", Confirm: "Save", Back: "details",
			Fields: []view.Field{{DOM: "b-name", Label: "Name", Value: d.Name, Max: 100, Required: true}, {DOM: "b-address", Label: "Address", Hint: "Lines are separated by commas.", Value: strings.Join(d.Address, ", "), Max: 300},
				{DOM: "b-country", Label: "Country", Hint: "Two letters, such as DE.", Value: d.Country, Max: 2}, {DOM: "b-vat", Label: "VAT number", Value: d.VATID, Max: 20}, {DOM: "b-mail", Label: "E-mail", Value: d.Email, Max: 100}},
			Submit: func(v map[string]string, done func(string)) {
				n := api.BillingDetails{Name: v["b-name"], Country: v["b-country"], VATID: v["b-vat"], Email: v["b-mail"], Address: []string{}}
				for s := range strings.SplitSeq(v["b-address"], ",") {
					if s = strings.TrimSpace(s); s != "" {
						n.Address = append(n.Address, s)
					}
				}
				go func() {
					b, p := a.API.SetBillingDetails(tenant, n)
					after(b, p, done, "The next invoices say so.")
				}()
			}})
	}
}

// plan shows what a change would do before it is done.
func (c *BillingPage) plan(ctx app.Context, plan string, after func(api.Billing, *api.Problem, func(string), string)) {
	a, tenant := c.App, c.App.store.Tenant()
	c.busy = plan
	go func() {
		v, p := a.API.PreviewPlan(tenant, plan)
		ctx.Dispatch(func(app.Context) {
			if c.busy = ""; p != nil {
				c.failed = p.Sentence()
				return
			}
			name := plan
			for _, x := range c.b.Plans {
				if x.ID == plan {
					name = x.Name
				}
			}
			text := "The change takes effect at once, and " + v.Due + " is charged now."
			if v.WhenMS > 0 {
				text = "The change takes effect on " + c.b.Day(v.WhenMS) + ". Until then everything stays as it is."
			}
			if v.Back != "" {
				text += " You get " + v.Back + " of credit for what is not used."
			}
			text = strings.TrimSpace(text + " " + strings.Join(v.Needs, " "))
			a.ask(dialog{Title: "Plan " + name, Text: text, Confirm: "Change the plan", Back: "plan-" + plan,
				Body: func() app.UI {
					var bills []app.UI
					for _, b := range v.Bills {
						bills = append(bills, bill(b))
					}
					return app.Div().Body(bills...)
				},
				Submit: func(_ map[string]string, done func(string)) {
					go func() {
						b, p := a.API.ChangePlan(tenant, plan)
						after(b, p, done, "The plan is changed.")
					}()
				}})
		})
	}()
}
