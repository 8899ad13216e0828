package hub

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
		if status, body := e.send("POST", "/api/operator/accept/"+wrong, ""); status != 404 {
			t.Errorf("%s: %d %s", wrong, status, body)
		}
	}
	e.ok("POST", "/api/operator/accept/"+code, "")
	if status, _ := e.send("POST", "/api/operator/accept/"+code, ""); status != 404 {
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
	if status, _ := e.send("POST", "/api/operator/accept/"+code, ""); status != http.StatusUnauthorized {
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
