package operator

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"holdfast/server/hubdb"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type world struct {
	*Service
	t   *testing.T
	now time.Time
}

func newWorld(t *testing.T) *world {
	db, err := hubdb.Open(t.Context(), t.TempDir())
	must(t, err)
	t.Cleanup(func() { db.Close() })
	w := &world{t: t, now: time.Date(2026, 11, 11, 9, 0, 0, 0, time.UTC)}
	w.Service = New(Config{DB: db, Now: func() time.Time { return w.now }, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	return w
}

func (w *world) person(name string) id.ID {
	p := id.New(w.now, rand.Reader)
	_, err := w.cfg.DB.Exec("INSERT INTO person (id, name, created_ms) VALUES (?, ?, 1)", p, name)
	must(w.t, err)
	return p
}

func (w *world) link() string {
	l, err := w.Invite(w.t.Context())
	must(w.t, err)
	return l.Code
}

func TestLinksWorkOnceAndForAWhile(t *testing.T) {
	w := newWorld(t)
	ana, bo := w.person("Ana"), w.person("Bo")
	code := w.link()
	w.now = w.now.Add(linkTTL - time.Millisecond)
	must(t, w.Look(t.Context(), code))
	must(t, w.Accept(t.Context(), ana, " "+strings.ToUpper(code)+" "))
	if err := w.Accept(t.Context(), bo, code); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a used link: %v", err)
	}
	code = w.link()
	w.now = w.now.Add(linkTTL)
	for _, err := range []error{w.Look(t.Context(), code), w.Accept(t.Context(), bo, code)} {
		if fault.KindOf(err) != fault.NotFound {
			t.Errorf("a link of 15 minutes ago: %v", err)
		}
	}
	must(t, w.Admit(t.Context(), ana))
	for _, p := range []id.ID{bo, "", "nobody"} {
		if err := w.Admit(t.Context(), p); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%q: %v", p, err)
		}
	}
}

func TestOperatorsAreBounded(t *testing.T) {
	w := newWorld(t)
	for i := range operatorsMax {
		must(t, w.Accept(t.Context(), w.person(fmt.Sprint("P", i)), w.link()))
	}
	code := w.link()
	if err := w.Accept(t.Context(), w.person("Bo"), code); fault.KindOf(err) != fault.Limit {
		t.Errorf("one more: %v", err)
	}
	must(t, w.Look(t.Context(), code)) // what failed used nothing up
}

func TestAuditIsAppendOnlyAndPaged(t *testing.T) {
	w := newWorld(t)
	ana := w.person("Ana")
	for i := range EntriesMax + 5 {
		must(t, w.Audit(t.Context(), ana, "invoice.void", fmt.Sprint("ws", i%2), strings.Repeat("x", textMax+1)))
	}
	first, err := w.Entries(t.Context(), "", 0, 1000)
	must(t, err)
	rest, err := w.Entries(t.Context(), "", first[len(first)-1].N, 1000)
	must(t, err)
	if len(first) != EntriesMax || len(rest) != 5 || first[0].N != EntriesMax+5 || first[0].Name != "Ana" || len(first[0].Detail) != textMax {
		t.Errorf("%d and %d, the first %+v", len(first), len(rest), first[0])
	}
	one, err := w.Entries(t.Context(), "ws1", 0, 3)
	must(t, err)
	if len(one) != 3 || one[0].Subject != "ws1" {
		t.Errorf("%+v", one)
	}
	for _, s := range []string{"UPDATE audit SET person = 'x'", "DELETE FROM audit"} {
		if _, err := w.cfg.DB.Exec(s); err == nil {
			t.Errorf("%s was done", s)
		}
	}
}
