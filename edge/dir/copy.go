package dir

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	_ "embed"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"holdfast/edge/follow"
	"holdfast/sync/directory"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
	"holdfast/sync/token"
	"holdfast/sync/wire"
)

var (
	//go:embed sql/all.sql
	sqlAll string
	//go:embed sql/put.sql
	sqlPut string
	//go:embed sql/delete.sql
	sqlDelete string
	//go:embed sql/mark.sql
	sqlMark string
	//go:embed sql/set_mark.sql
	sqlSetMark string
)

const subjectPrefix = "$KV." + wire.DirectoryBucket + "."

// mark is where the copy stands in the hub's bucket.
type mark struct {
	bucket    int64  // when the hub made the bucket
	revision  uint64 // all up to here is in the copy
	currentMS int64
}

func (d *Dir) load(ctx context.Context) error {
	const op = "dir.load"
	err := d.cfg.DB.QueryRowContext(ctx, sqlMark).Scan(&d.mark.bucket, &d.mark.revision, &d.mark.currentMS)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return sqlite.Wrap(op, err)
	}
	rows, err := d.cfg.DB.QueryContext(ctx, sqlAll)
	if err != nil {
		return sqlite.Wrap(op, err)
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		var rev uint64
		var value []byte
		if err := rows.Scan(&key, &rev, &value); err != nil {
			return sqlite.Wrap(op, err)
		}
		if err := d.set(key, value, rev); err != nil {
			d.cfg.Log.Error("directory record left out", "key", key, "err", err)
		}
	}
	d.revision = d.mark.revision
	return sqlite.Wrap(op, rows.Err())
}

// start decides whether the copy can go on from its mark or must read the whole bucket again.
func (d *Dir) start(_ context.Context, info *jetstream.StreamInfo) (uint64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	made := info.Created.UnixNano()
	old := d.cfg.Now().Sub(time.UnixMilli(d.mark.currentMS)) > completeAfter
	if made != d.mark.bucket || info.State.LastSeq < d.mark.revision || old || d.fresh != nil {
		d.fresh = map[string]bool{}
		d.mark = mark{bucket: made}
		d.revision = 0
		return 1, nil
	}
	return d.mark.revision + 1, nil
}

// handle puts records into memory and node.db, and then tells who watches. Memory may be ahead when the disk fails: the
// records come again.
func (d *Dir) handle(ctx context.Context, ms []follow.Message) error {
	const op = "dir.handle"
	last := ms[len(ms)-1].Seq
	changes, bad := d.take(ms)
	next := d.mark
	next.revision = last
	err := sqlite.Tx(ctx, d.cfg.DB, func(tx *sql.Tx) error {
		for _, m := range ms {
			key := strings.TrimPrefix(m.Subject, subjectPrefix)
			var err error
			switch {
			case bad[m.Seq]:
			case removed(m):
				_, err = tx.ExecContext(ctx, sqlDelete, key)
			default:
				_, err = tx.ExecContext(ctx, sqlPut, key, m.Seq, m.Data)
			}
			if err != nil {
				return err
			}
		}
		return d.saveMark(ctx, tx, next, d.fresh == nil)
	})
	if err != nil {
		return sqlite.Wrap(op, err)
	}
	d.mu.Lock()
	d.mark = next
	d.move(last)
	d.mu.Unlock()
	d.tell(changes)
	return nil
}

// take puts records into memory. bad are the sequences of those that cannot be read.
func (d *Dir) take(ms []follow.Message) (changes []Change, bad map[uint64]bool) {
	bad = map[uint64]bool{}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range ms {
		key := strings.TrimPrefix(m.Subject, subjectPrefix)
		if d.fresh != nil {
			d.fresh[key] = true
		}
		var value []byte
		if !removed(m) {
			value = m.Data
		}
		if err := d.set(key, value, m.Seq); err != nil {
			bad[m.Seq] = true
			d.cfg.Log.Error("directory record left out", "key", key, "err", err)
			continue
		}
		kind, name := directory.Split(key)
		changes = append(changes, Change{kind, name})
	}
	return changes, bad
}

