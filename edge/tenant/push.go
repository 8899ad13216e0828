package tenant

import (
	"context"
	"sync"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/ingress"
	"holdfast/sync/wire"
)

// queue holds the pushes that wait while another is being committed. Whoever comes next takes them all along: the disk is
// waited for once for many.
type queue struct {
	mu   sync.Mutex
	list []*waiting
}

type waiting struct {
	ingress.Offer
	done  bool // under say
	reply wire.PushReply
}

func (q *queue) add(w *waiting) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list = append(q.list, w)
}

// take gives the longest waiting, in their order, as far as their number and size are good for one commit.
func (q *queue) take() []*waiting {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, txs := 0, 0
	for n < len(q.list) && n < groupMax {
		if txs += len(q.list[n].Req.Txs); n > 0 && txs > groupTxsMax {
			break
		}
		n++
	}
	out := q.list[:n:n]
	q.list = q.list[n:]
	return out
}

// Push offers a replica's changes (ingress.Ingress.Push).
func (t *Tenant) Push(ctx context.Context, who ingress.Actor, req wire.PushRequest) wire.PushReply {
	w := &waiting{Offer: ingress.Offer{Who: who, Req: req}}
	t.queue.add(w)
	t.say.Lock()
	defer t.say.Unlock()
	for !w.done {
		t.pushGroup(ctx)
	}
	return w.reply
}

// pushGroup commits some of what waits. say is held.
func (t *Tenant) pushGroup(ctx context.Context) {
	// It serves others too, so it does not end with this caller's patience.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitMax)
	defer cancel()
	group := t.queue.take()
	if err := t.before(ctx); err != nil {
		for _, w := range group {
			w.done, w.reply = true, wire.PushReply{NowMS: t.s.cfg.Now().UnixMilli(), Err: err}
		}
		return
	}
	t.s.pushes.Add(uint64(len(group)))
	t.s.commits.Add(1)
	offers := make([]ingress.Offer, len(group))
	for i, w := range group {
		offers[i] = w.Offer
	}
	var done []change.Entry
	outcomes := t.in.PushAll(ctx, offers)
	refused := t.refused(ctx, outcomes)
	for i, o := range outcomes {
		if refused != nil && len(o.Refused) > 0 { // asked again, they get the same answer
			o.Reply = wire.PushReply{NowMS: o.Reply.NowMS, Err: refused}
		}
		o.Reply.Err = t.sick(o.Reply.Err)
		group[i].done, group[i].reply = true, o.Reply
		done = append(done, o.Done...)
	}
	t.tell(t.s.cfg.Committed, done)
}

// refused has refusals kept beside the file.
func (t *Tenant) refused(ctx context.Context, outcomes []ingress.Outcome) error {
	if t.s.cfg.Refused == nil {
		return nil
	}
	err := t.s.cfg.Refused(ctx, t.ID, outcomes)
	if err != nil {
		t.s.cfg.Log.Warn("refusals not kept; the pushes come again", "tenant", t.ID, "err", err)
	}
	return fault.Wrap("tenant.refused", err)
}
