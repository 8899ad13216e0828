package ingress

import (
	"context"
	"database/sql"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/sqlite"
	"holdfast/sync/store"
	"holdfast/sync/wire"
)

// Export writes what Adopt takes: a snapshot, and beside it where the log begins and the fates that the log does not tell.
func (g *Ingress) Export(ctx context.Context, path string) (change.Vector, error) {
	v, err := g.copy(ctx, path, func(ctx context.Context, c *sql.Conn) error {
		for _, name := range []string{"exportFloors", "exportFates", "exportLatest", "exportTraces"} {
			if _, err := c.ExecContext(ctx, q(name)); err != nil {
				return err
			}
		}
		return nil
	})
	return v, fault.Wrap("ingress.Export", err)
}

// Adopt merges another region's Export into this one, which lacks entries that the other has trimmed. Afterwards each
// origin's log goes on here after the other's floor: what the other still has in its log is to be fetched as always, and
// most of it is merged already, which does no harm. It is how a region goes on after having been away for longer than the
// logs reach back, and how it gets a lost file again, its own log included.
//
// The heads move last, in one transaction with the fates: until then what was merged is only early.
func (g *Ingress) Adopt(ctx context.Context, path string) error {
	const op = "ingress.Adopt"
	db, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return fault.Wrap(op, err)
	}
	defer db.Close()
	if err := store.Migrate(ctx, db); err != nil { // the other region's program may be an older one
		return fault.Wrap(op, err)
	}
	floors, err := readFloors(ctx, db)
	if err != nil {
		return sqlite.Wrap(op, err)
	}
	err = store.Absorb(ctx, db, func(f func(*sql.Tx) error) error {
		g.mu.Lock()
		defer g.mu.Unlock()
		return sqlite.Tx(ctx, g.cfg.DB, f)
	})
	if err != nil {
		return fault.Wrap(op, err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	err = g.write(ctx, func(tx *sql.Tx) error {
		for _, name := range floors.Origins() {
			o, err := g.origin(ctx, tx, name)
			if err != nil {
				return err
			}
			if o.head < floors[name] {
				if err := g.cut(ctx, tx, name, o, floors[name]); err != nil {
					return err
				}
			}
		}
		if err := g.adoptFates(ctx, tx, db); err != nil {
			return err
		}
		if err := adoptStamps(ctx, tx, db); err != nil {
			return err
		}
		if err := g.adoptTraces(ctx, tx, db); err != nil {
			return err
		}
		return g.noteTraced(ctx, tx)
	})
	return sqlite.Wrap(op, err)
}

func readFloors(ctx context.Context, db *sql.DB) (change.Vector, error) {
	return vectorOf(db.QueryContext(ctx, q("floors")))
}

// adoptFates takes over what was accepted elsewhere; what was refused there may be accepted here.
func (g *Ingress) adoptFates(ctx context.Context, tx *sql.Tx, from *sql.DB) error {
	rows, err := from.QueryContext(ctx, q("fates"))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var replica int64
		var num uint64
		var digest, raw []byte
		if err := rows.Scan(&replica, &num, &digest, &raw); err != nil {
			return err
		}
		f, err := wire.DecodeFate(raw)
		if err != nil {
			return err
		}
		var settled bool
		if err := tx.QueryRowContext(ctx, q("settled"), replica, num).Scan(&settled); err != nil {
			return err
		}
		if settled || !f.Accepted {
			continue
		}
		if err := g.keepFate(ctx, tx, uint64(replica), digest, f); err != nil {
			return err
		}
	}
	return rows.Err()
}

func adoptStamps(ctx context.Context, tx *sql.Tx, from *sql.DB) error {
	rows, err := from.QueryContext(ctx, q("latestAll"))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var replica int64
		var stamp []byte
		if err := rows.Scan(&replica, &stamp); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, q("setLatest"), replica, stamp); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Salvage reads, out of a damaged database, where an origin's log ended and what of it follows a sequence without a gap, as
// far as either can still be read. An error tells that the end cannot.
func Salvage(ctx context.Context, db *sql.DB, origin string, after uint64) (head uint64, entries []change.Entry, err error) {
	const op = "ingress.Salvage"
	var number int64
	if err := db.QueryRowContext(ctx, q("headSaved"), origin).Scan(&number, &head); err != nil {
		return 0, nil, sqlite.Wrap(op, err)
	}
	rows, err := db.QueryContext(ctx, q("readLog"), number, after)
	if err != nil {
		return head, nil, nil //nolint:nilerr // the log is what is damaged
	}
	defer rows.Close()
	for rows.Next() {
		e := change.Entry{Origin: origin}
		var raw []byte
		if err := rows.Scan(&e.Seq, &raw); err != nil || e.Seq != after+1 {
			break
		}
		if e.Tx, err = change.Decode(raw); err != nil {
			break
		}
		entries, after = append(entries, e), e.Seq
	}
	return head, entries, nil
}
