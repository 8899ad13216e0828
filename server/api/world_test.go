package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/nats-io/nats.go/jetstream"

	"holdfast/server/directory"
	"holdfast/server/hubdb"
	"holdfast/server/identity"
	"holdfast/server/tenancy"
	"holdfast/sync/id"
	"holdfast/sync/natsd"
	"holdfast/sync/token"
	"holdfast/sync/wire"
)

// world is a hub's people side behind real HTTP, with a real directory bucket.
type world struct {
	t      *testing.T
	ctx    context.Context
	db     *sql.DB
	js     jetstream.JetStream
	srv    *httptest.Server
	people *identity.Service
	tenant *tenancy.Service
	logs   lockedBuffer
	mu     sync.Mutex
	at     time.Time
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string { b.mu.Lock(); defer b.mu.Unlock(); return b.b.String() }

type noUsage struct{}

func (noUsage) Month(context.Context, id.ID, time.Time) ([]UsageRow, time.Time, error) {
	return []UsageRow{{"changes", "changes", 7}}, time.UnixMilli(1), nil
}

func newWorld(t *testing.T, rates identity.Rates) *world {
	t.Helper()
	w := &world{t: t, ctx: t.Context(), at: time.Now().Truncate(time.Second)}
	log := slog.New(slog.NewTextHandler(&w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	nd := natsd.New(natsd.Config{Name: "hub", Domain: wire.HubDomain, StoreDir: t.TempDir()})
	must(t, nd.Open(w.ctx))
	t.Cleanup(nd.Close)
	nc, err := nd.Core()
	must(t, err)
	t.Cleanup(nc.Close)
	w.js, err = jetstream.New(nc)
	must(t, err)
	w.db, err = hubdb.Open(w.ctx, t.TempDir())
	must(t, err)
	t.Cleanup(func() { w.db.Close() })
	pub := directory.New(directory.Config{DB: w.db, JS: w.js, Now: w.now, Log: log})
	must(t, pub.Open(w.ctx))
	t.Cleanup(pub.Close)
	w.tenant = tenancy.New(tenancy.Config{DB: w.db, Now: w.now, Rand: rand.Reader, Log: log})
	w.srv = httptest.NewUnstartedServer(nil)
	w.srv.Start()
	t.Cleanup(w.srv.Close)
	w.people = identity.New(identity.Config{DB: w.db, RPID: "localhost", RPName: "Holdfast", Origins: []string{origin}, Rates: rates,
		Now: w.now, Rand: rand.Reader, Log: log, Changed: pub.Wake,
		Renamed: func(ctx context.Context, tx *sql.Tx, p identity.Person) error { return w.tenant.Renamed(ctx, tx, p.ID) }})
	must(t, w.people.Open(w.ctx))
	t.Cleanup(w.people.Close)
	w.srv.Config.Handler = New(Config{Identity: w.people, Tenancy: w.tenant, Usage: noUsage{}, Flush: pub.Flush, Origins: []string{origin}, Now: w.now, Log: log})
	return w
}

const origin = "http://localhost:8080"

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) now() time.Time       { w.mu.Lock(); defer w.mu.Unlock(); return w.at }
func (w *world) pass(d time.Duration) { w.mu.Lock(); w.at = w.at.Add(d); w.mu.Unlock() }

// browser is one browser profile with its cookies and one authenticator.
type browser struct {
	w    *world
	jar  http.CookieJar
	auth virtualwebauthn.Authenticator
	cred virtualwebauthn.Credential
	rp   virtualwebauthn.RelyingParty
	ip   string
	last http.Header // of the latest answer
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	must(w.t, err)
	return &browser{w: w, jar: jar, ip: "192.0.2.1",
		auth: virtualwebauthn.NewAuthenticator(), cred: newKey(),
		rp: virtualwebauthn.RelyingParty{Name: "Holdfast", ID: "localhost", Origin: origin}}
}

// newKey makes a passkey. The library writes coordinates without leading zeros, which is no valid key (RFC 9053 §7.1.1),
// so one in 128 keys is thrown away.
func newKey() virtualwebauthn.Credential {
	const whole = 77 // bytes of a COSE key on P-256
	for {
		c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
		if len(c.Key.AttestationData()) == whole {
			return c
		}
	}
}

// send makes a request as an edge would pass it on.
func (b *browser) send(method, path, body string, change ...func(*http.Request)) (status int, answer string) {
	b.w.t.Helper()
	var rd io.Reader
	if body != "" {
		rd = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(b.w.ctx, method, b.w.srv.URL+path, rd)
	must(b.w.t, err)
	if method != http.MethodGet {
		r.Header.Set("Origin", origin)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36")
	r.Header.Set(wire.HeaderClient, b.ip)
	r.Header.Set(wire.HeaderRegion, "eu")
	for _, f := range change {
		f(r)
	}
	resp, err := (&http.Client{Jar: b.jar}).Do(r)
	must(b.w.t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	must(b.w.t, err)
	b.last = resp.Header
	return resp.StatusCode, string(raw)
}

// ok sends and wants success; v is filled from the answer.
func (b *browser) ok(method, path, body string, v any) string {
	b.w.t.Helper()
	status, answer := b.send(method, path, body)
	if status/100 != 2 {
		b.w.t.Fatalf("%s %s: %d %s\n%s", method, path, status, answer, b.w.logs.String())
	}
	if v != nil {
		must(b.w.t, json.Unmarshal([]byte(answer), v))
	}
	return answer
}

// refused sends and wants a problem of a kind.
func (b *browser) refused(kind string, status int, method, path, body string, change ...func(*http.Request)) (detail string) {
	b.w.t.Helper()
	got, answer := b.send(method, path, body, change...)
	var p struct {
		Kind, Detail string
		Status       int
	}
	if err := json.Unmarshal([]byte(answer), &p); err != nil || got != status || p.Status != status || p.Kind != kind || !strings.HasSuffix(p.Detail, ".") {
		b.w.t.Errorf("%s %s: got %d %s, want %d %s", method, path, got, answer, status, kind)
	}
	return p.Detail
}

// attest answers creation options as the browser's authenticator.
func (b *browser) attest(options string) string {
	b.w.t.Helper()
	o, err := virtualwebauthn.ParseAttestationOptions(options)
	must(b.w.t, err)
	b.auth.Options.UserHandle = []byte(o.UserID)
	return virtualwebauthn.CreateAttestationResponse(b.rp, b.auth, b.cred, *o)
}

func (b *browser) assert(options string) string {
	b.w.t.Helper()
	o, err := virtualwebauthn.ParseAssertionOptions(options)
	must(b.w.t, err)
	return virtualwebauthn.CreateAssertionResponse(b.rp, b.auth, b.cred, *o)
}

type session struct {
	Person  identity.Person
	Session struct {
		ID        id.ID
		ExpiresMS int64
	}
}

func (b *browser) signUp(name string) (s session) {
	b.w.t.Helper()
	q, _ := json.Marshal(map[string]string{"name": name})
	options := b.ok("POST", "/api/auth/signup/begin", string(q), nil)
	b.ok("POST", "/api/auth/signup/finish", b.attest(options), &s)
	return s
}

func (b *browser) signIn() (s session) {
	b.w.t.Helper()
	options := b.ok("POST", "/api/auth/signin/begin", "{}", nil)
	b.ok("POST", "/api/auth/signin/finish", b.assert(options), &s)
	return s
}

func (b *browser) token() string {
	u, err := url.Parse(b.w.srv.URL)
	must(b.w.t, err)
	for _, c := range b.jar.Cookies(u) {
		if c.Name == token.Cookie {
			return c.Value
		}
	}
	return ""
}

// directory is what edges see, by key.
func (w *world) directory() map[string]string {
	w.t.Helper()
	kv, err := w.js.KeyValue(w.ctx, wire.DirectoryBucket)
	must(w.t, err)
	keys, err := kv.ListKeys(w.ctx)
	must(w.t, err)
	m := map[string]string{}
	for k := range keys.Keys() {
		e, err := kv.Get(w.ctx, k)
		must(w.t, err)
		m[k] = string(e.Value())
	}
	return m
}

func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("not within 5 s: %s", what)
		}
	}
}
