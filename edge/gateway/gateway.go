// Package gateway is an edge's one public port: the app, the WebSocket of the message server, snapshots, and the way to
// the hub's API.
//
//	/, /w/…, /signin …         the app's page, and what it is made of under /assets/…
//	/nats                      WebSocket, handed over to the message server on loopback
//	/sync/<tenant>/snapshot    a workspace as a SQLite file
//	/api/me                    who one is, answered here, also while the hub is away
//	/api/…                     everything else about people and workspaces, answered by the hub
//	/operator/…                the operator's pages, answered by the hub; nothing for everybody else
//	/healthz, /readyz          for whoever starts it anew, and for load balancers
//
// It never answers anything about a workspace to somebody who is not a member of it but "not found". The session comes
// from the cookie and is verified here; the message server and the hub verify it again.
package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"holdfast/build/assets"
	"holdfast/edge/snapshot"
	"holdfast/sync/directory"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/token"
)

// People is the region's copy of the directory.
type People interface {
	// Verify reads a session token: Denied, or Expired when it is over or was ended.
	Verify(raw string) (token.Claims, error)
	// Member finds an active member of a workspace that is not deleted.
	Member(tenant, person id.ID) (directory.Member, directory.Tenant, bool)
	// TenantsOf are the workspaces in which a person is an active member.
	TenantsOf(person id.ID) []directory.Tenant
	// WaitRevision returns when the copy has the directory's revision.
	WaitRevision(ctx context.Context, revision uint64) error
}

// Data is the region's workspaces.
type Data interface {
	// Snapshot gives a recent snapshot, which the caller must Release.
	Snapshot(ctx context.Context, tenant id.ID) (*snapshot.File, error)
	// APICall counts one request that was answered for a workspace.
	APICall(tenant id.ID)
	// Sent counts bytes that were sent for a workspace.
	Sent(tenant id.ID, bytes int64)
	// TenantAt is the workspace of the message server's connection that comes from an address; empty: not known yet.
	TenantAt(addr string) id.ID
}

// Hub is the way to the central node.
type Hub interface {
	// HubHTTP has a request answered by the hub; Unavailable when it cannot be reached.
	HubHTTP(ctx context.Context, r *http.Request) (*http.Response, error)
	// Linked tells whether the hub can be reached, as far as is known.
	Linked() bool
	// Ready tells why the edge does not take work, or nil.
	Ready() error
}

// Node is the edge that the gateway stands before.
type Node interface {
	People
	Data
	Hub
}

// Config is what a Gateway needs.
type Config struct {
	Listen         string // host:port
	URL            string // the origin that browsers open, such as https://eu.example.com
	Region         string
	Node           Node
	NATSAddr       string         // host:port of the message server's WebSocket, on loopback
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	TLSCert        string         // PEM files; empty: no TLS here
	TLSKey         string
	Assets         func(path string) (assets.File, bool) // nil: those built into the binary
	Log            *slog.Logger
}

// Gateway serves one region's public port.
type Gateway struct {
	cfg     Config
	origin  *url.URL
	srv     *http.Server
	ln      net.Listener
	done    sync.WaitGroup
	sockets *sockets
	calls   *gate[string]
	loads   *gate[id.ID]
}

// New makes a gateway that is not listening yet.
func New(cfg Config) *Gateway {
	if cfg.Assets == nil {
		cfg.Assets = assets.Lookup
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Gateway{cfg: cfg, sockets: newSockets(cfg.Node), calls: newGate[string](callsOfAddressMax), loads: newGate[id.ID](loadsOfPersonMax)}
}

// Open listens and begins to serve.
func (g *Gateway) Open(ctx context.Context) (err error) {
	const op = "gateway.Open"
	g.origin, err = url.Parse(g.cfg.URL)
	if err != nil || g.origin.Host == "" || g.cfg.URL != g.origin.Scheme+"://"+g.origin.Host {
		return fault.Errorf(op, fault.Invalid, "%q is not an address that browsers can open. It looks like https://eu.example.com.", g.cfg.URL)
	}
	var conf *tls.Config
	if g.cfg.TLSCert != "" || g.cfg.TLSKey != "" {
		if conf, err = certificate(g.cfg.TLSCert, g.cfg.TLSKey); err != nil {
			return err
		}
	}
	if g.ln, err = new(net.ListenConfig).Listen(ctx, "tcp", g.cfg.Listen); err != nil {
		return &fault.Error{Op: op, Kind: fault.Unavailable, Err: err,
			Detail: "Holdfast cannot listen on " + g.cfg.Listen + ". Stop what uses that port, or choose another one with --port or --listen."}
	}
	g.srv = &http.Server{Handler: g.handler(), ReadHeaderTimeout: headerMax, IdleTimeout: idleMax, MaxHeaderBytes: headerBytesMax,
		TLSConfig: conf, ErrorLog: slog.NewLogLogger(g.cfg.Log.Handler(), slog.LevelDebug)}
	g.done.Go(g.sockets.bill)
	g.done.Go(func() {
		var err error
		if conf != nil {
			err = g.srv.ServeTLS(g.ln, "", "")
		} else {
			err = g.srv.Serve(g.ln)
		}
		if !errors.Is(err, http.ErrServerClosed) {
			g.cfg.Log.Error("the gateway stopped serving", "err", err)
		}
	})
	return nil
}

// Addr is where the gateway listens, with the port that was taken.
func (g *Gateway) Addr() string { return g.ln.Addr().String() }

// Close ends WebSocket connections, takes no new requests and finishes those under way until ctx ends.
func (g *Gateway) Close(ctx context.Context) error {
	if g.srv == nil {
		return nil
	}
	g.sockets.close()
	err := g.srv.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, g.srv.Close())
	}
	g.sockets.wait()
	g.done.Wait()
	return fault.As("gateway.Close", fault.Other, err)
}

func (g *Gateway) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /nats", g.nats)
	mux.HandleFunc("GET /sync/{tenant}/snapshot", g.snapshot)
	mux.HandleFunc("GET /api/me", g.me)
	mux.HandleFunc("/api/", g.hub)
	mux.HandleFunc("/operator", g.operator)
	mux.HandleFunc("/operator/", g.operator)
	mux.HandleFunc("GET /healthz", g.health)
	mux.HandleFunc("GET /readyz", g.ready)
	mux.HandleFunc("/sync/", g.nothing)
	mux.HandleFunc("/assets/", g.file)
	mux.HandleFunc("/", g.page)
	return g.wrap(mux)
}

// gate bounds how many of something each key has under way.
type gate[K comparable] struct {
	max int
	mu  sync.Mutex
	n   map[K]int
}

func newGate[K comparable](most int) *gate[K] { return &gate[K]{max: most, n: map[K]int{}} }

// enter takes a place of the key; leave gives it back. ok is false when all are taken.
func (g *gate[K]) enter(k K) (leave func(), ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.n[k] >= g.max {
		return nil, false
	}
	g.n[k]++
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.n[k]--; g.n[k] == 0 {
			delete(g.n, k)
		}
	}, true
}

// readBy bounds reading the rest of a request.
func readBy(w http.ResponseWriter, d time.Duration) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(d)) // every writer of net/http can
}

// writeBy bounds writing the answer from now on.
func writeBy(w http.ResponseWriter, d time.Duration) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(d)) // every writer of net/http can
}
