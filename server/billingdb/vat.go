package billingdb

import (
	"context"
	_ "embed" // the statements
	"time"

	"holdfast/server/hubdb"
	"holdfast/sync/sqlite"
)

//go:embed sql/vat.sql
var vatSQL string

var vatQ = hubdb.Parse(vatSQL)

// VATCheck is when a VAT number is asked about next.
type VATCheck struct {
	Number string
	Due    time.Time
	Tries  int // that got no answer, in a row
}

// VATChecks reads them all, by account.
func (d *DB) VATChecks(ctx context.Context) (map[string]VATCheck, error) {
	const op = "billingdb.VATChecks"
	rows, err := d.db.QueryContext(ctx, vatQ.Get("vat-checks"))
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	defer rows.Close()
	out := map[string]VATCheck{}
	for rows.Next() {
		var account string
		var c VATCheck
		var due int64
		if err := rows.Scan(&account, &c.Number, &due, &c.Tries); err != nil {
			return nil, sqlite.Wrap(op, err)
		}
		c.Due = time.UnixMilli(due)
		out[account] = c
	}
	return out, sqlite.Wrap(op, rows.Err())
}

// PutVATCheck keeps one.
func (d *DB) PutVATCheck(ctx context.Context, account string, c VATCheck) error {
	_, err := d.db.ExecContext(ctx, vatQ.Get("put-vat-check"), account, c.Number, c.Due.UnixMilli(), c.Tries)
	return sqlite.Wrap("billingdb.PutVATCheck", err)
}
