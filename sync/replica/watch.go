package replica

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"

	"holdfast/sync/fault"
	"holdfast/sync/port"
	"holdfast/sync/sqlite"
)

// watch is a query whose answer is kept up to date.
type watch struct {
	query port.Query
	to    func(port.Result)
	last  []byte            // the answer sent last; nil: none yet
	rows  map[key]bool      // rows that the answer shows
	tasks *port.TasksResult // of Tasks: the whole of that answer
}

// Watch answers a query now and whenever its answer changes, until Unwatch. Results come from Schedule's functions, one at
// a time. Watching a number again replaces its query.
func (r *Replica) Watch(number int, query port.Query, to func(port.Result)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watches[number] = &watch{query: query, to: to}
	r.schedule()
}

// Unwatch ends a watch. A result that is on its way may still come.
func (r *Replica) Unwatch(number int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.watches, number)
}

// schedule has the watches looked at soon. However much is committed until then is answered once.
func (r *Replica) schedule() {
	if r.queued || len(r.watches) == 0 {
		return
	}
	r.queued = true
	r.cfg.Schedule(r.answer)
}

// answer runs the queries that commits since the last time may have changed, and sends what differs.
func (r *Replica) answer() {
	r.flush.Lock()
	defer r.flush.Unlock()
	type out struct {
		to     func(port.Result)
		result port.Result
	}
	var outs []out
	r.mu.Lock()
	r.queued = false
	d := r.dirty
	r.dirty = dirty{}
	ctx := context.Background()
	err := r.associate(ctx, &d)
	for _, n := range slices.Sorted(maps.Keys(r.watches)) {
		w := r.watches[n]
		how := all
		if w.last != nil && err == nil {
			how = d.affects(w)
		}
		if how == nothing {
			continue
		}
		body, err := r.ask(ctx, w, how, &d)
		result := port.Result{Watch: n, Body: body}
		if err != nil {
			r.cfg.Log.Error("query failed", "tenant", r.cfg.Tenant, "kind", w.query.Kind, "err", err)
			result.Body, result.Error = nil, port.ErrorOf(err)
			body, w.tasks = []byte(err.Error()), nil
		}
		if body != nil && !bytes.Equal(body, w.last) {
			w.last = body
			outs = append(outs, out{w.to, result})
		}
	}
	r.mu.Unlock()
	for _, o := range outs {
		o.to(o.result)
	}
}

// ask runs a watch's query and notes the rows that it shows. Without an error, no answer says that it is what it was.
func (r *Replica) ask(ctx context.Context, w *watch, how effect, d *dirty) (json.RawMessage, error) {
	const op = "replica.ask"
	if w.query.Kind == port.Tasks {
		return r.askTasks(ctx, w, how, d)
	}
	w.rows = map[key]bool{}
	var body any
	var err error
	switch w.query.Kind {
	case port.Frame:
		body, err = r.frame(ctx)
	case port.Counts:
		body, err = r.counts(ctx, w.query)
	case port.Detail:
		body, err = r.detail(ctx, w)
	case port.Trash:
		body, err = r.trash(ctx, w)
	case port.Attention:
		body, err = r.attention(ctx)
	default:
		return nil, fault.Errorf(op, fault.Unsupported, "This version does not know the query %q. Reload the page.", w.query.Kind)
	}
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	text, err := json.Marshal(body)
	return text, fault.As(op, fault.Other, err)
}
