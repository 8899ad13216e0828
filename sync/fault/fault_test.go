package fault

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

// The numbers cross the wire and lie in databases: a kind keeps its number for ever.
func TestKindsKeepTheirNumbers(t *testing.T) {
	want := []string{"other", "invalid", "denied", "not-found", "conflict", "expired", "too-large", "limit",
		"unavailable", "behind", "busy", "full", "corrupt", "unsupported"}
	if len(want) > int(kindsEnd) {
		t.Fatal("a kind was removed")
	}
	for i, w := range want {
		if got := Kind(i).String(); got != w {
			t.Errorf("kind %d is %q, was %q", i, got, w)
		}
	}
	if len(names) != int(kindsEnd) {
		t.Errorf("%d names for %d kinds", len(names), kindsEnd)
	}
	if Kind(200).Known() || Kind(200).String() != "kind-200" || Kind(200).Temporary() {
		t.Error("a kind of a newer peer is not treated as unknown")
	}
}

func TestChain(t *testing.T) {
	inner := Errorf("a.Read", TooLarge, "The title is %d bytes.", 9)
	err := Wrap("b.Do", fmt.Errorf("context: %w", inner))
	if KindOf(err) != TooLarge || DetailOf(err) != "The title is 9 bytes." {
		t.Errorf("got %v, %q", KindOf(err), DetailOf(err))
	}
	outer := E("c.Serve", Unavailable, err)
	if KindOf(outer) != Unavailable || DetailOf(outer) != "The title is 9 bytes." {
		t.Errorf("the outermost kind counts and the detail is kept: got %v, %q", KindOf(outer), DetailOf(outer))
	}
	if !errors.Is(As("d", Other, io.EOF), io.EOF) {
		t.Error("the cause is lost")
	}
	if Wrap("x", nil) != nil || As("x", Invalid, nil) != nil {
		t.Error("nil must stay nil")
	}
	if KindOf(io.EOF) != Other || DetailOf(io.EOF) != "" || DetailOf(nil) != "" {
		t.Error("a foreign error has no kind and no detail to show")
	}
	if got, want := err.Error(), "b.Do: too-large: The title is 9 bytes.: context: a.Read: too-large: The title is 9 bytes."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
