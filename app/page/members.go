package page

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/api"
	"holdfast/app/browser"
	"holdfast/app/route"
	"holdfast/app/view"
	"holdfast/sync/change"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

type valueOf = change.Value

// MembersPage shows who belongs to the workspace. Who manages it invites, changes roles and removes; that is the
// service's to do, and so needs the network.
type MembersPage struct {
	app.Compo
	App *App
	Rev int

	invitations []api.Invitation
	failed      string
}

func (c *MembersPage) OnMount(ctx app.Context) {
	if c.App.store.CanManage() {
		c.load(ctx)
	}
}

func (c *MembersPage) load(ctx app.Context) {
	tenant := c.App.store.Tenant()
	go func() {
		list, p := c.App.API.Invitations(tenant)
		ctx.Dispatch(func(app.Context) {
			if c.failed = ""; p != nil {
				c.failed = "Invitations cannot be shown now. " + p.Sentence()
				return
			}
			c.invitations = list
		})
	}()
}

func (c *MembersPage) Render() app.UI {
	a := c.App
	f, loaded := a.store.Frame()
	if !loaded {
		return a.prose("Members", "", view.Skeleton(4))
	}
	manage := a.store.CanManage()
	here := map[id.ID]bool{}
	for _, p := range a.store.Status().People {
		here[p.Member] = true
	}
	var list, open []app.UI
	for _, m := range f.Members {
		if m.Active {
			list = append(list, c.member(m, here[m.ID], manage))
		}
	}
	for _, i := range c.invitations {
		open = append(open, app.Li().Class("keep").Body(
			view.Icon("link"),
			app.Div().Class("what").Body(app.Span().Text("Joins as "+view.RoleName(i.Role)), app.Elem("small").Text("Works until "+until(i.ExpiresMS))),
			app.If(i.URL != "", func() app.UI { return view.Button{Act: "copy", ID: i.URL, Label: "Copy link", Icon: "copy"}.UI() }),
			view.IconButton{Act: "withdraw", ID: i.ID, Label: "Withdraw this invitation", Icon: "trash"}.UI(),
		))
	}
	return app.Div().Class("body").OnClick(c.onClick).Body(a.prose("Members", "Everybody here sees every project. Owners and admins invite people and change roles; viewers read.",
		view.Notice("danger", c.failed),
		app.Section().Body(
			app.Header().Body(app.H2().Text(view.Count(len(list), "member", "members")),
				app.If(manage, func() app.UI {
					return view.Button{Act: "invite", DOM: "invite", Label: "Invite by link", Icon: "plus", Kind: "primary", Popup: "listbox"}.UI()
				})),
			app.Ul().Class("cards").Body(list...),
		),
		app.If(len(open) > 0, func() app.UI {
			return app.Section().Body(app.Header().Body(app.H2().Text("Open invitations")), app.Ul().Class("cards").Body(open...))
		}),
		app.If(manage, func() app.UI { return &Rules{App: a} }),
	))
}

func until(ms int64) string { return timeOf(ms).Format("Monday, 2 January, 15:04") }

func (c *MembersPage) member(m port.Member, here, manage bool) app.UI {
	me := m.ID == c.App.store.Person()
	i := string(m.ID)
	note := view.RoleName(m.Role)
	if me {
		note += " · you"
	} else if here {
		note += " · here now"
	}
	return app.Li().Class("keep").Body(
		view.Avatar(or(m.Name, "?"), m.Color, "avatar-lg"+pick(here, " avatar-here", "")),
		app.Div().Class("what").Body(app.Span().Class("clip").Text(m.Name), app.Elem("small").Text(note)),
		app.If(manage && !me, func() app.UI {
			return view.Button{Act: "role", ID: i, DOM: "role-" + i, Label: view.RoleName(m.Role), Popup: "listbox"}.UI()
		}),
		app.If(manage && !me, func() app.UI {
			return view.IconButton{Act: "remove", ID: i, DOM: "rm-" + i, Label: "Remove " + m.Name, Icon: "x"}.UI()
		}),
	)
}

