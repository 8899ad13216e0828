package billingdb

import (
	"context"
	_ "embed" // the statements
	"time"

	"holdfast/server/hubdb"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
)

//go:embed sql/testclock.sql
var testClockSQL string

var testClockQ = hubdb.Parse(testClockSQL)

// TestClock is where a workspace's test clock stands.
type TestClock struct {
	Tenant  id.ID     `json:"tenant"`
	Started time.Time `json:"started"` // on the hub's clock
	At      time.Time `json:"at"`
	Told    int       `json:"-"` // so many of its notices are on their way
}

// PutTestClock gives a workspace a test clock, or moves the one it has. Moments are whole milliseconds.
func (d *DB) PutTestClock(ctx context.Context, c TestClock) error {
	_, err := d.db.ExecContext(ctx, testClockQ.Get("put"), c.Tenant, c.Started.UnixMilli(), c.At.UnixMilli())
	return sqlite.Wrap("billingdb.PutTestClock", err)
}

// DropTestClock takes a workspace's test clock away.
func (d *DB) DropTestClock(ctx context.Context, tenant id.ID) error {
	_, err := d.db.ExecContext(ctx, testClockQ.Get("drop"), tenant)
	return sqlite.Wrap("billingdb.DropTestClock", err)
}

// TestClocks lists them, the oldest first.
func (d *DB) TestClocks(ctx context.Context) ([]TestClock, error) {
	const op = "billingdb.TestClocks"
	rows, err := d.db.QueryContext(ctx, testClockQ.Get("all"))
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	defer rows.Close()
	var out []TestClock
	for rows.Next() {
		var c TestClock
		var started, at int64
		if err := rows.Scan(&c.Tenant, &started, &at, &c.Told); err != nil {
			return nil, sqlite.Wrap(op, err)
		}
		c.Started, c.At = time.UnixMilli(started).UTC(), time.UnixMilli(at).UTC()
		out = append(out, c)
	}
	return out, sqlite.Wrap(op, rows.Err())
}
