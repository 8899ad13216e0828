package gallery

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/api"
	"holdfast/app/browser"
)

// fetch answers as the service would. Ceremonies with passkeys are not played: they need a real service.
// Whoever looks at the page can wait until galleryAsks, the number of requests without an answer, is 0.
func (w *world) fetch(method, path, body string) (int, string, error) {
	asks := func(by int) { w.asks += by; app.Window().Set("galleryAsks", w.asks) }
	asks(1)
	defer asks(-1)
	time.Sleep(30 * time.Millisecond) // answers never come at once
	ms := func(days int) int64 { return Noon.AddDate(0, 0, days).UnixMilli() }
	if w.state == "away" {
		return 0, "", browser.ErrNetwork
	}
	path, _, _ = strings.Cut(path, "?")
	switch method + " " + path {
	case "GET /api/me":
		if w.state == "out" || strings.HasPrefix(browser.Location(), "/sign") {
			return 401, `{"kind":"expired"}`, nil
		}
		me := api.Me{Person: api.Person{ID: Ana, Name: "Ana Duarte"}, Workspaces: []api.Workspace{
			{ID: Tenant, Name: "Harbor Studio", Role: "owner"}, {ID: Bo, Name: "Ferry Friends", Role: "member"}}}
		if w.state == "first" {
			me.Workspaces = nil
		}
		return reply(me)
	case "POST /api/auth/renew":
		return 401, `{"kind":"expired"}`, nil
	case "GET /api/auth/passkeys":
		return reply([]api.Passkey{{ID: "1", Name: "Laptop", CreatedMS: ms(-200), UsedMS: ms(0)}, {ID: "2", Name: "Phone", CreatedMS: ms(-30), UsedMS: ms(-2), Synced: true}})
	case "GET /api/people/me":
		return reply(map[string]any{"id": Ana, "name": "Ana Duarte", "operator": true})
	case "GET /api/auth/sessions":
		return reply([]api.Session{{ID: "a", Agent: "Chrome on Linux", Current: true, SeenMS: ms(0)}, {ID: "b", Agent: "Safari on iPhone", Region: "us", SeenMS: ms(-1)}})
	case "POST /api/auth/link/begin":
		return reply(api.Link{URL: "/link/7f3k-9q2m", ExpiresMS: ms(0) + 600_000})
	case "GET /api/workspaces/" + string(Tenant) + "/invitations":
		return reply([]api.Invitation{{ID: "i", Role: "member", URL: "/join/9m4x", ExpiresMS: ms(5)}})
	case "POST /api/workspaces/" + string(Tenant) + "/invitations":
		return reply(api.Invitation{ID: "j", Role: "member", URL: "/join/k2d8", ExpiresMS: ms(7)})
	case "GET /api/workspaces/" + string(Tenant) + "/usage":
		return reply(api.Usage{Month: "2026-11", AsOfMS: ms(0), Rows: []api.UsageRow{{Meter: "changes", Quantity: 18412}, {Meter: "api-calls", Quantity: 350}, {Meter: "storage-bytes", Unit: "bytes", Quantity: 7_340_032}, {Meter: "storage-byte-hours", Unit: "byte-hours", Quantity: 2_900_000_000}, {Meter: "connected-seconds", Unit: "seconds", Quantity: 1_534_000}, {Meter: "egress-bytes", Unit: "bytes", Quantity: 48_230_112}, {Meter: "rule-nanoseconds", Unit: "nanoseconds", Quantity: 58_400_000}, {Meter: "notifications", Unit: "notifications", Quantity: 61}, {Meter: "seats", Unit: "seats", Quantity: 4}, {Meter: "seats-peak", Unit: "seats", Quantity: 5}, {Meter: "seat-hours", Unit: "seat-hours", Quantity: 1_740}}})
	case "GET " + billingPath, "POST " + billingPath + "/plan", "POST " + billingPath + "/cancel", "POST " + billingPath + "/reactivate", "POST " + billingPath + "/preview":
		return reply(billing(path))
	case "GET " + hooksPath:
		return reply(webhooks)
	case "POST " + hooksPath:
		return reply(api.Webhook{ID: "ep_2", URL: "https://example.com/hooks", On: true, Secret: "whsec_5fXbq0tC8rXwq2pR7c1mZr6vE0r4Ckq1T0Vn3o2uYh8="})
	case "GET " + hooksPath + "/ep_1/deliveries":
		return reply([]api.HookDelivery{{ID: 3, Event: "invoice.paid", State: "pending", AtMS: ms(0), Reason: "The address answered 503."}, {ID: 2, Event: "payment.succeeded", State: "sent", AtMS: ms(-1)}, {ID: 1, Event: "invoice.issued", State: "failed", AtMS: ms(-3), Reason: "The address did not answer within 15 seconds."}})
	case "GET /api/invitations/9m4x":
		return reply(api.Invited{Workspace: "Harbor Studio", Inviter: "Bo Lindqvist"})
	case "GET /api/invitations/old":
		return 404, `{"kind":"not-found"}`, nil
	}
	if rest, ok := strings.CutPrefix(path, rulesPath); ok {
		return w.rulesOf(method, rest, body)
	}
	if rest, ok := strings.CutPrefix(path, keysPath); ok {
		return w.keysOf(method, rest, body)
	}
	if method == "PATCH" || method == "DELETE" || method == "POST" {
		return reply(struct{}{})
	}
	return 404, `{"kind":"not-found"}`, nil
}

func reply(v any) (int, string, error) {
	b, err := json.Marshal(v)
	return 200, string(b), err
}
