package gateway

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"holdfast/build/assets"
	"holdfast/edge/edgetest"
	"holdfast/edge/node"
	"holdfast/sync/directory"
	"holdfast/sync/id"
	"holdfast/sync/relay"
	"holdfast/sync/token"
	"holdfast/sync/wire"
)

const pageURL = "http://localhost:8080"

// world is a real edge behind its gateway, linked to a hub whose directory and answers the test gives.
type world struct {
	t    *testing.T
	hub  *edgetest.Hub
	node *countingNode
	gate *Gateway
	logs *lockedBuffer

	mu     sync.Mutex
	asked  []*http.Request // what reached the hub
	answer http.HandlerFunc
	relay  *relay.Server
}

// countingNode is the real node; it also remembers what was counted, which the node writes to its stream later.
type countingNode struct {
	*node.Node
	mu    sync.Mutex
	calls map[id.ID]int
	bytes map[id.ID]int64
}

func (n *countingNode) Sent(t id.ID, bytes int64) {
	n.mu.Lock()
	n.bytes[t] += bytes
	n.mu.Unlock()
	n.Node.Sent(t, bytes)
}

func (n *countingNode) sent(t id.ID) int64 { n.mu.Lock(); defer n.mu.Unlock(); return n.bytes[t] }

func (n *countingNode) APICall(t id.ID) {
	n.mu.Lock()
	n.calls[t]++
	n.mu.Unlock()
	n.Node.APICall(t)
}

func (n *countingNode) counted(t id.ID) int { n.mu.Lock(); defer n.mu.Unlock(); return n.calls[t] }

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string { b.mu.Lock(); defer b.mu.Unlock(); return b.b.String() }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newWorld(t *testing.T, change ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, hub: edgetest.NewHub(t), logs: &lockedBuffer{}, answer: func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) }}
	w.startRelay()
	log := slog.New(slog.NewTextHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.node = &countingNode{calls: map[id.ID]int{}, bytes: map[id.ID]int64{}, Node: node.New(node.Config{Region: "eu", DataDir: t.TempDir(), HubURL: "nats-leaf://" + w.hub.Addr(),
		LeafSecret: edgetest.Secret, PublicURL: pageURL, Log: slog.New(slog.DiscardHandler)})}
	must(t, w.node.Open(t.Context()))
	t.Cleanup(func() { w.node.Close() })
	cfg := Config{Listen: "127.0.0.1:0", URL: pageURL, Region: "eu", Node: w.node, NATSAddr: w.node.WebSocketAddr(), Assets: testAssets, Log: log}
	for _, f := range change {
		f(&cfg)
	}
	w.gate = New(cfg)
	must(t, w.gate.Open(t.Context()))
	t.Cleanup(func() { w.gate.Close(context.Background()) })
	return w
}

// startRelay answers at the hub as the hub does.
func (w *world) startRelay() {
	w.t.Helper()
	w.relay = relay.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.asked = append(w.asked, r)
		h := w.answer
		w.mu.Unlock()
		h(rw, r)
	}), slog.New(slog.DiscardHandler))
	must(w.t, w.relay.Open(w.t.Context(), w.hub.Conn, wire.HubHTTP, "hub"))
	must(w.t, w.hub.Conn.Flush())
}

func (w *world) answers(h http.HandlerFunc) { w.mu.Lock(); w.answer = h; w.mu.Unlock() }

// lastAsked is the latest request that reached the hub.
func (w *world) lastAsked() *http.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.asked) == 0 {
		return nil
	}
	return w.asked[len(w.asked)-1]
}

// known waits until the edge's copy of the directory has a revision.
func (w *world) known(revision uint64) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	must(w.t, w.node.WaitRevision(ctx, revision))
}

// workspace makes a workspace that the edge knows.
func (w *world) workspace(people ...edgetest.Person) directory.Tenant {
	w.t.Helper()
	r := w.hub.NewTenant(people...)
	w.known(w.hub.Put(directory.TenantKey(r.ID), r))
	return r
}

type reply struct {
	status int
	header http.Header
	body   string
}

// send makes a request; the transport neither follows redirects nor decodes anything.
func (w *world) send(method, path string, change ...func(*http.Request)) reply {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url(path), nil)
	must(w.t, err)
	r.Host = "localhost:8080"
	for _, f := range change {
		f(r)
	}
	c := http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := c.Do(r)
	must(w.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(w.t, err)
	return reply{resp.StatusCode, resp.Header, string(b)}
}

func (w *world) url(path string) string { return "http://" + w.gate.Addr() + path }

func header(k, v string) func(*http.Request) {
	return func(r *http.Request) {
		if k == "Host" {
			r.Host = v
			return
		}
		r.Header.Set(k, v)
	}
}

func as(p edgetest.Person) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: token.Cookie, Value: p.Cookie}) }
}

func body(s string) func(*http.Request) {
	return func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(s)), int64(len(s))
		r.Header.Set("Content-Type", "application/json")
	}
}

// refused wants a problem of a kind.
func (w *world) refused(r reply, status int, kind string) {
	w.t.Helper()
	if r.status != status || !strings.Contains(r.body, `"kind":"`+kind+`"`) || r.header.Get("Content-Type") != "application/problem+json" {
		w.t.Errorf("got %d %s, want %d %s", r.status, r.body, status, kind)
	}
}

// testAssets is an app of a few files, in the form that the build makes.
func testAssets(path string) (assets.File, bool) {
	files := map[string]assets.File{
		"/":                     {Body: []byte("<!doctype html>page"), Brotli: []byte("br-page"), Gzip: []byte("gz-page"), Type: "text/html; charset=utf-8", ETag: "page"},
		"/sw.js":                {Body: []byte("worker"), Type: "text/javascript", ETag: "sw"},
		"/manifest.webmanifest": {Body: []byte("{}"), Type: "application/manifest+json", ETag: "mf"},
		"/assets/app.abc.wasm":  {Body: []byte("wasm-wasm-wasm"), Brotli: []byte("br-wasm"), Gzip: []byte("gz-wasm"), Type: "application/wasm", ETag: "abc", Immutable: true},
	}
	f, ok := files[path]
	return f, ok
}

// connect opens the message server's WebSocket through the gateway, as a page does.
func (w *world) connect(p edgetest.Person, tenant id.ID, origin string) (*nats.Conn, error) {
	return w.connectTo(w.gate.Addr(), p, tenant, origin)
}

func (w *world) connectTo(addr string, p edgetest.Person, tenant id.ID, origin string) (*nats.Conn, error) {
	conn, d := string(edgetest.NewID()), edgetest.NewDevice(p.ID)
	h := http.Header{"Cookie": {token.Cookie + "=" + p.Cookie}}
	if origin != "" {
		h.Set("Origin", origin)
	}
	return nats.Connect("ws://"+addr, nats.ProxyPath("/nats"), nats.WebSocketConnectionHeaders(h), nats.Name(wire.ConnName(tenant, conn, d.Replica)),
		nats.NoReconnect(), nats.CustomInboxPrefix(wire.InboxPrefix(tenant, conn)), nats.IgnoreDiscoveredServers(), nats.Timeout(5*time.Second))
}

func prefixes(s ...string) (out []netip.Prefix) {
	for _, p := range s {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}
