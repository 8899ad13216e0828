package replica

import (
	"context"
	"database/sql"
	"errors"

	"holdfast/sync/change"
	"holdfast/sync/id"
	"holdfast/sync/port"
)

// marks count, per row, the changes that are on their way.
type marks struct {
	pending, sent, refused map[key]int
	taskOf                 map[id.ID]id.ID // of rows of task_label met so far
}

func newMarks() marks {
	return marks{map[key]int{}, map[key]int{}, map[key]int{}, map[id.ID]id.ID{}}
}

// of is how far the changes of a row have come.
func (m *marks) of(table string, row id.ID) port.Mark {
	k := key{table, row}
	switch {
	case m.refused[k] > 0:
		return port.Refused
	case m.pending[k] > 0:
		return port.Device
	case m.sent[k] > 0:
		return port.Region
	}
	return port.Everywhere
}

// rowQuerier is a *sql.DB or *sql.Tx.
type rowQuerier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// mark counts the rows of a change in or out. A label on a task counts for the task, which is what people see.
func (r *Replica) mark(ctx context.Context, db rowQuerier, in map[key]int, t change.Tx, by int) error {
	for _, row := range t.Rows {
		k := key{row.Table, row.ID}
		count(in, k, by)
		r.dirty.row(k, 0)
		if row.Table != "task_label" {
			continue
		}
		task, err := r.taskOfLabel(ctx, db, row)
		if err != nil {
			return err
		}
		if task != "" {
			count(in, key{"task", task}, by)
			r.dirty.row(key{"task", task}, 0)
		}
	}
	return nil
}

func count(in map[key]int, k key, by int) {
	if in[k] += by; in[k] <= 0 {
		delete(in, k)
	}
}

// taskOfLabel remembers what it finds, so that a row is counted out for the task for which it was counted in.
func (r *Replica) taskOfLabel(ctx context.Context, db rowQuerier, row change.Row) (id.ID, error) {
	if task, ok := r.marks.taskOf[row.ID]; ok {
		return task, nil
	}
	var task string
	for _, c := range row.Cells {
		if c.Col == "task" {
			task = c.Val.Text
		}
	}
	if task == "" {
		err := db.QueryRowContext(ctx, q("taskOfLabel"), string(row.ID)).Scan(&task)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return "", err
		}
	}
	r.marks.taskOf[row.ID] = id.ID(task)
	return id.ID(task), nil
}
