package metering

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"holdfast/sync/id"
	"holdfast/sync/natsd"
	"holdfast/sync/usage"
	"holdfast/sync/wire"
)

var (
	acme  = id.Derive("acme")
	globe = id.Derive("globe")
	month = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
)

// world is a hub that meters and the region eu, joined by a real leaf link that can be cut.
type world struct {
	*Service
	t      *testing.T
	ctx    context.Context
	hub    *natsd.Server
	link   *natsd.Link
	dir    string // of the hub's database
	region string // folder of the region's streams
	eu     *natsd.Server
	js     jetstream.JetStream // of the region
	mu     sync.Mutex
	at     time.Time
}

func (w *world) now() time.Time       { w.mu.Lock(); defer w.mu.Unlock(); return w.at }
func (w *world) set(at time.Time)     { w.mu.Lock(); w.at = at; w.mu.Unlock() }
func (w *world) pass(d time.Duration) { w.set(w.now().Add(d)) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, ctx: t.Context(), dir: t.TempDir(), region: t.TempDir(), at: month.Add(10 * 24 * time.Hour)}
	w.hub = natsd.New(natsd.Config{Name: "hub", Domain: wire.HubDomain, StoreDir: t.TempDir(), LeafListen: "127.0.0.1:0", LeafSecret: "s"})
	must(t, w.hub.Open(w.ctx))
	t.Cleanup(w.hub.Close)
	w.link = natsd.NewLink(w.hub.LeafAddr())
	must(t, w.link.Open(w.ctx))
	t.Cleanup(func() { w.link.Close() })
	w.startRegion()
	t.Cleanup(func() { w.eu.Close() })
	_, err := w.js.CreateStream(w.ctx, streamConfig)
	must(t, err)
	w.start()
	t.Cleanup(func() { w.Close() })
	return w
}

var streamConfig = jetstream.StreamConfig{Name: wire.UsageStream, Subjects: []string{"usage.eu.*"}, MaxAge: 40 * 24 * time.Hour, Duplicates: time.Second}

func (w *world) start() {
	w.t.Helper()
	nc, err := w.hub.Core()
	must(w.t, err)
	w.t.Cleanup(nc.Close)
	w.Service = New(Config{Dir: w.dir, NC: nc, Now: w.now, Log: slog.New(slog.DiscardHandler)})
	must(w.t, w.Open(w.ctx))
	w.Follow("eu")
}

func (w *world) startRegion() {
	w.t.Helper()
	w.eu = natsd.New(natsd.Config{Name: "eu", Domain: "eu", StoreDir: w.region, HubURL: "nats-leaf://" + w.link.Addr(), LeafSecret: "s"})
	must(w.t, w.eu.Open(w.ctx))
	nc, err := w.eu.Core()
	must(w.t, err)
	w.t.Cleanup(nc.Close)
	w.js, err = jetstream.New(nc)
	must(w.t, err)
}

// tell writes events to the region's stream.
func (w *world) tell(events ...usage.Event) {
	w.t.Helper()
	for _, e := range events {
		w.tellRaw(e.Tenant, e.Encode())
	}
}

func (w *world) tellRaw(tenant id.ID, b []byte) {
	w.t.Helper()
	_, err := w.js.PublishMsg(w.ctx, &nats.Msg{Subject: wire.UsageSubject("eu", tenant), Data: b})
	must(w.t, err)
}

func (w *world) changes(tenant id.ID, from, to uint64) usage.Event {
	return usage.Event{ID: usage.RangeID(usage.ChangesSeries(tenant), from, to), Source: "edge/eu", Meter: usage.Changes, Tenant: tenant, Time: w.now(), Quantity: int64(to - from + 1)}
}

func (w *world) call(tenant id.ID, n uint64) usage.Event {
	return usage.Event{ID: usage.RangeID(usage.APICalls, n, n), Source: "edge/eu", Meter: usage.APICalls, Tenant: tenant, Time: w.now(), Quantity: 3}
}

func (w *world) size(tenant id.ID, bytes int64) usage.Event {
	return usage.Event{ID: usage.StorageID(tenant, w.now().Unix()/3600), Source: "edge/eu", Meter: usage.Storage, Tenant: tenant, Time: w.now(), Quantity: bytes}
}

// totals is a workspace's month as one line, after all that was told has been read.
func (w *world) totals(tenant id.ID, m time.Time) string {
	w.t.Helper()
	w.settle()
	list, _, err := w.Month(w.ctx, tenant, m)
	must(w.t, err)
	var parts []string
	for i, t := range list {
		if i < 4 || t.Quantity != 0 { // the others only when there is something to see
			parts = append(parts, fmt.Sprintf("%s=%d", t.Meter, t.Quantity))
		}
	}
	return strings.Join(parts, " ")
}

func (w *world) want(tenant id.ID, m time.Time, want string) {
	w.t.Helper()
	if got := w.totals(tenant, m); got != want {
		w.t.Errorf("got  %s\nwant %s", got, want)
	}
}

