package replica

import (
	"context"
	"log/slog"

	"holdfast/sync/change"
)

// mirror passes changes on to the second copy, in order, beside everything else. Its failures are logged: the database is
// what counts.
type mirror struct {
	to   Mirror
	log  *slog.Logger
	work chan func(context.Context) error
	done chan struct{}
}

func newMirror(to Mirror, log *slog.Logger) *mirror {
	m := &mirror{to: to, log: log, work: make(chan func(context.Context) error, mirrorQueue), done: make(chan struct{})}
	go func() {
		defer close(m.done)
		for f := range m.work {
			if err := f(context.Background()); err != nil {
				log.Warn("mirror failed", "err", err)
			}
		}
	}()
	return m
}

func (m *mirror) close() {
	close(m.work)
	<-m.done
}

// put keeps a change; first waits until it is kept.
func (m *mirror) put(t change.Tx, first bool) {
	if m == nil {
		return
	}
	kept := make(chan struct{})
	m.work <- func(ctx context.Context) error {
		defer close(kept)
		return m.to.Put(ctx, t.Num, t.Encode())
	}
	if first {
		<-kept
	}
}

func (m *mirror) remove(num uint64) {
	if m != nil {
		m.work <- func(ctx context.Context) error { return m.to.Delete(ctx, num) }
	}
}
