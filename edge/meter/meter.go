// Package meter counts what a region did for each workspace and writes it, as usage events, once and in order to the
// region's stream USAGE, which the hub reads.
//
// Changes are counted from the log's sequences, so the count is exact whatever crashes: an event covers a range of them
// and is made in the transaction that notes how far was counted. What the region committed itself is nobody's use, and left
// out: ranges end before it and begin after it. A change that two regions accepted, cut off from each other, is in the count of both,
// and one of them writes an event that takes it back once it has seen the other's log. API calls, bytes sent and
// the running of rules are counted in memory and written down every second, the time of browsers' connections every minute; a crash loses at most that, in the customer's favour. Storage is read once an
// hour, for the workspaces whose home is this region.
//
// Records wait in node.db until they are in the stream, and an hour longer: if the stream loses its tail (a power cut), they
// are written again in the same order. An event's id comes from what it counts, so the hub counts each once.
package meter

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/ingress"
	"holdfast/sync/sqlite"
	"holdfast/sync/usage"
)

//go:embed queries.sql
var queries string

var q = sqlite.Named(queries)

// storageHour is the name of a counter; what is counted in memory has one of its meter's name.
const storageHour = "storage-hour"

// Config is what a Meter needs.
type Config struct {
	Region string
	DB     *sql.DB    // node.db
	Conn   *nats.Conn // account CORE
	Now    func() time.Time
	Log    *slog.Logger
	// Sizes calls f with the size in bytes of each workspace's file here.
	Sizes func(f func(t id.ID, bytes int64) bool) error
	// Made gives the sequences of a workspace's own log, later than after and up to upto, that nobody pushed.
	Made func(ctx context.Context, t id.ID, after, upto uint64) ([]uint64, error)
	// Stuck is called when the stream did not take what it was given; may be nil.
	Stuck func()
	// Spent gives how long browsers were connected for each workspace since it was asked last.
	Spent func() map[id.ID]time.Duration
	// Home tells whether this region reads a workspace's storage.
	Home func(t id.ID) bool
}

// Meter counts; make it with New. It is safe for concurrent use.
type Meter struct {
	cfg  Config
	out  *writer
	stop context.CancelFunc
	done sync.WaitGroup

	mu     sync.Mutex
	counts map[string]map[id.ID]int64 // by meter: what is not written down yet

	spent map[id.ID]time.Duration // connected time that is less than a second; for run alone

	reading  sync.Mutex     // held while storage is read
	read     map[id.ID]bool // whose storage was read in readHour
	readHour int64
}

// New makes a meter that only counts in memory until Open.
func New(cfg Config) *Meter {
	m := &Meter{cfg: cfg, counts: map[string]map[id.ID]int64{}, spent: map[id.ID]time.Duration{}}
	m.out = newWriter(cfg)
	return m
}

// Open makes the stream and begins to write to it.
func (m *Meter) Open(ctx context.Context) error {
	const op = "meter.Open"
	if err := m.out.open(ctx); err != nil {
		return fault.Wrap(op, err)
	}
	ctx, m.stop = context.WithCancel(context.WithoutCancel(ctx))
	m.done.Go(func() { m.out.run(ctx) })
	m.done.Go(func() { m.run(ctx) })
	return nil
}

// Close writes down what was counted, and stops.
func (m *Meter) Close() {
	if m.stop == nil {
		return
	}
	m.stop()
	m.done.Wait()
	m.takeSpent()
	m.log(context.Background(), "what was counted last is lost", m.writeCounts(context.Background()))
}

// APICall counts one request that was answered for a workspace.
func (m *Meter) APICall(t id.ID) { m.add(usage.APICalls, t, 1) }

// Sent counts bytes that were sent to one of a workspace's browsers or API callers.
func (m *Meter) Sent(t id.ID, bytes int64) { m.add(usage.Egress, t, bytes) }

// Ran counts how long a workspace's rules ran.
func (m *Meter) Ran(t id.ID, d time.Duration) { m.add(usage.RuleTime, t, int64(d)) }

// add counts in memory. A region with more workspaces than can be held at once counts less, in the customers' favour.
func (m *Meter) add(meter string, t id.ID, n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	of := m.counts[meter]
	if of == nil {
		of = map[id.ID]int64{}
		m.counts[meter] = of
	}
	if _, ok := of[t]; (ok || len(of) < tenantsHeld) && n > 0 {
		of[t] += n
	}
}

// takeSpent counts the connected time in whole seconds; the rest of a second is kept for the next time.
func (m *Meter) takeSpent() {
	for t, d := range m.cfg.Spent() {
		d += m.spent[t]
		m.add(usage.Connected, t, int64(d/time.Second))
		if m.spent[t] = d % time.Second; m.spent[t] == 0 || len(m.spent) > tenantsHeld {
			delete(m.spent, t)
		}
	}
}

