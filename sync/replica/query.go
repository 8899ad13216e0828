package replica

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode"

	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

func (r *Replica) frame(ctx context.Context) (f port.FrameResult, err error) {
	f = port.FrameResult{Members: []port.Member{}, Projects: []port.Project{}, Labels: []port.Label{}, Attention: len(r.refused)}
	f.Workspace = port.Workspace{ID: r.cfg.Tenant, Mark: r.marks.of("workspace", r.cfg.Tenant)}
	err = r.db.QueryRowContext(ctx, q("workspace"), string(r.cfg.Tenant)).Scan(&f.Workspace.Name)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return f, err
	}
	err = each(ctx, r.db, func(rows *sql.Rows) error {
		var m port.Member
		err := rows.Scan(&m.ID, &m.Name, &m.Role, &m.Color, &m.Active)
		f.Members = append(f.Members, m)
		return err
	}, q("members"))
	if err != nil {
		return f, err
	}
	if f.Projects, err = r.projects(ctx, "projects"); err != nil {
		return f, err
	}
	err = each(ctx, r.db, func(rows *sql.Rows) error {
		var l port.Label
		err := rows.Scan(&l.ID, &l.Name, &l.Color)
		l.Mark = r.marks.of("label", l.ID)
		f.Labels = append(f.Labels, l)
		return err
	}, q("labels"))
	if err != nil {
		return f, err
	}
	tasks, projects, err := r.trashCount(ctx)
	f.Trash = tasks + projects
	return f, err
}

func (r *Replica) projects(ctx context.Context, statement string) ([]port.Project, error) {
	list := []port.Project{}
	err := each(ctx, r.db, func(rows *sql.Rows) error {
		var p port.Project
		err := rows.Scan(&p.ID, &p.Name, &p.Color, &p.Rank, &p.Open)
		p.Mark = r.marks.of("project", p.ID)
		list = append(list, p)
		return err
	}, q(statement))
	return list, err
}

func (r *Replica) trashCount(ctx context.Context) (tasks, projects int, err error) {
	err = r.db.QueryRowContext(ctx, q("trashCount")).Scan(&tasks, &projects)
	return tasks, projects, err
}

// where is the condition of a query for tasks, without the status.
func where(query port.Query) (text string, args []any) {
	var b strings.Builder
	if query.Filter.Text != "" && query.Project == "" {
		// Nearly every title must be read: in the order of the table that is several times faster than by any index.
		b.WriteString(" NOT INDEXED")
	}
	b.WriteString(" WHERE t.deleted IS NULL AND t.born = 1")
	add := func(condition string, values ...any) {
		b.WriteString(" AND " + condition)
		args = append(args, values...)
	}
	if query.Project != "" {
		add("t.project = ?", string(query.Project))
	} else {
		add("t.project IN (SELECT id FROM project WHERE born = 1 AND deleted IS NULL)")
	}
	switch f := query.Filter; {
	case f.Assignee == port.Nobody:
		add("t.assignee IS NULL")
	case f.Assignee != "":
		add("t.assignee = ?", string(f.Assignee))
	}
	if l := query.Filter.Label; l != "" {
		add("EXISTS (SELECT 1 FROM task_label x WHERE x.task = t.id AND x.label = ? AND x.born = 1 AND x.present & 1 = 1)", string(l))
	}
	if p := query.Filter.Priority; p != 0 {
		add("t.priority = ?", p)
	}
	if text := query.Filter.Text; text != "" {
		condition, values := like(text[:min(len(text), textMax)])
		add(condition, values...)
	}
	return b.String(), args
}

// like finds a text in the title without regard to case. SQLite's LIKE knows the cases of ASCII only, so other letters are
// looked for as typed, small, large, and with a large first letter.
func like(text string) (condition string, args []any) {
	runes := []rune(strings.ToValidUTF8(text, ""))
	small := strings.ToLower(string(runes))
	forms := []string{string(runes), small, strings.ToUpper(small)}
	if first := []rune(small); len(first) > 0 {
		first[0] = unicode.ToTitle(first[0])
		forms = append(forms, string(first))
	}
	ascii := !slices.ContainsFunc(runes, func(c rune) bool { return c > unicode.MaxASCII })
	if ascii {
		forms = forms[:1]
	}
	escape := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
	slices.Sort(forms)
	for i, f := range slices.Compact(forms) {
		if i > 0 {
			condition += " OR "
		}
		condition += `t.title LIKE ? ESCAPE '\'`
		args = append(args, "%"+escape.Replace(f)+"%")
	}
	return "(" + condition + ")", args
}

