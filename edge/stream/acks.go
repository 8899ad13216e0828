package stream

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/wire"
)

// acks tells every other region how far this one has merged, until each has confirmed it. What is told is always the
// latest, so a cut of any length leaves one vector a workspace to be told. After each attachment everything is told once.
type acks struct {
	s    *Stream
	wake chan struct{}

	mu   sync.Mutex
	due  map[string]map[id.ID]bool          // region → workspaces to tell it about
	news map[string]map[id.ID]change.Vector // region → what it has told, since the start
}

func newAcks(s *Stream) *acks {
	return &acks{s: s, wake: make(chan struct{}, 1), due: map[string]map[id.ID]bool{}, news: map[string]map[id.ID]change.Vector{}}
}

// region begins to tell a region. What it is to hear of all that was before is due when its streams have been read.
func (a *acks) region(name string) {
	a.mu.Lock()
	a.due[name] = map[id.ID]bool{}
	a.mu.Unlock()
}

// anew has a region told again about all workspaces of a shard: it may have been restored from an older copy.
func (a *acks) anew(region string, shard int) {
	all := a.s.journal.inShard(shard)
	a.mu.Lock()
	if due := a.due[region]; due != nil {
		maps.Copy(due, all)
	}
	a.mu.Unlock()
	a.poke()
}

// forget ends telling a region.
func (a *acks) forget(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.due, name)
	delete(a.news, name)
}

// add has all regions told about a workspace.
func (a *acks) add(t id.ID) {
	a.mu.Lock()
	for _, due := range a.due {
		due[t] = true
	}
	a.mu.Unlock()
	a.poke()
}

func (a *acks) poke() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// heard tells whether a region's report brings nothing new.
func (a *acks) heard(region string, t id.ID, v change.Vector) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.news[region][t].Covers(v)
}

func (a *acks) hear(region string, t id.ID, v change.Vector) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.news[region] == nil {
		a.news[region] = map[id.ID]change.Vector{}
	}
	known := a.news[region][t].Clone()
	for o, seq := range v {
		known[o] = max(known[o], seq)
	}
	a.news[region][t] = known
}

func (a *acks) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.wake:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(ackEvery):
		}
		var wg sync.WaitGroup
		for _, region := range a.s.others() {
			wg.Go(func() { a.tell(ctx, region) })
		}
		wg.Wait()
	}
}

// tell reports to one region until nothing is due or it does not answer.
func (a *acks) tell(ctx context.Context, region string) {
	for {
		m := applied{Region: a.s.cfg.Region, Tenants: map[id.ID]change.Vector{}}
		a.mu.Lock()
		var list []id.ID
		for t := range a.due[region] {
			if list = append(list, t); len(list) == appliedMax {
				break
			}
		}
		for _, t := range list {
			delete(a.due[region], t)
		}
		a.mu.Unlock()
		if len(list) == 0 {
			return
		}
		for _, t := range list {
			if v := a.s.journal.vector(t); len(v) > 0 && a.s.serves(t) {
				m.Tenants[t] = v
			}
		}
		if _, err := a.s.ask(ctx, wire.Applied(region), m.encode()); err != nil {
			a.again(region, list)
			if ctx.Err() == nil && fault.KindOf(err) != fault.Unavailable {
				a.s.cfg.Log.Warn("report not sent", "region", region, "err", err)
			}
			return
		}
	}
}

// again puts workspaces back and tries a little later.
func (a *acks) again(region string, list []id.ID) {
	a.mu.Lock()
	if due := a.due[region]; due != nil {
		for _, t := range list {
			due[t] = true
		}
	}
	a.mu.Unlock()
	time.AfterFunc(ackRetry, a.poke)
}

// vector is a workspace's vector.
func (j *journal) vector(t id.ID) change.Vector {
	j.mu.Lock()
	defer j.mu.Unlock()
	v := change.Vector{}
	for _, origin := range slices.Sorted(maps.Keys(j.heads)) {
		if seq := j.heads[origin][t]; seq > 0 {
			v[origin] = seq
		}
	}
	return v
}
