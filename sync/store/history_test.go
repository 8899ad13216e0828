package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

// The cases that people argue about, as histories. Steps are divided by "|":
//
//	ana: create T1        a person does something on their own replica; each step is one second later
//	sync                  everything reaches everybody
//	bo gets ana 2         only ana's second change reaches bo
//	bo sees <text>        what bo's replica shows of T1, before whatever follows
//
// At the end everything reaches everybody, all replicas must be equal, and want is what they show.
var histories = []struct{ name, steps, want string }{
	{"different-columns-both-kept",
		"ana: create T1 | sync | ana: rename T1 Apples | bo: status T1 doing",
		"Apples doing; title: T1 ana, Apples ana now; status: todo ana, doing bo now"},
	{"same-column-later-wins-loser-kept",
		"ana: create T1 | sync | ana: rename T1 Apples | bo: rename T1 Pears",
		"Pears todo; title: T1 ana, Apples ana lost, Pears bo now"},
	{"same-column-knowingly-replaced",
		"ana: create T1 | sync | ana: rename T1 Apples | sync | bo: rename T1 Pears",
		"Pears todo; title: T1 ana, Apples ana, Pears bo now"},
	{"own-earlier-text-is-not-lost-again",
		"ana: create T1 | sync | ana: rename T1 A | ana: rename T1 B | bo: rename T1 C",
		"C todo; title: T1 ana, A ana, B ana lost, C bo now"},
	{"same-value-twice-loses-nothing",
		"ana: create T1 | sync | ana: status T1 done | bo: status T1 done",
		"T1 done; status: todo ana, done ana, done bo now"},
	{"loser-restored",
		"ana: create T1 | sync | ana: rename T1 A | bo: rename T1 B | sync | ana: rename T1 A",
		"A todo; title: T1 ana, A ana lost, B bo, A ana now"},
	{"delete-against-edit-stays-in-trash-with-both",
		"ana: create T1 | sync | ana: trash T1 | bo: rename T1 Still needed",
		"trash Still needed todo; title: T1 ana, Still needed bo now; deleted: 3000 ana now"},
	{"edit-then-delete-elsewhere",
		"ana: create T1 | sync | bo: rename T1 Still needed | ana: trash T1",
		"trash Still needed todo; title: T1 ana, Still needed bo now; deleted: 4000 ana now"},
	{"delete-and-restore",
		"ana: create T1 | sync | ana: trash T1 | sync | bo: restore T1",
		"T1 todo; deleted: 3000 ana, - bo now"},
	{"both-delete-one-restores",
		"ana: create T1 | sync | ana: trash T1 | bo: trash T1 | sync | ana: restore T1",
		"T1 todo; deleted: 3000 ana lost, 4000 bo, - ana now"},
	{"label-add-remove-add",
		"ana: create T1 | sync | ana: label T1 bug | sync | bo: unlabel T1 bug | sync | ana: label T1 bug",
		"T1 todo #bug"},
	{"label-added-by-both-removed-by-one",
		"ana: create T1 | sync | ana: label T1 bug | bo: label T1 bug | sync | bo: unlabel T1 bug",
		"T1 todo"},
	{"label-removed-by-both-then-added",
		"ana: create T1 | ana: label T1 bug | sync | ana: unlabel T1 bug | bo: unlabel T1 bug | sync | bo: label T1 bug",
		"T1 todo #bug"},
	{"label-removed-here-removed-and-added-there",
		"ana: create T1 | ana: label T1 bug | sync | ana: unlabel T1 bug | bo: unlabel T1 bug | bo: label T1 bug",
		"T1 todo #bug"},
	{"different-labels-both-kept",
		"ana: create T1 | sync | ana: label T1 bug | bo: label T1 ui",
		"T1 todo #bug #ui"},
	{"edit-before-creation-comes",
		"ana: create T1 | ana: rename T1 Apples | bo gets ana 2 | bo sees nothing | bo gets ana 1 | bo sees Apples todo",
		"Apples todo; title: T1 ana, Apples ana now"},
	{"all-backwards",
		"ana: create T1 | ana: rename T1 A | ana: rename T1 B | ana: trash T1 | bo gets ana 4 | bo gets ana 3 | bo gets ana 2 | bo sees nothing | bo gets ana 1 | bo sees trash B todo",
		"trash B todo; title: T1 ana, A ana, B ana now; deleted: 4000 ana now"},
	{"late-arrival-of-what-was-replaced-knowingly",
		"ana: create T1 | sync | ana: rename T1 A | cy gets ana 1 | bo gets ana 2 | bo: rename T1 B | cy gets bo 1 | cy sees B todo",
		"B todo; title: T1 ana, A ana, B bo now"},
	{"three-at-once",
		"ana: create T1 | sync | ana: rename T1 A | bo: rename T1 B | cy: rename T1 C",
		"C todo; title: T1 ana, A ana lost, B bo lost, C cy now"},
	{"description-first-written-by-both",
		"ana: create T1 | sync | ana: describe T1 red | bo: describe T1 blue",
		"T1 todo; description: red ana lost, blue bo now"},
}

