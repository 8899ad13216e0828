package node_test

import (
	"fmt"
	"slices"
	"syscall"
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
	w := newTwo(b)
	eu, us, ana, acme := w.eu, w.us, w.ana, w.acme
	from, to := eu.connect(ana, acme), us.connect(ana, acme)
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

// BenchmarkHeal (P8): 20,000 changes on each side of a cut or half-open link; from the link's healing to all of them applied
// on both sides. What is written in the cut takes some seconds, so the shortest are not shorter than that.
func BenchmarkHeal(b *testing.B) {
	for _, broken := range []string{"cut", "muted"} {
		for _, seconds := range []int{5, 15, 25, 45, 130} {
			for _, workspaces := range []int{1, 20} {
				b.Run(fmt.Sprintf("%s=%ds/workspaces=%d", broken, seconds, workspaces), func(b *testing.B) {
					benchHeal(b, workspaces, broken, time.Duration(seconds)*time.Second)
				})
			}
		}
	}
}

func benchHeal(b *testing.B, workspaces int, broken string, long time.Duration) {
	const each = 20_000
	h := edgetest.NewHub(b)
	eu, us := newEdge(b, h, "eu"), newEdge(b, h, "us")
	ana := h.NewPerson()
	var all []directory.Tenant
	for range workspaces {
		all = append(all, h.NewTenant(ana))
	}
	know(b, h.Revoke(h.NewPerson()), eu, us)
	time.Sleep(time.Second) // links break while they are in use, and not as they come up
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
		time.Sleep(time.Until(began.Add(long)))
		broken := time.Since(began)
		want := map[id.ID]change.Vector{}
		for _, w := range all {
			want[w.ID] = change.Vector{"eu": eu.HeadsForTest(w.ID)["eu"], "us": us.HeadsForTest(w.ID)["us"]}
		}
		before := processorTime(b)
		us.link.Heal()
		healed := time.Now()
		for _, w := range all {
			for _, e := range []*edge{eu, us} {
				edgetest.Eventually(b, time.Minute, e.Region()+" has all", func() bool { return e.HeadsForTest(w.ID).Covers(want[w.ID]) })
			}
		}
		b.ReportMetric(time.Since(healed).Seconds(), "heal-s")
		b.ReportMetric((processorTime(b) - before).Seconds(), "cpu-s") // says more than the time does while others use the machine
		b.ReportMetric(broken.Seconds(), "broken-s")
	}
}

// BenchmarkPushes (P10): accepted and durable transactions a second, of 1,000 connections in 50 workspaces in a process of
// their own: as many as there can be, each connection waiting for its answer before it pushes the next (so that the median
// is a thousand divided by the rate, whatever the server does); and so many a second, for the time that one takes.
func BenchmarkPushes(b *testing.B) {
	for name, rate := range map[string]int{"flat-out": 0, "rate=1000": 1000, "rate=2500": 2500, "rate=5000": 5000} {
		b.Run(name, func(b *testing.B) { benchPushes(b, rate) })
	}
}

func benchPushes(b *testing.B, rate int) {
	const workspaces, each = 50, 20
	h := edgetest.NewHub(b)
	eu := newEdge(b, h, "eu")
	ana := h.NewPerson()
	l := load{Addr: eu.WebSocketAddr(), Person: ana.ID, Cookie: ana.Cookie, Each: each, Total: b.N, Rate: rate}
	for range workspaces {
		l.Tenants = append(l.Tenants, h.NewTenant(ana).ID)
	}
	know(b, h.Revoke(h.NewPerson()), eu)
	before := processorTime(b)
	r := l.drive(b)
	// Includes 1,000 connections being made; it says more than the rate does while others use the machine.
	b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/tx")
	b.ReportMetric(float64(b.N)/r.Seconds, "tx/s")
	b.ReportMetric(ms(percentile(r.Took, 0.5)), "p50-ms")
	b.ReportMetric(ms(percentile(r.Took, 0.99)), "p99-ms")
}

// processorTime is what this process has used: the edge's, the hub's and not the browsers'.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
