package billingdb

import (
	"context"
	"database/sql"
	_ "embed" // the statements
	"errors"
	"time"

	"holdfast/server/hubdb"
	"holdfast/sync/sqlite"
)

//go:embed sql/reply.sql
var replySQL string

var replyQ = hubdb.Parse(replySQL)

// ReplyTTL is how long a reply is kept for repetitions of its request.
const ReplyTTL = 24 * time.Hour

// Reply is what a request with an idempotency key was answered.
type Reply struct {
	Print  []byte // of the request
	Status int
	Type   string
	Body   []byte
}

// Reply finds what somebody's key was answered with in the last day.
func (d *DB) Reply(ctx context.Context, owner, key string, now time.Time) (r Reply, found bool, err error) {
	err = d.db.QueryRowContext(ctx, replyQ.Get("reply"), owner, key, now.Add(-ReplyTTL).UnixMilli()).Scan(&r.Print, &r.Status, &r.Type, &r.Body)
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	return r, err == nil, sqlite.Wrap("billingdb.Reply", err)
}

// PutReply keeps a reply, and forgets those that are too old.
func (d *DB) PutReply(ctx context.Context, owner, key string, r Reply, now time.Time) error {
	return sqlite.Wrap("billingdb.PutReply", sqlite.Tx(ctx, d.db, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, replyQ.Get("forget-replies"), now.Add(-ReplyTTL).UnixMilli()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, replyQ.Get("put-reply"), owner, key, r.Print, r.Status, r.Type, r.Body, now.UnixMilli())
		return err
	}))
}
