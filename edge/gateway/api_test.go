package gateway

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/nats-io/nats.go"

	"holdfast/edge/edgetest"
	"holdfast/sync/change"
	"holdfast/sync/directory"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
	"holdfast/sync/token"
	"holdfast/sync/wire"
)

func TestMe(t *testing.T) {
	w := newWorld(t)
	ana, bo := w.hub.NewPerson(), w.hub.NewPerson()
	tenant := w.workspace(ana, bo)
	if r := w.send("GET", "/api/me"); r.status != 200 || !strings.Contains(r.body, `"person":null`) {
		t.Errorf("a visitor got %d %s", r.status, r.body)
	}
	w.refused(w.send("GET", "/api/me", func(r *http.Request) { r.AddCookie(&http.Cookie{Name: token.Cookie, Value: "nonsense"}) }), 401, "expired")
	w.hub.Stop() // the answer must not depend on the hub
	defer w.hub.Start()
	r := w.send("GET", "/api/me", as(bo))
	var me meAnswer
	must(t, json.Unmarshal([]byte(r.body), &me))
	if r.status != 200 || me.Person.ID != bo.ID || me.Session.ID != bo.Session || me.Session.ExpiresMS < time.Now().UnixMilli() ||
		len(me.Workspaces) != 1 || me.Workspaces[0].ID != tenant.ID || me.Workspaces[0].Role != "member" || me.Workspaces[0].Regions == nil {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", r.header)
	}
}

func TestSessionsEnd(t *testing.T) {
	w := newWorld(t)
	ana := w.hub.NewPerson()
	tenant := w.workspace(ana)
	snapshot := "/sync/" + string(tenant.ID) + "/snapshot"
	expired, forged := ana, ana
	expired.Cookie = w.hub.Sign(ana, -time.Second)
	forged.Cookie = ana.Cookie[:len(ana.Cookie)-8] + "AAAAAAAA"
	for _, p := range []edgetest.Person{expired, forged, {Cookie: "x"}, {}} {
		w.refused(w.send("GET", "/api/me", as(p)), 401, "expired")
		w.refused(w.send("GET", snapshot, as(p)), 401, "expired")
		if _, err := w.connect(p, tenant.ID, pageURL); err == nil {
			t.Errorf("%q opened a WebSocket", p.Cookie)
		}
	}
	if r := w.send("GET", snapshot, as(ana)); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	w.known(w.hub.Revoke(ana))
	w.refused(w.send("GET", "/api/me", as(ana)), 401, "expired")
	w.refused(w.send("GET", snapshot, as(ana)), 401, "expired")
}

func TestHubProxy(t *testing.T) {
	w := newWorld(t)
	ana := w.hub.NewPerson()
	tenant := w.workspace(ana)
	w.answers(func(rw http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		http.SetCookie(rw, &http.Cookie{Name: token.Cookie, Value: "new", HttpOnly: true})
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(201)
		fmt.Fprintf(rw, "%s %s %s", r.Method, r.URL.RequestURI(), b)
	})
	r := w.send("POST", "/api/workspaces/"+string(tenant.ID)+"/invitations?a=b", as(ana), body(`{"role":"member"}`), header("Origin", pageURL),
		header("X-Forwarded-For", "10.6.6.6"), header("X-Holdfast-Region", "us"), header("X-Request-Id", "spoofed"), header("Authorization", "secret"),
		func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "other", Value: "secret"}) })
	if r.status != 201 || r.body != "POST /api/workspaces/"+string(tenant.ID)+`/invitations?a=b {"role":"member"}` || !strings.Contains(r.header.Get("Set-Cookie"), "HttpOnly") {
		t.Errorf("%d %s %v", r.status, r.body, r.header)
	}
	got := w.lastAsked()
	if h := got.Header; h.Get(wire.HeaderClient) != "127.0.0.1" || h.Get(wire.HeaderRegion) != "eu" || h.Get(wire.HeaderRequest) != r.header.Get(wire.HeaderRequest) ||
		h.Get("Origin") != pageURL || h.Get("Authorization") != "" || h.Get("Cookie") != token.Cookie+"="+ana.Cookie || h.Get("User-Agent") == "" {
		t.Errorf("the hub was asked with %v", h)
	}
	if h := w.lastAsked().Header; h.Get(wire.HeaderRequest) == "spoofed" {
		t.Errorf("%v", h)
	}
	if r.header.Get("Content-Security-Policy") == "" {
		t.Error("an answer of the hub lacks security headers")
	}
	w.refused(w.send("POST", "/api/x", body(strings.Repeat("x", bodyBytesMax+1))), 413, "too-large")
	if r := w.send("POST", "/api/x", body(strings.Repeat("x", bodyBytesMax))); r.status != 201 {
		t.Errorf("a body at the limit: %d", r.status)
	}
}

