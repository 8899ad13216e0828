// Package rule keeps workspaces' rules (holdfast/sync/rule): it tries each module before it takes it, and tells the regions of those
// that are switched on, in the transaction of the decision.
//
// Who may do this is the caller's to decide.
package rule

import (
	"context"
	"crypto/sha256"
	"database/sql"
	_ "embed"
	"encoding/hex"
	"errors"
	"io"
	"sync"
	"time"

	"holdfast/server/hubdb"
	"holdfast/server/naming"
	contract "holdfast/sync/directory"
	"holdfast/sync/fault"
	"holdfast/sync/guest"
	"holdfast/sync/id"
	"holdfast/sync/rule"
	"holdfast/sync/sqlite"

	outbox "holdfast/server/directory"
)

//go:embed rule.sql
var ruleSQL string

var q = hubdb.Parse(ruleSQL)

// Config is what a Service needs.
type Config struct {
	DB   *sql.DB // opened by hubdb
	Now  func() time.Time
	Rand io.Reader
}

// Service keeps rules. It is safe for concurrent use; make it with New.
type Service struct {
	cfg    Config
	engine *guest.Engine
	trying sync.Mutex // one module at a time: each may take the processor for as long as it is let
}

// New makes a service that must be opened.
func New(cfg Config) *Service { return &Service{cfg: cfg} }

// Open makes what tries modules.
func (s *Service) Open(ctx context.Context) error {
	s.engine = guest.New(context.WithoutCancel(ctx))
	return nil
}

// Close frees it.
func (s *Service) Close(ctx context.Context) error { return s.engine.Close(ctx) }

// Rule is a rule as people see it.
type Rule struct {
	ID        id.ID  `json:"id"`
	Name      string `json:"name"`
	On        bool   `json:"on"`
	Bytes     int    `json:"bytes" doc:"Of the module"`
	SHA256    string `json:"sha256" doc:"Of the module, in hexadecimal"`
	CreatedMS int64  `json:"createdMS"`
	ChangedMS int64  `json:"changedMS"`
}

// Draft is a rule to be made, or what one is to become.
type Draft struct {
	Name   string `json:"name" maxLength:"60" doc:"People read it with each refusal"`
	On     bool   `json:"on"`
	Module []byte `json:"module,omitempty" required:"false" doc:"The WebAssembly module, in Base64; at most 131072 bytes. Without one, a rule that is there keeps its own"`
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

type scanner interface{ Scan(dest ...any) error }

func scan(row scanner) (r Rule, err error) {
	var hash []byte
	err = row.Scan(&r.ID, &r.Name, &r.On, &hash, &r.Bytes, &r.CreatedMS, &r.ChangedMS)
	r.SHA256 = hex.EncodeToString(hash)
	return r, err
}

// List gives a workspace's rules in the order in which they are asked, the oldest first.
func (s *Service) List(ctx context.Context, tenant id.ID) ([]Rule, error) {
	const op = "rule.List"
	rows, err := s.cfg.DB.QueryContext(ctx, q.Get("list"), tenant)
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	defer rows.Close()
	list := []Rule{}
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return nil, sqlite.Wrap(op, err)
		}
		list = append(list, r)
	}
	return list, sqlite.Wrap(op, rows.Err())
}

// Add makes a rule.
func (s *Service) Add(ctx context.Context, tenant id.ID, d Draft) (Rule, error) {
	now := s.cfg.Now()
	return s.put(ctx, tenant, id.New(now, s.cfg.Rand), d, func(tx *sql.Tx) (Rule, error) {
		var n int
		if err := tx.QueryRowContext(ctx, q.Get("count"), tenant).Scan(&n); err != nil {
			return Rule{}, err
		}
		switch {
		case n >= rule.RulesMax:
			return Rule{}, fault.Errorf("rule.Add", fault.Limit, "This workspace has %d rules, the most there can be. Remove one that is not used.", rule.RulesMax)
		case len(d.Module) == 0:
			return Rule{}, fault.Errorf("rule.Add", fault.Invalid, "A new rule needs its module: the .wasm file that your compiler wrote.")
		}
		return Rule{CreatedMS: now.UnixMilli()}, nil
	})
}

// Change makes a rule what the draft says: named, switched on or off, and with another module if one is given.
func (s *Service) Change(ctx context.Context, tenant, which id.ID, d Draft) (Rule, error) {
	return s.put(ctx, tenant, which, d, func(tx *sql.Tx) (Rule, error) { return get(ctx, tx, tenant, which) })
}

func get(ctx context.Context, db querier, tenant, which id.ID) (Rule, error) {
	r, err := scan(db.QueryRowContext(ctx, q.Get("get"), tenant, which))
	if errors.Is(err, sql.ErrNoRows) {
		err = noSuch("rule.get")
	}
	return r, err
}

func noSuch(op string) error {
	return fault.Errorf(op, fault.NotFound, "There is no such rule, or it was removed. Load the list again.")
}

// put checks a draft and writes the rule; was gives what it was.
func (s *Service) put(ctx context.Context, tenant, which id.ID, d Draft, was func(*sql.Tx) (Rule, error)) (r Rule, err error) {
	const op = "rule.put"
	name, err := naming.Clean(op, "the rule", d.Name)
	if err == nil && len(name) > rule.NameBytesMax {
		err = fault.Errorf(op, fault.TooLarge, "The name is %d bytes long; at most %d fit. Shorten it.", len(name), rule.NameBytesMax)
	}
	if err == nil && len(d.Module) > 0 {
		err = s.try(ctx, d.Module)
	}
	if err != nil {
		return r, err
	}
	err = sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		if r, err = was(tx); err != nil {
			return err
		}
		var same int
		if err := tx.QueryRowContext(ctx, q.Get("named"), tenant, name, which).Scan(&same); err != nil {
			return err
		}
		if same > 0 {
			return fault.Errorf(op, fault.Conflict, "There is a rule with this name. Choose another one, so that people know which one refuses.")
		}
		module := d.Module
		if len(module) == 0 {
			if err := tx.QueryRowContext(ctx, q.Get("module"), tenant, which).Scan(&module); err != nil {
				return err
			}
		}
		sum := sha256.Sum256(module)
		r = Rule{which, name, d.On, len(module), hex.EncodeToString(sum[:]), r.CreatedMS, s.cfg.Now().UnixMilli()}
		if _, err := tx.ExecContext(ctx, q.Get("put"), tenant, which, name, d.On, sum[:], module, r.CreatedMS, r.ChangedMS); err != nil {
			return err
		}
		key := contract.RuleKey(tenant, which)
		if !d.On {
			return outbox.Remove(ctx, tx, key)
		}
		return outbox.Put(ctx, tx, key, contract.Rule{Tenant: tenant, ID: which, Name: name, Hash: sum[:], Module: module}, time.Time{})
	})
	return r, fault.Wrap(op, err)
}

func (s *Service) try(ctx context.Context, module []byte) error {
	s.trying.Lock()
	defer s.trying.Unlock()
	return s.engine.Try(ctx, module, rule.Example())
}

// Remove takes a rule away.
func (s *Service) Remove(ctx context.Context, tenant, which id.ID) error {
	const op = "rule.Remove"
	return fault.Wrap(op, sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, q.Get("drop"), tenant, which)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, noSuch(op))
		}
		return outbox.Remove(ctx, tx, contract.RuleKey(tenant, which))
	}))
}