// current notes that the copy is complete; after a whole reading, what was not in it is gone.
func (d *Dir) current(ctx context.Context) {
	d.mu.Lock()
	d.mark.currentMS = d.cfg.Now().UnixMilli()
	next, fresh := d.mark, d.fresh
	d.mu.Unlock()
	var gone []string
	err := sqlite.Tx(ctx, d.cfg.DB, func(tx *sql.Tx) error {
		if fresh != nil {
			var err error
			if gone, err = dropStale(ctx, tx, fresh); err != nil {
				return err
			}
		}
		return d.saveMark(ctx, tx, next, true)
	})
	if err != nil {
		d.cfg.Log.Error("directory copy not marked complete", "err", err)
		return
	}
	var changes []Change
	d.mu.Lock()
	for _, key := range gone {
		if err := d.set(key, nil, 0); err == nil {
			kind, name := directory.Split(key)
			changes = append(changes, Change{kind, name})
		}
	}
	d.fresh = nil
	d.mu.Unlock()
	d.tell(changes)
}

func dropStale(ctx context.Context, tx *sql.Tx, fresh map[string]bool) (gone []string, err error) {
	rows, err := tx.QueryContext(ctx, sqlAll)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		var rev uint64
		var value []byte
		if err := rows.Scan(&key, &rev, &value); err != nil {
			return nil, err
		}
		if !fresh[key] {
			gone = append(gone, key)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for _, key := range gone {
		if _, err := tx.ExecContext(ctx, sqlDelete, key); err != nil {
			return nil, err
		}
	}
	return gone, nil
}

// saveMark keeps the mark; of a whole reading only its end, so that one that is broken off begins anew.
func (d *Dir) saveMark(ctx context.Context, tx *sql.Tx, m mark, complete bool) error {
	if !complete {
		m = mark{}
	}
	_, err := tx.ExecContext(ctx, sqlSetMark, m.bucket, m.revision, m.currentMS)
	return err
}

// removed tells whether a message of the bucket says that its key is no more (NATS ADR-8).
func removed(m follow.Message) bool {
	return m.Header.Get("KV-Operation") != "" || m.Header.Get("Nats-Marker-Reason") != ""
}

func (d *Dir) tell(changes []Change) {
	if len(changes) == 0 {
		return
	}
	for _, f := range d.watches {
		f(changes)
	}
}

// move notes the revision and wakes who waits for it. mu is held.
func (d *Dir) move(rev uint64) {
	d.revision = max(d.revision, rev)
	close(d.moved)
	d.moved = make(chan struct{})
}

// set puts a record into memory; nil removes it. mu is held, or nobody else has d yet.
func (d *Dir) set(key string, value []byte, rev uint64) error {
	const op = "dir.set"
	if len(value) > recordMax {
		return fault.Errorf(op, fault.TooLarge, "a record of %d bytes", len(value))
	}
	kind, name := directory.Split(key)
	switch kind {
	case "tenant":
		return d.setTenant(id.ID(name), value, rev)
	case "key":
		return put(d.keys, name, value, func(k directory.Key) (ed25519.PublicKey, bool) {
			return k.Public, len(k.Public) == ed25519.PublicKeySize && token.KID(k.Public) == name
		})
	case "revoked":
		return put(d.revoked, id.ID(name), value, func(r directory.Revoked) (time.Time, bool) { return r.Until, true })
	case "rule":
		return d.setRule(name, value)
	case "region":
		return put(d.regions, name, value, func(r directory.Region) (directory.Region, bool) { return r, r.Name == name })
	}
	return nil // of a newer hub
}

func put[K comparable, R, V any](m map[K]V, key K, value []byte, of func(R) (V, bool)) error {
	if value == nil {
		delete(m, key)
		return nil
	}
	var r R
	if err := json.Unmarshal(value, &r); err != nil {
		return fault.E("dir.put", fault.Invalid, err)
	}
	v, ok := of(r)
	if !ok {
		return fault.E("dir.put", fault.Invalid, errors.New("the record is not what its key says"))
	}
	m[key] = v
	return nil
}

func (d *Dir) setTenant(t id.ID, value []byte, rev uint64) error {
	old := d.tenants[t]
	err := put(d.tenants, t, value, func(r directory.Tenant) (directory.Tenant, bool) { return r, r.ID == t && t.Valid() })
	if err != nil {
		return err
	}
	for _, m := range old.Members {
		delete(d.persons[m.Person], t)
		if len(d.persons[m.Person]) == 0 {
			delete(d.persons, m.Person)
		}
	}
	if d.revs[t] = rev; value == nil {
		delete(d.revs, t)
	}
	for _, m := range d.tenants[t].Members {
		if m.Active {
			if d.persons[m.Person] == nil {
				d.persons[m.Person] = map[id.ID]bool{}
			}
			d.persons[m.Person][t] = true
		}
	}
	return nil
}
