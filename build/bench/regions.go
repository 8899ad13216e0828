package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"holdfast/build/bench/figure"
	"holdfast/sync/change"
	"holdfast/sync/natsd"
	"holdfast/sync/wire"
	"holdfast/sync/work"
)

const (
	regionChanges = 300
	regionWarm    = 20
	linkDelay     = 10 * time.Millisecond // of each region's link to the hub, each way
	linkSecret    = "bench"
)

// betweenRegions is how long a change takes from one region into the other, less the delay of the links between (P7),
// beside a message on a bare stream over links of the same kind.
func betweenRegions(ctx context.Context, e env) (out []figure.Figure, err error) {
	for _, delay := range []time.Duration{0, linkDelay} {
		err := try(ctx, e, func(t *trial) {
			ours := t.productBetweenRegions(delay)
			bare := t.streamBetweenRegions(delay)
			less := figure.MS(2 * delay)
			for _, q := range []float64{0.5, 0.99} {
				f := figure.Figure{ID: "P7", What: fmt.Sprintf("push in one region → in the other's feed, links of %.0f ms, p%.0f", figure.MS(delay), 100*q), Unit: "ms", Value: figure.Percentile(ours, q) - less,
					Beside: []figure.Peer{{Name: "bare stream", Value: figure.Percentile(bare, q) - less}},
					Note:   fmt.Sprintf("less %.0f ms of links; %d changes", less, regionChanges)}
				if q > 0.5 {
					f.Target = 20
				}
				out = append(out, f)
				e.say("links of %s: p%.0f %.2f ms, bare %.2f ms", delay, 100*q, f.Value, f.Beside[0].Value)
			}
		})
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// productBetweenRegions takes the time from sending a push in one region until the other region, which has applied it,
// tells its browsers.
func (t *trial) productBetweenRegions(delay time.Duration) (took []time.Duration) {
	s := t.dev(2, "--link-delay", delay.String())
	ana := t.newClient(s)
	from, to := ana.device(0), ana.device(1)
	feed := make(chan *nats.Msg, 10_000)
	_, err := to.nc.ChanSubscribe(wire.Feed(ana.tenant, wire.ScopeAll), feed)
	t.must(err)
	t.must(to.nc.Flush())
	for i := range regionWarm + regionChanges {
		tx := from.next(work.NewProject(newID(), fmt.Sprint("Project ", i), "blue", "a0V"))
		sent := time.Now()
		seq := from.push(tx).Fates[0].Seq
		t.untilFed(feed, "eu", seq)
		if i >= regionWarm {
			took = append(took, time.Since(sent))
		}
	}
	return took
}

func (t *trial) untilFed(feed chan *nats.Msg, origin string, seq uint64) {
	late := time.After(startMax)
	for {
		select {
		case m := <-feed:
			f, err := wire.DecodeFeedMessage(m.Data)
			t.must(err)
			if slices.ContainsFunc(f.Entries, func(e change.Entry) bool { return e.Origin == origin && e.Seq >= seq }) {
				return
			}
		case <-late:
			t.must(errors.New("a change did not reach the other region"))
		}
	}
}

// bareRegions are three message servers joined as the product joins them, without the product; link is that of us.
func (t *trial) bareRegions(delay time.Duration) (eu, us *nats.Conn, link *natsd.Link) {
	hub := natsd.New(natsd.Config{Name: "hub", Domain: wire.HubDomain, StoreDir: t.TempDir(), LeafListen: "127.0.0.1:0", LeafSecret: linkSecret})
	t.must(hub.Open(t.ctx))
	t.Cleanup(hub.Close)
	var conns []*nats.Conn
	for _, name := range []string{"eu", "us"} {
		link = natsd.NewLink(hub.LeafAddr())
		t.must(link.Open(t.ctx))
		t.Cleanup(link.Close)
		link.SetDelay(delay)
		n := natsd.New(natsd.Config{Name: name, Domain: name, StoreDir: t.TempDir(), HubURL: "nats-leaf://" + link.Addr(), LeafSecret: linkSecret})
		t.must(n.Open(t.ctx))
		t.Cleanup(n.Close)
		t.eventually(startMax, "the link to the hub stands", n.Linked)
		nc, err := n.Core()
		t.must(err)
		t.Cleanup(nc.Close)
		conns = append(conns, nc)
	}
	return conns[0], conns[1], link
}

func (t *trial) streamBetweenRegions(delay time.Duration) (took []time.Duration) {
	eu, us, _ := t.bareRegions(delay)
	here, err := jetstream.New(eu)
	t.must(err)
	_, err = here.CreateStream(t.ctx, jetstream.StreamConfig{Name: "BARE", Subjects: []string{"bare.eu"}})
	t.must(err)
	there, err := jetstream.NewWithDomain(us, "eu")
	t.must(err)
	var cons jetstream.Consumer
	t.eventually(startMax, "the other region reaches the stream", func() bool {
		ctx, cancel := context.WithTimeout(t.ctx, 5*time.Second)
		defer cancel()
		cons, err = there.CreateConsumer(ctx, "BARE", jetstream.ConsumerConfig{AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true})
		return err == nil
	})
	it, err := cons.Messages()
	t.must(err)
	t.Cleanup(it.Stop)
	for i := range regionWarm + regionChanges {
		sent := time.Now()
		_, err := here.Publish(t.ctx, "bare.eu", make([]byte, 200))
		t.must(err)
		_, err = it.Next()
		t.must(err)
		if i >= regionWarm {
			took = append(took, time.Since(sent))
		}
	}
	return took
}
