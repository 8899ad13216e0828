// Package port is what the page and the replica's worker say to each other: JSON messages over postMessage.
//
// The page sends Requests; the worker answers each that has an ID with one Reply, and sends Results of watched queries
// and the Status whenever they change. The page never sees SQL, and the worker never sees the screen.
package port

import (
	"encoding/json"
	"slices"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// Request is one thing the page asks for.
type Request struct {
	ID    int             `json:"id"`              // chosen by the page; 0 wants no answer
	Op    string          `json:"op"`              // one of the Op constants
	Args  json.RawMessage `json:"args,omitempty"`  // as the Op says
	Watch int             `json:"watch,omitempty"` // OpWatch, OpUnwatch: the watch's number, chosen by the page
}

// Operations.
const (
	OpDo      = "do"      // Args: Edit. Answered when it is on the disk.
	OpWatch   = "watch"   // Args: Query. Results follow until OpUnwatch; watching a number again replaces its query.
	OpUnwatch = "unwatch" //
	OpRetry   = "retry"   // Args: {"num":n}: push a refused change again
	OpDiscard = "discard" // Args: {"num":n}: give a refused change up
	OpView    = "view"    // Args: {"view":"task/…"}: where the person looks, for presence
	OpWake    = "wake"    // the page became visible or the network came back: check the link now
	OpRebuild = "rebuild" // throw the local rows away and fetch them from the region; waiting changes are kept
	OpSignOut = "signout" // Args: {"forget":bool}: close the link; forget deletes this device's copy
)

// Message is what the worker sends: what is there at once, to be taken in the order of the fields and drawn once.
type Message struct {
	Results []Result `json:"results,omitempty"`
	Reply   *Reply   `json:"reply,omitempty"`
	Status  *Status  `json:"status,omitempty"`
}

// Reply ends a Request.
type Reply struct {
	ID    int    `json:"id"`
	Error *Error `json:"error,omitempty"`
}

// Error is a fault as the page reads it.
type Error struct {
	Kind   fault.Kind `json:"kind"`
	Detail string     `json:"detail"`
}

// Edit is what a person did: new values of some cells. Bases and stamps are the replica's to add.
type Edit struct {
	Key     id.ID     `json:"key"`     // unique: an edit with a known key is done already and answered as such
	Command string    `json:"command"` // the intent, such as "task.rename"
	Rows    []EditRow `json:"rows"`
}

// EditRow names a row and its new values: null, a number or a text.
type EditRow struct {
	Table string                  `json:"table"`
	ID    id.ID                   `json:"id"`
	Set   map[string]change.Value `json:"set"`
}

// Query kinds.
const (
	Frame     = "frame"     // → FrameResult
	Tasks     = "tasks"     // → TasksResult: one window of one status of a project
	Counts    = "counts"    // → CountsResult
	Detail    = "detail"    // → DetailResult
	Trash     = "trash"     // → TrashResult
	Attention = "attention" // → AttentionResult
)

// Query is a question whose answer is kept up to date.
type Query struct {
	Kind    string `json:"kind"`
	Project id.ID  `json:"project,omitempty"` // Tasks, Counts; empty: every project
	Status  string `json:"status,omitempty"`  // Tasks
	Task    id.ID  `json:"task,omitempty"`    // Detail
	Filter  Filter `json:"filter"`            // Tasks, Counts
	Offset  int    `json:"offset,omitempty"`  // Tasks, Trash
	Limit   int    `json:"limit,omitempty"`   // Tasks, Trash
}

// Filter narrows tasks; its zero value is all.
type Filter struct {
	Text     string `json:"text,omitempty"`     // in the title, without regard to case
	Assignee id.ID  `json:"assignee,omitempty"` // a member, or "none"
	Label    id.ID  `json:"label,omitempty"`
	Priority int    `json:"priority,omitempty"`
}

// Nobody in Filter.Assignee finds tasks without one.
const Nobody id.ID = "none"

// Result is the answer to a watched query. Body is the kind's result as JSON.
type Result struct {
	Watch int             `json:"watch"`
	Error *Error          `json:"error,omitempty"`
	Body  json.RawMessage `json:"body,omitempty"`
}

// Mark is how far a change has come.
type Mark uint8

const (
	Everywhere Mark = iota // every region has it
	Region                 // this region has it
	Device                 // it is on this device only
	Refused                // the region refused it: see Attention
	Saving                 // the page's own: shown already, not yet known to be on the disk
)

// FrameResult is what every page shows: the workspace, its people, projects and labels.
type FrameResult struct {
	Workspace Workspace `json:"workspace"`
	Members   []Member  `json:"members"`
	Projects  []Project `json:"projects"` // in rank order, without those in Trash
	Labels    []Label   `json:"labels"`   // in name order
	Trash     int       `json:"trash"`    // how many lie there
	Attention int       `json:"attention"`
}

type Workspace struct {
	ID   id.ID  `json:"id"`
	Name string `json:"name"`
	Mark Mark   `json:"mark"`
}

type Member struct {
	ID     id.ID  `json:"id"`
	Name   string `json:"name"`
	Role   string `json:"role"`
	Color  string `json:"color"`
	Active bool   `json:"active"`
}

type Project struct {
	ID    id.ID  `json:"id"`
	Name  string `json:"name"`
	Color string `json:"color"`
	Rank  string `json:"rank"`
	Open  int    `json:"open"` // tasks neither done nor canceled nor in Trash
	Mark  Mark   `json:"mark"`
}

type Label struct {
	ID    id.ID  `json:"id"`
	Name  string `json:"name"`
	Color string `json:"color"`
	Mark  Mark   `json:"mark"`
}

// Task is a row of a list or board.
type Task struct {
	ID       id.ID   `json:"id"`
	Project  id.ID   `json:"project"`
	Title    string  `json:"title"`
	Status   string  `json:"status"`
	Priority int     `json:"priority"`
	Assignee id.ID   `json:"assignee,omitempty"`
	Due      string  `json:"due,omitempty"` // YYYY-MM-DD
	Rank     string  `json:"rank"`
	Labels   []id.ID `json:"labels,omitempty"`
	Comments int     `json:"comments,omitempty"`
	Deleted  int64   `json:"deleted,omitempty"` // Unix ms
	Mark     Mark    `json:"mark"`
}

// TasksResult is a window of tasks in order of rank. With Runs, Tasks holds only what the watch's answer before did not:
// the window is made of the runs, one after the other, and Seq is one more than in the answer before.
type TasksResult struct {
	Status string `json:"status"`
	Offset int    `json:"offset"`
	Total  int    `json:"total"`
	Tasks  []Task `json:"tasks"`
	Runs   []Run  `json:"runs,omitempty"`
	Seq    int64  `json:"seq,omitempty"`
}

// Run is a place and a number of tasks: of the answer before from that place on, or, from Fresh, the next ones of Tasks.
type Run [2]int

// Fresh is the place of a run that is taken from Tasks.
const Fresh = -1

// Since writes a window as what is new to somebody who has the one before.
func (t TasksResult) Since(last TasksResult) TasksResult {
	before := last.Tasks
	at := make(map[id.ID]int, len(before))
	for i := range before {
		at[before[i].ID] = i
	}
	fresh := []Task{}
	var runs []Run
	for i := range t.Tasks {
		from, had := at[t.Tasks[i].ID]
		if !had || !t.Tasks[i].Equal(before[from]) {
			from = Fresh
			fresh = append(fresh, t.Tasks[i])
		}
		last := len(runs) - 1
		if last >= 0 && (from == Fresh && runs[last][0] == Fresh || from >= 0 && runs[last][0] >= 0 && runs[last][0]+runs[last][1] == from) {
			runs[last][1]++
		} else {
			runs = append(runs, Run{from, 1})
		}
	}
	if len(fresh) == len(t.Tasks) {
		return t
	}
	t.Tasks, t.Runs = fresh, runs
	return t
}

// Over is the whole window, given the one before. ok is false when it was made for another one.
func (t TasksResult) Over(last TasksResult) (whole TasksResult, ok bool) {
	if len(t.Runs) == 0 {
		return t, true
	}
	if t.Seq != last.Seq+1 {
		return last, false
	}
	before, fresh := last.Tasks, t.Tasks
	var tasks []Task
	for _, r := range t.Runs {
		from, n := r[0], r[1]
		source := &before
		if from == Fresh {
			source, from = &fresh, 0
		}
		if from < 0 || n < 0 || from+n > len(*source) {
			return last, false
		}
		tasks = append(tasks, (*source)[from:from+n]...)
		if source == &fresh {
			fresh = fresh[n:]
		}
	}
	t.Tasks, t.Runs = tasks, nil
	return t, true
}

// Equal tells whether two tasks look the same.
func (t Task) Equal(o Task) bool {
	return t.ID == o.ID && t.Project == o.Project && t.Title == o.Title && t.Status == o.Status && t.Priority == o.Priority &&
		t.Assignee == o.Assignee && t.Due == o.Due && t.Rank == o.Rank && t.Comments == o.Comments && t.Deleted == o.Deleted &&
		t.Mark == o.Mark && slices.Equal(t.Labels, o.Labels)
}

// CountsResult is how many tasks each status has.
type CountsResult struct {
	Counts map[string]int `json:"counts"`
}

// DetailResult is everything about one task.
type DetailResult struct {
	Found       bool       `json:"found"`
	Task        Task       `json:"task"`
	Description string     `json:"description"`
	Author      id.ID      `json:"author"`
	CreatedMS   int64      `json:"createdMS"`
	Comments    []Comment  `json:"comments"` // oldest first, without deleted ones
	History     []HistItem `json:"history"`  // oldest first
}

type Comment struct {
	ID     id.ID  `json:"id"`
	Author id.ID  `json:"author"`
	Body   string `json:"body"`
	AtMS   int64  `json:"atMS"`
	Edited bool   `json:"edited"`
	Mark   Mark   `json:"mark"`
}

// HistItem is one value that a column of the task had. Lost: it was replaced by somebody who had not seen it; it can be
// restored by writing it again.
type HistItem struct {
	Col   string       `json:"col"`
	Value change.Value `json:"value"`
	Actor id.ID        `json:"actor"`
	AtMS  int64        `json:"atMS"`
	Lost  bool         `json:"lost,omitempty"`
	Now   bool         `json:"now,omitempty"` // this is the present value
}

// TrashResult lists what can be restored, newest deletion first.
type TrashResult struct {
	Total    int       `json:"total"`
	Tasks    []Task    `json:"tasks"`
	Projects []Project `json:"projects"`
}

// AttentionResult lists changes that the region refused, oldest first.
type AttentionResult struct {
	Items []AttentionItem `json:"items"`
}

// AttentionItem is a refused change and what may be done with it.
type AttentionItem struct {
	Num     uint64     `json:"num"`
	Command string     `json:"command"`
	AtMS    int64      `json:"atMS"`
	Kind    fault.Kind `json:"kind"`
	Detail  string     `json:"detail"`
	Rows    []EditRow  `json:"rows"`  // what the person wrote, to copy or edit
	Title   string     `json:"title"` // of the task or project it was about, if known
}

// Link states.
const (
	Connecting = "connecting"
	Online     = "online"
	Offline    = "offline"
	SignedOut  = "signed-out" // the session is over; waiting changes are kept until somebody signs in again
	Removed    = "removed"    // the person is no longer a member here
)

// Storage states: what outlives the last tab.
const (
	Disk   = "disk"   // everything
	Outbox = "outbox" // the browser gives no place for files: what waits and what was refused; the rows are fetched again
	Memory = "memory" // nothing
)

// Status is the replica's and the link's state, for the status line.
type Status struct {
	Ready     bool     `json:"ready"`             // rows can be read
	Loading   float64  `json:"loading"`           // first sync: 0..1
	Storage   string   `json:"storage"`           // one of the storage states
	Problem   *Error   `json:"problem,omitempty"` // Corrupt: offer OpRebuild; Full: make room
	Link      string   `json:"link"`              // one of the link states
	Region    string   `json:"region"`
	Waiting   int      `json:"waiting"`   // changes on this device only
	Attention int      `json:"attention"` // changes refused
	Behind    bool     `json:"behind"`    // some waiting changes are not yet everywhere
	OffsetMS  int64    `json:"offsetMS"`  // how far this device's clock is off, when it matters
	People    []Person `json:"people"`    // who is here
}

// Person is somebody who is here.
type Person struct {
	Member id.ID  `json:"member"`
	View   string `json:"view"`
	Me     bool   `json:"me,omitempty"`
}

// ErrorOf is err as the page reads it; nil for nil.
func ErrorOf(err error) *Error {
	if err == nil {
		return nil
	}
	return &Error{Kind: fault.KindOf(err), Detail: fault.DetailOf(err)}
}
