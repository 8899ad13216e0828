package page

import (
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/route"
	"holdfast/app/store"
	"holdfast/app/view"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

// Shell is a workspace: what is beside, over and in the page.
type Shell struct {
	app.Compo
	App   *App
	Route route.Route
	Rev   int
}

func (c *Shell) Render() app.UI {
	a, s := c.App, c.App.store
	if s == nil {
		return a.blank()
	}
	banners := make([]app.UI, 0, 2)
	for _, b := range a.banners() {
		banners = append(banners, b.UI())
	}
	return app.Div().Class("shell").OnClick(c.onClick).Body(
		&Sidebar{App: a, Route: c.Route.ToTask(""), Open: a.side, Rev: a.Rev(store.Frame, store.Status)},
		app.If(a.side, func() app.UI { return app.Div().Class("narrow-scrim").DataSet("act", "side") }),
		app.Main().Class("main").ID("main").TabIndex(-1).Body(
			app.Div().Class("banners").Body(banners...),
			c.content(),
		),
	)
}

func (c *Shell) content() app.UI {
	a := c.App
	if _, loaded := a.store.Frame(); !loaded {
		return a.waiting()
	}
	switch r := c.Route; r.Page {
	case route.Project, route.All:
		return &TasksPage{App: a, Route: r, Rev: a.Rev(store.Frame, store.Status, store.Tasks, store.Detail)}
	case route.Trash:
		return &TrashPage{App: a, Rev: a.Rev(store.Frame, store.Trash)}
	case route.Attention:
		return &AttentionPage{App: a, Rev: a.Rev(store.Frame, store.Attention)}
	case route.Members:
		return &MembersPage{App: a, Rev: a.Rev(store.Frame, store.Status)}
	case route.Labels:
		return &LabelsPage{App: a, Rev: a.Rev(store.Frame)}
	case route.Usage:
		return &UsagePage{App: a, Rev: a.Rev(store.Frame)}
	case route.Billing:
		return &BillingPage{App: a, Rev: a.Rev(store.Frame)}
	case route.Device:
		return &DevicePage{App: a, Rev: a.Rev(store.Frame, store.Status)}
	}
	return a.waiting()
}

// waiting is shown until this device has rows to show.
func (a *App) waiting() app.UI {
	st := a.store.Status()
	page := app.Div().Class("scroll")
	name := app.H1().Class("vh").Text("Workspace")
	switch {
	case st.Problem != nil && st.Problem.Kind == fault.Full:
		return page.Body(name, view.Empty("device", "No room on this device", "The workspace cannot be opened until there is some. Free some space, then reload the page."))
	case st.Problem != nil:
		return page.Body(name, view.Empty("device", "This device's copy cannot be read", "Your region and other devices still have the workspace. Once it is rebuilt here, you go on where you were."))
	case st.Link == port.Offline:
		return page.Body(name, view.Empty("device", "Not on this device yet", "This device has not fetched the workspace. Connect to the network once; from then on it is here, with or without one."))
	case st.Link == port.SignedOut || st.Link == port.Removed:
		return page.Body(name, view.Empty("device", "Not on this device", "This device holds nothing of this workspace."))
	case st.Loading > 0 && st.Loading < 1:
		return page.Body(name, view.Empty("download", "Getting the workspace", "It is fetched once, and kept on this device."),
			app.Progress().Class("loading").Max(100).Value(strconv.Itoa(int(st.Loading*100))).Aria("label", "Getting the workspace"))
	}
	return page.Body(name, view.Skeleton(7), app.P().Class("vh").Role("status").Text("Opening the workspace."))
}

// bar is the line over a page of a workspace.
func (a *App) bar(name app.UI, end ...app.UI) app.UI {
	return app.Header().Class("bar").Body(
		view.IconButton{Act: "side", Label: "Open the sidebar", Icon: "menu", Class: "menu-btn"}.UI(),
		name,
		app.Div().Class("bar-end").Body(end...),
	)
}

// prose is a page that is read from top to bottom.
func (a *App) prose(name, text string, body ...app.UI) app.UI {
	head := app.Header().Body(app.H1().Text(name), app.If(text != "", func() app.UI { return app.P().Text(text) }))
	return app.Div().Class("body").Body(app.Div().Class("content").Body(
		app.Div().Class("bar bar-prose").Body(view.IconButton{Act: "side", Label: "Open the sidebar", Icon: "menu", Class: "menu-btn"}.UI(), app.Span().Class("clip").Text(name)),
		app.Div().Class("page").ID("scroll").Body(app.Div().Class("page-in").Body(append([]app.UI{head}, body...)...)),
	))
}

func (c *Shell) onClick(_ app.Context, e app.Event) {
	switch act, _, _ := view.Act(e); act {
	case "side":
		c.App.side = !c.App.side
		c.App.touch()
	case "update":
		c.App.runUpdate()
	case "rebuild":
		c.App.askRebuild()
	case "keep":
		c.App.store.Again()
	}
}

// Sidebar is the way around a workspace, and the state of its link.
type Sidebar struct {
	app.Compo
	App   *App
	Route route.Route
	Open  bool
	Rev   int
}

func (c *Sidebar) Render() app.UI {
	a, s, r := c.App, c.App.store, c.Route
	f, loaded := s.Frame()
	name := f.Workspace.Name
	if w, ok := a.me.Workspace(r.Tenant); ok && name == "" {
		name = w.Name
	}
	projects := make([]app.UI, 0, len(f.Projects))
	for _, p := range f.Projects {
		projects = append(projects, c.project(p))
	}
	class := "side"
	if c.Open {
		class += " is-open"
	}
	return app.Aside().Class(class).Aria("label", "Sidebar").OnClick(c.onClick).On("hf-drop", c.onDrop).OnKeyDown(c.onKey).DataSet("drag-root", "projects").Body(
		app.Div().Class("side-top").Body(
			app.Button().Class("ws").Type("button").ID("ws-menu").Aria("haspopup", "menu").DataSet("act", "workspace").Body(
				app.Span().Class("ws-mark").Aria("hidden", "true").Text(view.Initials(name)), app.Span().Class("clip").Text(name)),
			view.IconButton{Act: "find", Label: "Search and commands (" + mod("K") + ")", Icon: "search"}.UI(),
		),
		app.Nav().Aria("label", "Workspace").Body(
			c.link(route.All, "list", 0),
			app.If(f.Attention > 0 || r.Page == route.Attention, func() app.UI { return c.link(route.Attention, "alert", f.Attention) }),
		),
		app.Div().Class("side-h").Body(
			app.H2().ID("projects-h").Text("Projects"),
			app.If(s.CanWrite(), func() app.UI {
				return view.IconButton{Act: "project-new", Label: "New project", Icon: "plus", DOM: "project-new"}.UI()
			}),
		),
		app.If(!loaded, func() app.UI { return app.Div().Class("nav").Body(app.Span().Class("sk").Style("width", "60%")) }),
		app.Nav().Aria("labelledby", "projects-h").Body(
			app.Ul().ID("projects").DataSet("zone", "projects").DataSet("h", strconv.Itoa(a.projectHeight())).DataSet("n", strconv.Itoa(len(projects))).Style("position", "relative").Body(projects...),
		),
		app.Div().Class("side-end").Body(
			app.Nav().Aria("label", "Manage").Body(
				c.link(route.Labels, "label", 0), c.link(route.Members, "users", 0),
				app.If(s.CanManage(), func() app.UI { return c.link(route.Usage, "usage", 0) }),
				app.If(s.CanManage(), func() app.UI { return c.link(route.Billing, "card", 0) }),
				c.link(route.Trash, "trash", f.Trash),
			),
			c.status(),
		),
	)
}

func (c *Sidebar) link(p route.Page, icon string, n int) app.UI {
	el := app.A().Class("nav").Href(c.Route.To(p).Path())
	if c.Route.Page == p {
		el = el.Aria("current", "page")
	}
	count := app.Span().Class("n").Text(view.Number(int64(n)))
	if p == route.Attention {
		count = app.Span().Class("n n-alert").Text(view.Number(int64(n)))
	}
	return el.Body(view.Icon(icon), app.Span().Text(pageName(p)), app.If(n > 0, func() app.UI { return count }))
}

func (c *Sidebar) project(p port.Project) app.UI {
	a := app.A().Class("nav").ID("p-" + string(p.ID)).Href(c.Route.ToProject(p.ID).Path())
	if c.Route.Project == p.ID {
		a = a.Aria("current", "page")
	}
	li := app.Li().Class("nav-wrap")
	if c.App.store.CanWrite() {
		li = li.DataSet("drag", string(p.ID))
	}
	return li.Body(
		a.Body(
			app.Span().Class("square c-"+p.Color), app.Span().Class("clip").Text(p.Name),
			app.If(p.Open > 0, func() app.UI {
				return app.Span().Class("n").Title(view.Count(p.Open, "open task", "open tasks")).Text(view.Number(int64(p.Open)))
			}),
		),
		app.If(c.App.store.CanWrite(), func() app.UI {
			return view.IconButton{Act: "project-menu", ID: string(p.ID), DOM: "pm-" + string(p.ID), Label: "Menu of " + p.Name, Icon: "more", Class: "more", Popup: "menu"}.UI()
		}),
	)
}

// status is the quiet line at the bottom: the link, and what waits.
func (c *Sidebar) status() app.UI {
	s := c.App.store
	st := s.Status()
	return app.A().Class("link-line link-"+st.Link).Aria("busy", strconv.FormatBool(s.Saving() > 0)).Href(c.Route.To(route.Device).Path()).Body(
		app.Span().Class("link-dot").Aria("hidden", "true"),
		app.Span().ID("link-state").Text(linkWords(st, s.Waiting())))
}

// linkWords say how this device stands to its region.
func linkWords(st port.Status, waiting int) string {
	text := ""
	if p := st.Problem; p != nil && p.Kind == fault.Corrupt {
		return "This device's copy is damaged"
	}
	switch st.Link {
	case port.Online:
		if waiting > 0 {
			return "Sending " + view.Count(waiting, "change", "changes")
		}
		if st.Behind {
			return "All changes sent, on their way everywhere"
		}
		return "All changes sent"
	case port.SignedOut:
		text = "Signed out"
	case port.Removed:
		text = "No longer a member"
	case port.Offline:
		text = "Offline"
	default:
		text = "Connecting"
	}
	if waiting > 0 {
		return text + " · " + view.Count(waiting, "change", "changes") + " kept here"
	}
	return text
}

func (a *App) projectHeight() int { return pick(a.narrow(), 42, 32) }

func (c *Sidebar) onClick(_ app.Context, e app.Event) {
	a := c.App
	switch act, i, _ := view.Act(e); act {
	case "workspace":
		a.workspaceMenu()
	case "find":
		a.side = false
		a.commands()
	case "project-new":
		a.newProject()
	case "project-menu":
		a.projectMenu(id.ID(i), "pm-"+i)
	}
}

func (c *Sidebar) onDrop(_ app.Context, e app.Event) {
	moved, _, place, ok := dropped(e)
	if !ok {
		return
	}
	f, _ := c.App.store.Frame()
	for at, p := range f.Projects {
		if p.ID == moved && at < place {
			place-- // places are counted without what moves
		}
	}
	c.App.moveProject(moved, place)
}

func (c *Sidebar) onKey(ctx app.Context, e app.Event) {
	dom := e.Get("target").Get("id").String()
	key := e.Get("key").String()
	if len(dom) < 3 || dom[:2] != "p-" || !e.Get("altKey").Bool() || (key != "ArrowUp" && key != "ArrowDown") {
		ctx.PreventUpdate()
		return
	}
	e.PreventDefault()
	f, _ := c.App.store.Frame()
	for at, p := range f.Projects {
		if string(p.ID) == dom[2:] {
			c.App.moveProject(p.ID, at+pick(key == "ArrowUp", -1, 1))
			c.App.later(func() { focusSoon(dom) })
		}
	}
}

func (a *App) moveProject(project id.ID, place int) {
	if rank, ok := a.store.ProjectRankAt(place, project); ok && a.store.CanWrite() {
		a.store.Do(work.MoveProject(project, rank))
		f, _ := a.store.Frame()
		for at, p := range f.Projects {
			if p.ID == project {
				a.say(p.Name + " is now project " + strconv.Itoa(at+1) + " of " + strconv.Itoa(len(f.Projects)) + ".")
			}
		}
	}
}
