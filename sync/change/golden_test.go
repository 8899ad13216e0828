package change

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/pack"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var golden = []struct {
	name string
	tx   Tx
}{
	{"empty", Tx{Rows: []Row{}}},
	{"create", Tx{Num: 1, Stamp: hlc.Make(1_764_000_000_000, 0, 0x0123456789abcdef), Actor: id.Derive("ana"), Command: "task.create", Rows: []Row{
		{Table: "task", ID: id.Derive("T1"), Cells: []Cell{{Col: "priority", Val: V(2)}, {Col: "status", Val: V("todo")}, {Col: "title", Val: V("Grüße \U0001f600")}}}}}},
	{"edit-with-bases", Tx{Num: 300, Stamp: hlc.Make(1_764_000_060_000, 0xffff, 1), Actor: id.Derive("bo"), Command: "task.set", Rows: []Row{
		{Table: "task", ID: id.Derive("T1"), Cells: []Cell{{Col: "deleted", Base: hlc.Make(1_764_000_000_000, 0, 2)}, {Col: "priority", Val: V(-1), Base: hlc.Make(5, 6, 7)}}},
		{Table: "comment", ID: id.Derive("C1"), Cells: []Cell{}}}}},
}

// Transactions lie in logs and outboxes for years: their bytes may not change.
func TestTxGolden(t *testing.T) {
	const file = "testdata/tx.golden"
	var b strings.Builder
	for _, g := range golden {
		fmt.Fprintf(&b, "%s %x\n", g.name, g.tx.Encode())
	}
	var w pack.Writer
	Entry{Origin: "eu", Seq: 200, Tx: golden[1].tx}.Append(&w)
	fmt.Fprintf(&b, "entry %x\n", w.Buf)
	w = pack.Writer{}
	Vector{"us": 7, "eu": 300}.Append(&w)
	fmt.Fprintf(&b, "vector %x\n", w.Buf)
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Fatalf("got\n%swant\n%s", b.String(), want)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(want)), "\n")[:len(golden)] {
		_, text, _ := strings.Cut(line, " ")
		raw, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Decode(raw); err != nil || !reflect.DeepEqual(got, golden[i].tx) {
			t.Errorf("%s: read as %+v, %v", golden[i].name, got, err)
		}
	}
}

// Whatever Decode accepts is exactly what Encode would have written.
func FuzzDecode(f *testing.F) {
	for _, g := range golden {
		f.Add(g.tx.Encode())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := Decode(b)
		if err == nil && !bytes.Equal(x.Encode(), b) {
			t.Fatalf("accepted %x, which is written as %x", b, x.Encode())
		}
	})
}

func FuzzReadVector(f *testing.F) {
	f.Add([]byte{1, 2, 'e', 'u', 7})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := pack.Reader{Buf: b}
		v := ReadVector(&r)
		if r.Close() != nil {
			return
		}
		var w pack.Writer
		v.Append(&w)
		if !bytes.Equal(w.Buf, b) {
			t.Fatalf("accepted %x, which is written as %x", b, w.Buf)
		}
	})
}
