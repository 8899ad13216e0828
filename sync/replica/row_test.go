package replica

import (
	"encoding/hex"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"holdfast/sync/change"
	"holdfast/sync/crdt"
	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/store"
	"holdfast/sync/work"
)

// A row under pending changes is kept across restarts, so its bytes must say all of it.
func TestStoredRowLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := rapid.SampledFrom(work.Tables).Draw(t, "table")
		row := store.NewRow(table.Name, id.Derive("row"))
		birth := hlc.Make(rapid.Int64Range(1, 1<<40).Draw(t, "birth"), 0, 1)
		for i := range row.Cells {
			switch rapid.IntRange(0, 2).Draw(t, "written") {
			case 0:
				continue
			case 1:
				row.Cells[i].Mark = crdt.Mark{Stamp: birth, Birth: true}
			default:
				row.Cells[i].Mark = crdt.Mark{Stamp: hlc.Make(rapid.Int64Range(1, 1<<40).Draw(t, "ms"), 7, 2)}
			}
			row.Cells[i].Val = rapid.SampledFrom([]change.Value{{}, change.V(-3), change.V(1 << 60), change.V(""), change.V("text ü")}).Draw(t, "value")
		}
		raw := encodeRow(row)
		got, err := decodeRow(table.Name, row.ID, raw)
		if err != nil || !reflect.DeepEqual(got.Cells, row.Cells) {
			t.Fatalf("got %+v, %v, want %+v", got.Cells, err, row.Cells)
		}
		if cut := rapid.IntRange(0, len(raw)-1).Draw(t, "cut"); cut < len(raw) {
			if _, err := decodeRow(table.Name, row.ID, raw[:cut]); fault.KindOf(err) != fault.Corrupt {
				t.Fatalf("half a row was read: %v", err)
			}
		}
	})
}

// These bytes are on people's devices.
func TestStoredRowGolden(t *testing.T) {
	row := store.NewRow("label", id.Derive("row"))
	row.Cells[0] = crdt.Cell{Mark: crdt.Mark{Stamp: hlc.Make(1, 2, 3), Birth: true}, Val: change.V("urgent")}
	row.Cells[1] = crdt.Cell{Mark: crdt.Mark{Stamp: hlc.Make(4, 5, 6)}, Val: change.V("red")}
	const want = "0322010000000000010002000000000000000302000000000004000500000000000000060206757267656e74020372656400"
	if got := hex.EncodeToString(encodeRow(row)); got != want {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
}
