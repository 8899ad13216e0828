package page

import (
	"errors"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/api"
	"holdfast/app/browser"
	"holdfast/app/route"
	"holdfast/app/view"
	"holdfast/sync/work"
)

// gate is a page outside a workspace: one quiet column.
func gate(title, text string, body ...app.UI) app.UI {
	head := app.Header().Body(
		app.Elem("svg").XMLNS("http://www.w3.org/2000/svg").Attr("class", "icon logo").Aria("hidden", "true").Body(
			app.Elem("use").XMLNS("http://www.w3.org/2000/svg").Attr("href", "#i-logo")),
		app.H1().Text(title),
		app.If(text != "", func() app.UI { return app.P().Text(text) }),
	)
	return app.Main().Class("gate").ID("main").TabIndex(-1).Body(
		app.Div().Class("gate-in").Body(append([]app.UI{head}, body...)...),
		app.Footer().Class("gate-foot").Body(app.Span().Text("Holdfast keeps your work on this device first.")),
	)
}

// SignIn signs a person in, or up.
type SignIn struct {
	app.Compo
	App *App
	New bool
	Rev int

	busy   bool
	failed string
}

func (c *SignIn) CompoID() string { return "signin" + pick(c.New, "-new", "") }

func pick[T any](b bool, yes, no T) T {
	if b {
		return yes
	}
	return no
}

func (c *SignIn) OnMount(ctx app.Context) {
	if c.New {
		ctx.Defer(func(app.Context) { browser.Focus("name") })
		return
	}
	// The browser offers passkeys in the field while the person does nothing else.
	go func() {
		if !browser.HasAutofill() {
			return
		}
		options, p := c.App.API.SignInBegin()
		if p != nil {
			return // the button says what is wrong
		}
		answer, err := browser.GetPasskey(options, true)
		if err != nil {
			return
		}
		c.finish(ctx, c.App.API.SignInFinish(answer))
	}()
}

func (c *SignIn) OnDismount() { browser.CancelPasskey() }

func (c *SignIn) Render() app.UI {
	next := c.App.route.Next
	if c.New {
		return gate("Create your account", "No password: this device makes a passkey, and unlocks it the way you unlock the device.",
			app.Form().OnSubmit(c.onUp).Attr("novalidate", "true").Body(
				view.Field{DOM: "name", Label: "Your name", Hint: "Your team sees it beside what you do.", Complete: "name", Max: work.NameBytesMax}.UI(),
				view.Notice("danger", c.failed),
				view.Button{Label: "Create account with a passkey", Icon: "key", Kind: "primary", Class: "btn-wide", Submit: true, Busy: c.busy, DOM: "go"}.UI(),
			),
			app.P().Class("gate-alt").Body(app.Text("Already have an account? "), app.A().Href(route.Route{Page: route.SignIn, Next: next}.Path()).Text("Sign in")),
		)
	}
	return gate("Sign in to Holdfast", "",
		app.Form().OnSubmit(c.onIn).Attr("novalidate", "true").Body(
			view.Field{DOM: "user", Label: "Passkey", Placeholder: "Pick a passkey here", Hint: "Pick one in the field, or press the button. No name or password is needed.", Complete: "username webauthn"}.UI(),
			view.Notice("danger", c.failed),
			view.Button{Label: "Sign in with a passkey", Icon: "key", Kind: "primary", Class: "btn-wide", Submit: true, Busy: c.busy, DOM: "go"}.UI(),
		),
		app.P().Class("gate-alt").Body(app.Text("New here? "), app.A().Href(route.Route{Page: route.SignUp, Next: next}.Path()).Text("Create an account")),
		app.P().Class("gate-alt").Text("Signed in on another device? Open Account there and choose “Sign in another browser”."),
	)
}

func (c *SignIn) onIn(ctx app.Context, e app.Event) {
	e.PreventDefault()
	if c.busy {
		return
	}
	c.busy, c.failed = true, ""
	go func() {
		options, p := c.App.API.SignInBegin()
		if p != nil {
			c.finish(ctx, p)
			return
		}
		answer, err := browser.GetPasskey(options, false)
		if err != nil {
			c.sorry(ctx, err)
			return
		}
		c.finish(ctx, c.App.API.SignInFinish(answer))
	}()
}

