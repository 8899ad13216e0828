package replica

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/sqlite"
	"holdfast/sync/store"
)

// Install makes fresh, the database of an edge's snapshot, this replica's database: its rows and cursor become the base, and
// everything that waits, was refused, or is accepted but not in the snapshot comes over and is shown on it again.
//
// Everything is written to fresh in one transaction; then keep is called, which must durably make fresh the database that the
// next start opens. Until keep has returned nil this replica goes on with the old one, which is left whole: a crash at any
// moment leaves the one or the other. Afterwards the old database is the caller's to close and delete.
func (r *Replica) Install(ctx context.Context, fresh *sql.DB, keep func(ctx context.Context) error) error {
	const op = "replica.Install"
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := migrate(ctx, fresh); err != nil {
		return fault.Wrap(op, err)
	}
	n := &Replica{cfg: r.cfg, db: fresh, cursor: change.Vector{}, every: r.every, shadow: map[key]store.Row{}, byRow: map[key][]*own{}, marks: newMarks()}
	if err := n.loadCursor(ctx); err != nil {
		return sqlite.Wrap(op, err)
	}
	keys := map[uint64]string{}
	err := each(ctx, r.db, func(rows *sql.Rows) error {
		var num uint64
		var key string
		err := rows.Scan(&num, &key)
		keys[num] = key
		return err
	}, q("allDone"))
	if err != nil {
		return sqlite.Wrap(op, err)
	}
	err = sqlite.Tx(ctx, fresh, func(tx *sql.Tx) error {
		var taken int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM self").Scan(&taken); err != nil {
			return err
		}
		if taken > 0 {
			return fault.Errorf(op, fault.Conflict, "the new database is a replica's already")
		}
		return n.inherit(ctx, tx, r, keys)
	})
	if err != nil {
		return sqlite.Wrap(op, err)
	}
	if err := keep(ctx); err != nil {
		return fault.Wrap(op, err)
	}
	r.db, r.waits = fresh, nil
	if err := r.load(ctx); err != nil {
		return fault.Wrap(op, err)
	}
	r.dirty = dirty{all: true}
	r.schedule()
	r.cfg.Changed()
	return nil
}

// Installed tells whether a database is some replica's: not a snapshot that was never installed, or only half, and not a
// new one into which nothing was put yet. Such a one must never take the place of an older one, or of the mirror, from
// which it was about to be filled.
func Installed(ctx context.Context, db *sql.DB) (bool, error) {
	var n int
	err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'self'").Scan(&n)
	if err == nil && n > 0 {
		err = db.QueryRowContext(ctx, q("inUse")).Scan(&n)
	}
	return n > 0, sqlite.Wrap("replica.Installed", err)
}

// inherit takes over what old has beyond the rows.
func (r *Replica) inherit(ctx context.Context, tx *sql.Tx, old *Replica, keys map[uint64]string) error {
	if _, err := tx.ExecContext(ctx, q("newSelf"), int64(old.replica), string(old.cfg.Member), old.floor[:], old.offset.Milliseconds()); err != nil {
		return err
	}
	for num, key := range keys {
		if _, err := tx.ExecContext(ctx, q("addDone"), num, key); err != nil {
			return err
		}
	}
	for _, s := range old.sent {
		if _, err := tx.ExecContext(ctx, q("addSent"), s.num, s.origin, s.seq, s.own.tx.Encode()); err != nil {
			return err
		}
		if s.seq > r.cursor[s.origin] { // not in the snapshot
			r.link(s.own)
			for _, row := range s.own.tx.Rows {
				k := key{row.Table, row.ID}
				if err := r.cover(ctx, tx, k); err != nil {
					return err
				}
				if err := r.show(ctx, tx, k); err != nil {
					return err
				}
			}
		}
	}
	for _, x := range old.refused {
		if _, err := tx.ExecContext(ctx, q("addRefused"), x.num, int(x.kind), x.detail, x.tx.Encode()); err != nil {
			return err
		}
	}
	for _, p := range old.pending {
		if _, err := tx.ExecContext(ctx, q("addOutbox"), p.tx.Num, p.tx.Encode()); err != nil {
			return err
		}
		if err := r.queue(ctx, tx, p.tx); err != nil {
			return err
		}
	}
	return nil
}

// Saved is what of a replica is nowhere else.
type Saved struct {
	Pending []change.Tx
	Refused []Refusal
}

// Refusal is a refused change.
type Refusal struct {
	Tx     change.Tx
	Kind   fault.Kind
	Detail string
}

