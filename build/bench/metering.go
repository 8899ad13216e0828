package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"holdfast/build/bench/figure"
	"holdfast/edge/meter"
	"holdfast/edge/nodedb"
	"holdfast/server/metering"
	"holdfast/sync/directory"
	"holdfast/sync/id"
	"holdfast/sync/natsd"
	"holdfast/sync/sqlite"
	"holdfast/sync/usage"
	"holdfast/sync/wire"
)

const (
	usageEvents  = 200_000
	usageTenants = 500
	usageKills   = 4
	usageSingles = 300 // events whose way is timed
	usageMax     = 3 * time.Minute
)

// usageRate is how many usage events a second come from an edge's meter to the hub's totals while the hub is killed again
// and again (P13). The totals must be exact, or there is no figure.
func usageRate(ctx context.Context, e env) (out []figure.Figure, err error) {
	err = try(ctx, e, func(t *trial) {
		bare := t.bareUsage()
		e.say("bare stream, published and consumed: %.0f events/s", bare)
		calm, _, seen := t.meterUsage(0)
		e.say("without kills: %.0f events/s", calm)
		rate, killed, _ := t.meterUsage(usageKills)
		note := fmt.Sprintf("%d events, %d workspaces, %d times SIGKILL; totals exact", usageEvents, usageTenants, killed)
		peers := []figure.Peer{{Name: "bare stream, publish and consume", Value: bare}}
		out = append(out,
			figure.Figure{ID: "P13", What: "usage events from an edge's outbox to the hub's totals", Value: rate, Unit: "events/s", Target: 25_000, More: true, Beside: peers, Note: note},
			figure.Figure{ID: "P13", What: "the same without kills", Value: calm, Unit: "events/s", Target: 25_000, More: true, Beside: peers},
			figure.Figure{ID: "P13", What: "one event, from the edge's disk to the hub's total, p99", Value: figure.Percentile(seen, 0.99), Unit: "ms",
				Note: fmt.Sprintf("p50 %.1f ms, %d events one after another", figure.Percentile(seen, 0.5), len(seen))})
	})
	return out, err
}

