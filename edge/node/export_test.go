package node

import (
	"context"

	"github.com/nats-io/nats.go"

	"holdfast/edge/tenant"
	"holdfast/sync/change"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
)

// CopyForTest writes a workspace's rows to a file, without the snapshots' store between.
func (n *Node) CopyForTest(path string, t id.ID) (v change.Vector, err error) {
	err = n.tenants.Use(context.Background(), t, func(t *tenant.Tenant) (err error) {
		v, err = t.Snapshot(context.Background(), path)
		return err
	})
	return v, err
}

// HeadsForTest is how far a workspace's file has come.
func (n *Node) HeadsForTest(t id.ID) (v change.Vector) {
	n.tenants.Use(context.Background(), t, func(t *tenant.Tenant) error { v = t.Heads(); return nil }) //nolint:errcheck // no heads
	return v
}

// PushedForTest is how many entries of a workspace's own log browsers have pushed.
func (n *Node) PushedForTest(t id.ID) (count uint64) {
	n.tenants.Use(context.Background(), t, func(t *tenant.Tenant) error { //nolint:errcheck // none
		head := t.Heads()[n.cfg.Region]
		made, err := t.Made(context.Background(), 0, head)
		count = head - uint64(len(made))
		return err
	})
	return count
}

// EverywhereForTest is what all regions have of a workspace, as far as is known here.
func (n *Node) EverywhereForTest(t id.ID) (v change.Vector) {
	n.tenants.Use(context.Background(), t, func(t *tenant.Tenant) error { v = t.Everywhere(); return nil }) //nolint:errcheck // nothing
	return v
}

// TrimForTest trims a workspace's log now, and gives its floors.
func (n *Node) TrimForTest(t id.ID) (v change.Vector, err error) {
	if err := n.stream.Trim(context.Background(), t); err != nil {
		return nil, err
	}
	err = n.tenants.Use(context.Background(), t, func(t *tenant.Tenant) error { v = t.Floors(); return nil })
	return v, err
}

// PathForTest is a workspace's file.
func (n *Node) PathForTest(t id.ID) string { return n.tenants.Path(t) }

// CoreForTest and WebForTest are the process's own connections.
func (n *Node) CoreForTest() *nats.Conn { return n.core }
func (n *Node) WebForTest() *nats.Conn  { return n.web }

// ReadStorageForTest looks whether an hour has begun.
func (n *Node) ReadStorageForTest() error { return n.meter.ReadStorage(context.Background()) }

// CheckpointForTest moves a workspace's write-ahead log into its file, after which the log's space is used again.
func (n *Node) CheckpointForTest(t id.ID) error {
	db, err := sqlite.Open(context.Background(), n.tenants.Path(t), sqlite.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec("PRAGMA wal_checkpoint(RESTART)")
	return err
}

// RefusedForTest is how many refusals of a workspace are kept beside its file.
func (n *Node) RefusedForTest(t id.ID) int {
	list, err := n.refused.Of(context.Background(), t)
	if err != nil {
		return -1
	}
	return len(list)
}
