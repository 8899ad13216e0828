package billingdb

import (
	"context"
	"database/sql"
	_ "embed" // the statements
	"encoding/json"
	"errors"
	"time"

	"holdfast/server/billing"
	"holdfast/server/hubdb"
	"holdfast/sync/fault"
	"holdfast/sync/sqlite"
)

//go:embed sql/outbox.sql
var outboxSQL string

var outboxQ = hubdb.Parse(outboxSQL)

// States of a delivery.
const (
	Pending = "pending"
	Sent    = "sent"
	Failed  = "failed"  // given up; it may be sent again by hand
	Kept    = "kept"    // there is no mail server to send it with
	Skipped = "skipped" // nothing to send, for the reason that is given
)

// MailLane is the lane of mails; every other lane is an endpoint.
const MailLane = ""

// Delivery is a notice on its way to somebody.
type Delivery struct {
	Seq       int64 // the order in which they were made
	Lane      string
	Account   string
	N         int // the account's notice
	Kind      string
	State     string
	Tries     int
	Due       time.Time // the next try of a pending one
	At        time.Time
	Recipient string
	Reason    string // why the last try failed, or why there was none
	Test      int64  // the notice of a test clock of which it is; 0: of none
}

// Attempt is one try. An empty reason means that it arrived.
type Attempt struct {
	At     time.Time
	Took   time.Duration
	Reason string
}

// notices saves new notices and, in the same transaction, what has to be sent because of them.
func (w *writer) notices(a, old *billing.Account) {
	for i := len(old.Notices); i < len(a.Notices); i++ {
		n := a.Notices[i]
		at := n.At.UnixMilli()
		w.run("add-notice", a.ID, i, at, n.Kind, w.json(n))
		if n.Mail {
			w.exec(outboxQ.Get("queue-mail"), a.ID, i, n.Kind, at)
		}
		w.exec(outboxQ.Get("queue-webhooks"), a.ID, i, n.Kind, at)
	}
}

// Notice reads what a delivery is about.
func (d *DB) Notice(ctx context.Context, v Delivery) (n Told, err error) {
	const op = "billingdb.Notice"
	var doc []byte
	if v.Test == 0 {
		err = d.db.QueryRowContext(ctx, outboxQ.Get("notice"), v.Account, v.N).Scan(&doc)
	} else {
		var clock int64
		err = d.db.QueryRowContext(ctx, outboxQ.Get("test-notice"), v.Test).Scan(&clock, &doc)
		n.Clock = time.UnixMilli(clock)
	}
	if err != nil {
		return n, sqlite.Wrap(op, err)
	}
	n.Account = v.Account
	return n, fault.As(op, fault.Corrupt, json.Unmarshal(doc, &n.Notice))
}

// Lanes lists the lanes in which something is due.
func (d *DB) Lanes(ctx context.Context, now time.Time) ([]string, error) {
	const op = "billingdb.Lanes"
	rows, err := d.db.QueryContext(ctx, outboxQ.Get("lanes"), now.UnixMilli())
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, sqlite.Wrap(op, err)
		}
		out = append(out, s)
	}
	return out, sqlite.Wrap(op, rows.Err())
}

// Next gives what is due in a lane. Mails do not wait for each other; an endpoint gets its events in order, so one that waits for its
// next try holds up what follows it.
func (d *DB) Next(ctx context.Context, lane string, now time.Time) (Delivery, bool, error) {
	name := "next-webhook"
	if lane == MailLane {
		name = "next-mail"
	}
	v, err := scanDelivery(d.db.QueryRowContext(ctx, outboxQ.Get(name), lane, now.UnixMilli()))
	if errors.Is(err, sql.ErrNoRows) {
		return v, false, nil
	}
	return v, err == nil, sqlite.Wrap("billingdb.Next", err)
}

func scanDelivery(row interface{ Scan(...any) error }) (v Delivery, err error) {
	var due, at int64
	err = row.Scan(&v.Seq, &v.Lane, &v.Account, &v.N, &v.Kind, &v.State, &v.Tries, &due, &at, &v.Recipient, &v.Reason, &v.Test)
	v.Due, v.At = time.UnixMilli(due), time.UnixMilli(at)
	return v, err
}

