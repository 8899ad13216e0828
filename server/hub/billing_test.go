package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"holdfast/sync/directory"
	"holdfast/sync/usage"
	"holdfast/sync/wire"
)

// The owner sees the plan, the usage of the usage page, changes the plan and gets the invoice; edges know the limits at once.
func TestBM32_OwnersSeeAndChangeTheirBilling(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir, "127.0.0.1:0")
	addr := h.LeafAddr()
	e := newEdge(t, addr)
	within(t, 10*time.Second, func() error { return e.register(`{"name":"eu","url":"` + origin + `"}`) })
	e.signUp()
	ws := e.workspace("Acme")
	at := "/api/workspaces/" + string(ws)
	var o struct {
		Plan  struct{ ID string }
		Usage []struct {
			Meter string
			Used  int64
		}
		Upcoming *struct{ Total string }
		Invoices []struct{ Number, State, Total string }
	}
	look := func(method, path, body string) {
		t.Helper()
		o.Usage, o.Invoices, o.Upcoming = nil, nil, nil
		must(t, json.Unmarshal([]byte(e.ok(method, at+path, body)), &o))
	}
	look("GET", "/billing", "")
	if o.Plan.ID != "free" || len(o.Invoices) != 0 {
		t.Fatalf("%+v", o)
	}
	limit := func(key string, want int64) func() error {
		return func() error {
			var d directory.Tenant
			if err := e.directory(directory.TenantKey(ws), &d); err != nil {
				return err
			}
			if d.Limits[key] != want {
				return fmt.Errorf("%s: %v, want %d", key, d.Limits, want)
			}
			return nil
		}
	}
	within(t, 2*time.Second, limit("seats", 10))

	for n := range uint64(7) {
		ev := usage.Event{ID: usage.RangeID(usage.ChangesSeries(ws), n+1, n+1), Source: "edge/eu", Meter: usage.Changes, Tenant: ws, Time: time.Now(), Quantity: 1}
		must(t, e.nc.Publish(wire.UsageSubject("eu", ws), ev.Encode()))
	}
	within(t, 5*time.Second, func() error {
		look("GET", "/billing", "")
		for _, u := range o.Usage {
			if u.Meter == "changes" && u.Used == 7 && strings.Contains(e.ok("GET", at+"/usage", ""), `{"meter":"changes","unit":"changes","quantity":7}`) {
				return nil
			}
		}
		return errors.New("the usage is not shown")
	})

	if status, body := e.send("POST", at+"/billing/plan", `{"plan":"business"}`); status != 409 || !strings.Contains(body, "payment method") {
		t.Errorf("without a method: %d %s", status, body)
	}
	e.ok("PUT", at+"/billing/method", `{"kind":"card","token":"4242 4242 4242 4242"}`)
	var c struct{ Due string }
	must(t, json.Unmarshal([]byte(e.ok("POST", at+"/billing/preview", `{"plan":"business"}`)), &c))
	look("POST", "/billing/plan", `{"plan":"business"}`)
	if err := limit("seats", 0)(); err != nil { // at once: the answer came after the directory
		t.Error(err)
	}
	if len(o.Invoices) != 1 || o.Invoices[0].State != "paid" || o.Invoices[0].Total != c.Due || o.Plan.ID != "business" || o.Upcoming == nil {
		t.Fatalf("previewed %s, got %+v", c.Due, o)
	}
	for form, want := range map[string]string{"html": "<!doctype html>", "pdf": "%PDF-", "xml": "<?xml"} {
		if got := e.ok("GET", at+"/billing/documents/"+o.Invoices[0].Number+"?as="+form, ""); !strings.HasPrefix(strings.ToLower(got), strings.ToLower(want)) {
			t.Errorf("%s: %.80s", form, got)
		}
	}
	if status, _ := e.send("GET", at+"/billing/documents/HF-000099?as=pdf", ""); status != 404 {
		t.Errorf("an invoice of nobody: %d", status)
	}

	must(t, h.Close(t.Context()))
	open(t, dir, addr)
	look("GET", "/billing", "")
	if len(o.Invoices) != 1 || o.Plan.ID != "business" {
		t.Errorf("after a restart: %+v", o)
	}
}

// Strangers learn nothing, members neither; admins look and do not touch.
func TestBillingIsForOwners(t *testing.T) {
	_, e, ws := owned(t, t.TempDir(), "")
	owner := e.cook
	join := func(role string) string {
		t.Helper()
		var inv struct{ URL string }
		e.cook = owner
		must(t, json.Unmarshal([]byte(e.ok("POST", "/api/workspaces/"+string(ws)+"/invitations", `{"role":"`+role+`"}`)), &inv))
		e.cook = ""
		other := newPerson(t, e)
		other.ok("POST", "/api/invitations/"+inv.URL[strings.LastIndex(inv.URL, "/")+1:]+"/accept", "")
		return other.cook
	}
	stranger, member, admin := newPerson(t, e).cook, join("member"), join("admin")
	for _, c := range []struct {
		who, cook    string
		read, change int
	}{{"nobody", "", 401, 401}, {"stranger", stranger, 404, 404}, {"member", member, 403, 403}, {"admin", admin, 200, 403}, {"owner", owner, 200, 200}} {
		e.cook = c.cook
		at := "/api/workspaces/" + string(ws) + "/billing"
		if status, body := e.send("GET", at, ""); status != c.read {
			t.Errorf("%s reads: %d %s", c.who, status, body)
		}
		if status, body := e.send("PUT", at+"/method", `{"kind":"card","token":"ok"}`); status != c.change {
			t.Errorf("%s changes: %d %s", c.who, status, body)
		}
	}
}

// newPerson is somebody else behind the same edge, signed up.
func newPerson(t *testing.T, e *edge) *edge {
	t.Helper()
	p := &edge{t: t, nc: e.nc, srv: e.srv, auth: virtualwebauthn.NewAuthenticator()}
	for p.cred = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2); len(p.cred.Key.AttestationData()) != 77; {
		p.cred = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	p.signUp()
	return p
}
