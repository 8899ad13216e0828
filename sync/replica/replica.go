// Package replica is one device's copy of a workspace: what it shows, what waits to be sent, and how it becomes equal to
// all other copies.
//
// What callers may rely on:
//   - Everything a person does is one SQLite transaction: shown rows, what is under them, the outbox. When Do has returned,
//     it survives the death of the process.
//   - A shown cell is the merge of what is confirmed and of the own changes over it. Confirmed is what the entries of the
//     log up to the cursor make of the row, and nothing else; it is kept beside (table shadow) for every row that has own
//     changes which the log has not brought yet, so that a refusal or another stamp leaves exactly what would be there
//     without the change. The history holds confirmed writes only.
//   - Entries are merged in sequence, per origin, once each.
//   - A change has one number for ever. Numbers are contiguous, a refused one does not block those after it, and nothing
//     is ever dropped without a fate or the person's word.
//
// A Replica is safe for concurrent use; it does one thing at a time.
package replica

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
	"holdfast/sync/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

//go:embed queries.sql
var queries string

var q = sqlite.Named(queries)

// Config is what a replica needs. DB, Tenant and Member must be set.
type Config struct {
	DB     *sql.DB // one connection
	Tenant id.ID
	Member id.ID // the person of this device
	// Durable has changes of this device wait for the disk. DB must have been opened so, too.
	Durable bool
	Now     func() time.Time
	Rand    io.Reader
	// Schedule runs a function soon, once: live queries are answered there. It must not call it before it returns.
	Schedule func(run func())
	// Changed, when set, is told that Counts may give something new.
	Changed func()
	// Mirror may be nil. MirrorFirst makes Do wait for it: the database is in memory only.
	Mirror      Mirror
	MirrorFirst bool
	Log         *slog.Logger
}

// Counts are the numbers of the status line.
type Counts struct {
	Waiting   int   // changes without a known fate
	Attention int   // refused changes
	Behind    bool  // some are not everywhere yet
	OffsetMS  int64 // what the device's clock is off by, when it matters
	Unkept    bool  // the mirror, which is all that would survive this process, does not have everything
}

// Replica is a device's copy. Make it with New.
type Replica struct {
	cfg    Config
	mirror *mirror

	mu      sync.Mutex
	db      *sql.DB
	waits   *bool // whether commits wait for the disk at present, when it was set
	clock   *hlc.Clock
	replica uint64
	floor   hlc.Stamp
	offset  time.Duration
	last    uint64 // the last number used
	cursor  change.Vector
	every   change.Vector // what all regions have

	pending []*own         // without a known fate, in order of number
	sent    []sent         // accepted, but not known to be everywhere, or not come back with the log yet
	byRow   map[key][]*own // of pending and sent, those that the log has not brought
	shadow  map[key]store.Row
	refused []refused
	marks   marks

	dirty   dirty
	watches map[int]*watch
	flush   sync.Mutex // one flush at a time, so that results go out in order
	queued  bool       // a flush is scheduled
}

// key names a row.
type key struct {
	table string
	id    id.ID
}

// own is a change of this replica, as it is shown.
type own struct{ tx change.Tx }

type sent struct {
	num    uint64
	origin string
	seq    uint64
	own    *own
}

type refused struct {
	num    uint64
	kind   fault.Kind
	detail string
	tx     change.Tx
}