// Compose keeps a mail as it is going to be sent.
func (d *DB) Compose(ctx context.Context, seq int64, letter []byte, recipient string) error {
	_, err := d.db.ExecContext(ctx, outboxQ.Get("compose"), seq, letter, recipient)
	return sqlite.Wrap("billingdb.Compose", err)
}

// Letter reads a mail that was composed; nil: it was not.
func (d *DB) Letter(ctx context.Context, seq int64) (letter []byte, err error) {
	err = d.db.QueryRowContext(ctx, outboxQ.Get("letter"), seq).Scan(&letter)
	return letter, sqlite.Wrap("billingdb.Letter", err)
}

// Settle keeps what became of a delivery, with the attempt that was made, if one was.
func (d *DB) Settle(ctx context.Context, v Delivery, a *Attempt) error {
	return sqlite.Wrap("billingdb.Settle", sqlite.Tx(ctx, d.db, func(tx *sql.Tx) error {
		if a != nil {
			if _, err := tx.ExecContext(ctx, outboxQ.Get("add-attempt"), v.Seq, a.At.UnixMilli(), a.Took.Milliseconds(), a.Reason); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, outboxQ.Get("settle"), v.Seq, v.State, v.Tries, v.Due.UnixMilli(), v.Reason, v.Recipient)
		return err
	}))
}

// Again puts a delivery back in its lane; a mail is composed anew.
func (d *DB) Again(ctx context.Context, seq int64, now time.Time) error {
	_, err := d.db.ExecContext(ctx, outboxQ.Get("again"), seq, now.UnixMilli())
	return sqlite.Wrap("billingdb.Again", err)
}

// Delivery reads one; NotFound if there is none.
func (d *DB) Delivery(ctx context.Context, seq int64) (Delivery, error) {
	v, err := scanDelivery(d.db.QueryRowContext(ctx, outboxQ.Get("delivery"), seq))
	if errors.Is(err, sql.ErrNoRows) {
		return v, fault.Errorf("billingdb.Delivery", fault.NotFound, "There is no delivery %d.", seq)
	}
	return v, sqlite.Wrap("billingdb.Delivery", err)
}

// Deliveries lists a lane, the newest first, below a sequence (0: all) and of one account (empty: all).
func (d *DB) Deliveries(ctx context.Context, lane, account string, below int64, most int) ([]Delivery, error) {
	const op = "billingdb.Deliveries"
	rows, err := d.db.QueryContext(ctx, outboxQ.Get("deliveries"), lane, account, below, most)
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	defer rows.Close()
	out := []Delivery{}
	for rows.Next() {
		v, err := scanDelivery(rows)
		if err != nil {
			return nil, sqlite.Wrap(op, err)
		}
		out = append(out, v)
	}
	return out, sqlite.Wrap(op, rows.Err())
}

// Attempts lists the tries of a delivery, the first one first.
func (d *DB) Attempts(ctx context.Context, seq int64) ([]Attempt, error) {
	const op = "billingdb.Attempts"
	rows, err := d.db.QueryContext(ctx, outboxQ.Get("attempts"), seq)
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	defer rows.Close()
	out := []Attempt{}
	for rows.Next() {
		var at, took int64
		var a Attempt
		if err := rows.Scan(&at, &took, &a.Reason); err != nil {
			return nil, sqlite.Wrap(op, err)
		}
		a.At, a.Took = time.UnixMilli(at), time.Duration(took)*time.Millisecond
		out = append(out, a)
	}
	return out, sqlite.Wrap(op, rows.Err())
}

// Forget removes what was settled before a moment.
func (d *DB) Forget(ctx context.Context, before time.Time) error {
	return sqlite.Wrap("billingdb.Forget", sqlite.Tx(ctx, d.db, func(tx *sql.Tx) error {
		for _, name := range []string{"forget-attempts", "forget-deliveries", "forget-test-notices"} {
			if _, err := tx.ExecContext(ctx, outboxQ.Get(name), before.UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	}))
}
