package directory

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"holdfast/server/hubdb"
	"holdfast/sync/fault"
	"holdfast/sync/natsd"
	"holdfast/sync/sqlite"
	"holdfast/sync/wire"
)

type world struct {
	t   *testing.T
	ctx context.Context
	db  *sql.DB
	js  jetstream.JetStream
	now time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx := t.Context()
	db, err := hubdb.Open(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &world{t: t, ctx: ctx, db: db, js: serve(t, t.TempDir()), now: time.Now()}
}

func serve(t *testing.T, dir string) jetstream.JetStream {
	t.Helper()
	s := natsd.New(natsd.Config{Name: "hub", Domain: wire.HubDomain, StoreDir: dir})
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	nc, err := s.Core()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func (w *world) open() *Publisher {
	w.t.Helper()
	p := New(Config{DB: w.db, JS: w.js, Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler)})
	if err := p.Open(w.ctx); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(p.Close)
	return p
}

func (w *world) put(key string, record any, until time.Time) {
	w.t.Helper()
	err := sqlite.Tx(w.ctx, w.db, func(tx *sql.Tx) error { return Put(w.ctx, tx, key, record, until) })
	if err != nil {
		w.t.Fatal(err)
	}
}

// bucket is what edges would see, as text.
func (w *world) bucket() string {
	w.t.Helper()
	p := New(Config{DB: w.db, JS: w.js})
	kv, err := w.js.KeyValue(w.ctx, wire.DirectoryBucket)
	if err != nil {
		w.t.Fatal(err)
	}
	p.kv = kv
	have, err := p.bucket(w.ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	b, _ := json.Marshal(func() map[string]string {
		m := map[string]string{}
		for k, v := range have {
			m[k] = string(v)
		}
		return m
	}())
	return string(b)
}

func (w *world) want(want string) {
	w.t.Helper()
	if got := w.bucket(); got != want {
		w.t.Errorf("bucket\n got %s\nwant %s", got, want)
	}
}

func TestPublishesInOrder(t *testing.T) {
	w := newWorld(t)
	p := w.open()
	w.put("a", 1, time.Time{})
	w.put("b", 2, time.Time{})
	w.put("a", 3, time.Time{})
	rev, err := p.Flush(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	w.want(`{"a":"3","b":"2"}`)
	kv, _ := w.js.KeyValue(w.ctx, wire.DirectoryBucket)
	e, err := kv.Get(w.ctx, "a")
	if err != nil || e.Revision() != rev {
		t.Errorf("revision: got %d, %v; want %d: an edge waits for it", e.Revision(), err, rev)
	}
	if again, err := p.Flush(w.ctx); err != nil || again != rev {
		t.Errorf("nothing new: got %d, %v; want %d", again, err, rev)
	}
}

func TestFollowsWhenWoken(t *testing.T) {
	w := newWorld(t)
	p := w.open()
	w.put("a", 1, time.Time{})
	p.Wake()
	deadline := time.Now().Add(5 * time.Second)
	for w.bucket() != `{"a":"1"}` {
		if time.Now().After(deadline) {
			t.Fatal("not published within 5 s")
		}
		time.Sleep(time.Millisecond)
	}
}

// A decision that was rolled back must not reach an edge.
func TestRolledBackIsNotPublished(t *testing.T) {
	w := newWorld(t)
	p := w.open()
	boom := errors.New("boom")
	err := sqlite.Tx(w.ctx, w.db, func(tx *sql.Tx) error {
		if err := Put(w.ctx, tx, "a", 1, time.Time{}); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatal(err)
	}
	if _, err := p.Flush(w.ctx); err != nil {
		t.Fatal(err)
	}
	w.want(`{}`)
}

// The hub died between its commit and the bucket, and the bucket was lost or restored from an older copy.
func TestOpenMakesEqual(t *testing.T) {
	w := newWorld(t)
	p := w.open()
	w.put("kept", 1, time.Time{})
	w.put("lost", 2, time.Time{})
	w.put("altered", 3, time.Time{})
	if _, err := p.Flush(w.ctx); err != nil {
		t.Fatal(err)
	}
	p.Close()
	w.put("new", 4, time.Time{}) // committed, never published
	kv, _ := w.js.KeyValue(w.ctx, wire.DirectoryBucket)
	for _, err := range []error{kv.Delete(w.ctx, "lost"), second(kv.Put(w.ctx, "altered", []byte("0"))), second(kv.Put(w.ctx, "foreign", []byte("9")))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	before, _ := kv.Get(w.ctx, "kept")
	w.open()
	w.want(`{"altered":"3","kept":"1","lost":"2","new":"4"}`)
	if after, _ := kv.Get(w.ctx, "kept"); after.Revision() != before.Revision() {
		t.Error("a record that was right was written again: every edge would handle it again")
	}
	if err := w.js.DeleteKeyValue(w.ctx, wire.DirectoryBucket); err != nil {
		t.Fatal(err)
	}
	w.open()
	w.want(`{"altered":"3","kept":"1","lost":"2","new":"4"}`)
}

func second[T any](_ T, err error) error { return err }

func TestExpires(t *testing.T) {
	w := newWorld(t)
	p := w.open()
	w.put("revoked.x", 1, w.now.Add(time.Hour))
	w.put("tenant.y", 1, time.Time{})
	if _, err := p.Flush(w.ctx); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Hour)
	expireAndFlush(t, w, p)
	w.want(`{"revoked.x":"1","tenant.y":"1"}`)
	w.now = w.now.Add(time.Second)
	expireAndFlush(t, w, p)
	w.want(`{"tenant.y":"1"}`)
}

func expireAndFlush(t *testing.T, w *world, p *Publisher) {
	t.Helper()
	if err := p.expire(w.ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Flush(w.ctx); err != nil {
		t.Fatal(err)
	}
}

// More than one batch, from many sides at once.
func TestManyWriters(t *testing.T) {
	w := newWorld(t)
	p := w.open()
	const writers, each = 8, batchMax / 4
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for j := range each {
				err := sqlite.Tx(w.ctx, w.db, func(tx *sql.Tx) error {
					return Put(w.ctx, tx, fmt.Sprintf("k.%d.%d", i, j), j, time.Time{})
				})
				if err != nil {
					t.Error(err)
					return
				}
				p.Wake()
			}
		})
	}
	wg.Wait()
	if _, err := p.Flush(w.ctx); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(w.bucket(), "k."); n != writers*each {
		t.Errorf("%d records in the bucket, want %d", n, writers*each)
	}
}

func TestRecordTooLarge(t *testing.T) {
	w := newWorld(t)
	err := sqlite.Tx(w.ctx, w.db, func(tx *sql.Tx) error {
		return Put(w.ctx, tx, "a", strings.Repeat("x", recordMax), time.Time{})
	})
	if fault.KindOf(err) != fault.TooLarge {
		t.Errorf("got %v", err)
	}
}
