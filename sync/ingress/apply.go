package ingress

import (
	"context"
	"database/sql"
	"slices"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/sqlite"
	"holdfast/sync/store"
)

// Applied is what became of entries from other regions.
type Applied struct {
	Entries []change.Entry // merged now, each origin's in sequence: for the feed
	Missing []Range        // what must come first, from the origin or whoever has it
}

// Range is a part of an origin's log, both ends included.
type Range struct {
	Origin   string
	From, To uint64
}

// ApplyRemote merges entries that other regions accepted, in one transaction. Those merged before are skipped, those after
// a hole are not merged and the hole is reported. Entries of the own origin are taken too when they continue it: that is
// how a region restored from an older copy gets its lost tail back, before it accepts anything itself.
func (g *Ingress) ApplyRemote(ctx context.Context, entries []change.Entry) (a Applied, err error) {
	const op = "ingress.ApplyRemote"
	if len(entries) == 0 {
		return a, nil
	}
	entries = slices.Clone(entries)
	slices.SortStableFunc(entries, func(x, y change.Entry) int {
		switch {
		case x.Seq < y.Seq:
			return -1
		case x.Seq > y.Seq:
			return 1
		}
		return 0
	})
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.cfg.Now()
	err = g.write(ctx, func(tx *sql.Tx) error {
		moved := map[string]uint64{} // by origin, the first sequence that is new
		var txs []change.Tx
		for _, e := range entries {
			o, err := g.origin(ctx, tx, e.Origin)
			if err != nil {
				return err
			}
			switch {
			case e.Seq <= o.head:
				continue
			case e.Seq > o.head+1:
				a.hole(e.Origin, o.head+1, e.Seq-1)
				continue
			}
			if err := g.log(ctx, tx, o, e, now); err != nil {
				return err
			}
			if moved[e.Origin] == 0 {
				moved[e.Origin] = e.Seq
			}
			a.Entries, txs = append(a.Entries, e), append(txs, e.Tx)
		}
		if _, err := store.Merge(ctx, tx, txs...); err != nil {
			return err
		}
		for name, from := range moved {
			o := g.origins[name]
			if err := g.noteTwice(ctx, tx, name, o, from); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, q("setHead"), o.head, o.bytes, o.id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Applied{}, sqlite.Wrap(op, err)
	}
	return a, nil
}

// hole notes that an origin's sequences are missing; one range an origin is enough, the rest shows when it is closed.
func (a *Applied) hole(origin string, from, to uint64) {
	for _, r := range a.Missing {
		if r.Origin == origin {
			return
		}
	}
	a.Missing = append(a.Missing, Range{origin, from, to})
}

// System commits changes that the edge makes itself, such as people from the hub's directory. Each must carry the stamp
// and actor it shall have: every region that projects the same record must give the same, so that the merge sees one
// write. What brings nothing new is left out of the log.
func (g *Ingress) System(ctx context.Context, txs ...change.Tx) (done []change.Entry, err error) {
	const op = "ingress.System"
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.cfg.Now()
	err = g.write(ctx, func(tx *sql.Tx) error {
		done = nil
		own, err := g.origin(ctx, tx, g.cfg.Region)
		if err != nil {
			return err
		}
		s := newSeen(ctx, tx)
		head := own.head
		for _, t := range txs {
			if t.Stamp.IsZero() || len(t.Encode()) > change.TxBytesMax {
				return fault.Errorf(op, fault.Invalid, "a change without a stamp, or too large")
			}
			t.Num = 0
			fresh, err := s.fresh(t)
			if err != nil {
				return err
			}
			if !fresh {
				continue
			}
			if _, err := store.Merge(ctx, tx, t); err != nil {
				return err
			}
			if err := s.fold(t); err != nil {
				return err
			}
			e := change.Entry{Origin: g.cfg.Region, Seq: own.head + 1, Tx: t}
			if err := g.log(ctx, tx, own, e, now); err != nil {
				return err
			}
			done = append(done, e)
		}
		if own.head == head {
			return nil
		}
		_, err = tx.ExecContext(ctx, q("setHead"), own.head, own.bytes, own.id)
		return err
	})
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	return done, nil
}

// Made gives the sequences of the own log, later than after and up to upto, of what System committed: nobody pushed it.
func (g *Ingress) Made(ctx context.Context, after, upto uint64) (seqs []uint64, err error) {
	const op = "ingress.Made"
	g.mu.Lock()
	defer g.mu.Unlock()
	o := g.origins[g.cfg.Region]
	if o == nil {
		return nil, nil
	}
	rows, err := g.cfg.DB.QueryContext(ctx, q("made"), o.id, after, upto)
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	defer rows.Close()
	for rows.Next() {
		var seq uint64
		if err := rows.Scan(&seq); err != nil {
			return nil, sqlite.Wrap(op, err)
		}
		seqs = append(seqs, seq)
	}
	return seqs, sqlite.Wrap(op, rows.Err())
}

// fresh tells whether a change writes any cell later than it was written.
func (s *seen) fresh(t change.Tx) (bool, error) {
	for _, r := range t.Rows {
		row, ok, err := s.get(r.Table, r.ID)
		if err != nil {
			return false, err
		}
		for _, c := range r.Cells {
			var was hlc.Stamp
			if ok {
				was = row.Cell(c.Col).Stamp
			}
			if was.Before(t.Stamp) {
				return true, nil
			}
		}
	}
	return false, nil
}
