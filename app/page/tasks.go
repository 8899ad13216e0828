package page

import (
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/browser"
	"holdfast/app/route"
	"holdfast/app/store"
	"holdfast/app/view"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

// TasksPage is a project's tasks, or all of them, with the open task beside.
type TasksPage struct {
	app.Compo
	App   *App
	Route route.Route
	Rev   int
}

func (c *TasksPage) Render() app.UI {
	a, s, r := c.App, c.App.store, c.Route
	_, loaded := s.Frame()
	p, known := s.Project(r.Project)
	if r.Page == route.Project && loaded && !known {
		return app.Div().Class("body").Body(app.Div().Class("content").Body(
			a.bar(app.H1().Text("Project")),
			view.Empty("archive", "This project is not here", "It may lie in Trash, or be shared with others only.",
				view.Button{Label: "Look in Trash", Href: r.To(route.Trash).Path()}.UI(),
				view.Button{Label: "All tasks", Href: r.To(route.All).Path()}.UI())))
	}
	rev := a.Rev(store.Frame, store.Tasks)
	return app.Div().Class("body").Body(
		app.Div().Class("content").OnClick(c.onClick).Body(
			a.bar(c.name(p), c.tools()...),
			app.If(a.finding || a.filter != (port.Filter{}), func() app.UI { return &Filters{App: a, Rev: a.Rev(store.Frame)} }),
			app.If(r.Board, func() app.UI { return &Board{App: a, Route: r, Rev: rev} }).
				Else(func() app.UI { return &List{App: a, Route: r, Rev: rev} }),
		),
		app.If(r.Task != "", func() app.UI {
			return &Panel{App: a, Route: r, Rev: a.Rev(store.Frame, store.Detail, store.Status)}
		}),
	)
}

func (c *TasksPage) name(p port.Project) app.UI {
	if c.Route.Page == route.All {
		return app.Div().Class("bar-name").Body(app.H1().Text("All tasks"))
	}
	return app.Div().Class("bar-name").Body(
		app.Span().Class("square c-"+or(p.Color, "gray")), app.H1().Class("clip").Text(p.Name),
		app.If(c.App.store.CanWrite() && p.ID != "", func() app.UI {
			return view.IconButton{Act: "project-menu", DOM: "project-menu", ID: string(p.ID), Label: "Menu of " + p.Name, Icon: "more", Popup: "menu"}.UI()
		}),
	)
}

func (c *TasksPage) tools() []app.UI {
	a, r := c.App, c.Route
	list, board := r.ToTask(""), r.ToTask("")
	list.Board, board.Board = false, true
	return []app.UI{
		a.people(r),
		view.Tabs("View", view.Tab{Label: "List", Icon: "list", Href: list.Path(), On: !r.Board}, view.Tab{Label: "Board", Icon: "board", Href: board.Path(), On: r.Board}),
		view.IconButton{Act: "filter", DOM: "filter", Label: "Filter (/)", Icon: "filter", Pressed: strconv.FormatBool(a.finding || a.filter != (port.Filter{}))}.UI(),
		app.If(a.store.CanWrite(), func() app.UI {
			return view.Button{Act: "new-task", Label: "New task", Icon: "plus", Kind: "primary", DOM: "new-task", Class: "wide-only"}.UI()
		}),
		app.If(a.store.CanWrite(), func() app.UI {
			return view.IconButton{Act: "new-task", Label: "New task", Icon: "plus", Class: "narrow-only"}.UI()
		}),
	}
}

// people are the others who look at the same project, or at any.
func (a *App) people(r route.Route) app.UI {
	var faces []app.UI
	var names []string
	seen := map[id.ID]bool{a.store.Person(): true}
	for _, p := range a.store.Status().People {
		if p.Me || seen[p.Member] {
			continue
		}
		seen[p.Member] = true
		m := a.store.Member(p.Member)
		names = append(names, m.Name)
		if len(faces) < 4 {
			faces = append(faces, view.Avatar(or(m.Name, "?"), m.Color, "avatar-here"))
		}
	}
	if len(names) == 0 {
		return app.Span().Class("avatars wide-only")
	}
	return app.Span().Class("avatars wide-only").Title("Here now: " + strings.Join(names, ", ")).Body(
		append(faces, app.Span().Class("vh").Text("Here now: "+strings.Join(names, ", ")))...)
}

func (c *TasksPage) onClick(_ app.Context, e app.Event) {
	a := c.App
	switch act, i, _ := view.Act(e); act {
	case "new-task":
		a.startCompose("")
	case "filter":
		a.toggleFilter()
	case "project-menu":
		a.projectMenu(id.ID(i), "project-menu")
	case "clear-filter":
		a.setFilter(port.Filter{})
	}
}

// noTasks is what an empty list says.
func (a *App) noTasks() app.UI {
	if a.filter != (port.Filter{}) {
		return view.Empty("search", "No task matches", "Nothing here fits the filter. Take a part of it away to see more.",
			view.Button{Act: "clear-filter", Label: "Clear the filter"}.UI())
	}
	if f, loaded := a.store.Frame(); loaded && len(f.Projects) == 0 && a.store.CanWrite() {
		return view.Empty("archive", "Start with a project", "A project holds the tasks of one undertaking: a release, a client, a move. Everything you write is kept on this device at once, and reaches your team when there is a network.",
			view.Button{Act: "new-task", Label: "New project", Icon: "plus", Kind: "primary", DOM: "project-first"}.UI())
	}
	if !a.store.CanWrite() {
		return view.Empty("list", "No tasks yet", "When somebody adds a task here, you see it at once.")
	}
	return view.Empty("list", "Plan the first task", pick(a.narrow(), "Write a title, and then the next.", "Press C, write a title, press Enter, and write the next.")+" Everything is kept on this device at once and reaches your team when there is a network.",
		view.Button{Act: "new-task", Label: "New task", Icon: "plus", Kind: "primary"}.UI())
}

func (a *App) toggleFilter() {
	if a.finding || a.filter != (port.Filter{}) {
		a.finding = false
		a.setFilter(port.Filter{})
		return
	}
	a.finding = true
	a.touch()
	a.later(func() { browser.Focus("find") })
}

func (a *App) setFilter(f port.Filter) {
	a.filter = f
	a.touch()
	a.openRoute()
}

// Filters is the line that narrows a view.
type Filters struct {
	app.Compo
	App *App
	Rev int
}

func (c *Filters) Render() app.UI {
	a, f := c.App, c.App.filter
	chips := []app.UI{
		app.Label().Class("find").Body(view.Icon("search"), app.Span().Class("vh").Text("Find in titles"),
			app.Input().ID("find").Type("search").Placeholder("Find in titles").Attr("value", f.Text).AutoComplete(false).OnInput(c.onFind)),
	}
	chip := func(act, label, dom string, on bool, sign app.UI) app.UI {
		if !on {
			return view.Button{Act: act, DOM: dom, Label: label, Kind: "quiet", Popup: "listbox"}.UI()
		}
		return app.Span().Class("chip chip-x").Body(sign, app.Span().Text(label), view.IconButton{Act: act + "-x", Label: "Remove the filter " + label, Icon: "x"}.UI())
	}
	who := "Assignee"
	if f.Assignee == port.Nobody {
		who = "Nobody"
	} else if f.Assignee != "" {
		who = a.store.Member(f.Assignee).Name
	}
	label, _ := a.store.Label(f.Label)
	chips = append(chips,
		chip("f-who", who, "f-who", f.Assignee != "", view.Icon("user")),
		chip("f-label", pick(f.Label == "", "Label", label.Name), "f-label", f.Label != "", app.Span().Class("dot c-"+or(label.Color, "gray"))),
		chip("f-priority", pick(f.Priority == 0, "Priority", view.PriorityName(f.Priority)), "f-priority", f.Priority != 0, view.PriorityIcon(f.Priority)),
	)
	return app.Div().Class("filters").Role("search").OnClick(c.onClick).OnKeyDown(c.onKey).Body(chips...)
}

func (c *Filters) onFind(ctx app.Context, _ app.Event) {
	f := c.App.filter
	f.Text = ctx.JSSrc().Get("value").String()
	c.App.setFilter(f)
}

func (c *Filters) onKey(ctx app.Context, e app.Event) {
	if e.Get("key").String() == "Escape" && e.Get("target").Get("id").String() == "find" {
		e.Call("stopPropagation")
		c.App.toggleFilter()
		c.App.later(func() { browser.Focus("filter") })
		return
	}
	ctx.PreventUpdate()
}

func (c *Filters) onClick(_ app.Context, e app.Event) {
	a, f := c.App, c.App.filter
	act, _, _ := view.Act(e)
	switch act {
	case "f-who":
		a.open(picker{Label: "Assigned to", Options: func() []option {
			return append([]option{{Key: string(port.Nobody), Label: "Nobody", Sign: face(port.Member{})}}, a.memberOptions("")...)
		}, Pick: func(k string) { f.Assignee = id.ID(k); a.setFilter(f) }}, "f-who")
	case "f-label":
		a.open(picker{Label: "With the label", Options: func() []option { return a.labelOptions(nil) },
			Pick: func(k string) { f.Label = id.ID(k); a.setFilter(f) }}, "f-label")
	case "f-priority":
		a.open(picker{Label: "With the priority", Options: func() []option { return priorityOptions(-1)[1:] },
			Pick: func(k string) { f.Priority, _ = strconv.Atoi(k); a.setFilter(f) }}, "f-priority")
	case "f-who-x":
		f.Assignee = ""
		a.setFilter(f)
	case "f-label-x":
		f.Label = ""
		a.setFilter(f)
	case "f-priority-x":
		f.Priority = work.NoPriority
		a.setFilter(f)
	}
}
