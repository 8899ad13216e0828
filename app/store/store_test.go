package store_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"holdfast/app/store"
	"holdfast/app/store/memory"
	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

// bench is a store on a replica in memory, with a clock that the test moves.
type bench struct {
	t       *testing.T
	s       *store.Store
	r       *memory.Replica
	at      time.Time
	rand    *rand.ChaCha8
	queue   []func()
	refused []port.Error
	me      id.ID
	project id.ID
	last    string // rank
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, at: time.UnixMilli(1_790_000_000_000), rand: rand.NewChaCha8([32]byte{1})}
	b.me, b.project = b.id(), b.id()
	tenant := b.id()
	b.r = memory.New(b.me, func() time.Time { return b.at })
	b.r.Apply(work.RenameWorkspace(tenant, "Harbor"), b.me, b.at)
	b.r.Apply(port.Edit{Rows: []port.EditRow{{Table: "member", ID: b.me, Set: map[string]change.Value{
		"name": change.V("Ana"), "role": change.V(work.Owner), "active": change.V(1), "color": change.V("teal")}}}}, b.me, b.at)
	b.r.Apply(work.NewProject(b.project, "Launch", "blue", "a0"), b.me, b.at)
	b.s = store.New(store.Config{Tenant: tenant, Person: b.me, Now: func() time.Time { return b.at }, Rand: b.rand,
		Connect:  func(hear func(port.Message)) store.Link { return b.r.Connect(hear) },
		Dispatch: func(f func()) { b.queue = append(b.queue, f) },
		Failed:   func(_ port.Edit, e port.Error) { b.refused = append(b.refused, e) }})
	b.s.Open()
	b.s.OpenView(store.View{Project: b.project})
	for _, st := range work.Statuses {
		b.s.SetWindow(st, 0, 50)
	}
	b.drain()
	return b
}

func (b *bench) id() id.ID { return id.New(b.at, b.rand) }

// drain takes all messages that have come.
func (b *bench) drain() {
	for len(b.queue) > 0 {
		f := b.queue[0]
		b.queue = b.queue[1:]
		f()
	}
}

func (b *bench) draft(title, status, rank string) work.TaskDraft {
	return work.TaskDraft{ID: b.id(), Project: b.project, Title: title, Status: status, Rank: rank, Author: b.me}
}

// add makes a task at the end of a status, elsewhere.
func (b *bench) add(title, status string) id.ID {
	n, _ := b.s.Total(status)
	rank, ok := b.s.RankAt(status, n, "")
	if !ok {
		b.t.Fatalf("no rank at %s/%d", status, n)
	}
	d := b.draft(title, status, rank)
	b.r.Apply(work.NewTask(d), b.me, b.at)
	b.drain()
	return d.ID
}

func (b *bench) titles(status string) (out []string) {
	for _, t := range b.s.Window(status).Tasks {
		out = append(out, t.Title)
	}
	return out
}

func (b *bench) want(status string, titles ...string) {
	b.t.Helper()
	got := b.titles(status)
	if len(got) != len(titles) {
		b.t.Fatalf("%s holds %q, want %q", status, got, titles)
	}
	for i := range got {
		if got[i] != titles[i] {
			b.t.Fatalf("%s holds %q, want %q", status, got, titles)
		}
	}
	if n, _ := b.s.Total(status); n != len(titles) {
		b.t.Fatalf("%s counts %d, want %d", status, n, len(titles))
	}
}

func TestAnEditIsShownBeforeTheWorkerAnswers(t *testing.T) {
	b := newBench(t)
	one := b.add("one", work.Todo)
	b.r.Hold()
	b.s.Do(work.RenameTask(one, "first"))
	b.want(work.Todo, "first")
	if got := b.s.Window(work.Todo).Tasks[0].Mark; got != port.Saving {
		t.Errorf("mark = %d, want %d (on this device)", got, port.Device)
	}
	if b.s.Waiting() != 1 {
		t.Errorf("waiting = %d, want 1", b.s.Waiting())
	}
	b.r.Release()
	b.drain()
	b.want(work.Todo, "first")
	b.r.Advance()
	b.r.Advance()
	b.drain()
	if got := b.s.Window(work.Todo).Tasks[0].Mark; got != port.Everywhere {
		t.Errorf("mark = %d, want %d (everywhere)", got, port.Everywhere)
	}
}

func TestARowDoesNotJumpBackWhenAnOlderResultComesLate(t *testing.T) {
	b := newBench(t)
	one := b.add("one", work.Todo)
	b.r.Hold()
	b.r.Apply(work.PrioritizeTask(one, work.High), b.me, b.at) // its result is on the way when the person renames
	b.s.Do(work.RenameTask(one, "first"))
	b.r.Release()
	for len(b.queue) > 0 {
		f := b.queue[0]
		b.queue = b.queue[1:]
		f()
		b.want(work.Todo, "first")
	}
}

