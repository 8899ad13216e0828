package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"holdfast/server/identity"
	"holdfast/sync/id"
	"holdfast/sync/token"
	"holdfast/sync/wire"
)

// Another site must not be able to do anything as the person who visits it.
func TestOtherSites(t *testing.T) {
	w := newWorld(t, identity.Rates{})
	b := w.browser()
	b.signUp("Ana")
	for name, change := range map[string]func(*http.Request){
		"foreign":    func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
		"none":       func(r *http.Request) { r.Header.Del("Origin") },
		"null":       func(r *http.Request) { r.Header.Set("Origin", "null") },
		"other-port": func(r *http.Request) { r.Header.Set("Origin", "http://localhost:9999") },
		"prefix":     func(r *http.Request) { r.Header.Set("Origin", origin+".evil.example") },
	} {
		t.Run(name, func(t *testing.T) {
			for _, route := range []string{"POST /api/workspaces", "DELETE /api/auth/sessions", "POST /api/auth/signout", "PATCH /api/people/me", "POST /api/auth/signin/begin"} {
				method, path, _ := strings.Cut(route, " ")
				b.refused("denied", 403, method, path, `{"name":"x"}`, change)
			}
		})
	}
	b.refused("invalid", 400, "POST", "/api/workspaces", `{"name":"x"}`, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") })
	b.refused("invalid", 400, "POST", "/api/workspaces", `{"name":"x"}`, func(r *http.Request) { r.Header.Del("Content-Type") })
}

func TestBadBodies(t *testing.T) {
	w := newWorld(t, identity.Rates{})
	b := w.browser()
	b.signUp("Ana")
	for name, body := range map[string]string{
		"not-json": "{", "wrong-type": `{"name":7}`, "unknown-field": `{"name":"x","owner":"me"}`, "two": `{"name":"x"}{"name":"y"}`, "list": `["x"]`, "none": "",
	} {
		if status, answer := b.send("POST", "/api/workspaces", body); status != 400 || !strings.Contains(answer, `"kind":"invalid"`) {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	fits := `{"name":"` + strings.Repeat(" ", bodyBytesMax-len(`{"name":"x"}`)) + `x"}`
	b.ok("POST", "/api/workspaces", fits, nil)
	b.refused("too-large", 413, "POST", "/api/workspaces", fits+" ")
	b.refused("not-found", 404, "GET", "/api/none", "")
	b.refused("not-found", 404, "GET", "/", "")
}

func TestWorkspaceOfThree(t *testing.T) {
	w := newWorld(t, identity.Rates{})
	ana, bo, eve := w.browser(), w.browser(), w.browser()
	sa, sb := ana.signUp("Ana"), bo.signUp("Bo")
	eve.signUp("Eve")
	ana.refused("invalid", 400, "POST", "/api/workspaces", `{"name":" "}`)
	var ws struct{ ID id.ID }
	ana.ok("POST", "/api/workspaces", `{"name":"Acme"}`, &ws)
	if ana.last.Get(wire.HeaderDirectory) == "" || !strings.Contains(w.directory()["tenant."+string(ws.ID)], `"home":"eu"`) {
		t.Errorf("the edge cannot know the workspace: %v %v", ana.last, w.directory())
	}
	base := "/api/workspaces/" + string(ws.ID)
	var inv struct {
		ID        id.ID
		URL       string
		ExpiresMS int64
	}
	ana.ok("POST", base+"/invitations", `{"role":"member","uses":1}`, &inv)
	code, found := strings.CutPrefix(inv.URL, origin+"/join/")
	if !found || len(code) != 26 {
		t.Fatalf("%+v", inv)
	}
	stranger := w.browser()
	if got := stranger.ok("GET", "/api/invitations/"+code, "", nil); got != `{"workspace":"Acme","inviter":"Ana","role":"member"}`+"\n" {
		t.Errorf("%s", got)
	}
	stranger.refused("expired", 401, "POST", "/api/invitations/"+code+"/accept", "")
	var list struct{ Invitations []struct{ ID id.ID } }
	ana.ok("GET", base+"/invitations", "", &list)
	if len(list.Invitations) != 1 || list.Invitations[0].ID != inv.ID {
		t.Errorf("%+v", list)
	}
	bo.ok("POST", "/api/invitations/"+code+"/accept", "", nil)
	eve.refused("not-found", 404, "POST", "/api/invitations/"+code+"/accept", "")
	if got := ana.ok("GET", base+"/usage?month=2026-11", "", nil); !strings.HasPrefix(got, `{"month":"2026-11","rows":[{"meter":"changes","unit":"changes","quantity":7}]`) {
		t.Errorf("%s", got)
	}
	ana.refused("invalid", 400, "GET", base+"/usage?month=11/2026", "")
	bo.refused("denied", 403, "GET", base+"/usage", "")
	bo.refused("denied", 403, "POST", base+"/invitations", `{"role":"member"}`)
	bo.refused("denied", 403, "PATCH", base+"/members/"+string(sa.Person.ID), `{"active":false}`)
	ana.ok("PATCH", base+"/members/"+string(sb.Person.ID), `{"role":"admin"}`, nil)
	bo.ok("GET", base+"/usage", "", nil)
	bo.ok("PATCH", base, `{"name":"Acme 2"}`, nil)
	if d := w.directory()["tenant."+string(ws.ID)]; !strings.Contains(d, "Acme 2") || !strings.Contains(d, `"role":"admin"`) {
		t.Errorf("%s", d)
	}
	ana.refused("conflict", 409, "PATCH", base+"/members/"+string(sa.Person.ID), `{"active":false}`)
	bo.ok("PATCH", base+"/members/"+string(sb.Person.ID), `{"active":false}`, nil)
	ana.refused("conflict", 409, "PATCH", base+"/members/"+string(sb.Person.ID), `{"active":true}`)
	bo.refused("not-found", 404, "GET", base+"/usage", "")

	// One workspace's session asks for another's: as if it were not there.
	var other struct{ ID id.ID }
	eve.ok("POST", "/api/workspaces", `{"name":"Evil"}`, &other)
	none := "/api/workspaces/" + string(id.Derive("none"))
	for _, route := range []string{"GET %s/usage", "GET %s/invitations", "POST %s/invitations", "PATCH %s/members/" + string(sa.Person.ID), "PATCH %s", "DELETE %s/invitations/" + string(inv.ID)} {
		method, path, _ := strings.Cut(route, " ")
		body := map[string]string{"POST": `{"role":"member"}`, "PATCH": `{"active":false}`}[method]
		if path == "%s" {
			body = `{"name":"mine"}`
		}
		real := eve.refused("not-found", 404, method, fmt.Sprintf(path, base), body)
		unreal := eve.refused("not-found", 404, method, fmt.Sprintf(path, none), body)
		if real != unreal {
			t.Errorf("%s: %q differs from %q", route, real, unreal)
		}
	}
	eve.refused("not-found", 404, "GET", "/api/workspaces/'%20OR%201=1/usage", "")
	if line := `level=WARN msg="request refused" route="GET /api/workspaces/{tenant}/usage"`; !strings.Contains(w.logs.String(), line) || strings.Contains(w.logs.String(), "OR 1=1") {
		t.Error("whoever reaches for somebody else's workspace is not in the log as they should be")
	}
}

// Codes are slow to try.
func TestCodesAreLimited(t *testing.T) {
	w := newWorld(t, identity.Rates{})
	b := w.browser()
	for range codeRate.Burst {
		b.refused("not-found", 404, "GET", "/api/invitations/x", "")
	}
	b.refused("limit", 429, "GET", "/api/invitations/x", "")
}

// Whoever reads the logs can act for nobody.
func TestNoSecretsInLogs(t *testing.T) {
	w := newWorld(t, identity.Rates{})
	ana, bo := w.browser(), w.browser()
	ana.signUp("Ana Secretname")
	bo.signUp("Bo")
	var ws struct{ ID id.ID }
	ana.ok("POST", "/api/workspaces", `{"name":"Secretspace"}`, &ws)
	var inv, link struct{ URL, Code string }
	ana.ok("POST", "/api/workspaces/"+string(ws.ID)+"/invitations", `{"role":"member"}`, &inv)
	code := inv.URL[strings.LastIndex(inv.URL, "/")+1:]
	bo.ok("GET", "/api/invitations/"+code, "", nil)
	bo.ok("POST", "/api/invitations/"+code+"/accept", "", nil)
	ana.ok("POST", "/api/auth/link/begin", "", &link)
	q, _ := json.Marshal(map[string]string{"code": link.Code})
	bo.ok("POST", "/api/auth/link/finish", string(q), nil)
	tok := ana.token()
	ana.ok("POST", "/api/auth/signout", "", nil)
	ana.refused("expired", 401, "GET", "/api/auth/sessions", "", func(r *http.Request) { r.AddCookie(&http.Cookie{Name: token.Cookie, Value: tok}) })
	ana.refused("denied", 403, "POST", "/api/auth/signin/finish", ana.assert(strings.Replace(ana.ok("POST", "/api/auth/signin/begin", "", nil), `"challenge":"`, `"challenge":"AAAA`, 1)))
	logs := w.logs.String()
	if !strings.Contains(logs, "signed up") || !strings.Contains(logs, "invitation accepted") {
		t.Fatalf("the log is not the log: %s", logs)
	}
	for what, secret := range map[string]string{
		"token": tok, "signature": strings.Split(tok, ".")[2], "invitation": code, "link": link.Code, "person's name": "Secretname", "workspace's name": "Secretspace",
	} {
		if secret == "" || strings.Contains(logs, secret) {
			t.Errorf("the %s is in the log: %q", what, secret)
		}
	}
}

// A defect in one handler is one failed request, and what broke stays in the log.
func TestPanicIsAnAnswer(t *testing.T) {
	w := newWorld(t, identity.Rates{})
	h := w.srv.Config.Handler.(*api)
	h.route("GET /api/boom", 0, func(*call) (any, error) { panic("secret") })
	if d := w.browser().refused("other", 500, "GET", "/api/boom", ""); strings.Contains(d, "secret") {
		t.Errorf("%q", d)
	}
	if !strings.Contains(w.logs.String(), "secret") {
		t.Error("not logged")
	}
}
