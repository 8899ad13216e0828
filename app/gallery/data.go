package gallery

import (
	"time"

	"holdfast/sync/change"
	"holdfast/sync/crdt"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

// People and places of the gallery.
var (
	Tenant  = id.Derive("gallery", "workspace")
	Ana     = id.Derive("gallery", "ana")
	Bo      = id.Derive("gallery", "bo")
	Chidi   = id.Derive("gallery", "chidi")
	Mei     = id.Derive("gallery", "mei")
	Website = id.Derive("gallery", "website")
	Mobile  = id.Derive("gallery", "mobile")
	Hiring  = id.Derive("gallery", "hiring")
	Harbor  = id.Derive("gallery", "harbor")
	Open    = id.Derive("gallery", "task", "0") // a task with everything
)

var labelNames = [][2]string{{"bug", "red"}, {"design", "violet"}, {"content", "teal"}, {"quick win", "green"}, {"waits on client", "amber"}}

func label(i int) id.ID { return id.Derive("gallery", "label", labelNames[i][0]) }

type sample struct {
	title    string
	project  id.ID
	status   string
	priority int
	who      id.ID
	due      string
	labels   []int
}

var samples = []sample{
	{"Rewrite the pricing page around three clear plans", Website, work.Doing, work.High, Ana, "2026-11-24", []int{1, 2}},
	{"Header jumps on slow connections", Website, work.Doing, work.Urgent, Bo, "2026-11-20", []int{0}},
	{"Photo shoot at the harbor: list of motifs", Website, work.Doing, work.NoPriority, Mei, "", []int{2}},
	{"Contact form answers within two seconds", Website, work.Review, work.Medium, Bo, "2026-11-23", []int{3}},
	{"Case study: the ferry timetable", Website, work.Review, work.NoPriority, Chidi, "2026-12-02", []int{2, 4}},
	{"Move the blog to the new templates", Website, work.Todo, work.High, Bo, "2026-11-27", nil},
	{"Accessible color pairs for charts", Website, work.Todo, work.Medium, Ana, "", []int{1}},
	{"Write the release note for the new booking flow", Website, work.Todo, work.NoPriority, "", "2026-11-30", []int{2}},
	{"Footer links to the old imprint", Website, work.Todo, work.Low, Chidi, "", []int{0, 3}},
	{"A title that is much longer than a line can hold, because somebody pasted the whole sentence from an e-mail and pressed Enter without looking back at it", Website, work.Todo, work.NoPriority, "", "", []int{0, 1, 2, 3, 4}},
	{"Search across articles and case studies", Website, work.Backlog, work.Medium, "", "", nil},
	{"Newsletter sign-up without cookies", Website, work.Backlog, work.Low, "", "", []int{4}},
	{"Compare static hosts in three regions", Website, work.Backlog, work.NoPriority, Bo, "", nil},
	{"Print style sheet for case studies", Website, work.Backlog, work.NoPriority, "", "", nil},
	{"Kick-off with the client", Website, work.Done, work.NoPriority, Ana, "2026-11-02", nil},
	{"Inventory of all pages and who owns them", Website, work.Done, work.Medium, Chidi, "2026-11-10", []int{2}},
	{"Carousel on the front page", Website, work.Canceled, work.Low, "", "", []int{1}},
	{"Offline map tiles", Mobile, work.Doing, work.High, Chidi, "2026-12-10", nil},
	{"Crash when the timetable is empty", Mobile, work.Todo, work.Urgent, Bo, "2026-11-25", []int{0}},
	{"Larger touch targets in settings", Mobile, work.Backlog, work.NoPriority, "", "", []int{1, 3}},
	{"Interview plan for the support role", Hiring, work.Todo, work.Medium, Ana, "2026-11-26", nil},
	{"Job ad in Portuguese", Hiring, work.Review, work.NoPriority, Mei, "", []int{2}},
}

// seed fills the replica as a workspace of some weeks.
func (w *world) seed() {
	r := w.replica
	at := Noon.AddDate(0, 0, -20)
	if w.state == "loading" {
		return
	}
	r.Apply(work.RenameWorkspace(Tenant, "Harbor Studio"), Ana, at)
	role := work.Owner
	if w.state == "viewer" {
		role = work.Viewer
	}
	for _, m := range []struct {
		id                id.ID
		name, role, color string
	}{{Ana, "Ana Duarte", role, "teal"}, {Bo, "Bo Lindqvist", work.Admin, "orange"}, {Chidi, "Chidi Okafor", work.Member, "violet"}, {Mei, "Mei Tanaka", work.Viewer, "pink"}} {
		r.Apply(port.Edit{Command: "member", Rows: []port.EditRow{{Table: "member", ID: m.id, Set: map[string]change.Value{
			"name": change.V(m.name), "role": change.V(m.role), "active": change.V(1), "color": change.V(m.color)}}}}, Ana, at)
	}
	if w.state == "new" {
		return
	}
	ranks, err := crdt.Spread("", "", 60, w.rand)
	if err != nil {
		panic(err)
	}
	for i, p := range []struct {
		id          id.ID
		name, color string
	}{{Website, "Website relaunch", "blue"}, {Mobile, "Mobile app", "violet"}, {Hiring, "Hiring", "green"}, {Harbor, "Harbor festival", "amber"}} {
		r.Apply(work.NewProject(p.id, p.name, p.color, ranks[i]), Ana, at)
	}
	for i, l := range labelNames {
		r.Apply(work.NewLabel(label(i), l[0], l[1]), Ana, at)
	}
	for i, s := range samples {
		d := work.TaskDraft{ID: taskID(i), Project: s.project, Title: s.title, Status: s.status, Priority: s.priority, Assignee: s.who, Due: s.due, Rank: ranks[i], Author: Ana}
		for _, l := range s.labels {
			d.Labels = append(d.Labels, label(l))
		}
		r.Apply(work.NewTask(d), Ana, at.Add(time.Duration(i)*time.Hour))
	}
	w.tell()
	if w.state == "refused" {
		r.Refuse(work.NewComment(id.Derive("c"), Open, Ana, "The photos from Tuesday are in the shared folder."), fault.Denied, "viewers may not comment", samples[0].title)
		r.Refuse(work.RenameTask(taskID(5), "Move the blog"), fault.Conflict, "", samples[5].title)
	}
	if w.state == "many" {
		w.many(2000)
	}
	// What is still on its way.
	r.SetStatus(func(s *port.Status) {
		s.People = []port.Person{{Member: Ana, View: "project/" + string(Website), Me: true}, {Member: Bo, View: "task/" + string(Open)}, {Member: Mei, View: "project/" + string(Website)}}
	})
}

func taskID(i int) id.ID { return id.Derive("gallery", "task", string(rune('0'+i))) }

// tell gives the open task a description, comments, a past, and a lost value; and two rows that are not everywhere yet.
func (w *world) tell() {
	r, day := w.replica, 24*time.Hour
	r.Apply(work.DescribeTask(Open, "Three plans, one sentence each about who they are for.\n\nThe table of features goes below the fold; prices are read from the catalog and never written by hand."), Ana, Noon.Add(-6*day))
	r.Apply(work.NewComment(id.Derive("gallery", "comment", "1"), Open, Bo, "The numbers in the draft are last year's. I put the new ones into the catalog."), Bo, Noon.Add(-26*time.Hour))
	r.Apply(work.NewComment(id.Derive("gallery", "comment", "2"), Open, Ana, "Thank you! I will take them from there.\nOne question is left: do we show prices with or without tax to visitors from outside the EU?"), Ana, Noon.Add(-3*time.Hour))
	r.Apply(work.NewComment(id.Derive("gallery", "comment", "3"), taskID(5), Chidi, "Templates are ready."), Chidi, Noon.Add(-3*time.Hour))
	r.Lose(Open, "title", change.V("Pricing page: three plans and a calculator"), Bo, Noon.Add(-5*time.Hour))
	deleted := taskID(50)
	r.Apply(work.NewTask(work.TaskDraft{ID: deleted, Project: Website, Title: "Countdown to the festival", Status: work.Todo, Rank: "a1", Author: Bo}), Bo, Noon.Add(-9*day))
	r.Apply(work.TrashTask(deleted, Noon.Add(-2*day).UnixMilli()), Bo, Noon.Add(-2*day))
	old := id.Derive("gallery", "old")
	r.Apply(work.NewProject(old, "Spring catalog", "pink", "a2"), Bo, Noon.Add(-90*day))
	r.Apply(work.TrashProject(old, Noon.Add(-10*day).UnixMilli()), Bo, Noon.Add(-10*day))
	r.Do(work.PrioritizeTask(taskID(8), work.Medium), port.Region)
	r.Do(work.DueTask(taskID(6), "2026-12-01"), port.Device)
}

// many fills the backlog, to scroll.
func (w *world) many(n int) {
	ranks, err := crdt.Spread("", "", n, w.rand)
	if err != nil {
		panic(err)
	}
	for i, rank := range ranks {
		w.replica.Quiet(work.NewTask(work.TaskDraft{ID: id.Derive("many", rank), Project: Website, Title: "Imported task " + string(rune('A'+i%26)) + rank, Status: work.Statuses[i%6], Priority: i % 5, Rank: rank, Author: Ana}), Ana, Noon)
	}
}
