package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/nats-io/nats.go"

	"holdfast/edge/edgetest"
	"holdfast/sync/change"
	"holdfast/sync/id"
	"holdfast/sync/token"
	"holdfast/sync/wire"
)

// client is a person without a browser: a cookie jar, a software authenticator, and connections as pages open them. It
// tries what needs many devices or exact counts, against the same process as the browsers.
type client struct {
	s      *stack
	http   http.Client
	auth   virtualwebauthn.Authenticator
	cred   virtualwebauthn.Credential
	person id.ID
	sid    id.ID
}

const coseBytes = 77 // of a key on P-256; the authenticator sometimes drops a leading zero, and such a key is not valid

func (s *stack) client() *client {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	must(s.t, err)
	c := &client{s: s, http: http.Client{Jar: jar, Timeout: patience}, auth: virtualwebauthn.NewAuthenticator()}
	for len(c.cred.ID) == 0 || len(c.cred.Key.AttestationData()) != coseBytes {
		c.cred = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// try makes a request to a region.
func (c *client) try(region int, method, path, body string) (status int, answer string, err error) {
	r, err := http.NewRequestWithContext(c.s.t.Context(), method, c.s.url(region)+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Origin", c.s.url(region))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

// ok makes a request that must succeed and reads its answer into v.
func (c *client) ok(region int, method, path, body string, v any) string {
	c.s.t.Helper()
	status, answer, err := c.try(region, method, path, body)
	if err != nil || status/100 != 2 {
		c.s.t.Fatalf("%s %s: %d %s %v", method, path, status, answer, err)
	}
	if v != nil {
		must(c.s.t, json.Unmarshal([]byte(answer), v))
	}
	return answer
}

func (c *client) signUp(region int, name string) {
	c.s.t.Helper()
	o, err := virtualwebauthn.ParseAttestationOptions(c.ok(region, "POST", "/api/auth/signup/begin", `{"name":"`+name+`"}`, nil))
	must(c.s.t, err)
	c.auth.Options.UserHandle = []byte(o.UserID)
	rp := virtualwebauthn.RelyingParty{Name: "Holdfast", ID: "localhost", Origin: c.s.url(region)}
	var me struct{ Person, Session struct{ ID id.ID } }
	c.ok(region, "POST", "/api/auth/signup/finish", virtualwebauthn.CreateAttestationResponse(rp, c.auth, c.cred, *o), &me)
	c.person, c.sid = me.Person.ID, me.Session.ID
}

func (c *client) workspace(region int) id.ID {
	c.s.t.Helper()
	var w struct{ ID id.ID }
	c.ok(region, "POST", "/api/workspaces", `{"name":"Acme"}`, &w)
	return w.ID
}

// connect opens a WebSocket to a region's sync service for one device.
func (c *client) connect(region int, tenant id.ID, d *edgetest.Device) (nc *nats.Conn, conn string, err error) {
	u, err := url.Parse(c.s.url(region))
	if err != nil {
		return nil, "", err
	}
	h := http.Header{"Origin": {c.s.url(region)}}
	for _, k := range c.http.Jar.Cookies(u) {
		h.Add("Cookie", token.Cookie+"="+k.Value)
	}
	conn = string(edgetest.NewID())
	nc, err = nats.Connect("ws://"+u.Host, nats.ProxyPath("/nats"), nats.WebSocketConnectionHeaders(h), nats.Name(wire.ConnName(tenant, conn, d.Replica)),
		nats.NoReconnect(), nats.CustomInboxPrefix(wire.InboxPrefix(tenant, conn)), nats.IgnoreDiscoveredServers(), nats.Timeout(patience))
	return nc, conn, err
}

// push offers changes until each has been accepted, over connections that may break and a server that may die.
func (c *client) push(region int, tenant id.ID, d *edgetest.Device, txs []change.Tx) {
	c.s.t.Helper()
	deadline := time.Now().Add(patience)
	for done := 0; done < len(txs); {
		n, err := c.pushOnce(region, tenant, d, txs[done:])
		done += n
		if err != nil {
			if time.Now().After(deadline) {
				c.s.t.Fatalf("%d of %d accepted within %v: %v", done, len(txs), patience, err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
}

func (c *client) pushOnce(region int, tenant id.ID, d *edgetest.Device, txs []change.Tx) (accepted int, err error) {
	nc, conn, err := c.connect(region, tenant, d)
	if err != nil {
		return 0, err
	}
	defer nc.Close()
	for i := range txs {
		m, err := nc.Request(wire.RPC(tenant, conn, wire.Push), wire.PushRequest{Replica: d.Replica, NowMS: time.Now().UnixMilli(), Txs: txs[i : i+1]}.Encode(), 10*time.Second)
		if err != nil {
			return accepted, err
		}
		r, err := wire.DecodePushReply(m.Data)
		if err != nil || r.Err != nil {
			return accepted, fmt.Errorf("%w %w", err, r.Err)
		}
		for _, f := range r.Fates {
			if !f.Accepted {
				return accepted, fmt.Errorf("refused: %+v", f)
			}
			accepted++
		}
	}
	return accepted, nil
}

func (c *client) usage(region int, tenant id.ID) map[string]int64 {
	c.s.t.Helper()
	m, err := c.tryUsage(region, tenant)
	must(c.s.t, err)
	return m
}

// tryUsage reads a workspace's totals by meter.
func (c *client) tryUsage(region int, tenant id.ID) (map[string]int64, error) {
	status, answer, err := c.try(region, "GET", "/api/workspaces/"+string(tenant)+"/usage", "")
	if err != nil {
		return nil, err
	}
	var u struct {
		Rows []struct {
			Meter    string
			Quantity int64
		}
	}
	if err := json.Unmarshal([]byte(answer), &u); err != nil || status != http.StatusOK {
		return nil, fmt.Errorf("usage: %d %s %w", status, answer, err)
	}
	m := map[string]int64{}
	for _, r := range u.Rows {
		m[r.Meter] = r.Quantity
	}
	return m, nil
}

// What was accepted is what is counted, in two regions, with the server killed in the middle: not one less, not one more.
func TestUsageIsExact(t *testing.T) {
	s := start(t, "eu,us")
	ana := s.client()
	ana.signUp(0, "Ana")
	tenant := ana.workspace(0)
	const each, more = 120, 30
	devices := []*edgetest.Device{edgetest.NewDevice(ana.person), edgetest.NewDevice(ana.person)}
	for region, d := range devices { // a region opens a workspace by writing its people into it, which is not counted
		ana.push(region, tenant, d, []change.Tx{d.Next("First")})
	}
	ana.counted(0, tenant, 2)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for region, d := range devices {
			var txs []change.Tx
			for i := range each {
				txs = append(txs, d.Next(fmt.Sprintf("Project %d", i)))
			}
			ana.push(region, tenant, d, txs)
		}
	}()
	for range 3 {
		time.Sleep(100 * time.Millisecond)
		s.stop(syscall.SIGKILL)
		s.up()
	}
	<-done
	var txs []change.Tx
	for i := range more {
		txs = append(txs, devices[1].Next(fmt.Sprintf("More %d", i)))
	}
	ana.push(1, tenant, devices[1], txs)
	ana.counted(0, tenant, 2+2*each+more)
	within(t, "seats and calls are counted", func() bool {
		got := ana.usage(0, tenant)
		return got["seats"] == 1 && got["api-calls"] > 0
	})
}

// counted waits until so many changes are counted, and looks for two seconds more that it stays at that.
func (c *client) counted(region int, tenant id.ID, want int64) {
	c.s.t.Helper()
	var got int64
	within(c.s.t, fmt.Sprint(want, " changes are counted"), func() bool {
		got = c.usage(region, tenant)["changes"]
		return got >= want
	})
	for end := time.Now().Add(2 * time.Second); got == want && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		got = c.usage(region, tenant)["changes"]
	}
	if got != want {
		c.s.t.Fatalf("%d changes counted, want %d", got, want)
	}
}

// A session that is ended is over in every region at once; in one that is cut off it is over when the cut is healed. While
// a region is cut off its people go on.
func TestSessionEndsEverywhere(t *testing.T) {
	s := start(t, "eu,us")
	ana := s.client()
	ana.signUp(0, "Ana")
	tenant := ana.workspace(0)
	phone := s.client()
	var link struct{ Code string }
	ana.ok(0, "POST", "/api/auth/link/begin", "", &link)
	var in struct{ Session struct{ ID id.ID } }
	phone.ok(1, "POST", "/api/auth/link/finish", `{"code":"`+link.Code+`"}`, &in)
	phone.ok(1, "GET", "/api/me", "", nil)
	nc, _, err := phone.connect(1, tenant, edgetest.NewDevice(ana.person))
	must(t, err)
	defer nc.Close()
	closed := make(chan struct{})
	nc.SetClosedHandler(func(*nats.Conn) { close(closed) })

	s.link("cut", "us")
	within(t, "the region knows that it is alone", func() bool {
		_, answer, err := phone.try(1, "GET", "/healthz", "")
		return err == nil && strings.Contains(answer, `"hub":"away"`)
	})
	if status, answer, err := phone.try(1, "POST", "/api/auth/signin/begin", "{}"); status != 503 || !strings.Contains(answer, "Your work goes on") {
		t.Errorf("signing in without the hub: %d %s %v", status, answer, err)
	}
	ana.ok(0, "DELETE", "/api/auth/sessions/"+string(in.Session.ID), "", nil)
	if status, answer, err := phone.try(1, "GET", "/api/me", ""); status != 200 {
		t.Errorf("a region that is cut off serves its people: %d %s %v", status, answer, err)
	}
	s.link("heal", "us")
	select {
	case <-closed:
	case <-time.After(patience):
		t.Error("healed, and the ended session is still connected")
	}
	if status, answer, err := phone.try(1, "GET", "/api/me", ""); status != 401 {
		t.Errorf("%d %s %v", status, answer, err)
	}
	if status, _, err := phone.try(1, "POST", "/api/auth/renew", ""); status != 401 {
		t.Errorf("renewed: %d %v", status, err)
	}
	ana.ok(1, "GET", "/api/me", "", nil) // the other session stands, in every region
}

func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// One workspace's session asks every region for another's, by every way there is: refused as if it did not exist.
func TestStrangers(t *testing.T) {
	s := start(t, "eu,us", "--log-level", "warn")
	ana, eve := s.client(), s.client()
	ana.signUp(0, "Ana")
	eve.signUp(1, "Eve")
	tenant := ana.workspace(0)
	eve.workspace(1)
	none := id.Derive("none")
	for region := range 2 {
		within(t, "the workspace is known", func() bool {
			_, answer, _ := ana.try(region, "GET", "/api/me", "")
			return strings.Contains(answer, string(tenant))
		})
		for _, route := range []string{"GET /sync/%s/snapshot", "GET /api/workspaces/%s/usage", "GET /api/workspaces/%s/invitations"} {
			method, path, _ := strings.Cut(route, " ")
			status, answer, err := eve.try(region, method, fmt.Sprintf(path, tenant), "")
			_, unknown, err2 := eve.try(region, method, fmt.Sprintf(path, none), "")
			if status != 404 || answer != unknown || err != nil || err2 != nil {
				t.Errorf("%s: %d %s, and for what does not exist %s (%v %v)", route, status, answer, unknown, err, err2)
			}
		}
		if nc, _, err := eve.connect(region, tenant, edgetest.NewDevice(eve.person)); err == nil {
			nc.Close()
			t.Errorf("region %d lets a stranger connect", region)
		}
	}
	// Each of them is in the log, with who it was and what they asked for.
	for _, what := range []string{"a snapshot was refused", "/usage", "/invitations", "not a member"} {
		within(t, fmt.Sprintf("%q is in the log, once a region", what), func() bool {
			n := 0
			for _, line := range strings.Split(s.log.String(), "\n") {
				if strings.Contains(line, what) && strings.Contains(line, string(eve.person)) && strings.Contains(line, string(tenant)) {
					n++
				}
			}
			return n >= 2
		})
	}
}
