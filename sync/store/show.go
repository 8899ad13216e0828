package store

import (
	"context"
	"database/sql"

	"holdfast/sync/sqlite"
)

// Show sets a row to exactly r, as Put does, and leaves the history alone: for what is shown over the confirmed row, and
// for taking it away again.
func Show(ctx context.Context, tx *sql.Tx, r Row) error {
	const op = "store.Show"
	l, err := tableOf(op, r.Table.Name)
	if err != nil {
		return err
	}
	if !r.Known() {
		_, err := tx.ExecContext(ctx, l.remove, string(r.ID))
		return sqlite.Wrap(op, err)
	}
	_, err = tx.ExecContext(ctx, l.replace, r.args(nil)...)
	return sqlite.Wrap(op, err)
}