// meterUsage counts events with a real meter while a real hub adds them up, and gives the rate of all of it and how
// long single events took after that.
func (t *trial) meterUsage(kills int) (rate float64, killed int, seen []time.Duration) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	t.must(os.WriteFile(secret, []byte("a secret of the benchmark, longer than it needs to be"), 0o600))
	addr := "127.0.0.1:" + strconv.Itoa(t.freePorts(1))
	hub := t.run("hub", "--data", filepath.Join(dir, "hub"), "--leaf-listen", addr, "--secret-file", secret, "--domain", "localhost", "--origins", "http://localhost:1")
	edge := natsd.New(natsd.Config{Name: "eu", Domain: "eu", StoreDir: filepath.Join(dir, "eu"), HubURL: "nats-leaf://" + addr,
		LeafSecret: "a secret of the benchmark, longer than it needs to be"})
	t.must(edge.Open(t.ctx))
	t.Cleanup(edge.Close)
	nc, err := edge.Core()
	t.must(err)
	t.Cleanup(nc.Close)
	db, err := nodedb.Open(t.ctx, filepath.Join(dir, "node.db"))
	t.must(err)
	t.Cleanup(func() { db.Close() })
	m := meter.New(meter.Config{Region: "eu", DB: db, Conn: nc, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Made:  func(context.Context, id.ID, uint64, uint64) ([]uint64, error) { return nil, nil }, // all was pushed by people
		Sizes: func(func(id.ID, int64) bool) error { return nil }, Spent: func() map[id.ID]time.Duration { return nil }, Home: func(id.ID) bool { return true }})
	t.must(m.Open(t.ctx))
	t.Cleanup(m.Close)
	announce := func() {
		body, err := json.Marshal(directory.Region{Name: "eu", URL: "http://localhost:1"})
		t.must(err)
		t.eventually(startMax, "the hub knows the region", func() bool {
			_, err := nc.Request(wire.HubRegion, body, 500*time.Millisecond)
			return err == nil
		})
	}
	announce()
	began := time.Now()
	counted := make(chan error, 1)
	go func() { counted <- countAll(t.ctx, db, m) }()
	totals := metering.New(metering.Config{Dir: filepath.Join(dir, "hub"), Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	t.must(totals.Open(t.ctx)) // reads beside the hub
	t.Cleanup(func() { totals.Close() })
	for range kills {
		time.Sleep(700 * time.Millisecond)
		hub.stop(syscall.SIGKILL)
		hub.up()
		announce()
		if t.watermark(totals) < usageEvents {
			killed++
		}
	}
	t.must(<-counted)
	t.eventually(usageMax, "the hub has read all usage", func() bool { return t.watermark(totals) >= usageEvents })
	rate = usageEvents / time.Since(began).Seconds()
	for i := range usageTenants {
		month := time.Now().UTC()
		list, _, err := totals.Month(t.ctx, usageTenant(i), time.Date(month.Year(), month.Month(), 1, 0, 0, 0, 0, time.UTC))
		t.must(err)
		sum := int64(0)
		for _, total := range list {
			if total.Meter == usage.Changes {
				sum += total.Quantity
			}
		}
		if sum != usageEvents/usageTenants {
			t.Fatalf("workspace %d: %d changes in the totals, want %d", i, sum, usageEvents/usageTenants)
		}
	}
	return rate, killed, t.eventsSeen(db, m, totals)
}

// eventsSeen is how long an event takes from its commit at the edge until the hub's total has it, when nothing else is under way.
func (t *trial) eventsSeen(db *sql.DB, m *meter.Meter, totals *metering.Service) (seen []time.Duration) {
	for n := range uint64(usageSingles) {
		write, err := m.Count(t.ctx, usageTenant(0), usageEvents/usageTenants+n+1)
		t.must(err)
		t.must(sqlite.Tx(t.ctx, db, write))
		began := time.Now()
		for t.watermark(totals) < usageEvents+n+1 {
			if time.Since(began) > startMax {
				t.Fatalf("an event is not in the total after %v", startMax)
			}
			time.Sleep(time.Millisecond)
		}
		seen = append(seen, time.Since(began))
	}
	return seen
}

func (t *trial) watermark(s *metering.Service) uint64 {
	h, err := s.Health(t.ctx)
	t.must(err)
	if len(h) == 0 {
		return 0
	}
	return h[0].Watermark
}

func usageTenant(i int) id.ID { return id.Derive("bench workspace", strconv.Itoa(i)) }

// countAll makes one event at a time for each workspace, as a busy edge does: a round of all is one transaction.
func countAll(ctx context.Context, db *sql.DB, m *meter.Meter) error {
	for n := range usageEvents / usageTenants {
		writes := make([]func(*sql.Tx) error, usageTenants)
		for i := range writes {
			var err error
			if writes[i], err = m.Count(ctx, usageTenant(i), uint64(n+1)); err != nil {
				return err
			}
		}
		if err := sqlite.Tx(ctx, db, func(tx *sql.Tx) error {
			for _, write := range writes {
				if err := write(tx); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// bareUsage publishes as many events of the same size to a stream, over the link, and consumes them; nothing is counted.
func (t *trial) bareUsage() (rate float64) {
	eu, us, _ := t.bareRegions(0)
	js, err := jetstream.New(eu)
	t.must(err)
	_, err = js.CreateStream(t.ctx, jetstream.StreamConfig{Name: "BARE", Subjects: []string{"bare.eu.*"}})
	t.must(err)
	there, err := jetstream.NewWithDomain(us, "eu")
	t.must(err)
	var cons jetstream.Consumer
	t.eventually(startMax, "the reader reaches the stream", func() bool {
		ctx, cancel := context.WithTimeout(t.ctx, 5*time.Second)
		defer cancel()
		cons, err = there.CreateConsumer(ctx, "BARE", jetstream.ConsumerConfig{AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true})
		return err == nil
	})
	it, err := cons.Messages(jetstream.PullMaxMessages(5000))
	t.must(err)
	t.Cleanup(it.Stop)
	began := time.Now()
	sent := make(chan error, 1)
	go func() { sent <- publishBare(js) }()
	for range usageEvents {
		_, err := it.Next(jetstream.NextMaxWait(startMax))
		t.must(err)
	}
	t.must(<-sent)
	return usageEvents / time.Since(began).Seconds()
}

func publishBare(js jetstream.JetStream) error {
	for i := range uint64(usageEvents) {
		tenant := usageTenant(int(i % usageTenants))
		e := usage.Event{ID: usage.RangeID(usage.ChangesSeries(tenant), i, i), Source: "edge/eu", Meter: usage.Changes, Tenant: tenant, Time: time.Now(), Quantity: 1,
			Dims: map[string]string{"region": "eu"}}
		m := nats.NewMsg("bare.eu." + string(tenant))
		m.Header.Set(jetstream.MsgIDHeader, e.ID)
		m.Data = e.Encode()
		if _, err := js.PublishMsgAsync(m, jetstream.WithStallWait(startMax)); err != nil {
			return err
		}
	}
	return nil
}
