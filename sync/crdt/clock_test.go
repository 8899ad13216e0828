package crdt

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"holdfast/sync/fault"
	"holdfast/sync/hlc"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestClockRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		marks := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Mark {
			if rapid.Bool().Draw(t, "never") {
				return Mark{}
			}
			return Mark{genStamp.Draw(t, "stamp"), rapid.Bool().Draw(t, "birth")}
		}), 0, ColumnsMax).Draw(t, "marks")
		got := make([]Mark, len(marks))
		if err := UnpackClock(PackClock(marks), got); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, marks) {
			t.Fatalf("got %v, want %v", got, marks)
		}
	})
}

var clocks = []struct {
	name  string
	marks []Mark
}{
	{"nothing", make([]Mark, 3)},
	{"created", []Mark{{hlc.Make(1000, 1, 7), true}, {hlc.Make(1000, 1, 7), true}, {}, {hlc.Make(1000, 1, 7), true}}},
	{"one-column-edited", []Mark{{hlc.Make(1000, 1, 7), true}, {hlc.Make(2000, 0, 8), false}, {}, {hlc.Make(1000, 1, 7), true}}},
	{"edit-without-creation", []Mark{{}, {hlc.Make(2000, 0, 8), false}, {}, {}}},
	{"created-twice", []Mark{{hlc.Make(1000, 1, 7), true}, {hlc.Make(900, 1, 7), true}}},
	{"column-63", append(make([]Mark, 63), Mark{hlc.Make(5, 0, 1), true})},
}

// The packed clock outlives programs: its bytes may not change.
func TestClockGolden(t *testing.T) {
	const file = "testdata/clock.golden"
	var b strings.Builder
	for _, c := range clocks {
		fmt.Fprintf(&b, "%s %x\n", c.name, PackClock(c.marks))
	}
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
}

func TestClockRefuses(t *testing.T) {
	one := strings.Repeat("00", 15) + "01"
	for _, c := range []struct {
		name, hex string
		kind      fault.Kind
	}{
		{"empty", "", fault.Corrupt},
		{"padded-number", "8000", fault.Corrupt},
		{"cut-in-birth", "01" + one[:30], fault.Corrupt},
		{"birth-that-is-never", "01" + strings.Repeat("00", 16), fault.Corrupt},
		{"cut-in-stamp", "0002" + one[:30], fault.Corrupt},
		{"stamp-that-is-never", "0002" + strings.Repeat("00", 16), fault.Corrupt},
		{"twice", "0002" + one + "02" + one, fault.Corrupt},
		{"out-of-order", "0004" + one + "02" + one, fault.Corrupt},
		{"also-in-the-set", "01" + one + "00" + one, fault.Corrupt},
		{"birth-outside-the-set", "0003" + one, fault.Corrupt},
		{"birth-set-not-the-earliest", "01" + strings.Repeat("00", 15) + "02" + "03" + one, fault.Corrupt},
		{"column-of-the-future-in-set", "08" + one, fault.Unsupported},
		{"column-of-the-future", "0006" + one, fault.Unsupported},
	} {
		b, err := hex.DecodeString(c.hex)
		if err != nil {
			t.Fatal(err)
		}
		if err := UnpackClock(b, make([]Mark, 3)); fault.KindOf(err) != c.kind {
			t.Errorf("%s: got %v, want %v", c.name, err, c.kind)
		}
	}
}

// Whatever is accepted is what PackClock would have written.
func FuzzUnpackClock(f *testing.F) {
	for _, c := range clocks {
		f.Add(PackClock(c.marks))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		marks := make([]Mark, 10)
		if err := UnpackClock(b, marks); err == nil && !bytes.Equal(PackClock(marks), b) {
			t.Fatalf("accepted %x, which packs as %x", b, PackClock(marks))
		}
	})
}
