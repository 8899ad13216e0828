package view

import (
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

// Heights in pixels of what is placed rather than flowed. app.css holds the same numbers.
const (
	RowHeight       = 40
	RowHeightNarrow = 56
	CardHeight      = 94 // with the gap below
)

// labelsShown is how many labels a row or card shows; of more, the number.
const labelsShown = 3

// Row is a task as a list or a board draws it. It is comparable: a row whose value did not change is not drawn again.
type Row struct {
	ID       id.ID
	Href     string
	Title    string
	Status   string
	Priority int
	Who      string // the assignee's name
	WhoColor string
	Due      string
	DueTone  string
	Labels   [labelsShown]Chip
	More     int // labels not shown
	Comments int
	Project  Chip // when tasks of several projects are shown
	Mark     port.Mark
	Open     bool // in the panel
	Rename   bool
	Tab      bool // the one of its list that the tab key reaches
	Frozen   bool // a viewer's: nothing can be changed
}

// Names resolves ids for rows.
type Names interface {
	Member(id.ID) port.Member
	Label(id.ID) (port.Label, bool)
	Project(id.ID) (port.Project, bool)
}

// NewRow makes the row of a task.
func NewRow(t port.Task, names Names, now time.Time) Row {
	r := Row{ID: t.ID, Title: t.Title, Status: t.Status, Priority: t.Priority, Comments: t.Comments, Mark: t.Mark}
	if t.Assignee != "" {
		m := names.Member(t.Assignee)
		r.Who, r.WhoColor = or(m.Name, "Former member"), m.Color
	}
	if t.Due != "" {
		r.Due, r.DueTone = Due(t.Due, now)
		if t.Status == work.Done || t.Status == work.Canceled {
			r.DueTone = ""
		}
	}
	n := 0
	for _, l := range t.Labels {
		label, ok := names.Label(l)
		if !ok {
			continue
		}
		if n < labelsShown {
			r.Labels[n] = Chip{ID: l, Label: label.Name, Color: label.Color}
		} else {
			r.More++
		}
		n++
	}
	return r
}

// TaskRow draws a task in a list.
type TaskRow struct {
	app.Compo
	Row Row
}

func (c *TaskRow) Render() app.UI {
	r := c.Row
	return app.Div().Class("task is-"+r.Status+on(r.Open, " is-open")).Body(
		app.If(!r.Frozen, func() app.UI { return app.Span().Class("grip").Aria("hidden", "true").Body(Icon("grip")) }),
		r.priority(), r.status(), r.title(),
		app.If(!r.Rename, func() app.UI { return app.Span().Class("gap") }),
		app.If(r.Project.Label != "", func() app.UI { return app.Span().Class("wide").Body(r.Project.UI()) }),
		app.Span().Class("chips wide").Body(r.chips(labelsShown)...),
		app.If(r.Comments > 0, func() app.UI { return r.comments("wide") }),
		app.If(r.Due != "", func() app.UI { return r.due("wide") }),
		r.who("cell as"), Mark(r.Mark),
	)
}

func on(b bool, class string) string {
	if b {
		return class
	}
	return ""
}

func (r Row) title() app.UI {
	if r.Rename {
		return app.Input().Class("rename").ID("rn-"+string(r.ID)).Type("text").Attr("value", r.Title).DataSet("id", string(r.ID)).
			Aria("label", "Title").MaxLength(work.TitleBytesMax).AutoComplete(false)
	}
	tab := -1
	if r.Tab {
		tab = 0
	}
	return app.A().Class("title").ID("t-"+string(r.ID)).Href(r.Href).TabIndex(tab).DataSet("act", "open").DataSet("id", string(r.ID)).Text(r.Title)
}

// cell is a small button in a row. The row's keys do the same, so the tab key passes it by.
func (r Row) cell(class, act, label string, sign app.UI) app.UI {
	if r.Frozen {
		return app.Span().Class(class).Title(label).Body(sign, app.Span().Class("vh").Text(label))
	}
	return app.Button().Type("button").Class(class).ID(act+"-"+string(r.ID)).TabIndex(-1).Title(label).Aria("label", label).
		DataSet("act", act).DataSet("id", string(r.ID)).Body(sign)
}

func (r Row) priority() app.UI {
	return r.cell("cell pr", "priority", "Priority: "+PriorityName(r.Priority), PriorityIcon(r.Priority))
}

func (r Row) status() app.UI {
	return r.cell("cell st", "status", "Status: "+StatusName(r.Status), StatusIcon(r.Status))
}

func (r Row) who(class string) app.UI {
	label := "Assigned to nobody"
	if r.Who != "" {
		label = "Assigned to " + r.Who
	}
	return r.cell(class, "assignee", label, Avatar(r.Who, r.WhoColor, ""))
}

func (r Row) due(class string) app.UI {
	return app.Span().Class("due "+class+on(r.DueTone != "", " due-"+r.DueTone)).Body(
		Icon("calendar"), app.Span().Class("vh").Text("Due "), app.Span().Text(r.Due))
}

func (r Row) comments(class string) app.UI {
	n := strconv.Itoa(r.Comments)
	return app.Span().Class("count "+class).Title(Count(r.Comments, "comment", "comments")).Body(
		Icon("comment"), app.Span().Text(n), app.Span().Class("vh").Text(" comments"))
}

func (r Row) chips(most int) (out []app.UI) {
	more := r.More
	for i, l := range r.Labels {
		if l.ID == "" {
			break
		}
		if i >= most {
			more++
			continue
		}
		out = append(out, l.UI())
	}
	if more > 0 {
		out = append(out, app.Span().Class("chip").Text("+"+strconv.Itoa(more)))
	}
	return out
}

// TaskCard draws a task on a board.
type TaskCard struct {
	app.Compo
	Row Row
}

func (c *TaskCard) Render() app.UI {
	r := c.Row
	meta := []app.UI{r.cell("cell pr", "priority", "Priority: "+PriorityName(r.Priority), PriorityIcon(r.Priority))}
	if r.Project.Label != "" {
		meta = append(meta, r.Project.UI())
	}
	meta = append(meta, r.chips(1)...)
	if r.Due != "" {
		meta = append(meta, r.due(""))
	}
	if r.Comments > 0 {
		meta = append(meta, r.comments(""))
	}
	meta = append(meta, Mark(r.Mark))
	return app.Div().Class("card"+on(r.Open, " is-open")).Body(
		r.title(), r.who("who"),
		app.Div().Class("meta").Body(meta...),
	)
}
