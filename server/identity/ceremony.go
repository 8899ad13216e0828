package identity

import (
	"context"
	"crypto/sha256"
	"database/sql"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"

	"github.com/go-webauthn/webauthn/webauthn"

	"holdfast/server/hubdb"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
)

//go:embed sql/ceremony.sql
var ceremonySQL string

var ceremonyQ = hubdb.Parse(ceremonySQL)

// What a ceremony is for. An answer to one kind is never taken for another.
const (
	kindSignUp = "sign-up"
	kindSignIn = "sign-in"
	kindAdd    = "add"
)

// ceremony is a dialogue under way. The library's data is kept whole and opaque: rebuilding it field by field has broken
// every registration of a product before, when a field was added.
type ceremony struct {
	kind   string
	person id.ID
	name   string
	data   *webauthn.SessionData
}

func challengeKey(challenge string) []byte {
	sum := sha256.Sum256([]byte(challenge))
	return sum[:]
}

// remember stores the ceremony under its challenge.
func (s *Service) remember(ctx context.Context, c ceremony) error {
	const op = "identity.remember"
	data, err := json.Marshal(c.data)
	if err != nil {
		return fault.E(op, fault.Other, err)
	}
	now := s.now()
	err = sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, ceremonyQ.Get("count")).Scan(&n); err != nil {
			return err
		}
		if n >= ceremoniesMax {
			if _, err := tx.ExecContext(ctx, ceremonyQ.Get("expire"), now.UnixMilli()); err != nil {
				return err
			}
			if err := tx.QueryRowContext(ctx, ceremonyQ.Get("count")).Scan(&n); err != nil {
				return err
			}
			if n >= ceremoniesMax {
				return fault.Errorf(op, fault.Busy, "Too many people are signing in at this moment. Try again in a minute.")
			}
		}
		_, err := tx.ExecContext(ctx, ceremonyQ.Get("add"), challengeKey(c.data.Challenge), c.kind, c.person, c.name, data,
			now.Add(ceremonyTTL).UnixMilli())
		return err
	})
	return fault.Wrap(op, err)
}

// take finds the ceremony that an answer belongs to and removes it, so that no answer counts twice.
func (s *Service) take(ctx context.Context, kind, challenge string) (c ceremony, err error) {
	const op = "identity.take"
	over := fault.Errorf(op, fault.Denied, "This took too long, or was answered already. Start again.")
	if raw, err := base64.RawURLEncoding.DecodeString(challenge); err != nil || len(raw) == 0 {
		return c, over
	}
	var data []byte
	var expires int64
	err = s.cfg.DB.QueryRowContext(ctx, ceremonyQ.Get("take"), challengeKey(challenge)).
		Scan(&c.kind, &c.person, &c.name, &data, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return c, over
	}
	if err != nil {
		return c, sqlite.Wrap(op, err)
	}
	if c.kind != kind || expires <= s.now().UnixMilli() {
		return c, over
	}
	c.data = new(webauthn.SessionData)
	return c, fault.As(op, fault.Corrupt, json.Unmarshal(data, c.data))
}

// dropExpired removes ceremonies and codes that nobody answered, and sessions that have been over for long: where somebody
// was signed in is nobody's business for ever.
func (s *Service) dropExpired(ctx context.Context) error {
	now := s.now()
	return sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, ceremonyQ.Get("expire"), now.UnixMilli()); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, linkQ.Get("expire"), now.UnixMilli()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, sessionQ.Get("forget"), now.Add(-sessionsKept).UnixMilli(), now.Add(-sessionsKept-sessionIdleMax).UnixMilli())
		return err
	})
}
