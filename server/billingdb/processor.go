package billingdb

import (
	"context"
	_ "embed" // the statements
	"encoding/json"
	"time"

	"holdfast/server/billing"
	"holdfast/server/hubdb"
	"holdfast/sync/fault"
	"holdfast/sync/sqlite"
)

//go:embed sql/processor.sql
var processorSQL string

var processorQ = hubdb.Parse(processorSQL)

// AddCall keeps one call to the test processor, made at a moment (whole milliseconds).
func (d *DB) AddCall(ctx context.Context, at time.Time, doc []byte) error {
	_, err := d.db.ExecContext(ctx, processorQ.Get("add-call"), at.UnixMilli(), doc)
	return sqlite.Wrap("billingdb.AddCall", err)
}

// Calls gives every call in the order in which they were made.
func (d *DB) Calls(ctx context.Context, each func(at time.Time, doc []byte) error) error {
	const op = "billingdb.Calls"
	rows, err := d.db.QueryContext(ctx, processorQ.Get("calls"))
	if err != nil {
		return sqlite.Wrap(op, err)
	}
	defer rows.Close()
	for rows.Next() {
		var at int64
		var doc []byte
		if err := rows.Scan(&at, &doc); err != nil {
			return sqlite.Wrap(op, err)
		}
		if err := each(time.UnixMilli(at), doc); err != nil {
			return err
		}
	}
	return sqlite.Wrap(op, rows.Err())
}

// AddDifferences keeps what a day's reconciliation found.
func (d *DB) AddDifferences(ctx context.Context, day string, list []billing.Difference) error {
	for _, x := range list {
		doc, err := json.Marshal(x)
		if err != nil {
			return fault.E("billingdb.AddDifferences", fault.Other, err)
		}
		if _, err := d.db.ExecContext(ctx, processorQ.Get("add-difference"), day, x.Customer, x.What, doc); err != nil {
			return sqlite.Wrap("billingdb.AddDifferences", err)
		}
	}
	return nil
}

// Differences lists what was found since a day, written 2026-11-23, by day.
func (d *DB) Differences(ctx context.Context, since string) (map[string][]billing.Difference, error) {
	const op = "billingdb.Differences"
	rows, err := d.db.QueryContext(ctx, processorQ.Get("differences"), since)
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	defer rows.Close()
	out := map[string][]billing.Difference{}
	for rows.Next() {
		var day string
		var doc []byte
		if err := rows.Scan(&day, &doc); err != nil {
			return nil, sqlite.Wrap(op, err)
		}
		var x billing.Difference
		if err := json.Unmarshal(doc, &x); err != nil {
			return nil, fault.E(op, fault.Corrupt, err)
		}
		out[day] = append(out[day], x)
	}
	return out, sqlite.Wrap(op, rows.Err())
}

// Run is one reconciliation that was made.
type Run struct {
	At                     time.Time
	Customers, Differences int
}

// AddRun notes that a reconciliation was made.
func (d *DB) AddRun(ctx context.Context, r Run) error {
	_, err := d.db.ExecContext(ctx, processorQ.Get("add-run"), r.At.UnixMilli(), r.Customers, r.Differences)
	return sqlite.Wrap("billingdb.AddRun", err)
}

// Runs lists the last reconciliations, the newest first.
func (d *DB) Runs(ctx context.Context, most int) ([]Run, error) {
	const op = "billingdb.Runs"
	rows, err := d.db.QueryContext(ctx, processorQ.Get("runs"), most)
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	defer rows.Close()
	var out []Run
	for rows.Next() {
		var at int64
		var r Run
		if err := rows.Scan(&at, &r.Customers, &r.Differences); err != nil {
			return nil, sqlite.Wrap(op, err)
		}
		r.At = time.UnixMilli(at)
		out = append(out, r)
	}
	return out, sqlite.Wrap(op, rows.Err())
}
