package entitlement

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"holdfast/server/catalog"
	"holdfast/server/meter"
	"holdfast/server/money"
	"holdfast/server/period"
	"holdfast/sync/fault"
)

const shop = `
currency: EUR
meters: {calls: {aggregate: sum}, gb: {aggregate: weighted}}
features:
  sso: {type: boolean}
  audit: {type: boolean}
  projects: {type: number, name: Projects}
  api: {type: metered, meter: calls, name: API calls}
  daily: {type: metered, meter: calls}
  storage: {type: metered, meter: gb}
plans:
  p:
    prices: [{id: base, model: flat, amount: 1}]
    entitlements:
      sso: true
      projects: {limit: 5, per: seats}
      api: {limit: 1000, alerts: [80, 100, 120], soft: true}
      daily: {limit: 100, period: day}
      storage: {limit: 10, period: never}
addons:
  disk: {prices: [{id: disk, model: per_unit, quantity: packs, amount: 1}], entitlements: {storage: {limit: 100, per: packs}}}
`

var t0 = time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)

func setup(t *testing.T, events ...[3]string) map[string]Entitlement {
	t.Helper()
	c, err := catalog.Parse(strings.NewReader(shop))
	if err != nil {
		t.Fatal(err)
	}
	var log meter.Log
	now := t0.AddDate(0, 0, 9).Add(12 * time.Hour)
	for i, e := range events {
		day := 0
		_, _ = fmt.Sscan(e[0], &day)
		at := t0.AddDate(0, 0, day-1)
		if _, err := log.Add(meter.Event{Source: "s", ID: fmt.Sprint(i), Type: e[1], Time: at, Received: at,
			Data: map[string]string{"value": e[2]}}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := All(Input{Catalog: c, Terms: []*catalog.Version{&c.Plans[0].Versions[0], &c.Addons[0].Versions[0]},
		Quantities: map[string]int64{"seats": 4, "packs": 2},
		Period:     period.Span{Start: t0, End: t0.AddDate(0, 1, 0)}, Since: t0, Usage: &log, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]Entitlement{}
	for _, e := range all {
		out[e.Feature] = e
	}
	return out
}

func TestBM06_Entitlements(t *testing.T) {
	e := setup(t, [3]string{"2", "calls", "700"}, [3]string{"10", "calls", "95"}, [3]string{"1", "gb", "200"},
		[3]string{"9", "gb", "40"})
	if !e["sso"].On || e["audit"].On {
		t.Errorf("boolean: got %v %v", e["sso"].On, e["audit"].On)
	}
	for f, want := range map[string]string{"projects": "20/0", "api": "1000/795", "daily": "100/95", "storage": "210/40"} {
		if got := e[f].Limit.Text(2) + "/" + e[f].Used.Text(2); got != want {
			t.Errorf("%s: got %s, want %s", f, got, want)
		}
	}
	if err := e["daily"].Allow(money.Int(5)); err != nil {
		t.Errorf("up to the limit: %v", err)
	}
	err := e["daily"].Allow(money.Int(6))
	if fault.KindOf(err) != fault.Limit || !strings.Contains(fault.DetailOf(err),
		"95 of 100 are used. More is free again on 11 April 2026.") {
		t.Errorf("over a hard limit: got %v", err)
	}
	if err := e["api"].Allow(money.Int(10_000)); err != nil {
		t.Errorf("over a soft limit: %v", err)
	}
	if err := e["audit"].Allow(money.Int(1)); fault.KindOf(err) != fault.Limit {
		t.Errorf("not in the plan: %v", err)
	}
}

func TestBM07_AlertsByPercent(t *testing.T) {
	for used, want := range map[string]string{"799": "[]", "800": "[80]", "1000": "[80 100]", "1199.5": "[80 100]",
		"5000": "[80 100 120]"} {
		if got := fmt.Sprint(setup(t, [3]string{"2", "calls", used})["api"].Crossed()); got != want {
			t.Errorf("%s used: got %s, want %s", used, got, want)
		}
	}
}
