package ingress_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/ingress"
	"holdfast/sync/port"
	"holdfast/sync/sqlite"
	"holdfast/sync/store"
	"holdfast/sync/wire"
	"holdfast/sync/work"
)

func BenchmarkPush(b *testing.B) {
	for _, n := range []int{1, 20, 200} {
		b.Run(fmt.Sprintf("txs=%d", n), func(b *testing.B) {
			ctx := context.Background()
			db, err := sqlite.Open(ctx, filepath.Join(b.TempDir(), "t.db"), sqlite.Options{CacheKB: 8 << 10})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			g := ingress.New(ingress.Config{DB: db, Region: "eu", Tenant: tenant})
			if err := g.Open(ctx); err != nil {
				b.Fatal(err)
			}
			w := writer{replica: 7, now: time.Now()}
			rnd := rand.NewChaCha8([32]byte{1})
			if r, _ := g.Push(ctx, ana, wire.PushRequest{Replica: 7, Txs: []change.Tx{w.tx(project("p"))}}); r.Err != nil {
				b.Fatal(r.Err)
			}
			if _, err := g.System(ctx, memberTx(ana)); err != nil {
				b.Fatal(err)
			}
			rows := func() []change.Row {
				b.Helper()
				e := work.NewTask(work.TaskDraft{ID: id.New(time.Now(), rnd), Project: id.Derive("p"), Title: "A task of middling length", Status: work.Todo, Rank: "a0V", Author: ana.ID})
				rows, err := store.Build(ctx, db, []port.EditRow{e.Rows[0]})
				if err != nil {
					b.Fatal(err)
				}
				return rows
			}
			b.ResetTimer()
			for b.Loop() {
				req := wire.PushRequest{Replica: 7}
				for range n {
					req.Txs = append(req.Txs, w.tx(rows()...))
				}
				if r, _ := g.Push(ctx, ana, req); r.Err != nil || !r.Fates[0].Accepted {
					b.Fatalf("%+.200v", r)
				}
			}
			b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "txs/s")
		})
	}
}

// BenchmarkSnapshot writes a workspace of 20,000 tasks and three comments each.
func BenchmarkSnapshot(b *testing.B) {
	ctx := context.Background()
	dir := b.TempDir()
	db, err := sqlite.Open(ctx, filepath.Join(dir, "t.db"), sqlite.Options{CacheKB: 8 << 10})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	g := ingress.New(ingress.Config{DB: db, Region: "eu", Tenant: tenant})
	if err := g.Open(ctx); err != nil {
		b.Fatal(err)
	}
	rnd := rand.NewChaCha8([32]byte{1})
	seq := uint64(0)
	for range 20 {
		var batch []change.Entry
		add := func(e port.Edit) id.ID {
			rows, err := store.Build(ctx, db, e.Rows)
			if err != nil {
				b.Fatal(err)
			}
			seq++
			batch = append(batch, change.Entry{Origin: "us", Seq: seq, Tx: change.Tx{Stamp: hlc.Make(start.UnixMilli()+int64(seq), 0, 3), Actor: ana.ID, Command: e.Command, Rows: rows}})
			return rows[0].ID
		}
		for range 1000 {
			task := add(work.NewTask(work.TaskDraft{ID: id.New(start, rnd), Project: id.Derive("p"), Title: "A task of middling length", Status: work.Todo, Rank: "a0V", Author: ana.ID}))
			for range 3 {
				add(work.NewComment(id.New(start, rnd), task, ana.ID, "A comment with a sentence or two, as people write them."))
			}
		}
		if _, err := g.ApplyRemote(ctx, batch); err != nil {
			b.Fatal(err)
		}
	}
	n := 0
	for b.Loop() {
		n++
		if _, err := g.Snapshot(ctx, filepath.Join(dir, fmt.Sprint(n, ".db"))); err != nil {
			b.Fatal(err)
		}
	}
}
