package hub

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// What the hub counts itself is on the usage page and on the bill: a notification once, however often it is told.
func TestHubsOwnUsage(t *testing.T) {
	h, e, ws := owned(t, t.TempDir(), "")
	for _, name := range []string{"delivery/1", "delivery/2", "delivery/1"} {
		must(t, h.notified(t.Context(), ws, name, time.Now()))
	}
	got := e.ok("GET", "/api/workspaces/"+string(ws)+"/usage", "")
	for _, want := range []string{`{"meter":"notifications","unit":"notifications","quantity":2}`, `{"meter":"seat-hours"`, `{"meter":"connected-seconds"`, `{"meter":"egress-bytes"`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	var o struct {
		Usage []struct {
			Meter string
			Used  int64
		}
	}
	must(t, json.Unmarshal([]byte(e.ok("GET", "/api/v1/workspaces/"+string(ws)+"/billing", "")), &o))
	for _, u := range o.Usage {
		if u.Meter == "notifications" && u.Used == 2 {
			return
		}
	}
	t.Errorf("%+v", o.Usage)
}
