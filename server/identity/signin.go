package identity

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"holdfast/server/naming"
	"holdfast/server/throttle"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
)

// BeginSignUp asks the browser to make the first passkey of a new person.
func (s *Service) BeginSignUp(ctx context.Context, v Visitor, name string) (*protocol.CredentialCreation, error) {
	const op = "identity.BeginSignUp"
	name, err := naming.Clean(op, "yourself", name)
	if err != nil {
		return nil, err
	}
	if !s.begin.Allow(throttle.Address(v.IP), s.now()) {
		return nil, tooOften(op)
	}
	u := &user{Person: Person{id.New(s.now(), s.cfg.Rand), name}}
	options, data, err := s.web.BeginRegistration(u)
	if err != nil {
		return nil, fault.E(op, fault.Other, err)
	}
	return options, fault.Wrap(op, s.remember(ctx, ceremony{kindSignUp, u.ID, name, data}))
}

// FinishSignUp makes the person and signs them in. body is the browser's RegistrationResponseJSON.
func (s *Service) FinishSignUp(ctx context.Context, v Visitor, body []byte) (Grant, error) {
	const op = "identity.FinishSignUp"
	if !s.finish.Allow(throttle.Address(v.IP), s.now()) {
		return Grant{}, tooOften(op)
	}
	c, cred, err := s.register(ctx, kindSignUp, body, "")
	if err != nil {
		return Grant{}, fault.Wrap(op, err)
	}
	p := Person{c.person, c.name}
	var g Grant
	err = sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, personQ.Get("add"), p.ID, p.Name, s.now().UnixMilli()); err != nil {
			return err
		}
		if err := s.addPasskey(ctx, tx, p.ID, describeAgent(v.Agent), cred); err != nil {
			return err
		}
		g, err = s.startSession(ctx, tx, p, v, viaPasskey)
		return err
	})
	if err != nil {
		return Grant{}, fault.Wrap(op, err)
	}
	s.cfg.Log.Info("signed up", "person", p.ID, "session", g.Claims.Session)
	return g, nil
}

// register takes the ceremony of a new passkey and verifies the answer. person is the caller's, or "" for a sign-up.
func (s *Service) register(ctx context.Context, kind string, body []byte, person id.ID) (ceremony, *webauthn.Credential, error) {
	const op = "identity.register"
	if len(body) > bodyBytesMax {
		return ceremony{}, nil, fault.Errorf(op, fault.TooLarge, "The passkey's answer is too large. Try another passkey.")
	}
	answer, err := protocol.ParseCredentialCreationResponseBytes(body)
	if err != nil {
		return ceremony{}, nil, refused(op, fault.Invalid, err)
	}
	c, err := s.take(ctx, kind, answer.Response.CollectedClientData.Challenge)
	if err != nil {
		return c, nil, err
	}
	u := &user{Person: Person{c.person, c.name}}
	if person != "" {
		if c.person != person {
			return c, nil, refused(op, fault.Denied, errors.New("begun by somebody else"))
		}
		found, ok, err := load(ctx, s.cfg.DB, person)
		if err != nil {
			return c, nil, err
		}
		if !ok {
			return c, nil, refused(op, fault.Denied, errors.New("no such person"))
		}
		u = found
	}
	cred, err := s.web.CreateCredential(u, *c.data, answer)
	if err != nil {
		return c, nil, refused(op, fault.Denied, err)
	}
	return c, cred, nil
}

// refused is the one answer to a passkey that was not accepted, whatever the reason: the reason is for the log.
func refused(op string, kind fault.Kind, err error) error {
	return &fault.Error{Op: op, Kind: kind, Detail: "This passkey was not accepted. Try again, or use another one.", Err: explain(err)}
}

// explain adds the library's details, which its Error method leaves out.
func explain(err error) error {
	if e, ok := errors.AsType[*protocol.Error](err); ok {
		return errors.New(e.Error() + ": " + e.Details + ": " + e.DevInfo)
	}
	return err
}

// BeginSignIn asks the browser for any passkey of this site. It fits autofill (conditional mediation) and a button.
func (s *Service) BeginSignIn(ctx context.Context, v Visitor) (*protocol.CredentialAssertion, error) {
	const op = "identity.BeginSignIn"
	if !s.begin.Allow(throttle.Address(v.IP), s.now()) {
		return nil, tooOften(op)
	}
	options, data, err := s.web.BeginDiscoverableLogin()
	if err != nil {
		return nil, fault.E(op, fault.Other, err)
	}
	return options, fault.Wrap(op, s.remember(ctx, ceremony{kindSignIn, "", "", data}))
}

