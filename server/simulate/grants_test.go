package simulate

import "testing"

func TestBM07_AlertsAreToldOnce(t *testing.T) {
	r := play(t, "start: 2026-04-01\nend: 2026-05-12\n"+calls+`
  features: {api: {type: metered, meter: calls}, sso: {type: boolean}}
  plans:
    a: {prices: [{id: base, model: flat, amount: 10}], entitlements: {api: {limit: 100, alerts: [80, 100]}}}
    b: {prices: [{id: base, model: flat, amount: 20}], entitlements: {api: {limit: 500}, sso: true}}
customers: {acme: {pays: {card: ok}}}
events:
  - {at: 2026-04-01, subscribe: {customer: acme, plan: a}}
  - {at: 2026-04-02, usage: {customer: acme, meter: calls, value: 30, every: 3d, until: 2026-04-20}}
  - {at: 2026-05-02, usage: {customer: acme, meter: calls, value: 85}}
  - {at: 2026-05-10, change: {customer: acme, plan: b}}
`)
	equal(t, "alerts", told(r, "entitlement."), "[04-08 entitlement.alert 04-11 entitlement.alert 05-02 entitlement.alert]")
	g := r.Customers[0].Grants
	equal(t, "grants after the change", []any{g[0].Limit, g[0].Used, g[1].On}, "[500 85 true]")
}