func TestALaterResultWinsOverAnAnsweredEdit(t *testing.T) {
	b := newBench(t)
	one := b.add("one", work.Todo)
	b.s.Do(work.RenameTask(one, "first"))
	b.drain()
	b.r.Apply(work.RenameTask(one, "premier"), b.me, b.at)
	b.drain()
	b.want(work.Todo, "premier")
}

func TestAnEditThatTheDeviceCannotKeepIsTakenBack(t *testing.T) {
	b := newBench(t)
	one := b.add("one", work.Todo)
	b.r.Hold()
	b.r.Fail(&port.Error{Kind: fault.Denied, Detail: "not yours"})
	b.s.Do(work.RenameTask(one, "first"))
	b.want(work.Todo, "first")
	b.r.Release()
	b.drain()
	b.want(work.Todo, "one")
	if len(b.refused) != 1 || b.refused[0].Kind != fault.Denied {
		t.Errorf("told %v, want one fault of kind %s", b.refused, fault.Denied)
	}
}

// What the device has no room for can be done again when it has: only the page knows it until then.
func TestAnEditWithoutRoomIsMadeAgain(t *testing.T) {
	b := newBench(t)
	one := b.add("one", work.Todo)
	b.r.Fail(&port.Error{Kind: fault.Full, Detail: "no room"})
	b.s.Do(work.RenameTask(one, "first"))
	b.drain()
	b.want(work.Todo, "one")
	if len(b.refused) != 0 || b.s.Unkept() != 1 {
		t.Fatalf("told %v, and %d are not kept", b.refused, b.s.Unkept())
	}
	b.r.Fail(nil)
	b.s.Again()
	b.drain()
	b.want(work.Todo, "first")
	if b.s.Unkept() != 0 {
		t.Error("it is kept, and still counted")
	}
}

func TestMovingBetweenStatuses(t *testing.T) {
	b := newBench(t)
	b.add("one", work.Todo)
	two := b.add("two", work.Todo)
	b.add("three", work.Todo)
	b.add("a", work.Doing)
	b.add("b", work.Doing)
	rank, ok := b.s.RankAt(work.Doing, 1, two)
	if !ok {
		t.Fatal("no rank between loaded neighbours")
	}
	b.r.Hold()
	b.s.Do(work.MoveTask(two, work.Doing, rank))
	b.want(work.Todo, "one", "three")
	b.want(work.Doing, "a", "two", "b")
	b.r.Release()
	b.drain()
	b.want(work.Todo, "one", "three")
	b.want(work.Doing, "a", "two", "b")
}

func TestReorderingWithinAStatus(t *testing.T) {
	b := newBench(t)
	one := b.add("one", work.Todo)
	b.add("two", work.Todo)
	b.add("three", work.Todo)
	for _, c := range []struct {
		place int
		want  []string
	}{{2, []string{"two", "three", "one"}}, {0, []string{"one", "two", "three"}}, {1, []string{"two", "one", "three"}}} {
		rank, ok := b.s.RankAt(work.Todo, c.place, one)
		if !ok {
			t.Fatalf("no rank at %d", c.place)
		}
		b.s.Do(work.MoveTask(one, "", rank))
		b.want(work.Todo, c.want...)
		b.drain()
		b.want(work.Todo, c.want...)
	}
}

func TestANewTaskAppearsOnceAndTrashTakesItAway(t *testing.T) {
	b := newBench(t)
	b.add("one", work.Todo)
	b.r.Hold()
	rank, _ := b.s.RankAt(work.Todo, 0, "")
	d := b.draft("zero", work.Todo, rank)
	b.s.Do(work.NewTask(d))
	b.want(work.Todo, "zero", "one")
	b.r.Release()
	b.drain()
	b.want(work.Todo, "zero", "one")
	b.r.Hold()
	b.s.Do(work.TrashTask(d.ID, b.at.UnixMilli()))
	b.want(work.Todo, "one")
	b.r.Release()
	b.drain()
	b.want(work.Todo, "one")
}

func TestAWindowInTheMiddleKeepsItsPlaces(t *testing.T) {
	b := newBench(t)
	var ids []id.ID
	for i := range 30 {
		ids = append(ids, b.add(string(rune('a'+i)), work.Todo))
	}
	b.s.SetWindow(work.Todo, 10, 10)
	b.drain()
	if w := b.s.Window(work.Todo); w.Offset != 10 || len(w.Tasks) != 10 || w.Total != 30 || w.Tasks[0].ID != ids[10] {
		t.Fatalf("window = %d+%d of %d", w.Offset, len(w.Tasks), w.Total)
	}
	if _, ok := b.s.RankAt(work.Todo, 3, ""); ok {
		t.Error("a rank between neighbours that are not loaded")
	}
	b.r.Hold()
	rank, ok := b.s.RankAt(work.Todo, 12, "")
	if !ok {
		t.Fatal("no rank between loaded neighbours")
	}
	d := b.draft("new", work.Todo, rank)
	b.s.Do(work.NewTask(d))
	if at := b.s.Window(work.Todo).Place(d.ID); at != 12 {
		t.Errorf("new task at %d, want 12", at)
	}
	before := b.draft("before", work.Todo, "Zz")
	b.s.Do(work.NewTask(before))
	if w := b.s.Window(work.Todo); w.Offset != 11 || w.Total != 32 {
		t.Errorf("a task before the window: offset %d of %d, want 11 of 32", w.Offset, w.Total)
	}
}

