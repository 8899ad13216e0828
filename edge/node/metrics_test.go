package node_test

import (
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"holdfast/edge/edgetest"
	"holdfast/edge/metrics"
)

// What a monitoring system reads is what happened, and names nobody.
func TestMetrics(t *testing.T) {
	w := newTwo(t)
	eu, us, ana, acme := w.eu, w.us, w.ana, w.acme
	m := metrics.New(metrics.Config{Listen: "127.0.0.1:0", Node: eu.Node, Log: slog.New(slog.DiscardHandler)})
	if err := m.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close(t.Context()) }) //nolint:errcheck // the test is over
	read := func() string {
		r, err := http.Get("http://" + m.Addr() + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != http.StatusOK {
			t.Fatalf("%d, %v", r.StatusCode, err)
		}
		return string(b)
	}
	a := eu.connect(ana, acme)
	pushMany(t, a, 400) // in two pushes
	pushMany(t, us.connect(ana, acme), 10)
	var got string
	for _, want := range []string{
		`holdfast_edge_connections 1`, `holdfast_edge_open_files 1`, `holdfast_edge_pushes_total 2`, `holdfast_edge_commits_total 2`,
		`holdfast_edge_log_bytes [1-9]\d+`, `holdfast_edge_usage_backlog 0`, `holdfast_edge_hub_linked 1`, `holdfast_edge_set_aside 0`,
		`holdfast_edge_stream_attached\{region="us",shard="3"\} 1`, `holdfast_edge_stream_behind\{region="us",shard="15"\} 0`, `go_goroutines \d+`,
	} {
		line := regexp.MustCompile("(?m)^" + want + "$")
		edgetest.Eventually(t, patience, want, func() bool { got = read(); return line.MatchString(got) })
	}
	for _, name := range []string{string(acme), string(ana.ID), string(ana.Session)} {
		if strings.Contains(got, name) {
			t.Errorf("the metrics name %s", name)
		}
	}
	us.link.Cut()
	edgetest.Eventually(t, patience, "the other region's streams are seen as away", func() bool {
		return strings.Contains(read(), `holdfast_edge_stream_attached{region="us",shard="3"} 0`)
	})
}