// What the hub has promised is known here before the answer goes out.
func TestReadYourWrites(t *testing.T) {
	w := newWorld(t)
	ana := w.hub.NewPerson()
	w.workspace(ana)
	for range 20 {
		fresh := directory.Tenant{ID: edgetest.NewID(), Name: "New", State: directory.Active, Members: []directory.Member{{Person: ana.ID, Role: "owner", Active: true, ChangedMS: 1}}}
		w.answers(func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set(wire.HeaderDirectory, fmt.Sprint(w.hub.Put(directory.TenantKey(fresh.ID), fresh)))
			io.WriteString(rw, "{}")
		})
		r := w.send("POST", "/api/workspaces", as(ana), body(`{"name":"New"}`), header("Origin", pageURL))
		if _, _, ok := w.node.Member(fresh.ID, ana.ID); r.status != 200 || !ok {
			t.Fatalf("%d: the region does not know the workspace yet", r.status)
		}
		if r.header.Get(wire.HeaderDirectory) != "" {
			t.Error("an inner header went out")
		}
	}
	w.answers(func(rw http.ResponseWriter, r *http.Request) { rw.Header().Set(wire.HeaderDirectory, "99999999") })
	if r := w.send("POST", "/api/workspaces", as(ana), body(`{}`)); r.status != 200 {
		t.Errorf("%d: an answer must not wait for ever", r.status)
	}
}

func TestHubAway(t *testing.T) {
	w := newWorld(t)
	ana := w.hub.NewPerson()
	tenant := w.workspace(ana)
	w.hub.Stop()
	edgetest.Eventually(t, 10*time.Second, "the link is down", func() bool { return !w.node.Linked() })
	r := w.send("POST", "/api/auth/signin/begin", body("{}"), header("Origin", pageURL))
	w.refused(r, 503, "unavailable")
	if !strings.Contains(r.body, "Your work goes on") || r.header.Get("Retry-After") == "" {
		t.Errorf("%s %v", r.body, r.header)
	}
	if r := w.send("GET", "/healthz"); r.status != 200 || !strings.Contains(r.body, `"hub":"away"`) {
		t.Errorf("%d %s", r.status, r.body)
	}
	for _, path := range []string{"/", "/api/me", "/sync/" + string(tenant.ID) + "/snapshot"} {
		if r := w.send("GET", path, as(ana)); r.status != 200 {
			t.Errorf("%s with the hub away: %d %s", path, r.status, r.body)
		}
	}
	nc, err := w.connect(ana, tenant.ID, pageURL)
	must(t, err)
	nc.Close()
	w.hub.Start()
	w.startRelay()
	edgetest.Eventually(t, 10*time.Second, "the hub answers again", func() bool { return w.send("GET", "/api/auth/sessions").status == 204 })
}

func TestCallsAreCounted(t *testing.T) {
	w := newWorld(t)
	ana, eve := w.hub.NewPerson(), w.hub.NewPerson()
	tenant := w.workspace(ana)
	usage := "/api/workspaces/" + string(tenant.ID) + "/usage"
	w.send("GET", usage, as(ana))
	w.send("GET", "/sync/"+string(tenant.ID)+"/snapshot", as(ana))
	if n := w.node.counted(tenant.ID); n != 2 {
		t.Errorf("%d counted, want 2", n)
	}
	w.send("GET", usage)          // nobody
	w.send("GET", usage, as(eve)) // a stranger must not run up somebody's bill
	w.send("GET", "/sync/"+string(tenant.ID)+"/snapshot", as(eve))
	w.send("GET", "/api/auth/sessions", as(ana)) // not for a workspace
	w.answers(func(rw http.ResponseWriter, r *http.Request) { rw.WriteHeader(500) })
	w.send("GET", usage, as(ana)) // our own failure
	if n := w.node.counted(tenant.ID); n != 2 {
		t.Errorf("%d counted, want 2", n)
	}
}

