package identity

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"holdfast/server/hubdb"
	"holdfast/server/naming"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
)

//go:embed sql/person.sql
var personSQL string

var personQ = hubdb.Parse(personSQL)

// Person is somebody who has signed up.
type Person struct {
	ID   id.ID  `json:"id"`
	Name string `json:"name"`
}

// Visitor is where a request comes from, as the edge saw it.
type Visitor struct {
	IP     string
	Agent  string // User-Agent header
	Region string
}

// RenamePerson changes a person's name everywhere.
func (s *Service) RenamePerson(ctx context.Context, c Caller, name string) (Person, error) {
	const op = "identity.RenamePerson"
	name, err := naming.Clean(op, "yourself", name)
	if err != nil {
		return Person{}, err
	}
	if !s.person.Allow(string(c.Person.ID), s.now()) {
		return Person{}, tooOften(op)
	}
	p := Person{c.Person.ID, name}
	err = sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, personQ.Get("rename"), name, p.ID); err != nil {
			return err
		}
		if s.cfg.Renamed == nil {
			return nil
		}
		return s.cfg.Renamed(ctx, tx, p)
	})
	return p, fault.Wrap(op, err)
}

// user is a person as the WebAuthn library wants one.
type user struct {
	Person
	creds []webauthn.Credential
}

// WebAuthnID is the user handle: the bits of the person's id, which say nothing about the person.
func (u *user) WebAuthnID() []byte                         { b := u.ID.Bytes(); return b[:] }
func (u *user) WebAuthnName() string                       { return u.Name }
func (u *user) WebAuthnDisplayName() string                { return u.Name }
func (u *user) WebAuthnCredentials() []webauthn.Credential { return u.creds }

// record is a credential at rest. The library keeps the raw flags byte in an unexported field, which JSON would lose.
type record struct {
	Credential webauthn.Credential `json:"credential"`
	RawFlags   byte                `json:"rawFlags"`
}

func encodeCredential(c *webauthn.Credential) ([]byte, error) {
	return json.Marshal(record{*c, byte(c.Flags.ProtocolValue())})
}

func decodeCredential(b []byte) (webauthn.Credential, error) {
	var r record
	if err := json.Unmarshal(b, &r); err != nil {
		return webauthn.Credential{}, err
	}
	f := webauthn.NewCredentialFlags(protocol.AuthenticatorFlags(r.RawFlags))
	// UserVerified is latched in the record and may be ahead of the last raw byte.
	f.UserPresent, f.UserVerified = r.Credential.Flags.UserPresent, r.Credential.Flags.UserVerified
	f.BackupEligible, f.BackupState = r.Credential.Flags.BackupEligible, r.Credential.Flags.BackupState
	r.Credential.Flags = f
	return r.Credential, nil
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// load reads a person with all passkeys; ok is false when there is no such person.
func load(ctx context.Context, q querier, person id.ID) (u *user, ok bool, err error) {
	const op = "identity.load"
	u = &user{Person: Person{ID: person}}
	err = q.QueryRowContext(ctx, personQ.Get("get"), person).Scan(&u.Name)
	if err == sql.ErrNoRows {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, sqlite.Wrap(op, err)
	}
	rows, err := q.QueryContext(ctx, personQ.Get("credentials"), person)
	if err != nil {
		return nil, false, sqlite.Wrap(op, err)
	}
	defer rows.Close()
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			return nil, false, sqlite.Wrap(op, err)
		}
		c, err := decodeCredential(b)
		if err != nil {
			return nil, false, fault.E(op, fault.Corrupt, err)
		}
		u.creds = append(u.creds, c)
	}
	return u, true, sqlite.Wrap(op, rows.Err())
}
