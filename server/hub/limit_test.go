package hub

import (
	"strings"
	"testing"
	"time"

	"holdfast/server/control"
	"holdfast/server/entitlement"
	"holdfast/sync/directory"
	"holdfast/sync/fault"
)

// An operator grants one workspace more, by the command line: edges know it when the command is done, the reason is written down, and bad
// input changes nothing.
func TestLimitsOverTheSocket(t *testing.T) {
	dir := t.TempDir()
	h, e, ws := owned(t, dir, apiShop)
	e.ok("GET", "/api/workspaces/"+string(ws)+"/billing", "") // it has an account
	c := control.NewClient(dir)
	at := "/entitlements/" + string(ws)
	limit := func() int64 {
		var d directory.Tenant
		must(t, e.directory(directory.TenantKey(ws), &d))
		return d.Limits["mails"]
	}
	until := time.Now().Add(24 * time.Hour).UTC().Truncate(time.Second)
	must(t, c.Call(t.Context(), "PUT", at+"/mails", control.Override{Value: "70000", Reason: "a campaign", Until: until}, nil))
	within(t, 5*time.Second, func() error {
		if n := limit(); n != 70000 {
			return fault.Errorf("test", fault.Conflict, "%d", n)
		}
		return nil
	})
	var list []entitlement.Entitlement
	must(t, c.Call(t.Context(), "GET", at, nil, &list))
	if len(list) != 1 || list[0].Limit.Text(0) != "70000" || list[0].Override.Reason != "a campaign" || !list[0].Override.Until.Equal(until) {
		t.Errorf("%+v", list)
	}
	for path, o := range map[string]control.Override{at + "/wings": {Value: "1", Reason: "x"}, at + "/mails": {Value: "-1", Reason: "x"}, "/entitlements/nobody/mails": {Value: "1", Reason: "x"}} {
		if err := c.Call(t.Context(), "PUT", path, o, nil); err == nil || fault.DetailOf(err) == "" {
			t.Errorf("%s %+v: %v", path, o, err)
		}
	}
	must(t, c.Call(t.Context(), "DELETE", at+"/mails", nil, nil))
	within(t, 5*time.Second, func() error {
		if n := limit(); n != 100 {
			return fault.Errorf("test", fault.Conflict, "%d", n)
		}
		return nil
	})
	entries, err := h.runners.Entries(t.Context(), string(ws), 0, 10)
	must(t, err)
	if len(entries) != 2 || entries[0].Action != "entitlement.end" || entries[1].Action != "entitlement.override" || !strings.Contains(entries[1].Detail, "mails 70000, until "+until.Format(time.RFC3339)+", reason a campaign") {
		t.Errorf("%+v", entries)
	}
}
