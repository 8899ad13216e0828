// Package directory brings the hub's decisions to every edge: records of contract holdfast/sync/directory go from the
// hub's database to the JetStream key-value bucket that edges copy.
//
// Put writes a record in the transaction of the decision it follows from, so neither a crash nor an unreachable message
// server loses one. The publisher then writes what is new to the bucket, oldest first, and repeats what it is not sure
// of: records are whole, so writing one twice does no harm. At Open the bucket is compared with the database and made
// equal to it, whatever happened to either.
package directory

import (
	"bytes"
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"holdfast/sync/fault"
	"holdfast/sync/sqlite"
	"holdfast/sync/wire"
)

//go:embed sql/put.sql
var sqlPut string

//go:embed sql/unsent.sql
var sqlUnsent string

//go:embed sql/sent.sql
var sqlSent string

//go:embed sql/expire.sql
var sqlExpire string

// Put sets the record of a key within tx. A record with a non-zero until is removed after that time.
func Put(ctx context.Context, tx *sql.Tx, key string, record any, until time.Time) error {
	const op = "directory.Put"
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false) // these bytes meet no HTML, and six times the length could break recordMax
	if err := enc.Encode(record); err != nil {
		return fault.E(op, fault.Other, err)
	}
	b := bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
	if len(b) > recordMax {
		return fault.Errorf(op, fault.TooLarge, "a directory record of %d bytes, at most %d", len(b), recordMax)
	}
	var untilMS any
	if !until.IsZero() {
		untilMS = until.UnixMilli()
	}
	_, err := tx.ExecContext(ctx, sqlPut, key, b, untilMS)
	return sqlite.Wrap(op, err)
}

// Remove takes the record of a key away within tx.
func Remove(ctx context.Context, tx *sql.Tx, key string) error {
	_, err := tx.ExecContext(ctx, sqlPut, key, nil, nil)
	return sqlite.Wrap("directory.Remove", err)
}

// Config is what a Publisher needs.
type Config struct {
	DB  *sql.DB
	JS  jetstream.JetStream // of the hub's domain
	Now func() time.Time
	Log *slog.Logger
}

// Publisher writes records to the bucket. It is safe for concurrent use.
type Publisher struct {
	cfg  Config
	kv   jetstream.KeyValue
	wake chan struct{}
	stop context.CancelFunc
	done sync.WaitGroup

	mu       sync.Mutex // held while publishing, so that versions reach the bucket in order
	revision uint64     // of the bucket, at our last write
}

// New makes a publisher.
func New(cfg Config) *Publisher { return &Publisher{cfg: cfg, wake: make(chan struct{}, 1)} }

// Open creates the bucket when it is missing, makes it equal to the database and starts to follow the database.
func (p *Publisher) Open(ctx context.Context) error {
	const op = "directory.Open"
	var err error
	p.kv, err = p.cfg.JS.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: wire.DirectoryBucket, History: 1, Storage: jetstream.FileStorage, MaxBytes: bucketBytes,
		LimitMarkerTTL: markerTTL, Description: "who may enter, and the keys that sign sessions",
	})
	if err != nil {
		return fault.E(op, fault.Unavailable, err)
	}
	if err := p.reconcile(ctx); err != nil {
		return fault.Wrap(op, err)
	}
	if _, err := p.Flush(ctx); err != nil {
		return fault.Wrap(op, err)
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	p.stop = stop
	p.done.Go(func() { p.follow(run) })
	return nil
}

// Close stops publishing. What is still unpublished waits in the database.
func (p *Publisher) Close() {
	if p.stop != nil {
		p.stop()
	}
	p.done.Wait()
}

// Wake says that there are new records; it does not wait.
func (p *Publisher) Wake() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Flush writes all that was put before the call to the bucket and gives the bucket's revision: an edge whose copy has
// that revision has all of it. On error the rest is tried again in the background.
func (p *Publisher) Flush(ctx context.Context) (revision uint64, err error) {
	const op = "directory.Flush"
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		n, err := p.publish(ctx)
		if err != nil {
			p.Wake()
			return 0, fault.Wrap(op, err)
		}
		if n < batchMax {
			return p.revision, nil
		}
	}
}

func (p *Publisher) follow(ctx context.Context) {
	wait := retryMin
	tidy := time.NewTicker(tidyEvery)
	defer tidy.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		case <-tidy.C:
			if err := p.expire(ctx); err != nil && ctx.Err() == nil {
				p.cfg.Log.Error("expired directory records were not removed", "err", err)
			}
		}
		if _, err := p.Flush(ctx); err != nil && ctx.Err() == nil {
			p.cfg.Log.Warn("directory records wait to be published", "err", err, "retry", wait)
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
			wait = min(wait*2, retryMax)
			continue
		}
		wait = retryMin
	}
}