func TestFilterKeepsTasksOutAtOnce(t *testing.T) {
	b := newBench(t)
	one := b.add("one", work.Todo)
	b.s.OpenView(store.View{Project: b.project, Filter: port.Filter{Assignee: port.Nobody}})
	b.s.SetWindow(work.Todo, 0, 50)
	b.drain()
	b.want(work.Todo, "one")
	b.r.Hold()
	b.s.Do(work.AssignTask(one, b.me))
	b.want(work.Todo)
}

func TestDetailAndLabelsAndComments(t *testing.T) {
	b := newBench(t)
	one, label := b.add("one", work.Todo), b.id()
	b.s.OpenDetail(one)
	if d, complete := b.s.Detail(); !d.Found || complete || d.Task.Title != "one" {
		t.Errorf("before the answer: found %t complete %t title %q, want the row", d.Found, complete, d.Task.Title)
	}
	b.drain()
	b.r.Hold()
	b.s.Do(work.NewLabel(label, "bug", "red"))
	b.s.Do(work.LabelTask(one, label, true))
	b.s.Do(work.NewComment(b.id(), one, b.me, "hello"))
	b.s.Do(work.DescribeTask(one, "why"))
	check := func() {
		t.Helper()
		d, _ := b.s.Detail()
		if len(d.Task.Labels) != 1 || d.Task.Labels[0] != label || len(d.Comments) != 1 || d.Comments[0].Body != "hello" || d.Description != "why" {
			t.Fatalf("detail = %+v", d)
		}
		if l, ok := b.s.Label(label); !ok || l.Name != "bug" {
			t.Fatalf("label = %+v", l)
		}
	}
	check()
	b.r.Release()
	for len(b.queue) > 0 {
		f := b.queue[0]
		b.queue = b.queue[1:]
		f()
		check()
	}
}

func TestProjectsKeepTheirOrder(t *testing.T) {
	b := newBench(t)
	second := b.id()
	rank, _ := b.s.ProjectRankAt(1, "")
	b.s.Do(work.NewProject(second, "Second", "red", rank))
	names := func() string {
		f, _ := b.s.Frame()
		var out string
		for _, p := range f.Projects {
			out += p.Name + " "
		}
		return out
	}
	if got := names(); got != "Launch Second " {
		t.Errorf("projects %q", got)
	}
	rank, _ = b.s.ProjectRankAt(0, second)
	b.s.Do(work.MoveProject(second, rank))
	if got := names(); got != "Second Launch " {
		t.Errorf("projects %q", got)
	}
	b.s.Do(work.TrashProject(second, 1))
	b.drain()
	if got := names(); got != "Launch " {
		t.Errorf("projects %q", got)
	}
}

func TestAnswersOfAClosedViewAreDropped(t *testing.T) {
	b := newBench(t)
	b.add("one", work.Todo)
	b.r.Hold()
	b.s.SetWindow(work.Todo, 0, 20)
	b.s.OpenView(store.View{Project: b.id()})
	b.s.SetWindow(work.Todo, 0, 20)
	b.r.Release()
	b.drain()
	b.want(work.Todo)
}

// A part goes over the answer for which it was made; over any other one, the whole is asked for.
func TestPartsGoOverTheAnswerBefore(t *testing.T) {
	b := newBench(t)
	b.add("one", work.Todo)
	two := b.s.Window(work.Todo).Tasks[0]
	two.ID, two.Title, two.Rank = b.id(), "two", "zz"
	watch := 3 + slices.Index(work.Statuses, work.Todo) // after the frame and the counts
	hear := func(seq int64, runs ...port.Run) {
		body, err := json.Marshal(port.TasksResult{Status: work.Todo, Total: 2, Tasks: []port.Task{two}, Runs: runs, Seq: seq})
		if err != nil {
			t.Fatal(err)
		}
		b.s.Hear(port.Message{Results: []port.Result{{Watch: watch, Body: body}}})
		b.drain()
	}
	hear(1, port.Run{0, 1}, port.Run{port.Fresh, 1})
	b.want(work.Todo, "one", "two")
	hear(9, port.Run{port.Fresh, 1}, port.Run{1, 1})
	b.want(work.Todo, "one") // what the replica in memory has
}