// FinishSignIn starts a session for whoever owns the passkey. body is the browser's AuthenticationResponseJSON.
func (s *Service) FinishSignIn(ctx context.Context, v Visitor, body []byte) (Grant, error) {
	const op = "identity.FinishSignIn"
	if !s.finish.Allow(throttle.Address(v.IP), s.now()) {
		return Grant{}, tooOften(op)
	}
	if len(body) > bodyBytesMax {
		return Grant{}, fault.Errorf(op, fault.TooLarge, "The passkey's answer is too large. Try another passkey.")
	}
	answer, err := protocol.ParseCredentialRequestResponseBytes(body)
	if err != nil {
		return Grant{}, refused(op, fault.Invalid, err)
	}
	c, err := s.take(ctx, kindSignIn, answer.Response.CollectedClientData.Challenge)
	if err != nil {
		return Grant{}, fault.Wrap(op, err)
	}
	u, cred, err := s.verify(ctx, c.data, answer)
	if err != nil {
		return Grant{}, fault.Wrap(op, err)
	}
	g, err := s.signIn(ctx, u.Person, v, cred)
	if err != nil {
		return Grant{}, fault.Wrap(op, err)
	}
	s.cfg.Log.Info("signed in", "person", u.ID, "session", g.Claims.Session)
	return g, nil
}

// verify checks an assertion against the passkeys of the person that it names.
func (s *Service) verify(ctx context.Context, data *webauthn.SessionData, answer *protocol.ParsedCredentialAssertionData) (*user, *webauthn.Credential, error) {
	const op = "identity.verify"
	u, err := s.owner(ctx, answer.Response.UserHandle)
	if err != nil {
		return nil, nil, err
	}
	owner := func(rawID, handle []byte) (webauthn.User, error) { return u, nil }
	_, cred, err := s.web.ValidatePasskeyLogin(owner, *data, answer)
	if err == nil {
		if cred.Authenticator.CloneWarning {
			s.cfg.Log.Warn("a passkey's counter did not grow; it may have been copied", "person", u.ID, "passkey", credentialID(cred.ID))
		}
		return u, cred, nil
	}
	if s.onlyEligibilityChanged(u, data, answer) {
		s.cfg.Log.Warn("a passkey's backup eligibility changed", "person", u.ID, "passkey", credentialID(answer.RawID))
		return nil, nil, fault.Errorf(op, fault.Conflict, "This passkey now says something else about being backed up than when it was made, which a sound passkey never does. "+
			"Sign in with another passkey, or with a link from a browser where you are signed in; then remove this one and make a new one.")
	}
	return nil, nil, refused(op, fault.Denied, err)
}

// onlyEligibilityChanged tells whether an answer fails for its backup eligibility flag alone (WebAuthn L3 §7.2 step 20).
// It verifies again with the other value, so that only the passkey's holder learns of it.
func (s *Service) onlyEligibilityChanged(u *user, data *webauthn.SessionData, answer *protocol.ParsedCredentialAssertionData) bool {
	flipped := *u
	flipped.creds = append([]webauthn.Credential(nil), u.creds...)
	for i := range flipped.creds {
		f := &flipped.creds[i].Flags
		f.BackupEligible = !f.BackupEligible
	}
	_, _, err := s.web.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) { return &flipped, nil }, *data, answer)
	return err == nil
}

func (s *Service) owner(ctx context.Context, handle []byte) (*user, error) {
	const op = "identity.owner"
	if len(handle) != 16 {
		return nil, refused(op, fault.Denied, errors.New("a user handle that is not ours"))
	}
	u, ok, err := load(ctx, s.cfg.DB, id.FromBytes([16]byte(handle)))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, refused(op, fault.Denied, errors.New("no such person"))
	}
	return u, nil
}

func (s *Service) signIn(ctx context.Context, p Person, v Visitor, cred *webauthn.Credential) (g Grant, err error) {
	err = sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		b, err := encodeCredential(cred)
		if err != nil {
			return err
		}
		r, err := tx.ExecContext(ctx, passkeyQ.Get("used"), b, s.now().UnixMilli(), credentialID(cred.ID), p.ID)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n != 1 { // removed while the person was touching it
			return refused("identity.signIn", fault.Denied, errors.Join(errors.New("the passkey is gone"), err))
		}
		g, err = s.startSession(ctx, tx, p, v, viaPasskey)
		return err
	})
	return g, err
}

func credentialID(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }
