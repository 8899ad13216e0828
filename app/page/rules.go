package page

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/api"
	"holdfast/app/browser"
	"holdfast/app/view"
	"holdfast/sync/rule"
)

// Rules is the part of the members page where owners and admins say what changes are refused.
type Rules struct {
	app.Compo
	App *App

	cards[api.Rule]
}

func (c *Rules) OnMount(ctx app.Context) { c.reload(ctx) }

func (c *Rules) reload(ctx app.Context) {
	tenant := c.App.store.Tenant()
	c.load(ctx, func() ([]api.Rule, *api.Problem) { return c.App.API.Rules(tenant) })
}

func (c *Rules) Render() app.UI {
	text := cardsText{Title: "Rules", Add: "Add a rule", DOM: "rule-add", None: "There are none yet.",
		Intro: "A rule is a WebAssembly module that sees each change and may refuse it with a sentence. What is refused waits under Needs attention."}
	return app.Section().OnClick(c.onClick).Body(c.section(true, text, c.line)...)
}

func (c *Rules) line(r api.Rule) (string, []app.UI, app.UI) {
	return pick(r.On, "check", "pause"), []app.UI{app.Span().Class("address").Text(r.Name),
			app.Elem("small").Text(pick(r.On, "On", "Switched off") + " · " + view.Bytes(r.Bytes) + " · changed " + view.Ago(r.ChangedMS, c.App.Now()))},
		app.Div().Class("row").Body(view.Button{Act: "rule-switch", ID: r.ID, DOM: "rule-" + r.ID, Label: pick(r.On, "Switch off", "Switch on")}.UI(),
			view.IconButton{Act: "rule-remove", ID: r.ID, Label: "Remove " + r.Name, Icon: "trash"}.UI())
}

func (c *Rules) onClick(ctx app.Context, e app.Event) {
	act, i, _ := view.Act(e)
	if act == "add" {
		c.add(ctx)
		return
	}
	for _, r := range c.list {
		if r.ID == i && act == "rule-switch" {
			c.change(ctx, pick(r.On, "The rule is off.", "The rule is on."), func() *api.Problem { return c.App.API.SwitchRule(c.App.store.Tenant(), r, !r.On) })
		} else if r.ID == i && act == "rule-remove" {
			c.remove(ctx, r)
		}
	}
}

// change asks the service for something and shows what is there then.
func (c *Rules) change(ctx app.Context, well string, do func() *api.Problem) {
	go func() {
		p := do()
		c.App.told(p, well)
		c.reload(ctx)
	}()
}

func (c *Rules) add(ctx app.Context) {
	a, tenant := c.App, c.App.store.Tenant()
	a.ask(dialog{Title: "New rule", Confirm: "Add the rule", Back: "rule-add",
		Fields: []view.Field{{DOM: "r-name", Label: "Name", Hint: "People read it when a change is refused.", Max: rule.NameBytesMax, Required: true},
			{DOM: "r-file", Label: "Module", Hint: "The .wasm file that your compiler wrote. It is tried before it is taken, and then on.", Accept: ".wasm,application/wasm", Required: true}},
		Submit: func(v map[string]string, done func(string)) {
			go func() {
				module, ok := browser.File("r-file", rule.ModuleBytesMax)
				if !ok {
					done("The file cannot be read, or has more than " + view.Bytes(rule.ModuleBytesMax) + ".")
					return
				}
				if p := a.API.AddRule(tenant, v["r-name"], module); p != nil {
					done(p.Sentence())
					return
				}
				done("")
				c.reload(ctx)
			}()
		}})
}

func (c *Rules) remove(ctx app.Context, r api.Rule) {
	c.App.ask(dialog{Title: "Remove “" + r.Name + "”?", Confirm: "Remove", Danger: true, Back: "rule-add",
		Text: "Changes that it would refuse are accepted from then on. The module is gone for good.",
		Submit: func(_ map[string]string, done func(string)) {
			done("")
			c.change(ctx, "The rule is removed.", func() *api.Problem { return c.App.API.RemoveRule(c.App.store.Tenant(), r.ID) })
		}})
}
