package work

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"holdfast/sync/change"
	"holdfast/sync/crdt"
	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/port"
)

var (
	ana     = id.Derive("ana")
	bo      = id.Derive("bo")
	tenant  = id.Derive("tenant")
	project = id.Derive("project")
	task    = id.Derive("task")
	label   = id.Derive("label")
	comment = id.Derive("comment")
	fresh   = id.Derive("fresh")
)

// memory is a Lookup over a map.
type memory map[string]Cells

func (m memory) Row(table string, row id.ID) (Cells, bool, error) {
	c, ok := m[table+"/"+string(row)]
	return c, ok, nil
}

func (m memory) add(e port.Edit) memory {
	for _, r := range e.Rows {
		m[r.Table+"/"+string(r.ID)] = Cells(r.Set)
	}
	return m
}

// known is a small workspace: ana's task with ana's comment in a project, a label, members ana and bo.
func known() memory {
	m := memory{}
	m.add(RenameWorkspace(tenant, "Acme"))
	m.add(NewProject(project, "Website", "blue", "a0"))
	m.add(NewLabel(label, "bug", "red"))
	m.add(NewTask(TaskDraft{ID: task, Project: project, Title: "Write", Status: Todo, Rank: "a0", Author: ana}))
	m.add(NewComment(comment, task, ana, "Done?"))
	for _, p := range []id.ID{ana, bo} {
		m["member/"+string(p)] = Cells{"name": change.V("Name")}
	}
	return m
}

