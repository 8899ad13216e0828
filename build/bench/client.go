package main

import (
	crand "crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/nats-io/nats.go"

	"holdfast/sync/change"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/token"
	"holdfast/sync/wire"
)

const coseBytes = 77 // of a key on P-256; the authenticator sometimes drops a leading zero, and such a key is not valid

// client is a person without a browser, with an account and a workspace.
type client struct {
	t      *trial
	s      *product
	http   http.Client
	person id.ID
	tenant id.ID
}

// newClient signs up in the first region and makes a workspace.
func (t *trial) newClient(s *product) *client {
	jar, err := cookiejar.New(nil)
	t.must(err)
	c := &client{t: t, s: s, http: http.Client{Jar: jar, Timeout: startMax}}
	auth, cred := virtualwebauthn.NewAuthenticator(), virtualwebauthn.Credential{}
	for len(cred.ID) == 0 || len(cred.Key.AttestationData()) != coseBytes {
		cred = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	o, err := virtualwebauthn.ParseAttestationOptions(c.post("/api/auth/signup/begin", `{"name":"Ana Ferreira"}`, nil))
	t.must(err)
	auth.Options.UserHandle = []byte(o.UserID)
	rp := virtualwebauthn.RelyingParty{Name: "Holdfast", ID: "localhost", Origin: s.url(0)}
	var me struct{ Person struct{ ID id.ID } }
	c.post("/api/auth/signup/finish", virtualwebauthn.CreateAttestationResponse(rp, auth, cred, *o), &me)
	var w struct{ ID id.ID }
	c.post("/api/workspaces", `{"name":"Harbor"}`, &w)
	c.person, c.tenant = me.Person.ID, w.ID
	return c
}

func (c *client) post(path, body string, v any) string {
	r, err := http.NewRequestWithContext(c.t.ctx, http.MethodPost, c.s.url(0)+path, strings.NewReader(body))
	c.t.must(err)
	r.Header.Set("Origin", c.s.url(0))
	r.Header.Set("Content-Type", "application/json")
	res, err := c.http.Do(r)
	c.t.must(err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	c.t.must(err)
	if res.StatusCode/100 != 2 {
		c.t.must(fmt.Errorf("POST %s: %s %s", path, res.Status, b))
	}
	if v != nil {
		c.t.must(json.Unmarshal(b, v))
	}
	return string(b)
}

// cookie is the session's token.
func (c *client) cookie() string {
	u, err := url.Parse(c.s.url(0))
	c.t.must(err)
	for _, k := range c.http.Jar.Cookies(u) {
		if k.Name == token.Cookie {
			return k.Value
		}
	}
	c.t.Fatal("no session")
	return ""
}

// device is one replica's connection to a region.
type device struct {
	c       *client
	nc      *nats.Conn
	conn    string
	replica uint64
	num     uint64
	clock   *hlc.Clock
}

func (c *client) device(region int) *device {
	d := &device{c: c, conn: string(newID()), replica: rand.Uint64() | 1}
	d.clock = hlc.NewClock(d.replica, time.Now, hlc.Stamp{})
	h := http.Header{"Origin": {c.s.url(region)}, "Cookie": {token.Cookie + "=" + c.cookie()}}
	c.t.eventually(startMax, "the region lets the client in", func() bool {
		nc, err := nats.Connect("ws"+strings.TrimPrefix(c.s.url(region), "http"), nats.ProxyPath("/nats"), nats.WebSocketConnectionHeaders(h),
			nats.Name(wire.ConnName(c.tenant, d.conn, d.replica)), nats.NoReconnect(), nats.CustomInboxPrefix(wire.InboxPrefix(c.tenant, d.conn)),
			nats.IgnoreDiscoveredServers(), nats.Timeout(5*time.Second))
		d.nc = nc
		return err == nil
	})
	c.t.Cleanup(d.nc.Close)
	return d
}

func newID() id.ID { return id.New(time.Now(), crand.Reader) }

// next makes the device's next transaction of edits that create rows.
func (d *device) next(edits ...port.Edit) change.Tx {
	d.num++
	t := change.Tx{Num: d.num, Stamp: d.clock.Now(), Actor: d.c.person, Command: edits[0].Command}
	for _, e := range edits {
		for _, r := range e.Rows {
			row := change.Row{Table: r.Table, ID: r.ID}
			for col, v := range r.Set {
				row.Cells = append(row.Cells, change.Cell{Col: col, Val: v})
			}
			slices.SortFunc(row.Cells, func(a, b change.Cell) int { return strings.Compare(a.Col, b.Col) })
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

// push offers transactions, which must all be accepted.
func (d *device) push(txs ...change.Tx) wire.PushReply {
	body := wire.PushRequest{Replica: d.replica, NowMS: time.Now().UnixMilli(), Txs: txs}.Encode()
	m, err := d.nc.Request(wire.RPC(d.c.tenant, d.conn, wire.Push), body, startMax)
	d.c.t.must(err)
	r, err := wire.DecodePushReply(m.Data)
	d.c.t.must(err)
	if r.Err != nil || len(r.Fates) != len(txs) {
		d.c.t.Fatalf("push of %d: %d fates, %v", len(txs), len(r.Fates), r.Err)
	}
	for _, f := range r.Fates {
		if !f.Accepted {
			d.c.t.Fatalf("refused: %+v", f)
		}
	}
	return r
}
