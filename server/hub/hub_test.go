package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"holdfast/server/biller"
	"holdfast/sync/directory"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/natsd"
	"holdfast/sync/relay"
	"holdfast/sync/token"
	"holdfast/sync/usage"
	"holdfast/sync/wire"
)

const origin = "http://localhost:8080"

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, dir, listen string) *Hub {
	t.Helper()
	h := New(Config{DataDir: dir, LeafListen: listen, LeafSecret: "s", RPID: "localhost", Origins: []string{origin}})
	must(t, h.Open(t.Context()))
	t.Cleanup(func() { h.Close(context.Background()) })
	return h
}

// edge is a region as the hub sees one: a linked server that counts usage and passes requests on.
type edge struct {
	t    *testing.T
	nc   *nats.Conn
	srv  *natsd.Server
	cook string
	auth virtualwebauthn.Authenticator
	cred virtualwebauthn.Credential
}

func newEdge(t *testing.T, hubAddr string) *edge {
	t.Helper()
	e := &edge{t: t, auth: virtualwebauthn.NewAuthenticator()}
	for e.cred = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2); len(e.cred.Key.AttestationData()) != 77; {
		e.cred = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2) // see newKey in package api's tests
	}
	e.srv = natsd.New(natsd.Config{Name: "eu", Domain: "eu", StoreDir: t.TempDir(), HubURL: "nats-leaf://" + hubAddr, LeafSecret: "s"})
	must(t, e.srv.Open(t.Context()))
	t.Cleanup(e.srv.Close)
	var err error
	e.nc, err = e.srv.Core()
	must(t, err)
	t.Cleanup(e.nc.Close)
	js, err := jetstream.New(e.nc)
	must(t, err)
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: wire.UsageStream, Subjects: []string{"usage.eu.*"}})
	must(t, err)
	return e
}

// owned is a hub that sells by a catalogue (empty: the built-in one), and an owner with their workspace, seen through an edge.
func owned(t *testing.T, dir, catalog string) (*Hub, *edge, id.ID) {
	t.Helper()
	if catalog != "" {
		must(t, os.WriteFile(filepath.Join(dir, biller.CatalogFile), []byte(catalog), 0o600))
	}
	h := open(t, dir, "127.0.0.1:0")
	e := newEdge(t, h.LeafAddr())
	e.signUp()
	return h, e, e.workspace("Acme")
}

// workspace makes one for whoever is signed in.
func (e *edge) workspace(name string) id.ID {
	e.t.Helper()
	var ws struct{ ID id.ID }
	must(e.t, json.Unmarshal([]byte(e.ok("POST", "/api/workspaces", `{"name":"`+name+`"}`)), &ws))
	return ws.ID
}

// within tries until f succeeds: a link takes a moment to stand.
func within(t *testing.T, d time.Duration, f func() error) {
	t.Helper()
	d *= 6 // the machine may have other things to do
	deadline := time.Now().Add(d)
	for {
		err := f()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %v", d, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (e *edge) send(method, path, body string) (int, string) {
	e.t.Helper()
	status, _, answer := e.raw(method, path, body)
	return status, answer
}

func (e *edge) raw(method, path, body string, change ...func(*http.Request)) (int, http.Header, string) {
	e.t.Helper()
	var status int
	var header http.Header
	var answer string
	within(e.t, 10*time.Second, func() error {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Origin", origin)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set(wire.HeaderClient, "192.0.2.1")
		r.Header.Set(wire.HeaderRegion, "eu")
		if e.cook != "" {
			r.AddCookie(&http.Cookie{Name: token.Cookie, Value: e.cook})
		}
		for _, c := range change {
			c(r)
		}
		resp, err := relay.Call(e.t.Context(), e.nc, wire.HubHTTP, r)
		if err != nil {
			return err
		}
		b, err := io.ReadAll(resp.Body)
		for _, c := range resp.Cookies() {
			e.cook = c.Value
		}
		status, header, answer = resp.StatusCode, resp.Header, string(b)
		return err
	})
	return status, header, answer
}

func (e *edge) ok(method, path, body string) string {
	e.t.Helper()
	status, answer := e.send(method, path, body)
	if status/100 != 2 {
		e.t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	return answer
}

func (e *edge) signUp() {
	e.t.Helper()
	o, err := virtualwebauthn.ParseAttestationOptions(e.ok("POST", "/api/auth/signup/begin", `{"name":"Ana"}`))
	must(e.t, err)
	e.auth.Options.UserHandle = []byte(o.UserID)
	rp := virtualwebauthn.RelyingParty{Name: "Holdfast", ID: "localhost", Origin: origin}
	e.ok("POST", "/api/auth/signup/finish", virtualwebauthn.CreateAttestationResponse(rp, e.auth, e.cred, *o))
}

func (e *edge) register(region string) error {
	m, err := e.nc.Request(wire.HubRegion, []byte(region), 2*time.Second)
	if err != nil {
		return err
	}
	var said struct{ Error string }
	if err := json.Unmarshal(m.Data, &said); err != nil {
		return err
	}
	if said.Error != "" {
		return errors.New(said.Error)
	}
	return nil
}

// directory reads the hub's bucket over the link, as an edge does.
func (e *edge) directory(key string, v any) error {
	js, err := jetstream.NewWithDomain(e.nc, wire.HubDomain)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(e.t.Context(), time.Second)
	defer cancel()
	kv, err := js.KeyValue(ctx, wire.DirectoryBucket)
	if err != nil {
		return err
	}
	entry, err := kv.Get(ctx, key)
	if err != nil {
		return err
	}
	return json.Unmarshal(entry.Value(), v)
}

// The whole hub over a real link: registration, sign-up, a workspace, its usage, and all of it again after a restart.
func TestHub(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir, "127.0.0.1:0")
	addr := h.LeafAddr()
	e := newEdge(t, addr)
	within(t, 10*time.Second, func() error { return e.register(`{"name":"eu","url":"` + origin + `"}`) })
	var region directory.Region
	within(t, 5*time.Second, func() error { return e.directory(directory.RegionKey("eu"), &region) })
	if region.URL != origin {
		t.Errorf("%+v", region)
	}
	e.signUp()
	ws := e.workspace("Acme")
	var tenant directory.Tenant
	must(t, e.directory(directory.TenantKey(ws), &tenant)) // at once: the answer came after the directory
	if tenant.Home != "eu" || len(tenant.Members) != 1 {
		t.Errorf("%+v", tenant)
	}
	count := func(n uint64) {
		ev := usage.Event{ID: usage.RangeID(usage.ChangesSeries(ws), 1, n), Source: "edge/eu", Meter: usage.Changes, Tenant: ws, Time: time.Now(), Quantity: int64(n)}
		must(t, e.nc.Publish(wire.UsageSubject("eu", ws), ev.Encode()))
	}
	used := func(want string) func() error {
		return func() error {
			if got := e.ok("GET", "/api/workspaces/"+string(ws)+"/usage", ""); !strings.Contains(got, want) {
				return errors.New(got)
			}
			return nil
		}
	}
	count(3)
	within(t, 5*time.Second, used(`{"meter":"changes","unit":"changes","quantity":3}`))
	if err := used(`{"meter":"seats","unit":"seats","quantity":1}`)(); err != nil {
		t.Error(err)
	}

	must(t, h.Close(t.Context()))
	r := httptest.NewRequest("GET", "/api/auth/sessions", nil)
	if _, err := relay.Call(t.Context(), e.nc, wire.HubHTTP, r); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("the hub is away: %v", err)
	}
	count(5)
	open(t, dir, addr)
	within(t, 10*time.Second, used(`{"meter":"changes","unit":"changes","quantity":5}`)) // without the region registering again
	e.ok("POST", "/api/auth/renew", "")
}

