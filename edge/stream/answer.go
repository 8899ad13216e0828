package stream

import (
	"bytes"
	"context"
	"errors"

	"github.com/nats-io/nats.go"

	"holdfast/edge/tenant"
	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/ingress"
	"holdfast/sync/wire"
)

// onFetch gives another region a part of a log.
func (s *Stream) onFetch(m *nats.Msg) {
	ctx, cancel := context.WithTimeout(s.ctx, askMax)
	defer cancel()
	var reply wire.PullReply
	req, err := decodeFetch(m.Data)
	if err == nil && !s.cfg.Tenants.Exists(req.Tenant) {
		err = fault.Errorf("stream.onFetch", fault.NotFound, "no such workspace here")
	}
	if err == nil {
		err = s.cfg.Tenants.Use(ctx, req.Tenant, func(n *tenant.Tenant) (err error) {
			reply.Entries, err = n.Log(ctx, req.Origin, req.After, fetchBytes)
			return err
		})
	}
	if err != nil {
		s.cfg.Log.Warn("part of a log not given", "tenant", req.Tenant, "origin", req.Origin, "after", req.After, "err", err)
		reply = wire.PullReply{Err: err}
	}
	s.respond(m, reply.Encode())
}

// onHeads gives another region the heads of this region's own logs.
func (s *Stream) onHeads(m *nats.Msg) {
	req, err := decodeHeadsRequest(m.Data)
	if err != nil {
		s.cfg.Log.Warn("request for heads not understood", "err", err)
		return
	}
	s.respond(m, s.journal.page(s.cfg.Region, req.Shard, req.After).encode())
}

// onApplied notes how far another region has come. It is confirmed when it is in the files.
func (s *Stream) onApplied(m *nats.Msg) {
	msg, err := decodeApplied(m.Data)
	if err != nil {
		s.cfg.Log.Warn("report of another region not understood", "err", err)
		return
	}
	for t, v := range msg.Tenants {
		if !s.known(t) || s.acks.heard(msg.Region, t, v) {
			continue
		}
		err := s.cfg.Tenants.Use(s.ctx, t, func(n *tenant.Tenant) error {
			if err := s.regain(n, msg.Region, v[s.cfg.Region]); err != nil {
				s.cfg.Log.Error("another region has more of this region's log than it has itself", "tenant", t, "region", msg.Region, "err", err)
			}
			changed, err := n.Acked(s.ctx, msg.Region, v)
			if err == nil && changed && s.cfg.Everywhere != nil {
				s.cfg.Everywhere(n)
			}
			return err
		})
		if err != nil {
			s.cfg.Log.Warn("report of another region not noted", "tenant", t, "region", msg.Region, "err", err)
			return // not confirmed: it comes again
		}
		s.acks.hear(msg.Region, t, v)
	}
	s.respond(m, nil)
}

// regain takes back what this region accepted once and has lost since, as after a restore from an older copy. When it has
// given lost sequences to other changes meanwhile, there are two histories, and nothing is taken.
func (s *Stream) regain(n *tenant.Tenant, from string, seq uint64) error {
	const op = "stream.regain"
	have := n.Heads()[s.cfg.Region]
	if seq <= have {
		return nil
	}
	if have > 0 {
		own, err := n.Log(s.ctx, s.cfg.Region, have-1, 1)
		if err != nil {
			return fault.Wrap(op, err)
		}
		far, err := s.fetch(s.ctx, from, fetchRequest{n.ID, s.cfg.Region, have - 1})
		if err != nil {
			return fault.Wrap(op, err)
		}
		if len(own) == 0 || len(far) == 0 || !bytes.Equal(own[0].Tx.Encode(), far[0].Tx.Encode()) {
			return fault.E(op, fault.Conflict, errors.New("two different changes have one sequence"))
		}
	}
	if err := s.fill(s.ctx, from, n, ingress.Range{Origin: s.cfg.Region, From: have + 1, To: seq}); err != nil {
		return fault.Wrap(op, err)
	}
	s.journal.setHeads(n.ID, change.Vector{s.cfg.Region: n.Heads()[s.cfg.Region]})
	return nil
}

func (s *Stream) respond(m *nats.Msg, data []byte) {
	if err := m.Respond(data); err != nil {
		s.cfg.Log.Warn("answer to another region not sent", "subject", m.Subject, "err", err)
	}
}
