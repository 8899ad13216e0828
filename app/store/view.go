package store

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"holdfast/sync/crdt"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

// View is which tasks the open list or board is about. It is comparable.
type View struct {
	Project id.ID // empty: every project
	Filter  port.Filter
}

// Window is the loaded part of one status: Tasks[0] is at place Offset of Total.
type Window struct {
	Loaded bool
	Offset int
	Total  int
	Tasks  []port.Task
}

// At is the task at a place, if it is loaded.
func (w Window) At(place int) (port.Task, bool) {
	if i := place - w.Offset; i >= 0 && i < len(w.Tasks) {
		return w.Tasks[i], true
	}
	return port.Task{}, false
}

// Place is where a task is, or -1.
func (w Window) Place(task id.ID) int {
	for i, t := range w.Tasks {
		if t.ID == task {
			return w.Offset + i
		}
	}
	return -1
}

type window struct {
	watch         int
	offset, limit int // asked for
	base, now     Window
	last          port.TasksResult
}

type view struct {
	open    bool
	key     View
	counts  shown[port.CountsResult]
	windows map[string]*window
}

// OpenView watches the counts of a list or board; windows follow by SetWindow. Opening the open one does nothing.
func (s *Store) OpenView(v View) {
	v.Filter.Text = strings.ToValidUTF8(v.Filter.Text[:min(len(v.Filter.Text), findTextMax)], "")
	if s.view.open && s.view.key == v {
		return
	}
	s.CloseView()
	s.view = view{open: true, key: v, windows: map[string]*window{}}
	s.view.counts.watch = s.watch(port.Query{Kind: port.Counts, Project: v.Project, Filter: v.Filter}, Tasks,
		func(b []byte) error { return fill(&s.view.counts, b) })
	s.revs[Tasks]++
}

// CloseView stops watching tasks.
func (s *Store) CloseView() {
	s.unwatch(s.view.counts.watch)
	for _, w := range s.view.windows {
		s.unwatch(w.watch)
	}
	s.view = view{}
}

// ViewKey is the open view.
func (s *Store) ViewKey() View { return s.view.key }

// SetWindow asks for places offset to offset+limit of a status.
func (s *Store) SetWindow(status string, offset, limit int) {
	offset, limit = max(offset, 0), min(limit, WindowMax)
	w := s.view.windows[status]
	if !s.view.open || (w != nil && w.offset == offset && w.limit == limit) {
		return
	}
	q := port.Query{Kind: port.Tasks, Project: s.view.key.Project, Filter: s.view.key.Filter, Status: status, Offset: offset, Limit: limit}
	if w != nil {
		w.offset, w.limit = offset, limit
		s.rewatch(w.watch, q)
		return
	}
	w = &window{offset: offset, limit: limit}
	s.view.windows[status] = w
	w.watch = s.watch(q, Tasks, func(b []byte) error {
		var r port.TasksResult
		if err := json.Unmarshal(b, &r); err != nil {
			return err
		}
		whole, ok := r.Over(w.last)
		if !ok {
			q.Offset, q.Limit = w.offset, w.limit
			s.rewatch(w.watch, q) // an answer was missed: the whole of it comes
			return fault.Errorf("store.SetWindow", fault.Conflict, "an answer over another one")
		}
		w.last = whole
		w.base = Window{Loaded: true, Offset: r.Offset, Total: r.Total, Tasks: whole.Tasks}
		return nil
	})
}

// Asked is which places of a status were asked for.
func (s *Store) Asked(status string) (offset, limit int) {
	if w := s.view.windows[status]; w != nil {
		return w.offset, w.limit
	}
	return 0, 0
}

// Window is the loaded part of a status as it is shown.
func (s *Store) Window(status string) Window {
	if w := s.view.windows[status]; w != nil {
		return w.now
	}
	return Window{}
}

// Total is how many tasks a status has, and whether that is known yet.
func (s *Store) Total(status string) (n int, known bool) {
	if w := s.Window(status); w.Loaded {
		return w.Total, true
	}
	return s.view.counts.base.Counts[status], s.view.counts.loaded
}

// FindTask is a loaded task of the open view, and its status.
func (s *Store) FindTask(task id.ID) (port.Task, bool) {
	for _, st := range work.Statuses {
		for _, t := range s.Window(st).Tasks {
			if t.ID == task {
				return t, true
			}
		}
	}
	if d := s.detail.now; d.Found && d.Task.ID == task {
		return d.Task, true
	}
	return port.Task{}, false
}

func (s *Store) showView() {
	for _, w := range s.view.windows {
		w.now = w.base
	}
	for _, p := range s.patches {
		for _, r := range p.edit.Rows {
			s.patchWindows(p, r)
		}
	}
}

