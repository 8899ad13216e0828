package view

import (
	"time"

	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

// Heights in pixels of what is placed rather than flowed. app.css holds the same numbers.
const (
	RowHeight       = 40
	RowHeightNarrow = 56
	CardHeight      = 94  // with the gap below
	ColumnWidth     = 298 // with the gap beside, in windows that are not narrow
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

// HTML is the row as a list draws it, or as a board's card: one element.
func (r Row) HTML(card bool) string {
	var m markup
	m.Grow(rowBytes)
	if card {
		m.card(r)
	} else {
		m.row(r)
	}
	return m.String()
}

// rowBytes is about what a row takes.
const rowBytes = 2 << 10

func on(b bool, class string) string {
	if b {
		return class
	}
	return ""
}
