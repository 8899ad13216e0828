package page

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/browser"
	"holdfast/app/view"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

// placeOf is a task's status and place in the open view; place is -1 when it is not loaded.
func (a *App) placeOf(task id.ID) (status string, place int) {
	for _, st := range work.Statuses {
		if at := a.store.Window(st).Place(task); at >= 0 && task != "" {
			return st, at
		}
	}
	return "", -1
}

// moveBy moves a task up or down in its status.
func (a *App) moveBy(task id.ID, status string, place, by int) {
	total, _ := a.store.Total(status)
	to := place + by
	if !a.store.CanWrite() || place < 0 {
		return
	}
	if to < 0 || to >= total {
		a.say(pick(to < 0, "First", "Last") + " in " + view.StatusName(status) + ".")
		return
	}
	rank, ok := a.store.RankAt(status, to, task)
	if !ok {
		return
	}
	a.store.Do(work.MoveTask(task, "", rank))
	a.sayPlace(task)
	a.later(func() { focusSoon("t-" + string(task)) })
}

func (a *App) sayPlace(task id.ID) {
	if st, at := a.placeOf(task); at >= 0 {
		n, _ := a.store.Total(st)
		a.say("Moved to place " + strconv.Itoa(at+1) + " of " + strconv.Itoa(n) + " in " + view.StatusName(st) + ".")
	}
}

// shiftStatus moves a task to the status beside its own; its place follows from its rank.
func (a *App) shiftStatus(task id.ID, status string, by int) {
	to := indexOf(status) + by
	if !a.store.CanWrite() || status == "" || to < 0 || to >= len(work.Statuses) {
		return
	}
	a.store.Do(work.SetStatus(task, work.Statuses[to]))
	a.closed[work.Statuses[to]] = false
	a.at = task
	a.say("Moved to " + view.StatusName(work.Statuses[to]) + ".")
	a.later(func() { focusSoon("t-" + string(task)) })
}

// dropTask puts a dragged task at a place, counted with the task where it was.
func (a *App) dropTask(task id.ID, status string, place int) {
	from, at := a.placeOf(task)
	if !a.store.CanWrite() || at < 0 {
		return
	}
	if from == status {
		if at < place {
			place--
		}
		if at == place {
			return
		}
	}
	rank, ok := a.store.RankAt(status, place, task)
	switch {
	case ok:
		a.store.Do(work.MoveTask(task, pick(from == status, "", status), rank))
	case from != status:
		a.store.Do(work.SetStatus(task, status))
	default:
		return
	}
	a.at = task
	a.sayPlace(task)
}

// pickFor opens the list for one property of a task, under an element.
func (a *App) pickFor(task id.ID, what, anchor string) {
	t, ok := a.store.FindTask(task)
	if !ok || !a.store.CanWrite() {
		return
	}
	do := a.store.Do
	switch what {
	case "status":
		a.open(picker{Label: "Set status", Options: func() []option { return statusOptions(t.Status) },
			Pick: func(k string) {
				if k != t.Status {
					do(work.SetStatus(task, k))
				}
			}}, anchor)
	case "priority":
		a.open(picker{Label: "Set priority", Options: func() []option { return priorityOptions(t.Priority) },
			Pick: func(k string) {
				if p, err := strconv.Atoi(k); err == nil && p != t.Priority {
					do(work.PrioritizeTask(task, p))
				}
			}}, anchor)
	case "assignee":
		a.open(picker{Label: "Assign to", Options: func() []option {
			return append([]option{{Label: "Nobody", Sign: face(port.Member{}), On: t.Assignee == ""}}, a.memberOptions(t.Assignee)...)
		}, Pick: func(k string) {
			if id.ID(k) != t.Assignee {
				do(work.AssignTask(task, id.ID(k)))
			}
		}}, anchor)
	case "labels":
		a.pickLabels(task, anchor)
	case "due":
		a.open(picker{Label: "Due date, such as 24 Dec", Options: func() []option { return dueOptions(t.Due, a.Now()) }, Free: func(s string) (option, bool) { return freeDate(s, a.Now()) },
			Pick: func(k string) {
				if k != t.Due {
					do(work.DueTask(task, k))
				}
			}}, anchor)
	case "project":
		a.open(picker{Label: "Move to project", Options: func() []option { return a.projectOptions(t.Project) },
			Pick: func(k string) {
				if id.ID(k) != t.Project {
					do(work.MoveTaskTo(task, id.ID(k), t.Rank))
				}
			}}, anchor)
	}
}