func TestHistories(t *testing.T) {
	for _, h := range histories {
		t.Run(h.name, func(t *testing.T) {
			s := newStory(t)
			for step := range strings.SplitSeq(h.steps, "|") {
				s.step(strings.TrimSpace(step))
			}
			s.sync()
			for _, name := range people {
				if got := s.shows(name, true); got != h.want {
					t.Errorf("%s shows\n     %s\nwant %s", name, got, h.want)
				}
				if digest(t, s.people[name].db) != digest(t, s.people["ana"].db) {
					t.Errorf("%s's replica differs from ana's:\n%s\n%s", name, dump(t, s.people[name].db), dump(t, s.people["ana"].db))
				}
			}
		})
	}
}

var people = []string{"ana", "bo", "cy"}

type person struct {
	db    *sql.DB
	clock *hlc.Clock
	done  []change.Tx
}

type story struct {
	t      *testing.T
	now    time.Time
	people map[string]*person
	seen   map[string]map[hlc.Stamp]bool // by person
}

var project = id.Derive("project")

func newStory(t *testing.T) *story {
	s := &story{t: t, now: time.UnixMilli(0), people: map[string]*person{}, seen: map[string]map[hlc.Stamp]bool{}}
	base := change.Tx{Stamp: hlc.Make(1, 0, 99), Rows: mustBuild(t, open(t), work.NewProject(project, "Project", "gray", "a0"), work.NewLabel(id.Derive("bug"), "bug", "red"), work.NewLabel(id.Derive("ui"), "ui", "red"))}
	for _, p := range people {
		base.Rows = append(base.Rows, change.Row{Table: "member", ID: id.Derive(p), Cells: []change.Cell{{Col: "active", Val: change.V(1)},
			{Col: "color", Val: change.V("gray")}, {Col: "name", Val: change.V(p)}, {Col: "role", Val: change.V(work.Member)}}})
	}
	for i, p := range people {
		s.people[p] = &person{db: open(t), clock: hlc.NewClock(uint64(i+1), func() time.Time { return s.now }, hlc.Stamp{})}
		s.seen[p] = map[hlc.Stamp]bool{}
		merge(t, s.people[p].db, base)
	}
	return s
}

func mustBuild(t *testing.T, q Q, edits ...port.Edit) (out []change.Row) {
	t.Helper()
	for _, e := range edits {
		rows, err := Build(context.Background(), q, e.Rows)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, rows...)
	}
	return out
}

func (s *story) step(step string) {
	s.t.Helper()
	s.now = s.now.Add(time.Second)
	if step == "sync" {
		s.sync()
		return
	}
	if who, what, ok := strings.Cut(step, ": "); ok {
		s.do(who, what)
		return
	}
	w := strings.SplitN(step, " ", 3)
	switch w[1] {
	case "sees":
		if got := s.shows(w[0], false); got != w[2] {
			s.t.Errorf("%s sees %q, want %q", w[0], got, w[2])
		}
	case "gets":
		var from string
		var n int
		if _, err := fmt.Sscanf(w[2], "%s %d", &from, &n); err != nil {
			s.t.Fatal(err)
		}
		s.give(w[0], s.people[from].done[n-1])
	default:
		s.t.Fatalf("a step that nobody understands: %q", step)
	}
}

