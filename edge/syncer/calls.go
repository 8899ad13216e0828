package syncer

import (
	"context"

	"holdfast/edge/tenant"
	"holdfast/sync/change"
	"holdfast/sync/directory"
	"holdfast/sync/fault"
	"holdfast/sync/ingress"
	"holdfast/sync/wire"
)

func (s *Syncer) push(ctx context.Context, c call) []byte {
	reply := s.pushed(ctx, c)
	reply.Err = abroad(reply.Err)
	if reply.Err != nil {
		s.cfg.Log.Info("push answered with an error", "tenant", c.Tenant, "conn", c.Name, "person", c.Person, "err", reply.Err)
	}
	return reply.Encode()
}

func (s *Syncer) pushed(ctx context.Context, c call) (reply wire.PushReply) {
	reply.NowMS = s.cfg.Now().UnixMilli()
	req, err := wire.DecodePushRequest(c.msg.Data)
	if err != nil {
		reply.Err = err
		return reply
	}
	if c.tenant.State == directory.Restricted {
		// Busy, because what people wrote must wait, not be lost, until the workspace may be written to again.
		reply.Err = fault.Errorf("syncer.push", fault.Busy, "This workspace can only be read at present. Changes wait on this device.")
		return reply
	}
	err = s.cfg.Tenants.Use(ctx, c.Tenant, func(t *tenant.Tenant) error {
		if err := s.Project(ctx, t); err != nil {
			return err
		}
		reply = t.Push(ctx, ingress.Actor{ID: c.Person, Role: c.member.Role}, req)
		return nil
	})
	if err != nil {
		reply.Err = err
	}
	return reply
}

func (s *Syncer) pull(ctx context.Context, c call) []byte {
	var reply wire.PullReply
	req, err := wire.DecodePullRequest(c.msg.Data)
	if err == nil {
		err = s.cfg.Tenants.Use(ctx, c.Tenant, func(t *tenant.Tenant) error {
			reply = t.Pull(ctx, req)
			return reply.Err
		})
	}
	if err != nil {
		s.cfg.Log.Info("pull answered with an error", "tenant", c.Tenant, "conn", c.Name, "person", c.Person, "err", err)
		reply = wire.PullReply{Err: abroad(err)}
	}
	return reply.Encode()
}

// abroad says what a fault of this edge is to a device, whose own disk may be full and whose own copy may be damaged, but
// are not because of it.
func abroad(err error) error {
	const op = "syncer.abroad"
	if err == nil {
		return nil
	}
	switch fault.KindOf(err) {
	case fault.Full:
		return &fault.Error{Op: op, Kind: fault.Unavailable, Err: err,
			Detail: "This region has no room on its disk. Your changes wait on this device and are sent when there is room again."}
	case fault.Corrupt:
		return &fault.Error{Op: op, Kind: fault.Unavailable, Err: err,
			Detail: "This workspace's file was damaged and is being brought back. Changes wait on this device."}
	}
	return err
}

// Feed tells the workspace's browsers in this region what was committed or merged (tenant.Config.Committed and Merged).
func (s *Syncer) Feed(t *tenant.Tenant, entries []change.Entry) {
	if !s.cfg.Conns.Connected(t.ID) {
		return // who connects pulls first
	}
	everywhere := t.Everywhere()
	for len(entries) > 0 {
		n, size := 0, 0
		for n < len(entries) && (n == 0 || size < feedBytesMax) {
			size += entrySize(entries[n])
			if n > 0 && size > feedBytesMax {
				break
			}
			n++
		}
		s.publish(t, wire.FeedMessage{Entries: entries[:n], Everywhere: everywhere})
		entries = entries[n:]
	}
}

// Everywhere tells the workspace's browsers in this region what all regions have.
func (s *Syncer) Everywhere(t *tenant.Tenant) {
	if s.cfg.Conns.Connected(t.ID) {
		s.publish(t, wire.FeedMessage{Everywhere: t.Everywhere()})
	}
}

func (s *Syncer) publish(t *tenant.Tenant, m wire.FeedMessage) {
	if err := s.cfg.Web.Publish(wire.Feed(t.ID, wire.ScopeAll), m.Encode()); err != nil {
		// A replica that misses something pulls it.
		s.cfg.Log.Warn("feed not sent", "tenant", t.ID, "entries", len(m.Entries), "err", err)
	}
}

// entrySize is about how many bytes an entry takes.
func entrySize(e change.Entry) int {
	n := change.EntryBytesExtra
	for _, r := range e.Tx.Rows {
		n += len(r.Table) + 32
		for _, c := range r.Cells {
			n += len(c.Col) + len(c.Val.Text) + 32
		}
	}
	return n
}
