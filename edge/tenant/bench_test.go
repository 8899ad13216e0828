package tenant_test

import (
	mathrand "math/rand/v2"
	"slices"
	"testing"
	"time"

	"holdfast/edge/tenant"
	"holdfast/sync/id"
)

// BenchmarkColdOpen (P12): opening a workspace's file that is not open, with another to be closed for it.
func BenchmarkColdOpen(b *testing.B) {
	s := open(b, tenant.Config{OpenMax: 50})
	var all []id.ID
	for range 1000 {
		w, d := newID(), newDevice()
		if _, err := d.push(b.Context(), s, w, d.Next("p")); err != nil {
			b.Fatal(err)
		}
		all = append(all, w)
	}
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		if err := s.Use(b.Context(), all[mathrand.IntN(len(all))], func(*tenant.Tenant) error { return nil }); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}
