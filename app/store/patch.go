package store

import (
	"cmp"
	"slices"
	"strings"

	"holdfast/sync/change"
	"holdfast/sync/id"
	"holdfast/sync/port"
)

// The functions here lay one edit over an answer, and leave the answer itself as it is. Doing it twice, or over an answer
// that holds the edit, changes nothing more.

func patchFrame(f port.FrameResult, e port.Edit) port.FrameResult {
	for _, r := range e.Rows {
		switch r.Table {
		case "workspace":
			if v, ok := r.Set["name"]; ok && r.ID == f.Workspace.ID {
				f.Workspace.Name, f.Workspace.Mark = v.Text, port.Saving
			}
		case "project":
			f.Projects = patchProjects(f.Projects, r)
		case "label":
			f.Labels = patchLabels(f.Labels, r)
		}
	}
	return f
}

func patchProjects(list []port.Project, r port.EditRow) []port.Project {
	list = slices.Clone(list)
	i := slices.IndexFunc(list, func(p port.Project) bool { return p.ID == r.ID })
	if i < 0 {
		if !has(r, "name", "rank") {
			return list
		}
		list = append(list, port.Project{ID: r.ID})
		i = len(list) - 1
	}
	if v, ok := r.Set["deleted"]; ok && !v.IsNull() {
		return slices.Delete(list, i, i+1)
	}
	p := &list[i]
	p.Mark = port.Saving
	setText(r, "name", &p.Name)
	setText(r, "color", &p.Color)
	setText(r, "rank", &p.Rank)
	slices.SortStableFunc(list, func(a, b port.Project) int {
		return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.ID, b.ID))
	})
	return list
}

func patchLabels(list []port.Label, r port.EditRow) []port.Label {
	list = slices.Clone(list)
	i := slices.IndexFunc(list, func(l port.Label) bool { return l.ID == r.ID })
	if i < 0 {
		if !has(r, "name", "color") {
			return list
		}
		list = append(list, port.Label{ID: r.ID})
		i = len(list) - 1
	}
	if v, ok := r.Set["deleted"]; ok && !v.IsNull() {
		return slices.Delete(list, i, i+1)
	}
	l := &list[i]
	l.Mark = port.Saving
	setText(r, "name", &l.Name)
	setText(r, "color", &l.Color)
	slices.SortStableFunc(list, func(a, b port.Label) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.ID, b.ID))
	})
	return list
}

func has(r port.EditRow, cols ...string) bool {
	for _, c := range cols {
		if v, ok := r.Set[c]; !ok || v.IsNull() {
			return false
		}
	}
	return true
}

func setText[T ~string](r port.EditRow, col string, to *T) {
	if v, ok := r.Set[col]; ok {
		*to = T(v.Text)
	}
}

// patchTask lays a row of an edit over a task; ok is false when the row is about something else.
func patchTask(t port.Task, r port.EditRow) (out port.Task, ok bool) {
	switch r.Table {
	case "task":
		if r.ID != t.ID {
			return t, false
		}
		setText(r, "project", &t.Project)
		setText(r, "title", &t.Title)
		setText(r, "status", &t.Status)
		setText(r, "assignee", &t.Assignee)
		setText(r, "due", &t.Due)
		setText(r, "rank", &t.Rank)
		if v, ok := r.Set["priority"]; ok {
			t.Priority = int(v.Int)
		}
		if v, ok := r.Set["deleted"]; ok {
			t.Deleted = v.Int
		}
	case "task_label":
		if id.ID(r.Set["task"].Text) != t.ID {
			return t, false
		}
		t.Labels = patchTaskLabels(t.Labels, id.ID(r.Set["label"].Text), r.Set["present"])
	default:
		return t, false
	}
	t.Mark = port.Saving
	return t, true
}

// patchTaskLabels adds or takes a label; an odd present means that it is there.
func patchTaskLabels(labels []id.ID, label id.ID, present change.Value) []id.ID {
	out := slices.DeleteFunc(slices.Clone(labels), func(l id.ID) bool { return l == label })
	if present.Int%2 == 1 {
		out = append(out, label)
	}
	return out
}

// newTask is the task that an edit makes, if it makes one.
func newTask(e port.Edit) (t port.Task, ok bool) {
	for _, r := range e.Rows {
		if r.Table == "task" && has(r, "project", "title", "status", "rank") {
			t, ok = port.Task{ID: r.ID}, true
		}
	}
	if !ok {
		return t, false
	}
	for _, r := range e.Rows {
		t, _ = patchTask(t, r)
	}
	return t, true
}

func patchDetail(d port.DetailResult, e port.Edit, me id.ID, nowMS int64) port.DetailResult {
	if n, ok := newTask(e); ok && n.ID == d.Task.ID && !d.Found {
		d.Found, d.Task, d.Author, d.CreatedMS = true, n, me, nowMS
	}
	for _, r := range e.Rows {
		if t, ok := patchTask(d.Task, r); ok {
			d.Task = t
			setText(r, "description", &d.Description)
		}
		if r.Table == "comment" {
			d.Comments = patchComments(d.Comments, r, d.Task.ID, nowMS)
		}
	}
	return d
}

func patchComments(list []port.Comment, r port.EditRow, task id.ID, nowMS int64) []port.Comment {
	list = slices.Clone(list)
	i := slices.IndexFunc(list, func(c port.Comment) bool { return c.ID == r.ID })
	if i < 0 {
		if !has(r, "task", "author", "body") || id.ID(r.Set["task"].Text) != task {
			return list
		}
		return append(list, port.Comment{ID: r.ID, Author: id.ID(r.Set["author"].Text), Body: r.Set["body"].Text, AtMS: nowMS, Mark: port.Saving})
	}
	if v, ok := r.Set["deleted"]; ok && !v.IsNull() {
		return slices.Delete(list, i, i+1)
	}
	if v, ok := r.Set["body"]; ok && list[i].Body != v.Text {
		list[i].Body, list[i].Edited, list[i].Mark = v.Text, true, port.Saving
	}
	return list
}

func patchTrash(t port.TrashResult, e port.Edit) port.TrashResult {
	for _, r := range e.Rows {
		if v, ok := r.Set["deleted"]; !ok || !v.IsNull() {
			continue
		}
		before := len(t.Tasks) + len(t.Projects)
		switch r.Table {
		case "task":
			t.Tasks = slices.DeleteFunc(slices.Clone(t.Tasks), func(x port.Task) bool { return x.ID == r.ID })
		case "project":
			t.Projects = slices.DeleteFunc(slices.Clone(t.Projects), func(x port.Project) bool { return x.ID == r.ID })
		}
		t.Total -= before - len(t.Tasks) - len(t.Projects)
	}
	return t
}
