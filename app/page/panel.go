package page

import (
	"strconv"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/browser"
	"holdfast/app/route"
	"holdfast/app/view"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

// Panel is the open task, beside its list.
type Panel struct {
	app.Compo
	App   *App
	Route route.Route
	Rev   int

	history bool   // unfolded
	editing id.ID  // the comment being edited
	entered string // what the field held when it got the keyboard: only what the person changed is written
	long    string // the field whose text is too long to be kept: it stays there
}

func (c *Panel) CompoID() string { return string(c.Route.Task) }

func (c *Panel) OnMount(ctx app.Context) {
	c.App.panel = c
	ctx.Defer(func(app.Context) {
		browser.Focus("panel")
		c.fill()
		browser.SetValue("say", browser.Load(c.draft()))
	})
}

func (c *Panel) OnDismount() {
	if c.App.panel == c {
		c.App.panel = nil
	}
}

// draft is where an unfinished comment is kept on this device.
func (c *Panel) draft() string { return draftOf(c.Route.Task) }

func draftOf(task id.ID) string { return "holdfast.draft." + string(task) }

// giveBack has a comment stand as unfinished again.
func (a *App) giveBack(task id.ID, body string) {
	browser.Store(draftOf(task), body)
	if a.panel != nil && a.panel.Route.Task == task && browser.Value("say") == "" {
		browser.ForceValue("say", body)
	}
}

func (c *Panel) OnUpdate(ctx app.Context) { ctx.Defer(func(app.Context) { c.fill() }) }

// fill writes the texts into their fields, except the one that the person is writing in.
func (c *Panel) fill() {
	d, complete := c.App.store.Detail()
	if d.Task.ID != c.Route.Task || !d.Found {
		return
	}
	if c.long != "panel-title" {
		browser.SetValue("panel-title", d.Task.Title)
	}
	if complete && c.long != "panel-text" {
		browser.SetValue("panel-text", d.Description)
	}
	browser.SetValue("panel-due", d.Task.Due)
}

func (c *Panel) Render() app.UI {
	a := c.App
	d, complete := a.store.Detail()
	if complete && !d.Found {
		return c.frame(d, view.Empty("archive", "This task is not here", "It may have been made on a device that has not sent it yet.",
			view.Button{Label: "Close", Act: "close"}.UI()))
	}
	if !d.Found {
		return c.frame(d, view.Skeleton(5))
	}
	return c.frame(d,
		app.If(d.Task.Deleted != 0, func() app.UI {
			return app.Div().Class("notice").Role("status").Body(view.Icon("trash"), app.Span().Class("grow").Text("This task is in Trash."),
				view.Button{Act: "restore", Label: "Restore"}.UI())
		}),
		c.title(d.Task), c.text(d, complete), c.props(d.Task), c.comments(d, complete), c.past(d),
	)
}

func (c *Panel) frame(d port.DetailResult, body ...app.UI) app.UI {
	a := c.App
	p, _ := a.store.Project(d.Task.Project)
	name := "Task"
	if d.Task.Title != "" {
		name = "Task: " + d.Task.Title
	}
	return app.Aside().Class("panel").ID("panel").TabIndex(-1).Aria("label", name).OnClick(c.onClick).OnKeyDown(c.onKey).
		OnChange(c.onChange).On("focusin", c.onFocus).On("focusout", c.onBlur).Body(
		app.Div().Class("panel-bar").Body(
			app.Div().Class("where").Body(
				app.If(p.ID != "", func() app.UI { return app.Span().Class("square c-" + p.Color) }),
				app.Span().Class("clip").Text(p.Name),
				app.If(d.Found, func() app.UI { return view.Mark(d.Task.Mark) }),
			),
			c.here(),
			view.IconButton{Act: "copy", Label: "Copy link (Y)", Icon: "link"}.UI(),
			app.If(a.store.CanWrite() && d.Task.Deleted == 0, func() app.UI {
				return view.IconButton{Act: "trash", Label: "Move to Trash (Del)", Icon: "trash"}.UI()
			}),
			view.IconButton{Act: "close", DOM: "panel-close", Label: "Close (Esc)", Icon: "x"}.UI(),
		),
		app.Div().Class("panel-in").Body(body...),
	)
}

// here are the others who look at this task now.
func (c *Panel) here() app.UI {
	var faces []app.UI
	var names []string
	for _, p := range c.App.store.Status().People {
		if p.Me || p.View != c.Route.View() || p.Member == c.App.store.Person() {
			continue
		}
		m := c.App.store.Member(p.Member)
		names = append(names, m.Name)
		faces = append(faces, view.Avatar(or(m.Name, "?"), m.Color, "avatar-here"))
	}
	if len(names) == 0 {
		return app.Span().Class("avatars")
	}
	text := strings.Join(names, ", ") + pick(len(names) == 1, " looks", " look") + " at this task"
	return app.Span().Class("avatars").Title(text).Body(append(faces, app.Span().Class("vh").Text(text))...)
}

func (c *Panel) title(t port.Task) app.UI {
	return app.Textarea().Class("panel-title").ID("panel-title").Rows(1).Placeholder("Title").Aria("label", "Title").
		ReadOnly(!c.App.store.CanWrite()).Spellcheck(true)
}

func (c *Panel) text(d port.DetailResult, complete bool) app.UI {
	return app.Textarea().Class("panel-text").ID("panel-text").Placeholder(pick(complete, "Add a description", "")).Aria("label", "Description").
		ReadOnly(!c.App.store.CanWrite() || !complete).Spellcheck(true)
}

func (c *Panel) props(t port.Task) app.UI {
	a := c.App
	can := a.store.CanWrite()
	prop := func(act, text string, sign app.UI) app.UI {
		if !can {
			return app.Span().Class("row").Body(sign, app.Span().Text(text))
		}
		return app.Button().Type("button").Class("prop").ID("prop-"+act).DataSet("act", act).Aria("haspopup", "listbox").Body(sign, app.Span().Class("clip").Text(text))
	}
	who := a.store.Member(t.Assignee)
	whoName := "Nobody"
	if t.Assignee != "" {
		whoName = or(who.Name, "Former member")
	}
	labels := make([]app.UI, 0, len(t.Labels)+1)
	for _, l := range t.Labels {
		if label, ok := a.store.Label(l); ok {
			labels = append(labels, view.Chip{ID: l, Label: label.Name, Color: label.Color}.UI())
		}
	}
	p, _ := a.store.Project(t.Project)
	if can {
		labels = append(labels, prop("labels", pick(len(labels) == 0, "Add a label", "Change"), view.Icon("label")))
	} else if len(labels) == 0 {
		labels = append(labels, app.Span().Class("muted").Text("None"))
	}
	_, tone := view.Due(t.Due, a.Now())
	due := app.Input().Type("date").ID("panel-due").Aria("label", "Due date").ReadOnly(!can).Class(pick(t.Due == "", "is-empty", "") + " " + pick(tone == "", "", "due-"+tone))
	return app.Dl().Class("props").Body(
		app.Dt().Text("Status"), app.Dd().Body(prop("status", view.StatusName(t.Status), view.StatusIcon(t.Status))),
		app.Dt().Text("Priority"), app.Dd().Body(prop("priority", view.PriorityName(t.Priority), view.PriorityIcon(t.Priority))),
		app.Dt().Text("Assignee"), app.Dd().Body(prop("assignee", whoName, view.Avatar(pick(t.Assignee == "", "", whoName), who.Color, ""))),
		app.Dt().Text("Due date"), app.Dd().Body(app.Span().Class("prop-date").ID("prop-due").Body(due)),
		app.Dt().Text("Labels"), app.Dd().Body(labels...),
		app.Dt().Text("Project"), app.Dd().Body(prop("project", or(p.Name, "In Trash"), app.Span().Class("square c-"+or(p.Color, "gray")))),
	)
}

func (c *Panel) comments(d port.DetailResult, complete bool) app.UI {
	a := c.App
	list := make([]app.UI, 0, len(d.Comments))
	for _, m := range d.Comments {
		list = append(list, &Comment{App: a, C: m, Editing: c.editing == m.ID, Rev: a.store.Rev(0)})
	}
	return app.Section().Aria("label", "Comments").Body(
		app.H2().Text("Comments"),
		app.If(len(list) == 0 && complete && !a.store.CanWrite(), func() app.UI { return app.P().Class("muted").Text("Nobody has said anything yet.") }),
		app.Ul().Class("comments").Body(list...),
		app.If(a.store.CanWrite(), func() app.UI {
			return app.Div().Class("say-box").Body(
				app.Textarea().ID("say").Placeholder("Write a comment").Aria("label", "Comment"),
				app.Footer().Body(app.Span().Class("hint wide-only").Text(mod("Enter")), view.Button{Act: "say", Label: "Comment"}.UI()),
			)
		}),
	)
}

// Comment is one comment; it draws alone.
type Comment struct {
	app.Compo
	App     *App
	C       port.Comment
	Editing bool
	Rev     int
}

func (c *Comment) CompoID() string { return string(c.C.ID) }

func (c *Comment) Render() app.UI {
	a, m := c.App, c.C
	by := a.store.Member(m.Author)
	name := or(by.Name, "Former member")
	when := view.Ago(m.AtMS, a.Now()) + pick(m.Edited, ", edited", "")
	mine := m.Author == a.store.Person() && a.store.CanWrite()
	i := string(m.ID)
	say := app.UI(app.P().Class("say").Text(m.Body))
	if c.Editing {
		say = app.Div().Class("say-box say").Body(
			app.Textarea().ID("edit-"+i).Aria("label", "Comment").Attr("value", m.Body),
			app.Footer().Body(view.Button{Act: "c-cancel", Label: "Cancel", Kind: "quiet"}.UI(), view.Button{Act: "c-save", ID: i, Label: "Save"}.UI()),
		)
	}
	return app.Li().Class("comment").Body(
		view.Avatar(name, by.Color, ""),
		app.Div().Class("by").Body(
			app.B().Text(name), app.Time().DateTime(stamp(m.AtMS)).Text(when), view.Mark(m.Mark),
			app.If(mine, func() app.UI {
				return view.IconButton{Act: "c-menu", ID: i, DOM: "cm-" + i, Label: "Menu of the comment by " + name, Icon: "more", Popup: "menu"}.UI()
			}),
		),
		say,
	)
}

func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }

