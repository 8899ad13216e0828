package replica

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"holdfast/sync/change"
)

// Mirror keeps a second copy of what waits and of what was refused, outside the database: when the database is damaged
// beyond reading, or was only in memory, Restore brings it back. Each number holds one thing; what comes later replaces it.
type Mirror interface {
	// Put keeps a waiting change, encoded.
	Put(ctx context.Context, num uint64, tx []byte) error
	// Refuse keeps a refused change.
	Refuse(ctx context.Context, num uint64, x Refusal) error
	// Delete forgets what need not be kept any more.
	Delete(ctx context.Context, nums ...uint64) error
}

// mirror passes on to the second copy, in order, beside everything else. What the copy did not take is owed to it and tried
// again with the next news and from time to time; owing tells whether there is such.
type mirror struct {
	to    Mirror
	log   *slog.Logger
	told  func() // owing may have changed
	work  chan job
	done  chan struct{}
	owing atomic.Bool
}

// job is one number's newest state.
type job struct {
	num  uint64
	do   func(context.Context) error
	kept chan struct{} // closed when it was tried
}

func newMirror(to Mirror, log *slog.Logger, told func()) *mirror {
	m := &mirror{to: to, log: log, told: told, work: make(chan job, mirrorQueue), done: make(chan struct{})}
	go m.run()
	return m
}

func (m *mirror) run() {
	defer close(m.done)
	owed := map[uint64]func(context.Context) error{}
	retry := time.NewTicker(mirrorRetry)
	defer retry.Stop()
	for {
		select {
		case j, open := <-m.work:
			if !open {
				return
			}
			owed[j.num] = j.do
			m.pay(owed)
			close(j.kept)
		case <-retry.C:
			m.pay(owed)
		}
	}
}

// pay tries what is owed, in order of number: of changes that build on each other the copy never has only the later one.
func (m *mirror) pay(owed map[uint64]func(context.Context) error) {
	for _, num := range slices.Sorted(maps.Keys(owed)) {
		if err := owed[num](context.Background()); err != nil {
			if !m.owing.Swap(true) {
				m.log.Warn("the second copy of waiting changes is not kept", "num", num, "err", err)
				m.told()
			}
			return
		}
		delete(owed, num)
	}
	if m.owing.Swap(false) {
		m.told()
	}
}

func (m *mirror) close() {
	close(m.work)
	<-m.done
}

// add has a number's state passed on; first waits until that was tried, unless the copy is known to take nothing.
func (m *mirror) add(num uint64, first bool, do func(context.Context) error) {
	if m == nil {
		return
	}
	j := job{num, do, make(chan struct{})}
	m.work <- j
	if first && !m.owing.Load() {
		<-j.kept
	}
}

func (m *mirror) put(t change.Tx, first bool) {
	if m != nil {
		raw := t.Encode()
		m.add(t.Num, first, func(ctx context.Context) error { return m.to.Put(ctx, t.Num, raw) })
	}
}

func (m *mirror) refuse(x refused, first bool) {
	m.add(x.num, first, func(ctx context.Context) error { return m.to.Refuse(ctx, x.num, Refusal{x.tx, x.kind, x.detail}) })
}

func (m *mirror) remove(num uint64, first bool) {
	m.add(num, first, func(ctx context.Context) error { return m.to.Delete(ctx, num) })
}

// Forgotten is what of a mirror this replica made and no longer knows of: a change is in the database before it is in the mirror,
// so numbers beyond the database's last say that the database has lost the end of what was written to it, as one that is whole
// but whose log is gone. What the mirror still has under older numbers was settled, and is not brought back.
func (r *Replica) Forgotten(s Saved) (lost Saved) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range s.Pending {
		if t.Num > r.last {
			lost.Pending = append(lost.Pending, t)
		}
	}
	for _, x := range s.Refused {
		if x.Tx.Num > r.last && x.Tx.Num < restoredFrom {
			lost.Refused = append(lost.Refused, x)
		}
	}
	return lost
}

// remirror has the copy hold what was restored under the numbers that it has now, and nothing else of it.
func (r *Replica) remirror(s Saved) {
	now := map[uint64]bool{}
	for _, o := range r.pending {
		now[o.tx.Num] = true
		r.mirror.put(o.tx, r.cfg.MirrorFirst)
	}
	for _, x := range r.refused {
		now[x.num] = true
		r.mirror.refuse(x, r.cfg.MirrorFirst)
	}
	for _, t := range s.Pending {
		if !now[t.Num] {
			r.mirror.remove(t.Num, r.cfg.MirrorFirst)
		}
	}
	for _, x := range s.Refused {
		if !now[x.Tx.Num] {
			r.mirror.remove(x.Tx.Num, r.cfg.MirrorFirst)
		}
	}
}
