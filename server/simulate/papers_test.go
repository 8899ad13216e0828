package simulate

import (
	"context"
	"strings"
	"testing"

	"holdfast/server/document"
)

func TestBM26_EveryPaperOfTheExample(t *testing.T) {
	got := map[string][]byte{}
	r, err := Play(context.Background(), strings.NewReader(Example), Options{Save: func(name string, b []byte) error { got[name] = b; return nil }})
	if err != nil {
		t.Fatal(text(err))
	}
	if want := 3 * (len(r.Invoices) + len(r.Notes)); len(got) != want {
		t.Errorf("got %d papers, want %d", len(got), want)
	}
	for name, b := range got {
		if !strings.HasSuffix(name, ".xml") {
			continue
		}
		if broken, err := document.Broken(b); err != nil || len(broken) > 0 {
			t.Errorf("%s: %v %v\n%s", name, broken, err, b)
		}
	}
}