// Count gives what makes events, in a transaction of node.db, of what was pushed to a workspace's own log up to a sequence
// (stream.Config.Count). It is called by one goroutine at a time, which writes before it calls again.
func (m *Meter) Count(ctx context.Context, t id.ID, seq uint64) (func(*sql.Tx) error, error) {
	const op = "meter.Count"
	var last uint64
	err := m.cfg.DB.QueryRowContext(ctx, q("counted"), t).Scan(&last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, sqlite.Wrap(op, err)
	}
	if seq <= last {
		return func(*sql.Tx) error { return nil }, nil
	}
	made, err := m.cfg.Made(ctx, t, last, seq)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	at := m.cfg.Now().UnixMilli()
	return func(tx *sql.Tx) error {
		from := last + 1
		for _, end := range append(made, seq+1) {
			if from < end {
				if _, err := tx.ExecContext(ctx, q("add"), usage.Changes, t, at, from, end-1, end-from); err != nil {
					return sqlite.Wrap(op, err)
				}
			}
			from = end + 1
		}
		_, err := tx.ExecContext(ctx, q("setCounted"), t, seq)
		m.out.poke()
		return sqlite.Wrap(op, err)
	}, nil
}

// Twice counts entries of a workspace's own log that another region counts too. Those that come again while their record is kept
// are not written again: the stream would take it for one it has.
func (m *Meter) Twice(ctx context.Context, t id.ID, list []ingress.Twice) error {
	err := sqlite.Tx(ctx, m.cfg.DB, func(tx *sql.Tx) error {
		for _, e := range list {
			if _, err := tx.ExecContext(ctx, q("addOnce"), usage.Twice, t, e.At.UnixMilli(), e.Seq); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		m.out.poke()
	}
	return sqlite.Wrap("meter.Twice", err)
}

func (m *Meter) run(ctx context.Context) {
	counts, spent, hour := time.NewTicker(countsEvery), time.NewTicker(spentEvery), time.NewTicker(storageEvery)
	defer counts.Stop()
	defer spent.Stop()
	defer hour.Stop()
	m.log(ctx, "storage not read", m.ReadStorage(ctx))
	for {
		select {
		case <-ctx.Done():
			return
		case <-counts.C:
			m.log(ctx, "what was counted is not written down; it is tried again", m.writeCounts(ctx))
		case <-spent.C:
			m.takeSpent()
		case <-hour.C:
			m.log(ctx, "storage not read", m.ReadStorage(ctx))
		}
	}
}

// Backlog is how many records are not in the stream yet.
func (m *Meter) Backlog(ctx context.Context) (n int64, err error) {
	err = m.cfg.DB.QueryRowContext(ctx, q("backlog"), m.out.sent.Load()).Scan(&n)
	return n, sqlite.Wrap("meter.Backlog", err)
}

// log says what failed, unless it was cut short because the meter ends.
func (m *Meter) log(ctx context.Context, msg string, err error) {
	if err != nil && ctx.Err() == nil {
		m.cfg.Log.Error(msg, "err", err)
	}
}

// writeCounts writes down what was counted in memory since the last time.
func (m *Meter) writeCounts(ctx context.Context) error {
	const op = "meter.writeCounts"
	m.mu.Lock()
	counts := m.counts
	m.counts = map[string]map[id.ID]int64{}
	m.mu.Unlock()
	if len(counts) == 0 {
		return nil
	}
	at := m.cfg.Now().UnixMilli()
	err := sqlite.Tx(ctx, m.cfg.DB, func(tx *sql.Tx) error {
		for meter, of := range counts {
			n, err := counter(ctx, tx, meter)
			if err != nil {
				return err
			}
			for t, count := range of {
				n++
				if _, err := tx.ExecContext(ctx, q("add"), meter, t, at, n, n, count); err != nil {
					return err
				}
			}
			if _, err := tx.ExecContext(ctx, q("setCounter"), meter, n); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		for meter, of := range counts {
			for t, count := range of {
				m.add(meter, t, count)
			}
		}
		return sqlite.Wrap(op, err)
	}
	m.out.poke()
	return nil
}

// ReadStorage reads the size of each workspace's file once an hour, and of one that is new as soon as it is seen.
func (m *Meter) ReadStorage(ctx context.Context) error {
	const op = "meter.ReadStorage"
	m.reading.Lock()
	defer m.reading.Unlock()
	now := m.cfg.Now()
	hour := now.Unix() / 3600
	read := m.read
	if m.readHour != hour {
		read = map[id.ID]bool{}
	}
	var fresh []id.ID
	err := sqlite.Tx(ctx, m.cfg.DB, func(tx *sql.Tx) error {
		last, err := counter(ctx, tx, storageHour)
		if err != nil {
			return err
		}
		before := last >= hour && m.readHour != hour // an earlier process has read this hour's
		var failed error
		err = m.cfg.Sizes(func(t id.ID, bytes int64) bool {
			if read[t] || !m.cfg.Home(t) {
				return true
			}
			fresh = append(fresh, t)
			if !before {
				_, failed = tx.ExecContext(ctx, q("add"), usage.Storage, t, now.UnixMilli(), hour, hour, bytes)
			}
			return failed == nil
		})
		if err := errors.Join(err, failed); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, q("setCounter"), storageHour, hour)
		return err
	})
	if err != nil {
		return sqlite.Wrap(op, err)
	}
	for _, t := range fresh {
		read[t] = true
	}
	m.read, m.readHour = read, hour
	m.out.poke()
	return nil
}

func counter(ctx context.Context, tx *sql.Tx, name string) (last int64, err error) {
	err = tx.QueryRowContext(ctx, q("counter"), name).Scan(&last)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return last, err
}
