//go:build js

package main

import (
	"context"

	"holdfast/sync/link"
	"holdfast/sync/port"
)

// broken stands in for a replica and a link when the database cannot be opened: every request is answered with the reason,
// and the person may have the rows fetched anew.
type broken struct{ err error }

// serveBroken tells the tabs what is wrong, until one of them asks for a rebuild.
func (w *worker) serveBroken(ctx context.Context, err error) {
	w.log.Error("the database cannot be opened", "err", err)
	b := broken{err}
	w.base.Problem = port.ErrorOf(err)
	w.newDesk(b, b)
	w.serve(ctx)
}

func (b broken) Do(context.Context, port.Edit) (uint64, error) { return 0, b.err }
func (b broken) Retry(context.Context, uint64) error           { return b.err }
func (b broken) Discard(context.Context, uint64) error         { return b.err }
func (b broken) Unwatch(int)                                   {}
func (b broken) State() link.State                             { return link.State{Link: port.Offline} }
func (b broken) Push()                                         {}
func (b broken) Wake()                                         {}
func (b broken) View(string)                                   {}

func (b broken) Watch(_ int, _ port.Query, to func(port.Result)) {
	to(port.Result{Error: port.ErrorOf(b.err)})
}
