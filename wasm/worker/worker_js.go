//go:build js

package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"holdfast/sync/desk"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/link"
	"holdfast/sync/port"
	"holdfast/sync/sqlite"
)

const (
	poolMax   = 15 * time.Second // a worker that just ended lets go of the files within
	poolPause = 50 * time.Millisecond
)

// worker is this program's parts.
type worker struct {
	host   host
	log    *slog.Logger
	pool   *sqlite.Pool
	mirror *mirror // nil where the browser gives no IndexedDB
	rows   *rows
	link   *link.Link
	desk   *desk.Desk

	mu   sync.Mutex
	base port.Status
}

// run waits for its turn, opens what is on the device, and serves for ever.
func (w *worker) run(ctx context.Context) error {
	if err := w.host.lead(ctx); err != nil {
		return err
	}
	w.rows = &rows{worker: w}
	if err := w.openPool(ctx); fault.KindOf(err) == fault.Full {
		w.serveBroken(ctx, err)
		return nil
	} else if err != nil {
		return err
	}
	var err error
	if w.mirror, err = openMirror(ctx, w.host.tenant()+"/"+w.host.person()); err != nil {
		w.log.Warn("no second copy of waiting changes", "err", err)
		w.mirror = nil
	}
	switch {
	case w.pool.Persistent():
		w.base.Storage = port.Disk
	case w.mirror != nil:
		w.base.Storage = port.Outbox
	default:
		w.base.Storage = port.Memory
	}
	if !w.pool.Persistent() {
		w.log.Warn("no place for files", "reason", w.pool.Reason())
	}
	if err := w.rows.open(ctx); fault.KindOf(err) == fault.Corrupt || fault.KindOf(err) == fault.Full {
		w.serveBroken(ctx, err)
		return nil
	} else if err != nil {
		return err
	}
	w.link = link.New(link.Config{
		Tenant: id.ID(w.host.tenant()), Replica: w.rows, ReplicaID: w.rows.ID,
		Dial: dial(w.host.origin(), w.host.person()), Renew: renew(w.host.origin()), Bootstrap: w.rows.bootstrap,
		Changed: w.changed, Log: w.log,
	})
	w.newDesk(w.rows, w.link)
	w.setReady()
	w.link.Open(ctx)
	w.serve(ctx)
	return nil
}

func (w *worker) openPool(ctx context.Context) (err error) {
	for start := time.Now(); ; time.Sleep(poolPause) {
		w.pool, err = sqlite.OpenPool(ctx, sqlite.PoolConfig{})
		if fault.KindOf(err) != fault.Busy || time.Since(start) > poolMax {
			return err
		}
	}
}

func (w *worker) newDesk(r desk.Replica, l desk.Link) {
	w.desk = desk.New(desk.Config{
		Replica: r, Link: l, Send: w.host.send, Counts: w.rows.counts,
		Rebuild: w.rebuild, SignOut: w.signOut, Base: w.status, Log: w.log,
	})
}

func (w *worker) serve(ctx context.Context) {
	w.host.serve(w.request, w.desk.Gone)
	w.desk.Run(ctx)
}

// request must not block the browser's event loop, which would stop everything that the desk waits for.
func (w *worker) request(tab string, text []byte) { w.desk.Request(tab, text) }

func (w *worker) changed() {
	if w.desk != nil {
		w.desk.Changed()
	}
}

func (w *worker) status() port.Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.base
}

func (w *worker) setBase(f func(s *port.Status)) {
	w.mu.Lock()
	f(&w.base)
	w.mu.Unlock()
	w.changed()
}

// setReady notes whether there is something to show.
func (w *worker) setReady() {
	ready := w.rows.Loaded()
	w.mu.Lock()
	fresh := w.base.Ready != ready
	w.mu.Unlock()
	if fresh {
		w.setBase(func(s *port.Status) { s.Ready = ready })
	}
}

// rebuild fetches all rows anew; what waits is kept.
func (w *worker) rebuild(ctx context.Context) error {
	if w.link != nil {
		w.link.Close()
	}
	if err := w.rows.discard(ctx); err != nil {
		return err
	}
	w.host.Call("restart")
	return nil
}

// signOut ends the link and, when asked to, forgets everything of this person and workspace on this device.
func (w *worker) signOut(ctx context.Context, forget bool) error {
	if w.link != nil {
		w.link.Close()
	}
	if !forget {
		return nil
	}
	if err := w.rows.remove(ctx); err != nil {
		return err
	}
	if w.mirror != nil {
		return w.mirror.Clear(ctx)
	}
	return nil
}