func (r *Replica) counts(ctx context.Context, query port.Query) (port.CountsResult, error) {
	c := port.CountsResult{Counts: make(map[string]int, len(work.Statuses))}
	for _, s := range work.Statuses {
		c.Counts[s] = 0
	}
	text, args := q("tallyAll"), []any(nil)
	switch {
	case query.Filter != port.Filter{}:
		var condition string
		condition, args = where(query)
		text = q("statusCount") + condition + " GROUP BY t.status"
	case query.Project != "":
		text, args = q("tally"), []any{string(query.Project)}
	}
	err := each(ctx, r.db, func(rows *sql.Rows) error {
		var status string
		var n int
		err := rows.Scan(&status, &n)
		if _, ok := c.Counts[status]; ok {
			c.Counts[status] = n
		}
		return err
	}, text, args...)
	return c, err
}

func window(query port.Query) (limit, offset int) {
	limit = min(query.Limit, windowMax)
	if limit <= 0 {
		limit = windowDefault
	}
	return limit, max(query.Offset, 0)
}

func (r *Replica) tasks(ctx context.Context, w *watch) (t port.TasksResult, err error) {
	query := w.query
	if !slices.Contains(work.Statuses, query.Status) {
		return t, fault.Errorf("replica.tasks", fault.Invalid, "There is no status %.40q.", query.Status)
	}
	limit, offset := window(query)
	t = port.TasksResult{Status: query.Status, Offset: offset}
	condition, args := where(query)
	condition += " AND t.status = ?"
	args = append(args, query.Status)
	const order = " ORDER BY t.rank, t.id"
	if (query.Filter != port.Filter{}) {
		var ids []byte
		if ids, t.Total, err = r.filtered(ctx, condition, order, args, limit, offset); err != nil {
			return t, err
		}
		t.Tasks, err = r.taskRows(ctx, w, " WHERE t.id IN (SELECT value FROM json_each(?))"+order, string(ids))
		return t, err
	}
	c, err := r.counts(ctx, query)
	if err != nil {
		return t, err
	}
	t.Total = c.Counts[query.Status]
	// First which ones, then what they look like: comments and labels are counted for the window only.
	t.Tasks, err = r.taskRows(ctx, w, " WHERE t.id IN ("+q("taskID")+condition+order+" LIMIT ? OFFSET ?)"+order, append(args, limit, offset)...)
	return t, err
}

// filtered gives the ids of a window, as JSON, and how many tasks there are in all, reading the tasks once.
func (r *Replica) filtered(ctx context.Context, condition, order string, args []any, limit, offset int) (ids []byte, total int, err error) {
	list := []id.ID{}
	err = each(ctx, r.db, func(rows *sql.Rows) error {
		var task id.ID
		err := rows.Scan(&task, &total)
		list = append(list, task)
		return err
	}, q("taskIDs")+condition+order+" LIMIT ? OFFSET ?", append(slices.Clip(args), limit, offset)...)
	if err != nil {
		return nil, 0, err
	}
	if len(list) == 0 && offset > 0 { // beyond the end
		if err := r.db.QueryRowContext(ctx, q("taskCount")+condition, args...).Scan(&total); err != nil {
			return nil, 0, err
		}
	}
	ids, err = json.Marshal(list)
	return ids, total, err
}

// taskRows reads tasks as lists show them.
func (r *Replica) taskRows(ctx context.Context, w *watch, condition string, args ...any) ([]port.Task, error) {
	list := []port.Task{}
	err := each(ctx, r.db, func(rows *sql.Rows) error {
		var t port.Task
		var labels sql.NullString
		if err := rows.Scan(&t.ID, &t.Project, &t.Title, &t.Status, &t.Priority, &t.Assignee, &t.Due, &t.Rank, &t.Deleted, &t.Comments, &labels); err != nil {
			return err
		}
		for _, l := range strings.Fields(labels.String) {
			t.Labels = append(t.Labels, id.ID(l))
		}
		slices.Sort(t.Labels)
		t.Mark = r.marks.of("task", t.ID)
		w.rows[key{"task", t.ID}] = true
		list = append(list, t)
		return nil
	}, q("taskCols")+condition, args...)
	return list, err
}

func (r *Replica) trash(ctx context.Context, w *watch) (t port.TrashResult, err error) {
	limit, offset := window(w.query)
	tasks, projects, err := r.trashCount(ctx)
	if err != nil {
		return t, err
	}
	t.Total = tasks + projects
	if t.Projects, err = r.projects(ctx, "trashProjects"); err != nil {
		return t, err
	}
	for _, p := range t.Projects {
		w.rows[key{"project", p.ID}] = true
	}
	t.Tasks, err = r.taskRows(ctx, w, " WHERE t.deleted IS NOT NULL AND t.born = 1 ORDER BY t.deleted DESC, t.id LIMIT ? OFFSET ?", limit, offset)
	return t, err
}
