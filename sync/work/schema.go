// Package work is the domain: which tables and columns there are, what they may hold, who may change what, and the
// edits that people make. It is pure: no storage, no clock.
//
// The schema is data, so that the merge, the checks at the edge, the SQL and the page read one table. Tables and columns
// are append-only: a released one keeps its name, order and meaning for ever.
package work

import "holdfast/sync/change"

// Merge says how two writes of one column become one.
type Merge uint8

const (
	Register Merge = iota // the later stamp wins
	Length                // causal length: the greater integer wins; odd means present (Yu & Rostad, "A low-cost set CRDT based on causal lengths", 2020)
)

// Column is one column of a table.
type Column struct {
	Name     string
	Type     change.Type
	Null     bool     // may be null
	Required bool     // must be set, non-null, when the row is created
	Fixed    bool     // may be set at creation only
	Merge    Merge    //
	Max      int      // Text: most bytes; Int: greatest value
	Enum     []string // Text: the values allowed, when not nil
	Ref      string   // Text: an id of this table's row
	Kind     Kind     // Text: further form
}

// Kind is a form that a text must have.
type Kind uint8

const (
	Plain  Kind = iota // any text without control characters but tab and newline
	Line               // one line, not blank
	IDText             // an id
	Rank               // a fractional key (crdt.Rank)
	Date               // YYYY-MM-DD
	Color              // a name from Colors
)

// Table is one kind of row.
type Table struct {
	Name    string
	Columns []Column // in storage order; the position is the column's number in a packed clock
	ByHub   bool     // written from the hub's directory only, never by a push
}

// Column finds a column and its number.
func (t *Table) Column(name string) (int, *Column) {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return i, &t.Columns[i]
		}
	}
	return -1, nil
}

// The values of task.status, in the order of a board's columns.
const (
	Backlog  = "backlog"
	Todo     = "todo"
	Doing    = "doing"
	Review   = "review"
	Done     = "done"
	Canceled = "canceled"
)

// Statuses in the order of a board's columns.
var Statuses = []string{Backlog, Todo, Doing, Review, Done, Canceled}

// The values of task.priority.
const (
	NoPriority = 0
	Urgent     = 1
	High       = 2
	Medium     = 3
	Low        = 4
)

// Colors a project, label or member may have.
var Colors = []string{"gray", "red", "orange", "amber", "green", "teal", "blue", "indigo", "violet", "pink"}

// Roles of a member, from most to least.
var Roles = []string{Owner, Admin, Member, Viewer}

const (
	Owner  = "owner"
	Admin  = "admin"
	Member = "member"
	Viewer = "viewer"
)

// deleted is how a row goes to Trash: the Unix milliseconds of the deletion, null while it lives. It is a register like
// any other, so an edit made elsewhere meanwhile is kept in the row, and restoring is one more write.
var deleted = Column{Name: "deleted", Type: change.Int, Null: true, Max: 1 << 53}

// Tables in storage order.
var Tables = []*Table{
	{Name: "workspace", Columns: []Column{ // one row, whose id is the tenant's
		{Name: "name", Type: change.Text, Required: true, Max: NameBytesMax, Kind: Line},
	}},
	{Name: "member", ByHub: true, Columns: []Column{ // id is the person's
		{Name: "name", Type: change.Text, Required: true, Max: NameBytesMax, Kind: Line},
		{Name: "role", Type: change.Text, Required: true, Enum: Roles},
		{Name: "active", Type: change.Int, Required: true, Max: 1},
		{Name: "color", Type: change.Text, Required: true, Kind: Color},
	}},
	{Name: "project", Columns: []Column{
		{Name: "name", Type: change.Text, Required: true, Max: NameBytesMax, Kind: Line},
		{Name: "color", Type: change.Text, Required: true, Kind: Color},
		{Name: "rank", Type: change.Text, Required: true, Max: RankBytesMax, Kind: Rank},
		deleted,
	}},
	{Name: "label", Columns: []Column{
		{Name: "name", Type: change.Text, Required: true, Max: NameBytesMax, Kind: Line},
		{Name: "color", Type: change.Text, Required: true, Kind: Color},
		deleted,
	}},
	{Name: "task", Columns: []Column{
		{Name: "project", Type: change.Text, Required: true, Kind: IDText, Ref: "project"},
		{Name: "title", Type: change.Text, Required: true, Max: TitleBytesMax, Kind: Line},
		{Name: "description", Type: change.Text, Null: true, Max: BodyBytesMax},
		{Name: "status", Type: change.Text, Required: true, Enum: Statuses},
		{Name: "priority", Type: change.Int, Required: true, Max: Low},
		{Name: "assignee", Type: change.Text, Null: true, Kind: IDText, Ref: "member"},
		{Name: "due", Type: change.Text, Null: true, Kind: Date},
		{Name: "rank", Type: change.Text, Required: true, Max: RankBytesMax, Kind: Rank},
		{Name: "author", Type: change.Text, Required: true, Fixed: true, Kind: IDText, Ref: "member"},
		deleted,
	}},
	{Name: "task_label", Columns: []Column{ // id is Derive("task_label", task, label)
		{Name: "task", Type: change.Text, Required: true, Fixed: true, Kind: IDText, Ref: "task"},
		{Name: "label", Type: change.Text, Required: true, Fixed: true, Kind: IDText, Ref: "label"},
		{Name: "present", Type: change.Int, Required: true, Merge: Length, Max: 1 << 30},
	}},
	{Name: "comment", Columns: []Column{
		{Name: "task", Type: change.Text, Required: true, Fixed: true, Kind: IDText, Ref: "task"},
		{Name: "author", Type: change.Text, Required: true, Fixed: true, Kind: IDText, Ref: "member"},
		{Name: "body", Type: change.Text, Required: true, Max: BodyBytesMax},
		deleted,
	}},
}

var byName = func() map[string]*Table {
	m := make(map[string]*Table, len(Tables))
	for _, t := range Tables {
		m[t.Name] = t
	}
	return m
}()

// TableOf finds a table by name, or nil.
func TableOf(name string) *Table { return byName[name] }