// settle waits until the reader has seen the end of the stream.
func (w *world) settle() {
	w.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		ctx, cancel := context.WithTimeout(w.ctx, time.Second)
		s, err := w.js.Stream(ctx, wire.UsageStream)
		cancel()
		h, herr := w.Health(w.ctx)
		must(w.t, herr)
		if err == nil {
			last := s.CachedInfo().State.LastSeq
			if last == 0 || len(h) == 1 && h[0].Watermark == last {
				return
			}
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("not read to the end: %+v, %v", h, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (w *world) health() Health {
	w.t.Helper()
	h, err := w.Health(w.ctx)
	must(w.t, err)
	return h[0]
}

// A fact that is told again, in whatever pieces, is counted once.
func TestCountedOnce(t *testing.T) {
	w := newWorld(t)
	w.tell(
		w.changes(acme, 1, 5), w.changes(acme, 1, 5), // told twice
		w.changes(acme, 4, 9),   // the sender crashed and drew the range anew
		w.changes(acme, 20, 20), // a gap
		w.changes(acme, 10, 19), // that is filled later
		w.changes(acme, 1, 20),
		w.changes(globe, 1, 2), // another tenant's sequence is another series
		w.call(acme, 1), w.call(acme, 2), w.call(acme, 1), w.call(globe, 3),
		usage.Event{ID: "opaque", Source: "edge/eu", Meter: "rule-runs", Tenant: acme, Time: w.now(), Quantity: 9},
		usage.Event{ID: "opaque", Source: "edge/eu", Meter: "rule-runs", Tenant: acme, Time: w.now(), Quantity: 9},
	)
	w.want(acme, month, "changes=20 api-calls=6 storage-bytes=0 storage-byte-hours=0 rule-runs=9")
	w.want(globe, month, "changes=2 api-calls=3 storage-bytes=0 storage-byte-hours=0")
	w.want(acme, month.AddDate(0, 1, 0), "changes=0 api-calls=0 storage-bytes=0 storage-byte-hours=0")
	var spans int
	must(t, w.db.QueryRow("SELECT count(*) FROM span").Scan(&spans))
	if spans != 3 {
		t.Errorf("%d rows remember three series without gaps", spans)
	}
	must(t, w.Close()) // and once over a restart of the hub
	w.start()
	w.tell(w.changes(acme, 15, 25))
	w.want(acme, month, "changes=25 api-calls=6 storage-bytes=0 storage-byte-hours=0 rule-runs=9")
}

// The month is that of the event, whenever it arrives.
func TestMonths(t *testing.T) {
	w := newWorld(t)
	e := w.changes(acme, 1, 1)
	e.Time = month.Add(-time.Nanosecond)
	f := w.changes(acme, 2, 3)
	f.Time = month
	w.tell(e, f)
	w.want(acme, month.AddDate(0, -1, 0), "changes=1 api-calls=0 storage-bytes=0 storage-byte-hours=0")
	w.want(acme, month, "changes=2 api-calls=0 storage-bytes=0 storage-byte-hours=0")
}

// A reading holds until the next; what is billed is bytes over time, cut at the end of the month.
func TestStorage(t *testing.T) {
	w := newWorld(t)
	w.set(month.Add(-2 * time.Hour))
	w.tell(w.size(acme, 100))
	w.pass(time.Hour)
	w.tell(w.size(acme, 1000), w.size(acme, 1000))
	w.settle()
	w.set(month.Add(3 * time.Hour))
	w.want(acme, month.AddDate(0, -1, 0), "changes=0 api-calls=0 storage-bytes=1000 storage-byte-hours=1100")
	w.want(acme, month, "changes=0 api-calls=0 storage-bytes=1000 storage-byte-hours=3000")
	w.tell(w.size(acme, 10))
	late := w.size(acme, 99)
	late.Time, late.ID = month, "late"
	w.tell(late) // older than the latest: changes nothing
	w.settle()
	w.pass(90 * time.Minute)
	w.want(acme, month, "changes=0 api-calls=0 storage-bytes=10 storage-byte-hours=3015")
	w.want(acme, month.AddDate(0, -1, 0), "changes=0 api-calls=0 storage-bytes=1000 storage-byte-hours=1100")
	w.set(month.AddDate(0, 1, 0).Add(time.Hour)) // no reading in December yet
	w.want(acme, month.AddDate(0, 1, 0), "changes=0 api-calls=0 storage-bytes=10 storage-byte-hours=10")
}

// What cannot be counted waits for an operator; the rest goes on.
func TestSetAside(t *testing.T) {
	w := newWorld(t)
	future, foreign, huge, split := w.changes(acme, 2, 2), w.changes(acme, 3, 3), w.changes(acme, 4, 4), w.call(acme, 1)
	future.Time = w.now().Add(futureMax + time.Second)
	foreign.Source = "edge/us"
	huge.Quantity = quantityMax + 1
	split.ID = usage.RangeID(usage.APICalls, 1, 2)
	w.tell(w.changes(acme, 1, 1), future, foreign, huge, w.call(acme, 1), split)
	w.tellRaw(acme, []byte("{"))
	w.tellRaw(acme, []byte(strings.Repeat("x", 2*asideBytesMax)))
	w.tell(w.changes(acme, 5, 5))
	w.want(acme, month, "changes=2 api-calls=3 storage-bytes=0 storage-byte-hours=0")
	if h := w.health(); h.Aside != 6 {
		t.Errorf("%d set aside", h.Aside)
	}
}

// The region lost the tail of its stream and used its sequences again: what is new is counted, what is old is not twice.
func TestLostTail(t *testing.T) {
	for _, more := range []int{0, 2, 5, 9} { // shorter than before, as long, longer
		t.Run(fmt.Sprint(more), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for n := range uint64(5) {
				w.tell(w.call(acme, n+1))
			}
			w.settle()
			w.eu.Close()
			backup := t.TempDir()
			must(t, os.CopyFS(backup, os.DirFS(w.region)))
			w.startRegion()
			for n := range uint64(5) {
				w.tell(w.call(acme, n+6))
			}
			w.want(acme, month, "changes=0 api-calls=30 storage-bytes=0 storage-byte-hours=0")
			w.eu.Close()
			must(t, os.RemoveAll(filepath.Join(w.region, "jetstream")))
			must(t, os.CopyFS(w.region, os.DirFS(backup)))
			w.startRegion()
			for n := range uint64(more) {
				w.tell(w.call(acme, n+11))
			}
			deadline := time.Now().Add(20 * time.Second)
			for w.health().Epoch == 0 {
				if time.Now().After(deadline) {
					t.Fatal("the lost tail was not noticed")
				}
				time.Sleep(10 * time.Millisecond)
			}
			w.want(acme, month, fmt.Sprintf("changes=0 api-calls=%d storage-bytes=0 storage-byte-hours=0", 30+3*more))
			var incidents int
			must(t, w.db.QueryRow("SELECT count(*) FROM incident").Scan(&incidents))
			if incidents != 1 {
				t.Errorf("%d incidents noted", incidents)
			}
		})
	}
}

func TestStreamMadeAnew(t *testing.T) {
	w := newWorld(t)
	w.tell(w.changes(acme, 1, 5), w.changes(acme, 6, 9))
	w.settle()
	must(t, w.js.DeleteStream(w.ctx, wire.UsageStream))
	time.Sleep(10 * time.Millisecond) // creation times are told apart by milliseconds
	_, err := w.js.CreateStream(w.ctx, streamConfig)
	must(t, err)
	w.tell(w.changes(acme, 6, 10), w.changes(acme, 11, 11), w.changes(acme, 12, 12))
	deadline := time.Now().Add(20 * time.Second)
	for w.health().Epoch == 0 && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	w.want(acme, month, "changes=12 api-calls=0 storage-bytes=0 storage-byte-hours=0")
}

// While a region is cut off its totals say how old they are; after the heal they are whole again within two seconds.
func TestCut(t *testing.T) {
	w := newWorld(t)
	w.tell(w.changes(acme, 1, 10))
	w.settle()
	cut := w.now()
	w.link.Cut()
	for w.eu.Linked() {
		time.Sleep(5 * time.Millisecond)
	}
	w.tell(w.changes(acme, 11, 20))
	deadline := time.Now().Add(20 * time.Second)
	for {
		_, asOf, err := w.Month(w.ctx, acme, month)
		must(t, err)
		w.pass(time.Minute)
		if asOf.Before(w.now().Add(-3 * time.Minute)) {
			if asOf.Before(cut) {
				t.Errorf("as of %v, cut at %v", asOf, cut)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("totals of a region that is cut off look fresh")
		}
		time.Sleep(100 * time.Millisecond)
	}
	w.link.Heal()
	healed := time.Now()
	w.want(acme, month, "changes=20 api-calls=0 storage-bytes=0 storage-byte-hours=0")
	t.Logf("whole again %v after the heal", time.Since(healed))
	deadline = time.Now().Add(5 * time.Second)
	for {
		if _, asOf, _ := w.Month(w.ctx, acme, month); asOf.Equal(w.now()) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("healed, and the totals still look old")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestForget(t *testing.T) {
	w := newWorld(t)
	w.tell(w.size(acme, 1))
	w.settle()
	count := func() (n int) { must(t, w.db.QueryRow("SELECT count(*) FROM seen").Scan(&n)); return n }
	w.set(time.Now().Add(seenFor - time.Minute)) // the stream's times are real
	must(t, w.forget(w.ctx))
	if count() != 1 {
		t.Error("forgotten while it may still come back")
	}
	w.set(time.Now().Add(seenFor + time.Minute))
	must(t, w.forget(w.ctx))
	if count() != 0 {
		t.Error("kept for ever")
	}
}
