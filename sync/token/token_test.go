package token

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/sync/fault"
	"holdfast/sync/id"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func key(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

func keysOf(ks ...ed25519.PrivateKey) Keys {
	m := map[string]ed25519.PublicKey{}
	for _, k := range ks {
		m[KID(public(k))] = public(k)
	}
	return func(kid string) (ed25519.PublicKey, bool) { k, ok := m[kid]; return k, ok }
}

func claims() Claims {
	return Claims{Session: id.Derive("session"), Person: id.Derive("ana"), Name: "Ana", Issued: now, Expires: now.Add(TTL)}
}

func sign(t testing.TB, c Claims, k ed25519.PrivateKey) string {
	t.Helper()
	raw, err := Sign(c, k)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c := claims()
		c.Name = rapid.StringN(0, 30, nameBytesMax).Draw(r, "name")
		c.Person = id.Derive(rapid.String().Draw(r, "person"))
		at := c.Issued.Add(time.Duration(rapid.IntRange(0, int(TTL/time.Second)-1).Draw(r, "at")) * time.Second)
		raw, err := Sign(c, key(1))
		if err != nil {
			r.Fatal(err)
		}
		got, err := Verify(raw, keysOf(key(1)), at)
		if err != nil {
			r.Fatal(err)
		}
		if got.Session != c.Session || got.Person != c.Person || got.Name != c.Name || !got.Expires.Equal(c.Expires) || !got.Issued.Equal(c.Issued) {
			r.Fatalf("got %+v want %+v", got, c)
		}
	})
}

// part builds a token by hand from a header and a body in JSON and a signature.
func part(header, body string, sig func(signed string) []byte) string {
	enc := base64.RawURLEncoding.EncodeToString
	s := enc([]byte(header)) + "." + enc([]byte(body))
	return s + "." + enc(sig(s))
}

func TestRefused(t *testing.T) {
	good := sign(t, claims(), key(1))
	body, _ := base64.RawURLEncoding.DecodeString(strings.Split(good, ".")[1])
	kid1, kid2 := KID(public(key(1))), KID(public(key(2)))
	by := func(k ed25519.PrivateKey) func(string) []byte {
		return func(s string) []byte { return ed25519.Sign(k, []byte(s)) }
	}
	header := func(alg, kid string) string { return `{"alg":"` + alg + `","typ":"JWT","kid":"` + kid + `"}` }
	trusted := keysOf(key(1), key(2))
	swapped := func(kid string) (ed25519.PublicKey, bool) { // a directory record under a wrong name
		if kid == kid1 {
			return public(key(2)), true
		}
		return nil, false
	}
	for _, c := range []struct {
		name, raw string
		keys      Keys
		kind      fault.Kind
	}{
		{"empty", "", trusted, fault.Denied},
		{"not-a-token", "a.b", trusted, fault.Denied},
		{"too-long", good + strings.Repeat("x", bytesMax), trusted, fault.Denied},
		{"alg-none", part(header("none", kid1), string(body), func(string) []byte { return nil }), trusted, fault.Denied},
		{"alg-none-capitals", part(header("NONE", kid1), string(body), func(string) []byte { return nil }), trusted, fault.Denied},
		{"alg-hmac-with-public-key", part(header("HS256", kid1), string(body), func(s string) []byte {
			m := hmac.New(sha256.New, public(key(1)))
			m.Write([]byte(s))
			return m.Sum(nil)
		}), trusted, fault.Denied},
		{"wrong-key", part(header("EdDSA", kid1), string(body), by(key(3))), trusted, fault.Denied},
		{"unknown-kid", sign(t, claims(), key(3)), trusted, fault.Denied},
		{"no-kid", part(`{"alg":"EdDSA"}`, string(body), by(key(1))), trusted, fault.Denied},
		{"kid-is-number", part(`{"alg":"EdDSA","kid":7}`, string(body), by(key(1))), trusted, fault.Denied},
		{"kid-swap", part(header("EdDSA", kid2), string(body), by(key(1))), trusted, fault.Denied},
		{"key-under-wrong-name", part(header("EdDSA", kid1), string(body), by(key(2))), swapped, fault.Denied},
		{"altered-body", strings.Replace(good, ".", ".e30", 1), trusted, fault.Denied},
		{"cut-signature", good[:len(good)-4], trusted, fault.Denied},
		{"no-times", part(header("EdDSA", kid1), `{"sid":"`+string(claims().Session)+`","sub":"`+string(claims().Person)+`"}`, by(key(1))), trusted, fault.Denied},
		{"no-person", part(header("EdDSA", kid1), `{"sid":"`+string(claims().Session)+`","iat":1,"exp":2}`, by(key(1))), trusted, fault.Denied},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Verify(c.raw, c.keys, now)
			if fault.KindOf(err) != c.kind || err == nil {
				t.Fatalf("got %+v, %v; want kind %v", got, err, c.kind)
			}
			if got != (Claims{}) {
				t.Errorf("claims of a refused token came back: %+v", got)
			}
		})
	}
}

