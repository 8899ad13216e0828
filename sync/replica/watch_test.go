package replica_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"holdfast/sync/change"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

func taskID(i int) id.ID { return id.Derive("task", fmt.Sprint(i)) }

// fill has n tasks in the garden, every third one done.
func (d *device) fill(n int) {
	d.t.Helper()
	for i := range n {
		status := work.Todo
		if i%3 == 0 {
			status = work.Done
		}
		d.do(work.NewTask(work.TaskDraft{ID: taskID(i), Project: garden, Title: fmt.Sprintf("Task %d", i), Status: status, Rank: fmt.Sprintf("a0%04dV", i), Author: d.member}))
	}
}

func TestWatchesAnswerOnceAndOnlyWhatChanged(t *testing.T) {
	e := newEdge(t, "eu")
	a, b := newDevice(t, ana, 1), newDevice(t, bo, 2)
	a.sync(e)
	a.garden()
	a.fill(60)
	a.sync(e)
	b.sync(e)
	got := map[int][]port.Result{}
	watches := map[int]port.Query{
		1: {Kind: port.Frame}, 2: {Kind: port.Tasks, Project: garden, Status: work.Todo, Limit: 10}, 3: {Kind: port.Counts, Project: garden},
		4: {Kind: port.Detail, Task: taskID(1)}, 5: {Kind: port.Trash}, 6: {Kind: port.Attention}, 7: {Kind: "nonsense"},
		8: {Kind: port.Tasks, Status: work.Todo, Filter: port.Filter{Text: "task 5"}},
	}
	for n, query := range watches {
		b.Watch(n, query, func(r port.Result) { got[n] = append(got[n], r) })
	}
	expect := func(why string, numbers ...int) {
		t.Helper()
		if len(b.runs) > 1 {
			t.Fatalf("%s: scheduled %d times", why, len(b.runs))
		}
		b.tick()
		want := map[int]bool{}
		for _, n := range numbers {
			want[n] = true
			if len(got[n]) != 1 {
				t.Errorf("%s: watch %d (%s) answered %d times", why, n, watches[n].Kind, len(got[n]))
			}
		}
		for n := range got {
			if !want[n] {
				t.Errorf("%s: watch %d (%s) answered for nothing", why, n, watches[n].Kind)
			}
		}
		clear(got)
	}
	if len(b.runs) != 1 {
		t.Fatalf("scheduled %d times", len(b.runs))
	}
	b.tick()
	if len(got) != 8 || got[7][0].Error == nil || got[1][0].Error != nil {
		t.Fatalf("first answers: %+v", got)
	}
	clear(got)
	expect("nothing")
	b.do(work.RenameTask(taskID(59), "Task out of every window"))
	expect("a title far away", 8) // Task 59 matched the filter
	b.do(work.NewComment(id.Derive("c"), taskID(1), bo, "Hello"))
	expect("a comment on the watched task", 2, 4)
	b.do(work.RenameTask(taskID(2), "In the window"))
	expect("a title in the window", 2)
	b.do(work.SetStatus(taskID(50), work.Done))
	expect("a task done", 1, 2, 3, 8)
	b.push(e)
	expect("marks", 2, 4)
	for i := range 40 {
		a.do(work.SetStatus(taskID(i), work.Review))
	}
	a.sync(e)
	b.pull(e)
	expect("a burst", 1, 2, 3, 4, 8)
	b.do(work.TrashTask(taskID(45), 1))
	expect("a task in Trash", 1, 3, 5)
	b.Unwatch(1)
	b.do(work.RestoreTask(taskID(45)))
	expect("a task restored", 3, 5)
}

