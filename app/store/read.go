package store

import (
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

// Frame is what every page shows; ok is false until this device has rows to show. A new device answers with an empty
// frame while it fetches the workspace, and its status may come after its first answers: either of the two will do.
func (s *Store) Frame() (f port.FrameResult, ok bool) {
	return s.frame.now, s.frame.loaded && (s.frame.now.Workspace.ID != "" || s.status.Ready)
}

// Status is the replica's and the link's state.
func (s *Store) Status() port.Status { return s.status }

// Waiting is how many changes are on this device only, counting those the worker has not answered yet.
func (s *Store) Waiting() int { return s.status.Waiting + s.Saving() }

// Saving is how many changes the worker has not answered yet: they may not be on the disk.
func (s *Store) Saving() (n int) {
	for _, p := range s.patches {
		if p.answered.IsZero() {
			n++
		}
	}
	return n
}

// Project finds a project that is not in Trash.
func (s *Store) Project(of id.ID) (port.Project, bool) {
	for _, p := range s.frame.now.Projects {
		if p.ID == of {
			return p, true
		}
	}
	return port.Project{}, false
}

// Member finds a member; unknown ones have no name.
func (s *Store) Member(of id.ID) port.Member {
	for _, m := range s.frame.now.Members {
		if m.ID == of {
			return m
		}
	}
	return port.Member{ID: of, Color: "gray"}
}

// Label finds a label that was not deleted.
func (s *Store) Label(of id.ID) (port.Label, bool) {
	for _, l := range s.frame.now.Labels {
		if l.ID == of {
			return l, true
		}
	}
	return port.Label{}, false
}

// Role is this person's; Viewer until it is known, so that nothing is offered that would be refused.
func (s *Store) Role() string {
	if r := s.Member(s.cfg.Person).Role; r != "" {
		return r
	}
	return work.Viewer
}

// CanWrite and CanManage tell what this person may do here. The edge decides; this only hides what would be refused.
func (s *Store) CanWrite() bool  { return s.Role() != work.Viewer }
func (s *Store) CanManage() bool { r := s.Role(); return r == work.Owner || r == work.Admin }

// OpenDetail watches a task; the empty one closes.
func (s *Store) OpenDetail(task id.ID) {
	if s.detail.watch != 0 && s.detail.now.Task.ID == task && task != "" {
		return
	}
	s.unwatch(s.detail.watch)
	s.detail = shown[port.DetailResult]{}
	s.revs[Detail]++
	if task == "" {
		return
	}
	// Until the answer comes, the row that was opened is shown.
	for _, st := range work.Statuses {
		for _, t := range s.Window(st).Tasks {
			if t.ID == task {
				s.detail.base = port.DetailResult{Found: true, Task: t}
			}
		}
	}
	s.detail.now = s.detail.base
	s.detail.now.Task.ID = task
	s.detail.watch = s.watch(port.Query{Kind: port.Detail, Task: task}, Detail, func(b []byte) error { return fill(&s.detail, b) })
}

// Detail is the open task; complete is false while only its row is known.
func (s *Store) Detail() (d port.DetailResult, complete bool) { return s.detail.now, s.detail.loaded }

// OpenTrash and OpenAttention watch those lists, the Close ones stop.
func (s *Store) OpenTrash() {
	if s.trash.watch == 0 {
		q := port.Query{Kind: port.Trash, Limit: trashMax}
		s.trash.watch = s.watch(q, Trash, func(b []byte) error { return fill(&s.trash, b) })
	}
}

func (s *Store) CloseTrash() { s.unwatch(s.trash.watch); s.trash = shown[port.TrashResult]{} }

// Trash is what can be restored.
func (s *Store) Trash() (t port.TrashResult, ok bool) { return s.trash.now, s.trash.loaded }

func (s *Store) OpenAttention() {
	if s.attention.watch == 0 {
		s.attention.watch = s.watch(port.Query{Kind: port.Attention}, Attention, func(b []byte) error { return fill(&s.attention, b) })
	}
}

func (s *Store) CloseAttention() {
	s.unwatch(s.attention.watch)
	s.attention = shown[port.AttentionResult]{}
}

// Attention is what the region refused.
func (s *Store) Attention() (a port.AttentionResult, ok bool) {
	return s.attention.now, s.attention.loaded
}

// Retry pushes a refused change again; Discard gives it up.
func (s *Store) Retry(num uint64)   { s.ask(port.OpRetry, map[string]uint64{"num": num}) }
func (s *Store) Discard(num uint64) { s.ask(port.OpDiscard, map[string]uint64{"num": num}) }

// Looking tells the others where this person looks.
func (s *Store) Looking(view string) {
	s.send(port.Request{Op: port.OpView}, map[string]string{"view": view})
}

// Wake has the link checked now.
func (s *Store) Wake() { s.send(port.Request{Op: port.OpWake}, nil) }

// Rebuild throws the local rows away and fetches them again; waiting changes are kept.
func (s *Store) Rebuild() { s.ask(port.OpRebuild, nil) }

// SignOut closes the link; forget deletes this device's copy. done is called when the worker has done it.
func (s *Store) SignOut(forget bool, done func()) {
	s.ask(port.OpSignOut, map[string]bool{"forget": forget})
	s.after = map[int]func(){s.requests: done}
}
