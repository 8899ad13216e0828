package replica

import (
	"context"
	"encoding/json"
	"slices"

	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/sqlite"
)

// askTasks answers a window with what is new in it: of a hundred rows one has changed, nearly always. No answer says that
// nothing is.
func (r *Replica) askTasks(ctx context.Context, w *watch, how effect, d *dirty) (json.RawMessage, error) {
	const op = "replica.askTasks"
	var now port.TasksResult
	var err error
	if how == shown && w.tasks != nil {
		now, err = r.freshen(ctx, w, d)
	} else {
		w.rows = map[key]bool{}
		now, err = r.tasks(ctx, w)
	}
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	now.Seq = r.cfg.Now().UnixMilli() // of a first answer; what another worker said before about this watch fits no more
	answer := now
	if before := w.tasks; before != nil {
		if now.Total == before.Total && slices.EqualFunc(now.Tasks, before.Tasks, port.Task.Equal) {
			return nil, nil
		}
		now.Seq = before.Seq + 1
		answer = now.Since(*before)
	}
	w.tasks = &now
	text, err := json.Marshal(answer)
	return text, fault.As(op, fault.Other, err)
}

// freshen reads those rows of a window again that changed, when no task came or went.
func (r *Replica) freshen(ctx context.Context, w *watch, d *dirty) (port.TasksResult, error) {
	now := *w.tasks
	var ids []id.ID
	for _, t := range now.Tasks {
		if d.rows[key{"task", t.ID}] {
			ids = append(ids, t.ID)
		}
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return now, fault.E("replica.freshen", fault.Other, err)
	}
	fresh, err := r.taskRows(ctx, w, " WHERE t.id IN (SELECT value FROM json_each(?))", string(list))
	now.Tasks = slices.Clone(now.Tasks)
	for i := range now.Tasks {
		for _, t := range fresh {
			if t.ID == now.Tasks[i].ID {
				now.Tasks[i] = t
			}
		}
	}
	return now, err
}
