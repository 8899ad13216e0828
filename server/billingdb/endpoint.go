package billingdb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"holdfast/sync/fault"
	"holdfast/sync/sqlite"
)

// States of an endpoint.
const (
	On  = "active"
	Off = "off"
)

// Endpoint is an address that wants to hear of what happens.
type Endpoint struct {
	ID      string    `json:"id"`
	Owner   string    `json:"owner"` // a workspace; empty: the operator's, which hears of all workspaces
	URL     string    `json:"url"`
	Note    string    `json:"note,omitempty"`
	Events  []string  `json:"events,omitempty"` // empty: all kinds
	Tests   bool      `json:"tests,omitempty"`  // the operator's: it hears of test clocks too; a workspace's always does
	State   string    `json:"state"`
	Reason  string    `json:"reason,omitempty"` // why it is off
	Created time.Time `json:"created"`
	Secrets []Secret  `json:"secrets"` // the newest first
}

// Secret signs what is sent. A replaced one goes on signing beside the new one for a while.
type Secret struct {
	Value string    `json:"value"` // whsec_…
	Until time.Time `json:"until,omitzero"`
}

// PutEndpoint adds or replaces an endpoint.
func (d *DB) PutEndpoint(ctx context.Context, e Endpoint) error {
	const op = "billingdb.PutEndpoint"
	doc, err := json.Marshal(e)
	if err != nil {
		return fault.E(op, fault.Other, err)
	}
	kinds, err := list(e.Events)
	if err != nil {
		return err
	}
	_, err = d.db.ExecContext(ctx, outboxQ.Get("put-endpoint"), e.ID, e.Owner, e.State, kinds, doc)
	return sqlite.Wrap(op, err)
}

func list(s []string) (string, error) {
	if len(s) == 0 {
		return "[]", nil
	}
	b, err := json.Marshal(s)
	if err != nil {
		return "", fault.E("billingdb.list", fault.Other, err)
	}
	return string(b), nil
}

// Endpoints lists an owner's endpoints, the oldest first.
func (d *DB) Endpoints(ctx context.Context, owner string) ([]Endpoint, error) {
	const op = "billingdb.Endpoints"
	rows, err := d.db.QueryContext(ctx, outboxQ.Get("endpoints"), owner)
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	defer rows.Close()
	out := []Endpoint{}
	for rows.Next() {
		e, err := scanEndpoint(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, sqlite.Wrap(op, rows.Err())
}

func scanEndpoint(row interface{ Scan(...any) error }) (e Endpoint, err error) {
	const op = "billingdb.Endpoint"
	var doc []byte
	if err := row.Scan(&doc); errors.Is(err, sql.ErrNoRows) {
		return e, fault.Errorf(op, fault.NotFound, "There is no such webhook address.")
	} else if err != nil {
		return e, sqlite.Wrap(op, err)
	}
	if err := json.Unmarshal(doc, &e); err != nil {
		return e, fault.E(op, fault.Corrupt, err)
	}
	return e, nil
}

// Endpoint reads one; NotFound if there is none.
func (d *DB) Endpoint(ctx context.Context, id string) (Endpoint, error) {
	return scanEndpoint(d.db.QueryRowContext(ctx, outboxQ.Get("endpoint"), id))
}

// DropEndpoint removes an endpoint and its deliveries.
func (d *DB) DropEndpoint(ctx context.Context, id string) error {
	return sqlite.Wrap("billingdb.DropEndpoint", sqlite.Tx(ctx, d.db, func(tx *sql.Tx) error {
		for _, name := range []string{"drop-lane-attempts", "drop-lane", "drop-endpoint"} {
			if _, err := tx.ExecContext(ctx, outboxQ.Get(name), id); err != nil {
				return err
			}
		}
		return nil
	}))
}

// Replay queues the notices since a moment for an endpoint once more, in their order, at most so many; it tells how many there were.
func (d *DB) Replay(ctx context.Context, e Endpoint, since, now time.Time, most int) (int, error) {
	const op = "billingdb.Replay"
	kinds, err := list(e.Events)
	if err != nil {
		return 0, err
	}
	names := []string{"replay"}
	if e.Owner != "" || e.Tests {
		names = append(names, "replay-tests")
	}
	all := 0
	err = sqlite.Tx(ctx, d.db, func(tx *sql.Tx) error {
		for _, name := range names {
			res, err := tx.ExecContext(ctx, outboxQ.Get(name), e.ID, e.Owner, since.UnixMilli(), now.UnixMilli(), kinds, most-all)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			all += int(n)
		}
		return nil
	})
	return all, sqlite.Wrap(op, err)
}
