// Package refused keeps a region's refusals in node.db, beside the workspaces' own files. A log tells what was accepted and
// nothing else, so a file that is made again from logs would have forgotten them, and a device that asks again could be given
// another answer.
//
// A refusal is here before anybody is told of it, and until its replica has settled it.
package refused

import (
	"context"
	"database/sql"
	_ "embed"
	"sync"

	"holdfast/sync/id"
	"holdfast/sync/ingress"
	"holdfast/sync/sqlite"
	"holdfast/sync/wire"
)

//go:embed queries.sql
var queries string

var q = sqlite.Named(queries)

// Book is a region's refusals; make it with New. It is safe for concurrent use.
type Book struct {
	db *sql.DB // node.db

	mu   sync.Mutex
	held map[id.ID]map[uint64]span // workspace → replica → what is in node.db
}

// span is the least and the greatest number of a replica's refusals.
type span struct{ first, last uint64 }

// New makes a book that knows nothing until Open.
func New(db *sql.DB) *Book { return &Book{db: db, held: map[id.ID]map[uint64]span{}} }

// Open reads what there is.
func (b *Book) Open(ctx context.Context) error {
	const op = "refused.Open"
	rows, err := b.db.QueryContext(ctx, q("all"))
	if err != nil {
		return sqlite.Wrap(op, err)
	}
	defer rows.Close()
	b.mu.Lock()
	defer b.mu.Unlock()
	for rows.Next() {
		var t id.ID
		var replica int64
		var s span
		if err := rows.Scan(&t, &replica, &s.first, &s.last); err != nil {
			return sqlite.Wrap(op, err)
		}
		b.hold(t, uint64(replica), s)
	}
	return sqlite.Wrap(op, rows.Err())
}

// hold is called with mu held.
func (b *Book) hold(t id.ID, replica uint64, s span) {
	if b.held[t] == nil {
		b.held[t] = map[uint64]span{}
	}
	b.held[t][replica] = s
}

// Keep notes the refusals of some pushes to one workspace, and forgets what their replicas have settled
// (tenant.Config.Refused). Nearly always there is nothing to do.
func (b *Book) Keep(ctx context.Context, t id.ID, pushes []ingress.Outcome) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var todo []ingress.Outcome
	for _, p := range pushes {
		if s, ok := b.held[t][p.Replica]; len(p.Refused) > 0 || ok && s.first <= p.Settled {
			todo = append(todo, p)
		}
	}
	if len(todo) == 0 {
		return nil
	}
	err := sqlite.Tx(ctx, b.db, func(tx *sql.Tx) error {
		for _, p := range todo {
			if _, err := tx.ExecContext(ctx, q("settle"), t, int64(p.Replica), p.Settled); err != nil {
				return err
			}
			for _, r := range p.Refused {
				if _, err := tx.ExecContext(ctx, q("add"), t, int64(r.Replica), r.Fate.Num, r.Sum, wire.EncodeFate(r.Fate)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return sqlite.Wrap("refused.Keep", err)
	}
	for _, p := range todo {
		b.kept(t, p)
	}
	return nil
}

// kept brings held up to date. mu is held.
func (b *Book) kept(t id.ID, p ingress.Outcome) {
	s, ok := b.held[t][p.Replica]
	if ok && s.last <= p.Settled {
		delete(b.held[t], p.Replica)
		ok = false
	}
	s.first = max(s.first, p.Settled+1)
	for _, r := range p.Refused {
		if !ok {
			s, ok = span{r.Fate.Num, r.Fate.Num}, true
		}
		s.first, s.last = min(s.first, r.Fate.Num), max(s.last, r.Fate.Num)
	}
	if ok {
		b.hold(t, p.Replica, s)
	}
	if len(b.held[t]) == 0 {
		delete(b.held, t)
	}
}

// Of gives what is kept of a workspace.
func (b *Book) Of(ctx context.Context, t id.ID) (list []ingress.Refusal, err error) {
	const op = "refused.Of"
	b.mu.Lock()
	none := len(b.held[t]) == 0
	b.mu.Unlock()
	if none {
		return nil, nil
	}
	rows, err := b.db.QueryContext(ctx, q("of"), t)
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	defer rows.Close()
	for rows.Next() {
		var r ingress.Refusal
		var replica int64
		var raw []byte
		if err := rows.Scan(&replica, &r.Fate.Num, &r.Sum, &raw); err != nil {
			return nil, sqlite.Wrap(op, err)
		}
		r.Replica = uint64(replica)
		if r.Fate, err = wire.DecodeFate(raw); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, sqlite.Wrap(op, rows.Err())
}
