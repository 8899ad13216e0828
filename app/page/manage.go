package page

import (
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/route"
	"holdfast/app/view"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

// TrashPage lists what can be restored.
type TrashPage struct {
	app.Compo
	App *App
	Rev int
}

func (c *TrashPage) Render() app.UI {
	a := c.App
	t, ok := a.store.Trash()
	if !ok {
		return a.prose("Trash", "", view.Skeleton(4))
	}
	const text = "What is deleted stays here until somebody restores it."
	if len(t.Tasks)+len(t.Projects) == 0 {
		return a.prose("Trash", text, view.Empty("trash", "Trash is empty", "Deleted tasks and projects come here, and can be restored with one click."))
	}
	var projects, tasks []app.UI
	for _, p := range t.Projects {
		projects = append(projects, app.Li().Class("keep").Body(
			app.Span().Class("square c-"+p.Color),
			app.Div().Class("what").Body(app.Span().Class("clip").Text(p.Name), app.Elem("small").Text("Project, with its tasks")),
			app.If(a.store.CanManage(), func() app.UI {
				return view.Button{Act: "project", ID: string(p.ID), Label: "Restore", Icon: "restore"}.UI()
			}),
		))
	}
	for _, x := range t.Tasks {
		where := "a project in Trash"
		if p, ok := a.store.Project(x.Project); ok {
			where = p.Name
		}
		tasks = append(tasks, app.Li().Class("keep").Body(
			view.StatusIcon(x.Status),
			app.Div().Class("what").Body(app.Span().Class("clip").Text(x.Title), app.Elem("small").Text("In "+where+" · deleted "+view.Ago(x.Deleted, a.Now()))),
			app.If(a.store.CanWrite(), func() app.UI {
				return view.Button{Act: "task", ID: string(x.ID), Label: "Restore", Icon: "restore"}.UI()
			}),
		))
	}
	more := t.Total - len(t.Tasks) - len(t.Projects)
	return app.Div().Class("body").OnClick(c.onClick).Body(a.prose("Trash", text,
		app.If(len(projects) > 0, func() app.UI {
			return app.Section().Body(app.Header().Body(app.H2().Text("Projects")), app.Ul().Class("cards").Body(projects...))
		}),
		app.If(len(tasks) > 0, func() app.UI {
			return app.Section().Body(app.Header().Body(app.H2().Text("Tasks")), app.Ul().Class("cards").Body(tasks...))
		}),
		app.If(more > 0, func() app.UI {
			return app.P().Class("muted").Text(view.Count(more, "older one is", "older ones are") + " not shown. Restore some to see them.")
		}),
	))
}

func (c *TrashPage) onClick(_ app.Context, e app.Event) {
	s := c.App.store
	switch act, i, _ := view.Act(e); act {
	case "task":
		s.Do(work.RestoreTask(id.ID(i)))
		c.App.toast("The task is back in its project.", "Open", func() {
			c.App.Go(route.Route{Page: route.All, Tenant: s.Tenant(), Task: id.ID(i)})
		})
	case "project":
		s.Do(work.RestoreProject(id.ID(i)))
		c.App.toast("The project is back.", "Open", func() { c.App.Go(c.App.route.ToProject(id.ID(i))) })
	}
}

// LabelsPage manages labels.
type LabelsPage struct {
	app.Compo
	App *App
	Rev int
}

func (c *LabelsPage) Render() app.UI {
	a := c.App
	f, loaded := a.store.Frame()
	if !loaded {
		return a.prose("Labels", "", view.Skeleton(4))
	}
	can := a.store.CanWrite()
	var list []app.UI
	for _, l := range f.Labels {
		list = append(list, app.Li().Class("keep").Body(
			app.Span().Class("dot c-"+l.Color), app.Div().Class("what").Body(app.Span().Class("clip").Text(l.Name)), view.Mark(l.Mark),
			app.If(can, func() app.UI {
				return view.Button{Act: "edit", ID: string(l.ID), DOM: "le-" + string(l.ID), Label: "Edit"}.UI()
			}),
			app.If(can, func() app.UI {
				return view.IconButton{Act: "delete", ID: string(l.ID), Label: "Delete the label " + l.Name, Icon: "trash"}.UI()
			}),
		))
	}
	add := app.If(can, func() app.UI {
		return view.Button{Act: "new", DOM: "label-new", Label: "New label", Icon: "plus", Kind: "primary"}.UI()
	})
	const text = "Labels group tasks across projects: a kind of work, a client, a release."
	if len(list) == 0 {
		return app.Div().Class("body").OnClick(c.onClick).Body(a.prose("Labels", text,
			view.Empty("label", "No labels yet", "Make one here, or "+pick(a.narrow(), "add one to a task.", "press L on a task and type its name."), add)))
	}
	return app.Div().Class("body").OnClick(c.onClick).Body(a.prose("Labels", text,
		app.Section().Body(app.Header().Body(app.H2().Text(view.Count(len(list), "label", "labels")), add), app.Ul().Class("cards").Body(list...))))
}

func (c *LabelsPage) onClick(_ app.Context, e app.Event) {
	a, s := c.App, c.App.store
	act, i, _ := view.Act(e)
	label, _ := s.Label(id.ID(i))
	switch act {
	case "new":
		a.ask(dialog{Title: "New label", Confirm: "Create label", Color: a.nextColor(), Back: "label-new",
			Fields: []view.Field{{DOM: "label-name", Label: "Name", Max: work.NameBytesMax, Required: true}},
			Submit: func(v map[string]string, done func(string)) {
				name := line(v["label-name"])
				f, _ := s.Frame()
				for _, l := range f.Labels {
					if strings.EqualFold(l.Name, name) {
						done("There is a label of this name already. Use it, or choose another name.")
						return
					}
				}
				s.Do(work.NewLabel(s.NewID(), name, v["color"]))
				done("")
			}})
	case "edit":
		a.ask(dialog{Title: "Label", Confirm: "Save", Color: label.Color, Back: "le-" + i,
			Fields: []view.Field{{DOM: "label-name", Label: "Name", Value: label.Name, Max: work.NameBytesMax, Required: true}},
			Submit: func(v map[string]string, done func(string)) {
				if name := line(v["label-name"]); name != label.Name {
					s.Do(work.RenameLabel(label.ID, name))
				}
				if v["color"] != label.Color {
					s.Do(work.ColorLabel(label.ID, v["color"]))
				}
				done("")
			}})
	case "delete":
		s.Do(work.TrashLabel(label.ID, a.Now().UnixMilli()))
		a.toast("The label “"+short(label.Name)+"” is deleted.", "Undo", func() { s.Do(work.RestoreLabel(label.ID)) })
	}
}

// AttentionPage lists changes that the region refused: nothing is thrown away until a person says so.
type AttentionPage struct {
	app.Compo
	App *App
	Rev int
}

func (c *AttentionPage) Render() app.UI {
	a := c.App
	t, ok := a.store.Attention()
	if !ok {
		return a.prose("Needs attention", "", view.Skeleton(3))
	}
	if len(t.Items) == 0 {
		return a.prose("Needs attention", "", view.Empty("check", "Nothing needs you", "If the service ever refuses one of your changes, it waits here with the reason, and nothing of it is lost."))
	}
	var list []app.UI
	for _, x := range t.Items {
		n := view.Number(int64(x.Num))
		name := commandWords(x.Command)
		if x.Title != "" {
			name += ": " + x.Title
		}
		list = append(list, app.Li().Body(
			app.Div().Class("what").Body(
				app.Strong().Text(name),
				app.Elem("small").Text(view.Sentence(x.Kind, x.Detail)),
				app.Elem("small").Text("Made "+view.Ago(x.AtMS, a.Now())),
				app.If(wrote(x) != "", func() app.UI { return app.P().Class("wrote").Text(wrote(x)) }),
			),
			view.Button{Act: "retry", ID: n, Label: "Try again", Icon: "refresh"}.UI(),
			view.IconButton{Act: "more", ID: n, DOM: "at-" + n, Label: "More for this change", Icon: "more", Popup: "menu"}.UI(),
		))
	}
	return app.Div().Class("body").OnClick(c.onClick).Body(a.prose("Needs attention",
		"The service refused these changes. They are kept on this device until you send them again, correct them, or give them up.",
		app.Ul().Class("cards").Body(list...)))
}

// commandWords says what a person meant to do.
func commandWords(command string) string {
	words := map[string]string{"task.create": "New task", "task.rename": "Rename task", "task.describe": "Description of a task", "task.assign": "Assign task",
		"task.prioritize": "Priority of a task", "task.due": "Due date of a task", "task.status": "Status of a task", "task.move": "Move task", "task.move-to": "Move task to a project",
		"task.set": "Change of a task", "task.trash": "Delete task", "task.restore": "Restore task", "task.label": "Label on a task", "task.unlabel": "Label off a task",
		"project.create": "New project", "project.rename": "Rename project", "project.color": "Color of a project", "project.move": "Move project",
		"project.trash": "Delete project", "project.restore": "Restore project", "label.create": "New label", "comment.create": "New comment", "comment.edit": "Edit of a comment",
		"comment.trash": "Delete comment", "comment.restore": "Restore comment", "label.rename": "Rename label", "label.color": "Color of a label",
		"label.trash": "Delete label", "label.restore": "Restore label",
		"workspace.rename": "Rename workspace"}
	return or(words[command], "Change")
}

// wrote is the texts of a change: what would hurt to lose.
func wrote(x port.AttentionItem) string {
	var parts []string
	for _, r := range x.Rows {
		for _, col := range []string{"name", "title", "description", "body"} {
			if v, ok := r.Set[col]; ok && v.Text != "" {
				parts = append(parts, v.Text)
			}
		}
	}
	return strings.Join(parts, "\n\n")
}

func (c *AttentionPage) onClick(_ app.Context, e app.Event) {
	a, s := c.App, c.App.store
	act, n, _ := view.Act(e)
	t, _ := s.Attention()
	for _, x := range t.Items {
		if view.Number(int64(x.Num)) != n {
			continue
		}
		switch act {
		case "retry":
			s.Retry(x.Num)
			a.toast("Sent again.", "", nil)
		case "more":
			a.open(picker{Label: "This change", Menu: true, Back: "at-" + n, Options: func() []option {
				out := []option{{Key: "copy", Label: "Copy the text", Sign: sign("copy")}, {Key: "discard", Label: "Give it up", Sign: sign("trash"), Danger: true}}
				if _, ok := editable(x); ok {
					out = append([]option{{Key: "edit", Label: "Edit and send", Sign: sign("edit")}}, out...)
				}
				return out
			}, Pick: func(k string) { c.more(k, x) }}, "at-"+n)
		}
	}
}

// editable is the one text of a change that can be corrected in place.
func editable(x port.AttentionItem) (col string, ok bool) {
	for _, r := range x.Rows {
		for _, c := range []string{"title", "name", "body", "description"} {
			if v, has := r.Set[c]; has && v.Text != "" {
				return c, true
			}
		}
	}
	return "", false
}

func (c *AttentionPage) more(k string, x port.AttentionItem) {
	a, s := c.App, c.App.store
	switch k {
	case "copy":
		a.copy(or(wrote(x), commandWords(x.Command)), "The text is copied.")
	case "discard":
		a.ask(dialog{Title: "Give this change up?", Text: "It is deleted from this device. Copy its text first if you may need it.", Confirm: "Give it up", Danger: true,
			Submit: func(_ map[string]string, done func(string)) { s.Discard(x.Num); done("") }})
	case "edit":
		col, _ := editable(x)
		value := ""
		for _, r := range x.Rows {
			value = or(value, r.Set[col].Text)
		}
		a.ask(dialog{Title: "Edit and send", Confirm: "Send", Text: view.Sentence(x.Kind, x.Detail),
			Fields: []view.Field{{DOM: "fix", Label: view.RoleName(view.ColumnName(col)), Value: value, Required: true}},
			Submit: func(v map[string]string, done func(string)) {
				s.Do(corrected(x, col, v["fix"]))
				s.Discard(x.Num)
				done("")
			}})
	}
}

// corrected is the refused change with another text.
func corrected(x port.AttentionItem, col, text string) port.Edit {
	e := port.Edit{Command: x.Command}
	for _, r := range x.Rows {
		set := make(map[string]valueOf, len(r.Set))
		for k, v := range r.Set {
			if k == col && v.Text != "" {
				v.Text = text
			}
			set[k] = v
		}
		e.Rows = append(e.Rows, port.EditRow{Table: r.Table, ID: r.ID, Set: set})
	}
	return e
}