// patchWindows lays one row of an edit over the windows: a task may leave one and enter another.
func (s *Store) patchWindows(p *patch, r port.EditRow) {
	if r.Table != "task" && r.Table != "task_label" {
		return
	}
	for _, st := range work.Statuses {
		w := s.view.windows[st]
		if w == nil || !w.now.Loaded || !s.over(p, w.watch) {
			continue
		}
		for i := range w.now.Tasks {
			t := &w.now.Tasks[i]
			if r.Table == "task" && t.ID != r.ID {
				continue
			}
			next, ok := patchTask(*t, r)
			if !ok {
				continue
			}
			w.now.Tasks = slices.Clone(w.now.Tasks)
			if next.Status == st && next.Rank == t.Rank && s.shows(next) {
				w.now.Tasks[i] = next
				return
			}
			w.now.Tasks = slices.Delete(w.now.Tasks, i, i+1)
			w.now.Total--
			s.enter(p, next)
			return
		}
	}
	if n, ok := newTask(p.edit); ok && n.ID == r.ID {
		s.enter(p, n)
	}
}

// enter puts a task into the window of its status, at its rank.
func (s *Store) enter(p *patch, t port.Task) {
	w := s.view.windows[t.Status]
	if w == nil || !w.now.Loaded || !s.over(p, w.watch) || !s.shows(t) || w.now.Place(t.ID) >= 0 {
		return
	}
	w.now.Total++
	i, _ := slices.BinarySearchFunc(w.now.Tasks, t, byRank)
	switch {
	case i == 0 && w.now.Offset > 0:
		w.now.Offset++
	case i == len(w.now.Tasks) && w.now.Offset+i < w.now.Total-1:
		// It lies behind what is loaded.
	default:
		w.now.Tasks = slices.Insert(slices.Clone(w.now.Tasks), i, t)
	}
}

func byRank(a, b port.Task) int {
	return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.ID, b.ID))
}

// shows tells whether the open view holds a task. What the filter's text means in other scripts than Latin is the
// worker's to say: its answer follows.
func (s *Store) shows(t port.Task) bool {
	k := s.view.key
	switch {
	case t.Deleted != 0,
		k.Project != "" && t.Project != k.Project,
		k.Filter.Priority != 0 && t.Priority != k.Filter.Priority,
		k.Filter.Assignee == port.Nobody && t.Assignee != "",
		k.Filter.Assignee != "" && k.Filter.Assignee != port.Nobody && t.Assignee != k.Filter.Assignee,
		k.Filter.Label != "" && !slices.Contains(t.Labels, k.Filter.Label):
		return false
	}
	return k.Filter.Text == "" || strings.Contains(strings.ToLower(t.Title), strings.ToLower(k.Filter.Text))
}

// RankAt is a rank for a task that shall stand at a place of a status, places counted without that task. ok is false when
// the neighbours are not loaded.
func (s *Store) RankAt(status string, place int, moving id.ID) (rank string, ok bool) {
	w := s.Window(status)
	if !w.Loaded {
		return "", false
	}
	total := w.Total
	if at := w.Place(moving); at >= 0 {
		w.Tasks = slices.DeleteFunc(slices.Clone(w.Tasks), func(t port.Task) bool { return t.ID == moving })
		total--
	}
	place = max(0, min(place, total))
	before, okBefore := w.At(place - 1)
	after, okAfter := w.At(place)
	if (!okBefore && place > 0) || (!okAfter && place < total) {
		return "", false
	}
	rank, err := crdt.Between(before.Rank, after.Rank, s.cfg.Rand)
	return rank, err == nil
}

// AnyRank is a rank somewhere in the middle, for when no neighbours are known.
func (s *Store) AnyRank() string {
	rank, err := crdt.Between("", "", s.cfg.Rand)
	if err != nil {
		panic("store: a rank without bounds cannot fail: " + err.Error())
	}
	return rank
}

// ProjectRankAt is a rank for a project that shall stand at a place of the list, places counted without it.
func (s *Store) ProjectRankAt(place int, moving id.ID) (string, bool) {
	list := slices.DeleteFunc(slices.Clone(s.frame.now.Projects), func(p port.Project) bool { return p.ID == moving })
	place = max(0, min(place, len(list)))
	var lo, hi string
	if place > 0 {
		lo = list[place-1].Rank
	}
	if place < len(list) {
		hi = list[place].Rank
	}
	rank, err := crdt.Between(lo, hi, s.cfg.Rand)
	return rank, err == nil
}

// NewID is a name for a new row.
func (s *Store) NewID() id.ID { return id.New(s.cfg.Now(), s.cfg.Rand) }
