package work

import (
	"holdfast/sync/change"
	"holdfast/sync/id"
	"holdfast/sync/port"
)

// TaskDraft is a task to be made. Project, Title, Status, Rank and Author are needed; empty others are left unset.
type TaskDraft struct {
	ID          id.ID
	Project     id.ID
	Title       string
	Description string
	Status      string
	Priority    int
	Assignee    id.ID
	Due         string // YYYY-MM-DD
	Rank        string
	Author      id.ID
	Labels      []id.ID
}

type set = map[string]change.Value

func edit(command, table string, row id.ID, s set) port.Edit {
	return port.Edit{Command: command, Rows: []port.EditRow{{Table: table, ID: row, Set: s}}}
}

// optional is null for an empty text, so that clearing a field and never filling it read the same.
func optional[T ~string](s T) change.Value {
	if s == "" {
		return change.Value{}
	}
	return change.V(string(s))
}

// NewTask makes a task, with its labels.
func NewTask(d TaskDraft) port.Edit {
	s := set{"project": change.V(d.Project), "title": change.V(d.Title), "status": change.V(d.Status),
		"priority": change.V(d.Priority), "rank": change.V(d.Rank), "author": change.V(d.Author)}
	if d.Description != "" {
		s["description"] = change.V(d.Description)
	}
	if d.Assignee != "" {
		s["assignee"] = change.V(d.Assignee)
	}
	if d.Due != "" {
		s["due"] = change.V(d.Due)
	}
	e := edit("task.create", "task", d.ID, s)
	for _, l := range d.Labels {
		e.Rows = append(e.Rows, LabelTask(d.ID, l, true).Rows...)
	}
	return e
}

// RenameTask sets the title.
func RenameTask(task id.ID, title string) port.Edit {
	return edit("task.rename", "task", task, set{"title": change.V(title)})
}

// DescribeTask sets the description; empty clears it.
func DescribeTask(task id.ID, text string) port.Edit {
	return edit("task.describe", "task", task, set{"description": optional(text)})
}

// AssignTask sets the assignee; empty is nobody.
func AssignTask(task, member id.ID) port.Edit {
	return edit("task.assign", "task", task, set{"assignee": optional(member)})
}

// PrioritizeTask sets the priority, one of NoPriority to Low.
func PrioritizeTask(task id.ID, priority int) port.Edit {
	return edit("task.prioritize", "task", task, set{"priority": change.V(priority)})
}

// DueTask sets the due date, YYYY-MM-DD; empty clears it.
func DueTask(task id.ID, date string) port.Edit {
	return edit("task.due", "task", task, set{"due": optional(date)})
}

// SetStatus moves a task to another status and leaves its rank.
func SetStatus(task id.ID, status string) port.Edit {
	return edit("task.status", "task", task, set{"status": change.V(status)})
}

// MoveTask gives a task a new place: a rank between its new neighbours (crdt.Between) and, unless empty, a status.
func MoveTask(task id.ID, status, rank string) port.Edit {
	s := set{"rank": change.V(rank)}
	if status != "" {
		s["status"] = change.V(status)
	}
	return edit("task.move", "task", task, s)
}

// MoveTaskTo puts a task into another project, at a rank there.
func MoveTaskTo(task, project id.ID, rank string) port.Edit {
	return edit("task.move-to", "task", task, set{"project": change.V(project), "rank": change.V(rank)})
}

// SetTask sets columns of a task as given, for surfaces that pass many at once. A nil value clears a column.
func SetTask(task id.ID, values map[string]any) port.Edit {
	s := make(set, len(values))
	for col, v := range values {
		s[col] = change.V(v)
	}
	return edit("task.set", "task", task, s)
}

// TrashTask puts a task into Trash at the given moment, Unix milliseconds.
func TrashTask(task id.ID, nowMS int64) port.Edit { return trash("task", task, nowMS) }

// RestoreTask takes a task out of Trash.
func RestoreTask(task id.ID) port.Edit { return restore("task", task) }

// LabelTask puts a label on a task or takes it off. The value of present is 1 or 0 here: whoever stamps the edit turns it
// into the causal length that follows the one it sees (crdt.NextLength), and leaves the row out when nothing changes.
func LabelTask(task, label id.ID, on bool) port.Edit {
	command := "task.unlabel"
	if on {
		command = "task.label"
	}
	return edit(command, "task_label", TaskLabelID(task, label), set{"task": change.V(task), "label": change.V(label), "present": change.V(on)})
}

// NewProject makes a project. color is one of Colors.
func NewProject(project id.ID, name, color, rank string) port.Edit {
	return edit("project.create", "project", project, set{"name": change.V(name), "color": change.V(color), "rank": change.V(rank)})
}

// RenameProject sets the name.
func RenameProject(project id.ID, name string) port.Edit {
	return edit("project.rename", "project", project, set{"name": change.V(name)})
}

// ColorProject sets the color.
func ColorProject(project id.ID, color string) port.Edit {
	return edit("project.color", "project", project, set{"color": change.V(color)})
}

// MoveProject gives a project a new place in the list.
func MoveProject(project id.ID, rank string) port.Edit {
	return edit("project.move", "project", project, set{"rank": change.V(rank)})
}

// TrashProject puts a project into Trash; owners and admins only.
func TrashProject(project id.ID, nowMS int64) port.Edit { return trash("project", project, nowMS) }

// RestoreProject takes a project out of Trash; owners and admins only.
func RestoreProject(project id.ID) port.Edit { return restore("project", project) }

// NewLabel makes a label. color is one of Colors.
func NewLabel(label id.ID, name, color string) port.Edit {
	return edit("label.create", "label", label, set{"name": change.V(name), "color": change.V(color)})
}

// RenameLabel sets the name.
func RenameLabel(label id.ID, name string) port.Edit {
	return edit("label.rename", "label", label, set{"name": change.V(name)})
}

// ColorLabel sets the color.
func ColorLabel(label id.ID, color string) port.Edit {
	return edit("label.color", "label", label, set{"color": change.V(color)})
}

// TrashLabel deletes a label; tasks keep it, unseen, until it is restored.
func TrashLabel(label id.ID, nowMS int64) port.Edit { return trash("label", label, nowMS) }

// RestoreLabel brings a deleted label back.
func RestoreLabel(label id.ID) port.Edit { return restore("label", label) }

// NewComment writes a comment on a task.
func NewComment(comment, task, author id.ID, body string) port.Edit {
	return edit("comment.create", "comment", comment, set{"task": change.V(task), "author": change.V(author), "body": change.V(body)})
}

// EditComment replaces the text.
func EditComment(comment id.ID, body string) port.Edit {
	return edit("comment.edit", "comment", comment, set{"body": change.V(body)})
}

// TrashComment deletes a comment.
func TrashComment(comment id.ID, nowMS int64) port.Edit { return trash("comment", comment, nowMS) }

// RestoreComment brings a deleted comment back.
func RestoreComment(comment id.ID) port.Edit { return restore("comment", comment) }

// RenameWorkspace sets the workspace's name; owners and admins only.
func RenameWorkspace(tenant id.ID, name string) port.Edit {
	return edit("workspace.rename", "workspace", tenant, set{"name": change.V(name)})
}

func trash(table string, row id.ID, nowMS int64) port.Edit {
	return edit(table+".trash", table, row, set{"deleted": change.V(nowMS)})
}

func restore(table string, row id.ID) port.Edit {
	return edit(table+".restore", table, row, set{"deleted": change.V(nil)})
}
