// Package directory is the contract of what the hub tells every edge: who may enter which workspace, which keys sign
// sessions, which sessions are revoked, which regions there are, which rules a workspace has.
//
// The hub writes JSON records into a JetStream key-value bucket; every edge keeps a durable copy and serves from it, so
// that signed-in people go on while the hub is away. Records are whole: a newer revision of a key replaces the older.
package directory

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"time"

	"holdfast/sync/id"
	"holdfast/sync/rule"
)

// Keys of the bucket.
const (
	tenantPrefix  = "tenant."
	keyPrefix     = "key."
	revokedPrefix = "revoked."
	regionPrefix  = "region."
	rulePrefix    = "rule."
)

func TenantKey(t id.ID) string        { return tenantPrefix + string(t) }
func SigningKey(kid string) string    { return keyPrefix + kid }
func RevokedKey(session id.ID) string { return revokedPrefix + string(session) }
func RegionKey(name string) string    { return regionPrefix + name }
func RuleKey(t, rule id.ID) string    { return rulePrefix + string(t) + "." + string(rule) }

// Split tells what a key is: "tenant", "key", "revoked", "region", "rule" or "" and the name behind it.
func Split(key string) (kind, name string) {
	kind, name, ok := strings.Cut(key, ".")
	if !ok {
		return "", ""
	}
	return kind, name
}

// Tenant is a workspace as edges need it.
type Tenant struct {
	ID        id.ID            `json:"id"`
	Name      string           `json:"name"`    // as named at creation; the live name is in the workspace's own data
	Home      string           `json:"home"`    // region of commands that need one place
	Regions   []string         `json:"regions"` // regions that may hold its data; empty: all
	Members   []Member         `json:"members"` // also former ones, with Active false
	Limits    map[string]int64 `json:"limits,omitempty"`
	State     string           `json:"state"` // Active, Restricted or Deleted
	CreatedMS int64            `json:"createdMS"`
}

// The states of a tenant.
const (
	Active     = "active"
	Restricted = "restricted" // reading only
	Deleted    = "deleted"
)

// Member is one person's place in a workspace.
type Member struct {
	Person    id.ID  `json:"person"`
	Name      string `json:"name"`
	Role      string `json:"role"` // work.Roles
	Color     string `json:"color"`
	Active    bool   `json:"active"`
	ChangedMS int64  `json:"changedMS"` // of this record; the stamp of the projected member row
}

// Member finds a person, or nil.
func (t *Tenant) Member(person id.ID) *Member {
	for i := range t.Members {
		if t.Members[i].Person == person {
			return &t.Members[i]
		}
	}
	return nil
}

// Serves tells whether a region may hold the tenant's data.
func (t *Tenant) Serves(region string) bool {
	for _, r := range t.Regions {
		if r == region {
			return true
		}
	}
	return len(t.Regions) == 0
}

// Key is a public key that signs sessions: Ed25519, 32 bytes.
type Key struct {
	Public []byte `json:"public"`
}

// Revoked says that a session is over; the record may be dropped after Until, when its tokens have expired anyway.
type Revoked struct {
	Until time.Time `json:"until"`
}

// Region is a place that serves workspaces.
type Region struct {
	Name string `json:"name"`
	URL  string `json:"url"` // origin that browsers open, such as https://eu.example.com
}

// Rule is a workspace's rule that is switched on (package rule).
type Rule struct {
	Tenant id.ID  `json:"tenant"`
	ID     id.ID  `json:"id"`
	Name   string `json:"name"`
	Hash   []byte `json:"hash"` // SHA-256 of Module
	Module []byte `json:"module"`
}

// Valid tells whether the record is whole.
func (r *Rule) Valid() bool {
	sum := sha256.Sum256(r.Module)
	return r.Tenant.Valid() && r.ID.Valid() && r.Name != "" && len(r.Module) <= rule.ModuleBytesMax && bytes.Equal(sum[:], r.Hash)
}
