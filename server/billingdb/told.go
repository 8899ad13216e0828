package billingdb

import (
	"context"
	"database/sql"
	"encoding/json"
	"strconv"
	"time"

	"holdfast/server/billing"
	"holdfast/sync/fault"
	"holdfast/sync/sqlite"
)

// Told is a notice as others hear of it.
type Told struct {
	billing.Notice
	Account string
	Clock   time.Time // when the test clock began of which it is; zero: it is real
}

// Test tells whether it happened on a test clock.
func (t Told) Test() bool { return !t.Clock.IsZero() }

// Event names it for ever: a mail's Message-ID and a webhook's id are made of it. Each test clock counts its notices from 1.
func (t Told) Event() string {
	n := strconv.Itoa(t.ID)
	if t.Test() {
		return "evt_test_" + t.Account + "_" + strconv.FormatInt(t.Clock.UnixMilli(), 36) + "_" + n
	}
	return "evt_" + t.Account + "_" + n
}

// TellTest takes over what happened on a test clock after the first c.Told notices, with what has to be sent because of it. NotFound: the
// clock was taken away.
func (d *DB) TellTest(ctx context.Context, c TestClock, list []billing.Notice, now time.Time) error {
	const op = "billingdb.TellTest"
	started, at := c.Started.UnixMilli(), now.UnixMilli()
	return sqlite.Wrap(op, sqlite.Tx(ctx, d.db, func(tx *sql.Tx) error {
		for _, n := range list {
			doc, err := json.Marshal(n)
			if err != nil {
				return fault.E(op, fault.Other, err)
			}
			var seq int64
			if err := tx.QueryRowContext(ctx, outboxQ.Get("add-test-notice"), c.Tenant, started, at, n.Kind, doc).Scan(&seq); err != nil {
				return err
			}
			names := []string{"queue-test-webhooks"}
			if n.Mail {
				names = []string{"queue-test-mail", "queue-test-webhooks"}
			}
			for _, name := range names {
				if _, err := tx.ExecContext(ctx, outboxQ.Get(name), c.Tenant, n.ID, n.Kind, at, seq); err != nil {
					return err
				}
			}
		}
		res, err := tx.ExecContext(ctx, outboxQ.Get("told"), c.Tenant, started, c.Told+len(list))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			return err
		}
		return fault.Errorf(op, fault.NotFound, "The test clock was taken away.")
	}))
}
