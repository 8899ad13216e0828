package main

import (
	"context"
	"fmt"
	"os/exec"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"holdfast/build/bench/figure"
	"holdfast/sync/change"
	"holdfast/sync/wire"
	"holdfast/sync/work"
)

const (
	healEach  = 20_000 // changes of each side
	healBatch = 200    // in one push
	healMax   = time.Minute
	bareBytes = 200
)

// outage is how long a link lets nothing through, and whether its connections end.
type outage struct {
	cut bool
	d   time.Duration
}

func (o outage) String() string {
	if o.cut {
		return fmt.Sprintf("a cut of %s", o.d)
	}
	return fmt.Sprintf("%s of silence on an open connection", o.d)
}

// healing is how long after an outage both regions have everything (P8), beside streams that source each other.
func healing(ctx context.Context, e env) (out []figure.Figure, err error) {
	outages := []outage{{true, 5 * time.Second}, {true, 30 * time.Second}, {false, 5 * time.Second}, {false, 30 * time.Second}}
	if e.long {
		outages = append(outages, outage{true, 200 * time.Second}, outage{false, 200 * time.Second})
	}
	for _, o := range outages {
		err := try(ctx, e, func(t *trial) {
			ours, broken := t.productHeals(o)
			bare := t.streamsHeal(o)
			f := figure.Figure{ID: "P8", What: fmt.Sprintf("link whole again after %s → both regions have everything", o), Unit: "s", Value: ours.Seconds(), Target: 2,
				Beside: []figure.Peer{{Name: "plain sources", Value: bare.Seconds()}},
				Note:   fmt.Sprintf("%d changes of each side, written in the outage, which was %.1f s", healEach, broken.Seconds())}
			out = append(out, f)
			e.say("%s: %.2f s, plain sources %.2f s", o, f.Value, f.Beside[0].Value)
		})
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// productHeals counts from before the command that heals the link until both regions tell heads that have everything.
func (t *trial) productHeals(o outage) (took, broken time.Duration) {
	s := t.dev(2)
	ana := t.newClient(s)
	sides := []*device{ana.device(0), ana.device(1)}
	for _, d := range sides { // links break while they are in use
		d.push(d.next(work.NewProject(newID(), "Before", "blue", "a0V")))
	}
	time.Sleep(time.Second)
	if o.cut {
		s.link("cut", "us")
	} else {
		s.link("mute", "us")
	}
	began, want := time.Now(), change.Vector{}
	for done := 0; done < healEach; done += healBatch {
		for _, d := range sides {
			var txs []change.Tx
			for i := range healBatch {
				txs = append(txs, d.next(work.NewProject(newID(), fmt.Sprint("Project ", done+i), "blue", "a0V")))
			}
			fates := d.push(txs...).Fates
			last := fates[len(fates)-1]
			want[last.Origin] = last.Seq
		}
	}
	time.Sleep(time.Until(began.Add(o.d)))
	broken = time.Since(began)
	healed := time.Now()
	s.link("heal", "us")
	t.eventually(healMax, "both regions have everything", func() bool { return sides[0].head().Covers(want) && sides[1].head().Covers(want) })
	return time.Since(healed), broken
}

// link runs `holdfast link` on a region's link.
func (s *product) link(action, region string) {
	path, err := program()
	s.t.must(err)
	if out, err := exec.CommandContext(s.t.ctx, path, "link", action, region, "--data", s.data).CombinedOutput(); err != nil {
		s.t.must(fmt.Errorf("holdfast link %s: %w\n%s", action, err, out))
	}
}

// head is how far the device's region has come.
func (d *device) head() change.Vector {
	everything := change.Vector{"eu": 1 << 60, "us": 1 << 60} // so that no entries come with the answer
	m, err := d.nc.Request(wire.RPC(d.c.tenant, d.conn, wire.Pull), wire.PullRequest{Cursor: everything}.Encode(), startMax)
	d.c.t.must(err)
	r, err := wire.DecodePullReply(m.Data)
	d.c.t.must(err)
	d.c.t.must(r.Err)
	return r.Head
}

// streamsHeal is the same for two message servers whose streams source each other, without the product. What takes longer
// than healMax is given as that.
func (t *trial) streamsHeal(o outage) time.Duration {
	eu, us, link := t.bareRegions(0)
	sides := []*nats.Conn{eu, us}
	var streams []jetstream.Stream
	for i, nc := range sides {
		own, other := []string{"eu", "us"}[i], []string{"us", "eu"}[i]
		js, err := jetstream.New(nc)
		t.must(err)
		st, err := js.CreateStream(t.ctx, jetstream.StreamConfig{Name: "BARE", Subjects: []string{"bare." + own},
			Sources: []*jetstream.StreamSource{{Name: "BARE", FilterSubject: "bare." + other, External: &jetstream.ExternalStream{APIPrefix: "$JS." + other + ".API"}}}})
		t.must(err)
		streams = append(streams, st)
	}
	t.publish(sides, 1)
	t.eventually(healMax, "the streams source each other", func() bool { return t.held(streams) == 4 })
	if o.cut {
		link.Cut()
	} else {
		link.Mute()
	}
	began := time.Now()
	t.publish(sides, healEach)
	time.Sleep(time.Until(began.Add(o.d)))
	healed := time.Now()
	link.Heal()
	for t.held(streams) < 4*(healEach+1) && time.Since(healed) < healMax {
		time.Sleep(10 * time.Millisecond)
	}
	return time.Since(healed)
}

// publish has each region write n messages to its own stream.
func (t *trial) publish(sides []*nats.Conn, n int) {
	for i, nc := range sides {
		js, err := jetstream.New(nc)
		t.must(err)
		for range n {
			_, err := js.PublishAsync("bare."+[]string{"eu", "us"}[i], make([]byte, bareBytes))
			t.must(err)
		}
		select {
		case <-js.PublishAsyncComplete():
		case <-time.After(healMax):
			t.Fatal("the bare streams do not take what is published")
		}
	}
}

// held is how many messages all streams have together.
func (t *trial) held(streams []jetstream.Stream) (n uint64) {
	for _, st := range streams {
		info, err := st.Info(t.ctx)
		t.must(err)
		n += info.State.Msgs
	}
	return n
}