func (c *SignIn) onUp(ctx app.Context, e app.Event) {
	e.PreventDefault()
	name := strings.TrimSpace(browser.Value("name"))
	switch {
	case c.busy:
		return
	case name == "":
		c.failed = "Write your name first: your team sees it beside what you do."
		browser.Focus("name")
		return
	case len(name) > work.NameBytesMax:
		c.failed = "That name is too long. Shorten it."
		return
	}
	c.busy, c.failed = true, ""
	go func() {
		options, p := c.App.API.SignUpBegin(name)
		if p != nil {
			c.finish(ctx, p)
			return
		}
		answer, err := browser.CreatePasskey(options)
		if err != nil {
			c.sorry(ctx, err)
			return
		}
		c.finish(ctx, c.App.API.SignUpFinish(answer))
	}()
}

func (c *SignIn) finish(ctx app.Context, p *api.Problem) {
	if p == nil {
		c.App.askMe()
		return
	}
	text := p.Sentence()
	if !c.New && p.Status == 401 || !c.New && p.Status == 404 {
		text = "That passkey is not known here any more. Use another one, or create an account."
	}
	ctx.Dispatch(func(app.Context) { c.busy, c.failed = false, text })
}

func (c *SignIn) sorry(ctx app.Context, err error) {
	ctx.Dispatch(func(app.Context) { c.busy, c.failed = false, passkeySentence(err) })
}

// passkeySentence says what became of a passkey dialog.
func passkeySentence(err error) string {
	switch {
	case errors.Is(err, browser.ErrKnown):
		return "This device has a passkey for this account already. Sign in with it."
	case errors.Is(err, browser.ErrUnsupported):
		return "Passkeys do not work in this browser here. Use a current browser over a secure connection, or another device."
	}
	return "Nothing was done: the passkey dialog was closed or took too long. Try again when you are ready."
}

// Join answers an invitation, or a link from another browser of the same person.
type Join struct {
	app.Compo
	App   *App
	Route route.Route
	Rev   int

	invited *api.Invited
	busy    bool
	done    bool
	failed  string
}

func (c *Join) CompoID() string { return c.Route.Path() }

func (c *Join) OnMount(ctx app.Context) {
	if c.Route.Page != route.Join {
		return
	}
	go func() {
		i, p := c.App.API.Invited(c.Route.Code)
		ctx.Dispatch(func(app.Context) {
			if p == nil {
				c.invited = &i
			} else if p.Away() {
				c.failed = p.Sentence()
			} else {
				c.failed = "This invitation was used, withdrawn, or is too old. Ask for a new link."
			}
		})
	}()
}

func (c *Join) Render() app.UI {
	if c.Route.Page == route.Link {
		return gate("Sign in this browser", "The link was made on a browser where you are signed in. It works once, and only for ten minutes.",
			view.Notice("danger", c.failed),
			app.If(!c.done, func() app.UI {
				return app.Form().OnSubmit(c.onLink).Body(view.Button{Label: "Sign in and make a passkey here", Icon: "key", Kind: "primary", Class: "btn-wide", Submit: true, Busy: c.busy}.UI())
			}),
			app.If(c.done, func() app.UI {
				return view.Button{Label: "Go on without a passkey on this device", Href: "/", Class: "btn-wide"}.UI()
			}),
		)
	}
	switch {
	case c.failed != "" && c.invited == nil:
		return gate("Invitation", "", view.Notice("danger", c.failed), view.Button{Label: "Go to your work", Href: "/", Class: "btn-wide"}.UI())
	case c.invited == nil:
		return gate("Invitation", "", app.Span().Class("sk").Style("width", "70%"), app.P().Class("vh").Role("status").Text("Reading the invitation."))
	}
	text := c.invited.Inviter + " invites you to work together on projects and tasks."
	if c.App.who == whoKnown {
		return gate("Join "+c.invited.Workspace, text,
			view.Notice("danger", c.failed),
			app.Form().OnSubmit(c.onJoin).Body(view.Button{Label: "Join as " + c.App.me.Person.Name, Kind: "primary", Class: "btn-wide", Submit: true, Busy: c.busy}.UI()))
	}
	next := c.Route.Path()
	return gate("Join "+c.invited.Workspace, text,
		view.Button{Label: "Create an account", Icon: "key", Kind: "primary", Class: "btn-wide", Href: route.Route{Page: route.SignUp, Next: next}.Path()}.UI(),
		view.Button{Label: "Sign in", Class: "btn-wide", Href: route.Route{Page: route.SignIn, Next: next}.Path()}.UI())
}

