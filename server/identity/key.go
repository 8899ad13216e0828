package identity

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	_ "embed"
	"io"
	"time"

	"holdfast/server/hubdb"
	"holdfast/sync/directory"
	"holdfast/sync/fault"
	"holdfast/sync/sqlite"
	"holdfast/sync/token"

	outbox "holdfast/server/directory"
)

//go:embed sql/key.sql
var keySQL string

var keyQ = hubdb.Parse(keySQL)

type signingKey struct {
	kid     string
	seed    []byte // nil when retired
	public  ed25519.PublicKey
	signs   time.Time
	retired bool
}

// turnKeys makes a new signing key when the newest is old, retires keys that have been replaced, and loads them all.
//
// A new key is published before it signs, so that no edge meets a token whose key it does not know. A replaced key stays
// in the directory until the last token that it signed has expired; its public half stays here, for renewals.
func (s *Service) turnKeys(ctx context.Context) error {
	const op = "identity.turnKeys"
	var ring keyring
	err := sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		now := s.now()
		keys, err := loadKeys(ctx, tx)
		if err != nil {
			return err
		}
		if n := len(keys); n == 0 || now.Sub(keys[n-1].signs) >= keyAgeMax {
			k, err := s.newKey(ctx, tx, now, n == 0)
			if err != nil {
				return err
			}
			keys = append(keys, k)
		}
		if err := retire(ctx, tx, keys, now); err != nil {
			return err
		}
		ring = ringOf(keys, now)
		return nil
	})
	if err != nil {
		return fault.Wrap(op, err)
	}
	s.mu.Lock()
	s.keys = ring
	s.mu.Unlock()
	if s.cfg.Changed != nil {
		s.cfg.Changed()
	}
	return nil
}

func loadKeys(ctx context.Context, tx *sql.Tx) ([]signingKey, error) {
	rows, err := tx.QueryContext(ctx, keyQ.Get("list"))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []signingKey
	for rows.Next() {
		var k signingKey
		var signs int64
		var retired sql.NullInt64
		if err := rows.Scan(&k.kid, &k.seed, &k.public, &signs, &retired); err != nil {
			return nil, err
		}
		k.signs, k.retired = time.UnixMilli(signs), retired.Valid
		list = append(list, k)
	}
	return list, rows.Err()
}

func (s *Service) newKey(ctx context.Context, tx *sql.Tx, now time.Time, first bool) (k signingKey, err error) {
	k.seed = make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(s.cfg.Rand, k.seed); err != nil {
		return k, err
	}
	k.public = ed25519.NewKeyFromSeed(k.seed).Public().(ed25519.PublicKey)
	k.kid, k.signs = token.KID(k.public), now
	if !first {
		k.signs = now.Add(keySettle)
	}
	if _, err := tx.ExecContext(ctx, keyQ.Get("add"), k.kid, k.seed, []byte(k.public), k.signs.UnixMilli()); err != nil {
		return k, err
	}
	s.cfg.Log.Info("new signing key", "kid", k.kid, "signs", k.signs)
	return k, outbox.Put(ctx, tx, directory.SigningKey(k.kid), directory.Key{Public: k.public}, time.Time{})
}

// retire ends each key whose successor has signed for longer than a token lives.
func retire(ctx context.Context, tx *sql.Tx, keys []signingKey, now time.Time) error {
	for i := range keys {
		k := &keys[i]
		if i+1 >= len(keys) || k.retired || now.Sub(keys[i+1].signs) <= token.TTL+time.Hour {
			continue
		}
		k.retired, k.seed = true, nil
		if _, err := tx.ExecContext(ctx, keyQ.Get("retire"), now.UnixMilli(), k.kid); err != nil {
			return err
		}
		if err := outbox.Remove(ctx, tx, directory.SigningKey(k.kid)); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, keyQ.Get("forget"), now.Add(-retiredKeysFor).UnixMilli())
	return err
}

func ringOf(keys []signingKey, now time.Time) keyring {
	r := keyring{kids: make(map[string]ed25519.PublicKey, len(keys))}
	for _, k := range keys {
		r.kids[k.kid] = k.public
		if !k.retired && (r.private == nil || !k.signs.After(now)) {
			r.private = ed25519.NewKeyFromSeed(k.seed)
		}
	}
	return r
}

func (s *Service) publicKey(kid string) (ed25519.PublicKey, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	k, ok := s.keys.kids[kid]
	return k, ok
}