func (a *App) pickLabels(task id.ID, anchor string) {
	s := a.store
	a.open(picker{Label: "Labels", Multi: true,
		Options: func() []option { t, _ := s.FindTask(task); return a.labelOptions(t.Labels) },
		Free: func(text string) (option, bool) {
			f, _ := s.Frame()
			for _, l := range f.Labels {
				if strings.EqualFold(l.Name, text) {
					return option{}, false
				}
			}
			return option{Key: "+" + text, Label: "Make the label “" + text + "”", Sign: sign("plus")}, len(text) <= work.NameBytesMax
		},
		Pick: func(k string) {
			if name, isNew := strings.CutPrefix(k, "+"); isNew {
				label := s.NewID()
				s.Do(work.NewLabel(label, name, a.nextColor()))
				s.Do(work.LabelTask(task, label, true))
				return
			}
			t, _ := s.FindTask(task)
			s.Do(work.LabelTask(task, id.ID(k), !slices.Contains(t.Labels, id.ID(k))))
		}}, anchor)
}

// nextColor goes round the colors, so that new things differ.
func (a *App) nextColor() string {
	f, _ := a.store.Frame()
	return work.Colors[1+(len(f.Labels)+len(f.Projects)*3)%(len(work.Colors)-1)]
}

func sign(icon string) func() app.UI { return func() app.UI { return view.Icon(icon) } }

func face(m port.Member) func() app.UI {
	return func() app.UI { return view.Avatar(m.Name, m.Color, "") }
}

func statusOptions(on string) (out []option) {
	for _, s := range work.Statuses {
		out = append(out, option{Key: s, Label: view.StatusName(s), On: s == on, Sign: func() app.UI { return view.StatusIcon(s) }})
	}
	return out
}

func priorityOptions(on int) (out []option) {
	for p := range work.Low + 1 {
		out = append(out, option{Key: strconv.Itoa(p), Label: view.PriorityName(p), On: p == on, Sign: func() app.UI { return view.PriorityIcon(p) }})
	}
	return out
}

func (a *App) memberOptions(on id.ID) (out []option) {
	f, _ := a.store.Frame()
	for _, m := range f.Members {
		if m.Active {
			out = append(out, option{Key: string(m.ID), Label: m.Name, On: m.ID == on, Sign: face(m), Hint: pick(m.ID == a.store.Person(), "you", "")})
		}
	}
	return out
}

func (a *App) labelOptions(on []id.ID) (out []option) {
	f, _ := a.store.Frame()
	for _, l := range f.Labels {
		out = append(out, option{Key: string(l.ID), Label: l.Name, On: slices.Contains(on, l.ID), Sign: func() app.UI { return app.Span().Class("dot c-" + l.Color) }})
	}
	return out
}

func (a *App) projectOptions(on id.ID) (out []option) {
	f, _ := a.store.Frame()
	for _, p := range f.Projects {
		out = append(out, option{Key: string(p.ID), Label: p.Name, On: p.ID == on, Sign: func() app.UI { return app.Span().Class("square c-" + p.Color) }})
	}
	return out
}

func dueOptions(on string, now time.Time) []option {
	day := func(label string, days int) option {
		d := now.AddDate(0, 0, days)
		return option{Key: d.Format(time.DateOnly), Label: label, Hint: d.Format("Mon 2 Jan"), On: d.Format(time.DateOnly) == on, Sign: sign("calendar")}
	}
	monday := (8 - int(now.Weekday())) % 7
	out := []option{day("Today", 0), day("Tomorrow", 1), day("Next Monday", or(monday, 7)), day("In two weeks", 14)}
	if on != "" {
		out = append([]option{{Key: "", Label: "No due date", Sign: sign("x")}}, out...)
	}
	return out
}

