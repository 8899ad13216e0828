package natsd

import (
	"time"

	"holdfast/sync/fault"
)

// Streaming tells whether JetStream runs.
func (s *Server) Streaming() bool { return s.srv.JetStreamEnabled() }

// RestartStreams takes JetStream down and up again, without touching connections: after a failed write (a full disk) a
// stream takes nothing more until then. It does nothing, and gives Full, while there is no room on the disk, and Busy when
// it was done a moment ago.
func (s *Server) RestartStreams() error {
	const op = "natsd.RestartStreams"
	s.restart.Lock()
	defer s.restart.Unlock()
	if time.Since(s.restarted) < restartPause {
		return fault.Errorf(op, fault.Busy, "restarted a moment ago")
	}
	free, err := Free(s.cfg.StoreDir)
	if err != nil {
		return fault.E(op, fault.Other, err)
	}
	if free < restartRoom {
		return fault.Errorf(op, fault.Full, "no room on the disk")
	}
	s.restarted = time.Now()
	s.cfg.Log.Warn("restarting streams", "node", s.cfg.Name)
	if err := s.srv.ShutdownJetStream(); err != nil {
		return fault.E(op, fault.Other, err)
	}
	o, err := s.options()
	if err != nil {
		return fault.E(op, fault.Invalid, err)
	}
	// A reload finds JetStream wanted and not running.
	if err := s.srv.ReloadOptions(o); err != nil {
		return fault.E(op, fault.Other, err)
	}
	if !s.srv.JetStreamEnabled() {
		return fault.Errorf(op, fault.Unavailable, "streams did not start again")
	}
	return nil
}
