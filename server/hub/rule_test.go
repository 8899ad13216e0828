package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/server/biller"
	"holdfast/sync/directory"
	"holdfast/sync/guest/guesttest"
	"holdfast/sync/id"
	"holdfast/sync/rule"
	"holdfast/sync/usage"
	"holdfast/sync/wire"
)

// ruleWish is the body of a request for a rule.
func ruleWish(name string, on bool, module []byte) string {
	b, err := json.Marshal(map[string]any{"name": name, "on": on, "module": module})
	if err != nil {
		panic(err) // nothing in it can fail
	}
	return string(b)
}

// A rule that is on is in the directory before the answer goes out, and out of it when it is off or gone.
func TestRulesReachTheDirectory(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir, "127.0.0.1:0")
	addr := h.LeafAddr()
	e := newEdge(t, addr)
	e.signUp()
	var ws struct{ ID id.ID }
	must(t, json.Unmarshal([]byte(e.ok("POST", "/api/workspaces", `{"name":"Acme"}`)), &ws))
	at := "/api/workspaces/" + string(ws.ID) + "/rules"
	has := func(which id.ID) (r directory.Rule) {
		t.Helper()
		if err := e.directory(directory.RuleKey(ws.ID, which), &r); err != nil {
			return directory.Rule{}
		}
		if !r.Valid() {
			t.Errorf("a record that is not whole: %+v", r)
		}
		return r
	}
	send := func(want int, part, method, path, body string) (r struct{ ID id.ID }) {
		t.Helper()
		status, answer := e.send(method, path, body)
		if status != want || !strings.Contains(answer, part) {
			t.Fatalf("%s %s: %d %s, want %d with %q", method, path, status, answer, want, part)
		}
		if status == 200 && method != "GET" {
			must(t, json.Unmarshal([]byte(answer), &r))
		}
		return r
	}
	module := guesttest.Refuse("No.")
	made := send(200, `"bytes":`, "POST", at, ruleWish(" Never ", true, module))
	if got := has(made.ID); got.Name != "Never" || string(got.Module) != string(module) {
		t.Fatalf("%+v", got)
	}
	one := at + "/" + string(made.ID)
	send(200, `"on":false`, "PUT", one, `{"name":"Sometimes","on":false}`)
	if got := has(made.ID); got.Name != "" {
		t.Errorf("off, and still there: %+v", got)
	}
	send(200, `"on":true`, "PUT", one, ruleWish("Sometimes", true, guesttest.Accept()))
	if got := has(made.ID); got.Name != "Sometimes" || string(got.Module) != string(guesttest.Accept()) {
		t.Errorf("%+v", got)
	}
	must(t, h.Close(t.Context()))
	h = open(t, dir, addr)
	send(200, `"name":"Sometimes","on":true`, "GET", at, "")

	for part, body := range map[string]string{
		"needs its module":          `{"name":"Empty","on":true}`,
		"Give the rule a name":      ruleWish(" ", true, module),
		"at most 60 fit":            ruleWish(strings.Repeat("n", rule.NameBytesMax+1), true, module),
		"There is a rule with this": ruleWish("Sometimes", true, module),
		"failed (unreachable)":      ruleWish("Traps", true, guesttest.Trap()),
		"longer than 250ms":         ruleWish("Endless", true, guesttest.Endless()),
		"not a WebAssembly module":  ruleWish("Text", true, []byte("(module)")),
		"at most 131072 fit":        ruleWish("Large", true, append(guesttest.Accept(), make([]byte, rule.ModuleBytesMax)...)),
		"change how text around":    ruleWish("a\u202eb", true, module),
	} {
		status, answer := e.send("POST", at, body)
		if status/100 != 4 || !strings.Contains(answer, part) {
			t.Errorf("%d %s, want a refusal with %q", status, answer, part)
		}
	}
	send(404, "There is no such rule", "PUT", at+"/"+string(ws.ID), `{"name":"Other","on":true}`)
	for n := 1; n < rule.RulesMax; n++ {
		send(200, "", "POST", at, ruleWish(fmt.Sprint("Rule ", n), false, module))
	}
	send(429, "the most there can be", "POST", at, ruleWish("One more", false, module))
	send(204, "", "DELETE", one, "")
	if got := has(made.ID); got.Name != "" {
		t.Errorf("removed, and still there: %+v", got)
	}
	send(404, "There is no such rule", "DELETE", one, "")
}