func (c *Join) onJoin(ctx app.Context, e app.Event) {
	e.PreventDefault()
	if c.busy {
		return
	}
	c.busy, c.failed = true, ""
	a := c.App
	go func() {
		w, p := a.API.Accept(c.Route.Code)
		var m api.Me
		if p == nil {
			m, p = a.API.Me()
		}
		a.do(func() {
			if p == nil {
				a.setMe(&m)
				a.goTo(pick(w.ID != "", route.Route{Page: route.Start, Tenant: w.ID}, route.Route{Page: route.Home}), true)
			}
		})
		ctx.Dispatch(func(app.Context) {
			if c.busy = false; p != nil {
				c.failed = p.Sentence()
			}
		})
	}()
}

func (c *Join) onLink(ctx app.Context, e app.Event) {
	e.PreventDefault()
	if c.busy {
		return
	}
	c.busy, c.failed = true, ""
	a := c.App
	go func() {
		if p := a.API.LinkFinish(c.Route.Code); p != nil {
			text := "This link was used or is older than ten minutes. Make a new one on the other browser."
			if p.Away() {
				text = p.Sentence()
			}
			ctx.Dispatch(func(app.Context) { c.busy, c.failed = false, text })
			return
		}
		failed := a.addPasskey()
		a.askMe()
		ctx.Dispatch(func(app.Context) {
			if c.busy, c.done, c.failed = false, true, failed; failed == "" {
				a.goTo(route.Route{Page: route.Home}, true)
			}
		})
	}()
}

// addPasskey makes a passkey on this device for who is signed in; it blocks, and gives a sentence when it failed.
func (a *App) addPasskey() (failed string) {
	options, p := a.API.PasskeyBegin()
	if p != nil {
		return p.Sentence()
	}
	answer, err := browser.CreatePasskey(options)
	if err != nil {
		return passkeySentence(err)
	}
	if p := a.API.PasskeyFinish(answer); p != nil {
		return p.Sentence()
	}
	return ""
}

// Choose lists the person's workspaces and makes new ones.
type Choose struct {
	app.Compo
	App *App
	Rev int

	busy   bool
	failed string
}

func (c *Choose) Render() app.UI {
	me := c.App.me
	if me == nil {
		return gate("Workspaces", "", app.Span().Class("sk").Style("width", "70%"))
	}
	list := make([]app.UI, 0, len(me.Workspaces))
	for _, w := range me.Workspaces {
		list = append(list, app.Li().Body(app.A().Class("ws-item").Href(route.Route{Page: route.Start, Tenant: w.ID}.Path()).Body(
			app.Span().Class("ws-mark").Aria("hidden", "true").Text(view.Initials(w.Name)),
			app.Span().Class("what").Body(app.Span().Text(w.Name), app.Elem("small").Text(view.RoleName(w.Role))),
			view.Icon("chevron"),
		)))
	}
	first := len(list) == 0
	return gate(pick(first, "Name your workspace", "Your workspaces"),
		pick(first, "A workspace holds your team's projects and tasks. You can rename it later and invite people by link.", ""),
		app.If(!first, func() app.UI { return app.Ul().Class("ws-list").Body(list...) }),
		app.If(!first, func() app.UI { return app.Div().Class("or").Text("or") }),
		app.Form().OnSubmit(c.onNew).Attr("novalidate", "true").Body(
			view.Field{DOM: "ws-name", Label: pick(first, "Workspace name", "New workspace"), Placeholder: "Harbor Studio", Max: work.NameBytesMax, Complete: "organization"}.UI(),
			view.Notice("danger", c.failed),
			view.Button{Label: "Create workspace", Kind: pick(first, "primary", ""), Class: "btn-wide", Submit: true, Busy: c.busy}.UI(),
		),
		app.P().Class("gate-alt").Body(app.Text("Signed in as "+me.Person.Name+". "), app.A().Href("/account").Text("Account")),
	)
}

func (c *Choose) onNew(ctx app.Context, e app.Event) {
	e.PreventDefault()
	name := strings.TrimSpace(browser.Value("ws-name"))
	if c.busy {
		return
	}
	if name == "" {
		c.failed = "Give the workspace a name first."
		browser.Focus("ws-name")
		return
	}
	c.busy, c.failed = true, ""
	a := c.App
	go func() {
		w, p := a.API.NewWorkspace(name)
		var m api.Me
		if p == nil {
			m, p = a.API.Me()
		}
		if p != nil {
			ctx.Dispatch(func(app.Context) { c.busy, c.failed = false, p.Sentence() })
			return
		}
		a.do(func() { a.setMe(&m); a.Go(route.Route{Page: route.Start, Tenant: w.ID}) })
	}()
}
