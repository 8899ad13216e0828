// Package operator knows who runs the whole installation, and keeps what they did.
//
// Somebody becomes an operator with a one-time link that only the command line of the hub makes (`holdfast operator invite`), good for
// fifteen minutes. An operator's session is an ordinary passkey session: each request asks IsOperator anew, so that who was removed is
// out at once. Whoever is none is told that there is nothing at the address.
package operator

import (
	"context"
	"crypto/sha256"
	"database/sql"
	_ "embed" // the statements
	"errors"
	"io"
	"log/slog"
	"strings"
	"time"

	"holdfast/server/hubdb"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
)

//go:embed sql/operator.sql
var operatorSQL string

// AcceptPath is the page to which a link leads, with the code after it. It shows nothing unless Look finds the code good; a person who is
// signed in accepts there with a POST, same-origin, and is an operator from then on.
const AcceptPath = "/operator/accept/"

var q = hubdb.Parse(operatorSQL)

// Config is what a Service needs.
type Config struct {
	DB   *sql.DB // opened by hubdb
	Now  func() time.Time
	Rand io.Reader
	Log  *slog.Logger
}

// Service knows the operators. It is safe for concurrent use.
type Service struct{ cfg Config }

// New makes a service.
func New(cfg Config) *Service { return &Service{cfg} }

// Operator is a person who runs the installation.
type Operator struct {
	ID      id.ID  `json:"id"`
	Name    string `json:"name"`
	SinceMS int64  `json:"sinceMS"`
}

// Link is a way to become an operator, once. Only the code's hash is kept, so the code can be shown this once only.
type Link struct {
	Code      string `json:"code"`
	ExpiresMS int64  `json:"expiresMS"`
}

// IsOperator tells whether a person is an operator now.
func (s *Service) IsOperator(ctx context.Context, person id.ID) (bool, error) {
	var one int
	err := s.cfg.DB.QueryRowContext(ctx, q.Get("is"), person).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, sqlite.Wrap("operator.IsOperator", err)
}

// Admit refuses whoever is not an operator with NotFound, as if there were nothing.
func (s *Service) Admit(ctx context.Context, person id.ID) error {
	const op = "operator.Admit"
	is, err := s.IsOperator(ctx, person)
	if err == nil && !is {
		err = fault.Errorf(op, fault.NotFound, "There is nothing at this address.")
	}
	return err
}

// Invite makes a link. Making it is written down.
func (s *Service) Invite(ctx context.Context) (Link, error) {
	const op = "operator.Invite"
	var raw [codeBytes]byte
	if _, err := io.ReadFull(s.cfg.Rand, raw[:]); err != nil {
		return Link{}, fault.E(op, fault.Other, err)
	}
	now := s.cfg.Now()
	l := Link{id.Text(raw), now.Add(linkTTL).UnixMilli()}
	err := sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, q.Get("expire-links"), now.UnixMilli()); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, q.Get("add-link"), codeHash(l.Code), l.ExpiresMS); err != nil {
			return err
		}
		return s.write(ctx, tx, "", "operator.invite", "", "")
	})
	return l, fault.Wrap(op, err)
}

func codeHash(code string) []byte {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.TrimSpace(code))))
	return sum[:]
}

func badCode(op string) error {
	return fault.Errorf(op, fault.NotFound, "This link does not work any more. Make a new one with: holdfast operator invite")
}

// Look tells whether a link's code still works, without using it up. Kind NotFound: never made, used, or expired.
func (s *Service) Look(ctx context.Context, code string) error {
	const op = "operator.Look"
	var one int
	err := s.cfg.DB.QueryRowContext(ctx, q.Get("look-link"), codeHash(code), s.cfg.Now().UnixMilli()).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return badCode(op)
	}
	return sqlite.Wrap(op, err)
}

// Accept makes a person who is signed in an operator and uses the link up. Kind NotFound: never made, used, or expired.
func (s *Service) Accept(ctx context.Context, person id.ID, code string) error {
	const op = "operator.Accept"
	now := s.cfg.Now().UnixMilli()
	err := sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, q.Get("take-link"), codeHash(code), now)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(badCode(op), err)
		}
		var n int
		if err := tx.QueryRowContext(ctx, q.Get("count")).Scan(&n); err != nil {
			return err
		}
		if n >= operatorsMax {
			return fault.Errorf(op, fault.Limit, "There are %d operators, the most there can be. Remove one first with: holdfast operator remove", operatorsMax)
		}
		if _, err := tx.ExecContext(ctx, q.Get("add"), person, now); err != nil {
			return err
		}
		return s.write(ctx, tx, person, "operator.accept", string(person), "")
	})
	return fault.Wrap(op, err)
}

// List lists the operators, the oldest first.
func (s *Service) List(ctx context.Context) ([]Operator, error) {
	const op = "operator.List"
	rows, err := s.cfg.DB.QueryContext(ctx, q.Get("list"))
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	defer rows.Close()
	list := []Operator{}
	for rows.Next() {
		var o Operator
		if err := rows.Scan(&o.ID, &o.Name, &o.SinceMS); err != nil {
			return nil, sqlite.Wrap(op, err)
		}
		list = append(list, o)
	}
	return list, sqlite.Wrap(op, rows.Err())
}

// Remove ends a person's being an operator, at once.
func (s *Service) Remove(ctx context.Context, person id.ID) error {
	const op = "operator.Remove"
	return fault.Wrap(op, sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, q.Get("remove"), person)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(fault.Errorf(op, fault.NotFound, "%s is not an operator. See who is with: holdfast operator list", person), err)
		}
		return s.write(ctx, tx, "", "operator.remove", string(person), "")
	}))
}
