// Package store is the page's copy of what it shows: the answers of watched queries, and over them the edits that the
// worker has not answered yet, so that what a person does is on the screen within a frame.
//
// A Store belongs to the goroutine that draws. Edits are idempotent over results that hold them already; one covers the
// results of a watch until the first result that came after the edit's answer, so a row never jumps back. A refused edit
// is taken off at once.
package store

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"slices"
	"time"

	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/port"
)

// Topic is a part of the store that is drawn apart from the others.
type Topic uint8

const (
	Frame     Topic = iota // workspace, members, projects, labels
	Status                 // link, storage, people
	Tasks                  // the open list or board
	Detail                 // the open task
	Trash                  //
	Attention              //
	topics
)

// Config is what a Store needs. All fields are required.
type Config struct {
	Tenant, Person id.ID
	Connect        func(hear func(port.Message)) Link
	Dispatch       func(func()) // runs a function on the drawing goroutine, in order, and draws afterwards
	Now            func() time.Time
	Rand           io.Reader
	Failed         func(port.Edit, port.Error) // the device could not keep an edit
}

// Store is one workspace as the page shows it.
type Store struct {
	cfg  Config
	link Link

	revs     [topics]int
	requests int
	watches  map[int]*watch
	patches  []*patch
	unkept   []port.Edit    // the device had no room for them; only this page knows them
	after    map[int]func() // what follows an answer, by request

	frame     shown[port.FrameResult]
	detail    shown[port.DetailResult]
	trash     shown[port.TrashResult]
	attention shown[port.AttentionResult]
	status    port.Status
	view      view
}

// watch is a question under a number; seq counts its answers.
type watch struct {
	topic    Topic
	seq      int
	answered bool
	last     []byte // the last answer
	take     func(body []byte) error
}

// shown is an answer as it came, and as it is shown.
type shown[T any] struct {
	watch  int
	loaded bool
	base   T
	now    T
	err    *port.Error
}

// New makes a store; Open connects it.
func New(cfg Config) *Store {
	return &Store{cfg: cfg, watches: map[int]*watch{}, status: port.Status{Link: port.Connecting, Storage: port.Disk}}
}

// Open connects to the replica and asks for what every page shows.
func (s *Store) Open() {
	s.link = s.cfg.Connect(func(m port.Message) { s.cfg.Dispatch(func() { s.Hear(m) }) })
	s.frame.watch = s.watch(port.Query{Kind: port.Frame}, Frame, func(b []byte) error { return fill(&s.frame, b) })
}

// Close ends the connection; the replica goes on for other tabs.
func (s *Store) Close() {
	if s.link != nil {
		s.link.Close()
		s.link = nil
	}
}

// Tenant and Person are whose store this is.
func (s *Store) Tenant() id.ID { return s.cfg.Tenant }
func (s *Store) Person() id.ID { return s.cfg.Person }

// Rev changes when what the topics show does.
func (s *Store) Rev(of ...Topic) int {
	n := 0
	for _, t := range of {
		n += s.revs[t]
	}
	return n
}

// Hear takes a message of the replica.
func (s *Store) Hear(m port.Message) {
	for _, r := range m.Results {
		s.result(r)
	}
	if m.Reply != nil {
		s.reply(*m.Reply)
	}
	if m.Status != nil && !reflect.DeepEqual(s.status, *m.Status) {
		s.status = *m.Status
		s.revs[Status]++
	}
}

func (s *Store) result(r port.Result) {
	w := s.watches[r.Watch]
	if w == nil {
		return // the page has moved on
	}
	w.seq++
	if r.Error == nil && len(s.patches) == 0 && w.answered && bytes.Equal(w.last, r.Body) {
		return // nothing to draw
	}
	w.last, w.answered = r.Body, r.Error == nil
	if r.Error == nil {
		if err := w.take(r.Body); err != nil {
			return // of a newer worker
		}
	}
	s.setError(r)
	s.show(w.topic)
}

func (s *Store) setError(r port.Result) {
	switch r.Watch {
	case s.frame.watch:
		s.frame.err = r.Error
	case s.detail.watch:
		s.detail.err = r.Error
	}
}

func fill[T any](s *shown[T], body []byte) error {
	var v T
	if err := json.Unmarshal(body, &v); err != nil {
		return err
	}
	s.base, s.loaded = v, true
	return nil
}

// watch asks a question that is answered again whenever the answer changes.
func (s *Store) watch(q port.Query, topic Topic, take func([]byte) error) int {
	s.requests++
	n := s.requests
	s.watches[n] = &watch{topic: topic, take: take}
	s.rewatch(n, q)
	return n
}

func (s *Store) rewatch(n int, q port.Query) {
	s.send(port.Request{Op: port.OpWatch, Watch: n}, q)
}

