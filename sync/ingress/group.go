package ingress

import (
	"context"
	"database/sql"

	"holdfast/sync/change"
	"holdfast/sync/hlc"
	"holdfast/sync/wire"
)

// Offer is a push and who makes it.
type Offer struct {
	Who Actor
	Req wire.PushRequest
}

// Outcome is what became of a push.
type Outcome struct {
	Reply wire.PushReply
	Done  []change.Entry

	Replica uint64
	Settled uint64    // the replica knows the fates up to this number
	Refused []Refusal // those in the reply
}

func outcome(req wire.PushRequest, reply wire.PushReply, done []change.Entry) Outcome {
	o := Outcome{Reply: reply, Done: done, Replica: req.Replica}
	if reply.Err == nil && len(req.Txs) > 0 || len(reply.Fates) > 0 {
		o.Settled = req.Txs[0].Num - 1
	}
	for i, f := range reply.Fates {
		if !f.Accepted {
			o.Refused = append(o.Refused, Refusal{req.Replica, sum(req.Txs[i]), f})
		}
	}
	return o
}

// PushAll does what Push does for each offer, in the order given, and commits them together: many small pushes at once
// cost little more than one. When anything is wrong with one of them each is done by itself, so that it harms no other.
func (g *Ingress) PushAll(ctx context.Context, offers []Offer) []Outcome {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make([]Outcome, len(offers))
	if len(offers) > 1 && g.pushTogether(ctx, offers, out) {
		return out
	}
	for i, o := range offers {
		reply, done := g.pushOne(ctx, o.Who, o.Req)
		out[i] = outcome(o.Req, reply, done)
	}
	return out
}

// pushTogether tells whether all offers were done; if not, nothing was.
func (g *Ingress) pushTogether(ctx context.Context, offers []Offer, out []Outcome) bool {
	now := g.cfg.Now()
	batches := make([]*batch, len(offers))
	for i, o := range offers {
		if validPush(o.Req) != nil || len(o.Req.Txs) == 0 {
			return false
		}
		batches[i] = &batch{Ingress: g, ctx: ctx, who: o.Who, req: o.Req, now: now, old: map[hlc.Stamp]hlc.Stamp{}}
	}
	err := g.write(ctx, func(tx *sql.Tx) error {
		for _, b := range batches {
			b.tx, b.seen = tx, newSeen(ctx, tx) // what was seen before may be another after the batch before
			if err := b.run(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return false
	}
	for i, b := range batches {
		out[i] = outcome(b.req, wire.PushReply{NowMS: now.UnixMilli(), Fates: b.fates, Err: b.stop}, b.done)
	}
	return true
}
