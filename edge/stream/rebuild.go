package stream

import (
	"context"

	"holdfast/edge/tenant"
	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/ingress"
)

// noneAfter is after every sequence.
const noneAfter = 1 << 62

// rebuild fills a workspace's file that is made again after damage: from the own stream, from every other region that
// answers, and from what can still be read of the damaged file. It succeeds only when the file has all that it ever had as
// far as node.db, the stream and the damaged file tell, so that nobody is served less than was acknowledged, and no sequence
// stands for two changes. Until then the workspace is closed; whatever was got stays for the next attempt.
//
// After a crash node.db and the stream may lack what was acknowledged in the last moment. If the damaged file cannot tell
// either, the operator decides.
func (s *Stream) rebuild(n *tenant.Tenant) error {
	const op = "stream.rebuild"
	// Whoever waits for it may lose patience; the work goes on.
	ctx, cancel := context.WithTimeout(s.ctx, adoptMax)
	defer cancel()
	want, err := s.had(ctx, n)
	if err != nil {
		return fault.Wrap(op, err)
	}
	head, _, saveErr := n.Salvage(ctx, noneAfter)
	want[s.cfg.Region] = max(want[s.cfg.Region], head)
	s.rereadAll(ctx, n, want[s.cfg.Region])
	for _, r := range s.cfg.Directory.Regions() {
		if r.Name != s.cfg.Region {
			s.takeAll(ctx, r.Name, n, want)
		}
	}
	s.rereadAll(ctx, n, want[s.cfg.Region]) // the other regions may have brought what came before
	if have := n.Heads()[s.cfg.Region]; have < want[s.cfg.Region] && saveErr == nil {
		if _, entries, err := n.Salvage(ctx, have); err == nil {
			if _, err := n.Merge(ctx, entries); err != nil {
				return fault.Wrap(op, err)
			}
		}
	}
	have := n.Heads()
	unsure := s.journal.crashed[n.ID] && saveErr != nil
	if len(have) > 0 && n.LossAccepted() {
		s.cfg.Log.Warn("the operator takes what there is of a damaged workspace for all", "tenant", n.ID, "has", have, "had", want)
		for origin := range want {
			s.journal.lower(origin, n.ID, have[origin])
		}
		unsure, want = false, have
	}
	if len(have) == 0 || unsure || !have.Covers(want) {
		file, aside, accept := n.Files()
		s.cfg.Log.Error("a damaged workspace stays closed: not all of it was found. It is tried again whenever it is asked for. "+
			"See that the other regions are connected; or stop this edge and put a copy of the file in its place (a newer one is better, an older one is brought up to date); "+
			"or, to go on with what the other regions have and lose the rest, make an empty file with the name under accept",
			"tenant", n.ID, "has", have, "had", want, "unsure", unsure, "file", file, "damaged", aside, "accept", accept)
		return fault.Errorf(op, fault.Unavailable, "This workspace's file was damaged and waits for another region to bring it back. Changes wait on this device.")
	}
	s.journal.setHeads(n.ID, have)
	s.acks.add(n.ID)
	return nil
}

// had is how far a workspace's file had come before it was damaged, as far as it is remembered.
func (s *Stream) had(ctx context.Context, n *tenant.Tenant) (change.Vector, error) {
	published, err := s.published(ctx, n.ID)
	if err != nil {
		return nil, fault.Wrap("stream.had", err)
	}
	v := s.journal.vector(n.ID)
	if published = max(published, v[s.cfg.Region]); published > 0 {
		v[s.cfg.Region] = published
	}
	return v, nil
}

// rereadAll takes from the own stream what it has of the own log up to a sequence.
func (s *Stream) rereadAll(ctx context.Context, n *tenant.Tenant, upTo uint64) {
	if n.Heads()[s.cfg.Region] >= upTo {
		return
	}
	if err := s.reread(ctx, n, upTo); err != nil {
		s.cfg.Log.Info("own stream does not give all back", "tenant", n.ID, "has", n.Heads()[s.cfg.Region], "wants", upTo, "err", err)
	}
}

// takeAll takes from a region what it has of each origin's log.
func (s *Stream) takeAll(ctx context.Context, from string, n *tenant.Tenant, want change.Vector) {
	origins := want.Clone()
	origins[from], origins[s.cfg.Region] = want[from], want[s.cfg.Region]
	for _, origin := range origins.Origins() {
		for {
			have := n.Heads()[origin]
			err := s.fill(ctx, from, n, ingress.Range{Origin: origin, From: have + 1, To: have + 1}) // as much as one answer brings
			if n.Heads()[origin] > have && err == nil {
				continue
			}
			if fault.KindOf(err) != fault.Behind {
				s.cfg.Log.Warn("a region does not give back what is missing", "tenant", n.ID, "region", from, "origin", origin, "has", have, "err", err)
			}
			break
		}
	}
}