func roleOptions(on string) (out []option) {
	hints := map[string]string{work.Owner: "everything, and billing", work.Admin: "people and settings", work.Member: "all the work", work.Viewer: "reads"}
	for _, r := range work.Roles {
		out = append(out, option{Key: r, Label: view.RoleName(r), Hint: hints[r], On: r == on})
	}
	return out
}

func (c *MembersPage) onClick(ctx app.Context, e app.Event) {
	a, s := c.App, c.App.store
	act, i, _ := view.Act(e)
	tenant := s.Tenant()
	m := s.Member(id.ID(i))
	switch act {
	case "invite":
		a.open(picker{Label: "Invite as", Options: func() []option { return roleOptions("")[1:] }, Pick: func(role string) { c.invite(ctx, role) }}, "invite")
	case "copy":
		a.copy(full(i), "The invitation's link is copied.")
	case "withdraw":
		go func() {
			p := a.API.Withdraw(tenant, i)
			a.told(p, "The invitation no longer works.")
			c.load(ctx)
		}()
	case "role":
		a.open(picker{Label: "Role of " + m.Name, Options: func() []option { return roleOptions(m.Role) }, Pick: func(role string) {
			if role == m.Role {
				return
			}
			go func() { a.told(a.API.SetRole(tenant, m.ID, role), m.Name+" is now "+view.RoleName(role)+".") }()
		}}, "role-"+i)
	case "remove":
		a.ask(dialog{Title: "Remove " + m.Name + "?", Confirm: "Remove", Danger: true, Back: "rm-" + i,
			Text: "They lose access at once, and the seat is free. What they made stays. They can come back only by a new invitation.",
			Submit: func(_ map[string]string, done func(string)) {
				go func() {
					if p := a.API.Deactivate(tenant, m.ID); p != nil {
						done(p.Sentence())
						return
					}
					done("")
				}()
			}})
	}
}

// full is an address with its origin.
func full(url string) string {
	if len(url) > 0 && url[0] == '/' {
		return browser.Origin() + url
	}
	return url
}

func (c *MembersPage) invite(ctx app.Context, role string) {
	a, tenant := c.App, c.App.store.Tenant()
	go func() {
		i, p := a.API.Invite(tenant, role)
		if p != nil {
			a.told(p, "")
			return
		}
		a.do(func() {
			a.ask(dialog{Title: "Invitation link", Text: "Send this link to the people you invite. They join as " + view.RoleName(role) + ". It works until " + until(i.ExpiresMS) + ".",
				Fields: []view.Field{{DOM: "copy", Label: "Link", Value: full(i.URL)}}, Confirm: "Copy link", Back: "invite",
				Submit: func(v map[string]string, done func(string)) {
					done("")
					a.copy(v["copy"], "The invitation's link is copied.")
				}})
		})
		c.load(ctx)
	}()
}

// told says how a call went; from any goroutine.
func (a *App) told(p *api.Problem, well string) {
	a.do(func() {
		switch {
		case p != nil:
			a.toast(p.Sentence(), "", nil)
		case well != "":
			a.toast(well, "", nil)
		}
	})
}

// UsagePage shows this month's usage: the same totals that an invoice is made of.
type UsagePage struct {
	app.Compo
	App *App
	Rev int

	month  string
	usage  *api.Usage
	failed string
}

func (c *UsagePage) OnMount(ctx app.Context) {
	c.month = c.App.Now().UTC().Format("2006-01")
	c.load(ctx)
}

func (c *UsagePage) load(ctx app.Context) {
	tenant, month := c.App.store.Tenant(), c.month
	go func() {
		u, p := c.App.API.Usage(tenant, month)
		ctx.Dispatch(func(app.Context) {
			if c.failed = ""; p != nil {
				c.failed = p.Sentence()
				return
			}
			c.usage = &u
		})
	}()
}

