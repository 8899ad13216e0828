package page

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/api"
	"holdfast/app/route"
	"holdfast/app/store"
	"holdfast/app/store/memory"
	"holdfast/sync/change"
	"holdfast/sync/crdt"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestSpanAndWant(t *testing.T) {
	for _, c := range []struct{ top, seen, margin, y, h, n, from, to int }{
		{0, 400, 320, 40, 40, 100, 0, 18}, {0, 400, 0, 40, 40, 100, 0, 10}, {1000, 400, 320, 40, 40, 100, 16, 43}, {0, 400, 320, 5000, 40, 100, 0, 0}, {9000, 400, 320, 0, 40, 100, 0, 0},
		{0, 400, 320, 0, 40, 0, 0, 0},
	} {
		if from, to := span(c.top, c.seen, c.margin, c.y, c.h, c.n); from != c.from || to != c.to {
			t.Errorf("span(%+v) = %d, %d", c, from, to)
		}
	}
	offset, limit := want(0, 20, 0, 0, 100_000)
	if offset != 0 || limit < 20 {
		t.Fatalf("at first %d+%d is asked for", offset, limit)
	}
	asks := 0
	for from := 0; from < 100_000-20; from += 5 {
		o, l := want(from, from+20, offset, limit, 100_000)
		if o != offset || l != limit {
			asks++
		}
		if offset, limit = o, l; from < o || from+20 > o+l || l > store.WindowMax {
			t.Fatalf("for %d to %d, %d+%d is asked for", from, from+20, o, l)
		}
	}
	if asks > 2200 {
		t.Errorf("scrolling through 100,000 rows asks %d times", asks)
	}
}

func TestBannersSayWhatToDo(t *testing.T) {
	r := route.Route{Page: route.All, Tenant: id.Derive("t")}
	for name, c := range map[string]struct {
		st      port.Status
		waiting int
		out     bool
		want    []string
	}{
		"all-is-well":      {port.Status{Link: port.Online}, 3, false, nil},
		"offline-is-quiet": {port.Status{Link: port.Offline}, 3, false, nil},
		"signed-out-three": {port.Status{Link: port.SignedOut}, 3, false, []string{"Your 3 changes are kept on this device. Sign in to send them."}},
		"signed-out-one":   {port.Status{Link: port.Connecting}, 1, true, []string{"Your change is kept on this device. Sign in to send it."}},
		"signed-out":       {port.Status{Link: port.SignedOut}, 0, false, []string{"You are signed out."}},
		"corrupt-first":    {port.Status{Link: port.SignedOut, Problem: &port.Error{Kind: fault.Corrupt}}, 0, false, []string{"damaged", "You are signed out."}},
		"full":             {port.Status{Link: port.Online, Problem: &port.Error{Kind: fault.Full}}, 0, false, []string{"no room left"}},
		"in-memory":        {port.Status{Link: port.Online, Storage: port.Memory}, 0, false, []string{"closing every tab loses"}},
		"outbox-only":      {port.Status{Link: port.Online, Storage: port.Outbox}, 0, false, []string{"changes are kept until they are sent"}},
		"clock-behind":     {port.Status{Link: port.Online, OffsetMS: 3 * 3600_000}, 0, false, []string{"3 hours behind"}},
		"clock-ahead":      {port.Status{Link: port.Online, OffsetMS: -365 * 24 * 3600_000}, 0, false, []string{"365 days ahead"}},
		"clock-nearly":     {port.Status{Link: port.Online, OffsetMS: 1500}, 0, false, nil},
		"removed":          {port.Status{Link: port.Removed}, 2, false, []string{"no longer a member"}},
	} {
		got := banners(c.st, c.waiting, 0, c.out, r)
		if len(got) != len(c.want) {
			t.Errorf("%s: %d banners, want %d: %+v", name, len(got), len(c.want), got)
			continue
		}
		for i, b := range got {
			if !strings.Contains(b.Text, c.want[i]) {
				t.Errorf("%s: banner %d is %q, want %q in it", name, i, b.Text, c.want[i])
			}
		}
	}
}

func TestBannerForWhatIsNotKept(t *testing.T) {
	for unkept, want := range map[int]string{1: "your last change, and it is not kept", 3: "your last 3 changes, and they are not kept"} {
		got := banners(port.Status{Link: port.Online, Problem: &port.Error{Kind: fault.Full}}, 0, unkept, false, route.Route{})
		if len(got) != 1 || !strings.Contains(got[0].Text, want) || got[0].Act != "keep" {
			t.Errorf("%d: %+v", unkept, got)
		}
	}
}

