package meter

import (
	"context"
	"database/sql"
	"log/slog"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"holdfast/edge/nodedb"
	"holdfast/sync/id"
	"holdfast/sync/natsd"
	"holdfast/sync/sqlite"
)

// How fast changes are counted into node.db, and records get from there into the stream. Printed, not judged.
func BenchmarkWrite(b *testing.B) {
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	srv := natsd.New(natsd.Config{Name: "eu", Domain: "eu", StoreDir: b.TempDir()})
	must(srv.Open(b.Context()))
	defer srv.Close()
	nc, err := srv.Core()
	must(err)
	defer nc.Close()
	db, err := nodedb.Open(b.Context(), filepath.Join(b.TempDir(), "node.db"))
	must(err)
	defer db.Close()
	m := New(Config{Region: "eu", DB: db, Conn: nc, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Made: func(context.Context, id.ID, uint64, uint64) ([]uint64, error) { return nil, nil }})
	const tenants = 500
	began := time.Now()
	for n := 0; n < b.N; n += tenants {
		writes := make([]func(*sql.Tx) error, tenants)
		for i := range writes {
			writes[i], err = m.Count(b.Context(), id.Derive("bench", strconv.Itoa(i)), uint64(n/tenants+1))
			must(err)
		}
		must(sqlite.Tx(b.Context(), db, func(tx *sql.Tx) error {
			for _, write := range writes {
				if err := write(tx); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	counting := time.Since(began)
	must(m.out.open(b.Context()))
	b.ResetTimer()
	must(m.out.drain(b.Context()))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(b.N)/counting.Seconds(), "counted/s")
}
