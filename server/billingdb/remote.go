package billingdb

import (
	"context"
	"database/sql"
	_ "embed" // the statements
	"encoding/json"
	"errors"
	"time"

	"holdfast/server/hubdb"
	"holdfast/server/payment"
	"holdfast/sync/fault"
	"holdfast/sync/sqlite"
)

//go:embed sql/remote.sql
var remoteSQL string

var remoteQ = hubdb.Parse(remoteSQL)

// States of a job, besides Pending.
const (
	Undecided = "open" // the processor was asked and has not decided
	Done      = "done"
)

// Job is something that a processor elsewhere is asked.
type Job struct {
	Key     string // names it for ever; also the key under which the processor is asked
	Account string
	Kind    string
	Doc     []byte
	State   string
	Remote  string // the processor's own id
	Tries   int
	Made    time.Time
	Due     time.Time
}

// AddJob keeps a job, unless it is there already.
func (d *DB) AddJob(ctx context.Context, j Job) error {
	_, err := d.db.ExecContext(ctx, remoteQ.Get("add-job"), j.Key, j.Account, j.Kind, j.Doc, j.State, j.Remote, j.Made.UnixMilli(), j.Due.UnixMilli())
	return sqlite.Wrap("billingdb.AddJob", err)
}

// DueJobs lists what is to be asked or looked at now.
func (d *DB) DueJobs(ctx context.Context, now time.Time, most int) ([]Job, error) {
	const op = "billingdb.DueJobs"
	rows, err := d.db.QueryContext(ctx, remoteQ.Get("due-jobs"), now.UnixMilli(), most)
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	defer rows.Close()
	var out []Job
	for rows.Next() {
		j, err := scanJob(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, j)
	}
	return out, sqlite.Wrap(op, rows.Err())
}

func scanJob(row interface{ Scan(...any) error }) (j Job, err error) {
	var made, due int64
	err = row.Scan(&j.Key, &j.Account, &j.Kind, &j.Doc, &j.State, &j.Remote, &j.Tries, &made, &due)
	if errors.Is(err, sql.ErrNoRows) {
		return j, fault.Errorf("billingdb.Job", fault.NotFound, "The processor was not asked that.")
	}
	j.Made, j.Due = time.UnixMilli(made), time.UnixMilli(due)
	return j, sqlite.Wrap("billingdb.Job", err)
}

// Job reads one by its key; NotFound if there is none.
func (d *DB) Job(ctx context.Context, key string) (Job, error) {
	return scanJob(d.db.QueryRowContext(ctx, remoteQ.Get("job"), key))
}

// JobOf reads one by the processor's id; NotFound if there is none.
func (d *DB) JobOf(ctx context.Context, remote string) (Job, error) {
	return scanJob(d.db.QueryRowContext(ctx, remoteQ.Get("job-of"), remote))
}

// PutJob keeps how a job stands, with what has to be told because of it.
func (d *DB) PutJob(ctx context.Context, j Job, e *payment.Event) error {
	return sqlite.Wrap("billingdb.PutJob", sqlite.Tx(ctx, d.db, func(tx *sql.Tx) error {
		if e != nil {
			if err := addEvent(ctx, tx, *e); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, remoteQ.Get("put-job"), j.Key, j.State, j.Remote, j.Tries, j.Due.UnixMilli())
		return err
	}))
}

type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func addEvent(ctx context.Context, db execer, e payment.Event) error {
	doc, err := json.Marshal(e)
	if err != nil {
		return fault.E("billingdb.addEvent", fault.Other, err)
	}
	_, err = db.ExecContext(ctx, remoteQ.Get("add-remote-event"), e.ID, e.At.UnixMilli(), doc)
	return err
}

// Hurry has the open jobs of an account looked at now, but for those that are due only after a moment: they were looked at just now.
func (d *DB) Hurry(ctx context.Context, account string, now, until time.Time) error {
	_, err := d.db.ExecContext(ctx, remoteQ.Get("hurry"), account, now.UnixMilli(), until.UnixMilli())
	return sqlite.Wrap("billingdb.Hurry", err)
}

// HurryOf has the open job with the processor's id looked at now.
func (d *DB) HurryOf(ctx context.Context, remote string, now time.Time) error {
	_, err := d.db.ExecContext(ctx, remoteQ.Get("hurry-remote"), remote, now.UnixMilli())
	return sqlite.Wrap("billingdb.HurryOf", err)
}

// Waiting counts an account's jobs that are about to be asked for the first time or looked at.
func (d *DB) Waiting(ctx context.Context, account string, now time.Time) (n int, err error) {
	err = d.db.QueryRowContext(ctx, remoteQ.Get("waiting"), account, now.UnixMilli()).Scan(&n)
	return n, sqlite.Wrap("billingdb.Waiting", err)
}

// AddEvent keeps what a processor told, until it is dropped. Told again, it is kept once.
func (d *DB) AddEvent(ctx context.Context, e payment.Event) error {
	return sqlite.Wrap("billingdb.AddEvent", addEvent(ctx, d.db, e))
}

// Events lists what was told and not dropped, the oldest first.
func (d *DB) Events(ctx context.Context, most int) ([]payment.Event, error) {
	const op = "billingdb.Events"
	rows, err := d.db.QueryContext(ctx, remoteQ.Get("remote-events"), most)
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	defer rows.Close()
	var out []payment.Event
	for rows.Next() {
		var doc []byte
		if err := rows.Scan(&doc); err != nil {
			return nil, sqlite.Wrap(op, err)
		}
		var e payment.Event
		if err := json.Unmarshal(doc, &e); err != nil {
			return nil, fault.E(op, fault.Corrupt, err)
		}
		out = append(out, e)
	}
	return out, sqlite.Wrap(op, rows.Err())
}

// DropEvent removes an event that was taken in.
func (d *DB) DropEvent(ctx context.Context, id string) error {
	_, err := d.db.ExecContext(ctx, remoteQ.Get("drop-remote-event"), id)
	return sqlite.Wrap("billingdb.DropEvent", err)
}

// RemoteCustomer is the processor's name for an account's customer; empty: it has none yet.
func (d *DB) RemoteCustomer(ctx context.Context, account string) (remote string, err error) {
	err = d.db.QueryRowContext(ctx, remoteQ.Get("remote-customer"), account).Scan(&remote)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return remote, sqlite.Wrap("billingdb.RemoteCustomer", err)
}

// PutRemoteCustomer keeps it.
func (d *DB) PutRemoteCustomer(ctx context.Context, account, remote string) error {
	_, err := d.db.ExecContext(ctx, remoteQ.Get("put-remote-customer"), account, remote)
	return sqlite.Wrap("billingdb.PutRemoteCustomer", err)
}