// txOf is an edit as a transaction of the actor.
func txOf(actor id.ID, edits ...port.Edit) change.Tx {
	t := change.Tx{Num: 1, Stamp: hlc.Make(1000, 0, 1), Actor: actor, Command: "test"}
	for _, e := range edits {
		for _, r := range e.Rows {
			row := change.Row{Table: r.Table, ID: r.ID}
			for col, v := range r.Set {
				row.Cells = append(row.Cells, change.Cell{Col: col, Val: v})
			}
			slices.SortFunc(row.Cells, func(a, b change.Cell) int { return strings.Compare(a.Col, b.Col) })
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

func setCell(table string, row id.ID, col string, v any) port.Edit {
	return port.Edit{Rows: []port.EditRow{{Table: table, ID: row, Set: map[string]change.Value{col: change.V(v)}}}}
}

func TestCheckAccepts(t *testing.T) {
	draft := TaskDraft{ID: fresh, Project: project, Title: "New", Description: "a\n\tb", Status: Backlog, Priority: Low, Assignee: bo,
		Due: "2028-02-29", Rank: "a1", Author: bo, Labels: []id.ID{label}}
	inNew := draft
	inNew.Project = id.Derive("new project")
	for _, c := range []struct {
		name, role string
		edits      []port.Edit
	}{
		{"new-task", Member, []port.Edit{NewTask(draft)}},
		{"new-task-in-project-of-the-same-change", Member, []port.Edit{NewTask(inNew), NewProject(inNew.Project, "New", "gray", "a0")}},
		{"rename", Member, []port.Edit{RenameTask(task, "Other")}},
		{"title-at-the-limit", Member, []port.Edit{RenameTask(task, strings.Repeat("é", TitleBytesMax/2))}},
		{"body-at-the-limit", Member, []port.Edit{DescribeTask(task, strings.Repeat("x", BodyBytesMax))}},
		{"clear-assignee", Member, []port.Edit{AssignTask(task, "")}},
		{"clear-due", Member, []port.Edit{DueTask(task, "")}},
		{"move", Member, []port.Edit{MoveTask(task, Done, "a0V")}},
		{"trash", Member, []port.Edit{TrashTask(task, 5)}},
		{"restore", Member, []port.Edit{RestoreTask(task)}},
		{"label", Member, []port.Edit{LabelTask(task, label, true)}},
		{"same-fixed-value-again", Member, []port.Edit{setCell("task", task, "author", ana)}},
		{"comment", Member, []port.Edit{NewComment(fresh, task, bo, "Yes")}},
		{"admin-deletes-comment", Admin, []port.Edit{TrashComment(comment, 5)}},
		{"owner-deletes-project", Owner, []port.Edit{TrashProject(project, 5)}},
		{"member-renames-project", Member, []port.Edit{RenameProject(project, "Shop")}},
		{"admin-renames-workspace", Admin, []port.Edit{RenameWorkspace(tenant, "New name")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := Check(txOf(bo, c.edits...), c.role, known()); err != nil {
				t.Fatal(err)
			}
		})
	}
	if err := Check(txOf(ana, EditComment(comment, "Now?")), Member, known()); err != nil {
		t.Fatalf("an author edits a comment: %v", err)
	}
}

func TestCheckRefuses(t *testing.T) {
	half := txOf(bo, RenameTask(fresh, "Nobody knows me"))
	foreign := NewTask(TaskDraft{ID: fresh, Project: project, Title: "New", Status: Todo, Rank: "a0", Author: ana})
	noTitle := NewTask(TaskDraft{ID: fresh, Project: project, Status: Todo, Rank: "a0", Author: bo})
	delete(noTitle.Rows[0].Set, "title")
	noProject := NewTask(TaskDraft{ID: fresh, Project: fresh, Title: "New", Status: Todo, Rank: "a0", Author: bo})
	wrongLabel := LabelTask(task, label, true)
	wrongLabel.Rows[0].ID = fresh
	twice := txOf(bo, RenameTask(task, "a"), SetStatus(task, Done))
	disorder := txOf(bo, MoveTask(task, Done, "a0"))
	slices.Reverse(disorder.Rows[0].Cells)
	huge := txOf(bo, DescribeTask(task, strings.Repeat("x", BodyBytesMax)))
	for i := range 4 {
		huge.Rows = append(huge.Rows, txOf(bo, NewComment(id.Derive("c", fmt.Sprint(i)), task, bo, strings.Repeat("x", BodyBytesMax))).Rows...)
	}
	many := txOf(bo)
	for i := range change.RowsMax + 1 {
		many.Rows = append(many.Rows, change.Row{Table: "task", ID: id.Derive("many", fmt.Sprint(i)), Cells: []change.Cell{{Col: "title", Val: change.V("x")}}})
	}
	for _, c := range []struct {
		name, role string
		tx         change.Tx
		kind       fault.Kind
		col, says  string
	}{
		{"viewer", Viewer, txOf(bo, RenameTask(task, "x")), fault.Denied, "", "may read"},
		{"no-member", "", txOf(bo, RenameTask(task, "x")), fault.Denied, "", "not a member"},
		{"no-actor", Member, txOf("", RenameTask(task, "x")), fault.Invalid, "", "who made it"},
		{"empty", Member, txOf(bo), fault.Invalid, "", "empty"},
		{"too-many-rows", Member, many, fault.TooLarge, "", "1001 rows; at most 1000"},
		{"too-many-bytes", Member, huge, fault.TooLarge, "", "at most 262144"},
		{"row-twice", Member, twice, fault.Invalid, "", "twice"},
		{"columns-out-of-order", Member, disorder, fault.Invalid, "rank", "order"},
		{"unknown-table", Member, txOf(bo, setCell("invoice", fresh, "x", 1)), fault.Invalid, "", `"invoice"`},
		{"unknown-column", Member, txOf(bo, setCell("task", task, "colour", "red")), fault.Invalid, "colour", `"colour"`},
		{"by-hub", Owner, txOf(bo, setCell("member", bo, "role", Owner)), fault.Denied, "", "Members page"},
		{"bad-id", Member, txOf(bo, RenameTask("../x", "y")), fault.Invalid, "", "not the id"},
		{"wrong-type", Member, txOf(bo, setCell("task", task, "title", 7)), fault.Invalid, "title", "must be a text"},
		{"text-for-number", Member, txOf(bo, setCell("task", task, "priority", "high")), fault.Invalid, "priority", "whole number"},
		{"null", Member, txOf(bo, setCell("task", task, "title", nil)), fault.Invalid, "title", "cannot be empty"},
		{"title-of-a-megabyte", Member, txOf(bo, RenameTask(task, strings.Repeat("x", 1<<20))), fault.TooLarge, "title", "1048576 bytes long; at most 1000"},
		{"title-too-long", Member, txOf(bo, RenameTask(task, strings.Repeat("x", TitleBytesMax+1))), fault.TooLarge, "title", "1001 bytes long; at most 1000"},
		{"blank-title", Member, txOf(bo, RenameTask(task, " \u00a0")), fault.Invalid, "title", "blank"},
		{"two-lines", Member, txOf(bo, RenameTask(task, "a\nb")), fault.Invalid, "title", "one line"},
		{"control-character", Member, txOf(bo, DescribeTask(task, "a\x1b[31m")), fault.Invalid, "description", "control"},
		{"not-utf8", Member, txOf(bo, DescribeTask(task, "\xff")), fault.Invalid, "description", "control"},
		{"enum", Member, txOf(bo, SetStatus(task, "blocked")), fault.Invalid, "status", "backlog, todo"},
		{"priority-too-high", Member, txOf(bo, PrioritizeTask(task, 5)), fault.Invalid, "priority", "from 0 to 4"},
		{"negative", Member, txOf(bo, TrashTask(task, -1)), fault.Invalid, "deleted", "from 1"},
		{"bad-date", Member, txOf(bo, DueTask(task, "2027-02-29")), fault.Invalid, "due", "date"},
		{"bad-rank", Member, txOf(bo, MoveTask(task, "", "zz")), fault.Invalid, "rank", "rank"},
		{"bad-color", Member, txOf(bo, ColorProject(project, "#fff")), fault.Invalid, "color", "gray"},
		{"assignee-is-no-id", Member, txOf(bo, AssignTask(task, "bo")), fault.Invalid, "assignee", "an id"},
		{"unknown-assignee", Member, txOf(bo, AssignTask(task, fresh)), fault.NotFound, "assignee", "member"},
		{"never-seen", Member, half, fault.NotFound, "", "not here"},
		{"creation-lacks-column", Member, txOf(bo, noTitle), fault.Invalid, "title", "needs a title"},
		{"creation-in-unknown-project", Member, txOf(bo, noProject), fault.NotFound, "project", "project"},
		{"creation-for-another", Member, txOf(bo, foreign), fault.Denied, "author", "your own name"},
		{"author-changed", Owner, txOf(bo, setCell("task", task, "author", bo)), fault.Invalid, "author", "cannot be changed"},
		{"label-id", Member, txOf(bo, wrongLabel), fault.Invalid, "", "made from both"},
		{"length-jump", Member, txOf(bo, withPresent(LengthJumpMax+1)), fault.NotFound, "present", "not here"},
		{"length-zero", Member, txOf(bo, withPresent(0)), fault.Invalid, "present", "from 1"},
		{"comment-of-another", Member, txOf(bo, EditComment(comment, "mine")), fault.Denied, "body", "author"},
		{"delete-comment-of-another", Member, txOf(bo, TrashComment(comment, 5)), fault.Denied, "deleted", "author"},
		{"delete-project", Member, txOf(bo, TrashProject(project, 5)), fault.Denied, "deleted", "owner or admin"},
		{"new-project-already-deleted", Member, txOf(bo, merged(NewProject(fresh, "x", "gray", "a0"), TrashProject(fresh, 5))), fault.Denied, "deleted", "owner or admin"},
		{"rename-workspace", Member, txOf(bo, RenameWorkspace(tenant, "Mine")), fault.Denied, "name", "owner or admin"},
		{"another-workspace", Owner, txOf(bo, RenameWorkspace(fresh, "Mine")), fault.NotFound, "", "not known here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Check(c.tx, c.role, known())
			if fault.KindOf(err) != c.kind || err == nil {
				t.Fatalf("got %v, want %v", err, c.kind)
			}
			d := fault.DetailOf(err)
			if !strings.Contains(d, c.says) || !strings.HasSuffix(d, ".") || len(d) > 300 {
				t.Errorf("detail %q: want a sentence with %q", d, c.says)
			}
			if p, _ := PlaceOf(err); p.Col != c.col {
				t.Errorf("column %q, want %q", p.Col, c.col)
			}
		})
	}
}

// withPresent puts the label on with a length of the caller's.
func withPresent(n int64) port.Edit {
	e := LabelTask(task, label, true)
	e.Rows[0].Set["present"] = change.V(n)
	return e
}

// merged is one row with the columns of both edits.
func merged(a, b port.Edit) port.Edit {
	for col, v := range b.Rows[0].Set {
		a.Rows[0].Set[col] = v
	}
	return a
}

func TestCheckPassesOnLookupErrors(t *testing.T) {
	err := Check(txOf(bo, RenameTask(task, "x")), Member, broken{})
	if fault.KindOf(err) != fault.Corrupt {
		t.Fatalf("got %v, want corrupt", err)
	}
}

type broken struct{}

func (broken) Row(string, id.ID) (Cells, bool, error) {
	return nil, false, fault.E("test", fault.Corrupt, nil)
}

// The schema keeps its own promises: what packed clocks, checks and edits rely on.
func TestSchema(t *testing.T) {
	for _, table := range Tables {
		if len(table.Columns) > crdt.ColumnsMax || len(table.Columns) > change.CellsMax {
			t.Errorf("%s has %d columns", table.Name, len(table.Columns))
		}
		seen := map[string]bool{"id": true, "born": true, "clock": true}
		for _, c := range table.Columns {
			if seen[c.Name] {
				t.Errorf("%s.%s: the name is taken", table.Name, c.Name)
			}
			seen[c.Name] = true
			if c.Required && c.Null {
				t.Errorf("%s.%s is required and may be null", table.Name, c.Name)
			}
			if c.Ref != "" && (TableOf(c.Ref) == nil || c.Kind != IDText) {
				t.Errorf("%s.%s refers to %q", table.Name, c.Name, c.Ref)
			}
			if c.Type == change.Text && c.Enum == nil && c.Max == 0 && c.Kind < IDText {
				t.Errorf("%s.%s is not bounded", table.Name, c.Name)
			}
			if c.Max > change.TextBytesMax && c.Type == change.Text {
				t.Errorf("%s.%s may be longer than a change can carry", table.Name, c.Name)
			}
		}
	}
}
