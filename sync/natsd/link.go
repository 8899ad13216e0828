package natsd

import (
	"context"
	"time"

	"holdfast/sync/fault"
)

// Linked tells whether the leaf link to the hub stands, as far as this end knows.
func (s *Server) Linked() bool { return s.srv.NumLeafNodes() > 0 }

// Links is the number of leaf links, both ways.
func (s *Server) Links() int { return s.srv.NumLeafNodes() }

// OnLink registers f to be called when the link to the hub comes up or goes down. Register before or after Open; f is
// called at once when the link stands already, and must not block.
func (s *Server) OnLink(f func(up bool)) {
	s.mu.Lock()
	s.watches = append(s.watches, f)
	up := s.linked
	s.mu.Unlock()
	if up {
		f(true)
	}
}

// watchLink tells about the link, and starts its dialer anew when the link has been missing for long: leaf remotes have
// been seen to stop dialing.
func (s *Server) watchLink(ctx context.Context) {
	tick := time.NewTicker(linkPoll)
	defer tick.Stop()
	missing := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		up := s.Linked()
		s.mu.Lock()
		changed := up != s.linked
		s.linked = up
		watches := s.watches
		s.mu.Unlock()
		if changed {
			s.cfg.Log.Info("link to the hub", "node", s.cfg.Name, "up", up)
			for _, f := range watches {
				f(up)
			}
		}
		if up {
			missing = time.Now()
		} else if time.Since(missing) > linkMissingMax {
			missing = time.Now()
			if err := s.Redial(); err != nil {
				s.cfg.Log.Error("the link's dialer did not start anew", "node", s.cfg.Name, "err", err)
			}
		}
	}
}

// Redial drops the link to the hub, if there is one, and begins to dial afresh.
func (s *Server) Redial() error {
	const op = "natsd.Redial"
	for _, disabled := range []bool{true, false} {
		o, err := s.options()
		if err != nil {
			return fault.E(op, fault.Invalid, err)
		}
		for _, r := range o.LeafNode.Remotes {
			r.Disabled = disabled
		}
		if err := s.srv.ReloadOptions(o); err != nil {
			return fault.E(op, fault.Other, err)
		}
	}
	return nil
}
