// Package apikey keeps the keys with which a customer's own programs call the public API for one workspace.
//
// A key is a text such as hfk_k3xq7nbd_3mzk…: a prefix that secret scanners know, an id that may be shown, and 160 random bits. It is
// shown once, when it is made; the hub keeps a hash of it. It may do what its scopes say in its own workspace and nothing elsewhere.
// It belongs to the workspace and not to whoever made it, and is good until it expires or an owner revokes it.
package apikey

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	_ "embed"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"holdfast/server/hubdb"
	"holdfast/server/naming"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
	"holdfast/sync/work"
)

//go:embed apikey.sql
var apikeySQL string

var q = hubdb.Parse(apikeySQL)

// Prefix begins every key.
const Prefix = "hfk_"

// Scopes of a key.
const (
	WriteEvents  = "events:write"
	ReadBilling  = "billing:read"
	WriteBilling = "billing:write"
	ReadRules    = "rules:read"
	WriteRules   = "rules:write"
)

// Scopes lists all there are.
var Scopes = []string{WriteEvents, ReadBilling, WriteBilling, ReadRules, WriteRules}

// Config is what a Service needs.
type Config struct {
	DB   *sql.DB // opened by hubdb
	Role func(ctx context.Context, tenant, person id.ID) (string, error)
	Now  func() time.Time
	Rand io.Reader
}

// Service keeps keys. It is safe for concurrent use.
type Service struct{ cfg Config }

// New makes a service.
func New(cfg Config) *Service { return &Service{cfg} }

// Key is a key without what is secret.
type Key struct {
	ID        string   `json:"id"`
	Tenant    id.ID    `json:"-"`
	Name      string   `json:"name"`
	Start     string   `json:"start"` // how the key begins
	Scopes    []string `json:"scopes"`
	Creator   string   `json:"creator"` // their name
	CreatedMS int64    `json:"createdMS"`
	ExpiresMS int64    `json:"expiresMS,omitempty"` // 0: never
	UsedMS    int64    `json:"usedMS,omitempty"`    // last, to the minute; 0: never
}

// May tells whether the key has a scope. Who may change something may read it.
func (k Key) May(scope string) bool {
	return slices.Contains(k.Scopes, scope) || scope == ReadBilling && slices.Contains(k.Scopes, WriteBilling) || scope == ReadRules && slices.Contains(k.Scopes, WriteRules)
}

// Wish is a key that is to be made.
type Wish struct {
	Name      string   `json:"name"`
	Scopes    []string `json:"scopes"`
	ExpiresMS int64    `json:"expiresMS"` // 0: never
}

var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Create makes a key for a workspace, on behalf of an owner, and gives its text, which cannot be had again.
func (s *Service) Create(ctx context.Context, tenant, caller id.ID, w Wish) (k Key, text string, err error) {
	const op = "apikey.Create"
	if err := s.owner(ctx, op, tenant, caller, false); err != nil {
		return k, "", err
	}
	now := s.cfg.Now()
	name, err := naming.Clean(op, "the key", w.Name)
	if err != nil {
		return k, "", err
	}
	scopes := []string{}
	for _, one := range Scopes {
		if slices.Contains(w.Scopes, one) {
			scopes = append(scopes, one)
		}
	}
	if len(scopes) == 0 || len(scopes) != len(w.Scopes) {
		return k, "", fault.Errorf(op, fault.Invalid, "Choose what the key may do: %s, each at most once.", strings.Join(Scopes, ", "))
	}
	if until := time.UnixMilli(w.ExpiresMS); w.ExpiresMS != 0 && (until.Before(now.Add(lifetimeMin)) || until.After(now.Add(lifetimeMax))) {
		return k, "", fault.Errorf(op, fault.Invalid, "A key expires within ten years, and not in the past.")
	}
	random := make([]byte, idBytes+secretBytes)
	if _, err := io.ReadFull(s.cfg.Rand, random); err != nil {
		return k, "", fault.E(op, fault.Other, err)
	}
	k = Key{ID: encoding.EncodeToString(random[:idBytes]), Tenant: tenant, Name: name, Scopes: scopes, CreatedMS: now.UnixMilli(), ExpiresMS: w.ExpiresMS}
	k.Start = Prefix + k.ID
	text = k.Start + "_" + encoding.EncodeToString(random[idBytes:])
	err = sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, q.Get("count"), tenant).Scan(&n); err != nil {
			return err
		}
		if n >= keysMax {
			return fault.Errorf(op, fault.Limit, "The workspace has %d keys, the most there can be. Revoke one that is not used.", keysMax)
		}
		_, err := tx.ExecContext(ctx, q.Get("add"), k.ID, hash(text), tenant, name, strings.Join(scopes, " "), caller, k.CreatedMS, sql.NullInt64{Int64: w.ExpiresMS, Valid: w.ExpiresMS != 0})
		return err
	})
	return k, text, fault.Wrap(op, err)
}

