package change

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/pack"
)

var (
	genStamp = rapid.Custom(func(t *rapid.T) hlc.Stamp {
		return hlc.Make(rapid.Int64Range(0, 1<<47).Draw(t, "ms"), rapid.Uint16().Draw(t, "counter"), rapid.Uint64().Draw(t, "replica"))
	})
	genName  = rapid.StringMatching(`[!-~]{1,10}`)
	genValue = rapid.Custom(func(t *rapid.T) Value {
		switch rapid.IntRange(0, 2).Draw(t, "type") {
		case 0:
			return Value{}
		case 1:
			return V(rapid.Int64().Draw(t, "int"))
		}
		return V(strings.ReplaceAll(rapid.String().Draw(t, "text"), "\x00", ""))
	})
	genID  = rapid.Custom(func(t *rapid.T) id.ID { return id.Derive(rapid.String().Draw(t, "of")) })
	genRow = rapid.Custom(func(t *rapid.T) Row {
		r := Row{Table: genName.Draw(t, "table"), ID: genID.Draw(t, "id"), Cells: []Cell{}}
		cols := rapid.SliceOfNDistinct(genName, 0, 4, rapid.ID).Draw(t, "cols")
		slices.Sort(cols)
		for _, col := range cols {
			c := Cell{Col: col, Val: genValue.Draw(t, "value")}
			if rapid.Bool().Draw(t, "based") {
				c.Base = genStamp.Draw(t, "base")
			}
			r.Cells = append(r.Cells, c)
		}
		return r
	})
	genTx = rapid.Custom(func(t *rapid.T) Tx {
		return Tx{Num: rapid.Uint64().Draw(t, "num"), Stamp: genStamp.Draw(t, "stamp"), Actor: genID.Draw(t, "actor"), Command: genName.Draw(t, "command"),
			Rows: rapid.SliceOfNDistinct(genRow, 0, 4, func(r Row) [2]string { return [2]string{r.Table, string(r.ID)} }).Draw(t, "rows")}
	})
)

func TestTxRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tx := genTx.Draw(t, "tx")
		got, err := Decode(tx.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, tx) {
			t.Fatalf("got %+v, want %+v", got, tx)
		}
	})
}

func TestEntryAndVectorRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := Entry{Origin: genName.Draw(t, "origin"), Seq: rapid.Uint64().Draw(t, "seq"), Tx: genTx.Draw(t, "tx")}
		v := Vector(rapid.MapOf(genName, rapid.Uint64()).Draw(t, "vector"))
		var w pack.Writer
		e.Append(&w)
		v.Append(&w)
		r := pack.Reader{Buf: w.Buf}
		gotE, gotV := ReadEntry(&r), ReadVector(&r)
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(gotE, e) || !reflect.DeepEqual(gotV, v) {
			t.Fatalf("got %+v, %+v; want %+v, %+v", gotE, gotV, e, v)
		}
	})
}

func TestVector(t *testing.T) {
	v, w := Vector{"eu": 5, "us": 2}, Vector{"eu": 5}
	if !v.Covers(w) || w.Covers(v) || !v.Covers(nil) || (Vector)(nil).Covers(w) || !v.Covers(v) {
		t.Error("covers")
	}
	c := v.Clone()
	c["eu"] = 9
	if v["eu"] != 5 || (Vector)(nil).Clone() == nil {
		t.Error("a clone shares with its original")
	}
	if !slices.Equal(v.Origins(), []string{"eu", "us"}) {
		t.Error("origins")
	}
}

// tx returns a transaction that the callers below bend.
func tx(bend func(*Tx)) []byte {
	x := Tx{Num: 1, Stamp: hlc.Make(1, 0, 1), Actor: id.Derive("a"), Command: "c", Rows: []Row{
		{Table: "task", ID: id.Derive("1"), Cells: []Cell{{Col: "a", Val: V(1)}, {Col: "b", Val: V("x")}}}}}
	bend(&x)
	return x.Encode()
}

