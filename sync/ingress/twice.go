package ingress

import (
	"bytes"
	"context"
	"database/sql"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/sqlite"
)

// Twice is an entry of the own log whose change a region with a smaller name accepted too, because neither had seen the
// other's log. Of all regions that logged a change, the one with the smallest name has no such entry.
type Twice struct {
	Seq uint64
	At  time.Time // of the own entry's commit
}

// noteTwice finds what entries that an origin's log has grown by tell about, in the transaction that logs them.
func (g *Ingress) noteTwice(ctx context.Context, tx *sql.Tx, name string, o *origin, from uint64) error {
	own := g.origins[g.cfg.Region]
	if own == nil || name > g.cfg.Region {
		return nil
	}
	query := "alsoMine"
	if o == own {
		query = "alsoTheirs"
	}
	return g.note(ctx, tx, q(query), own.id, o.id, from, o.head)
}

// noteTraced does the same for all that was trimmed, here or where rows were taken from, before this region had it.
func (g *Ingress) noteTraced(ctx context.Context, tx *sql.Tx) error {
	own := g.origins[g.cfg.Region]
	if own == nil {
		return nil
	}
	return g.note(ctx, tx, q("alsoTraced"), own.id)
}

// note reads pairs of an own entry and another region's under one number. Of each the transaction is there, or its sum.
func (g *Ingress) note(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	at := map[uint64]int64{}
	for rows.Next() {
		var seq uint64
		var atMS int64
		var mine, mineSum, other, otherSum []byte
		if err := rows.Scan(&seq, &atMS, &mine, &mineSum, &other, &otherSum); err != nil {
			return err
		}
		x, err := sumOf(mine, mineSum)
		if err != nil {
			return err
		}
		y, err := sumOf(other, otherSum)
		if err != nil {
			return err
		}
		if bytes.Equal(x, y) { // a device restored from an old backup gives a number to two changes
			at[seq] = atMS
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for seq, atMS := range at {
		if _, err := tx.ExecContext(ctx, q("addTwice"), seq, atMS); err != nil {
			return err
		}
		g.twice[seq] = true
	}
	return nil
}

func sumOf(raw, known []byte) ([]byte, error) {
	if known != nil {
		return known, nil
	}
	t, err := change.Decode(raw)
	return sum(t), err
}

// Twice gives what Forget was not told of yet. After a lost file was made again entries may come again.
func (g *Ingress) Twice(ctx context.Context) (list []Twice, err error) {
	const op = "ingress.Twice"
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.twice) == 0 {
		return nil, nil
	}
	list, err = readTwice(ctx, g.cfg.DB)
	return list, sqlite.Wrap(op, err)
}

func readTwice(ctx context.Context, db *sql.DB) (list []Twice, err error) {
	rows, err := db.QueryContext(ctx, q("twice"))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var t Twice
		var atMS int64
		if err := rows.Scan(&t.Seq, &atMS); err != nil {
			return nil, err
		}
		t.At = time.UnixMilli(atMS)
		list = append(list, t)
	}
	return list, rows.Err()
}

// Forget drops what was noted elsewhere.
func (g *Ingress) Forget(ctx context.Context, list []Twice) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	err := g.write(ctx, func(tx *sql.Tx) error {
		for _, t := range list {
			if _, err := tx.ExecContext(ctx, q("dropTwice"), t.Seq); err != nil {
				return err
			}
			delete(g.twice, t.Seq)
		}
		return nil
	})
	return sqlite.Wrap("ingress.Forget", err)
}
