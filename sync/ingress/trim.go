package ingress

import (
	"context"
	"database/sql"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/sqlite"
	"holdfast/sync/wire"
)

// Bounds says how much of each origin's log is kept. A replica that is further behind starts from a snapshot, a region from
// another region's rows (Adopt).
type Bounds struct {
	Age   time.Duration // of what all regions have
	Bytes int64
	// HoldAge and HoldBytes are for what some region does not have yet, as far as is known here.
	HoldAge   time.Duration
	HoldBytes int64
}

// TrimOld takes what is beyond the bounds out of the log, oldest first, some of it at a time; more tells whether to call
// again. Of the own log nothing after own is taken, which is for entries that somebody here still has to read.
func (g *Ingress) TrimOld(ctx context.Context, b Bounds, own uint64) (more bool, err error) {
	const op = "ingress.TrimOld"
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.dropTraces(ctx); err != nil {
		return false, sqlite.Wrap(op, err)
	}
	now, everywhere := g.cfg.Now(), g.everywhere()
	upto := change.Vector{}
	for name, o := range g.origins {
		seq, full, err := g.old(ctx, o, everywhere[name], b, now)
		if err != nil {
			return false, sqlite.Wrap(op, err)
		}
		if name == g.cfg.Region {
			seq = min(seq, own)
		}
		if seq > o.floor {
			upto[name], more = seq, more || full
		}
	}
	if len(upto) == 0 {
		return false, nil
	}
	return more, fault.Wrap(op, g.trim(ctx, upto))
}

// old is the last of an origin's entries that is beyond the bounds, as far as they are looked at in one go.
func (g *Ingress) old(ctx context.Context, o *origin, everywhere uint64, b Bounds, now time.Time) (seq uint64, full bool, err error) {
	rows, err := g.cfg.DB.QueryContext(ctx, q("oldLog"), o.id, o.floor, trimEntriesMax)
	if err != nil {
		return 0, false, err
	}
	defer rows.Close()
	left, looked := o.bytes, 0
	for rows.Next() {
		var at, bytes int64
		var n uint64
		if err := rows.Scan(&n, &at, &bytes); err != nil {
			return 0, false, err
		}
		age, size := b.Age, b.Bytes
		if n > everywhere {
			age, size = b.HoldAge, b.HoldBytes
		}
		if n == o.head || left <= size && now.Sub(time.UnixMilli(at)) <= age {
			return seq, false, nil
		}
		seq, left = n, left-bytes
		looked++
	}
	return seq, looked == trimEntriesMax, rows.Err()
}

// Trim takes entries up to the given sequences out of the log, but never an origin's last one. What replicas may still ask
// about keeps its fate.
func (g *Ingress) Trim(ctx context.Context, upto change.Vector) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return fault.Wrap("ingress.Trim", g.trim(ctx, upto))
}

func (g *Ingress) trim(ctx context.Context, upto change.Vector) error {
	err := g.write(ctx, func(tx *sql.Tx) error {
		for _, name := range upto.Origins() {
			o := g.origins[name]
			if o == nil || o.head == 0 {
				continue
			}
			if seq := min(upto[name], o.head-1); seq > o.floor {
				if err := g.cut(ctx, tx, name, o, seq); err != nil {
					return err
				}
			}
		}
		_, err := tx.ExecContext(ctx, q("pruneStrangers"), wire.PushTxsMax)
		return err
	})
	return sqlite.Wrap("ingress.trim", err)
}

// cut takes an origin's entries up to seq out of the log and moves its floor there.
func (g *Ingress) cut(ctx context.Context, tx *sql.Tx, name string, o *origin, seq uint64) error {
	if err := g.keepFates(ctx, tx, name, o.id, seq); err != nil {
		return err
	}
	if err := g.keepStamps(ctx, tx, o.id, seq); err != nil {
		return err
	}
	if err := g.keepTraces(ctx, tx, name, o, seq); err != nil {
		return err
	}
	var bytes int64
	if err := tx.QueryRowContext(ctx, q("trimmed"), o.id, seq).Scan(&bytes); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, q("trimLog"), o.id, seq); err != nil {
		return err
	}
	o.floor, o.head, o.bytes = seq, max(o.head, seq), o.bytes-bytes
	_, err := tx.ExecContext(ctx, q("setFloor"), o.head, o.floor, o.bytes, o.id)
	return err
}

// keepFates writes down what the log will no longer tell about replicas. Of one that pushes here it is known what it has
// settled; any other may ask about its last push, which no number before it can be part of.
func (g *Ingress) keepFates(ctx context.Context, tx *sql.Tx, name string, origin int64, upto uint64) error {
	rows, err := tx.QueryContext(ctx, q("unsettled"), origin, upto, wire.PushTxsMax)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var seq uint64
		var raw []byte
		if err := rows.Scan(&seq, &raw); err != nil {
			return err
		}
		t, err := change.Decode(raw)
		if err != nil {
			return err
		}
		f := wire.Fate{Num: t.Num, Accepted: true, Origin: name, Seq: seq, Stamp: t.Stamp}
		if err := g.keepFate(ctx, tx, t.Replica(), sum(t), f); err != nil {
			return err
		}
	}
	return rows.Err()
}

// keepFate writes down that a change was accepted. What this region gave out itself stands.
func (g *Ingress) keepFate(ctx context.Context, tx *sql.Tx, replica uint64, digest []byte, f wire.Fate) error {
	was, known, err := g.kept(ctx, tx, replica, f.Num, digest)
	if err != nil && fault.KindOf(err) != fault.Conflict {
		return err
	}
	if known && was.Accepted && f.Origin != g.cfg.Region {
		return nil
	}
	_, err = tx.ExecContext(ctx, q("addFate"), int64(replica), f.Num, digest, wire.EncodeFate(f))
	return err
}

// keepStamps writes down the latest stamp of each replica in what is trimmed.
func (g *Ingress) keepStamps(ctx context.Context, tx *sql.Tx, origin int64, upto uint64) error {
	rows, err := tx.QueryContext(ctx, q("newest"), origin, upto)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var replica, num int64
		var raw []byte
		if err := rows.Scan(&replica, &num, &raw); err != nil {
			return err
		}
		t, err := change.Decode(raw)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, q("setLatest"), replica, t.Stamp[:]); err != nil {
			return err
		}
	}
	return rows.Err()
}
