package stream

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
	"holdfast/sync/wire"
)

//go:embed queries.sql
var queries string

var q = sqlite.Named(queries)

// journal is what the region remembers of its own streams and the others': in memory, and a little later in node.db. What
// node.db does not have yet after a crash is read again from streams and files, which costs time and harms nothing.
type journal struct {
	db *sql.DB
	// count gives what belongs into the transaction that writes an own head; may be nil.
	count func(ctx context.Context, t id.ID, seq uint64) (func(*sql.Tx) error, error)

	left    map[id.ID]bool // workspaces whose publication may have been cut short by the end of the run before
	crashed map[id.ID]bool // those of them whose head may be behind their file
	started atomic.Bool    // something was committed in this run

	mu       sync.Mutex
	marks    map[markKey]mark
	heads    map[string]map[id.ID]uint64 // origin → workspace → last sequence in the file
	newMarks map[markKey]bool
	newHeads map[headKey]bool
}

type markKey struct {
	region string
	shard  int
}

type mark struct {
	stream int64 // when the region made the stream, Unix nanoseconds
	seq    uint64
}

type headKey struct {
	origin string
	tenant id.ID
}

func newJournal(db *sql.DB) *journal {
	return &journal{db: db, left: map[id.ID]bool{}, crashed: map[id.ID]bool{}, marks: map[markKey]mark{}, heads: map[string]map[id.ID]uint64{},
		newMarks: map[markKey]bool{}, newHeads: map[headKey]bool{}}
}

func (j *journal) load(ctx context.Context) error {
	const op = "stream.load"
	err := each(ctx, j.db, q("marks"), func(scan func(...any) error) error {
		var k markKey
		var m mark
		err := scan(&k.region, &k.shard, &m.stream, &m.seq)
		j.marks[k] = m
		return err
	})
	if err != nil {
		return sqlite.Wrap(op, err)
	}
	err = each(ctx, j.db, q("heads"), func(scan func(...any) error) error {
		var origin string
		var t id.ID
		var seq uint64
		err := scan(&origin, &t, &seq)
		j.put(origin, t, seq)
		return err
	})
	if err != nil {
		return sqlite.Wrap(op, err)
	}
	return fault.Wrap(op, j.loadLeft(ctx))
}

// loadLeft reads what the run before left to do.
func (j *journal) loadLeft(ctx context.Context) error {
	const op = "stream.loadLeft"
	err := each(ctx, j.db, q("dirty"), func(scan func(...any) error) error {
		var t id.ID
		err := scan(&t)
		j.left[t] = true
		return err
	})
	if err != nil {
		return sqlite.Wrap(op, err)
	}
	var inOrder bool
	if err := j.db.QueryRowContext(ctx, q("isStopped")).Scan(&inOrder); err != nil || inOrder {
		return sqlite.Wrap(op, err)
	}
	for t := range j.left {
		j.crashed[t] = true
	}
	return nil
}

// close writes what is new and notes that all of it is written.
func (j *journal) close(ctx context.Context, own string) error {
	if err := j.flush(ctx, own); err != nil {
		return err
	}
	_, err := j.db.ExecContext(ctx, q("setStopped"))
	return sqlite.Wrap("stream.close", err)
}

func each(ctx context.Context, db *sql.DB, query string, f func(scan func(...any) error) error) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// setDirty is durable when it returns.
func (j *journal) setDirty(ctx context.Context, t id.ID) error {
	if !j.started.Load() { // what comes now may not be in node.db at the end
		if _, err := j.db.ExecContext(ctx, q("takeStopped")); err != nil {
			return sqlite.Wrap("stream.setDirty", err)
		}
		j.started.Store(true)
	}
	_, err := j.db.ExecContext(ctx, q("addDirty"), t)
	return sqlite.Wrap("stream.setDirty", err)
}

func (j *journal) setClean(ctx context.Context, t id.ID) error {
	_, err := j.db.ExecContext(ctx, q("delDirty"), t)
	return sqlite.Wrap("stream.setClean", err)
}

func (j *journal) mark(k markKey) mark {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.marks[k]
}

func (j *journal) setMark(k markKey, m mark) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.marks[k] = m
	j.newMarks[k] = true
}

