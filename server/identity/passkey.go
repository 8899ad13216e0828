package identity

import (
	"context"
	"database/sql"
	_ "embed"
	"strconv"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"holdfast/server/hubdb"
	"holdfast/server/naming"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
)

//go:embed sql/passkey.sql
var passkeySQL string

var passkeyQ = hubdb.Parse(passkeySQL)

// Passkey is one passkey as its owner sees it.
type Passkey struct {
	ID        string `json:"id"` // base64url
	Name      string `json:"name"`
	CreatedMS int64  `json:"createdMS"`
	UsedMS    int64  `json:"usedMS"` // of the last sign-in; 0: never
	Synced    bool   `json:"synced"` // is backed up and reaches the owner's other devices by itself
}

// Passkeys lists a person's passkeys, oldest first.
func (s *Service) Passkeys(ctx context.Context, c Caller) ([]Passkey, error) {
	const op = "identity.Passkeys"
	rows, err := s.cfg.DB.QueryContext(ctx, passkeyQ.Get("list"), c.Person.ID)
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	defer rows.Close()
	list := []Passkey{}
	for rows.Next() {
		var p Passkey
		var used sql.NullInt64
		var b []byte
		if err := rows.Scan(&p.ID, &p.Name, &b, &p.CreatedMS, &used); err != nil {
			return nil, sqlite.Wrap(op, err)
		}
		cred, err := decodeCredential(b)
		if err != nil {
			return nil, fault.E(op, fault.Corrupt, err)
		}
		p.UsedMS, p.Synced = used.Int64, cred.Flags.BackupState
		list = append(list, p)
	}
	return list, sqlite.Wrap(op, rows.Err())
}

// BeginAdd asks the browser for one more passkey of the caller.
func (s *Service) BeginAdd(ctx context.Context, c Caller) (*protocol.CredentialCreation, error) {
	const op = "identity.BeginAdd"
	if !s.person.Allow(string(c.Person.ID), s.now()) {
		return nil, tooOften(op)
	}
	u, ok, err := load(ctx, s.cfg.DB, c.Person.ID)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	if !ok {
		return nil, fault.E(op, fault.Denied, nil)
	}
	if len(u.creds) >= PasskeysMax {
		return nil, fault.Errorf(op, fault.Limit, "You have %d passkeys, the most there can be. Remove one first.", PasskeysMax)
	}
	have := make([]protocol.CredentialDescriptor, len(u.creds))
	for i := range u.creds {
		have[i] = u.creds[i].Descriptor()
	}
	options, data, err := s.web.BeginRegistration(u, webauthn.WithExclusions(have))
	if err != nil {
		return nil, fault.E(op, fault.Other, err)
	}
	return options, fault.Wrap(op, s.remember(ctx, ceremony{kindAdd, u.ID, u.Name, data}))
}

// FinishAdd stores the passkey that the browser made.
func (s *Service) FinishAdd(ctx context.Context, c Caller, v Visitor, body []byte) error {
	const op = "identity.FinishAdd"
	if !s.person.Allow(string(c.Person.ID), s.now()) {
		return tooOften(op)
	}
	_, cred, err := s.register(ctx, kindAdd, body, c.Person.ID)
	if err != nil {
		return fault.Wrap(op, err)
	}
	err = sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		return s.addPasskey(ctx, tx, c.Person.ID, describeAgent(v.Agent), cred)
	})
	return fault.Wrap(op, err)
}

// addPasskey stores a passkey under a name that the person has not given to another.
func (s *Service) addPasskey(ctx context.Context, tx *sql.Tx, person id.ID, name string, cred *webauthn.Credential) error {
	const op = "identity.addPasskey"
	var n int
	if err := tx.QueryRowContext(ctx, passkeyQ.Get("count"), person).Scan(&n); err != nil {
		return err
	}
	if n >= PasskeysMax {
		return fault.Errorf(op, fault.Limit, "You have %d passkeys, the most there can be. Remove one first.", PasskeysMax)
	}
	base := name
	for i := 2; ; i++ {
		var taken bool
		if err := tx.QueryRowContext(ctx, passkeyQ.Get("named"), person, name).Scan(&taken); err != nil {
			return err
		}
		if !taken {
			break
		}
		name = base + " " + strconv.Itoa(i)
	}
	b, err := encodeCredential(cred)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, passkeyQ.Get("add"), credentialID(cred.ID), person, name, b, s.now().UnixMilli())
	if sqlite.IsUnique(err) {
		return fault.Errorf(op, fault.Conflict, "This passkey is registered already. Sign in with it instead.")
	}
	return err
}

// RenamePasskey gives one of the caller's passkeys a name.
func (s *Service) RenamePasskey(ctx context.Context, c Caller, passkey, name string) error {
	const op = "identity.RenamePasskey"
	name, err := naming.Clean(op, "the passkey", name)
	if err != nil {
		return err
	}
	return fault.Wrap(op, sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, passkeyQ.Get("rename"), name, passkey, c.Person.ID)
		if err != nil {
			return err
		}
		return oneRow(op, r, "You have no such passkey. Load the list again.")
	}))
}

// RemovePasskey removes one of the caller's passkeys, but never the last: without one there is no way to sign in.
func (s *Service) RemovePasskey(ctx context.Context, c Caller, passkey string) error {
	const op = "identity.RemovePasskey"
	err := sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, passkeyQ.Get("remove"), passkey, c.Person.ID)
		if err != nil {
			return err
		}
		if err := oneRow(op, r, "You have no such passkey. Load the list again."); err != nil {
			return err
		}
		var left int
		if err := tx.QueryRowContext(ctx, passkeyQ.Get("count"), c.Person.ID).Scan(&left); err != nil {
			return err
		}
		if left == 0 {
			return fault.Errorf(op, fault.Conflict, "This is your only passkey, and without one you cannot sign in again. Add another one first.")
		}
		return nil
	})
	if err == nil {
		s.cfg.Log.Info("passkey removed", "person", c.Person.ID, "passkey", passkey)
	}
	return fault.Wrap(op, err)
}

// oneRow is NotFound with a sentence when nothing was changed.
func oneRow(op string, r sql.Result, sentence string) error {
	n, err := r.RowsAffected()
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.Errorf(op, fault.NotFound, "%s", sentence)
	}
	return nil
}