// What is sent is counted for the workspace that it was sent for: answers and snapshots as they went out, and the WebSocket's bytes.
func TestEgressIsCounted(t *testing.T) {
	w := newWorld(t)
	ana, eve := w.hub.NewPerson(), w.hub.NewPerson()
	tenant, other := w.workspace(ana), w.workspace(eve)
	w.answers(func(rw http.ResponseWriter, r *http.Request) { fmt.Fprint(rw, strings.Repeat("x", 1000)) })
	want := int64(0)
	for _, path := range []string{"/api/workspaces/" + string(tenant.ID) + "/usage", "/sync/" + string(tenant.ID) + "/snapshot"} {
		for _, coding := range []string{"", "gzip"} {
			r := w.send("GET", path, as(ana), header("Accept-Encoding", coding))
			want += int64(len(r.body))
			if r.status != 200 || len(r.body) == 0 {
				t.Fatalf("%s: %d", path, r.status)
			}
		}
	}
	edgetest.Eventually(t, 5*time.Second, "all answers are counted", func() bool { return w.node.sent(tenant.ID) == want })
	w.send("GET", "/api/workspaces/"+string(tenant.ID)+"/usage", as(eve))
	w.send("GET", "/sync/"+string(tenant.ID)+"/snapshot", as(eve))
	nc, err := w.connect(ana, tenant.ID, pageURL)
	must(t, err)
	defer nc.Close()
	edgetest.Eventually(t, 5*time.Second, "the WebSocket's bytes are counted", func() bool { return w.node.sent(tenant.ID) > want })
	if _, err := w.connect(eve, tenant.ID, pageURL); err == nil {
		t.Error("a stranger was let in")
	}
	if n := w.node.sent(other.ID); n != 0 {
		t.Errorf("%d bytes of another workspace", n)
	}
}

// A program's key goes to the public API and nowhere else; the hub says which workspace it was for, and nobody outside hears that.
func TestKeysGoToTheAPI(t *testing.T) {
	w := newWorld(t)
	ana := w.hub.NewPerson()
	tenant := w.workspace(ana)
	w.answers(func(rw http.ResponseWriter, r *http.Request) { rw.Header().Set(wire.HeaderTenant, string(tenant.ID)) })
	path := "/api/v1/workspaces/" + string(tenant.ID) + "/events"
	r := w.send("POST", path, header("Authorization", "Bearer hfk_x"), as(ana), body("[]"))
	if got := w.lastAsked(); got.Header.Get("Authorization") != "Bearer hfk_x" || got.Header.Get("Cookie") != "" {
		t.Errorf("the hub got %v", got.Header)
	}
	if n := w.node.counted(tenant.ID); n != 1 || r.header.Get(wire.HeaderTenant) != "" {
		t.Errorf("%d counted, answered with %v", n, r.header)
	}
	w.send("GET", path, as(ana))
	if got := w.lastAsked(); got.Header.Get("Cookie") == "" {
		t.Errorf("the session is missing: %v", got.Header)
	}
	w.send("GET", "/api/workspaces/"+string(tenant.ID)+"/keys", header("Authorization", "Bearer hfk_x"))
	if got := w.lastAsked(); got.Header.Get("Authorization") != "" {
		t.Errorf("the page's API got the key: %v", got.Header)
	}
	big := w.send("POST", path, header("Authorization", "Bearer hfk_x"), body("["+strings.Repeat(" ", 200<<10)+"]"))
	if big.status != 200 {
		t.Errorf("a large batch: %d %s", big.status, big.body)
	}
}

func TestManyCallsOfOneAddress(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.TrustedProxies = prefixes("127.0.0.0/8") })
	w.workspace()
	release := make(chan struct{})
	w.answers(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/wait" {
			<-release
		}
	})
	var wg sync.WaitGroup
	for range callsOfAddressMax {
		wg.Go(func() { w.send("GET", "/api/wait", header("X-Forwarded-For", "192.0.2.1")) })
	}
	defer wg.Wait()
	defer close(release)
	edgetest.Eventually(t, 5*time.Second, "all are under way", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.asked) == callsOfAddressMax
	})
	one := w.send("GET", "/api/x", header("X-Forwarded-For", "192.0.2.1"))
	w.refused(one, 429, "limit")
	if one.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if r := w.send("GET", "/api/x", header("X-Forwarded-For", "192.0.2.2")); r.status != 200 {
		t.Errorf("another address: %d %s", r.status, r.body)
	}
}

