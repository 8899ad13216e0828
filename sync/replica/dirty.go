package replica

import (
	"context"
	"database/sql"
	"encoding/json"
	"maps"
	"slices"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/sqlite"
	"holdfast/sync/store"
	"holdfast/sync/work"
)

// dirty is what commits changed since the last flush.
type dirty struct {
	rows      map[key]bool
	tables    map[string]bool
	lanes     map[lane]bool // in which tasks came, went or moved
	counts    bool          // a lane has another number of tasks
	attention bool
	all       bool // too much to tell apart
}

// lane is the tasks of one status of a project; the status of those in Trash is trashLane.
type lane struct{ project, status string }

const trashLane = "trash"

// place is where a task stands. Its zero value is nowhere: not known, or known in part only.
type place struct {
	lane
	rank string
}

// taskPlace are the columns of a task that decide where it stands.
var taskPlace = func() (cols uint64) {
	table := work.TableOf("task")
	for _, name := range []string{"project", "status", "rank", "deleted"} {
		i, _ := table.Column(name)
		cols |= 1 << i
	}
	return cols
}()

// row notes a changed row. cols are the columns written; none: only its mark.
func (d *dirty) row(k key, cols uint64) {
	if d.rows == nil {
		d.rows, d.tables = map[key]bool{}, map[string]bool{}
	}
	if len(d.rows) >= touchedMax {
		d.all = true
	} else {
		d.rows[k] = true
	}
	if cols != 0 {
		d.tables[k.table] = true
	}
}

// moved notes the lanes of a task that stands elsewhere now.
func (d *dirty) moved(from, to place) {
	if from == to {
		return
	}
	if d.lanes == nil {
		d.lanes = map[lane]bool{}
	}
	d.counts = d.counts || from.lane != to.lane
	for _, l := range []lane{from.lane, to.lane} {
		if l != (lane{}) {
			d.lanes[l] = true
		}
	}
}

// placing runs fn, which shows or merges the transactions, and notes which tasks stand elsewhere afterwards.
func (r *Replica) placing(ctx context.Context, tx *sql.Tx, txs []change.Tx, fn func() error) error {
	tasks := map[id.ID]bool{}
	for _, t := range txs {
		for _, row := range t.Rows {
			if row.Table == "task" && columns(row)&taskPlace != 0 {
				tasks[row.ID] = true
			}
		}
	}
	if len(tasks) > touchedMax {
		r.dirty.all = true
	}
	if len(tasks) == 0 || r.dirty.all {
		return fn()
	}
	ids := slices.Sorted(maps.Keys(tasks))
	before, err := places(ctx, tx, ids)
	if err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err
	}
	after, err := places(ctx, tx, ids)
	if err != nil {
		return err
	}
	for _, t := range ids {
		r.dirty.moved(before[t], after[t])
	}
	return nil
}

// columns are the columns that a row of a change writes.
func columns(row change.Row) (cols uint64) {
	table := work.TableOf(row.Table)
	if table == nil {
		return 0
	}
	for _, c := range row.Cells {
		if i, _ := table.Column(c.Col); i >= 0 {
			cols |= 1 << i
		}
	}
	return cols
}

// places is where tasks stand now.
func places(ctx context.Context, db store.Q, tasks []id.ID) (map[id.ID]place, error) {
	list, err := json.Marshal(tasks)
	if err != nil {
		return nil, fault.E("replica.places", fault.Other, err)
	}
	found := make(map[id.ID]place, len(tasks))
	err = each(ctx, db, func(rows *sql.Rows) error {
		var task id.ID
		var p place
		err := rows.Scan(&task, &p.project, &p.status, &p.rank)
		found[task] = p
		return err
	}, q("places"), string(list))
	return found, sqlite.Wrap("replica.places", err)
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

// effect is how far a commit may have changed an answer.
type effect uint8

const (
	nothing effect = iota
	shown          // rows that it shows look different, and it shows the same ones
	all            //
)

// affects tells how far a watch's answer may have changed.
func (d *dirty) affects(w *watch) effect {
	if d.all {
		return all
	}
	filtered := w.query.Filter != port.Filter{}
	anyTask := d.tables["task"] || d.tables["task_label"]
	yes := false
	switch w.query.Kind {
	case port.Frame:
		yes = d.counts || d.attention
		for k := range d.rows {
			switch k.table {
			case "workspace", "member", "project", "label":
				yes = true
			}
		}
	case port.Counts:
		yes = d.counts || d.tables["project"] || (filtered && anyTask)
	case port.Tasks:
		yes = d.lane(string(w.query.Project), w.query.Status) || d.tables["project"] || d.tables["label"] || (filtered && anyTask)
		if !yes && d.shows(w) {
			return shown
		}
	case port.Trash:
		yes = d.lane("", trashLane) || d.tables["project"] || d.tables["label"] || d.shows(w)
	case port.Detail:
		yes = d.tables["label"] || d.rows[key{"task", w.query.Task}] || d.shows(w)
	case port.Attention:
		yes = d.attention
	}
	if yes {
		return all
	}
	return nothing
}

// lane tells whether tasks came, went or moved in a status of a project, or of any.
func (d *dirty) lane(project, status string) bool {
	if project != "" {
		return d.lanes[lane{project, status}]
	}
	for l := range d.lanes {
		if l.status == status {
			return true
		}
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
