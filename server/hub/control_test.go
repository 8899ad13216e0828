package hub

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/server/biller"
	"holdfast/server/billingdb"
	"holdfast/server/control"
	"holdfast/server/operator"
	"holdfast/sync/fault"
)

// A person becomes an operator with a link of the command line, once, and is none any more at once when removed.
func TestOperators(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir, "127.0.0.1:0")
	if s, err := os.Stat(filepath.Join(dir, control.File)); err != nil || s.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", s, err)
	}
	c := control.NewClient(dir)
	call := func(method, path string, out any) {
		t.Helper()
		must(t, c.Call(t.Context(), method, path, nil, out))
	}
	e := newEdge(t, h.LeafAddr())
	e.signUp()
	var l control.Invited
	call("POST", "/operators/links", &l)
	code, found := strings.CutPrefix(l.URL, origin+operator.AcceptPath)
	if !found {
		t.Fatal(l.URL)
	}
	for _, wrong := range []string{"x", strings.Repeat("0", len(code)), strings.Repeat("x", 1000)} {
		if status, body := e.send("POST", operator.AcceptPath+wrong, ""); status != 404 {
			t.Errorf("%s: %d %s", wrong, status, body)
		}
	}
	if status, body := e.send("POST", operator.AcceptPath+code, ""); status != http.StatusSeeOther {
		t.Fatalf("%d %s", status, body)
	}
	if status, _ := e.send("POST", operator.AcceptPath+code, ""); status != 404 {
		t.Errorf("a second time: %d", status)
	}
	var list []operator.Operator
	call("GET", "/operators", &list)
	if len(list) != 1 || list[0].Name != "Ana" {
		t.Fatalf("%+v", list)
	}
	is := func() bool {
		ok, err := h.runners.IsOperator(t.Context(), list[0].ID)
		must(t, err)
		return ok
	}
	if !is() {
		t.Error("the operator is none")
	}
	call("DELETE", "/operators/"+string(list[0].ID), nil)
	if is() {
		t.Error("an operator who was removed still is one")
	}
	if err := c.Call(t.Context(), "DELETE", "/operators/"+string(list[0].ID), nil, nil); err == nil || !strings.Contains(fault.DetailOf(err), "operator list") {
		t.Errorf("removed twice: %v", err)
	}
	entries, err := h.runners.Entries(t.Context(), "", 0, 10)
	must(t, err)
	if len(entries) != 3 || entries[0].Action != "operator.remove" || entries[1].Name != "Ana" {
		t.Errorf("%+v", entries)
	}
	for _, s := range []string{"UPDATE audit SET person = 'x'", "DELETE FROM audit"} {
		if _, err := h.db.Exec(s); err == nil {
			t.Errorf("%s was done", s)
		}
	}
	e.cook = ""
	if status, _ := e.send("POST", operator.AcceptPath+code, ""); status != http.StatusNotFound {
		t.Errorf("signed out: %d", status)
	}
	must(t, h.Close(t.Context()))
	if err := c.Call(t.Context(), "GET", "/operators", nil, nil); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("no hub: %v", err)
	}
	parent := t.TempDir() // as `holdfast dev` has it
	open(t, filepath.Join(parent, "hub"), "127.0.0.1:0")
	must(t, control.NewClient(parent).Call(t.Context(), "GET", "/operators", nil, &list))
}

// What commands ask about the catalogue and test clocks, over the socket of a running hub.
func TestCatalogueAndClocksOverTheSocket(t *testing.T) {
	dir := t.TempDir()
	h, e, ws := owned(t, dir, restShop)
	addr := h.LeafAddr()
	e.ok("GET", "/api/workspaces/"+string(ws)+"/billing", "")
	c := control.NewClient(dir)
	next := strings.Replace(restShop, "free: {prices: [{id: base, model: flat, amount: 0}]}",
		"free: {versions: [{version: 1, prices: [{id: base, model: flat, amount: 0}]}, {version: 2, from: 2026-01-01, prices: [{id: base, model: flat, amount: 0}, {id: mails, model: per_unit, meter: mails, amount: 1}]}]}", 1)
	var p control.Planned
	must(t, c.Call(t.Context(), "POST", "/catalog/plan", []byte(next), &p))
	if len(p.Changes) != 1 || p.Changes[0].Subscribers != 1 || p.Changes[0].Who[0].Name != "Acme" || p.Refused != "" {
		t.Fatalf("%+v", p)
	}
	must(t, c.Call(t.Context(), "POST", "/catalog/plan", []byte(strings.Replace(restShop, "amount: 30", "amount: 31", 1)), &p))
	if p.Refused == "" || !p.Changes[0].Refused {
		t.Errorf("an edited version: %+v", p)
	}
	if err := c.Call(t.Context(), "POST", "/catalog/apply", []byte(strings.Replace(restShop, "EUR", "NUTS", 1)), nil); !strings.Contains(fault.DetailOf(err), "line 2") {
		t.Errorf("a broken file: %v", err)
	}
	must(t, c.Call(t.Context(), "POST", "/catalog/apply", []byte(next), nil))
	must(t, h.Close(t.Context()))
	h = open(t, dir, addr)
	var text []byte
	must(t, c.Call(t.Context(), "GET", "/catalog", nil, &text))
	if strings.TrimSpace(string(text)) != strings.TrimSpace(next) {
		t.Errorf("after a restart: %s", text)
	}
	var moved []biller.Migrated
	must(t, c.Call(t.Context(), "POST", "/catalog/migrate", biller.Migration{Plan: "free", When: "now"}, &moved))
	if len(moved) != 1 || moved[0].ID != string(ws) || moved[0].Refused != "" {
		t.Errorf("%+v", moved)
	}
	at := "/clocks/" + string(ws)
	must(t, c.Call(t.Context(), "PUT", at, control.Moment{At: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)}, nil))
	var clock billingdb.TestClock
	must(t, c.Call(t.Context(), "POST", at+"/advance", control.Moment{By: 24 * time.Hour}, &clock))
	if want := time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC); !clock.At.Equal(want) {
		t.Errorf("%v", clock)
	}
	must(t, c.Call(t.Context(), "DELETE", at, nil, nil))
	entries, err := h.runners.Entries(t.Context(), "", 0, 10)
	must(t, err)
	var did []string
	for _, x := range entries {
		did = append(did, x.Action)
	}
	if got := strings.Join(did, " "); got != "testclock.end testclock.advance testclock.start catalog.migrate catalog.apply" {
		t.Errorf("%s", got)
	}
}