// freeDate reads a date as people type it; one that has passed this year is next year's.
func freeDate(s string, now time.Time) (option, bool) {
	for _, layout := range []string{time.DateOnly, "2 Jan 2006", "2 January 2006", "2 Jan", "2 January", "Jan 2", "January 2", "2.1.2006", "2.1."} {
		d, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		if d.Year() == 0 {
			d = d.AddDate(now.Year(), 0, 0)
			if d.Before(now.AddDate(0, 0, -1)) {
				d = d.AddDate(1, 0, 0)
			}
		}
		return option{Key: d.Format(time.DateOnly), Label: d.Format("Monday, 2 January 2006"), Sign: sign("calendar")}, true
	}
	return option{}, false
}

// trashTask puts a task into Trash, with the way back beside.
func (a *App) trashTask(task id.ID) {
	t, ok := a.store.FindTask(task)
	if !ok || !a.store.CanWrite() {
		return
	}
	a.nextAfter(task)
	a.store.Do(work.TrashTask(task, a.Now().UnixMilli()))
	if a.route.Task == task {
		a.Go(a.route.ToTask(""))
	}
	s := a.store
	a.toast("“"+short(t.Title)+"” is in Trash.", "Undo", func() { s.Do(work.RestoreTask(task)) })
}

// nextAfter gives the keyboard to the row after one that goes away.
func (a *App) nextAfter(task id.ID) {
	st, at := a.placeOf(task)
	w := a.store.Window(st)
	for _, p := range []int{at + 1, at - 1} {
		if t, ok := w.At(p); ok && at >= 0 {
			a.at = t.ID
			a.later(func() { focusSoon("t-" + string(t.ID)) })
			return
		}
	}
}

func short(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:38]) + "…"
	}
	return s
}

// startRename turns a row's title into a field.
func (a *App) startRename(task id.ID) {
	if !a.store.CanWrite() {
		return
	}
	if a.route.Task == task {
		browser.Focus("panel-title")
		browser.Select("panel-title")
		return
	}
	a.rename = task
	a.touch()
	dom := "rn-" + string(task)
	a.later(func() { browser.Focus(dom); browser.Select(dom) })
}

// endRename takes the field's text, or drops it.
func (a *App) endRename(task id.ID, title string, keep bool) {
	if a.rename != task || task == "" || keep && a.tooLong(title, work.TitleBytesMax) {
		return
	}
	a.rename = ""
	a.touch()
	if keep {
		a.retitle(task, title)
	}
}

func (a *App) retitle(task id.ID, title string) {
	title = strings.Join(strings.Fields(title), " ")
	t, ok := a.store.FindTask(task)
	if !ok || title == "" || title == t.Title {
		return
	}
	a.store.Do(work.RenameTask(task, title))
}

// tooLong tells a person that a text of at most so many bytes is longer. Fields do not bound what is pasted into them: they would
// cut it without a word.
func (a *App) tooLong(text string, most int) bool {
	if len(text) <= most {
		return false
	}
	if most == work.TitleBytesMax {
		a.toast("That title is too long and is not kept. Shorten it, and put the rest into the description.", "", nil)
	} else {
		a.toast("That text is too long and is not kept. About "+view.Number(int64(most/1000))+",000 letters fit. Shorten it, or split it up.", "", nil)
	}
	return true
}

// renameKey takes keys of a row's title field; true when e was one.
func (a *App) renameKey(e app.Event) bool {
	t := e.Get("target")
	if a.rename == "" || t.Get("id").String() != "rn-"+string(a.rename) {
		return false
	}
	task := a.rename
	switch key := e.Get("key").String(); {
	case key == "Enter" && !e.Get("isComposing").Bool():
		a.endRename(task, t.Get("value").String(), true)
	case key == "Escape":
		a.endRename(task, "", false)
	default:
		e.Call("stopPropagation")
		return true
	}
	e.PreventDefault()
	e.Call("stopPropagation")
	if a.rename != task {
		a.later(func() { focusSoon("t-" + string(task)) })
	}
	return true
}

func (a *App) renameBlur(ctx app.Context, e app.Event) {
	t := e.Get("target")
	if a.rename == "" || t.Get("id").String() != "rn-"+string(a.rename) {
		ctx.PreventUpdate()
		return
	}
	a.endRename(a.rename, t.Get("value").String(), true)
}
