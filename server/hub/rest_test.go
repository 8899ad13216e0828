package hub

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

const restShop = `
currency: EUR
align: calendar
meters:
  mails: {aggregate: sum}
  changes: {aggregate: sum}
plans:
  free: {prices: [{id: base, model: flat, amount: 0}]}
  pro: {prices: [{id: base, model: flat, amount: 30}, {id: mails, model: per_unit, meter: mails, amount: 0.02}]}
`

func TestREST(t *testing.T) {
	_, e, ws := owned(t, t.TempDir(), restShop)
	at := "/api/v1/workspaces/" + string(ws)
	send := func(key, method, path, body string) (int, http.Header, string) {
		t.Helper()
		return e.raw(method, path, body, func(r *http.Request) {
			if key != "" {
				r.Header.Set("Idempotency-Key", key)
			}
		})
	}
	want := func(what string, status int, part, key, method, path, body string) string {
		t.Helper()
		got, header, answer := send(key, method, path, body)
		if got != status || !strings.Contains(answer, part) {
			t.Errorf("%s: %d %s, want %d with %q", what, got, answer, status, part)
		}
		if kind := header.Get("Content-Type"); got >= 400 && kind != "application/problem+json" {
			t.Errorf("%s: an error of type %s", what, kind)
		}
		return answer
	}
	want("read", 200, `"id":"free"`, "", "GET", at+"/billing", "")
	want("GW7-key-missing", 400, "Idempotency-Key", "", "PUT", at+"/methods", `{"methods":[{"kind":"card","token":"ok"}]}`)
	want("GW5-invalid-body", 422, "errors", "k0", "PUT", at+"/methods", `{"methods":[{"kind":"shells"}]}`)
	want("no-method", 409, `"kind":"conflict"`, "k1", "POST", at+"/subscription/change", `{"plan":"pro"}`)
	want("method", 200, `"token":"ok"`, "k2", "PUT", at+"/methods", `{"methods":[{"kind":"card","token":"ok"}]}`)
	first := want("plan", 200, `"plan":"pro"`, "k3", "POST", at+"/subscription/change", `{"plan":"pro"}`)
	if again := want("GW7-replay", 200, "", "k3", "POST", at+"/subscription/change", `{"plan":"pro"}`); again != first {
		t.Errorf("the repetition got another answer: %s", again)
	}
	want("GW7-other-payload", 422, "another request", "k3", "POST", at+"/subscription/change", `{"plan":"free"}`)
	want("no-such-plan", 404, `"kind":"not-found"`, "k4", "POST", at+"/subscription/change", `{"plan":"gold"}`)
	want("no-such-workspace", 404, `"kind":"not-found"`, "", "GET", "/api/v1/workspaces/01m74xbrm0fxab8gbfypqe6t02/billing", "")

	now := time.Now().UTC().Format(time.RFC3339)
	batch := `[{"specversion":"1.0","id":"a","source":"shop","type":"mails","time":"` + now + `","data":{"value":"50"}},` +
		`{"specversion":"1.0","id":"a","source":"shop","type":"mails","data":{"value":"50"}},` +
		`{"specversion":"1.0","id":"b","source":"shop","type":"changes","data":{"value":"1"}},` +
		`{"specversion":"1.0","id":"c","source":"shop","type":"mails","time":"2099-01-01T00:00:00Z","data":{"value":"1"}}]`
	answer := want("BM1-batch", 200, "", "k5", "POST", at+"/events", batch)
	var counted []struct{ ID, Status string }
	must(t, json.Unmarshal([]byte(answer), &counted))
	states := ""
	for _, c := range counted {
		states += c.ID + " " + c.Status + "|"
	}
	if states != "a counted|a repeated|b refused|c refused|" {
		t.Errorf("%s", states)
	}
	// CloudEvents as others send them: attributes of the standard and of extensions, numbers as numbers, digit by digit.
	rich := `[{"specversion":"1.0","id":"n1","source":"shop","type":"mails","subject":"x","datacontenttype":"application/json","traceparent":"00-1","data":{"value":0.1,"big":true}},` +
		`{"specversion":"1.0","id":"n2","source":"shop","type":"mails","data":{"value":1e3}},{"specversion":"1.0","id":"n3","source":"shop","type":"mails","data":{"value":1000000000000001}},` +
		`{"specversion":"1.0","id":"n\u0000","source":"shop","type":"mails","data":{"value":1}}]`
	counted = nil
	must(t, json.Unmarshal([]byte(want("BM1-cloudevents", 200, "", "k7", "POST", at+"/events", rich)), &counted))
	if fmt.Sprint(counted) != "[{n1 counted} {n2 refused} {n3 refused} {n\x00 refused}]" {
		t.Errorf("%q", fmt.Sprint(counted))
	}
	if status, _, answer := e.raw("POST", at+"/events", `[{"specversion":"1.0","id":"n5","source":"shop","type":"mails","data":{"value":1}}]`, func(r *http.Request) {
		r.Header.Set("Content-Type", "application/cloudevents-batch+json")
		r.Header.Set("Idempotency-Key", "k9")
	}); status != 200 || !strings.Contains(answer, "counted") {
		t.Errorf("the standard's own content type: %d %s", status, answer)
	}
	want("null-is-no-batch", 400, "no event", "k8", "POST", at+"/events", "null")
	want("usage is billed", 200, `"name":"mails"`, "", "GET", at+"/billing", "")

	var wg sync.WaitGroup // GW7: however many at once, one change happens
	for range 8 {
		wg.Go(func() {
			if got, _, answer := send("k6", "POST", at+"/events", `[{"specversion":"1.0","id":"z","source":"shop","type":"mails","data":{"value":"1"}}]`); got != 200 && got != 409 || got == 200 && !strings.Contains(answer, "counted") {
				t.Errorf("%d %s", got, answer)
			}
		})
	}
	wg.Wait()

	e.cook = ""
	want("signed-out", 401, `"kind":"expired"`, "", "GET", at+"/billing", "")
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct{ Parameters []struct{ Name string } }
	}
	must(t, json.Unmarshal([]byte(want("GW6-openapi", 200, "", "", "GET", "/api/v1/openapi.json", "")), &doc))
	if !strings.HasPrefix(doc.OpenAPI, "3.1") || len(doc.Paths) < 5 {
		t.Errorf("%+v", doc)
	}
	for path, methods := range doc.Paths {
		for method, o := range methods {
			has := false
			for _, p := range o.Parameters {
				has = has || p.Name == "Idempotency-Key"
			}
			if has == (method == "get") {
				t.Errorf("%s %s: idempotency key documented: %t", method, path, has)
			}
		}
	}
}
