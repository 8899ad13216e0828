package stream

import (
	"context"
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
		failed, why := 0, error(nil)
		for k, seq := range l.some() {
			if err := l.s.catchUp(ctx, k, seq); err != nil {
				failed, why = failed+1, err
				continue
			}
			l.mu.Lock()
			if l.upTo[k] == seq {
				delete(l.upTo, k)
			}
			l.mu.Unlock()
		}
		if failed > 0 && ctx.Err() == nil {
			l.s.cfg.Log.Warn("workspaces still set aside", "tried", failed, "err", why)
		}
	}
}

// some are as many as are tried at once; a map gives others each time.
func (l *lame) some() map[headKey]uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[headKey]uint64{}
	for k, seq := range l.upTo {
		if out[k] = seq; len(out) == lameMax {
			break
		}
	}
	return out
}
