package page

import (
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/api"
	"holdfast/app/view"
	"holdfast/sync/work"
)

// Webhooks is the part of the billing page where owners name addresses that are told what happens.
type Webhooks struct {
	app.Compo
	App *App

	cards[api.Webhook]
	log  []api.HookDelivery // of the webhook whose dialog is open
	none string             // what is said in place of an empty log
}

func (c *Webhooks) OnMount(ctx app.Context) { c.reload(ctx) }

func (c *Webhooks) reload(ctx app.Context) {
	tenant := c.App.store.Tenant()
	c.load(ctx, func() ([]api.Webhook, *api.Problem) { return c.App.API.Webhooks(tenant) })
}

func (c *Webhooks) Render() app.UI {
	text := cardsText{Title: "Webhooks", Add: "Add a webhook", DOM: "hook-add",
		Intro: "Your own programs are told what happens in the billing: invoices, payments, changes of the plan. Every message is signed."}
	return app.Section().OnClick(c.onClick).Body(c.section(c.App.store.Role() == work.Owner, text, c.line)...)
}

func (c *Webhooks) line(w api.Webhook) (string, []app.UI, app.UI) {
	says := "All events"
	if len(w.Events) > 0 {
		says = strings.Join(w.Events, ", ")
	}
	if !w.On {
		says = strings.TrimSpace("Switched off. " + w.Reason)
	}
	return pick(w.On, "link", "alert"), []app.UI{app.Span().Class("address").Text(w.URL), app.Elem("small").Text(says)},
		view.Button{Act: "open", ID: w.ID, DOM: "hook-" + w.ID, Label: "Manage"}.UI()
}

func (c *Webhooks) onClick(ctx app.Context, e app.Event) {
	switch act, i, _ := view.Act(e); act {
	case "add":
		c.add(ctx)
	case "open":
		for _, w := range c.list {
			if w.ID == i {
				c.open(ctx, w)
			}
		}
	}
}

// kinds reads a list of events as people write it.
func kinds(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

func hookFields(w api.Webhook) []view.Field {
	return []view.Field{{DOM: "h-url", Label: "Address", Hint: "Where events are sent, such as https://example.com/hooks.", Value: w.URL, Max: 500, Required: true},
		{DOM: "h-events", Label: "Events", Hint: "Such as invoice.issued, payment.failed. Empty: all.", Value: strings.Join(w.Events, ", "), Max: 1000}}
}

func (c *Webhooks) add(ctx app.Context) {
	a, tenant := c.App, c.App.store.Tenant()
	a.ask(dialog{Title: "Webhook", Confirm: "Add", Back: "hook-add", Fields: hookFields(api.Webhook{}),
		Submit: func(v map[string]string, done func(string)) {
			go func() {
				w, p := a.API.AddWebhook(tenant, strings.TrimSpace(v["h-url"]), kinds(v["h-events"]))
				if p != nil {
					done(p.Sentence())
					return
				}
				c.reload(ctx)
				a.do(func() { c.secret(w) })
			}()
		}})
}

// secret shows a new secret, once.
func (c *Webhooks) secret(w api.Webhook) {
	c.App.showOnce("The webhook's secret", "Your program checks the signatures with it (Standard Webhooks). It is shown only now: copy it.", w.Secret, "hook-add")
}

// open is all that can be done with a webhook, and what it was sent.
func (c *Webhooks) open(ctx app.Context, w api.Webhook) {
	a, tenant := c.App, c.App.store.Tenant()
	c.log, c.none = nil, "Reading what was sent."
	look := func() {
		list, p := a.API.HookDeliveries(tenant, w.ID)
		a.do(func() {
			if c.log, c.none = list, "Nothing was sent yet."; p != nil {
				c.none = p.Sentence()
			}
			a.touch()
		})
	}
	go look()
	a.ask(dialog{Title: "Webhook", Confirm: "Save", Wide: true, Back: "hook-" + w.ID, Fields: hookFields(w),
		Body: func() app.UI { return c.deliveries(w) },
		Act:  func(act, i string) { go c.act(ctx, w, act, i, look) },
		Submit: func(v map[string]string, done func(string)) {
			go func() {
				w.URL, w.Events = strings.TrimSpace(v["h-url"]), kinds(v["h-events"])
				if p := a.API.ChangeWebhook(tenant, w); p != nil {
					done(p.Sentence())
					return
				}
				done("")
				c.reload(ctx)
			}()
		}})
}

func (c *Webhooks) deliveries(w api.Webhook) app.UI {
	var list []app.UI
	for _, d := range c.log {
		says := map[string]string{"sent": "Delivered", "failed": "Given up", "pending": "Waiting"}[d.State] + " · " + view.Ago(d.AtMS, c.App.Now())
		if d.Test {
			says += " · of a test clock"
		}
		if d.Reason != "" {
			says += " · " + d.Reason
		}
		list = append(list, app.Li().Class("keep").Body(app.Div().Class("what").Body(app.Span().Text(d.Event), app.Elem("small").Text(says)),
			view.Button{Act: "resend", ID: d.DeliveryID(), Label: "Send again", Kind: "quiet"}.UI()))
	}
	if len(list) == 0 {
		list = append(list, app.Li().Body(app.Div().Class("what").Body(app.Elem("small").Text(c.none))))
	}
	return app.Div().Class("hook").Body(
		app.Div().Class("row").Body(
			view.Button{Act: "switch", Label: pick(w.On, "Switch off", "Switch on")}.UI(),
			view.Button{Act: "secret", Label: "New secret", Icon: "key"}.UI(),
			view.Button{Act: "replay", Label: "Send the last day again", Icon: "refresh"}.UI(),
			view.Button{Act: "remove", Label: "Remove", Icon: "trash"}.UI()),
		app.Ul().Class("cards hook-log").Aria("label", "What was sent").TabIndex(0).Body(list...))
}

// act does what a button of the dialog says.
func (c *Webhooks) act(ctx app.Context, w api.Webhook, act, i string, look func()) {
	a, tenant := c.App, c.App.store.Tenant()
	closed := func(p *api.Problem, well string) {
		if a.told(p, well); p == nil {
			a.do(a.closeDialog)
			c.reload(ctx)
		}
	}
	switch act {
	case "switch":
		w.On = !w.On
		closed(a.API.ChangeWebhook(tenant, w), pick(w.On, "The webhook is on.", "The webhook is off. It hears nothing until it is on again."))
	case "secret":
		n, p := a.API.NewWebhookSecret(tenant, w.ID)
		if p != nil {
			a.told(p, "")
			return
		}
		a.do(func() { c.secret(n) })
	case "replay":
		n, p := a.API.ReplayWebhook(tenant, w.ID, a.Now().Add(-24*time.Hour).UnixMilli())
		a.told(p, view.Count(n, "event is", "events are")+" sent again.")
		look()
	case "resend":
		a.told(a.API.Resend(tenant, w.ID, i), "The event is sent again.")
		look()
	case "remove":
		closed(a.API.RemoveWebhook(tenant, w.ID), "The webhook is removed.")
	}
}
