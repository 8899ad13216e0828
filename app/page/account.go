package page

import (
	"sync"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/api"
	"holdfast/app/browser"
	"holdfast/app/route"
	"holdfast/app/view"
	"holdfast/sync/work"
)

func timeOf(ms int64) time.Time { return time.UnixMilli(ms) }

func timeMonth(s string) (time.Time, error) { return time.Parse("2006-01", s) }

// Account is a person's passkeys and signed-in browsers.
type Account struct {
	app.Compo
	App *App
	Rev int

	passkeys []api.Passkey
	sessions []api.Session
	operator bool
	loaded   bool
	busy     bool
	failed   string
}

func (c *Account) OnMount(ctx app.Context) { c.load(ctx) }

func (c *Account) load(ctx app.Context) {
	go func() {
		keys, p := c.App.API.Passkeys()
		var sessions []api.Session
		if p == nil {
			sessions, p = c.App.API.Sessions()
		}
		operator := false
		if p == nil {
			operator, p = c.App.API.Operator()
		}
		ctx.Dispatch(func(app.Context) {
			if c.failed = ""; p != nil {
				c.failed = p.Sentence()
				return
			}
			c.passkeys, c.sessions, c.operator, c.loaded = keys, sessions, operator, true
		})
	}()
}

func (c *Account) Render() app.UI {
	a := c.App
	if a.me == nil {
		return a.blank()
	}
	back := route.Route{Page: route.Home}
	return app.Main().ID("main").TabIndex(-1).Class("main").Style("margin", "0").Style("border", "0").Style("height", "100dvh").OnClick(c.onClick).Body(
		app.Header().Class("bar").Body(
			view.Button{Label: "Back to work", Href: back.Path(), Kind: "quiet"}.UI(),
			app.Div().Class("bar-end").Body(view.Button{Act: "out", DOM: "sign-out", Label: "Sign out", Icon: "out"}.UI()),
		),
		app.Div().Class("page").Body(app.Div().Class("page-in").Body(
			app.Header().Body(app.H1().Text(a.me.Person.Name), app.P().Text("Passkeys are how you sign in: there is no password. Keep at least two, on different devices, so that losing one does not lock you out.")),
			view.Notice("danger", c.failed),
			c.keys(),
			// What stands below a list comes with it: it would move away from under a click.
			app.If(c.loaded || c.failed != "", c.another),
			c.browsers(),
			app.If(c.operator, func() app.UI {
				return app.Section().Body(app.Div().Class("row").Body(view.Button{Label: "Operator's console", Href: "/operator"}.UI()))
			}),
		)),
	)
}

func (c *Account) another() app.UI {
	return app.Section().Body(
		app.Header().Body(app.H2().Text("Another browser")),
		app.Ul().Class("cards").Body(app.Li().Body(
			app.Div().Class("what").Body(app.Span().Text("Sign in another browser"), app.Elem("small").Text("Makes a link that works once, for ten minutes. Open it there.")),
			view.Button{Act: "link", DOM: "link", Label: "Make a link", Icon: "link", Busy: c.busy}.UI(),
		)),
	)
}

func (c *Account) keys() app.UI {
	now := c.App.Now()
	var list []app.UI
	for _, k := range c.passkeys {
		note := "Added " + view.Ago(k.CreatedMS, now)
		if k.UsedMS != 0 {
			note += " · used " + view.Ago(k.UsedMS, now)
		}
		list = append(list, app.Li().Class("keep").Body(
			view.Icon("key"),
			app.Div().Class("what").Body(app.Span().Class("clip").Text(or(k.Name, "Passkey")), app.Elem("small").Text(note)),
			view.Button{Act: "rename", ID: k.ID, DOM: "kr-" + k.ID, Label: "Rename"}.UI(),
			app.If(len(c.passkeys) > 1, func() app.UI {
				return view.IconButton{Act: "remove", ID: k.ID, DOM: "kx-" + k.ID, Label: "Remove the passkey " + or(k.Name, "without a name"), Icon: "trash"}.UI()
			}),
		))
	}
	return app.Section().Body(
		app.Header().Body(app.H2().Text("Passkeys"), view.Button{Act: "add", DOM: "key-add", Label: "Add a passkey", Icon: "plus", Kind: "primary", Busy: c.busy}.UI()),
		app.If(c.loaded, func() app.UI { return app.Ul().Class("cards").Body(list...) }).
			ElseIf(c.failed == "", func() app.UI { return view.Skeleton(2) }),
	)
}

func (c *Account) browsers() app.UI {
	now := c.App.Now()
	var list []app.UI
	for _, s := range c.sessions {
		note := "Last seen " + view.Ago(or(s.SeenMS, s.CreatedMS), now)
		if s.Region != "" {
			note += " in region " + s.Region
		}
		if s.Current {
			note = "This browser"
		}
		list = append(list, app.Li().Class("keep").Body(
			view.Icon("device"),
			app.Div().Class("what").Body(app.Span().Class("clip").Text(or(s.Agent, "A browser")), app.Elem("small").Text(note)),
			app.If(!s.Current, func() app.UI { return view.Button{Act: "end", ID: s.ID, Label: "Sign out there"}.UI() }),
		))
	}
	if len(list) == 0 {
		return nil
	}
	return app.Section().Body(app.Header().Body(app.H2().Text("Signed-in browsers")), app.Ul().Class("cards").Body(list...))
}

