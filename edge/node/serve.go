package node

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/nats-io/nats.go"

	"holdfast/edge/dir"
	"holdfast/edge/metrics"
	"holdfast/edge/snapshot"
	"holdfast/edge/tenant"
	"holdfast/sync/directory"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/relay"
	"holdfast/sync/token"
	"holdfast/sync/wire"
)

// Region is the edge's name.
func (n *Node) Region() string { return n.cfg.Region }

// WebSocketAddr is where the gateway hands browsers' connections over: host:port of loopback.
func (n *Node) WebSocketAddr() string { return n.srv.WebSocketAddr() }

// Linked tells whether the hub can be reached.
func (n *Node) Linked() bool { return n.srv.Linked() }

// Connections is the number of browsers connected.
func (n *Node) Connections() int { return n.conns.Len() }

// Ready tells why the edge does not take work, or nil. That the hub is away is no reason.
func (n *Node) Ready() error {
	const op = "node.Ready"
	switch {
	case !n.ready.Load():
		return fault.Errorf(op, fault.Unavailable, "This region is starting or stopping.")
	case !n.srv.Streaming():
		return fault.Errorf(op, fault.Unavailable, "This region's streams do not run.")
	}
	return nil
}

// Stats are the edge's figures, for a monitoring system.
func (n *Node) Stats(ctx context.Context) (metrics.Stats, error) {
	backlog, err := n.meter.Backlog(ctx)
	if err != nil {
		return metrics.Stats{}, fault.Wrap("node.Stats", err)
	}
	s := metrics.Stats{Connections: n.conns.Len(), OpenFiles: n.tenants.Opened(), SetAside: n.stream.SetAside(), Linked: n.Linked(),
		LogBytes: n.tenants.LogBytes(), UsageBacklog: backlog, Lags: n.stream.Lags()}
	s.Pushes, s.Commits = n.tenants.Pushed()
	return s, nil
}

// Verify reads a session token (dir.Dir.Verify).
func (n *Node) Verify(raw string) (token.Claims, error) { return n.dir.Verify(raw) }

// Revoked tells whether a session was ended early.
func (n *Node) Revoked(session id.ID) bool { return n.dir.Revoked(session) }

// Member finds an active member of a workspace that is not deleted.
func (n *Node) Member(t, person id.ID) (directory.Member, directory.Tenant, bool) {
	return n.dir.Member(t, person)
}

// Tenant finds a workspace in the directory.
func (n *Node) Tenant(t id.ID) (directory.Tenant, bool) { return n.dir.Tenant(t) }

// TenantsOf are the workspaces in which a person is an active member.
func (n *Node) TenantsOf(person id.ID) []directory.Tenant { return n.dir.TenantsOf(person) }

// Regions are all regions known.
func (n *Node) Regions() []directory.Region { return n.dir.Regions() }

// WaitRevision returns when the directory's copy has the bucket's revision.
func (n *Node) WaitRevision(ctx context.Context, rev uint64) error {
	return n.dir.WaitRevision(ctx, rev)
}

// Snapshot gives a recent snapshot of a workspace, which the caller must Release.
func (n *Node) Snapshot(ctx context.Context, t id.ID) (*snapshot.File, error) {
	return n.snapshots.Snapshot(ctx, t)
}

// APICall counts one request that was answered for a workspace.
func (n *Node) APICall(t id.ID) { n.meter.APICall(t) }

// Sent counts bytes that were sent to one of a workspace's browsers or API callers.
func (n *Node) Sent(t id.ID, bytes int64) { n.meter.Sent(t, bytes) }

// TenantAt is the workspace of the connection that comes from an address, or empty.
func (n *Node) TenantAt(addr string) id.ID { return n.conns.TenantAt(addr) }

// HubHTTP has a request answered by the hub (relay.Call).
func (n *Node) HubHTTP(ctx context.Context, r *http.Request) (*http.Response, error) {
	return relay.Call(ctx, n.core, wire.HubHTTP, r)
}

// link is told when the link to the hub comes up or goes down.
func (n *Node) link(up bool) {
	if up {
		n.dir.Poke()
		n.stream.LinkUp()
		n.wakeAnnounce()
	}
}

// directoryChanged ends connections at once, and leaves what takes longer to follow.
func (n *Node) directoryChanged(changes []dir.Change) {
	n.conns.Changed(changes)
	n.mu.Lock()
	for _, c := range changes {
		if (c.Kind == "tenant" || c.Kind == "region") && len(n.changed) < changesHeld {
			n.changed[c] = true
		}
	}
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// follow acts on changes of the directory.
func (n *Node) follow(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.wake:
		}
		n.mu.Lock()
		changed := n.changed
		n.changed = map[dir.Change]bool{}
		n.mu.Unlock()
		regions := false
		for c := range changed {
			if c.Kind == "region" {
				regions = true
				continue
			}
			n.project(ctx, id.ID(c.Name))
		}
		if regions {
			n.stream.RegionsChanged()
		}
	}
}

// project shows changed people to those who look now; for all others it is done when the workspace is opened.
func (n *Node) project(ctx context.Context, t id.ID) {
	if !n.tenants.IsOpen(t) && !n.conns.Connected(t) {
		return
	}
	err := n.tenants.Use(ctx, t, func(t *tenant.Tenant) error { return n.syncer.Project(ctx, t) })
	if err != nil && ctx.Err() == nil {
		n.cfg.Log.Warn("people not brought into the workspace", "tenant", t, "err", err)
	}
}

// announce tells the hub, now and then, that the region is there.
func (n *Node) announce(ctx context.Context) {
	body, err := json.Marshal(directory.Region{Name: n.cfg.Region, URL: n.cfg.PublicURL})
	if err != nil {
		n.cfg.Log.Error("region not announced", "err", err)
		return
	}
	for {
		wait := wire.RegionBeat
		if err := n.announceOnce(ctx, body); err != nil {
			wait = announceRetry
			if n.Linked() && ctx.Err() == nil {
				n.cfg.Log.Warn("region not announced; it is tried again", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-n.announceNow:
		case <-time.After(wait):
		}
	}
}

func (n *Node) announceOnce(ctx context.Context, body []byte) error {
	const op = "node.announce"
	ctx, cancel := context.WithTimeout(ctx, announceMax)
	defer cancel()
	m, err := n.core.RequestMsgWithContext(ctx, &nats.Msg{Subject: wire.HubRegion, Data: body})
	if err != nil {
		return fault.E(op, fault.Unavailable, err)
	}
	var answer struct {
		Error string `json:"error"`
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return fault.E(op, fault.Invalid, err)
	}
	if answer.Error != "" {
		return fault.E(op, fault.Denied, errors.New(answer.Error))
	}
	return nil
}

func (n *Node) wakeAnnounce() {
	select {
	case n.announceNow <- struct{}{}:
	default:
	}
}