func (j *journal) head(origin string, t id.ID) uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.heads[origin][t]
}

// setHeads notes a workspace's vector and tells whether anything in it was news.
func (j *journal) setHeads(t id.ID, v change.Vector) (news bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for origin, seq := range v {
		if j.heads[origin][t] < seq {
			j.put(origin, t, seq)
			j.newHeads[headKey{origin, t}] = true
			news = true
		}
	}
	return news
}

// put is called with mu held, or before anybody else has j.
// lower takes back what a workspace's file has, because it has less.
func (j *journal) lower(origin string, t id.ID, seq uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.put(origin, t, seq)
	j.newHeads[headKey{origin, t}] = true
}

func (j *journal) put(origin string, t id.ID, seq uint64) {
	if j.heads[origin] == nil {
		j.heads[origin] = map[id.ID]uint64{}
	}
	j.heads[origin][t] = seq
}

// inShard are the workspaces of a shard of which anything is known.
func (j *journal) inShard(shard int) map[id.ID]bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := map[id.ID]bool{}
	for _, heads := range j.heads {
		for t := range heads {
			if wire.Shard(t) == shard {
				out[t] = true
			}
		}
	}
	return out
}

// page gives heads of one origin and shard, of workspaces after one in ascending order.
func (j *journal) page(origin string, shard int, after id.ID) headsReply {
	j.mu.Lock()
	defer j.mu.Unlock()
	var list []id.ID
	for t := range j.heads[origin] {
		if t > after && wire.Shard(t) == shard {
			list = append(list, t)
		}
	}
	slices.Sort(list)
	r := headsReply{Heads: map[id.ID]uint64{}, More: len(list) > headsPage}
	for _, t := range list[:min(len(list), headsPage)] {
		r.Heads[t] = j.heads[origin][t]
	}
	return r
}

// flush writes what is new to node.db.
func (j *journal) flush(ctx context.Context, own string) error {
	j.mu.Lock()
	marks, heads := map[markKey]mark{}, map[headKey]uint64{}
	for k := range j.newMarks {
		marks[k] = j.marks[k]
	}
	for k := range j.newHeads {
		heads[k] = j.heads[k.origin][k.tenant]
	}
	j.mu.Unlock()
	counts, left := j.counts(ctx, own, heads)
	if len(marks)+len(heads) == 0 {
		return left
	}
	err := sqlite.Tx(ctx, j.db, func(tx *sql.Tx) error {
		for k, m := range marks {
			if _, err := tx.ExecContext(ctx, q("setMark"), k.region, k.shard, m.stream, m.seq); err != nil {
				return err
			}
		}
		for k, seq := range heads {
			if _, err := tx.ExecContext(ctx, q("setHead"), k.origin, k.tenant, seq); err != nil {
				return err
			}
		}
		for _, write := range counts {
			if err := write(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fault.Wrap("stream.flush", sqlite.Wrap("stream.flush", err))
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for k, m := range marks {
		if j.marks[k] == m {
			delete(j.newMarks, k)
		}
	}
	for k, seq := range heads {
		if j.heads[k.origin][k.tenant] == seq {
			delete(j.newHeads, k)
		}
	}
	return left
}

// counts asks how the own heads are counted, before the transaction: a workspace may have to be opened for it, which
// writes to node.db too. Those that cannot be counted now are taken out of heads, and err tells why.
func (j *journal) counts(ctx context.Context, own string, heads map[headKey]uint64) (writes []func(*sql.Tx) error, err error) {
	if j.count == nil {
		return nil, nil
	}
	for k, seq := range heads {
		if k.origin != own {
			continue
		}
		write, cerr := j.count(ctx, k.tenant, seq)
		if cerr != nil {
			delete(heads, k)
			err = errors.Join(err, fault.Wrap("stream.counts", cerr))
			continue
		}
		writes = append(writes, write)
	}
	return writes, err
}

// flushed tells whether node.db has the head of a workspace's own log at seq.
func (j *journal) flushed(own string, t id.ID, seq uint64) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.heads[own][t] == seq && !j.newHeads[headKey{own, t}]
}