func (c *Panel) onClick(ctx app.Context, e app.Event) {
	a, t := c.App, c.Route.Task
	act, i, el := view.Act(e)
	switch act {
	case "close":
		a.Go(c.Route.ToTask(""))
	case "copy":
		a.copy(browser.Origin()+c.Route.Path(), "The task's link is copied.")
	case "trash":
		a.trashTask(t)
	case "restore":
		a.store.Do(work.RestoreTask(t))
	case "status", "priority", "assignee", "labels", "project":
		a.pickFor(t, act, el.Get("id").String())
	case "say":
		c.say()
	case "history":
		c.history = !c.history
	case "take-back":
		c.takeBack(i)
	case "c-menu":
		c.commentMenu(ctx, id.ID(i))
	case "c-cancel":
		c.editing = ""
	case "c-save":
		c.saveComment(id.ID(i))
	}
}

func (c *Panel) onKey(ctx app.Context, e app.Event) {
	dom := e.Get("target").Get("id").String()
	key := e.Get("key").String()
	ctrl := e.Get("ctrlKey").Bool() || e.Get("metaKey").Bool()
	switch {
	case key == "Enter" && dom == "panel-title":
		e.PreventDefault()
		browser.Focus("panel-text")
	case key == "Enter" && ctrl && dom == "say":
		e.PreventDefault()
		c.say()
	case key == "Enter" && ctrl && strings.HasPrefix(dom, "edit-"):
		e.PreventDefault()
		c.saveComment(id.ID(dom[len("edit-"):]))
	case key == "Escape" && strings.HasPrefix(dom, "edit-"):
		e.Call("stopPropagation")
		c.editing = ""
	default:
		ctx.PreventUpdate()
	}
}

