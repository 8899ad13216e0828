// Package billingdb keeps the accounts of billing in SQLite: one file, one transaction for each command.
//
// What only grows (events, notices, credit notes, bookings, usage) is only ever inserted; what is issued keeps its
// number for ever, which the unique columns hold; the ledger's rows cannot be changed even by hand, which triggers
// hold.
package billingdb

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"io/fs"
	"path/filepath"
	"reflect"
	"time"

	"holdfast/server/billing"
	"holdfast/server/hubdb"
	"holdfast/server/invoice"
	"holdfast/server/ledger"
	"holdfast/server/meter"
	"holdfast/server/payment"
	"holdfast/sync/fault"
	"holdfast/sync/sqlite"
)

//go:embed sql/migrations/*.sql
var migrations embed.FS

//go:embed sql/billing.sql
var billingSQL string

var q = hubdb.Parse(billingSQL)

// File is the database's name in the hub's data folder.
const File = "billing.db"

const (
	cacheKB     = 8 << 10
	connections = 2 // one writes, the other reads meanwhile
)

// DB is the store.
type DB struct{ db *sql.DB }

// Open opens the database in a folder, creates it when it is missing, and brings its schema up to date. Every commit
// waits for the disk.
func Open(ctx context.Context, dir string) (*DB, error) {
	const op = "billingdb.Open"
	db, err := sqlite.Open(ctx, filepath.Join(dir, File), sqlite.Options{CacheKB: cacheKB, MaxOpen: connections, Durable: true})
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	files, err := fs.Sub(migrations, "sql/migrations")
	if err == nil {
		err = sqlite.Migrate(ctx, db, files)
	}
	if err != nil {
		db.Close()
		return nil, sqlite.Wrap(op, err)
	}
	return &DB{db}, nil
}

// Close closes the database.
func (d *DB) Close() error { return d.db.Close() }

// Save writes one transaction of the engine.
func (d *DB) Save(ctx context.Context, s billing.Saved) error {
	const op = "billingdb.Save"
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return sqlite.Wrap(op, err)
	}
	defer tx.Rollback()
	w := &writer{ctx: ctx, tx: tx}
	if s.Usage != nil {
		for _, e := range s.Usage {
			w.usage(s.Account.ID, e)
		}
	} else if s.Account != nil {
		w.account(s)
	}
	if s.Numbers != nil {
		w.run("put-numbers", w.json(s.Numbers))
	}
	if s.Stray != nil {
		w.run("add-stray", s.Stray.ID, w.json(s.Stray))
	}
	if s.Matched != "" {
		w.run("drop-stray", s.Matched)
	}
	w.bookings("", s.Book)
	if w.err != nil {
		return sqlite.Wrap(op, w.err)
	}
	return sqlite.Wrap(op, tx.Commit())
}

// writer runs statements until one fails.
type writer struct {
	ctx context.Context
	tx  *sql.Tx
	err error
}

func (w *writer) run(name string, args ...any) { w.exec(q.Get(name), args...) }

func (w *writer) exec(statement string, args ...any) {
	if w.err == nil {
		_, w.err = w.tx.ExecContext(w.ctx, statement, args...)
	}
}

func (w *writer) json(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil && w.err == nil {
		w.err = fault.E("billingdb.json", fault.Other, err)
	}
	return b
}

func ms(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

func (w *writer) account(s billing.Saved) {
	a, old := s.Account, s.Old
	place := s.Place
	if old == nil {
		old = &billing.Account{}
	}
	doc := *a
	doc.Events, doc.Notices, doc.Notes, doc.Invoices, doc.Usage, doc.Book = nil, nil, nil, nil, nil, ledger.Book{}
	sub := a.Sub()
	w.run("put-account", a.ID, place, string(a.Currency), string(sub.Status), sub.Plan, w.json(doc))
	for i := len(old.Events); i < len(a.Events); i++ {
		w.run("add-event", a.ID, i, w.json(a.Events[i]))
	}
	w.notices(a, old)
	for i := len(old.Notes); i < len(a.Notes); i++ {
		n := a.Notes[i]
		w.run("add-note", a.ID, i, n.Number, n.Issued.UnixMilli(), n.Total, w.json(n))
	}
	w.invoices(a, old)
	w.bookings(a.ID, a.Book.Txs()[len(old.Book.Txs()):])
}

func (w *writer) invoices(a, old *billing.Account) {
	for _, v := range old.Invoices {
		if v.State == invoice.Draft && a.Invoice(v.ID) == nil {
			w.run("drop-draft", a.ID, v.ID)
		}
	}
	for i, v := range a.Invoices {
		if i < len(old.Invoices) && reflect.DeepEqual(old.Invoices[i], v) {
			continue
		}
		w.run("put-invoice", a.ID, v.ID, i, v.Number, string(v.State), ms(v.Issued), v.Total, v.Due(), w.json(v))
	}
}

func (w *writer) bookings(account string, list []ledger.Tx) {
	for _, t := range list {
		w.run("add-booking", account, t.Key, t.At.UnixMilli(), t.Effective.UnixMilli(), string(t.Currency), w.json(t))
	}
}

func (w *writer) usage(account string, e meter.Event) {
	w.run("add-usage", account, e.Source, e.ID, e.Type, e.Time.UnixMilli(), w.json(e))
}

// Load reads everything.
func (d *DB) Load(ctx context.Context) (billing.Loaded, error) {
	const op = "billingdb.Load"
	var out billing.Loaded
	by := map[string]*billing.Account{}
	r := &loader{ctx: ctx, db: d.db}
	each(r, "accounts", func(_ string, a billing.Account) error {
		a.Usage = &meter.Log{}
		if a.Seen == nil {
			a.Seen = map[string]bool{}
		}
		by[a.ID] = &a
		out.Accounts = append(out.Accounts, &a)
		return nil
	})
	each(r, "events", func(id string, e billing.SubEvent) error { by[id].Events = append(by[id].Events, e); return nil })
	each(r, "notices", func(id string, n billing.Notice) error { by[id].Notices = append(by[id].Notices, n); return nil })
	each(r, "invoices", func(id string, v invoice.Invoice) error { by[id].Invoices = append(by[id].Invoices, v); return nil })
	each(r, "notes", func(id string, n invoice.Note) error { by[id].Notes = append(by[id].Notes, n); return nil })
	each(r, "usage", func(id string, e meter.Event) error { _, err := by[id].Usage.Add(e); return err })
	each(r, "bookings", func(id string, t ledger.Tx) error {
		if id == "" {
			out.House = append(out.House, t)
			return nil
		}
		return by[id].Book.Post(t)
	})
	each(r, "strays", func(_ string, e payment.Event) error { out.Stray = append(out.Stray, e); return nil })
	each(r, "numbers", func(_ string, n billing.Numbers) error { out.Numbers = n; return nil })
	return out, sqlite.Wrap(op, r.err)
}

type loader struct {
	ctx context.Context
	db  *sql.DB
	err error
}

// each reads the rows of a statement, an account and a document each.
func each[T any](r *loader, name string, take func(id string, doc T) error) {
	if r.err != nil {
		return
	}
	rows, err := r.db.QueryContext(r.ctx, q.Get(name))
	if err != nil {
		r.err = err
		return
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var doc []byte
		if r.err = rows.Scan(&id, &doc); r.err != nil {
			return
		}
		var v T
		if err := json.Unmarshal(doc, &v); err != nil {
			r.err = fault.E("billingdb.Load "+name, fault.Corrupt, err)
			return
		}
		if r.err = take(id, v); r.err != nil {
			return
		}
	}
	r.err = rows.Err()
}