func TestRegistrations(t *testing.T) {
	h := open(t, t.TempDir(), "127.0.0.1:0")
	e := newEdge(t, h.LeafAddr())
	within(t, 10*time.Second, func() error { return e.register(`{"name":"eu","url":"https://eu.example.com"}`) })
	for _, bad := range []string{
		"", "[]", `{"name":"eu"}`, `{"name":"","url":"https://x.example"}`, `{"name":"hub","url":"https://x.example"}`, `{"name":"EU","url":"https://x.example"}`,
		`{"name":"e.u","url":"https://x.example"}`, `{"name":"` + strings.Repeat("e", nameBytesMax+1) + `","url":"https://x.example"}`,
		`{"name":"eu","url":"https://x.example/path"}`, `{"name":"eu","url":"ftp://x.example"}`, `{"name":"eu","url":"https://u:p@x.example"}`, `{"name":"eu","url":"javascript:alert(1)"}`,
	} {
		if err := e.register(bad); err == nil || !strings.HasSuffix(err.Error(), ".") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for i := range regionsMax - 1 {
		must(t, e.register(fmt.Sprintf(`{"name":"r%d","url":"https://r%d.example"}`, i, i)))
	}
	if err := e.register(`{"name":"more","url":"https://x.example"}`); err == nil {
		t.Error("more regions than there can be")
	}
	must(t, e.register(`{"name":"eu","url":"https://eu2.example.com"}`))
	within(t, 5*time.Second, func() error {
		var r directory.Region
		if err := e.directory(directory.RegionKey("eu"), &r); err != nil || r.URL != "https://eu2.example.com" {
			return fmt.Errorf("%+v, %w", r, err)
		}
		return nil
	})
}

func TestRefusesToStart(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir, "127.0.0.1:0")
	second := New(Config{DataDir: dir, LeafListen: "127.0.0.1:0", RPID: "localhost", Origins: []string{origin}})
	if err := second.Open(t.Context()); fault.KindOf(err) != fault.Busy || !strings.Contains(fault.DetailOf(err), "in use") {
		t.Errorf("a second hub on one folder: %v", err)
	}
	taken := New(Config{DataDir: t.TempDir(), LeafListen: h.LeafAddr(), RPID: "localhost", Origins: []string{origin}})
	if err := taken.Open(t.Context()); err == nil || fault.DetailOf(err) == "" {
		t.Errorf("a port in use: %v", err)
	}
	wrong := New(Config{DataDir: t.TempDir(), LeafListen: "127.0.0.1:0", RPID: "not a domain", Origins: []string{origin}})
	if err := wrong.Open(t.Context()); fault.KindOf(err) != fault.Invalid {
		t.Errorf("%v", err)
	}
	must(t, h.Close(t.Context()))
	open(t, dir, "127.0.0.1:0")
}
