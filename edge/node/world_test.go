package node_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"holdfast/edge/edgetest"
	"holdfast/edge/node"
	"holdfast/sync/change"
	"holdfast/sync/directory"
	"holdfast/sync/id"
	"holdfast/sync/natsd"
	"holdfast/sync/sqlite"
	"holdfast/sync/store"
)

// patience is how long a test waits for what must happen: the machine may be busy. How quick it is, benchmarks say.
const patience = 30 * time.Second

// edge is a region of the test's world.
type edge struct {
	*node.Node
	t    testing.TB
	cfg  node.Config
	link *natsd.Link
	log  *logs
	mu   sync.Mutex   // held while the edge is stopped
	late atomic.Int64 // how far the edge's clock is ahead, nanoseconds
}

// logs keeps what an edge wrote to its log.
type logs struct {
	mu   sync.Mutex
	text []byte
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, b...)
	return len(b), nil
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

// newEdge starts a region beside a hub; its link can be cut.
func newEdge(t testing.TB, h *edgetest.Hub, region string) *edge {
	t.Helper()
	return newEdgeIn(t, h, region, filepath.Join(t.TempDir(), region))
}

// newEdgeIn starts a region with its data in a given folder.
func newEdgeIn(t testing.TB, h *edgetest.Hub, region, folder string) *edge {
	t.Helper()
	e := &edge{t: t, link: natsd.NewLink(h.Addr()), log: &logs{}}
	if err := e.link.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.link.Close)
	var out io.Writer = e.log
	if os.Getenv("EDGE_LOG") != "" {
		out = io.MultiWriter(e.log, os.Stderr)
	}
	e.cfg = node.Config{Region: region, DataDir: folder, HubURL: "nats-leaf://" + e.link.Addr(),
		LeafSecret: edgetest.Secret, PublicURL: "http://" + region + ".localhost", Log: slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug})), Now: func() time.Time { return time.Now().Add(time.Duration(e.late.Load())) }}
	e.start()
	t.Cleanup(func() { e.Close() })
	edgetest.Eventually(t, patience, "the directory has the region", func() bool { return h.Has(directory.RegionKey(region)) })
	return e
}

func (e *edge) start() {
	e.t.Helper()
	e.Node = node.New(e.cfg)
	if err := e.Open(context.Background()); err != nil {
		e.t.Fatal(err)
	}
}

// later sets the edge's clock ahead.
func (e *edge) later(d time.Duration) { e.late.Add(int64(d)) }

// restart stops and starts the edge while others use its address.
func (e *edge) restart() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.Close()
	e.start()
}

// addr is where browsers connect at present.
func (e *edge) addr() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.WebSocketAddr()
}

func (e *edge) connect(p edgetest.Person, w id.ID) *edgetest.Browser {
	e.t.Helper()
	return edgetest.Connect(e.t, e.WebSocketAddr(), p, w)
}

// digest is that of a workspace's rows in this region, and how far its file has come.
func (e *edge) digest(w id.ID) ([32]byte, change.Vector) {
	e.t.Helper()
	path, v := e.copy(w)
	db, err := sqlite.Open(context.Background(), path, sqlite.Options{})
	if err != nil {
		e.t.Fatal(err)
	}
	defer db.Close()
	sum, err := store.Digest(context.Background(), db)
	if err != nil {
		e.t.Fatal(err)
	}
	return sum, v
}

// copy writes the workspace's rows to a fresh file.
func (e *edge) copy(w id.ID) (string, change.Vector) {
	e.t.Helper()
	path := filepath.Join(e.t.TempDir(), "copy.db")
	v, err := e.Node.CopyForTest(path, w)
	if err != nil {
		e.t.Fatal(err)
	}
	return path, v
}

// two are two regions of one hub with a workspace of two people.
type two struct {
	*edgetest.Hub
	eu, us  *edge
	ana, bo edgetest.Person
	acme    id.ID
}

func newTwo(t testing.TB) two {
	t.Helper()
	w := two{Hub: edgetest.NewHub(t)}
	w.eu, w.us = newEdge(t, w.Hub, "eu"), newEdge(t, w.Hub, "us")
	w.ana, w.bo = w.NewPerson(), w.NewPerson()
	w.acme = w.NewTenant(w.ana, w.bo).ID
	know(t, w.Revoke(w.NewPerson()), w.eu, w.us)
	return w
}

// heads are how far each region's own log of the workspace has come.
func (w two) heads() change.Vector {
	return change.Vector{"eu": w.eu.HeadsForTest(w.acme)["eu"], "us": w.us.HeadsForTest(w.acme)["us"]}
}

// know waits until edges know the directory at its present revision.
func know(t testing.TB, rev uint64, edges ...*edge) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, e := range edges {
		if err := e.WaitRevision(ctx, rev); err != nil {
			t.Fatal(err)
		}
	}
}

// pushMany pushes n changes in batches and gives up on the first error.
func pushMany(t testing.TB, b *edgetest.Browser, n int) {
	t.Helper()
	for done := 0; done < n; {
		var txs []change.Tx
		for range min(200, n-done) {
			txs = append(txs, b.Next(fmt.Sprintf("p%d", done+len(txs))))
		}
		r, err := b.Push(txs...)
		if err != nil {
			t.Fatal(err)
		}
		done += len(r.Fates)
	}
}

// equal waits until all edges' files of a workspace are at the same place and equal.
func equal(t testing.TB, limit time.Duration, w id.ID, want change.Vector, edges ...*edge) {
	t.Helper()
	for _, e := range edges {
		edgetest.Eventually(t, limit, fmt.Sprintf("%s has %v", e.Region(), want), func() bool {
			return e.HeadsForTest(w).Covers(want)
		})
	}
	first, _ := edges[0].digest(w)
	for _, e := range edges[1:] {
		if got, _ := e.digest(w); got != first {
			t.Fatalf("%s and %s differ", edges[0].Region(), e.Region())
		}
	}
}
