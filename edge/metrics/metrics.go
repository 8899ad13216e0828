// Package metrics is the edge's second port, for those who run it: what a monitoring system reads, in Prometheus' text format
// under /metrics. It names regions and shards, never workspaces or people. It is on loopback unless told otherwise, and
// nothing that browsers can reach leads to it.
package metrics

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"holdfast/sync/fault"
)

// Stats are an edge's figures at one moment.
type Stats struct {
	Connections  int    // browsers
	OpenFiles    int    // workspaces' files
	SetAside     int    // workspaces of some region's log that could not be merged into and are tried again
	Linked       bool   // the hub can be reached
	Pushes       uint64 // offered by browsers, since the start
	Commits      uint64 // of pushes, since the start; one may hold several
	LogBytes     int64  // of the logs in the open files
	UsageBacklog int64  // usage records that are not in the stream yet
	Lags         []Lag
}

// Lag is how one stream of another region is followed.
type Lag struct {
	Region   string
	Shard    int
	Attached bool
	Behind   uint64 // messages in the stream that were not handed over yet when last heard of
}

// Node gives the figures.
type Node interface {
	Stats(ctx context.Context) (Stats, error)
}

// Config is what a Server needs.
type Config struct {
	Listen string // host:port
	Node   Node
	Log    *slog.Logger
}

// Server serves the port; make it with New.
type Server struct {
	cfg  Config
	srv  *http.Server
	ln   net.Listener
	done sync.WaitGroup
}

// New makes a server that is not listening yet.
func New(cfg Config) *Server { return &Server{cfg: cfg} }

// Open listens and begins to serve.
func (s *Server) Open(ctx context.Context) (err error) {
	const op = "metrics.Open"
	if s.ln, err = new(net.ListenConfig).Listen(ctx, "tcp", s.cfg.Listen); err != nil {
		return &fault.Error{Op: op, Kind: fault.Unavailable, Err: err,
			Detail: "Holdfast cannot listen on " + s.cfg.Listen + ". Stop what uses that port, or choose another one with --metrics-listen."}
	}
	all := prometheus.NewRegistry()
	all.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collector{s.cfg.Node, s.cfg.Log})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(all, promhttp.HandlerOpts{MaxRequestsInFlight: scrapesMax, Timeout: scrapeMax}))
	s.srv = &http.Server{Handler: mux, ReadHeaderTimeout: headerMax, IdleTimeout: idleMax, ErrorLog: slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug)}
	s.done.Go(func() {
		if err := s.srv.Serve(s.ln); !errors.Is(err, http.ErrServerClosed) {
			s.cfg.Log.Error("metrics are served no longer", "err", err)
		}
	})
	return nil
}

// Addr is host:port with the port that was taken.
func (s *Server) Addr() string { return s.ln.Addr().String() }

// Close ends what is being read, when ctx ends at the latest, and stops serving.
func (s *Server) Close(ctx context.Context) error {
	err := s.srv.Shutdown(ctx)
	s.done.Wait()
	return fault.As("metrics.Close", fault.Other, err)
}

// collector asks the node anew for each reading.
type collector struct {
	node Node
	log  *slog.Logger
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("holdfast_edge_"+name, help, labels, nil)
}

var (
	connections = desc("connections", "Browsers connected.")
	openFiles   = desc("open_files", "Workspaces' files open.")
	setAside    = desc("set_aside", "Workspaces that another region's log could not be merged into; they are tried again.")
	linked      = desc("hub_linked", "1 when the hub can be reached.")
	pushes      = desc("pushes_total", "Pushes offered by browsers.")
	commits     = desc("commits_total", "Commits of pushes; one may hold several.")
	logBytes    = desc("log_bytes", "Bytes of the operation logs in the open files.")
	backlog     = desc("usage_backlog", "Usage records that are not in the stream yet.")
	attached    = desc("stream_attached", "1 when a stream of another region is being read.", "region", "shard")
	behind      = desc("stream_behind", "Messages of another region's stream that are not read yet.", "region", "shard")
)

// Describe implements prometheus.Collector.
func (c collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{connections, openFiles, setAside, linked, pushes, commits, logBytes, backlog, attached, behind} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeMax)
	defer cancel()
	s, err := c.node.Stats(ctx)
	if err != nil {
		c.log.Warn("figures not read", "err", err)
		out <- prometheus.NewInvalidMetric(connections, err)
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(connections, float64(s.Connections))
	gauge(openFiles, float64(s.OpenFiles))
	gauge(setAside, float64(s.SetAside))
	gauge(linked, number(s.Linked))
	gauge(logBytes, float64(s.LogBytes))
	gauge(backlog, float64(s.UsageBacklog))
	out <- prometheus.MustNewConstMetric(pushes, prometheus.CounterValue, float64(s.Pushes))
	out <- prometheus.MustNewConstMetric(commits, prometheus.CounterValue, float64(s.Commits))
	for _, l := range s.Lags {
		gauge(attached, number(l.Attached), l.Region, strconv.Itoa(l.Shard))
		gauge(behind, float64(l.Behind), l.Region, strconv.Itoa(l.Shard))
	}
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