func (c *Account) onClick(ctx app.Context, e app.Event) {
	a := c.App
	act, i, _ := view.Act(e)
	switch act {
	case "add":
		if c.busy {
			return
		}
		c.busy = true
		go func() {
			failed := a.addPasskey()
			ctx.Dispatch(func(app.Context) {
				if c.busy, c.failed = false, failed; failed == "" {
					a.toast("The passkey is added.", "", nil)
					c.load(ctx)
				}
			})
		}()
	case "rename":
		name := ""
		for _, k := range c.passkeys {
			if k.ID == i {
				name = k.Name
			}
		}
		a.ask(dialog{Title: "Rename passkey", Confirm: "Save", Back: "kr-" + i,
			Fields: []view.Field{{DOM: "key-name", Label: "Name", Value: name, Max: work.NameBytesMax, Required: true}},
			Submit: c.call(ctx, func(v map[string]string) *api.Problem { return a.API.RenamePasskey(i, v["key-name"]) })})
	case "remove":
		a.ask(dialog{Title: "Remove this passkey?", Confirm: "Remove", Danger: true, Back: "kx-" + i,
			Text:   "It can no longer be used to sign in. Delete it from the device or password manager that holds it too.",
			Submit: c.call(ctx, func(map[string]string) *api.Problem { return a.API.RemovePasskey(i) })})
	case "end":
		go func() {
			a.told(a.API.EndSession(i), "That browser is signed out.")
			c.load(ctx)
		}()
	case "link":
		c.link(ctx)
	case "out":
		a.askSignOut()
	}
}

// call runs a dialog's request and reads the lists again.
func (c *Account) call(ctx app.Context, do func(map[string]string) *api.Problem) func(map[string]string, func(string)) {
	return func(v map[string]string, done func(string)) {
		go func() {
			if p := do(v); p != nil {
				done(p.Sentence())
				return
			}
			done("")
			c.load(ctx)
		}()
	}
}

func (c *Account) link(ctx app.Context) {
	a := c.App
	if c.busy {
		return
	}
	c.busy = true
	go func() {
		l, p := a.API.LinkBegin()
		ctx.Dispatch(func(app.Context) {
			if c.busy = false; p != nil {
				c.failed = p.Sentence()
				return
			}
			url := full(l.URL)
			if url == "" {
				url = browser.Origin() + route.Route{Page: route.Link, Code: l.Code}.Path()
			}
			a.ask(dialog{Title: "Open this on the other browser", Text: "It signs you in there, once, within ten minutes. Give it to nobody else.",
				Fields: []view.Field{{DOM: "copy", Label: "Link", Value: url}}, Confirm: "Copy link", Back: "link",
				Submit: func(v map[string]string, done func(string)) {
					done("")
					a.copy(v["copy"], "The link is copied.")
				}})
		})
	}()
}

// askSignOut ends the session; what waits to be sent is said first.
func (a *App) askSignOut() {
	if a.store == nil || a.store.Waiting() == 0 {
		a.signOut(false)
		return
	}
	a.ask(dialog{Title: "Sign out now?", Confirm: "Sign out",
		Text:   view.Count(a.store.Waiting(), "change has", "changes have") + " not been sent. They are kept on this device and are sent when you sign in here again.",
		Submit: func(_ map[string]string, done func(string)) { done(""); a.signOut(false) }})
}

func (a *App) askForget() {
	text := "This device's copy of the workspace is deleted. It stays in your region and on other devices."
	if n := a.store.Waiting(); n > 0 {
		text = view.Count(n, "change has", "changes have") + " not been sent and would be lost. Go online first to send " + pick(n == 1, "it", "them") + ". " + text
	}
	a.ask(dialog{Title: "Sign out and forget?", Text: text, Confirm: "Delete and sign out", Danger: true, Back: "forget",
		Submit: func(_ map[string]string, done func(string)) { done(""); a.signOut(true) }})
}

func (a *App) signOut(forget bool) {
	if s := a.store; s != nil {
		// The worker ends when the line to it does: it is cut when the worker has answered, or does not.
		cut := sync.OnceFunc(s.Close)
		s.SignOut(forget, cut)
		a.After(signOutWait, func() { a.do(cut) })
		a.store = nil
	}
	browser.Store(keptMe, "")
	browser.Store(keptWS, "")
	browser.Store(keptReplica, "")
	a.me, a.who = nil, whoOut
	a.goTo(route.Route{Page: route.SignIn}, false)
	go func() { a.told(a.API.SignOut(), "You are signed out.") }()
}
