package hub

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"holdfast/sync/wire"
)

// A customer's server sends its events with a key: no cookie, no Origin; nothing that the key is not for.
func TestAPIKeys(t *testing.T) {
	h, e, mine := owned(t, t.TempDir(), restShop)
	acme, other := string(mine), string(e.workspace("Other"))
	owner := e.cook
	keys := "/api/workspaces/" + acme + "/keys"
	make := func(scopes, expires string) (made struct{ ID, Text, Start string }) {
		t.Helper()
		must(t, json.Unmarshal([]byte(e.ok("POST", keys, `{"name":"Shop","scopes":[`+scopes+`]`+expires+`}`)), &made))
		return made
	}
	events := make(`"events:write"`, "")
	if !strings.HasPrefix(events.Text, "hfk_") || !strings.HasPrefix(events.Text, events.Start+"_") || len(events.Text) < 40 {
		t.Fatalf("%+v", events)
	}
	for _, bad := range []string{`{"name":"","scopes":["events:write"]}`, `{"name":"a","scopes":[]}`, `{"name":"a","scopes":["everything"]}`, `{"name":"a","scopes":["events:write","events:write"]}`, `{"name":"a","scopes":["events:write"],"expiresMS":1}`} {
		if status, body := e.send("POST", keys, bad); status != 400 {
			t.Errorf("%s: %d %s", bad, status, body)
		}
	}
	if list := e.ok("GET", keys, ""); !strings.Contains(list, events.ID) || strings.Contains(list, events.Text) || strings.Contains(list, "usedMS") {
		t.Errorf("%s", list)
	}
	n := 0
	with := func(key, method, path, body string) (int, http.Header, string) {
		t.Helper()
		e.cook = ""
		defer func() { e.cook = owner }()
		return e.raw(method, path, body, func(r *http.Request) {
			n++
			r.Header.Del("Origin")
			r.Header.Set("Authorization", "Bearer "+key)
			r.Header.Set("Idempotency-Key", fmt.Sprint("k", n))
		})
	}
	at := func(ws string) string { return "/api/v1/workspaces/" + ws }
	batch := `[{"specversion":"1.0","id":"a","source":"shop","type":"mails","data":{"value":"50"}}]`
	status, header, body := with(events.Text, "POST", at(acme)+"/events", batch)
	if status != 200 || !strings.Contains(body, `"counted"`) || header.Get(wire.HeaderTenant) != acme {
		t.Fatalf("%d %v %s", status, header, body)
	}
	if header.Get("RateLimit-Policy") != `"default";q=600;w=60` || !strings.HasPrefix(header.Get("RateLimit"), `"default";r=5`) {
		t.Errorf("%v", header)
	}
	if list := e.ok("GET", keys, ""); !strings.Contains(list, "usedMS") {
		t.Errorf("last use is not shown: %s", list)
	}
	read, write := make(`"billing:read"`, ""), make(`"billing:write"`, "")
	short := make(`"events:write"`, fmt.Sprintf(`,"expiresMS":%d`, time.Now().Add(time.Hour).UnixMilli()))
	must(t, h.db.QueryRow("UPDATE api_key SET expires_ms = 1 WHERE id = ? RETURNING id", short.ID).Scan(new(string)))
	method := `{"methods":[{"kind":"card","token":"ok"}]}`
	for _, c := range []struct {
		what, key, method, path, body string
		status                        int
	}{
		{"another workspace", events.Text, "POST", at(other) + "/events", batch, 404},
		{"events may not read", events.Text, "GET", at(acme) + "/billing", "", 403},
		{"read", read.Text, "GET", at(acme) + "/billing", "", 200},
		{"read may not write", read.Text, "PUT", at(acme) + "/methods", method, 403},
		{"read may not count", read.Text, "POST", at(acme) + "/events", batch, 403},
		{"write", write.Text, "PUT", at(acme) + "/methods", method, 200},
		{"write reads", write.Text, "GET", at(acme) + "/billing", "", 200},
		{"no key makes keys", write.Text, "POST", keys, `{"name":"More","scopes":["billing:write"]}`, 403},
		{"no key lists keys", write.Text, "GET", keys, "", 401},
		{"expired", short.Text, "POST", at(acme) + "/events", batch, 401},
		{"another secret", events.Text[:len(events.Text)-1] + "_", "POST", at(acme) + "/events", batch, 401},
		{"start only", events.Start, "POST", at(acme) + "/events", batch, 401},
		{"nonsense", "x", "POST", at(acme) + "/events", batch, 401},
	} {
		if got, _, body := with(c.key, c.method, c.path, c.body); got != c.status {
			t.Errorf("%s: %d %s, want %d", c.what, got, body, c.status)
		}
	}
	e.ok("DELETE", keys+"/"+events.ID, "")
	if status, _, body := with(events.Text, "POST", at(acme)+"/events", batch); status != 401 || !strings.Contains(body, "revoked") {
		t.Errorf("revoked: %d %s", status, body)
	}
	if status, _ := e.send("DELETE", keys+"/"+events.ID, ""); status != 404 {
		t.Errorf("revoked twice: %d", status)
	}
	stranger := newPerson(t, e)
	for _, c := range [][2]string{{"GET", keys}, {"POST", keys}, {"DELETE", keys + "/" + read.ID}} {
		if status, body := stranger.send(c[0], c[1], `{"name":"a","scopes":["billing:read"]}`); status != 404 {
			t.Errorf("a stranger: %s %d %s", c[0], status, body)
		}
	}
}

// GW1, GW3: a key that asks too often is told so, and how to go on.
func TestRateLimit(t *testing.T) {
	_, e, ws := owned(t, t.TempDir(), "")
	var made struct{ Text string }
	must(t, json.Unmarshal([]byte(e.ok("POST", "/api/workspaces/"+string(ws)+"/keys", `{"name":"Shop","scopes":["events:write"]}`)), &made))
	for n := 0; ; n++ {
		status, header, body := e.raw("GET", "/api/v1/workspaces/"+string(ws)+"/billing", "", func(r *http.Request) { r.Header.Set("Authorization", "bearer "+made.Text) })
		if status == 403 && n < 5000 {
			continue
		}
		if status != 429 || header.Get("Retry-After") != "1" || header.Get("Content-Type") != "application/problem+json" || !strings.Contains(body, `"violated-policies":["default"]`) || !strings.Contains(header.Get("RateLimit"), "r=0") {
			t.Errorf("%d %v %s", status, header, body)
		}
		if n < 600 {
			t.Errorf("refused after %d", n)
		}
		break
	}
	if status, body := e.send("GET", "/api/v1/workspaces/"+string(ws)+"/billing", ""); status != 200 {
		t.Errorf("somebody else is held back too: %d %s", status, body)
	}
}