func TestSnapshot(t *testing.T) {
	w := newWorld(t)
	ana := w.hub.NewPerson()
	tenant := w.workspace(ana)
	b := edgetest.Connect(t, w.node.WebSocketAddr(), ana, tenant.ID)
	for i := range 50 {
		_, err := b.Push(b.Next(fmt.Sprintf("Project %d", i)))
		must(t, err)
	}
	path := "/sync/" + string(tenant.ID) + "/snapshot"
	plain := w.send("GET", path, as(ana))
	if plain.status != 200 || plain.header.Get("Content-Encoding") != "" || plain.header.Get("Content-Type") != "application/vnd.sqlite3" ||
		plain.header.Get(wire.HeaderBytes) != fmt.Sprint(len(plain.body)) || plain.header.Get("Cache-Control") != "private, no-cache" || !strings.Contains(plain.header.Get("Vary"), "Accept-Encoding") {
		t.Fatalf("%d %v", plain.status, plain.header)
	}
	file := filepath.Join(t.TempDir(), "snapshot.db")
	must(t, os.WriteFile(file, []byte(plain.body), 0o600))
	db, err := sqlite.Open(t.Context(), file, sqlite.Options{ReadOnly: true})
	must(t, err)
	defer db.Close()
	var n int
	must(t, db.QueryRow("SELECT count(*) FROM project").Scan(&n))
	if n != 50 {
		t.Errorf("%d projects in the snapshot", n)
	}
	tags := map[string]bool{plain.header.Get("ETag"): true}
	for coding, open := range map[string]func(io.Reader) io.Reader{
		"zstd": func(r io.Reader) io.Reader { z, err := zstd.NewReader(r); must(t, err); return z },
		"gzip": func(r io.Reader) io.Reader { z, err := gzip.NewReader(r); must(t, err); return z },
	} {
		r := w.send("GET", path, as(ana), header("Accept-Encoding", coding))
		whole, err := io.ReadAll(open(strings.NewReader(r.body)))
		must(t, err)
		if r.header.Get("Content-Encoding") != coding || string(whole) != plain.body || len(r.body) >= len(whole) {
			t.Errorf("%s: %d bytes for %d, %v", coding, len(r.body), len(whole), r.header)
		}
		tags[r.header.Get("ETag")] = true
		if again := w.send("GET", path, as(ana), header("Accept-Encoding", coding), header("If-None-Match", r.header.Get("ETag"))); again.status != 304 || again.body != "" {
			t.Errorf("%s again: %d", coding, again.status)
		}
	}
	if len(tags) != 3 {
		t.Errorf("codings share a tag: %v", tags)
	}
	if r := w.send("HEAD", path, as(ana)); r.status != 200 || r.header.Get(wire.HeaderBytes) == "" {
		t.Errorf("HEAD: %d %v", r.status, r.header)
	}
}

// One workspace's session asks for another's snapshot: the same answer as for one that does not exist, and a line in the log.
func TestSnapshotOfOthers(t *testing.T) {
	w := newWorld(t)
	ana, eve, former := w.hub.NewPerson(), w.hub.NewPerson(), w.hub.NewPerson()
	tenant := w.workspace(ana, former)
	w.workspace(eve)
	tenant.Members[1].Active = false
	w.known(w.hub.Put(directory.TenantKey(tenant.ID), tenant))
	elsewhere := tenant
	elsewhere.ID, elsewhere.Regions = edgetest.NewID(), []string{"us"}
	w.known(w.hub.Put(directory.TenantKey(elsewhere.ID), elsewhere))
	none := w.send("GET", "/sync/"+string(id.Derive("none"))+"/snapshot", as(eve))
	w.refused(none, 404, "not-found")
	for name, r := range map[string]reply{
		"stranger":      w.send("GET", "/sync/"+string(tenant.ID)+"/snapshot", as(eve)),
		"former-member": w.send("GET", "/sync/"+string(tenant.ID)+"/snapshot", as(former)),
		"other-region":  w.send("GET", "/sync/"+string(elsewhere.ID)+"/snapshot", as(ana)),
		"malformed":     w.send("GET", "/sync/x'OR'1/snapshot", as(eve)),
		"escaped":       w.send("GET", "/sync/..%2f"+string(tenant.ID)+"/snapshot", as(eve)),
	} {
		w.refused(r, 404, "not-found")
		if r.body != none.body {
			t.Errorf("%s: %q differs from %q", name, r.body, none.body)
		}
	}
	if logs := w.logs.String(); !strings.Contains(logs, "a snapshot was refused") || !strings.Contains(logs, string(eve.ID)) {
		t.Errorf("not logged: %s", logs)
	}
	deleted := tenant
	deleted.State = directory.Deleted
	w.known(w.hub.Put(directory.TenantKey(deleted.ID), deleted))
	w.refused(w.send("GET", "/sync/"+string(tenant.ID)+"/snapshot", as(ana)), 404, "not-found")
}