// onChange keeps the due date as soon as it is a date.
func (c *Panel) onChange(ctx app.Context, e app.Event) {
	if e.Get("target").Get("id").String() != "panel-due" {
		ctx.PreventUpdate()
		return
	}
	d, _ := c.App.store.Detail()
	if due := browser.Value("panel-due"); due != d.Task.Due && c.App.store.CanWrite() {
		c.App.store.Do(work.DueTask(c.Route.Task, due))
	}
}

func (c *Panel) onFocus(ctx app.Context, e app.Event) {
	c.entered = browser.Value(e.Get("target").Get("id").String())
	ctx.PreventUpdate()
}

// onBlur keeps a text when its field is left.
func (c *Panel) onBlur(ctx app.Context, e app.Event) {
	if !c.keep(e.Get("target").Get("id").String()) {
		ctx.PreventUpdate()
		return
	}
	c.fill()
}

// keep writes the field dom if the person changed it; true when it was one that is kept. What somebody else wrote while
// the field had the keyboard is not written over by a field that was only visited.
func (c *Panel) keep(dom string) bool {
	a := c.App
	d, complete := a.store.Detail()
	v := browser.Value(dom)
	if d.Task.ID != c.Route.Task || !d.Found || !a.store.CanWrite() {
		return false
	}
	if c.long == dom {
		c.long = ""
	}
	switch {
	case dom == "say":
		browser.Store(c.draft(), v)
	case v != c.entered && (dom == "panel-title" && a.tooLong(v, work.TitleBytesMax) || dom == "panel-text" && a.tooLong(v, work.BodyBytesMax)):
		c.long = dom
		a.later(func() { browser.Focus(dom) })
		return true
	case dom == "panel-title" && v != c.entered && line(v) != "":
		a.retitle(c.Route.Task, v)
	case dom == "panel-text" && v != c.entered && complete:
		a.store.Do(work.DescribeTask(c.Route.Task, strings.TrimRight(v, "\n ")))
	}
	c.entered = v
	return dom == "say" || dom == "panel-title" || dom == "panel-text"
}