func (c *UsagePage) Render() app.UI {
	a := c.App
	const text = "What this workspace has used this month. These are the totals that an invoice is made of."
	if _, loaded := a.store.Frame(); loaded && !a.store.CanManage() {
		return a.prose("Usage", "", view.Empty("usage", "Usage is for owners and admins", "Ask one of them if you need to see it."))
	}
	if c.usage == nil {
		return app.Div().Class("body").OnClick(c.onClick).Body(a.prose("Usage", text, view.Notice("danger", c.failed),
			app.If(c.failed != "", func() app.UI {
				return app.Div().Class("row").Body(view.Button{Act: "again", Label: "Try again", Icon: "refresh"}.UI())
			}).
				Else(func() app.UI { return view.Skeleton(3) })))
	}
	var facts []app.UI
	for _, r := range c.usage.Rows {
		name, note, value := meterWords(r)
		facts = append(facts, app.Div().Class("fact").Body(app.Dt().Text(name), app.Dd().Body(app.Text(value), app.Elem("small").Text(note))))
	}
	month := c.usage.Month
	if t, err := timeMonth(month); err == nil {
		month = t.Format("January 2006")
	}
	body := app.UI(app.Dl().Class("facts").Body(facts...))
	if len(facts) == 0 {
		body = view.Empty("usage", "Nothing used yet", "As soon as the workspace is used, the totals stand here.")
	}
	return app.Div().Class("body").OnClick(c.onClick).Body(a.prose("Usage", text,
		view.Notice("danger", c.failed),
		app.Section().Body(
			app.Header().Body(app.H2().Text(month), app.Div().Class("row").Body(
				app.P().Text("As of "+view.Ago(c.usage.AsOfMS, a.Now())), view.Button{Act: "again", Label: "Refresh", Icon: "refresh", Kind: "quiet"}.UI())),
			body)))
}

// meterWords name a meter; one that this page does not know is shown by its own name.
func meterWords(r api.UsageRow) (name, note, value string) {
	value = view.Number(r.Quantity)
	switch r.Meter {
	case "changes":
		return "Changes accepted", "by all members, in all regions", value
	case "api-calls":
		return "API calls", "requests answered", value
	case "storage-bytes":
		return "Storage", "the size of the workspace", view.Bytes(r.Quantity)
	case "storage-byte-hours":
		return "Storage over time", "size times hours, as it is billed", view.Bytes(r.Quantity) + "·h"
	case "connected-seconds":
		return "Connected time", "of all browsers together", hours(r.Quantity)
	case "egress-bytes":
		return "Data sent", "to browsers and API callers", view.Bytes(r.Quantity)
	case "rule-nanoseconds":
		return "Rule run time", "how long the workspace's rules ran", brief(r.Quantity)
	case "notifications":
		return "Notifications", "mails and webhooks that were sent", value
	case "seat-hours":
		return "Seats over time", "members times hours", value + " h"
	case "seats":
		return "Seats", "members now", value
	case "seats-peak":
		return "Most seats", "members at one time this month", value
	}
	if r.Unit == "bytes" || r.Unit == "byte" {
		value = view.Bytes(r.Quantity)
	}
	return r.Meter, r.Unit, value
}

// brief writes a time that may be very short.
func brief(nanoseconds int64) string {
	ms := nanoseconds / 1e6
	if ms == 0 && nanoseconds > 0 {
		return "less than 1 ms"
	}
	if ms < 1000 {
		return view.Number(ms) + " ms"
	}
	if s := nanoseconds / 1e9; s < 60 {
		return view.Number(s) + " s"
	}
	return hours(nanoseconds / 1e9)
}

// hours writes a time in hours, or in minutes when it is short.
func hours(seconds int64) string {
	if seconds < 3600 {
		return view.Number(seconds/60) + " min"
	}
	return view.Number(seconds/3600) + " h"
}

