package billing

import (
	"strings"
	"testing"
	"time"

	"holdfast/server/entitlement"
	"holdfast/sync/fault"
)

const granting = `
currency: EUR
meters: {calls: {aggregate: sum}, disk: {aggregate: weighted}}
features:
  sso: {name: Single sign-on, type: boolean}
  projects: {name: Projects, type: number}
  api: {name: API calls, type: metered, meter: calls}
  disk: {name: Storage, type: metered, meter: disk}
plans:
  a: {prices: [{id: x, model: flat, amount: 10}], entitlements: {projects: 3, api: {limit: 100, soft: true, alerts: [50], period: month}}}
  b: {prices: [{id: x, model: flat, amount: 20}], entitlements: {sso: true, projects: unlimited, api: unlimited}}
`

func (w *town) grants(customer string) map[string]entitlement.Entitlement {
	w.t.Helper()
	list, err := w.e.Entitlements(customer)
	if err != nil {
		w.t.Fatalf("%v", err)
	}
	out := map[string]entitlement.Entitlement{}
	for _, e := range list {
		out[e.Feature] = e
	}
	return out
}

// One customer gets another limit than their plan says: through changes of plan, until its end or for good, and nobody else.
func TestBM06_OneCustomerIsGrantedOtherwise(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	w := newTown(t, granting, start)
	for _, c := range []string{"c", "d"} {
		w.open(c, "ok")
		w.do(c, Subscribe{Plan: "a"})
	}
	until := start.AddDate(0, 2, 0)
	w.do("c", Override{"projects", "12", "promised by sales", until})
	w.do("c", Override{"api", " 5000 ", "load test", time.Time{}})
	w.do("c", Override{"sso", "on", "pilot", time.Time{}})
	w.do("c", Override{"disk", "7", "pilot", time.Time{}})
	g := w.grants("c")
	if e := g["projects"]; e.Limit.Text(0) != "12" || !e.On || e.Override.Reason != "promised by sales" || !e.Override.Until.Equal(until) {
		t.Errorf("%+v", e)
	}
	if e := g["api"]; e.Limit.Text(0) != "5000" || !e.Soft || e.Window.End.Sub(start) != 31*24*time.Hour || len(e.Alerts) != 1 {
		t.Errorf("softness, alerts and window are not the plan's: %+v", e)
	}
	if e := g["disk"]; !e.On || e.Soft || e.Limit.Text(0) != "7" || e.Window.Empty() {
		t.Errorf("what the plan does not have: %+v", e)
	}
	if !g["sso"].On || w.grants("d")["sso"].On || w.grants("d")["projects"].Limit.Text(0) != "3" {
		t.Error("somebody else is granted it too")
	}
	w.do("c", Change{Plan: "b"})
	if e := w.grants("c")["projects"]; e.Unlimited || e.Limit.Text(0) != "12" {
		t.Errorf("after another plan: %+v", e)
	}
	w.do("c", Override{"api", "unlimited", "enough", time.Time{}})
	if n := len(w.account("c").Overrides); n != 4 {
		t.Errorf("%d after one was replaced", n)
	}
	w.to(until.Add(-time.Second))
	if e := w.grants("c")["projects"]; e.Limit.Text(0) != "12" {
		t.Errorf("before its end: %+v", e)
	}
	w.to(until)
	if e := w.grants("c")["projects"]; !e.Unlimited || e.Override != nil {
		t.Errorf("after its end: %+v", e)
	}
	w.do("c", EndOverride{"sso"})
	w.do("c", EndOverride{"api"})
	w.do("c", Override{"sso", "off", "abuse", time.Time{}})
	if w.grants("c")["sso"].On {
		t.Error("it is on although it is off")
	}
	w.do("c", Cancel{Now: true})
	if e := w.grants("c")["disk"]; e.On {
		t.Errorf("nothing runs, and %+v is granted", e)
	}
	var told []string
	for _, n := range w.account("c").Notices {
		if n.Kind == "entitlement.changed" {
			told = append(told, n.Text)
		}
	}
	if got, want := strings.Join(told, "|"), "Projects: 12 until 2026-03-01 00:00|API calls: 5000|Single sign-on: on|Storage: 7|API calls: unlimited|Projects: as in the plan|Single sign-on: as in the plan|API calls: as in the plan|Single sign-on: off"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if strings.Contains(strings.Join(told, "|"), "sales") {
		t.Error("the customer reads the reason")
	}
}

func TestBadOverridesChangeNothing(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	w := newTown(t, granting, start)
	w.open("c", "ok")
	w.do("c", Subscribe{Plan: "a"})
	never := time.Time{}
	for name, c := range map[string]struct {
		c    Command
		kind fault.Kind
	}{
		"no-such-feature":    {Override{"gold", "1", "why", never}, fault.NotFound},
		"no-reason":          {Override{"projects", "1", " ", never}, fault.Invalid},
		"long-reason":        {Override{"projects", "1", strings.Repeat("é", 251), never}, fault.TooLarge},
		"negative":           {Override{"projects", "-1", "why", never}, fault.Invalid},
		"no-number":          {Override{"projects", "many", "why", never}, fault.Invalid},
		"exponent":           {Override{"projects", "1e9", "why", never}, fault.Invalid},
		"huge":               {Override{"projects", "1000000000000001", "why", never}, fault.Invalid},
		"empty":              {Override{"projects", "", "why", never}, fault.Invalid},
		"number-of-a-switch": {Override{"sso", "5", "why", never}, fault.Invalid},
		"unlimited-switch":   {Override{"sso", "unlimited", "why", never}, fault.Invalid},
		"on-a-number":        {Override{"projects", "on", "why", never}, fault.Invalid},
		"over":               {Override{"projects", "5", "why", start}, fault.Invalid},
		"far":                {Override{"projects", "5", "why", start.AddDate(11, 0, 0)}, fault.Invalid},
		"nothing-to-end":     {EndOverride{"projects"}, fault.Conflict},
	} {
		err := w.e.Do(t.Context(), "c", c.c)
		if fault.KindOf(err) != c.kind || fault.DetailOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(w.account("c").Overrides); n != 0 {
		t.Errorf("%d are in force", n)
	}
}
