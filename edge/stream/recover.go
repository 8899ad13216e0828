package stream

import (
	"context"
	"errors"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"

	"holdfast/edge/tenant"
	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/ingress"
	"holdfast/sync/wire"
)

// Opened sees that a workspace's file has all of the own log that was ever published, before anything is committed to it:
// after a restore from an older copy the same sequences would be given to other changes. What is missing is taken from the
// region's stream, else from other regions. An error of kind Unavailable keeps the workspace closed.
func (s *Stream) Opened(ctx context.Context, n *tenant.Tenant) error {
	const op = "stream.Opened"
	s.trims.add(n.ID)
	if n.Rebuilding() {
		return fault.Wrap(op, s.rebuild(n))
	}
	s.lostOfOthers(n)
	published, err := s.published(ctx, n.ID)
	if err != nil {
		return fault.Wrap(op, err)
	}
	published = max(published, s.journal.head(s.cfg.Region, n.ID)) // the streams may have been lost too
	have := n.Heads()[s.cfg.Region]
	if published <= have {
		return nil
	}
	s.cfg.Log.Error("a workspace's file is older than what was published from it", "tenant", n.ID, "has", have, "published", published)
	if err := s.reread(ctx, n, published); err != nil {
		s.cfg.Log.Warn("own stream cannot give back what is missing", "tenant", n.ID, "err", err)
	}
	// Taking a whole workspace over takes longer than opening one.
	ctx, cancel := context.WithTimeout(s.ctx, adoptMax)
	defer cancel()
	for _, r := range s.cfg.Directory.Regions() {
		have = n.Heads()[s.cfg.Region]
		if have >= published {
			break
		}
		if r.Name == s.cfg.Region {
			continue
		}
		if err := s.fill(ctx, r.Name, n, ingress.Range{Origin: s.cfg.Region, From: have + 1, To: published}); err != nil {
			s.cfg.Log.Warn("region cannot give back what is missing", "tenant", n.ID, "region", r.Name, "err", err)
		}
	}
	s.rereadAll(ctx, n, published) // the other regions may have brought what came before
	if have = n.Heads()[s.cfg.Region]; have < published {
		return fault.Errorf(op, fault.Unavailable, "This workspace was restored from an older copy and waits for another region to bring it up to date.")
	}
	s.journal.setHeads(n.ID, n.Heads())
	return nil
}

// lostOfOthers has fetched again what a workspace's file had of other regions' logs before it was put back from an older
// copy: their streams do not bring it twice.
func (s *Stream) lostOfOthers(n *tenant.Tenant) {
	have := n.Heads()
	for origin, seq := range s.journal.vector(n.ID) {
		if origin == s.cfg.Region || have[origin] >= seq {
			continue
		}
		s.cfg.Log.Error("a workspace's file is older than what was merged into it", "tenant", n.ID, "origin", origin, "has", have[origin], "merged", seq)
		s.journal.lower(origin, n.ID, have[origin])
		s.lame.add(headKey{origin, n.ID}, seq)
	}
}

// reread merges the own log from the own stream.
func (s *Stream) reread(ctx context.Context, n *tenant.Tenant, upTo uint64) error {
	const op = "stream.reread"
	ctx, cancel := context.WithTimeout(ctx, recoverMax)
	defer cancel()
	st, err := s.js.Stream(ctx, wire.OpsStream(wire.Shard(n.ID)))
	if err != nil {
		return fault.E(op, fault.Unavailable, err)
	}
	subject := wire.OpsSubject(s.cfg.Region, n.ID)
	var entries []change.Entry
	for place, seq := uint64(1), uint64(0); seq < upTo; {
		m, err := st.GetMsg(ctx, place, jetstream.WithGetMsgSubject(subject)) // the first at or after place
		if err != nil {
			return fault.E(op, fault.Unavailable, err)
		}
		place = m.Sequence + 1
		if seq, err = strconv.ParseUint(m.Header.Get(headerSeq), 10, 64); err != nil {
			return fault.E(op, fault.Corrupt, err)
		}
		tx, err := change.Decode(m.Data)
		if err != nil {
			return fault.Wrap(op, err)
		}
		entries = append(entries, change.Entry{Origin: s.cfg.Region, Seq: seq, Tx: tx})
		if len(entries) < reReadBatch && seq < upTo {
			continue
		}
		missing, err := n.Merge(ctx, entries)
		if err != nil {
			return fault.Wrap(op, err)
		}
		if len(missing) > 0 {
			return fault.E(op, fault.Behind, errors.New("the stream begins later"))
		}
		entries = entries[:0]
	}
	return nil
}
