package ingress

import (
	"context"
	"database/sql"

	"holdfast/sync/sqlite"
	"holdfast/sync/wire"
)

// Refusal is an answer that no log tells, and that its replica may ask for again.
type Refusal struct {
	Replica uint64
	Sum     []byte // of what was pushed
	Fate    wire.Fate
}

// Refuse brings refusals into a file that may have lost them: made again from logs, or put back from an older copy. What was
// accepted anywhere stays accepted.
func (g *Ingress) Refuse(ctx context.Context, list []Refusal) error {
	if len(list) == 0 {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	err := g.write(ctx, func(tx *sql.Tx) error {
		for _, r := range list {
			var settled bool
			if err := tx.QueryRowContext(ctx, q("settled"), int64(r.Replica), r.Fate.Num).Scan(&settled); err != nil {
				return err
			}
			if settled {
				continue
			}
			if _, err := tx.ExecContext(ctx, q("addFateOnce"), int64(r.Replica), r.Fate.Num, r.Sum, wire.EncodeFate(r.Fate)); err != nil {
				return err
			}
		}
		return nil
	})
	return sqlite.Wrap("ingress.Refuse", err)
}