func TestTime(t *testing.T) {
	raw := sign(t, claims(), key(1))
	for _, c := range []struct {
		name string
		at   time.Time
		kind fault.Kind
		ok   bool
	}{
		{"first-second", now, 0, true},
		{"last-second", now.Add(TTL - time.Second), 0, true},
		{"expired", now.Add(TTL), fault.Expired, false},
		{"edge-clock-behind", now.Add(-skewMax), 0, true},
		{"from-the-future", now.Add(-skewMax - time.Second), fault.Denied, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Verify(raw, keysOf(key(1)), c.at)
			if (err == nil) != c.ok || err != nil && fault.KindOf(err) != c.kind {
				t.Fatalf("got %v", err)
			}
			if c.kind == fault.Expired && got.Person != claims().Person {
				t.Errorf("an expired token must still say whose it is, for the renewal")
			}
		})
	}
}

func TestSignRefusesNonsense(t *testing.T) {
	for name, change := range map[string]func(*Claims){
		"no-session": func(c *Claims) { c.Session = "" },
		"no-person":  func(c *Claims) { c.Person = "x" },
		"long-name":  func(c *Claims) { c.Name = strings.Repeat("n", nameBytesMax+1) },
		"no-life":    func(c *Claims) { c.Expires = c.Issued },
	} {
		c := claims()
		change(&c)
		if _, err := Sign(c, key(1)); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
}

// The form of a token is what edges of other versions read: it may only ever be added to.
func TestGolden(t *testing.T) {
	got := sign(t, claims(), key(1))
	const want = "eyJhbGciOiJFZERTQSIsImtpZCI6IjM0NzUwZjk4YmQ1OWZjZmMiLCJ0eXAiOiJKV1QifQ.eyJzaWQiOiI1Y2RiOG5iOXl4Z2tqOHo5ZTgzdzF3NG5xcSIsIm5hbWUiOiJBbmEiLCJzdWIiOiIyNG4wNDAxZW1yZ3lndHh5MTR0cWZ5MG54NyIsImV4cCI6MTc5NTUyMTYwMCwiaWF0IjoxNzk1NDM1MjAwfQ.aF2mrz4Z6HMbhyktkEwgfS0t6k7C3jFUGJj9fy1E8Kmlh4SINCTj-LKBP2cQuRjTGJUtHQ7_wJwobMkGQwZ3Ag"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Every bit of a token is under the signature.
func TestEveryBitCounts(t *testing.T) {
	raw := sign(t, claims(), key(1))
	for i := range raw {
		b := []byte(raw)
		b[i] ^= 1
		if _, err := Verify(string(b), keysOf(key(1)), now); err == nil {
			t.Fatalf("byte %d may be changed: %q", i, b)
		}
	}
}

func FuzzVerify(f *testing.F) {
	good, _ := Sign(claims(), key(1))
	f.Add(good)
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, raw string) {
		if c, err := Verify(raw, keysOf(key(1)), now); err == nil && raw != good {
			t.Fatalf("accepted %q as %+v", raw, c)
		}
	})
}