// Owners and admins have the rules, members and strangers do not, and a key does what its scopes say in its own workspace.
func TestWhoHasTheRules(t *testing.T) {
	h := open(t, t.TempDir(), "127.0.0.1:0")
	e := newEdge(t, h.LeafAddr())
	e.signUp()
	var ws, other struct{ ID id.ID }
	must(t, json.Unmarshal([]byte(e.ok("POST", "/api/workspaces", `{"name":"Acme"}`)), &ws))
	must(t, json.Unmarshal([]byte(e.ok("POST", "/api/workspaces", `{"name":"Other"}`)), &other))
	owner := e.cook
	join := func(role string) string {
		t.Helper()
		var inv struct{ URL string }
		e.cook = owner
		must(t, json.Unmarshal([]byte(e.ok("POST", "/api/workspaces/"+string(ws.ID)+"/invitations", `{"role":"`+role+`"}`)), &inv))
		e.cook = ""
		p := newPerson(t, e)
		p.ok("POST", "/api/invitations/"+inv.URL[strings.LastIndex(inv.URL, "/")+1:]+"/accept", "")
		return p.cook
	}
	key := func(scope string) string {
		t.Helper()
		var made struct{ Text string }
		e.cook = owner
		must(t, json.Unmarshal([]byte(e.ok("POST", "/api/workspaces/"+string(ws.ID)+"/keys", `{"name":"CI","scopes":["`+scope+`"]}`)), &made))
		return made.Text
	}
	n := 0
	for _, c := range []struct {
		who, cook, key    string
		read, write, away int
	}{
		{"nobody", "", "", 401, 401, 401}, {"stranger", newPerson(t, e).cook, "", 404, 404, 404}, {"member", join("member"), "", 403, 403, 404},
		{"admin", join("admin"), "", 200, 200, 404}, {"owner", owner, "", 200, 200, 200},
		{"key-billing", "", key("billing:write"), 403, 403, 404}, {"key-reads", "", key("rules:read"), 200, 403, 404}, {"key-writes", "", key("rules:write"), 200, 200, 404},
	} {
		call := func(want int, method string, ws id.ID, body string) {
			t.Helper()
			e.cook = c.cook
			for _, at := range []string{"/api/v1/workspaces/", "/api/workspaces/"} {
				if c.key != "" && at == "/api/workspaces/" {
					continue
				}
				n++
				status, _, answer := e.raw(method, at+string(ws)+"/rules", strings.ReplaceAll(body, "NAME", fmt.Sprint(c.who, n)), func(r *http.Request) {
					r.Header.Set("Idempotency-Key", fmt.Sprint("k", n))
					if c.key != "" {
						r.Header.Set("Authorization", "Bearer "+c.key)
					}
				})
				if status != want {
					t.Errorf("%s: %s %s: %d %s, want %d", c.who, method, at, status, answer, want)
				}
			}
		}
		call(c.read, "GET", ws.ID, "")
		call(c.write, "POST", ws.ID, ruleWish("NAME", false, guesttest.Accept()))
		call(c.away, "GET", other.ID, "")
	}
}

const ruleShop = `
currency: EUR
align: calendar
meters:
  rule-nanoseconds: {name: Rule run time, aggregate: sum}
plans:
  free: {prices: [{id: base, model: flat, amount: 0}, {id: rules, name: Rule minutes, model: package, meter: rule-nanoseconds, included: 60000000000, size: 60000000000, amount: 0.25}]}
`

// What rules took is on the usage page, and a line of the next invoice: of 150 seconds 60 are included, the rest are two minutes begun.
func TestRuleTimeIsBilled(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, biller.CatalogFile), []byte(ruleShop), 0o600))
	h := open(t, dir, "127.0.0.1:0")
	e := newEdge(t, h.LeafAddr())
	within(t, 10*time.Second, func() error { return e.register(`{"name":"eu","url":"` + origin + `"}`) })
	e.signUp()
	var ws struct{ ID id.ID }
	must(t, json.Unmarshal([]byte(e.ok("POST", "/api/workspaces", `{"name":"Acme"}`)), &ws))
	for n, took := range []time.Duration{100 * time.Second, 49_999_999_999, 1, 1} {
		n := uint64(min(n, 2) + 1) // the last is told twice
		ev := usage.Event{ID: usage.RangeID(usage.RuleTime, n, n), Source: "edge/eu", Meter: usage.RuleTime, Tenant: ws.ID, Time: time.Now(), Quantity: int64(took)}
		must(t, e.nc.Publish(wire.UsageSubject("eu", ws.ID), ev.Encode()))
	}
	within(t, 10*time.Second, func() error {
		if got := e.ok("GET", "/api/workspaces/"+string(ws.ID)+"/usage", ""); !strings.Contains(got, `{"meter":"rule-nanoseconds","unit":"nanoseconds","quantity":150000000000}`) {
			return errors.New(got)
		}
		if got := e.ok("GET", "/api/v1/workspaces/"+string(ws.ID)+"/upcoming", ""); !strings.Contains(got, "Rule minutes") || !strings.Contains(got, `"amount":"0.50"`) {
			return errors.New(got)
		}
		return nil
	})
}
