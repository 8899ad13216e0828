package memory

import (
	"cmp"
	"slices"
	"strings"

	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

func (r *Replica) query(q port.Query) any {
	switch q.Kind {
	case port.Frame:
		return r.frame()
	case port.Counts:
		res := port.CountsResult{Counts: map[string]int{}}
		for _, s := range work.Statuses {
			res.Counts[s] = len(r.tasks(q, s))
		}
		return res
	case port.Tasks:
		all := r.tasks(q, q.Status)
		lo := min(q.Offset, len(all))
		hi := min(lo+q.Limit, len(all))
		return port.TasksResult{Status: q.Status, Offset: lo, Total: len(all), Tasks: all[lo:hi]}
	case port.Detail:
		return r.detail(q.Task)
	case port.Trash:
		return r.trash()
	case port.Attention:
		res := port.AttentionResult{Items: []port.AttentionItem{}}
		for _, x := range r.refused {
			res.Items = append(res.Items, x.item)
		}
		return res
	}
	return nil
}

func text[T ~string](x *row, col string, _ T) T { return T(x.set[col].Text) }

func (r *Replica) frame() port.FrameResult {
	f := port.FrameResult{Members: []port.Member{}, Projects: []port.Project{}, Labels: []port.Label{}, Attention: len(r.refused)}
	for i, x := range r.rows["workspace"] {
		f.Workspace = port.Workspace{ID: i, Name: text(x, "name", ""), Mark: x.mark}
	}
	for i, x := range r.rows["member"] {
		f.Members = append(f.Members, port.Member{ID: i, Name: text(x, "name", ""), Role: text(x, "role", ""), Color: text(x, "color", ""), Active: x.set["active"].Int == 1})
	}
	for i, x := range r.rows["project"] {
		if !x.set["deleted"].IsNull() {
			f.Trash++
			continue
		}
		p := port.Project{ID: i, Name: text(x, "name", ""), Color: text(x, "color", ""), Rank: text(x, "rank", ""), Mark: x.mark}
		for _, s := range work.Statuses[:4] {
			p.Open += len(r.tasks(port.Query{Project: i}, s))
		}
		f.Projects = append(f.Projects, p)
	}
	for i, x := range r.rows["label"] {
		if x.set["deleted"].IsNull() {
			f.Labels = append(f.Labels, port.Label{ID: i, Name: text(x, "name", ""), Color: text(x, "color", ""), Mark: x.mark})
		}
	}
	for _, x := range r.rows["task"] {
		if !x.set["deleted"].IsNull() {
			f.Trash++
		}
	}
	slices.SortFunc(f.Members, func(a, b port.Member) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(f.Projects, func(a, b port.Project) int { return cmp.Compare(a.Rank, b.Rank) })
	slices.SortFunc(f.Labels, func(a, b port.Label) int { return cmp.Compare(a.Name, b.Name) })
	return f
}

func (r *Replica) task(i id.ID, x *row) port.Task {
	t := port.Task{ID: i, Project: text(x, "project", id.ID("")), Title: text(x, "title", ""), Status: text(x, "status", ""),
		Priority: int(x.set["priority"].Int), Assignee: text(x, "assignee", id.ID("")), Due: text(x, "due", ""),
		Rank: text(x, "rank", ""), Deleted: x.set["deleted"].Int, Mark: x.mark}
	for _, l := range r.rows["task_label"] {
		if text(l, "task", id.ID("")) == i && l.set["present"].Int%2 == 1 {
			t.Labels = append(t.Labels, text(l, "label", id.ID("")))
		}
	}
	slices.Sort(t.Labels)
	for _, c := range r.rows["comment"] {
		if text(c, "task", id.ID("")) == i && c.set["deleted"].IsNull() {
			t.Comments++
		}
	}
	return t
}

func (r *Replica) tasks(q port.Query, status string) []port.Task {
	out := []port.Task{}
	for i, x := range r.rows["task"] {
		if text(x, "status", "") != status || !x.set["deleted"].IsNull() || (q.Project != "" && text(x, "project", id.ID("")) != q.Project) {
			continue
		}
		if p := r.rows["project"][text(x, "project", id.ID(""))]; p == nil || !p.set["deleted"].IsNull() {
			continue
		}
		t := r.task(i, x)
		if f := q.Filter; f.Priority != 0 && t.Priority != f.Priority || f.Assignee == port.Nobody && t.Assignee != "" ||
			f.Assignee != "" && f.Assignee != port.Nobody && t.Assignee != f.Assignee || f.Label != "" && !slices.Contains(t.Labels, f.Label) ||
			!strings.Contains(strings.ToLower(t.Title), strings.ToLower(f.Text)) {
			continue
		}
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b port.Task) int { return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.ID, b.ID)) })
	return out
}

func (r *Replica) detail(task id.ID) port.DetailResult {
	x := r.rows["task"][task]
	if x == nil {
		return port.DetailResult{}
	}
	d := port.DetailResult{Found: true, Task: r.task(task, x), Description: text(x, "description", ""), Author: x.author, CreatedMS: x.created,
		Comments: []port.Comment{}, History: slices.Clone(x.history)}
	for i, c := range r.rows["comment"] {
		if text(c, "task", id.ID("")) == task && c.set["deleted"].IsNull() {
			d.Comments = append(d.Comments, port.Comment{ID: i, Author: text(c, "author", id.ID("")), Body: text(c, "body", ""), AtMS: c.created, Edited: c.edited, Mark: c.mark})
		}
	}
	slices.SortFunc(d.Comments, func(a, b port.Comment) int { return cmp.Or(cmp.Compare(a.AtMS, b.AtMS), cmp.Compare(a.ID, b.ID)) })
	return d
}

func (r *Replica) trash() port.TrashResult {
	t := port.TrashResult{Tasks: []port.Task{}, Projects: []port.Project{}}
	for i, x := range r.rows["task"] {
		if !x.set["deleted"].IsNull() {
			t.Tasks = append(t.Tasks, r.task(i, x))
		}
	}
	for i, x := range r.rows["project"] {
		if !x.set["deleted"].IsNull() {
			t.Projects = append(t.Projects, port.Project{ID: i, Name: text(x, "name", ""), Color: text(x, "color", "")})
		}
	}
	slices.SortFunc(t.Tasks, func(a, b port.Task) int { return cmp.Compare(b.Deleted, a.Deleted) })
	slices.SortFunc(t.Projects, func(a, b port.Project) int { return cmp.Compare(a.Name, b.Name) })
	t.Total = len(t.Tasks) + len(t.Projects)
	return t
}