type record struct {
	key     string
	value   []byte
	version int64
}

// publish writes one batch and returns how many records that were.
func (p *Publisher) publish(ctx context.Context) (int, error) {
	list, err := p.unsent(ctx)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	for i, r := range list {
		if err := p.write(ctx, r); err != nil {
			if e := p.markSent(ctx, list[:i]); e != nil {
				err = errors.Join(err, e)
			}
			return 0, fault.E("directory.publish", fault.Unavailable, err)
		}
	}
	return len(list), p.markSent(ctx, list)
}

func (p *Publisher) write(ctx context.Context, r record) error {
	ctx, cancel := context.WithTimeout(ctx, putMax)
	defer cancel()
	if r.value == nil {
		if err := p.kv.Purge(ctx, r.key, jetstream.PurgeTTL(markerTTL)); err != nil {
			return err
		}
		st, err := p.kv.Status(ctx)
		if err != nil {
			return err
		}
		if b, ok := st.(*jetstream.KeyValueBucketStatus); ok {
			p.revision = max(p.revision, b.StreamInfo().State.LastSeq)
		}
		return nil
	}
	rev, err := p.kv.Put(ctx, r.key, r.value)
	if err != nil {
		return err
	}
	p.revision = rev
	return nil
}

func (p *Publisher) unsent(ctx context.Context) ([]record, error) {
	const op = "directory.unsent"
	rows, err := p.cfg.DB.QueryContext(ctx, sqlUnsent, batchMax)
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	defer rows.Close()
	var list []record
	for rows.Next() {
		var r record
		if err := rows.Scan(&r.key, &r.value, &r.version); err != nil {
			return nil, sqlite.Wrap(op, err)
		}
		list = append(list, r)
	}
	return list, sqlite.Wrap(op, rows.Err())
}

// markSent notes which versions the bucket has. A record put again meanwhile has a newer version and stays unsent.
func (p *Publisher) markSent(ctx context.Context, list []record) error {
	if len(list) == 0 {
		return nil
	}
	return sqlite.Tx(context.WithoutCancel(ctx), p.cfg.DB, func(tx *sql.Tx) error {
		for _, r := range list {
			if _, err := tx.ExecContext(ctx, sqlSent, r.version, r.key, r.version); err != nil {
				return err
			}
		}
		return nil
	})
}

// expire removes records whose time is over from the database and, by way of the outbox, from the bucket.
func (p *Publisher) expire(ctx context.Context) error {
	return sqlite.Tx(ctx, p.cfg.DB, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM record WHERE value IS NULL AND sent = version AND version < (SELECT max(version) FROM record)"); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, sqlExpire, p.cfg.Now().UnixMilli())
		return err
	})
}

// reconcile compares the bucket with the database and marks as unsent what differs. Keys that only the bucket has are
// removed there.
func (p *Publisher) reconcile(ctx context.Context) error {
	const op = "directory.reconcile"
	have, err := p.bucket(ctx)
	if err != nil {
		return fault.E(op, fault.Unavailable, err)
	}
	return fault.Wrap(op, sqlite.Tx(ctx, p.cfg.DB, func(tx *sql.Tx) error {
		want, err := p.differing(ctx, tx, have)
		if err != nil {
			return err
		}
		for _, key := range want {
			if _, err := tx.ExecContext(ctx, "UPDATE record SET sent = 0 WHERE key = ?", key); err != nil {
				return err
			}
		}
		for key := range have { // left over: known to the bucket only
			if err := Remove(ctx, tx, key); err != nil {
				return err
			}
		}
		if n := len(want) + len(have); n > 0 {
			p.cfg.Log.Info("directory made equal to the database", "records", n)
		}
		return nil
	}))
}

// differing lists the keys of the database whose value the bucket does not have, and takes the database's keys out of have.
func (p *Publisher) differing(ctx context.Context, tx *sql.Tx, have map[string][]byte) ([]string, error) {
	rows, err := tx.QueryContext(ctx, "SELECT key, value FROM record")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var keys []string
	for rows.Next() {
		var key string
		var value []byte
		if err := rows.Scan(&key, &value); err != nil {
			return nil, err
		}
		old, ok := have[key]
		delete(have, key)
		if ok != (value != nil) || !bytes.Equal(old, value) {
			keys = append(keys, key)
		}
	}
	return keys, rows.Err()
}

func (p *Publisher) bucket(ctx context.Context) (map[string][]byte, error) {
	w, err := p.kv.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return nil, err
	}
	defer w.Stop()
	have := map[string][]byte{}
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case e, open := <-w.Updates():
			if !open {
				return nil, errors.New("the bucket's contents ended early")
			}
			if e == nil { // all initial values have come
				return have, nil
			}
			have[e.Key()] = e.Value()
			p.revision = max(p.revision, e.Revision())
		}
	}
}
