package hub

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"holdfast/sync/id"
)

// Bad input gets a sentence that says what is wrong, and changes nothing.
func TestAPIRefuses(t *testing.T) {
	c, ws, all := apiWorld(t)
	one := all + "/workspaces/" + ws[strings.LastIndex(ws, "/")+1:]
	c.do(200, "PUT", ws+"/methods", `{"methods":[{"kind":"card","token":"ok"}]}`)
	number := c.command(ws, "/subscription/change", `{"plan":"pro","when":"now"}`).Invoices[0].Number
	c.do(200, "POST", all+"/transfers", `{"id":"T1","amount":{"amount":"100.00","currency":"EUR"},"reference":"thanks"}`)
	state := func() string {
		var out []string
		for _, path := range []string{ws + "/subscription", ws + "/invoices", ws + "/credits", ws + "/credit-notes", ws + "/methods", ws + "/notices", all + "/ledger/balances", all + "/transfers", all + "/catalog"} {
			out = append(out, c.do(200, "GET", path, ""))
		}
		return strings.Join(out, "\n")
	}
	before := state()
	for _, x := range []struct {
		what               string
		status             int
		method, path, body string
		says               string
	}{
		{"second-subscription", 409, "POST", ws + "/subscription/subscribe", `{"plan":"pro"}`, "already"},
		{"unknown-plan", 404, "POST", ws + "/subscription/change", `{"plan":"gold"}`, "gold"},
		{"unknown-version", 404, "POST", ws + "/subscription/change", `{"plan":"pro","version":7}`, "version 7"},
		{"unknown-addon", 404, "POST", ws + "/subscription/change", `{"add":"wings"}`, "wings"},
		{"negative-quantity", 400, "POST", ws + "/subscription/change", `{"quantities":{"seats":-1}}`, "negative"},
		{"unknown-quantity", 400, "POST", ws + "/subscription/change", `{"quantities":{"desks":1}}`, "desks"},
		{"fraction", 422, "POST", ws + "/subscription/change", `{"quantities":{"seats":1.5}}`, "errors"},
		{"nothing-to-change", 400, "POST", ws + "/subscription/change", `{}`, "Say what"},
		{"unknown-field", 422, "POST", ws + "/subscription/change", `{"paln":"pro"}`, "errors"},
		{"no-json", 400, "POST", ws + "/subscription/change", `{`, ""},
		{"unknown-coupon", 404, "POST", ws + "/subscription/coupons", `{"coupon":"FREE"}`, "FREE"},
		{"not-paused", 409, "POST", ws + "/subscription/resume", `{}`, "active"},
		{"pause-until-yesterday", 400, "POST", ws + "/subscription/pause", `{"until":"2020-01-01T00:00:00Z"}`, "past"},
		{"no-cancellation", 409, "POST", ws + "/subscription/stay", "", "no cancellation"},
		{"unknown-currency", 400, "POST", ws + "/credits/buy", `{"amount":{"amount":"5","currency":"NUTS"}}`, "NUTS"},
		{"other-currency", 400, "POST", ws + "/credits/buy", `{"amount":{"amount":"5","currency":"USD"}}`, "EUR"},
		{"negative-amount", 400, "POST", ws + "/credits/buy", `{"amount":{"amount":"-5","currency":"EUR"}}`, ""},
		{"half-a-cent", 400, "POST", ws + "/credits/buy", `{"amount":{"amount":"5.005","currency":"EUR"}}`, ""},
		{"float", 422, "POST", ws + "/credits/buy", `{"amount":{"amount":5.5,"currency":"EUR"}}`, "errors"},
		{"shell-money", 422, "PUT", ws + "/methods", `{"methods":[{"kind":"shells"}]}`, "errors"},
		{"no-such-invoice", 404, "GET", ws + "/invoices/S-000099", "", "S-000099"},
		{"no-such-document", 404, "GET", ws + "/documents/S-000099", "", "no such invoice"},
		{"paid-already", 409, "POST", ws + "/invoices/" + number + "/pay", "", "paid"},
		{"nothing-to-confirm", 409, "POST", ws + "/invoices/" + number + "/confirm", "", "waits"},
		{"cursor", 400, "GET", ws + "/invoices?cursor=xyz", "", "cursor"},
		{"page-of-none", 422, "GET", ws + "/invoices?limit=0", "", "errors"},
		{"range-backwards", 400, "GET", ws + "/usage?from=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z", "", "range"},
		{"unknown-meter", 404, "GET", ws + "/usage?from=2026-01-01T00:00:00Z&until=2026-02-01T00:00:00Z&meter=steps", "", "steps"},
		{"no-range", 422, "GET", ws + "/usage", "", "errors"},
		{"refund-above-the-payment", 400, "POST", one + "/invoices/" + number + "/credit", `{"amount":{"amount":"900","currency":"EUR"},"refund":true}`, "more than"},
		{"void-paid", 409, "POST", one + "/invoices/" + number + "/void", "", "paid"},
		{"credit-of-nothing", 400, "POST", one + "/credits/give", `{"amount":{"amount":"0","currency":"EUR"}}`, "more than nothing"},
		{"override-of-nothing", 404, "POST", one + "/entitlements/wings/override", `{"value":"5","reason":"x"}`, "wings"},
		{"override-without-a-reason", 422, "POST", one + "/entitlements/mails/override", `{"value":"5"}`, "errors"},
		{"override-negative", 400, "POST", one + "/entitlements/mails/override", `{"value":"-5","reason":"x"}`, "from 0"},
		{"override-that-is-over", 400, "POST", one + "/entitlements/mails/override", `{"value":"5","reason":"x","until":"2020-01-01T00:00:00Z"}`, "over"},
		{"override-that-is-none", 409, "POST", one + "/entitlements/mails/override/end", "", "plan already"},
		{"vat-without-a-number", 409, "PUT", one + "/vat", `{"status":"valid"}`, "no VAT number"},
		{"no-trial", 409, "POST", one + "/subscription/extend-trial", `{"until":"2099-01-01T00:00:00Z"}`, "no trial"},
		{"no-such-transfer", 404, "POST", all + "/transfers/T9/match", `{"workspace":"x","invoice":"y"}`, "T9"},
		{"match-unknown-invoice", 404, "POST", all + "/transfers/T1/match", `{"workspace":"` + ws[strings.LastIndex(ws, "/")+1:] + `","invoice":"S-9"}`, "S-9"},
		{"transfer-of-nuts", 400, "POST", all + "/transfers", `{"id":"T2","amount":{"amount":"1","currency":"NUTS"},"reference":""}`, "NUTS"},
		{"catalogue-broken", 400, "PUT", all + "/catalog", `{"text":"currency: NUTS\n"}`, "line 1"},
		{"catalogue-edited", 409, "PUT", all + "/catalog", `{"text":` + quoted(strings.Replace(apiShop, "amount: 30", "amount: 31", 1)) + `}`, "never edited"},
		{"migrate-unknown", 404, "POST", all + "/catalog/migrate", `{"plan":"gold"}`, "gold"},
		{"clock-of-nobody", 404, "POST", one + "/test-clock/advance", `{"to":"2099-01-01T00:00:00Z"}`, "no test clock"},
		{"clock-of-a-payer", 409, "PUT", one + "/test-clock", `{}`, "pays"},
		{"unknown-workspace", 404, "GET", all + "/workspaces/01m74xbrm0fxab8gbfypqe6t02", "", ""},
	} {
		if answer := c.do(x.status, x.method, x.path, x.body); !strings.Contains(answer, x.says) {
			t.Errorf("%s: %s does not say %q", x.what, answer, x.says)
		}
		if x.method == "POST" && strings.Contains(x.path, "/subscription/") {
			c.do(x.status, x.method, x.path+"/preview", x.body)
		}
	}
	if after := state(); after != before {
		t.Errorf("something changed:\n%s\n%s", before, after)
	}
}

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// Operators' addresses are nowhere for anybody else, and a workspace's are for its owners; its admins look.
func TestAPIAccess(t *testing.T) {
	c, ws, all := apiWorld(t)
	e := c.e
	owner := e.cook
	workspace := ws[strings.LastIndex(ws, "/")+1:]
	var inv struct{ URL string }
	must(t, json.Unmarshal([]byte(e.ok("POST", "/api/workspaces/"+workspace+"/invitations", `{"role":"admin"}`)), &inv))
	admin, stranger := newPerson(t, e), newPerson(t, e)
	admin.ok("POST", "/api/invitations/"+inv.URL[strings.LastIndex(inv.URL, "/")+1:]+"/accept", "")
	var key struct{ Text string }
	must(t, json.Unmarshal([]byte(e.ok("POST", "/api/workspaces/"+workspace+"/keys", `{"name":"K","scopes":["billing:write"]}`)), &key))
	n := 0
	send := func(cook, bearer, method, path, body string) (int, string) {
		n++
		e.cook = cook
		status, _, answer := e.raw(method, path, body, func(r *http.Request) {
			r.Header.Set("Idempotency-Key", string(id.ID("n"))+strings.Repeat("x", n))
			if bearer != "" {
				r.Header.Set("Authorization", "Bearer "+bearer)
			}
		})
		return status, answer
	}
	for _, x := range []struct {
		who, cook, bearer, method, path, body string
		status                                int
	}{
		{"operator", owner, "", "GET", all + "/workspaces", "", 200},
		{"admin", admin.cook, "", "GET", all + "/workspaces", "", 404},
		{"admin with a bad body", admin.cook, "", "PUT", all + "/catalog", `[`, 404},
		{"key", "", key.Text, "GET", all + "/workspaces", "", 404},
		{"nobody", "", "", "GET", all + "/workspaces", "", 401},
		{"nowhere", owner, "", "GET", all + "/nowhere", "", 404},
		{"admin reads", admin.cook, "", "GET", ws + "/invoices", "", 200},
		{"admin previews", admin.cook, "", "POST", ws + "/subscription/change/preview", `{"plan":"pro"}`, 200},
		{"admin changes", admin.cook, "", "POST", ws + "/subscription/change", `{"plan":"pro"}`, 403},
		{"stranger reads", stranger.cook, "", "GET", ws + "/invoices", "", 404},
		{"stranger changes", stranger.cook, "", "POST", ws + "/subscription/cancel", `{"now":true}`, 404},
		{"key reads", "", key.Text, "GET", ws + "/invoices", "", 200},
		{"owner without a way to pay", owner, "", "POST", ws + "/subscription/change", `{"plan":"pro"}`, 409},
		{"operator without one", owner, "", "POST", all + "/workspaces/" + workspace + "/subscription/change", `{"plan":"pro"}`, 200},
	} {
		if status, answer := send(x.cook, x.bearer, x.method, x.path, x.body); status != x.status {
			t.Errorf("%s: %d %s, want %d", x.who, status, answer, x.status)
		}
	}
	person := between(e.ok("GET", "/api/v1/operator/operators", ""), `"id":"`, `"`)
	must(t, c.h.runners.Remove(t.Context(), id.ID(person)))
	if status, _ := send(owner, "", "GET", all+"/workspaces", ""); status != 404 {
		t.Errorf("an operator who was removed: %d", status)
	}
}