// List gives the keys of a workspace that are not revoked, the newest first, to owners and admins.
func (s *Service) List(ctx context.Context, tenant, caller id.ID) ([]Key, error) {
	const op = "apikey.List"
	if err := s.owner(ctx, op, tenant, caller, true); err != nil {
		return nil, err
	}
	rows, err := s.cfg.DB.QueryContext(ctx, q.Get("list"), tenant)
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	defer rows.Close()
	list := []Key{}
	for rows.Next() {
		k, scopes := Key{Tenant: tenant}, ""
		if err := rows.Scan(&k.ID, &k.Name, &scopes, &k.CreatedMS, &k.ExpiresMS, &k.UsedMS, &k.Creator); err != nil {
			return nil, sqlite.Wrap(op, err)
		}
		k.Scopes, k.Start = strings.Fields(scopes), Prefix+k.ID
		list = append(list, k)
	}
	return list, sqlite.Wrap(op, rows.Err())
}

// Revoke ends a key at once, on behalf of an owner.
func (s *Service) Revoke(ctx context.Context, tenant, caller id.ID, key string) error {
	const op = "apikey.Revoke"
	if err := s.owner(ctx, op, tenant, caller, false); err != nil {
		return err
	}
	r, err := s.cfg.DB.ExecContext(ctx, q.Get("revoke"), s.cfg.Now().UnixMilli(), tenant, key)
	if err != nil {
		return sqlite.Wrap(op, err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return fault.Errorf(op, fault.NotFound, "There is no such key, or it was revoked already. Load the list again.")
	}
	return nil
}

func (s *Service) owner(ctx context.Context, op string, tenant, caller id.ID, look bool) error {
	role, err := s.cfg.Role(ctx, tenant, caller)
	if err == nil && role != work.Owner && !(look && role == work.Admin) {
		err = fault.Errorf(op, fault.Denied, "Only owners make and revoke API keys. Ask an owner.")
	}
	return err
}

// Authenticate finds the key that a text is: Expired for one that is not good, whatever the reason.
func (s *Service) Authenticate(ctx context.Context, text string) (Key, error) {
	const op = "apikey.Authenticate"
	k, err := s.find(ctx, text)
	if fault.KindOf(err) == fault.Denied {
		return Key{}, &fault.Error{Op: op, Kind: fault.Expired, Detail: "This API key is not good: it is mistyped, has expired or was revoked. An owner can make a new one.", Err: err}
	}
	if err != nil {
		return Key{}, fault.Wrap(op, err)
	}
	if now := s.cfg.Now(); now.Sub(time.UnixMilli(k.UsedMS)) >= usedEvery {
		if _, err := s.cfg.DB.ExecContext(ctx, q.Get("used"), now.UnixMilli(), k.ID); err != nil {
			return Key{}, sqlite.Wrap(op, err)
		}
	}
	return k, nil
}

func (s *Service) find(ctx context.Context, text string) (Key, error) {
	const op = "apikey.find"
	rest, ok := strings.CutPrefix(text, Prefix)
	name, _, found := strings.Cut(rest, "_")
	if !ok || !found || len(text) > keyBytesMax {
		return Key{}, fault.E(op, fault.Denied, errors.New("not a key"))
	}
	k := Key{ID: name, Start: Prefix + name}
	var want []byte
	var scopes string
	var over bool
	err := s.cfg.DB.QueryRowContext(ctx, q.Get("find"), name).Scan(&want, &k.Tenant, &k.Name, &scopes, &k.ExpiresMS, &k.UsedMS, &over)
	if errors.Is(err, sql.ErrNoRows) {
		return Key{}, fault.E(op, fault.Denied, errors.New("unknown"))
	}
	if err != nil {
		return Key{}, sqlite.Wrap(op, err)
	}
	if subtle.ConstantTimeCompare(want, hash(text)) != 1 {
		return Key{}, fault.E(op, fault.Denied, errors.New("another secret"))
	}
	if over || k.ExpiresMS != 0 && !s.cfg.Now().Before(time.UnixMilli(k.ExpiresMS)) {
		return Key{}, fault.E(op, fault.Denied, fmt.Errorf("key %s is revoked or expired", name))
	}
	k.Scopes = strings.Fields(scopes)
	return k, nil
}

func hash(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}
