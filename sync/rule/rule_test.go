package rule

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"testing"

	"holdfast/sync/change"
	"holdfast/sync/id"
	"holdfast/sync/work"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// What rules are shown is read by modules that customers compiled years ago: the bytes may not change.
func TestChangeGolden(t *testing.T) {
	const file = "testdata/change.golden"
	task, label := id.Derive("T1"), id.Derive("L1")
	var b bytes.Buffer
	for _, c := range []struct {
		name   string
		row    change.Row
		before work.Cells
		found  bool
	}{
		{"create", change.Row{Table: "project", ID: task, Cells: cells("color", "blue", "name", "Grüße \U0001f600", "rank", "V")}, nil, false},
		{"edit", change.Row{Table: "project", ID: task, Cells: cells("name", "New")}, work.Cells{"name": change.V("Old"), "color": change.V("red"), "rank": change.V("V")}, true},
		{"delete", change.Row{Table: "label", ID: label, Cells: cells("deleted", 1_764_000_000_000)}, work.Cells{"name": change.V("Bug")}, true},
		{"restore", change.Row{Table: "label", ID: label, Cells: cells("deleted", nil)}, work.Cells{"name": change.V("Bug"), "deleted": change.V(-1)}, true},
	} {
		tx := change.Tx{Actor: id.Derive("ana"), Command: "x." + c.name, Rows: []change.Row{c.row}}
		fmt.Fprintf(&b, "%s\n%s\n", c.name, hex.Dump(Append(nil, &tx, &c.row, work.Member, c.before, c.found)))
	}
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("the bytes have changed; got\n%s", b.Bytes())
	}
}

func cells(pairs ...any) (out []change.Cell) {
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, change.Cell{Col: pairs[i].(string), Val: change.V(pairs[i+1])})
	}
	return out
}

func TestKinds(t *testing.T) {
	on, off := work.Cells{"present": change.V(1)}, work.Cells{"present": change.V(2)}
	gone := work.Cells{"deleted": change.V(5)}
	for _, c := range []struct {
		name, table, col string
		val              any
		before           work.Cells
		found            bool
		want             Kind
	}{
		{"new", "task", "title", "x", nil, false, Create},
		{"title", "task", "title", "x", work.Cells{}, true, Edit},
		{"title-in-trash", "task", "title", "x", gone, true, Edit},
		{"to-trash", "task", "deleted", 7, work.Cells{}, true, Delete},
		{"to-trash-again", "task", "deleted", 9, gone, true, Edit},
		{"from-trash", "task", "deleted", nil, gone, true, Restore},
		{"label-on", "task_label", "present", 3, off, true, Restore},
		{"label-off", "task_label", "present", 2, on, true, Delete},
		{"label-same", "task_label", "present", 1, on, true, Edit},
	} {
		row := change.Row{Table: c.table, Cells: cells(c.col, c.val)}
		if got := kindOf(work.TableOf(c.table), &row, c.before, c.found); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

// A module is tried with the renaming of a task, as its sentence says.
func TestExampleIsAChange(t *testing.T) {
	if b := Example(); b[0] != version || Kind(b[1]) != Edit || !bytes.Contains(b, []byte("Call the bank")) {
		t.Errorf("%x", b)
	}
}