func TestLinkWords(t *testing.T) {
	for want, c := range map[string]struct {
		st      port.Status
		waiting int
	}{
		"All changes sent":                          {port.Status{Link: port.Online}, 0},
		"All changes sent, on their way everywhere": {port.Status{Link: port.Online, Behind: true}, 0},
		"Sending 2 changes":                         {port.Status{Link: port.Online}, 2},
		"Offline · 1 change kept here":              {port.Status{Link: port.Offline}, 1},
		"Connecting":                                {port.Status{Link: port.Connecting}, 0},
		"Signed out · 12 changes kept here":         {port.Status{Link: port.SignedOut}, 12},
	} {
		if got := linkWords(c.st, c.waiting); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestDatesAsPeopleTypeThem(t *testing.T) {
	for text, want := range map[string]string{"24 Dec": "2026-12-24", "24 december": "2026-12-24", "Jan 5": "2027-01-05", "2027-02-03": "2027-02-03", "1.12.": "2026-12-01", "23 Nov": "2026-11-23", "soon": "", "31 Feb": ""} {
		o, ok := freeDate(text, noon)
		if ok != (want != "") || o.Key != want {
			t.Errorf("freeDate(%q) = %q, %t; want %q", text, o.Key, ok, want)
		}
	}
}

func TestACorrectedChangeKeepsEverythingElse(t *testing.T) {
	x := port.AttentionItem{Command: "task.create", Rows: work.NewTask(work.TaskDraft{ID: "a", Title: "old", Status: work.Todo, Project: "p", Rank: "a0", Author: "m"}).Rows}
	col, ok := editable(x)
	if !ok || col != "title" {
		t.Fatalf("editable column %q, %t", col, ok)
	}
	e := corrected(x, col, "new")
	if e.Rows[0].Set["title"] != change.V("new") || e.Rows[0].Set["status"] != change.V(work.Todo) || len(e.Rows[0].Set) != len(x.Rows[0].Set) {
		t.Errorf("corrected row %+v", e.Rows[0])
	}
	if x.Rows[0].Set["title"] != change.V("old") {
		t.Error("the refused change itself was changed")
	}
}

// No key may mean two things, and each in the list of shortcuts must do something.
func TestShortcutsAreDistinct(t *testing.T) {
	for _, s := range keySections() {
		seen := map[string]string{}
		for _, k := range s.keys {
			keys := strings.Join(k.keys, " ")
			if other, twice := seen[keys]; twice {
				t.Errorf("%s: %s is %q and %q", s.name, keys, other, k.what)
			}
			seen[keys] = k.what
		}
	}
}

func TestEveryCommandHasWords(t *testing.T) {
	for _, e := range []port.Edit{work.NewTask(work.TaskDraft{}), work.RenameTask("a", "b"), work.DescribeTask("a", "b"), work.AssignTask("a", "b"), work.PrioritizeTask("a", 1),
		work.DueTask("a", ""), work.SetStatus("a", ""), work.MoveTask("a", "", ""), work.MoveTaskTo("a", "", ""), work.SetTask("a", nil), work.TrashTask("a", 1), work.RestoreTask("a"),
		work.LabelTask("a", "b", true), work.LabelTask("a", "b", false), work.NewProject("a", "", "", ""), work.RenameProject("a", ""), work.ColorProject("a", ""), work.MoveProject("a", ""),
		work.TrashProject("a", 1), work.RestoreProject("a"), work.NewLabel("a", "", ""), work.RenameLabel("a", ""), work.ColorLabel("a", ""), work.TrashLabel("a", 1), work.RestoreLabel("a"),
		work.NewComment("a", "b", "c", ""), work.EditComment("a", ""), work.TrashComment("a", 1), work.RestoreComment("a"), work.RenameWorkspace("a", "")} {
		if commandWords(e.Command) == "Change" {
			t.Errorf("%s has no words", e.Command)
		}
	}
}

// stage is an App over a replica in memory, with n tasks in To do, drawn by go-app without a browser.
func stage(tb testing.TB, n int) (*App, *memory.Replica, app.TestEngine, []id.ID) {
	tb.Helper()
	rng := rand.NewChaCha8([32]byte{3})
	me, tenant, project := id.New(noon, rng), id.New(noon, rng), id.New(noon, rng)
	r := memory.New(me, func() time.Time { return noon })
	r.Quiet(work.RenameWorkspace(tenant, "Harbor"), me, noon)
	r.Quiet(port.Edit{Rows: []port.EditRow{{Table: "member", ID: me, Set: map[string]change.Value{"name": change.V("Ana"), "role": change.V(work.Owner), "active": change.V(1), "color": change.V("teal")}}}}, me, noon)
	r.Quiet(work.NewProject(project, "Launch", "blue", "a0V"), me, noon)
	ranks, err := crdt.Spread("", "", n, rng)
	if err != nil {
		tb.Fatal(err)
	}
	tasks := make([]id.ID, n)
	for i, rank := range ranks {
		tasks[i] = id.New(noon, rng)
		r.Quiet(work.NewTask(work.TaskDraft{ID: tasks[i], Project: project, Title: fmt.Sprintf("Task %d", i), Status: work.Todo, Rank: rank, Author: me}), me, noon)
	}
	a := NewApp(Config{Connect: func(_, _ id.ID, hear func(port.Message)) store.Link { return r.Connect(hear) }, Now: func() time.Time { return noon }, After: func(time.Duration, func()) {}, Rand: rng})
	a.me, a.who = &api.Me{Person: api.Person{ID: me, Name: "Ana"}}, whoKnown
	a.route = route.Route{Page: route.Project, Tenant: tenant, Project: project}
	e := app.NewTestEngine()
	a.arrive()
	redraw(tb, e, a)
	redraw(tb, e, a) // the first drawing asks for the tasks
	return a, r, e, tasks
}

// redraw has the list drawn again, as a dispatch does.
func redraw(tb testing.TB, e app.TestEngine, a *App) {
	tb.Helper()
	if err := e.Load(&List{App: a, Route: a.route, Rev: a.Rev(store.Frame, store.Tasks)}); err != nil {
		tb.Fatal(err)
	}
	e.ConsumeAll()
}

// listed draws a list and gives its rows as they go to the browser.
func listed(a *App) string {
	list := &List{App: a, Route: a.route}
	list.Render()
	var b strings.Builder
	for i := range list.lanes {
		b.WriteString(list.lanes[i].text())
	}
	return b.String()
}

func TestAListShowsItsTasks(t *testing.T) {
	a, _, _, tasks := stage(t, 300)
	html := listed(a)
	if !strings.Contains(html, "Task 0") || strings.Contains(html, "Task 100") {
		t.Errorf("the first view holds Task 0 %t, Task 100 %t; want only what is seen", strings.Contains(html, "Task 0"), strings.Contains(html, "Task 100"))
	}
	a.store.Do(work.RenameTask(tasks[0], "Renamed"))
	if html = listed(a); !strings.Contains(html, "Renamed") {
		t.Error("an edit is not in the next drawing")
	}
}

// Only what looks different is sent again, and a new element gets everything.
func TestALaneSendsWhatIsNew(t *testing.T) {
	a, _, _, tasks := stage(t, 30)
	list := &List{App: a, Route: a.route}
	lane := &list.lanes[slices.Index(listOrder, work.Todo)]
	sent := func() (rows int) {
		list.Render()
		for _, row := range strings.Split(lane.text(), "\x1e") {
			if strings.HasSuffix(row, ">") {
				rows++
			}
		}
		lane.flush()
		return rows
	}
	if n := sent(); n < 20 {
		t.Errorf("at first %d rows are sent", n)
	}
	if n := sent(); n != 0 {
		t.Errorf("%d rows are sent again", n)
	}
	a.store.Do(work.RenameTask(tasks[2], "Renamed"))
	if n := sent(); n != 1 {
		t.Errorf("%d rows are sent for one that changed", n)
	}
}

func BenchmarkRenameOneOfManyRows(b *testing.B) {
	a, r, e, tasks := stage(b, 300)
	r.Hold()
	b.ResetTimer()
	for i := range b.N {
		a.store.Do(work.RenameTask(tasks[3], fmt.Sprint("name ", i)))
		redraw(b, e, a)
	}
}

func TestAmountOf(t *testing.T) {
	for _, c := range []struct {
		unit string
		n    int64
		want string
	}{{"storage-byte-hours", 0, "0 bytes"}, {"storage-byte-hours", 1, "less than 1 KB"}, {"storage-byte-hours", 729_999, "less than 1 KB"}, {"storage-byte-hours", 730_000, "1.0 KB"},
		{"egress-bytes", 999, "999 bytes"}, {"connected-seconds", 3599, "59 min"}, {"connected-seconds", 7200, "2 h"}, {"changes", 1234, "1,234"},
		{"rule-nanoseconds", 0, "0 ms"}, {"rule-nanoseconds", 1, "less than 1 ms"}, {"rule-nanoseconds", 2_500_000, "2 ms"}, {"rule-nanoseconds", 61e9, "1 min"}, {"rule-nanoseconds", 59e9, "59 s"}, {"rule-nanoseconds", 7200e9, "2 h"}} {
		if got := amountOf(c.unit, c.n); got != c.want {
			t.Errorf("amountOf(%s, %d) = %q, want %q", c.unit, c.n, got, c.want)
		}
	}
}

func TestOutlook(t *testing.T) {
	for _, c := range []struct {
		u     api.BillingUsage
		want  string
		grows bool
	}{
		{api.BillingUsage{Unit: "changes", Used: 2, Forecast: 8, Limit: 9}, "about 8 by the end of the month · limit: 9", true},
		{api.BillingUsage{Unit: "storage-byte-hours", Used: 13, Forecast: 400_000}, "less than 1 KB by the end of the month", false},
		{api.BillingUsage{Unit: "connected-seconds", Used: 1, Forecast: 30}, "about 0 min by the end of the month", false},
		{api.BillingUsage{Unit: "seat-hours", Used: 72, Forecast: 720, Soft: true, Limit: 1000}, "about 720 h by the end of the month · included: 1,000 h", true},
	} {
		if got, grows := outlook(c.u); got != c.want || grows != c.grows {
			t.Errorf("outlook(%+v) = %q, %t", c.u, got, grows)
		}
	}
}