// The page's connection: a push, a feed message and the answer all go through the gateway.
func TestWebSocket(t *testing.T) {
	w := newWorld(t)
	ana, eve := w.hub.NewPerson(), w.hub.NewPerson()
	tenant := w.workspace(ana)
	w.workspace(eve)
	nc, err := w.connect(ana, tenant.ID, pageURL)
	must(t, err)
	defer nc.Close()
	_, conn, replica, err := wire.ParseConnName(nc.Opts.Name)
	must(t, err)
	d := edgetest.NewDevice(ana.ID)
	d.Replica = replica
	feed, err := nc.SubscribeSync(wire.Feed(tenant.ID, wire.ScopeAll))
	must(t, err)
	must(t, nc.Flush())
	large := strings.Repeat("x", 100)
	req := wire.PushRequest{Replica: replica, NowMS: time.Now().UnixMilli()}
	for range 400 { // more than an idle buffer holds, both ways
		req.Txs = append(req.Txs, d.Next(large))
	}
	m, err := nc.Request(wire.RPC(tenant.ID, conn, wire.Push), req.Encode(), 10*time.Second)
	must(t, err)
	reply, err := wire.DecodePushReply(m.Data)
	must(t, err)
	if len(reply.Fates) != 400 || reply.Err != nil {
		t.Fatalf("%d fates, %v", len(reply.Fates), reply.Err)
	}
	var entries []change.Entry
	for len(entries) < 400 {
		m, err := feed.NextMsg(5 * time.Second)
		must(t, err)
		f, err := wire.DecodeFeedMessage(m.Data)
		must(t, err)
		entries = append(entries, f.Entries...)
	}
	for _, origin := range []string{"", "https://evil.example", "http://localhost:8081", pageURL + ".evil.example", "null"} {
		if c, err := w.connect(ana, tenant.ID, origin); err == nil {
			c.Close()
			t.Errorf("a page of %q got a connection", origin)
		}
	}
	if !strings.Contains(w.logs.String(), "evil.example") {
		t.Error("the refused origin is not in the log")
	}
	if c, err := w.connect(eve, tenant.ID, pageURL); err == nil {
		c.Close()
		t.Error("a stranger is connected to the workspace")
	}
	w.refused(w.send("GET", "/nats"), 400, "invalid")
	closed := make(chan struct{})
	nc.SetClosedHandler(func(*nats.Conn) { close(closed) })
	w.known(w.hub.Revoke(ana))
	select {
	case <-closed:
	case <-time.After(time.Minute):
		t.Error("a revoked session is still connected")
	}
	edgetest.Eventually(t, 5*time.Second, "the gateway lets go of ended connections", func() bool {
		w.gate.sockets.mu.Lock()
		defer w.gate.sockets.mu.Unlock()
		return len(w.gate.sockets.open) == 0
	})
}

func TestSocketsOfOneAddress(t *testing.T) {
	w := newWorld(t)
	ana := w.hub.NewPerson()
	tenant := w.workspace(ana)
	w.gate.sockets.address.max = 3
	var open []*nats.Conn
	for range 3 {
		c, err := w.connect(ana, tenant.ID, pageURL)
		must(t, err)
		defer c.Close()
		open = append(open, c)
	}
	if c, err := w.connect(ana, tenant.ID, pageURL); err == nil {
		c.Close()
		t.Error("more than the bound")
	}
	open[0].Close()
	edgetest.Eventually(t, 5*time.Second, "a place is free again", func() bool {
		c, err := w.connect(ana, tenant.ID, pageURL)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func TestWebSocketWithoutServer(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.NATSAddr = "127.0.0.1:1" })
	ana := w.hub.NewPerson()
	w.workspace(ana)
	r := w.send("GET", "/nats", as(ana), header("Origin", pageURL), header("Upgrade", "websocket"), header("Connection", "Upgrade"), header("Sec-WebSocket-Key", "x"))
	w.refused(r, 503, "unavailable")
}

func TestChooseCoding(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "gzip": "gzip", "gzip, deflate, br, zstd": "zstd", "ZSTD": "zstd", "zstd;q=0, gzip;q=0.5": "gzip", "zstd;q=0": "", "br": "", "gzip;q=x": "",
	} {
		if got := chooseCoding(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
