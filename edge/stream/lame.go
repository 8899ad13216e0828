package stream

import (
	"context"
	"maps"
	"sync"
	"time"
)

// lame are workspaces whose files did not take what came for them: a full disk, damage, an origin that could not be asked.
// Their shard goes on; they are tried again from the origins' files. They are not remembered over a restart, because
// comparing heads finds them again.
type lame struct {
	s *Stream

	mu   sync.Mutex
	upTo map[headKey]uint64
}

func newLame(s *Stream) *lame { return &lame{s: s, upTo: map[headKey]uint64{}} }

func (l *lame) add(k headKey, seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.upTo[k] = max(l.upTo[k], seq)
}

func (l *lame) run(ctx context.Context) {
	tick := time.NewTicker(lameEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		l.mu.Lock()
		todo := maps.Clone(l.upTo)
		l.mu.Unlock()
		for k, seq := range todo {
			if err := l.s.catchUp(ctx, k, seq); err != nil {
				if ctx.Err() == nil {
					l.s.cfg.Log.Warn("workspace still set aside", "tenant", k.tenant, "region", k.origin, "err", err)
				}
				continue
			}
			l.mu.Lock()
			if l.upTo[k] == seq {
				delete(l.upTo, k)
			}
			l.mu.Unlock()
		}
	}
}
