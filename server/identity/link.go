package identity

import (
	"context"
	"crypto/sha256"
	"database/sql"
	_ "embed"
	"errors"
	"io"
	"strings"

	"holdfast/server/hubdb"
	"holdfast/server/throttle"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
)

//go:embed sql/link.sql
var linkSQL string

var linkQ = hubdb.Parse(linkSQL)

// Link lets a second browser in once: by its code, typed or as part of an address.
type Link struct {
	Code      string // twelve letters and digits in three groups: 60 bits
	ExpiresMS int64
}

const codeAlphabet = "0123456789abcdefghjkmnpqrstvwxyz" // Crockford's base32: nothing that looks like something else

// newCode makes a code such as "7k3d-9xqa-0mtz".
func newCode(rand io.Reader) (string, error) {
	var b [12]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return "", err
	}
	var out strings.Builder
	for i, c := range b {
		if i > 0 && i%4 == 0 {
			out.WriteByte('-')
		}
		out.WriteByte(codeAlphabet[c&31])
	}
	return out.String(), nil
}

// normalCode undoes what people do to a code when they type it.
func normalCode(code string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '-', ' ':
			return -1
		case 'o':
			return '0'
		case 'i', 'l':
			return '1'
		}
		return r
	}, strings.ToLower(code))
}

func codeHash(code string) []byte {
	sum := sha256.Sum256([]byte(normalCode(code)))
	return sum[:]
}

// BeginLink makes a one-time code with which another browser is signed in as the caller, for ten minutes.
func (s *Service) BeginLink(ctx context.Context, c Caller) (Link, error) {
	const op = "identity.BeginLink"
	now := s.now()
	if !s.person.Allow(string(c.Person.ID), now) {
		return Link{}, tooOften(op)
	}
	code, err := newCode(s.cfg.Rand)
	if err != nil {
		return Link{}, fault.E(op, fault.Other, err)
	}
	expires := now.Add(linkTTL).UnixMilli()
	err = sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, linkQ.Get("surplus"), c.Person.ID, c.Person.ID, linksMax-1); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, linkQ.Get("add"), codeHash(code), c.Person.ID, c.Session, expires)
		return err
	})
	return Link{code, expires}, fault.Wrap(op, err)
}

// FinishLink uses a code up and starts a session for whoever made it. The new browser should add a passkey of its own.
func (s *Service) FinishLink(ctx context.Context, v Visitor, code string) (Grant, error) {
	const op = "identity.FinishLink"
	now := s.now()
	if !s.code.Allow(throttle.Address(v.IP), now) {
		return Grant{}, tooOften(op)
	}
	bad := fault.Errorf(op, fault.Denied, "This code does not work any more. Make a new one on the browser where you are signed in.")
	var g Grant
	err := sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		var p Person
		var session id.ID
		var expires int64
		err := tx.QueryRowContext(ctx, linkQ.Get("take"), codeHash(code)).Scan(&p.ID, &session, &expires)
		if errors.Is(err, sql.ErrNoRows) {
			return bad
		}
		if err != nil {
			return err
		}
		if expires <= now.UnixMilli() {
			return bad
		}
		if err := tx.QueryRowContext(ctx, personQ.Get("get"), p.ID).Scan(&p.Name); err != nil {
			return err
		}
		g, err = s.startSession(ctx, tx, p, v, viaLink)
		return err
	})
	if err != nil {
		return Grant{}, fault.Wrap(op, err)
	}
	s.cfg.Log.Info("signed in by a code from another browser", "person", g.Claims.Person, "session", g.Claims.Session)
	return g, nil
}
