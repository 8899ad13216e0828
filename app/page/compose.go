package page

import (
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/browser"
	"holdfast/app/route"
	"holdfast/app/view"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

// compose is a task being written, at the top of a status; those written after it follow it.
type compose struct {
	status  string
	project id.ID
	after   id.ID    // the one written just before
	waiting []string // titles written before the list was loaded
	done    bool     // closed when they are made
}

// startCompose opens the line for a new task: in the status given, or where the keyboard is.
func (a *App) startCompose(status string) {
	s := a.store
	if s == nil || !s.CanWrite() || !a.route.Tasks() {
		return
	}
	if status == "" {
		status = work.Todo
		if st, at := a.placeOf(a.at); at >= 0 {
			status = st
		}
	}
	project := a.route.Project
	if project == "" {
		f, _ := s.Frame()
		if len(f.Projects) == 0 {
			a.newProject()
			return
		}
		project = f.Projects[0].ID
		if t, ok := s.FindTask(a.at); ok {
			project = t.Project
		}
	}
	a.closed[status] = false
	a.compose = &compose{status: status, project: project}
	a.touch()
	a.later(func() { browser.Focus("compose"); browser.ScrollIntoView("compose") })
}

func (a *App) endCompose() {
	if c := a.compose; c != nil && len(c.waiting) > 0 {
		c.done = true // closed as soon as what was written is made
		return
	}
	if a.compose != nil {
		a.compose = nil
		a.touch()
	}
}

// create makes the task that was written, and stands ready for the next; false when it cannot be one.
func (a *App) create(title string) bool {
	s, c := a.store, a.compose
	title = strings.Join(strings.Fields(title), " ")
	if c == nil || title == "" {
		return true
	}
	if a.tooLong(title, work.TitleBytesMax) {
		return false
	}
	place := 0
	if at := s.Window(c.status).Place(c.after); at >= 0 {
		place = at + 1
	}
	rank, ok := s.RankAt(c.status, place, "")
	if !ok {
		if rank, ok = s.RankAt(c.status, 0, ""); !ok {
			c.waiting = append(c.waiting, title) // its place is not known yet
			return true
		}
	}
	a.createAt(title, rank)
	return true
}

func (a *App) createAt(title, rank string) {
	s, c := a.store, a.compose
	d := work.TaskDraft{ID: s.NewID(), Project: c.project, Title: title, Status: c.status, Rank: rank, Author: s.Person()}
	// What the view is narrowed to, the new task gets: it would be gone from sight at once otherwise.
	if f := a.filter; f != (port.Filter{}) {
		d.Priority = f.Priority
		if f.Assignee != port.Nobody {
			d.Assignee = f.Assignee
		}
		if f.Label != "" {
			d.Labels = []id.ID{f.Label}
		}
	}
	s.Do(work.NewTask(d))
	c.after = d.ID
	a.at = d.ID
	a.say("Created " + title + ".")
}

// createWaiting makes the tasks that were written before the list was loaded.
func (a *App) createWaiting() {
	c := a.compose
	if c == nil || len(c.waiting) == 0 || !a.store.Window(c.status).Loaded {
		return
	}
	titles := c.waiting
	c.waiting = nil
	for _, t := range titles {
		a.create(t)
	}
	if c.done {
		a.endCompose()
	}
}

// keepWaiting makes what was written for a list that is left before it was loaded: its place matters less than its text.
func (a *App) keepWaiting() {
	if c := a.compose; c != nil {
		for _, t := range c.waiting {
			a.createAt(t, a.store.AnyRank())
		}
		c.waiting = nil
	}
}

// Composer is the line in which a new task is written.
type Composer struct {
	app.Compo
	App    *App
	Status string
	Rev    int
}

func (c *Composer) Render() app.UI {
	a := c.App
	hint := "Enter to add, Esc to close"
	var where app.UI
	if a.compose != nil && a.route.Page == route.All {
		p, _ := a.store.Project(a.compose.project)
		where = app.Button().Type("button").Class("chip c-"+or(p.Color, "gray")).ID("compose-project").Aria("label", "In project "+p.Name+". Change").
			DataSet("act", "compose-project").Body(app.Span().Class("dot"), app.Span().Text(p.Name))
	}
	return app.Div().Class("compose").OnKeyDown(c.onKey).On("focusout", c.onBlur).OnClick(c.onClick).Body(
		view.StatusIcon(c.Status), where,
		app.Input().ID("compose").Type("text").Placeholder("Title of the new task").Aria("label", "Title of a new task in "+view.StatusName(c.Status)).
			AutoComplete(false).Attr("enterkeyhint", "done"),
		app.Span().Class("hint").Text(hint),
	)
}

func (c *Composer) onClick(_ app.Context, e app.Event) {
	if act, _, _ := view.Act(e); act == "compose-project" {
		c.App.open(picker{Label: "In project", Back: "compose", Options: func() []option { return c.App.projectOptions("") },
			Pick: func(k string) {
				if c.App.compose != nil {
					c.App.compose.project = id.ID(k)
					c.App.touch()
				}
			}}, "compose-project")
	}
}

func (c *Composer) onKey(ctx app.Context, e app.Event) {
	switch key := e.Get("key").String(); {
	case key == "Enter" && !e.Get("isComposing").Bool() && e.Get("target").Get("id").String() == "compose":
		if c.App.create(browser.Value("compose")) {
			browser.ForceValue("compose", "")
		}
	case key == "Escape":
		last := c.App.at
		c.App.endCompose()
		c.App.later(func() {
			if !browser.Focus("t-" + string(last)) {
				browser.Focus("main")
			}
		})
	default:
		ctx.PreventUpdate()
		e.Call("stopPropagation")
		return
	}
	e.PreventDefault()
	e.Call("stopPropagation")
}

// onBlur closes the line when it is left empty.
func (c *Composer) onBlur(ctx app.Context, e app.Event) {
	to := e.Get("relatedTarget")
	if browser.Value("compose") != "" || c.App.picker != nil || (to.Truthy() && to.Get("id").String() == "compose-project") || browser.Hidden() {
		ctx.PreventUpdate()
		return
	}
	c.App.endCompose()
}
