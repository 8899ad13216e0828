package replica

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"maps"
	"slices"

	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/sqlite"
	"holdfast/sync/work"
)

// watch is a query whose answer is kept up to date.
type watch struct {
	query port.Query
	to    func(port.Result)
	last  []byte       // the answer sent last; nil: none yet
	rows  map[key]bool // rows that the answer shows
}

// dirty is what commits changed since the last flush.
type dirty struct {
	rows      map[key]bool
	tables    map[string]bool
	shape     bool // a task came, went or moved: lists and counts may differ
	attention bool
	all       bool // too much to tell apart
}

// taskShape are the columns of a task that decide where it stands.
var taskShape = func() (cols uint64) {
	table := work.TableOf("task")
	for _, name := range []string{"project", "status", "rank", "deleted"} {
		i, _ := table.Column(name)
		cols |= 1 << i
	}
	return cols
}()

// row notes a changed row. cols are the columns written; none: only its mark.
func (d *dirty) row(k key, cols uint64, fresh bool) {
	if d.rows == nil {
		d.rows, d.tables = map[key]bool{}, map[string]bool{}
	}
	if len(d.rows) >= touchedMax {
		d.all = true
	} else {
		d.rows[k] = true
	}
	if cols == 0 {
		return
	}
	d.tables[k.table] = true
	if k.table == "task" && (fresh || cols&taskShape != 0) {
		d.shape = true
	}
}

// Watch answers a query now and whenever its answer changes, until Unwatch. Results come from Schedule's functions, one at
// a time. Watching a number again replaces its query.
func (r *Replica) Watch(number int, query port.Query, to func(port.Result)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watches[number] = &watch{query: query, to: to}
	r.schedule()
}

// Unwatch ends a watch. A result that is on its way may still come.
func (r *Replica) Unwatch(number int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.watches, number)
}

// schedule has the watches looked at soon. However much is committed until then is answered once.
func (r *Replica) schedule() {
	if r.queued || len(r.watches) == 0 {
		return
	}
	r.queued = true
	r.cfg.Schedule(r.answer)
}

// answer runs the queries that commits since the last time may have changed, and sends what differs.
func (r *Replica) answer() {
	r.flush.Lock()
	defer r.flush.Unlock()
	type out struct {
		to     func(port.Result)
		result port.Result
	}
	var outs []out
	r.mu.Lock()
	r.queued = false
	d := r.dirty
	r.dirty = dirty{}
	ctx := context.Background()
	err := r.associate(ctx, &d)
	for _, n := range slices.Sorted(maps.Keys(r.watches)) {
		w := r.watches[n]
		if w.last != nil && err == nil && !d.affects(w) {
			continue
		}
		body, err := r.ask(ctx, w)
		result := port.Result{Watch: n, Body: body}
		if err != nil {
			r.cfg.Log.Error("query failed", "tenant", r.cfg.Tenant, "kind", w.query.Kind, "err", err)
			result.Body, result.Error = nil, port.ErrorOf(err)
			body = []byte(err.Error())
		}
		if !bytes.Equal(body, w.last) {
			w.last = body
			outs = append(outs, out{w.to, result})
		}
	}
	r.mu.Unlock()
	for _, o := range outs {
		o.to(o.result)
	}
}

// associate adds the tasks whose comments and labels changed.
func (r *Replica) associate(ctx context.Context, d *dirty) error {
	var ids []id.ID
	for k := range d.rows {
		if k.table == "comment" || k.table == "task_label" {
			ids = append(ids, k.id)
		}
	}
	if len(ids) == 0 || d.all {
		return nil
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return fault.E("replica.associate", fault.Other, err)
	}
	return sqlite.Wrap("replica.associate", each(ctx, r.db, func(rows *sql.Rows) error {
		var task sql.NullString
		err := rows.Scan(&task)
		d.rows[key{"task", id.ID(task.String)}] = true
		return err
	}, q("tasksOf"), string(list)))
}

// affects tells whether a watch's answer may have changed.
func (d *dirty) affects(w *watch) bool {
	if d.all {
		return true
	}
	filtered := w.query.Filter != port.Filter{}
	anyTask := d.tables["task"] || d.tables["task_label"]
	switch w.query.Kind {
	case port.Frame:
		if d.shape || d.attention {
			return true
		}
		for k := range d.rows {
			switch k.table {
			case "workspace", "member", "project", "label":
				return true
			}
		}
		return false
	case port.Counts:
		return d.shape || d.tables["project"] || (filtered && anyTask)
	case port.Tasks:
		return d.shape || d.tables["project"] || d.tables["label"] || (filtered && anyTask) || d.shows(w)
	case port.Trash:
		return d.shape || d.tables["project"] || d.tables["label"] || d.shows(w)
	case port.Detail:
		return d.tables["label"] || d.rows[key{"task", w.query.Task}] || d.shows(w)
	case port.Attention:
		return d.attention
	}
	return false
}

func (d *dirty) shows(w *watch) bool {
	small, large := d.rows, w.rows
	if len(large) < len(small) {
		small, large = large, small
	}
	for k := range small {
		if large[k] {
			return true
		}
	}
	return false
}

// ask runs a watch's query and notes the rows that it shows.
func (r *Replica) ask(ctx context.Context, w *watch) (json.RawMessage, error) {
	const op = "replica.ask"
	w.rows = map[key]bool{}
	var body any
	var err error
	switch w.query.Kind {
	case port.Frame:
		body, err = r.frame(ctx)
	case port.Counts:
		body, err = r.counts(ctx, w.query)
	case port.Tasks:
		body, err = r.tasks(ctx, w)
	case port.Detail:
		body, err = r.detail(ctx, w)
	case port.Trash:
		body, err = r.trash(ctx, w)
	case port.Attention:
		body, err = r.attention(ctx)
	default:
		return nil, fault.Errorf(op, fault.Unsupported, "This version does not know the query %q. Reload the page.", w.query.Kind)
	}
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	text, err := json.Marshal(body)
	return text, fault.As(op, fault.Other, err)
}