func (s *Store) unwatch(n int) {
	if n == 0 {
		return
	}
	delete(s.watches, n)
	s.send(port.Request{Op: port.OpUnwatch, Watch: n}, nil)
}

func (s *Store) send(r port.Request, args any) {
	if s.link == nil {
		return
	}
	if args != nil {
		b, err := json.Marshal(args)
		if err != nil {
			panic("store: arguments that are not JSON: " + err.Error()) // only a defect can make them
		}
		r.Args = b
	}
	s.link.Send(r)
}

// ask sends a request that is answered; a failed one is told like a failed edit.
func (s *Store) ask(op string, args any) {
	s.requests++
	s.send(port.Request{ID: s.requests, Op: op}, args)
}

// patch is an edit over results that do not hold it yet.
type patch struct {
	request  int
	edit     port.Edit
	answered time.Time   // zero: not yet
	seqs     map[int]int // when answered: how many answers each watch had
}

// over tells whether p still covers the answers of watch n.
func (s *Store) over(p *patch, n int) bool {
	w := s.watches[n]
	return w != nil && (p.answered.IsZero() || p.seqs[n] == w.seq)
}

// Do makes an edit: shown now, on the disk when the worker has answered.
func (s *Store) Do(e port.Edit) {
	e.Key = id.New(s.cfg.Now(), s.cfg.Rand)
	s.requests++
	s.send(port.Request{ID: s.requests, Op: port.OpDo}, e)
	if len(s.patches) < patchesMax {
		s.patches = append(s.patches, &patch{request: s.requests, edit: e})
	}
	s.showEdit(e)
}

// Unkept is how many edits the device had no room for; Again makes them anew, in their order.
func (s *Store) Unkept() int { return len(s.unkept) }

func (s *Store) Again() {
	again := s.unkept
	s.unkept = nil
	s.revs[Status]++
	for _, e := range again {
		s.Do(e)
	}
}

func (s *Store) reply(r port.Reply) {
	if then := s.after[r.ID]; then != nil {
		delete(s.after, r.ID)
		then()
	}
	i := slices.IndexFunc(s.patches, func(p *patch) bool { return p.request == r.ID })
	if r.Error != nil {
		var e port.Edit
		if i >= 0 {
			e = s.patches[i].edit
			s.patches = slices.Delete(s.patches, i, i+1)
			s.showEdit(e)
		}
		if r.Error.Kind == fault.Full && i >= 0 && len(s.unkept) < patchesMax {
			s.unkept = append(s.unkept, e)
			s.revs[Status]++
			return
		}
		s.cfg.Failed(e, *r.Error)
		return
	}
	if i < 0 {
		return
	}
	p := s.patches[i]
	p.answered, p.seqs = s.cfg.Now(), make(map[int]int, len(s.watches))
	for n, w := range s.watches {
		p.seqs[n] = w.seq
	}
	s.dropOld()
}

// dropOld forgets edits that every result holds by now.
func (s *Store) dropOld() {
	now := s.cfg.Now()
	s.patches = slices.DeleteFunc(s.patches, func(p *patch) bool {
		return !p.answered.IsZero() && now.Sub(p.answered) > patchAge
	})
}

// showEdit brings up to date what an edit may change, and nothing else: the rest need not be drawn within this frame.
func (s *Store) showEdit(e port.Edit) {
	var touched [topics]bool
	for _, r := range e.Rows {
		switch r.Table {
		case "task", "task_label":
			touched[Tasks], touched[Detail], touched[Trash] = true, true, true
		case "comment":
			touched[Detail] = true
		case "project":
			touched[Frame], touched[Trash] = true, true
		default:
			touched[Frame] = true
		}
	}
	for t, is := range touched {
		if is {
			s.show(Topic(t))
		}
	}
}

// show brings what a topic shows up to date: its answer with the edits over it.
func (s *Store) show(t Topic) {
	switch t {
	case Frame:
		s.frame.now = s.frame.base
		for _, e := range s.editsOver(s.frame.watch) {
			s.frame.now = patchFrame(s.frame.now, e)
		}
	case Detail:
		s.detail.now = s.detail.base
		for _, e := range s.editsOver(s.detail.watch) {
			s.detail.now = patchDetail(s.detail.now, e, s.cfg.Person, s.cfg.Now().UnixMilli())
		}
	case Trash:
		s.trash.now = s.trash.base
		for _, e := range s.editsOver(s.trash.watch) {
			s.trash.now = patchTrash(s.trash.now, e)
		}
	case Attention:
		s.attention.now = s.attention.base
	case Tasks:
		s.showView()
	}
	s.revs[t]++
}

func (s *Store) editsOver(watch int) []port.Edit {
	var out []port.Edit
	for _, p := range s.patches {
		if s.over(p, watch) {
			out = append(out, p.edit)
		}
	}
	return out
}
