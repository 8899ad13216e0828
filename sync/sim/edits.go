package sim

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"holdfast/sync/crdt"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

func sorted[K uint64 | string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// ask gives the present answer to a live query of a device.
func ask[T any](d *device, query port.Query) (v T, err error) {
	var got *port.Result
	d.replica.Watch(1, query, func(r port.Result) { got = &r })
	runs := d.runs
	d.runs = nil
	for _, run := range runs {
		run()
	}
	d.replica.Unwatch(1)
	if got == nil || got.Error != nil {
		return v, fmt.Errorf("%s: no answer to %s: %+v", d.name, query.Kind, got)
	}
	return v, json.Unmarshal(got.Body, &v)
}

// some gives a random row of what a query finds, or "".
func (d *device) some(query string) (id.ID, error) {
	var list []id.ID
	rows, err := d.db.Query(query)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return "", err
		}
		list = append(list, id.ID(s))
	}
	if err := rows.Err(); err != nil || len(list) == 0 {
		return "", err
	}
	// People work on few things at a time, which is where conflicts come from.
	return list[d.w.rnd.IntN(min(len(list), 6))], nil
}

const (
	someProject = "SELECT id FROM project WHERE born = 1 ORDER BY id"
	someLabel   = "SELECT id FROM label WHERE born = 1 ORDER BY id"
	someTask    = "SELECT id FROM task WHERE born = 1 ORDER BY id DESC"
	someComment = "SELECT id FROM comment WHERE born = 1 ORDER BY id DESC"
)

// edit is what a person does. What the device itself refuses is no edit.
func (d *device) edit() error {
	e, err := d.idea()
	if err != nil || len(e.Rows) == 0 {
		return err
	}
	err = d.do(e)
	switch fault.KindOf(err) {
	case fault.Denied, fault.NotFound, fault.Invalid, fault.Unavailable:
		return nil
	}
	return err
}

func (d *device) idea() (e port.Edit, err error) {
	w := d.w
	made := id.New(w.now, reader{w.rnd})
	words := fmt.Sprintf("%s %d", d.name, w.rnd.IntN(1000))
	project, err := d.some(someProject)
	if err != nil {
		return e, err
	}
	if project == "" || w.dice(25) {
		rank, err := d.rank("SELECT max(rank) FROM project")
		return work.NewProject(made, words, pick(w, work.Colors), rank), err
	}
	task, err := d.some(someTask)
	if err != nil {
		return e, err
	}
	label, err := d.some(someLabel)
	if err != nil {
		return e, err
	}
	if task == "" || w.dice(6) {
		rank, err := d.rank("SELECT max(rank) FROM task")
		draft := work.TaskDraft{ID: made, Project: project, Title: words, Status: pick(w, work.Statuses), Rank: rank, Author: w.people[d.person].id}
		if label != "" && w.dice(3) {
			draft.Labels = []id.ID{label}
		}
		return work.NewTask(draft), err
	}
	if label == "" || w.dice(30) {
		return work.NewLabel(made, words, pick(w, work.Colors)), nil
	}
	comment, err := d.some(someComment)
	if err != nil {
		return e, err
	}
	switch w.rnd.IntN(18) {
	case 0, 1, 2:
		return work.RenameTask(task, words), nil
	case 3:
		return work.DescribeTask(task, words), nil
	case 4, 5:
		return work.SetStatus(task, pick(w, work.Statuses)), nil
	case 6:
		rank, err := d.rank("SELECT min(rank) FROM task")
		return work.MoveTask(task, pick(w, work.Statuses), rank), err
	case 7:
		rank, err := d.rank("SELECT max(rank) FROM task")
		return work.MoveTaskTo(task, project, rank), err
	case 8:
		return work.TrashTask(task, max(1, w.now.UnixMilli())), nil
	case 9:
		return work.RestoreTask(task), nil
	case 10, 11:
		return work.LabelTask(task, label, w.dice(2)), nil
	case 12, 13:
		return work.NewComment(made, task, w.people[d.person].id, words), nil
	case 14:
		if comment != "" {
			return work.EditComment(comment, words), nil
		}
	case 15:
		if comment != "" {
			return work.TrashComment(comment, w.now.UnixMilli()), nil
		}
	case 16:
		return work.RenameProject(project, words), nil
	case 17:
		return work.AssignTask(task, pick(w, w.people).id), nil
	}
	return work.PrioritizeTask(task, w.rnd.IntN(5)), nil
}

func (d *device) rank(query string) (string, error) {
	var last sql.NullString
	if err := d.db.QueryRow(query).Scan(&last); err != nil {
		return "", err
	}
	if query[:10] == "SELECT min" {
		return crdt.Between("", last.String, reader{d.w.rnd})
	}
	return crdt.Between(last.String, "", reader{d.w.rnd})
}
