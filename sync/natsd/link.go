package natsd

import (
	"context"
	"time"

	"holdfast/sync/fault"
)

// subjectBeat is what the hub sends to every region now and then, so that a link over which nothing comes is known to be
// broken although nobody has closed it.
const subjectBeat = "link.beat"

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

// beat keeps something arriving at the other ends of the hub's links.
func (s *Server) beat(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := s.own.Publish(subjectBeat, nil); err != nil {
			s.cfg.Log.Warn("the regions' links get no beat", "err", err)
		}
	}
}

// watchLink tells about the link, ends one over which nothing comes any more, and starts its dialer anew when the link has
// been missing for long: leaf remotes have been seen to stop dialing.
func (s *Server) watchLink(ctx context.Context) {
	tick := time.NewTicker(linkPoll)
	defer tick.Stop()
	missing := time.Now()
	var quiet silence
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
		switch {
		case up:
			missing = time.Now()
			if s.beats.Load() {
				s.endSilent(&quiet)
			}
		case time.Since(missing) > linkMissingMax:
			missing = time.Now()
			if err := s.Redial(); err != nil {
				s.cfg.Log.Error("the link's dialer did not start anew", "node", s.cfg.Name, "err", err)
			}
		}
	}
}

// silence is how often in a row a link was looked at and nothing had come. Looks are counted and not time: a process that
// did not get to look was not listening either.
type silence struct {
	link  uint64
	came  int64
	looks int
}

// endSilent ends a link that was silent for too long; it is dialed anew at once.
func (s *Server) endSilent(q *silence) {
	z, err := s.srv.Leafz(nil)
	if err != nil || len(z.Leafs) == 0 {
		return
	}
	l := z.Leafs[0]
	if l.ID != q.link || l.InMsgs != q.came {
		*q = silence{link: l.ID, came: l.InMsgs}
		return
	}
	if q.looks++; q.looks < silentLooksMax {
		return
	}
	s.cfg.Log.Warn("nothing comes over the link to the hub; it is dialed anew", "node", s.cfg.Name)
	s.Kick(l.ID)
	*q = silence{}
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