// The small table of counts is always what counting gives.
func TestTallyIsWhatCountingGives(t *testing.T) {
	e, d := newEdge(t, "eu"), newDevice(t, ana, 1)
	d.sync(e)
	d.garden()
	yard := id.Derive("yard")
	d.do(work.NewProject(yard, "Yard", "red", "a0W"))
	d.fill(30)
	d.do(work.TrashTask(taskID(1), 1))
	d.do(work.SetStatus(taskID(1), work.Doing))
	d.do(work.RestoreTask(taskID(1)))
	d.do(work.TrashTask(taskID(2), 1))
	d.do(work.MoveTaskTo(taskID(4), yard, "a0V"))
	d.sync(e)
	const count = "SELECT coalesce(group_concat(project || status || n, ' '), '') FROM (SELECT project, CASE WHEN deleted IS NULL THEN status ELSE 'trash' END AS status, count(*) AS n FROM task WHERE born = 1 GROUP BY 1, 2 ORDER BY 1, 2)"
	const tally = "SELECT coalesce(group_concat(project || status || n, ' '), '') FROM (SELECT * FROM tally WHERE n <> 0 ORDER BY 1, 2)"
	var want, got string
	must(t, d.db.QueryRow(count).Scan(&want))
	must(t, d.db.QueryRow(tally).Scan(&got))
	if got != want || want == "" {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
	all := ask[port.CountsResult](d, port.Query{Kind: port.Counts}).Counts
	filtered := ask[port.CountsResult](d, port.Query{Kind: port.Counts, Filter: port.Filter{Assignee: port.Nobody}}).Counts
	if fmt.Sprint(all) != fmt.Sprint(filtered) {
		t.Fatalf("counted %v and %v", all, filtered)
	}
	d.do(work.TrashProject(yard, 2))
	if n := ask[port.CountsResult](d, port.Query{Kind: port.Counts}).Counts[work.Todo]; n != all[work.Todo]-1 {
		t.Fatalf("%d open tasks with a project in Trash, %d before", n, all[work.Todo])
	}
}

func TestFilters(t *testing.T) {
	e, d := newEdge(t, "eu"), newDevice(t, ana, 1)
	d.sync(e)
	d.garden()
	label := id.Derive("label")
	d.do(work.NewLabel(label, "urgent", "red"))
	titles := []string{"Größe messen", "grösse schätzen", "100% sure", "100 sure", "ÄPFEL pflücken"}
	for i, title := range titles {
		draft := work.TaskDraft{ID: taskID(i), Project: garden, Title: title, Status: work.Todo, Rank: fmt.Sprintf("b00%dV", i), Author: ana, Priority: i}
		if i == 1 {
			draft.Assignee, draft.Labels = ana, []id.ID{label}
		}
		d.do(work.NewTask(draft))
	}
	for _, c := range []struct {
		name   string
		filter port.Filter
		want   []int
	}{
		{"text-any-case", port.Filter{Text: "gRÖ"}, []int{0, 1}},
		{"text-capital", port.Filter{Text: "äpfel"}, []int{4}},
		{"text-percent", port.Filter{Text: "100%"}, []int{2}},
		{"text-ascii", port.Filter{Text: "SURE"}, []int{2, 3}},
		{"assignee", port.Filter{Assignee: ana}, []int{1}},
		{"label", port.Filter{Label: label}, []int{1}},
		{"priority", port.Filter{Priority: work.Low}, []int{4}},
		{"both", port.Filter{Label: label, Text: "sure"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			d.t = t
			r := ask[port.TasksResult](d, port.Query{Kind: port.Tasks, Project: garden, Status: work.Todo, Filter: c.filter})
			var got []id.ID
			for _, task := range r.Tasks {
				got = append(got, task.ID)
			}
			var want []id.ID
			for _, i := range c.want {
				want = append(want, taskID(i))
			}
			if fmt.Sprint(got) != fmt.Sprint(want) || r.Total != len(want) {
				t.Fatalf("got %v of %d, want %v", got, r.Total, want)
			}
		})
	}
}

func TestDetailTellsTheWholeStory(t *testing.T) {
	e := newEdge(t, "eu")
	a, b := newDevice(t, ana, 1), newDevice(t, bo, 2)
	a.sync(e)
	a.garden()
	a.sync(e)
	b.sync(e)
	a.now, b.now, e.now = start.Add(1e9), start.Add(2e9), start.Add(3e9)
	a.do(work.RenameTask(fence, "Ana's"))
	b.do(work.RenameTask(fence, "Bo's"))
	a.sync(e)
	b.sync(e)
	a.sync(e)
	a.do(work.DescribeTask(fence, "Two coats."))
	a.do(work.NewComment(id.Derive("c"), fence, ana, "Red?"))
	a.do(work.EditComment(id.Derive("c"), "Blue?"))
	d := ask[port.DetailResult](a, port.Query{Kind: port.Detail, Task: fence})
	if !d.Found || d.Author != ana || d.CreatedMS != start.UnixMilli() || d.Description != "Two coats." || len(d.Comments) != 1 || !d.Comments[0].Edited || d.Comments[0].Mark != port.Device {
		t.Fatalf("got %+v", d)
	}
	type item struct {
		val       string
		lost, now bool
	}
	story := func(col string) (list []item) {
		for _, h := range d.History {
			if h.Col == col {
				list = append(list, item{h.Value.Text, h.Lost, h.Now})
			}
		}
		return list
	}
	if got := fmt.Sprint(story("title")); got != fmt.Sprint([]item{{"Paint the fence", false, false}, {"Ana's", true, false}, {"Bo's", false, true}}) {
		t.Fatalf("titles %v", got)
	}
	if got := fmt.Sprint(story("description")); got != fmt.Sprint([]item{{"Two coats.", false, true}}) {
		t.Fatalf("descriptions %v", got)
	}
	a.do(work.RenameTask(fence, "Mine"))
	d = ask[port.DetailResult](a, port.Query{Kind: port.Detail, Task: fence})
	if got := story("title"); len(got) != 4 || got[3] != (item{"Mine", false, true}) || got[2].now {
		t.Fatalf("titles %v", got)
	}
	if r := ask[port.DetailResult](a, port.Query{Kind: port.Detail, Task: id.Derive("none")}); r.Found {
		t.Fatal("found what is not there")
	}
	body, err := json.Marshal(change.V(nil))
	must(t, err)
	if string(body) != "null" {
		t.Fatalf("null is %s", body)
	}
}

func unnumbered(t *testing.T, r port.TasksResult) string {
	t.Helper()
	r.Seq = 0
	body, err := json.Marshal(r)
	must(t, err)
	return string(body)
}

// However people edit, and whatever the region refuses or brings: what a page puts together from the answers that came is
// what asking now gives.
func TestWindowsStayWhatAskingGives(t *testing.T) {
	e := newEdge(t, "eu")
	a, b := newDevice(t, ana, 1), newDevice(t, bo, 2)
	yard, label := id.Derive("yard"), id.Derive("label")
	a.sync(e)
	a.garden()
	a.do(work.NewProject(yard, "Yard", "red", "a0W"))
	a.do(work.NewLabel(label, "urgent", "red"))
	a.fill(40)
	a.sync(e)
	b.sync(e)
	var queries []port.Query
	for _, s := range []string{work.Todo, work.Done} {
		queries = append(queries, port.Query{Kind: port.Tasks, Project: garden, Status: s, Limit: 8}, port.Query{Kind: port.Tasks, Project: garden, Status: s, Offset: 4, Limit: 8},
			port.Query{Kind: port.Tasks, Project: yard, Status: s, Limit: 8}, port.Query{Kind: port.Tasks, Status: s, Limit: 8}, port.Query{Kind: port.Tasks, Status: s, Filter: port.Filter{Label: label}, Limit: 8})
	}
	queries = append(queries, port.Query{Kind: port.Frame}, port.Query{Kind: port.Counts, Project: garden}, port.Query{Kind: port.Counts}, port.Query{Kind: port.Trash, Limit: 8})
	had := make([]port.TasksResult, len(queries))
	said := make([]string, len(queries))
	parts := 0
	for n, query := range queries {
		b.Watch(n, query, func(r port.Result) {
			said[n] = string(r.Body)
			if query.Kind != port.Tasks {
				return
			}
			var got port.TasksResult
			must(t, json.Unmarshal(r.Body, &got))
			whole, ok := got.Over(had[n])
			if !ok {
				t.Fatalf("%s does not go over %d tasks", r.Body, len(had[n].Tasks))
			}
			if len(got.Runs) > 0 {
				parts++
			}
			had[n] = whole
			said[n] = unnumbered(t, whole)
		})
	}
	rng := rand.New(rand.NewPCG(3, 4))
	statuses, projects := []string{work.Todo, work.Done}, []id.ID{garden, yard}
	edit := func(d *device) {
		task, rank := taskID(rng.IntN(44)), fmt.Sprintf("a0%04dV", rng.IntN(40))
		_ = d.try([]port.Edit{ // some are refused: a task that is not there
			work.RenameTask(task, fmt.Sprint("Title ", rng.IntN(3))), work.SetStatus(task, statuses[rng.IntN(2)]), work.MoveTask(task, statuses[rng.IntN(2)], rank),
			work.MoveTaskTo(task, projects[rng.IntN(2)], rank), work.TrashTask(task, 1), work.RestoreTask(task), work.LabelTask(task, label, rng.IntN(2) == 0),
			work.NewComment(id.New(d.now, d.rnd), task, d.member, "Hello"), work.TrashProject(yard, 1), work.RestoreProject(yard), work.RenameLabel(label, fmt.Sprint("label ", rng.IntN(3))),
			work.NewTask(work.TaskDraft{ID: task, Project: projects[rng.IntN(2)], Title: "New", Status: statuses[rng.IntN(2)], Rank: rank, Author: d.member}),
		}[rng.IntN(12)])
	}
	for step := range 300 {
		e.roles[bo] = work.Member
		switch rng.IntN(6) {
		case 0:
			edit(a)
			a.sync(e)
		case 1:
			if rng.IntN(3) == 0 {
				e.roles[bo] = work.Viewer // what waits is refused
			}
			b.push(e)
		case 2:
			b.pull(e)
		case 3:
			must(t, b.Everywhere(t.Context(), b.Cursor()))
		default:
			edit(b)
		}
		if rng.IntN(3) > 0 {
			continue // answered together with the next
		}
		b.tick()
		for n, query := range queries {
			var fresh string
			b.Watch(1000, query, func(r port.Result) {
				fresh = string(r.Body)
				if query.Kind == port.Tasks {
					var whole port.TasksResult
					must(t, json.Unmarshal(r.Body, &whole))
					fresh = unnumbered(t, whole)
				}
			})
			b.tick()
			b.Unwatch(1000)
			if said[n] != fresh {
				t.Fatalf("step %d, %+v:\nthe page has %s\nwant         %s", step, query, said[n], fresh)
			}
		}
	}
	if parts < 50 {
		t.Errorf("only %d answers were parts", parts)
	}
}