func (c *UsagePage) onClick(ctx app.Context, e app.Event) {
	if act, _, _ := view.Act(e); act == "again" {
		c.load(ctx)
	}
}

// DevicePage is about this browser's copy of the workspace.
type DevicePage struct {
	app.Compo
	App *App
	Rev int
}

func (c *DevicePage) Render() app.UI {
	a, s := c.App, c.App.store
	st := s.Status()
	storage, note := "On the disk", "kept in this browser's own files"
	switch st.Storage {
	case port.Outbox:
		storage, note = "In memory", "loaded again each time; what waits to be sent is kept"
	case port.Memory:
		storage, note = "In memory only", "lost when every tab is closed, also what waits to be sent"
	}
	link, _, _ := linkState(st)
	fact := func(name, value, note string) app.UI {
		return app.Div().Class("fact").Body(app.Dt().Text(name), app.Dd().Body(app.Text(value), app.Elem("small").Text(note)))
	}
	waiting := s.Waiting()
	return app.Div().Class("body").OnClick(c.onClick).Body(a.prose("This device",
		"Everything you see is read from this device, and everything you do is kept here first. Then it goes to your region, and from there everywhere.",
		app.Dl().Class("facts").Body(
			fact("Link", link, pick(st.Region == "", "no region yet", "region "+st.Region)),
			fact("Waiting", view.Count(waiting, "change", "changes"), pick(waiting == 0, "nothing waits to be sent", "kept here until the region has them")),
			fact("Storage", storage, note),
			fact("App", or(cut(browser.Version(), 8), "–"), pick(a.update, "a newer one is ready", "the newest this browser has seen")),
		),
		app.If(st.Attention > 0, func() app.UI {
			return app.Section().Body(app.Ul().Class("cards").Body(app.Li().Body(view.Icon("alert"),
				app.Div().Class("what").Body(app.Span().Text(view.Count(st.Attention, "change was", "changes were")+" refused"), app.Elem("small").Text("They wait for you to send them again, correct them, or give them up.")),
				view.Button{Label: "Look", Href: a.route.To(route.Attention).Path()}.UI())))
		}),
		app.Section().Body(
			app.Header().Body(app.H2().Text("This copy")),
			app.Ul().Class("cards").Body(
				app.Li().Body(app.Div().Class("what").Body(app.Span().Text("Rebuild from the region"), app.Elem("small").Text("If something looks wrong: fetches everything again. Waiting changes are kept.")),
					view.Button{Act: "rebuild", Label: "Rebuild", Icon: "refresh"}.UI()),
				app.If(a.install, func() app.UI {
					return app.Li().Body(app.Div().Class("what").Body(app.Span().Text("Install the app"), app.Elem("small").Text("Its own window and icon; starts without a network, as here.")),
						view.Button{Act: "install", Label: "Install", Icon: "download"}.UI())
				}),
				app.Li().Body(app.Div().Class("what").Body(app.Span().Text("Sign out and forget"), app.Elem("small").Text("Deletes this device's copy. Use it on a computer that is not yours.")),
					view.Button{Act: "forget", DOM: "forget", Label: "Sign out and forget", Kind: "danger"}.UI()),
			),
		),
	))
}

// linkState is the link in two words, for people.
func linkState(st port.Status) (words, tone string, ok bool) {
	switch st.Link {
	case port.Online:
		return "Online", "", true
	case port.Offline:
		return "Offline", "warn", false
	case port.SignedOut:
		return "Signed out", "warn", false
	case port.Removed:
		return "No longer a member", "danger", false
	}
	return "Connecting", "", false
}

func (c *DevicePage) onClick(_ app.Context, e app.Event) {
	switch act, _, _ := view.Act(e); act {
	case "forget":
		c.App.askForget()
	case "install":
		browser.Install()
	}
}

// cut is the first n bytes of an ASCII text.
func cut(s string, n int) string { return s[:min(n, len(s))] }