func (s *story) do(who, what string) {
	s.t.Helper()
	w := strings.SplitN(what, " ", 3)
	task, rest := id.Derive(w[1]), ""
	if len(w) == 3 {
		rest = w[2]
	}
	var e port.Edit
	switch w[0] {
	case "create":
		e = work.NewTask(work.TaskDraft{ID: task, Project: project, Title: w[1], Status: work.Todo, Rank: "a0", Author: id.Derive(who)})
	case "rename":
		e = work.RenameTask(task, rest)
	case "describe":
		e = work.DescribeTask(task, rest)
	case "status":
		e = work.SetStatus(task, rest)
	case "trash":
		e = work.TrashTask(task, s.now.UnixMilli())
	case "restore":
		e = work.RestoreTask(task)
	case "label", "unlabel":
		e = work.LabelTask(task, id.Derive(rest), w[0] == "label")
	}
	p := s.people[who]
	tx := change.Tx{Num: uint64(len(p.done) + 1), Stamp: p.clock.Now(), Actor: id.Derive(who), Command: e.Command, Rows: mustBuild(s.t, p.db, e)}
	if err := work.Check(tx, work.Member, Known(context.Background(), p.db)); err != nil {
		s.t.Fatal(err)
	}
	p.done = append(p.done, tx)
	s.give(who, tx)
}

func (s *story) give(who string, tx change.Tx) {
	p := s.people[who]
	p.clock.Observe(tx.Stamp)
	s.seen[who][tx.Stamp] = true
	merge(s.t, p.db, tx)
}

func (s *story) sync() {
	for i, to := range people {
		for j := range people {
			from := people[(i+j)%len(people)] // another order for everybody
			for _, tx := range s.people[from].done {
				if !s.seen[to][tx.Stamp] {
					s.give(to, tx)
				}
			}
		}
	}
}

// shows tells what a replica shows of T1, and of its history the columns that ever changed.
func (s *story) shows(who string, past bool) string {
	s.t.Helper()
	ctx, db, task := context.Background(), s.people[who].db, id.Derive("T1")
	r, _, err := Get(ctx, db, "task", task)
	if err != nil {
		s.t.Fatal(err)
	}
	if !r.Born() {
		return "nothing"
	}
	out := r.Value("title").Text + " " + r.Value("status").Text
	if !r.Value("deleted").IsNull() {
		out = "trash " + out
	}
	for _, l := range []string{"bug", "ui"} {
		on, _, err := Get(ctx, db, "task_label", work.TaskLabelID(task, id.Derive(l)))
		if err != nil {
			s.t.Fatal(err)
		}
		if on.Value("present").Int&1 == 1 {
			out += " #" + l
		}
	}
	if !past {
		return out
	}
	list, _, err := History(ctx, db, "task", task)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, col := range []string{"title", "status", "description", "deleted"} {
		out += s.line(col, list)
	}
	return out
}

func (s *story) line(col string, list []Past) string {
	var entries []string
	for _, p := range list {
		if p.Col != col {
			continue
		}
		val := fmt.Sprint(p.Val.Any())
		if p.Val.IsNull() {
			val = "-"
		}
		who := people[slices.IndexFunc(people, func(n string) bool { return id.Derive(n) == p.Actor })]
		e := val + " " + who
		if p.Lost {
			e += " lost"
		}
		if p.Now {
			e += " now"
		}
		entries = append(entries, e)
	}
	if len(entries) == 0 || len(entries) == 1 && (col == "title" || col == "status") {
		return ""
	}
	return "; " + col + ": " + strings.Join(entries, ", ")
}
