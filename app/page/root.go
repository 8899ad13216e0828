package page

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/browser"
	"holdfast/app/route"
	"holdfast/app/store"
	"holdfast/app/view"
)

// Root is the one component at the top: it draws the page of the present route and what lies over it.
type Root struct {
	app.Compo
	App *App
}

// OnMount takes over links, the history and the keyboard, and starts the app.
func (c *Root) OnMount(ctx app.Context) {
	a := c.App
	a.ctx, a.ready = ctx, true
	listen("popstate", func(app.Event) { a.do(func() { a.moved(route.Parse(browser.Location())) }) })
	listen("click", func(e app.Event) { a.do(func() { a.click(e) }) })
	listen("keydown", func(e app.Event) { a.do(func() { a.key(e) }) })
	for _, wake := range []string{"online", "focus", "pageshow"} {
		listen(wake, func(app.Event) { a.do(a.wake) })
	}
	listen("hf-update", func(app.Event) { a.do(func() { a.update = browser.Updatable(); a.touch() }) })
	listen("hf-install", func(app.Event) { a.do(func() { a.install = browser.Installable(); a.touch() }) })
	// A window that is hidden may never come back: what is being written is kept now.
	listen("visibilitychange", func(app.Event) {
		if browser.Hidden() {
			a.do(func() {
				if a.panel != nil {
					a.panel.keep(browser.Focused())
				}
			})
		}
	})
	listen("resize", func(app.Event) { a.do(a.resized) })
	a.start()
	a.later(browser.KeepApp)
}

func listen(event string, f func(app.Event)) {
	app.Window().Call("addEventListener", event, app.FuncOf(func(_ app.Value, args []app.Value) any {
		f(app.Event{Value: args[0]})
		return nil
	}))
}

// wake checks the link and the session: the device slept, or the network is back.
func (a *App) wake() {
	if a.store != nil {
		a.store.Wake()
	}
	if a.who == whoKept || a.who == whoOut {
		a.askMe()
	}
}

// resized draws again what depends on the window's size.
func (a *App) resized() {
	if w, h := browser.Size(); w != a.width || h != a.height {
		a.width, a.height = w, h
		a.touch()
	}
}

// click follows links inside the app without loading.
func (a *App) click(e app.Event) {
	if e.Get("defaultPrevented").Bool() || !view.Plain(e) {
		return
	}
	t := e.Get("target")
	if !t.Truthy() || !t.Get("closest").Truthy() {
		return
	}
	link := t.Call("closest", "a[href]")
	if !link.Truthy() || link.Get("target").Truthy() || link.Call("hasAttribute", "download").Bool() || link.Get("origin").String() != browser.Origin() {
		return
	}
	r := route.Parse(link.Get("pathname").String() + link.Get("search").String())
	if r.Page == route.Lost {
		return
	}
	e.PreventDefault()
	a.Go(r)
}

func (c *Root) Render() app.UI {
	a := c.App
	if t := a.title(); t != a.titled {
		a.titled = t
		browser.Title(t)
	}
	return app.Div().ID("root").Body(
		app.A().Class("skip").Href("#main").Text("Skip to the content"),
		a.page(),
		app.If(a.picker != nil, func() app.UI { return &PickerView{App: a, Num: a.opened} }),
		app.If(a.dialog != nil, func() app.UI { return &DialogView{App: a, Num: a.opened, Rev: a.rev} }),
		&Toasts{App: a, Rev: a.rev + a.heard},
	)
}

func (a *App) page() app.UI {
	switch a.route.Page {
	case route.SignIn, route.SignUp:
		return &SignIn{App: a, New: a.route.Page == route.SignUp, Rev: a.rev}
	case route.Join, route.Link:
		return &Join{App: a, Route: a.route, Rev: a.rev}
	case route.Choose:
		return &Choose{App: a, Rev: a.rev}
	case route.Account:
		if a.me == nil {
			return a.blank()
		}
		return &Account{App: a, Rev: a.rev}
	case route.Home:
		return a.blank()
	case route.Lost:
		return a.lost()
	}
	if a.me == nil {
		return a.blank()
	}
	return &Shell{App: a, Route: a.route, Rev: a.Rev(store.Frame, store.Status, store.Tasks, store.Detail, store.Trash, store.Attention)}
}

// blank is shown while it is not known who is here.
func (a *App) blank() app.UI {
	text := ""
	if a.ready && a.who == whoUnknown && a.rev > 0 {
		text = "The service cannot be reached, and nobody has signed in on this device yet. Check the connection; this page goes on by itself."
	}
	return app.Main().Class("gate").ID("main").TabIndex(-1).Body(
		app.Div().Class("gate-in").Body(
			app.Elem("svg").XMLNS("http://www.w3.org/2000/svg").Attr("class", "icon logo").Aria("hidden", "true").Body(
				app.Elem("use").XMLNS("http://www.w3.org/2000/svg").Attr("href", "#i-logo")),
			app.H1().Class("vh").Text("Holdfast"),
			app.P().Role("status").Text(text),
		),
	)
}

func (a *App) lost() app.UI {
	return app.Main().Class("gate").ID("main").TabIndex(-1).Body(
		app.Div().Class("gate-in").Body(app.H1().Class("vh").Text("No such page"), view.Empty("help", "There is no such page",
			"The address may be mistyped, or what it showed was deleted.",
			view.Button{Label: "Go to your work", Href: "/", Kind: "primary"}.UI())),
	)
}
