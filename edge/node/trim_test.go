package node_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"holdfast/edge/edgetest"
	"holdfast/sync/id"
	"holdfast/sync/ingress"
	"holdfast/sync/port"
	"holdfast/sync/sqlite"
	"holdfast/sync/wire"
)

// short keeps little: what all regions have goes at once, what one lacks when there is more than a few kilobytes of it.
var short = ingress.Bounds{Age: time.Nanosecond, Bytes: 1 << 30, HoldAge: 24 * time.Hour, HoldBytes: 4 << 10}

// bound sets the bounds of an edge's logs.
func (e *edge) bound(b ingress.Bounds) {
	e.t.Helper()
	e.Close()
	e.cfg.LogBounds = b
	e.start()
}

// trimmed trims a workspace's log until the own one begins after seq.
func (e *edge) trimmed(w id.ID, origin string, seq uint64) {
	e.t.Helper()
	edgetest.Eventually(e.t, patience, fmt.Sprintf("the log of %s in %s begins after %d", origin, e.Region(), seq), func() bool {
		v, err := e.TrimForTest(w)
		return err == nil && v[origin] >= seq
	})
}

// expired takes everything out of an edge's operation streams, as their bounds do in time.
func (e *edge) expired() {
	e.t.Helper()
	js := edgetest.JetStream(e.t, e.CoreForTest())
	for shard := range wire.Shards {
		s, err := js.Stream(e.t.Context(), wire.OpsStream(shard))
		if err == nil {
			err = s.Purge(e.t.Context())
		}
		if err != nil {
			e.t.Fatal(err)
		}
	}
}

func TestOperationStreamsHaveBounds(t *testing.T) {
	h := edgetest.NewHub(t)
	e := newEdge(t, h, "eu")
	js := edgetest.JetStream(t, e.CoreForTest())
	for name := range js.StreamNames(t.Context()).Name() {
		s, err := js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if c := s.CachedInfo().Config; strings.HasPrefix(name, "OPS_") && (c.MaxBytes <= 0 || c.MaxAge <= 0 || c.Discard != jetstream.DiscardOld) {
			t.Errorf("%s grows without end: %+v", name, c)
		}
	}
}

// A region that comes back when the streams do not reach back that far fetches what it lacks from the files.
func TestRegionBehindTheStreamsReadsTheFiles(t *testing.T) {
	t.Parallel()
	w := newTwo(t)
	eu, us, ana, acme := w.eu, w.us, w.ana, w.acme
	pushMany(t, eu.connect(ana, acme), 20)
	equal(t, patience, acme, eu.HeadsForTest(acme), eu, us)
	us.link.Cut()
	pushMany(t, eu.connect(ana, acme), 500)
	eu.expired()
	pushMany(t, eu.connect(ana, acme), 20)
	us.link.Heal()
	equal(t, patience, acme, eu.HeadsForTest(acme), eu, us)
	if strings.Contains(us.log.String(), "taking another region's rows") {
		t.Error("the log had it all, and the rows were taken")
	}
}

// Two regions that were apart for longer than their logs reach back take each other's rows: nobody lacks anything.
func TestRegionBehindTheLogTakesTheRows(t *testing.T) {
	t.Parallel()
	w := newTwo(t)
	eu, us, ana, bo, acme := w.eu, w.us, w.ana, w.bo, w.acme
	eu.bound(short)
	us.bound(short)
	pushMany(t, eu.connect(ana, acme), 20)
	pushMany(t, us.connect(bo, acme), 20)
	both := w.heads()
	equal(t, patience, acme, both, eu, us)
	us.link.Cut()
	for _, e := range []*edge{eu, us} {
		pushMany(t, e.connect(ana, acme), 600)
		e.trimmed(acme, e.Region(), both[e.Region()]+100)
		e.expired()
		pushMany(t, e.connect(ana, acme), 20)
	}
	us.link.Heal()
	both = w.heads()
	equal(t, patience, acme, both, eu, us)
	for _, e := range []*edge{eu, us} {
		if !strings.Contains(e.log.String(), "taking another region's rows") {
			t.Errorf("%s did not take rows; what was tested?", e.Region())
		}
		pushMany(t, e.connect(bo, acme), 10)
		both[e.Region()] += 10
	}
	equal(t, patience, acme, both, eu, us)
	edgetest.Eventually(t, patience, "everything is everywhere", func() bool {
		return eu.EverywhereForTest(acme).Covers(both) && us.EverywhereForTest(acme).Covers(both)
	})
	for _, e := range []*edge{eu, us} {
		edgetest.Eventually(t, patience, "all changes are counted once", func() bool {
			return countedChanges(t, w.Hub, e.Region(), acme) == 650
		})
	}
}

// A device that was away for longer than the log reaches back starts from a snapshot, goes on with the log, and what it had
// written meanwhile arrives.
func TestDeviceBehindTheLogKeepsItsWork(t *testing.T) {
	t.Parallel()
	h := edgetest.NewHub(t)
	e := newEdge(t, h, "eu")
	ana, bo := h.NewPerson(), h.NewPerson()
	w := h.NewTenant(ana, bo).ID
	know(t, h.Revoke(h.NewPerson()), e)
	e.bound(short)
	a := newLinked(t, e, ana, w)
	a.snapshots = true
	a.state(port.Online)
	loaded(a)
	a.project("before")
	edgetest.Eventually(t, patience, "it is pushed", func() bool { return a.Counts().Waiting == 0 })
	was := a.Cursor()
	a.l.Close()
	for i := range 5 {
		a.project(fmt.Sprint("written offline ", i))
	}
	b := e.connect(bo, w)
	pushMany(t, b, 300)
	e.trimmed(w, "eu", was["eu"]+100)
	pushMany(t, b, 20)
	a.open()
	edgetest.Eventually(t, patience, "what was written offline is pushed", func() bool { return a.Counts().Waiting == 0 })
	if a.boots.Load() == 0 {
		t.Error("it took no snapshot; what was tested?")
	}
	edgetest.Eventually(t, patience, "the device and the region are equal", func() bool {
		sum, head := e.digest(w)
		return a.Cursor().Covers(head) && a.digest() == sum
	})
	if n := a.Counts().Attention; n > 0 {
		t.Errorf("%d changes were refused", n)
	}
}

// install puts the region's rows in the place of the device's, as the worker does with a snapshot.
func (d *linked) install(ctx context.Context) error {
	path := filepath.Join(d.t.TempDir(), "snapshot.db")
	if _, err := d.edge.CopyForTest(path, d.w); err != nil {
		return err
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return err
	}
	d.t.Cleanup(func() { db.Close() })
	if err := d.Install(ctx, db, func(context.Context) error { return nil }); err != nil {
		return err
	}
	d.db = db
	return nil
}