func TestDecodeRefuses(t *testing.T) {
	good := tx(func(*Tx) {})
	for _, c := range []struct {
		name string
		in   []byte
		kind fault.Kind
	}{
		{"empty", nil, fault.Invalid},
		{"future-version", append([]byte{2}, good[1:]...), fault.Invalid},
		{"cut", good[:len(good)-1], fault.Invalid},
		{"left-over", append(slices.Clone(good), 0), fault.Invalid},
		{"row-twice", tx(func(x *Tx) { x.Rows = append(x.Rows, x.Rows[0]) }), fault.Invalid},
		{"columns-out-of-order", tx(func(x *Tx) { slices.Reverse(x.Rows[0].Cells) }), fault.Invalid},
		{"column-twice", tx(func(x *Tx) { x.Rows[0].Cells[1] = x.Rows[0].Cells[0] }), fault.Invalid},
		{"column-without-name", tx(func(x *Tx) { x.Rows[0].Cells[0].Col = "" }), fault.Invalid},
		{"blank-in-name", tx(func(x *Tx) { x.Rows[0].Table = "a b" }), fault.Invalid},
		{"long-name", tx(func(x *Tx) { x.Command = strings.Repeat("c", NameBytesMax+1) }), fault.Invalid},
		{"not-utf8", tx(func(x *Tx) { x.Rows[0].Cells[1].Val.Text = "\xff" }), fault.Invalid},
		{"zero-byte", tx(func(x *Tx) { x.Rows[0].Cells[1].Val.Text = "a\x00b" }), fault.Invalid},
		{"long-text", tx(func(x *Tx) { x.Rows[0].Cells[1].Val.Text = strings.Repeat("x", TextBytesMax+1) }), fault.Invalid},
		{"unknown-type", tx(func(x *Tx) { x.Rows[0].Cells[0].Val.Type = 3 }), fault.Invalid},
		{"too-many-rows", tx(func(x *Tx) {
			for len(x.Rows) <= RowsMax {
				x.Rows = append(x.Rows, Row{Table: "t", ID: id.Derive(string(rune(len(x.Rows))))})
			}
		}), fault.Invalid},
		{"too-many-cells", tx(func(x *Tx) {
			x.Rows[0].Cells = nil
			for i := range CellsMax + 1 {
				x.Rows[0].Cells = append(x.Rows[0].Cells, Cell{Col: string([]byte{'a' + byte(i/26), 'a' + byte(i%26)})})
			}
		}), fault.Invalid},
		{"too-many-bytes", tx(func(x *Tx) {
			for i := range 3 {
				x.Rows = append(x.Rows, Row{Table: "t", ID: id.Derive("long", string(rune(i))), Cells: []Cell{{Col: "a", Val: V(strings.Repeat("x", TextBytesMax))}}})
			}
		}), fault.TooLarge},
	} {
		if _, err := Decode(c.in); fault.KindOf(err) != c.kind || err == nil {
			t.Errorf("%s: got %v, want %v", c.name, err, c.kind)
		}
	}
	for _, ok := range [][]byte{good,
		tx(func(x *Tx) { x.Command = strings.Repeat("c", NameBytesMax) }),
		tx(func(x *Tx) { x.Rows[0].Cells[1].Val.Text = strings.Repeat("x", TextBytesMax) }),
		tx(func(x *Tx) { x.Rows = nil })} {
		if _, err := Decode(ok); err != nil {
			t.Errorf("at a bound: %v", err)
		}
	}
	zero := tx(func(x *Tx) { x.Rows[0].Cells = []Cell{{Col: "a", Base: hlc.Make(0, 0, 1)}} })
	zero[len(zero)-1] = 0
	if _, err := Decode(zero); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a base that is never: got %v", err)
	}
}

func TestVectorRefuses(t *testing.T) {
	for name, in := range map[string][]byte{
		"out-of-order": {2, 1, 'b', 1, 1, 'a', 1}, "twice": {2, 1, 'a', 1, 1, 'a', 1}, "cut": {1, 1, 'a'}, "too-long": append([]byte{OriginsMax + 1}, make([]byte, 300)...),
	} {
		r := pack.Reader{Buf: in}
		ReadVector(&r)
		if fault.KindOf(r.Close()) != fault.Invalid || r.Err() == nil {
			t.Errorf("%s: got %v", name, r.Err())
		}
	}
}

func TestValueOrderAndForms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := genValue.Draw(t, "a"), genValue.Draw(t, "b")
		if a.Compare(b) != -b.Compare(a) || (a.Compare(b) == 0) != (a == b) {
			t.Fatalf("%v, %v", a.Compare(b), b.Compare(a))
		}
		if V(a.Any()) != a || a.IsNull() != (a == Value{}) {
			t.Fatalf("%v does not survive as %v", a, a.Any())
		}
		j, err := json.Marshal(a)
		var back Value
		if err != nil || json.Unmarshal(j, &back) != nil || back != a {
			t.Fatalf("%v as JSON is %s, read as %v", a, j, back)
		}
	})
	for _, v := range []any{nil, true, 7, int64(math.MaxInt64), "x", id.Derive("x"), V(3)} {
		if V(v) != V(V(v).Any()) {
			t.Errorf("%v", v)
		}
	}
	for _, bad := range []string{"1.5", "1e3", "true", "{}", "[]", "99999999999999999999"} {
		var v Value
		if err := json.Unmarshal([]byte(bad), &v); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s is taken for a cell's value: %v", bad, v)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a float is no value of a cell")
		}
	}()
	V(1.5)
}