// New makes a replica that does nothing until Open.
func New(cfg Config) *Replica {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.Schedule == nil {
		cfg.Schedule = func(run func()) {
			go func() {
				runtime.Gosched() // what waits to be sent goes first
				run()
			}()
		}
	}
	if cfg.Changed == nil {
		cfg.Changed = func() {}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Replica{cfg: cfg, db: cfg.DB, watches: map[int]*watch{}, every: change.Vector{}}
}

// Open brings the schema up to date, makes the replica's identity when the database is new, and reads what waits. The
// database stays the caller's to close.
func (r *Replica) Open(ctx context.Context) error {
	const op = "replica.Open"
	if !r.cfg.Tenant.Valid() || !r.cfg.Member.Valid() {
		return fault.Errorf(op, fault.Invalid, "a workspace and a person must be named")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := migrate(ctx, r.db); err != nil {
		return fault.Wrap(op, err)
	}
	if err := r.identify(ctx); err != nil {
		return fault.Wrap(op, err)
	}
	if err := r.load(ctx); err != nil {
		return fault.Wrap(op, err)
	}
	if r.cfg.Mirror != nil {
		r.mirror = newMirror(r.cfg.Mirror, r.cfg.Log, r.cfg.Changed)
	}
	return nil
}

// Close ends what runs beside. The database is left open.
func (r *Replica) Close() error {
	r.mu.Lock()
	r.watches = map[int]*watch{}
	m := r.mirror
	r.mirror = nil
	r.mu.Unlock()
	if m != nil {
		m.close()
	}
	return nil
}

func migrate(ctx context.Context, db *sql.DB) error {
	if err := store.Migrate(ctx, db); err != nil {
		return err
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fault.E("replica.migrate", fault.Other, err)
	}
	return sqlite.Migrate(ctx, db, files)
}

// identify gives a new database its replica id, and refuses somebody else's database.
func (r *Replica) identify(ctx context.Context) error {
	var member string
	err := r.db.QueryRowContext(ctx, "SELECT member FROM self").Scan(&member)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		var none hlc.Stamp
		return sqlite.Tx(ctx, r.db, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, q("newSelf"), int64(r.newID()), string(r.cfg.Member), none[:], 0)
			return err
		})
	case err != nil:
		return sqlite.Wrap("replica.identify", err)
	case member != string(r.cfg.Member):
		return fault.Errorf("replica.identify", fault.Denied, "This copy of the workspace belongs to somebody else.")
	}
	return nil
}

// newID is a random number with the highest bit set, so that it is never 0 and never one of the small numbers that edges
// put into the stamps of their own changes.
func (r *Replica) newID() uint64 {
	var b [8]byte
	if _, err := io.ReadFull(r.cfg.Rand, b[:]); err != nil {
		panic("replica.newID: no randomness: " + err.Error())
	}
	return binary.BigEndian.Uint64(b[:]) | 1<<63
}

// ID is the replica's number, which is in all its stamps.
func (r *Replica) ID() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.replica
}

// Cursor is what of each origin's log is merged here.
func (r *Replica) Cursor() change.Vector {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cursor.Clone()
}

// Counts are the present numbers.
func (r *Replica) Counts() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	return Counts{Waiting: len(r.pending), Attention: len(r.refused), Behind: len(r.pending)+len(r.sent) > 0,
		OffsetMS: r.offset.Milliseconds(), Unkept: r.cfg.MirrorFirst && r.mirror != nil && r.mirror.owing.Load()}
}

// Loaded tells whether the workspace's rows have come, at least once.
func (r *Replica) Loaded() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.cursor) > 0
}

// unchanged is an error that was found before anything in memory was changed.
type unchanged struct{ error }

// write makes a change of this device: one transaction that, with Config.Durable, is on the disk when it returns.
func (r *Replica) write(ctx context.Context, fn func(*sql.Tx) error) error {
	return r.commit(ctx, true, fn)
}

// follow writes what the region said. It need not wait for the disk: after a power cut the replica is as it was a moment
// before, asks again, and hears the same.
func (r *Replica) follow(ctx context.Context, fn func(*sql.Tx) error) error {
	return r.commit(ctx, false, fn)
}

// commit runs fn in one transaction and, when it fails, brings memory back to what the disk holds. After a commit, watches
// that fn touched are looked at again.
func (r *Replica) commit(ctx context.Context, wait bool, fn func(*sql.Tx) error) error {
	// Once begun, a change is finished: half-way there is nothing to gain.
	ctx = context.WithoutCancel(ctx)
	if r.cfg.Durable && (r.waits == nil || *r.waits != wait) {
		if err := sqlite.Wait(ctx, r.db, wait); err != nil {
			return err
		}
		r.waits = &wait
	}
	err := sqlite.Tx(ctx, r.db, fn)
	if same, ok := errors.AsType[unchanged](err); ok {
		return same.error
	}
	if err != nil {
		r.dirty = dirty{all: true}
		if lerr := r.load(ctx); lerr != nil {
			r.cfg.Log.Error("replica cannot be read", "tenant", r.cfg.Tenant, "err", lerr)
		}
		return err
	}
	r.schedule()
	r.cfg.Changed()
	return nil
}
