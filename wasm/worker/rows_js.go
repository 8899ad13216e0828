//go:build js

package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/replica"
	"holdfast/sync/sqlite"
)

const filePrefix = "replica-"

// diskFirst has commits wait for the disk: "saved on this device" must hold when the power fails. The replica lets those go
// without waiting that only follow the region.
var diskFirst = sqlite.Options{Durable: true}

// rows is the replica and the file that it is in. The file is called replica-<n>; a snapshot becomes replica-<n+1>, and
// the greater number counts once it is whole: until then it has no table of its own from which to tell whose it is, and
// is deleted at the next start.
type rows struct {
	*replica.Replica
	worker *worker
	db     *sql.DB
	n      int
}

func fileName(n int) string { return filePrefix + strconv.Itoa(n) }

// files are the numbers of this workspace's databases, newest first.
func (r *rows) files() ([]int, error) {
	names, err := r.worker.pool.List()
	if err != nil {
		return nil, err
	}
	var ns []int
	for _, name := range names {
		if n, err := strconv.Atoi(strings.TrimPrefix(name, filePrefix)); err == nil && strings.HasPrefix(name, filePrefix) {
			ns = append(ns, n)
		}
	}
	slices.Sort(ns)
	slices.Reverse(ns)
	return ns, nil
}

// open opens the newest whole database, or a new one, and brings back what only the mirror has.
func (r *rows) open(ctx context.Context) error {
	ns, err := r.files()
	if err != nil {
		return err
	}
	for _, n := range ns {
		if r.db != nil { // an older file that the newer one has replaced
			_, err = r.worker.pool.Remove(fileName(n))
		} else {
			err = r.openFile(ctx, n)
		}
		if err != nil {
			return err
		}
	}
	fresh := r.db == nil
	if fresh {
		r.n = 1
		if r.db, err = sqlite.Open(ctx, fileName(r.n), diskFirst); err != nil {
			return err
		}
	}
	r.Replica = replica.New(r.config(r.db))
	if err := r.Open(ctx); err != nil {
		return err
	}
	if r.worker.mirror != nil {
		return r.restore(ctx, fresh)
	}
	return nil
}

func (r *rows) config(db *sql.DB) replica.Config {
	cfg := replica.Config{
		DB: db, Durable: diskFirst.Durable, Tenant: id.ID(r.worker.host.tenant()), Member: id.ID(r.worker.host.person()),
		Now: time.Now, Rand: rand.Reader, Changed: r.worker.changed, Log: r.worker.log,
	}
	if r.worker.mirror != nil {
		cfg.Mirror, cfg.MirrorFirst = r.worker.mirror, !r.worker.pool.Persistent()
	}
	return cfg
}

// openFile opens database n, or deletes it when it is a snapshot that was never installed.
func (r *rows) openFile(ctx context.Context, n int) error {
	db, err := sqlite.Open(ctx, fileName(n), diskFirst)
	if err != nil {
		r.n = n
		return err
	}
	installed, err := replica.Installed(ctx, db)
	if err != nil || installed {
		r.db, r.n = db, n
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	_, err = r.worker.pool.Remove(fileName(n))
	return err
}

// restore puts back what waited or was refused when the database was lost, or what one that is still there has forgotten.
func (r *rows) restore(ctx context.Context, fresh bool) error {
	saved, err := r.worker.mirror.Saved(ctx)
	if err != nil && !fresh { // the database is what counts, and it is here
		r.worker.log.Warn("the second copy of waiting changes cannot be read", "err", err)
		return nil
	}
	if err != nil {
		return err
	}
	if !fresh {
		saved = r.Forgotten(saved)
	}
	n, err := r.Restore(ctx, saved)
	if n > 0 && !fresh {
		r.worker.log.Warn("the database had lost changes that the second copy has", "changes", n)
	}
	return err
}

// Apply also notes that there is something to show now.
func (r *rows) Apply(ctx context.Context, entries []change.Entry) (gap bool, err error) {
	gap, err = r.Replica.Apply(ctx, entries)
	r.worker.setReady()
	return gap, err
}

func (r *rows) counts() replica.Counts {
	if r.Replica == nil {
		return replica.Counts{}
	}
	return r.Counts()
}

// bootstrap fetches the region's snapshot into the next file and goes on from it.
func (r *rows) bootstrap(ctx context.Context) error {
	w, next := r.worker, r.n+1
	url := fmt.Sprintf("%s/sync/%s/snapshot", w.host.origin(), w.host.tenant())
	_, err := w.pool.Import(ctx, fileName(next), url, func(done, total int64) {
		if total > 0 {
			w.setBase(func(s *port.Status) { s.Loading = float64(done) / float64(total) })
		}
	})
	if err != nil {
		return err
	}
	db, err := sqlite.Open(ctx, fileName(next), diskFirst)
	if err != nil {
		return err
	}
	whole := func(context.Context) error { return nil } // Install's own commit is what makes the file count
	if err := r.Install(ctx, db, whole); err != nil {
		return errors.Join(err, db.Close())
	}
	old, oldN := r.db, r.n
	r.db, r.n = db, next
	w.setBase(func(s *port.Status) { s.Loading = 1 })
	w.setReady()
	if err := old.Close(); err != nil {
		return err
	}
	_, err = w.pool.Remove(fileName(oldN))
	return err
}

// discard puts a new database in the place of the present one, with nothing in it but what waits and what was refused.
func (r *rows) discard(ctx context.Context) error {
	var saved replica.Saved
	lost := true
	if r.db != nil {
		saved, lost = replica.Salvage(ctx, r.db)
	}
	if lost && r.worker.mirror != nil {
		kept, err := r.worker.mirror.Saved(ctx)
		if err != nil {
			return err
		}
		saved.Pending, saved.Refused = append(saved.Pending, kept.Pending...), append(saved.Refused, kept.Refused...)
	}
	if r.Replica != nil {
		if err := r.Close(); err != nil {
			return err
		}
	}
	if r.db != nil {
		if err := r.db.Close(); err != nil {
			return err
		}
	}
	db, err := sqlite.Open(ctx, fileName(r.n+1), diskFirst)
	if err != nil {
		return err
	}
	fresh := replica.New(r.config(db))
	err = fresh.Open(ctx)
	if err == nil {
		_, err = fresh.Restore(ctx, saved)
	}
	if err := errors.Join(err, fresh.Close(), db.Close()); err != nil {
		return err
	}
	_, err = r.worker.pool.Remove(fileName(r.n))
	return err
}

// remove deletes every database of this workspace.
func (r *rows) remove(context.Context) error {
	if r.Replica != nil {
		if err := r.Close(); err != nil {
			return err
		}
	}
	if r.db != nil {
		if err := r.db.Close(); err != nil {
			return err
		}
	}
	ns, err := r.files()
	if err != nil {
		return err
	}
	for _, n := range ns {
		if _, err := r.worker.pool.Remove(fileName(n)); err != nil {
			return err
		}
	}
	return nil
}
