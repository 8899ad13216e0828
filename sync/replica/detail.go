package replica

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"holdfast/sync/change"
	"holdfast/sync/crdt"
	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/store"
	"holdfast/sync/work"
)

func (r *Replica) detail(ctx context.Context, w *watch) (d port.DetailResult, err error) {
	d = port.DetailResult{Comments: []port.Comment{}, History: []port.HistItem{}}
	k := key{"task", w.query.Task}
	w.rows[k] = true
	list, err := r.taskRows(ctx, w, " WHERE t.id = ? AND t.born = 1", string(k.id))
	if err != nil || len(list) == 0 {
		return d, err
	}
	d.Found, d.Task = true, list[0]
	var clock []byte
	if err := r.db.QueryRowContext(ctx, q("taskMore"), string(k.id)).Scan(&d.Description, &d.Author, &clock); err != nil {
		return d, err
	}
	born, _, err := written(work.TableOf("task"), clock, "author")
	if err != nil {
		return d, err
	}
	d.CreatedMS = born.MS()
	if err := r.comments(ctx, w, &d); err != nil {
		return d, err
	}
	d.History, err = r.history(ctx, k)
	return d, err
}

// written is when a column was written, and whether the row was created with it.
func written(table *work.Table, clock []byte, col string) (hlc.Stamp, bool, error) {
	marks := make([]crdt.Mark, len(table.Columns))
	if err := crdt.UnpackClock(clock, marks); err != nil {
		return hlc.Stamp{}, false, err
	}
	i, _ := table.Column(col)
	return marks[i].Stamp, marks[i].Birth, nil
}

func (r *Replica) comments(ctx context.Context, w *watch, d *port.DetailResult) error {
	table := work.TableOf("comment")
	return each(ctx, r.db, func(rows *sql.Rows) error {
		var c port.Comment
		var clock []byte
		if err := rows.Scan(&c.ID, &c.Author, &c.Body, &clock); err != nil {
			return err
		}
		at, _, err := written(table, clock, "author")
		if err != nil {
			return err
		}
		_, original, err := written(table, clock, "body")
		c.AtMS, c.Edited, c.Mark = at.MS(), !original, r.marks.of("comment", c.ID)
		w.rows[key{"comment", c.ID}] = true
		d.Comments = append(d.Comments, c)
		return err
	}, q("comments"), string(w.query.Task))
}

// history is the confirmed past of a row, and over it what is own.
func (r *Replica) history(ctx context.Context, k key) ([]port.HistItem, error) {
	past, _, err := store.History(ctx, r.db, k.table, k.id)
	if err != nil {
		return nil, err
	}
	list := r.covered(k, past)
	row, _, err := store.Get(ctx, r.db, k.table, k.id)
	if err != nil {
		return nil, err
	}
	for _, o := range r.byRow[k] {
		list = append(list, ownPast(o.tx, k, row)...)
	}
	slices.SortStableFunc(list, func(a, b store.Past) int { return a.Stamp.Compare(b.Stamp) })
	out := make([]port.HistItem, 0, len(list))
	for _, p := range list {
		out = append(out, port.HistItem{Col: p.Col, Value: p.Val, Actor: p.Actor, AtMS: p.Stamp.MS(), Lost: p.Lost, Now: p.Now})
	}
	return out, nil
}

// covered adds the values that the row was created with and that own changes now cover: the confirmed history does not
// hold them, because there they are still present.
func (r *Replica) covered(k key, past []store.Past) []store.Past {
	row, ok := r.shadow[k]
	if !ok {
		return past
	}
	author := id.ID(row.Value("author").Text)
	for i, c := range row.Cells {
		col := &row.Table.Columns[i]
		if !c.Birth || !col.Kept() {
			continue
		}
		known := slices.ContainsFunc(past, func(p store.Past) bool { return p.Col == col.Name && p.Stamp == c.Stamp })
		if !known {
			past = append(past, store.Past{Col: col.Name, Val: c.Val, Stamp: c.Stamp, Actor: author})
		}
	}
	return past
}

// ownPast is what an own change that the log has not brought writes into the row, as items of its history. Values with
// which it created the row and that are still shown are there already.
func ownPast(t change.Tx, k key, shown store.Row) (list []store.Past) {
	for _, r := range t.Rows {
		if r.Table != k.table || r.ID != k.id {
			continue
		}
		birth := work.Creates(r)
		for _, c := range r.Cells {
			_, col := shown.Table.Column(c.Col)
			now := shown.Cell(c.Col).Stamp == t.Stamp
			if col == nil || !col.Kept() || (birth && now) {
				continue
			}
			list = append(list, store.Past{Col: c.Col, Val: c.Val, Stamp: t.Stamp, Base: c.Base, Actor: t.Actor, Now: now})
		}
	}
	return list
}

func (r *Replica) attention(ctx context.Context) (port.AttentionResult, error) {
	a := port.AttentionResult{Items: []port.AttentionItem{}}
	for _, x := range r.refused {
		title, err := r.title(ctx, x.tx)
		if err != nil {
			return a, err
		}
		detail := x.detail
		if detail == "" {
			detail = fault.Errorf("", x.kind, "The region refused this change (%s).", x.kind).(*fault.Error).Detail
		}
		a.Items = append(a.Items, port.AttentionItem{Num: x.num, Command: x.tx.Command, AtMS: x.tx.Stamp.MS(), Kind: x.kind, Detail: detail,
			Rows: editRows(x.tx), Title: title})
	}
	return a, nil
}

// title is the name of what a change is about: of its first task or project, or of the task it hangs on.
func (r *Replica) title(ctx context.Context, t change.Tx) (string, error) {
	if len(t.Rows) == 0 {
		return "", nil
	}
	row := t.Rows[0]
	cell := func(col string) string {
		for _, c := range row.Cells {
			if c.Col == col {
				return c.Val.Text
			}
		}
		return ""
	}
	look := func(statement, row string) (s string, err error) {
		err = r.db.QueryRowContext(ctx, q(statement), row).Scan(&s)
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		return s, err
	}
	task := cell("task")
	var err error
	switch row.Table {
	case "task":
		task = string(row.ID)
	case "comment":
		if task == "" {
			task, err = look("taskOfComment", string(row.ID))
		}
	case "task_label":
		if task == "" {
			task, err = look("taskOfLabel", string(row.ID))
		}
	case "project":
		name, err := look("nameOf", string(row.ID))
		if name == "" {
			name = cell("name")
		}
		return name, err
	default:
		return cell("name"), nil
	}
	if err != nil {
		return "", err
	}
	title, err := look("titleOf", task)
	if title == "" && row.Table == "task" {
		title = cell("title")
	}
	return title, err
}
