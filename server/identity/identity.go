// Package identity knows people: how they prove who they are (passkeys, and nothing else), on which browsers they are
// signed in, and the keys that sign their sessions.
//
// A person has no login name. A sign-in asks for any passkey of this site and learns from it who it is, so there is
// nothing to guess and no answer that tells whether somebody has an account. A dialogue with an authenticator (a
// ceremony, in the standard's word) is remembered by its challenge, on the hub only, for five minutes, and ends with the
// first answer, right or wrong.
//
// A session is a row here. Its token (holdfast/sync/token) is good for a day, is verified by edges without the hub, and
// is renewed here as long as the session stands. Ending a session writes a revocation into the directory in the same
// transaction. Ending and other decisions reach the directory when the caller flushes it.
//
// Web Authentication Level 3: https://www.w3.org/TR/webauthn-3/
package identity

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"holdfast/server/throttle"
	"holdfast/sync/fault"
)

// Config is what a Service needs.
type Config struct {
	DB      *sql.DB  // opened by hubdb
	RPID    string   // the domain that passkeys belong to, such as example.com
	RPName  string   // shown by authenticators
	Origins []string // every origin from which people may sign in
	Rates   Rates
	Now     func() time.Time
	Rand    io.Reader
	Log     *slog.Logger
	// Renamed is called within the transaction that changes a person's name.
	Renamed func(ctx context.Context, tx *sql.Tx, person Person) error
	// Changed is told when directory records were committed that no caller is going to flush. It must not block.
	Changed func()
}

// Service is the hub's identity. It is safe for concurrent use.
type Service struct {
	cfg  Config
	web  *webauthn.WebAuthn
	stop context.CancelFunc
	done sync.WaitGroup

	begin, finish, code, person *throttle.Throttle

	mu   sync.RWMutex
	keys keyring
}

type keyring struct {
	kids    map[string]ed25519.PublicKey // every key that may have signed a token
	private ed25519.PrivateKey           // signs now
}

// New makes a service.
func New(cfg Config) *Service {
	cfg.Rates = cfg.Rates.orDefault()
	return &Service{cfg: cfg,
		begin: throttle.New(cfg.Rates.Begin), finish: throttle.New(cfg.Rates.Finish),
		code: throttle.New(cfg.Rates.Code), person: throttle.New(cfg.Rates.Person)}
}

// Open checks the configuration, loads the signing keys and makes the first one.
func (s *Service) Open(ctx context.Context) error {
	const op = "identity.Open"
	var err error
	s.web, err = webauthn.New(&webauthn.Config{
		RPID: s.cfg.RPID, RPDisplayName: s.cfg.RPName, RPOrigins: s.cfg.Origins,
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification: protocol.VerificationRequired,
		},
		// Some password managers add outputs that nobody asked for; refusing them would lock their users out.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
		Timeouts: webauthn.TimeoutsConfig{
			Login:        webauthn.TimeoutConfig{Timeout: ceremonyTTL, TimeoutUVD: ceremonyTTL},
			Registration: webauthn.TimeoutConfig{Timeout: ceremonyTTL, TimeoutUVD: ceremonyTTL},
		},
	})
	if err != nil {
		return &fault.Error{Op: op, Kind: fault.Invalid, Err: err,
			Detail: fmt.Sprintf("Passkeys need a domain and origins of it. %q with %q will not do: name a domain such as example.com and origins such as https://eu.example.com.", s.cfg.RPID, s.cfg.Origins)}
	}
	if err := checkOrigins(op, s.cfg.RPID, s.cfg.Origins); err != nil {
		return err
	}
	if err := s.turnKeys(ctx); err != nil {
		return fault.Wrap(op, err)
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.done.Go(func() { s.tidyAlways(run) })
	return nil
}

// checkOrigins finds an origin from which no browser would use the domain's passkeys, or only without protection.
func checkOrigins(op, rpID string, origins []string) error {
	for _, o := range origins {
		u, err := url.Parse(o)
		if err != nil || u.String() != u.Scheme+"://"+u.Host || u.Host == "" {
			return fault.Errorf(op, fault.Invalid, "%q is no origin. An origin looks like https://eu.example.com.", o)
		}
		host := u.Hostname()
		switch {
		case host != rpID && !strings.HasSuffix(host, "."+rpID):
			return fault.Errorf(op, fault.Invalid, "Browsers do not offer passkeys of %s on %s. Use a domain that both have.", rpID, o)
		case u.Scheme != "https" && !(u.Scheme == "http" && (host == "localhost" || strings.HasSuffix(host, ".localhost"))):
			return fault.Errorf(op, fault.Invalid, "%s is not safe: only localhost can do without https.", o)
		}
	}
	return nil
}

// Close stops the housekeeping.
func (s *Service) Close() {
	if s.stop != nil {
		s.stop()
	}
	s.done.Wait()
}

func (s *Service) tidyAlways(ctx context.Context) {
	t := time.NewTicker(tidyEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if err := s.tidy(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Log.Error("housekeeping of sessions failed", "err", err)
		}
	}
}

// tidy turns the signing keys and drops what has expired.
func (s *Service) tidy(ctx context.Context) error {
	if err := s.turnKeys(ctx); err != nil {
		return err
	}
	return s.dropExpired(ctx)
}

// tooOften is the answer to whoever has used up a rate.
func tooOften(op string) error {
	return fault.Errorf(op, fault.Limit, "That was too often. Wait a minute and try again.")
}

func (s *Service) now() time.Time { return s.cfg.Now() }
