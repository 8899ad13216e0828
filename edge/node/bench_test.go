package node_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"holdfast/edge/edgetest"
	"holdfast/sync/change"
	"holdfast/sync/directory"
	"holdfast/sync/id"
	"holdfast/sync/wire"
)

func percentile(list []time.Duration, p float64) time.Duration {
	slices.Sort(list)
	return list[min(len(list)-1, int(p*float64(len(list))))]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// BenchmarkBetweenRegions (P7): from a push's answer in one region to the feed of the other, over a link without delay.
func BenchmarkBetweenRegions(b *testing.B) {
	h := edgetest.NewHub(b)
	eu, us := newEdge(b, h, "eu"), newEdge(b, h, "us")
	ana := h.NewPerson()
	acme := h.NewTenant(ana)
	know(b, h.Revoke(h.NewPerson()), eu, us)
	from, to := eu.connect(ana, acme.ID), us.connect(ana, acme.ID)
	feed := to.Subscribe(b, wire.ScopeAll)
	var took []time.Duration
	for b.Loop() {
		tx := from.Next("x")
		sent := time.Now()
		r, err := from.Push(tx)
		if err != nil {
			b.Fatal(err)
		}
		for seq := r.Fates[0].Seq; ; {
			m, err := wire.DecodeFeedMessage((<-feed).Data)
			if err != nil {
				b.Fatal(err)
			}
			if slices.ContainsFunc(m.Entries, func(e change.Entry) bool { return e.Origin == "eu" && e.Seq == seq }) {
				break
			}
		}
		took = append(took, time.Since(sent))
	}
	b.ReportMetric(ms(percentile(took, 0.5)), "p50-ms")
	b.ReportMetric(ms(percentile(took, 0.99)), "p99-ms")
}

// BenchmarkHeal (P8): 20,000 changes on each side of a cut; from the link's healing to all of them applied on both sides.
func BenchmarkHeal(b *testing.B) {
	for _, workspaces := range []int{1, 20} {
		for _, broken := range []string{"cut", "muted"} {
			b.Run(fmt.Sprintf("workspaces=%d/%s", workspaces, broken), func(b *testing.B) { benchHeal(b, workspaces, broken) })
		}
	}
}

func benchHeal(b *testing.B, workspaces int, broken string) {
	const each = 20_000
	h := edgetest.NewHub(b)
	eu, us := newEdge(b, h, "eu"), newEdge(b, h, "us")
	ana := h.NewPerson()
	var all []directory.Tenant
	for range workspaces {
		all = append(all, h.NewTenant(ana))
	}
	know(b, h.Revoke(h.NewPerson()), eu, us)
	for b.Loop() {
		if broken == "cut" {
			us.link.Cut()
		} else {
			us.link.Mute()
		}
		began := time.Now()
		for _, w := range all {
			for _, e := range []*edge{eu, us} {
				c := e.connect(ana, w.ID)
				pushMany(b, c, each/workspaces)
				c.Conn.Close()
			}
		}
		time.Sleep(time.Until(began.Add(15 * time.Second))) // a muted link has been noticed by then
		want := map[id.ID]change.Vector{}
		for _, w := range all {
			want[w.ID] = change.Vector{"eu": eu.HeadsForTest(w.ID)["eu"], "us": us.HeadsForTest(w.ID)["us"]}
		}
		us.link.Heal()
		healed := time.Now()
		for _, w := range all {
			for _, e := range []*edge{eu, us} {
				edgetest.Eventually(b, time.Minute, e.Region()+" has all", func() bool { return e.HeadsForTest(w.ID).Covers(want[w.ID]) })
			}
		}
		b.ReportMetric(time.Since(healed).Seconds(), "heal-s")
	}
}

// BenchmarkPushes (P10): accepted and durable transactions a second, of 1,000 connections in 50 workspaces, each of which
// pushes one, waits for the answer and pushes the next.
func BenchmarkPushes(b *testing.B) {
	const workspaces, each = 50, 20
	h := edgetest.NewHub(b)
	eu := newEdge(b, h, "eu")
	ana := h.NewPerson()
	var all []*edgetest.Browser
	var tenants []directory.Tenant
	for range workspaces {
		tenants = append(tenants, h.NewTenant(ana))
	}
	know(b, h.Revoke(h.NewPerson()), eu)
	for _, w := range tenants {
		for range each {
			all = append(all, eu.connect(ana, w.ID))
		}
	}
	var mu sync.Mutex
	var took []time.Duration
	var left atomic.Int64
	b.ResetTimer()
	left.Store(int64(b.N))
	var wg sync.WaitGroup
	for _, c := range all {
		wg.Go(func() {
			var own []time.Duration
			for left.Add(-1) >= 0 {
				tx := c.Next("x")
				sent := time.Now()
				if _, err := c.Push(tx); err != nil {
					b.Error(err)
					return
				}
				own = append(own, time.Since(sent))
			}
			mu.Lock()
			took = append(took, own...)
			mu.Unlock()
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
	b.ReportMetric(ms(percentile(took, 0.5)), "p50-ms")
	b.ReportMetric(ms(percentile(took, 0.99)), "p99-ms")
}