// Salvage reads what it can of a damaged database: changes that wait and changes that were refused. What cannot be read or
// decoded is left out; lost tells that something was.
func Salvage(ctx context.Context, db *sql.DB) (s Saved, lost bool) {
	err := each(ctx, db, func(rows *sql.Rows) error {
		var num uint64
		var raw []byte
		if err := rows.Scan(&num, &raw); err != nil {
			return err
		}
		if t, err := change.Decode(raw); err == nil && t.Num == num {
			s.Pending = append(s.Pending, t)
		} else {
			lost = true
		}
		return nil
	}, q("outbox"))
	lost = lost || err != nil
	err = each(ctx, db, func(rows *sql.Rows) error {
		var x Refusal
		var num uint64
		var raw []byte
		if err := rows.Scan(&num, &x.Kind, &x.Detail, &raw); err != nil {
			return err
		}
		var err error
		if x.Tx, err = change.Decode(raw); err == nil {
			s.Refused = append(s.Refused, x)
		} else {
			lost = true
		}
		return nil
	}, q("refused"))
	return s, lost || err != nil
}

// Restore puts saved changes into a replica, from Salvage or from a mirror. Into a new replica those that wait go as they
// were, number, stamp and identity, so that an edge which took some of them already knows them again; into one that has a
// past of its own they go under new numbers, at the times at which they were made. Changes that are here already are left
// out. restored is how many came in. The mirror, if there is one, holds them afterwards under the numbers they have now.
func (r *Replica) Restore(ctx context.Context, s Saved) (restored int, err error) {
	const op = "replica.Restore"
	r.mu.Lock()
	defer r.mu.Unlock()
	pending := slices.Clone(s.Pending)
	slices.SortFunc(pending, func(a, b change.Tx) int { return a.Stamp.Compare(b.Stamp) })
	pending = slices.CompactFunc(pending, func(a, b change.Tx) bool { return a.Stamp == b.Stamp })
	pending = slices.DeleteFunc(pending, r.has)
	refusals := r.unknown(s.Refused)
	if len(pending)+len(refusals) == 0 {
		return 0, nil
	}
	err = r.write(ctx, func(tx *sql.Tx) error {
		if r.last == 0 && len(pending) > 0 && contiguous(pending) {
			r.replica = pending[0].Replica()
			r.last = pending[0].Num - 1
		}
		var floor hlc.Stamp
		stamps := map[hlc.Stamp]hlc.Stamp{}
		for _, t := range pending {
			t = rebase(t, stamps)
			if t.Replica() != r.replica || t.Num != r.last+1 {
				was := t.Stamp
				t.Num, t.Stamp = r.last+1, hlc.Make(was.MS(), was.Counter(), r.replica)
				if !floor.Before(t.Stamp) {
					t.Stamp = floor.Next()
				}
				stamps[was] = t.Stamp
			}
			floor = t.Stamp
			t.Actor = r.cfg.Member
			if err := r.enter(ctx, tx, t); err != nil {
				return err
			}
			restored++
		}
		for _, x := range refusals {
			t := x.Tx
			t.Num = r.freeRefusal()
			if _, err := tx.ExecContext(ctx, q("addRefused"), t.Num, int(x.Kind), x.Detail, t.Encode()); err != nil {
				return err
			}
			r.refused = append(r.refused, refused{t.Num, x.Kind, x.Detail, t})
			if err := r.mark(ctx, tx, r.marks.refused, t, +1); err != nil {
				return err
			}
			restored++
		}
		r.dirty.all = true
		_, err := tx.ExecContext(ctx, q("setSelf"), int64(r.replica), r.floor[:], r.offset.Milliseconds())
		return err
	})
	if err != nil {
		return 0, sqlite.Wrap(op, err)
	}
	r.setClock()
	r.remirror(s)
	return restored, nil
}

// unknown leaves out refusals that are here already, or are there twice.
func (r *Replica) unknown(list []Refusal) (out []Refusal) {
	seen := map[hlc.Stamp]bool{}
	for _, x := range r.refused {
		seen[x.tx.Stamp] = true
	}
	for _, x := range list {
		if !seen[x.Tx.Stamp] {
			out = append(out, x)
		}
		seen[x.Tx.Stamp] = true
	}
	return out
}

// freeRefusal is a number for a restored refusal. It is out of the way of those that are pushed, which have no holes.
func (r *Replica) freeRefusal() uint64 {
	n := uint64(restoredFrom)
	for _, x := range r.refused {
		n = max(n, x.num+1)
	}
	return n
}

// has tells whether a change is pending here already.
func (r *Replica) has(t change.Tx) bool {
	return slices.ContainsFunc(r.pending, func(p *own) bool { return p.tx.Stamp == t.Stamp })
}

func contiguous(txs []change.Tx) bool {
	for i, t := range txs {
		if t.Num == 0 || t.Replica() != txs[0].Replica() || t.Num != txs[0].Num+uint64(i) {
			return false
		}
	}
	return true
}

// enter puts a change into the outbox as it is.
func (r *Replica) enter(ctx context.Context, tx *sql.Tx, t change.Tx) error {
	if _, err := tx.ExecContext(ctx, q("addOutbox"), t.Num, t.Encode()); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, q("addDone"), t.Num, fmt.Sprintf("restored/%d", t.Num)); err != nil {
		return err
	}
	r.last = t.Num
	return r.queue(ctx, tx, t)
}