func (c *Panel) say() {
	body := strings.TrimSpace(browser.Value("say"))
	s := c.App.store
	if body == "" || !s.CanWrite() {
		browser.Focus("say")
		return
	}
	if c.App.tooLong(body, work.BodyBytesMax) {
		return
	}
	s.Do(work.NewComment(s.NewID(), c.Route.Task, s.Person(), body))
	browser.ForceValue("say", "")
	browser.Store(c.draft(), "")
	c.App.say("Comment added.")
}

func (c *Panel) saveComment(comment id.ID) {
	body := strings.TrimSpace(browser.Value("edit-" + string(comment)))
	if c.App.tooLong(body, work.BodyBytesMax) {
		return
	}
	if body != "" {
		c.App.store.Do(work.EditComment(comment, body))
	}
	c.editing = ""
	c.App.later(func() { browser.Focus("cm-" + string(comment)) })
}

func (c *Panel) commentMenu(ctx app.Context, comment id.ID) {
	a, dom := c.App, "cm-"+string(comment)
	a.open(picker{Label: "Comment", Menu: true, Back: dom,
		Options: func() []option {
			return []option{{Key: "edit", Label: "Edit", Sign: sign("edit")}, {Key: "delete", Label: "Delete", Sign: sign("trash"), Danger: true}}
		},
		Pick: func(k string) {
			if k == "edit" {
				ctx.Dispatch(func(ctx app.Context) {
					c.editing = comment
					ctx.Defer(func(app.Context) { browser.Focus("edit-" + string(comment)) })
				})
				return
			}
			s := a.store
			s.Do(work.TrashComment(comment, a.Now().UnixMilli()))
			a.toast("The comment is deleted.", "Undo", func() { s.Do(work.RestoreComment(comment)) })
		}}, dom)
}

// takeBack writes a lost value again.
func (c *Panel) takeBack(i string) {
	a := c.App
	d, _ := a.store.Detail()
	n, err := strconv.Atoi(i)
	if err != nil || n < 0 || n >= len(d.History) {
		return
	}
	h := d.History[n]
	a.store.Do(work.SetTask(c.Route.Task, map[string]any{h.Col: h.Value.Any()}))
	a.toast("The "+view.ColumnName(h.Col)+" is as it was.", "", nil)
}
