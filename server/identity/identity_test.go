package identity

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"pgregory.net/rapid"

	"holdfast/server/hubdb"
	"holdfast/sync/fault"
)

func newService(t *testing.T, now func() time.Time, rnd io.Reader) *Service {
	t.Helper()
	db, err := hubdb.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s := New(Config{DB: db, RPID: "localhost", RPName: "Holdfast", Origins: []string{"http://localhost:8080"}, Now: now, Rand: rnd, Log: slog.New(slog.DiscardHandler)})
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestOrigins(t *testing.T) {
	for _, c := range []struct {
		rpID, origin string
		ok           bool
	}{
		{"localhost", "http://localhost:8080", true},
		{"example.com", "https://example.com", true},
		{"example.com", "https://eu.example.com", true},
		{"example.com", "https://notexample.com", false},
		{"example.com", "http://eu.example.com", false},
		{"example.com", "https://example.com/", false},
		{"example.com", "example.com", false},
		{"localhost", "http://127.0.0.1:8080", false},
	} {
		err := checkOrigins("x", c.rpID, []string{c.origin})
		if (err == nil) != c.ok || err != nil && !strings.HasSuffix(fault.DetailOf(err), ".") {
			t.Errorf("%s at %s: %v", c.rpID, c.origin, err)
		}
	}
}

// What the library hands out is stored and comes back whole, also what it may add one day: a lost field has broken every
// registration of a product before.
func TestCeremonyRoundTrip(t *testing.T) {
	now := time.Now()
	s := newService(t, func() time.Time { return now }, rand.Reader)
	_, data, err := s.web.BeginRegistration(&user{Person: Person{"01jd0000000000000000000000", "Ana"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(data.CredParams) == 0 {
		t.Fatal("the library's data has no algorithms: nothing is tested here")
	}
	if err := s.remember(t.Context(), ceremony{kindAdd, "01jd0000000000000000000000", "Ana", data}); err != nil {
		t.Fatal(err)
	}
	c, err := s.take(t.Context(), kindAdd, data.Challenge)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(c.data)
	want, _ := json.Marshal(data)
	if !bytes.Equal(got, want) {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if _, err := s.take(t.Context(), kindAdd, data.Challenge); fault.KindOf(err) != fault.Denied {
		t.Errorf("taken twice: %v", err)
	}
}

func TestCredentialRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		raw := protocol.AuthenticatorFlags(rapid.Byte().Draw(r, "flags"))
		c := webauthn.Credential{ID: []byte{1}, PublicKey: []byte{2}, Flags: webauthn.NewCredentialFlags(raw)}
		c.Authenticator.SignCount = rapid.Uint32().Draw(r, "count")
		c.Flags.UserVerified = rapid.Bool().Draw(r, "latched") // may be ahead of the raw byte
		b, err := encodeCredential(&c)
		if err != nil {
			r.Fatal(err)
		}
		got, err := decodeCredential(b)
		if err != nil || got.Flags != c.Flags || got.Flags.ProtocolValue() != raw || got.Authenticator.SignCount != c.Authenticator.SignCount {
			r.Fatalf("got %+v, want %+v, %v", got.Flags, c.Flags, err)
		}
	})
}

// At the bound of ceremonies, expired ones make room; without any the answer says to wait.
func TestCeremoniesMax(t *testing.T) {
	now := time.Now()
	s := newService(t, func() time.Time { return now }, rand.Reader)
	_, err := s.cfg.DB.Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < ?)
		INSERT INTO ceremony SELECT CAST(i AS BLOB), 'x', '', '', '', ? FROM n`, ceremoniesMax, now.Add(ceremonyTTL).UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.BeginSignIn(t.Context(), Visitor{}); fault.KindOf(err) != fault.Busy {
		t.Errorf("got %v", err)
	}
	now = now.Add(ceremonyTTL)
	if _, err := s.BeginSignIn(t.Context(), Visitor{}); err != nil {
		t.Errorf("got %v", err)
	}
}

// A session that has been over for a month leaves nothing behind; one that stands is left alone.
func TestSessionsAreForgotten(t *testing.T) {
	now := time.Now()
	s := newService(t, func() time.Time { return now }, rand.Reader)
	at := func(d time.Duration) int64 { return now.Add(-d).UnixMilli() }
	for name, v := range map[string][2]any{
		"stands":    {at(sessionIdleMax), nil},
		"ended":     {at(sessionsKept), at(sessionsKept)},
		"long-over": {at(sessionsKept + time.Hour), at(sessionsKept + time.Minute)},
		"idle":      {at(sessionsKept + sessionIdleMax + time.Minute), nil},
	} {
		if _, err := s.cfg.DB.Exec("INSERT INTO session VALUES (?, 'p', 'passkey', '', '', '', 0, ?, ?)", name, v[0], v[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.dropExpired(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left string
	if err := s.cfg.DB.QueryRow("SELECT group_concat(id, ' ' ORDER BY id) FROM session").Scan(&left); err != nil || left != "ended stands" {
		t.Errorf("left: %s, %v", left, err)
	}
}

func TestCodes(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		code, err := newCode(bytes.NewReader(rapid.SliceOfN(rapid.Byte(), 12, 12).Draw(r, "random")))
		if err != nil || len(code) != 14 {
			r.Fatalf("%q %v", code, err)
		}
		typed := strings.NewReplacer("0", "O", "1", "l", "-", " ").Replace(strings.ToUpper(code))
		if normalCode(typed) != normalCode(code) || len(normalCode(code)) != 12 {
			r.Fatalf("%q typed as %q", code, typed)
		}
	})
}

func TestDescribeAgent(t *testing.T) {
	for ua, want := range map[string]string{
		"": "Unknown browser",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36 Edg/131.0":            "Edge on Windows",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile Safari/604.1": "Safari on iPhone",
		"Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0":                                                           "Firefox on Linux",
		"strange\x00agent\xff": "strangeagent",
	} {
		if got := describeAgent(ua); got != want {
			t.Errorf("%q: got %q, want %q", ua, got, want)
		}
	}
	if got := describeAgent(strings.Repeat("ä", 5000)); len(got) > agentBytesMax {
		t.Errorf("%d bytes", len(got))
	}
}
