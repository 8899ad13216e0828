package ingress

import (
	"context"
	"database/sql"

	"holdfast/sync/change"
)

// keepTraces writes down what is about to be trimmed of an origin's log although some region may not have compared it with
// its own yet.
func (g *Ingress) keepTraces(ctx context.Context, tx *sql.Tx, name string, o *origin, upto uint64) error {
	after := max(o.floor, g.compared(name))
	if after >= upto {
		return nil
	}
	rows, err := tx.QueryContext(ctx, q("untraced"), o.id, after, upto)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var seq, num uint64
		var replica, atMS int64
		var raw []byte
		if err := rows.Scan(&seq, &replica, &num, &atMS, &raw); err != nil {
			return err
		}
		t, err := change.Decode(raw)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, q("addTrace"), o.id, seq, replica, num, sum(t), atMS); err != nil {
			return err
		}
	}
	return rows.Err()
}

// compared is the sequence up to which nobody will ask about an origin's trimmed entries any more. The own ones are also what
// comes from others is compared with, and who has not seen them may still have accepted the same.
func (g *Ingress) compared(name string) uint64 {
	if name == g.cfg.Region && g.cfg.Regions != nil {
		heads := g.heads()
		for _, region := range g.cfg.Regions() {
			if g.applied[region][region] > heads[region] {
				return 0
			}
		}
	}
	return g.everywhere()[name]
}

// dropTraces forgets what nobody will ask about, and the oldest of what would be too much.
func (g *Ingress) dropTraces(ctx context.Context) error {
	var any bool
	if err := g.cfg.DB.QueryRowContext(ctx, q("hasTraces")).Scan(&any); err != nil || !any {
		return err
	}
	return g.write(ctx, func(tx *sql.Tx) error {
		for name, o := range g.origins {
			upto := g.compared(name)
			if o.floor > tracesMax {
				upto = max(upto, o.floor-tracesMax)
			}
			if _, err := tx.ExecContext(ctx, q("dropTraces"), o.id, upto); err != nil {
				return err
			}
		}
		return nil
	})
}

// adoptTraces takes over what another region has trimmed.
func (g *Ingress) adoptTraces(ctx context.Context, tx *sql.Tx, from *sql.DB) error {
	var there bool // the other region's program may be an older one
	if err := from.QueryRowContext(ctx, q("hasTable"), "trace").Scan(&there); err != nil || !there {
		return err
	}
	rows, err := from.QueryContext(ctx, q("traces"))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var seq, num uint64
		var replica, atMS int64
		var digest []byte
		if err := rows.Scan(&name, &seq, &replica, &num, &digest, &atMS); err != nil {
			return err
		}
		o, err := g.origin(ctx, tx, name)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, q("addTrace"), o.id, seq, replica, num, digest, atMS); err != nil {
			return err
		}
	}
	return rows.Err()
}
