package id

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/sync/fault"
)

func TestTextRoundTripKeepsOrder(t *testing.T) {
	bits := rapid.Custom(func(t *rapid.T) (b [16]byte) {
		copy(b[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes"))
		return b
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := bits.Draw(t, "a"), bits.Draw(t, "b")
		back, err := ParseText(Text(a))
		if err != nil || back != a {
			t.Fatalf("got %x, %v; want %x", back, err, a)
		}
		if strings.Compare(Text(a), Text(b)) != bytes.Compare(a[:], b[:]) {
			t.Fatal("text and bits sort differently")
		}
	})
}

func TestNew(t *testing.T) {
	at := time.UnixMilli(1_764_000_123_456)
	i := New(at, bytes.NewReader(bytes.Repeat([]byte{0xff}, 16)))
	if i != "01kav9kjj0fzzvzzzzzzzzzzzz" {
		t.Errorf("got %s", i) // a golden id: the format may not change
	}
	b := i.Bytes()
	if b[6]>>4 != 7 || b[8]>>6 != 2 || !i.Time().Equal(at) || len(i) != Len || !i.Valid() {
		t.Errorf("%x is not a UUIDv7 of %v", b, at)
	}
	if later := New(at.Add(time.Millisecond), bytes.NewReader(make([]byte, 16))); later <= i {
		t.Errorf("%s was made after %s and sorts before", later, i)
	}
	defer func() {
		if recover() == nil {
			t.Error("no randomness must not give an id")
		}
	}()
	New(at, bytes.NewReader(nil))
}

func TestDerive(t *testing.T) {
	if got := Derive("task_label", "a", "b"); got != "1t8j5y0k6mgsh9ebvma3yezcjn" {
		t.Errorf("got %s", got) // golden: replicas of all versions must name the same row
	}
	if Derive("ab", "c") == Derive("a", "bc") || Derive("a") == Derive("a", "") {
		t.Error("different parts give one id")
	}
	if !Derive().Valid() {
		t.Error("not an id")
	}
}

func TestParseRefuses(t *testing.T) {
	good := string(Derive("x"))
	for _, bad := range []string{"", good[1:], good + "0", "8" + good[1:], "i" + good[1:], good[:25] + "U", strings.ToUpper(good), good[:24] + "é", "../../etc/passwd/0000000000"} {
		if _, err := Parse(bad); fault.KindOf(err) != fault.Invalid || ID(bad).Valid() {
			t.Errorf("%q is taken for an id", bad)
		}
	}
	if ID("nonsense").Bytes() != [16]byte{} {
		t.Error("a malformed id has bits")
	}
}
