package work

import (
	"fmt"
	"slices"

	"holdfast/sync/change"
	"holdfast/sync/crdt"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// Cells are a row's present values by column; a column never written is absent and reads as nothing.
type Cells map[string]change.Value

// Lookup is what the node that checks knows.
type Lookup interface {
	// Row gives the values of a row. found is false for a row that was never created as far as this node knows, even when
	// some of its cells have come already.
	Row(table string, row id.ID) (cells Cells, found bool, err error)
}

// Check decides whether the actor of tx, who has this role, may make the change, and whether all of it is well formed and
// within bounds. It is one decision for the whole transaction.
//
// The error is a *fault.Error whose Detail is a sentence for the person; PlaceOf tells which cell it is about. Kinds:
// Denied, Invalid, TooLarge; NotFound for what builds on a row this node has never seen, which an edge that is behind the
// writer reports as Behind; any kind that known reports.
//
// tx.Actor must be set by the caller from the session, never from what was sent.
func Check(tx change.Tx, role string, known Lookup) error {
	c := checker{tx: tx, role: role, known: known, rows: make(map[rowKey]*change.Row, len(tx.Rows))}
	if err := c.envelope(); err != nil {
		return err
	}
	// What needs no reading comes first, for all rows.
	if err := c.each(c.checkForm); err != nil {
		return err
	}
	if err := c.size(); err != nil {
		return err
	}
	return c.each(c.checkAgainstKnown)
}

// Place is where in a transaction something is wrong. It is in the chain of Check's errors.
type Place struct {
	Table string
	Row   id.ID
	Col   string
}

func (p *Place) Error() string { return p.Table + "/" + string(p.Row) + "/" + p.Col }

type rowKey struct {
	table string
	id    id.ID
}

type checker struct {
	tx    change.Tx
	role  string
	known Lookup
	rows  map[rowKey]*change.Row // of this transaction
	row   *change.Row            // being checked
	table *Table                 // of row
}

// no makes the refusal. col may be empty.
func (c *checker) no(kind fault.Kind, col, format string, args ...any) error {
	e := &fault.Error{Op: "work.Check", Kind: kind, Detail: fmt.Sprintf(format, args...)}
	if c.row != nil {
		e.Err = &Place{c.row.Table, c.row.ID, col}
	}
	return e
}

func (c *checker) each(check func() error) error {
	for i := range c.tx.Rows {
		c.row = &c.tx.Rows[i]
		c.table = TableOf(c.row.Table)
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// envelope checks what does not need the rows' present values.
func (c *checker) envelope() error {
	switch {
	case c.role == Viewer:
		return c.no(fault.Denied, "", "You may read this workspace but not change it. Ask an owner or admin for another role.")
	case !slices.Contains(Roles, c.role):
		return c.no(fault.Denied, "", "You are not a member of this workspace. Ask an owner or admin to invite you.")
	case !c.tx.Actor.Valid() || c.tx.Stamp.IsZero():
		return c.no(fault.Invalid, "", "The change does not say who made it or when. Reload the app and try again.")
	case len(c.tx.Rows) == 0:
		return c.no(fault.Invalid, "", "The change is empty.")
	case len(c.tx.Rows) > change.RowsMax:
		return c.no(fault.TooLarge, "", "The change touches %d rows; at most %d fit. Make it in smaller steps.", len(c.tx.Rows), change.RowsMax)
	case len(c.tx.Command) > change.NameBytesMax:
		return c.no(fault.TooLarge, "", "The name of the command is %d bytes; at most %d fit.", len(c.tx.Command), change.NameBytesMax)
	}
	for i := range c.tx.Rows {
		r := &c.tx.Rows[i]
		key := rowKey{r.Table, r.ID}
		if c.rows[key] != nil {
			c.row = r
			return c.no(fault.Invalid, "", "The change names one row twice.")
		}
		c.rows[key] = r
	}
	return nil
}

// size is checked after the single values, which say more about what is too long.
func (c *checker) size() error {
	size := 0
	for i := range c.tx.Rows {
		size += rowBytes(&c.tx.Rows[i])
	}
	if size > change.TxBytesMax {
		c.row = nil
		return c.no(fault.TooLarge, "", "The change is %d bytes; at most %d fit. Make it in smaller steps.", size, change.TxBytesMax)
	}
	return nil
}

// rowBytes is at least the length of the row's encoding.
func rowBytes(r *change.Row) int {
	const cell, row = 1 + 1 + 10 + 16, 1 + 16 + 2
	n := row + len(r.Table)
	for _, c := range r.Cells {
		n += cell + len(c.Col) + len(c.Val.Text)
	}
	return n
}

// checkForm checks a row by itself.
func (c *checker) checkForm() error {
	r := c.row
	switch {
	case c.table == nil:
		return c.no(fault.Invalid, "", "There is no table %q. Reload the app to get its newest version.", r.Table)
	case c.table.ByHub:
		return c.no(fault.Denied, "", "People and their roles are changed on the Members page, which needs a connection.")
	case !r.ID.Valid():
		return c.no(fault.Invalid, "", "%q is not the id of a row.", clip(string(r.ID)))
	case len(r.Cells) == 0:
		return c.no(fault.Invalid, "", "The change names a row but none of its columns.")
	case len(r.Cells) > change.CellsMax:
		return c.no(fault.TooLarge, "", "The change sets %d columns of one row; at most %d fit.", len(r.Cells), change.CellsMax)
	}
	last := ""
	for i := range r.Cells {
		cell := &r.Cells[i]
		if cell.Col <= last {
			return c.no(fault.Invalid, cell.Col, "The columns of a row must be in order of name, each once.")
		}
		last = cell.Col
		_, col := c.table.Column(cell.Col)
		if col == nil {
			return c.no(fault.Invalid, cell.Col, "A %s has no column %q. Reload the app to get its newest version.", Noun(r.Table), clip(cell.Col))
		}
		if kind, text := col.refuse(cell.Val); text != "" {
			return c.no(kind, cell.Col, "%s", text)
		}
	}
	return nil
}

// checkAgainstKnown checks a row against what is there.
func (c *checker) checkAgainstKnown() error {
	r := c.row
	before, found, err := c.known.Row(r.Table, r.ID)
	if err != nil {
		return fault.Wrap("work.Check", err)
	}
	if !found {
		if err := c.checkCreation(); err != nil {
			return err
		}
	}
	for i := range r.Cells {
		cell := &r.Cells[i]
		_, col := c.table.Column(cell.Col)
		if col.Fixed && found && before[cell.Col] != cell.Val {
			return c.no(fault.Invalid, cell.Col, "The %s of a %s cannot be changed once it is there.", cell.Col, Noun(r.Table))
		}
		if col.Merge == Length {
			if err := c.checkLength(col, cell.Val.Int, before[cell.Col].Int); err != nil {
				return err
			}
		}
		if err := c.checkRef(col, cell.Val); err != nil {
			return err
		}
	}
	return c.checkRules(before, found)
}

func (c *checker) checkCreation() error {
	r := c.row
	if r.Table == "workspace" {
		return c.no(fault.NotFound, "", "This workspace is not known here yet. Try again in a moment.")
	}
	missing, n := "", 0
	for i := range c.table.Columns {
		if col := &c.table.Columns[i]; col.Required && cellOf(r, col.Name) == nil {
			missing, n = col.Name, n+1
		}
	}
	if n == 0 {
		return nil
	}
	for i := range r.Cells {
		if _, col := c.table.Column(r.Cells[i].Col); col.Fixed {
			return c.no(fault.Invalid, missing, "A new %s needs a %s.", Noun(r.Table), missing)
		}
	}
	return c.no(fault.NotFound, "", "This %s is not here. It may not have arrived yet, or it never existed.", Noun(r.Table))
}

// checkLength bounds how far a causal length may jump: without it one write could use the counter up for ever.
func (c *checker) checkLength(col *Column, next, before int64) error {
	if next > before+LengthJumpMax {
		return c.no(fault.NotFound, col.Name, "This change builds on others that are not here. Make it again.")
	}
	return nil
}

func (c *checker) checkRef(col *Column, v change.Value) error {
	if col.Ref == "" || v.IsNull() {
		return nil
	}
	if made := c.rows[rowKey{col.Ref, id.ID(v.Text)}]; made != nil && complete(made) {
		return nil
	}
	_, found, err := c.known.Row(col.Ref, id.ID(v.Text))
	if err != nil {
		return fault.Wrap("work.Check", err)
	}
	if !found {
		return c.no(fault.NotFound, col.Name, "The %s that this %s refers to is not here.", Noun(col.Ref), Noun(c.row.Table))
	}
	return nil
}

// checkRules holds what is particular to tables: who may do what.
func (c *checker) checkRules(before Cells, found bool) error {
	r, lead := c.row, c.role == Owner || c.role == Admin
	switch r.Table {
	case "workspace":
		if !lead {
			return c.no(fault.Denied, "name", "Only an owner or admin may rename the workspace.")
		}
	case "project":
		if d := cellOf(r, "deleted"); d != nil && d.Val != before["deleted"] && !lead {
			return c.no(fault.Denied, "deleted", "Only an owner or admin may delete or restore a project.")
		}
	case "task_label":
		if task, label := c.valueOf("task", before), c.valueOf("label", before); r.ID != TaskLabelID(id.ID(task.Text), id.ID(label.Text)) {
			return c.no(fault.Invalid, "", "The id of a label on a task must be made from both.")
		}
	case "comment":
		if found && before["author"].Text != string(c.tx.Actor) && !lead {
			return c.no(fault.Denied, r.Cells[0].Col, "Only its author or an admin may change or delete a comment.")
		}
	}
	if _, col := c.table.Column("author"); col != nil && !found && c.valueOf("author", nil).Text != string(c.tx.Actor) {
		return c.no(fault.Denied, "author", "A new %s must carry your own name.", Noun(r.Table))
	}
	return nil
}

// valueOf is a column's value after the change.
func (c *checker) valueOf(col string, before Cells) change.Value {
	if cell := cellOf(c.row, col); cell != nil {
		return cell.Val
	}
	return before[col]
}

func cellOf(r *change.Row, col string) *change.Cell {
	i, ok := slices.BinarySearchFunc(r.Cells, col, func(c change.Cell, col string) int {
		switch {
		case c.Col < col:
			return -1
		case c.Col > col:
			return 1
		}
		return 0
	})
	if !ok {
		return nil
	}
	return &r.Cells[i]
}

// Creates tells whether a changed row is a whole new row: it sets every column that its table requires, and its writer saw
// none of them before. Such values enter the history only when they are replaced.
func Creates(r change.Row) bool {
	if !complete(&r) {
		return false
	}
	for i := range r.Cells {
		if !r.Cells[i].Base.IsZero() {
			return false
		}
	}
	return true
}

// complete tells whether every column that the table requires is set.
func complete(r *change.Row) bool {
	t := TableOf(r.Table)
	if t == nil {
		return false
	}
	for i := range t.Columns {
		if t.Columns[i].Required && cellOf(r, t.Columns[i].Name) == nil {
			return false
		}
	}
	return true
}

// TaskLabelID names the row that puts a label on a task.
func TaskLabelID(task, label id.ID) id.ID {
	return id.Derive("task_label", string(task), string(label))
}

// Join merges two cells of the column.
func (c *Column) Join(a, b crdt.Cell) crdt.Cell {
	if c.Merge == Length {
		return crdt.Length(a, b)
	}
	return crdt.Register(a, b)
}

// Kept tells whether replaced values of the column are worth keeping in the history.
func (c *Column) Kept() bool { return c.Merge == Register && c.Kind != Rank && !c.Fixed }

func clip(s string) string { return s[:min(len(s), 40)] }
