package biller

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"holdfast/server/meter"
)

// How fast batches of 500 events of one customer are counted, each batch durable. Printed, not judged.
func BenchmarkRecord(b *testing.B) {
	w := newWorld(b)
	must(b, os.WriteFile(filepath.Join(w.dir, CatalogFile), []byte(`
currency: EUR
align: calendar
meters: {mails: {aggregate: sum}}
plans:
  free: {prices: [{id: base, model: flat, amount: 0}, {id: mails, model: per_unit, meter: mails, amount: 0.01}]}
`), 0o600))
	w.restart()
	const batch = 500
	b.ResetTimer()
	for n := range b.N {
		list := make([]meter.Event, batch)
		for i := range list {
			list[i] = meter.Event{ID: fmt.Sprint(n, "-", i), Source: "shop", Type: "mails", Time: w.now, Data: map[string]string{"value": "1"}}
		}
		out, err := w.s.Record(b.Context(), w.ws, list)
		must(b, err)
		for _, r := range out {
			if r.Err != nil || !r.New {
				b.Fatal(r)
			}
		}
	}
	b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "events/s")
}
