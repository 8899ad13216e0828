package replica

import (
	"context"
	"database/sql"

	"holdfast/sync/change"
	"holdfast/sync/crdt"
	"holdfast/sync/store"
	"holdfast/sync/work"
)

// fold merges a transaction's cells into a row, as store.Merge does.
func fold(row store.Row, t change.Tx) {
	for _, r := range t.Rows {
		if r.Table != row.Table.Name || r.ID != row.ID {
			continue
		}
		birth := work.Creates(r)
		for _, c := range r.Cells {
			i, col := row.Table.Column(c.Col)
			if col == nil {
				continue // of a newer version: the edge judges it
			}
			in := crdt.Cell{Mark: crdt.Mark{Stamp: t.Stamp, Birth: birth}, Val: c.Val}
			if row.Cells[i].Stamp.IsZero() {
				row.Cells[i] = in
			} else {
				row.Cells[i] = col.Join(row.Cells[i], in)
			}
		}
	}
}

// cover remembers what a row is without own changes, if that is not remembered already.
func (r *Replica) cover(ctx context.Context, tx *sql.Tx, k key) error {
	if _, ok := r.shadow[k]; ok {
		return nil
	}
	row, _, err := store.Get(ctx, tx, k.table, k.id)
	if err != nil {
		return err
	}
	return r.setShadow(ctx, tx, k, row)
}

func (r *Replica) setShadow(ctx context.Context, tx *sql.Tx, k key, row store.Row) error {
	r.shadow[k] = row
	_, err := tx.ExecContext(ctx, q("setShadow"), k.table, string(k.id), encodeRow(row))
	return err
}

// show makes the row what it is with all own changes that the log has not brought; a row without any is shown as
// confirmed, and needs no shadow any more.
func (r *Replica) show(ctx context.Context, tx *sql.Tx, k key) error {
	row, ok := r.shadow[k]
	if !ok {
		return nil
	}
	if len(r.byRow[k]) == 0 {
		delete(r.shadow, k)
		if _, err := tx.ExecContext(ctx, q("dropShadow"), k.table, string(k.id)); err != nil {
			return err
		}
		return store.Show(ctx, tx, row)
	}
	row = row.Clone()
	for _, o := range r.byRow[k] {
		fold(row, o.tx)
	}
	return store.Show(ctx, tx, row)
}

// confirm merges transactions of the log into what is confirmed, and shows the rows anew. It is the one place where the log
// and own changes meet: rows with own changes are put back to what is confirmed first, so that the merge and its history
// never see anything else.
func (r *Replica) confirm(ctx context.Context, tx *sql.Tx, txs []change.Tx) error {
	return r.placing(ctx, tx, txs, func() error { return r.merge(ctx, tx, txs) })
}

func (r *Replica) merge(ctx context.Context, tx *sql.Tx, txs []change.Tx) error {
	var covered []key
	seen := map[key]bool{}
	if len(r.shadow) > 0 {
		for _, t := range txs {
			for _, row := range t.Rows {
				k := key{row.Table, row.ID}
				if confirmed, ok := r.shadow[k]; ok && !seen[k] {
					seen[k] = true
					covered = append(covered, k)
					if err := store.Show(ctx, tx, confirmed); err != nil {
						return err
					}
				}
			}
		}
	}
	effect, err := store.Merge(ctx, tx, txs...)
	if err != nil {
		return err
	}
	for _, k := range covered {
		row, found, err := store.Get(ctx, tx, k.table, k.id)
		if err != nil {
			return err
		}
		if !found {
			row = store.NewRow(k.table, k.id)
		}
		if len(r.byRow[k]) == 0 { // no own change is left: the table holds what is confirmed
			delete(r.shadow, k)
			if _, err := tx.ExecContext(ctx, q("dropShadow"), k.table, string(k.id)); err != nil {
				return err
			}
			continue
		}
		if err := r.setShadow(ctx, tx, k, row); err != nil {
			return err
		}
		if err := r.show(ctx, tx, k); err != nil {
			return err
		}
	}
	for _, t := range effect.Rows {
		r.dirty.row(key{t.Table, t.ID}, t.Cols)
	}
	return nil
}

// touched notes the rows of a transaction for the watches.
func (r *Replica) touched(t change.Tx) {
	for _, row := range t.Rows {
		if work.TableOf(row.Table) != nil {
			r.dirty.row(key{row.Table, row.ID}, columns(row))
		}
	}
}
