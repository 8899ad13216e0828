// Package token is the session token: what the hub signs, every edge verifies without asking anybody, and the browser
// carries in a cookie that scripts cannot read.
//
// It is a JWT (RFC 7519) signed with Ed25519 (EdDSA, RFC 8037). The header's kid is derived from the public key, so a
// key listed under another key's name is never used. No other algorithm is accepted, whatever the header says.
//
// A token says who somebody is and until when, and nothing about workspaces: membership is read from the directory at
// the moment of use. That a session was ended early is in the directory too; Verify does not look there.
package token

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// Cookie is the name of the cookie that carries the token.
const Cookie = "holdfast_session"

// Claims are what a token says.
type Claims struct {
	Session id.ID     // sid
	Person  id.ID     // sub
	Name    string    // the person's name when the token was made
	Issued  time.Time // iat, whole seconds
	Expires time.Time // exp, whole seconds
}

// Keys finds the public key of a kid; ok is false when there is none.
type Keys func(kid string) (key ed25519.PublicKey, ok bool)

// KID names a public key: the first 16 hex digits of its SHA-256.
func KID(public ed25519.PublicKey) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:kidBytes])
}

type payload struct {
	SID  id.ID  `json:"sid"`
	Name string `json:"name"`
	jwt.RegisteredClaims
}

// Sign makes the token. Times are cut to whole seconds.
func Sign(c Claims, key ed25519.PrivateKey) (string, error) {
	const op = "token.Sign"
	if err := c.check(); err != nil {
		return "", fault.Wrap(op, err)
	}
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, payload{
		SID: c.Session, Name: c.Name,
		RegisteredClaims: jwt.RegisteredClaims{
			Subject:   string(c.Person),
			IssuedAt:  jwt.NewNumericDate(c.Issued),
			ExpiresAt: jwt.NewNumericDate(c.Expires),
		},
	})
	t.Header["kid"] = KID(key.Public().(ed25519.PublicKey))
	raw, err := t.SignedString(key)
	return raw, fault.As(op, fault.Other, err)
}

// Verify reads a token and checks its signature and its time.
//
// Kinds: Denied when it is no token of ours; Expired when it was signed by us and its time is over, in which case the
// claims are returned too, so that the hub can renew it.
func Verify(raw string, keys Keys, now time.Time) (Claims, error) {
	const op = "token.Verify"
	if raw == "" || len(raw) > bytesMax {
		return Claims{}, fault.E(op, fault.Denied, errors.New("no token"))
	}
	var p payload
	parser := jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithoutClaimsValidation(), jwt.WithStrictDecoding())
	_, err := parser.ParseWithClaims(raw, &p, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		key, ok := keys(kid)
		if !ok || len(key) != ed25519.PublicKeySize || KID(key) != kid {
			return nil, errors.New("unknown key")
		}
		return key, nil
	})
	if err != nil {
		return Claims{}, fault.E(op, fault.Denied, err)
	}
	c := Claims{Session: p.SID, Person: id.ID(p.Subject), Name: p.Name}
	if p.IssuedAt == nil || p.ExpiresAt == nil {
		return Claims{}, fault.E(op, fault.Denied, errors.New("a token without times"))
	}
	c.Issued, c.Expires = p.IssuedAt.Time, p.ExpiresAt.Time
	if err := c.check(); err != nil {
		return Claims{}, fault.E(op, fault.Denied, err)
	}
	if c.Issued.After(now.Add(skewMax)) {
		return Claims{}, fault.E(op, fault.Denied, errors.New("a token from the future"))
	}
	if !now.Before(c.Expires) {
		return c, fault.Errorf(op, fault.Expired, "Your session has ended. Sign in again.")
	}
	return c, nil
}

func (c Claims) check() error {
	switch {
	case !c.Session.Valid() || !c.Person.Valid():
		return fault.Errorf("token.Claims", fault.Invalid, "a token needs a session and a person")
	case len(c.Name) > nameBytesMax:
		return fault.Errorf("token.Claims", fault.TooLarge, "a name of more than %d bytes", nameBytesMax)
	case !c.Expires.After(c.Issued):
		return fault.Errorf("token.Claims", fault.Invalid, "a token must expire after it was issued")
	}
	return nil
}
