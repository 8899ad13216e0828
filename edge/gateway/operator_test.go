package gateway

import (
	"net/http"
	"testing"

	"holdfast/sync/fault"
	"holdfast/sync/problem"
)

// The operator's pages are nothing to everybody else: byte for byte what any address is that does not exist.
func TestOperatorPagesAreNothingToOthers(t *testing.T) {
	w := newWorld(t)
	ana := w.hub.NewPerson()
	people := header("Accept", "text/html")
	same := func(name, method, path string, change ...func(*http.Request)) {
		t.Helper()
		want := w.send(method, "/nowhere", change...)
		got := w.send(method, path, change...)
		if got.status != want.status || got.body != want.body || got.header.Get("Content-Type") != want.header.Get("Content-Type") || got.header.Get("Content-Security-Policy") != want.header.Get("Content-Security-Policy") || got.header.Get("Cache-Control") != want.header.Get("Cache-Control") {
			t.Errorf("%s: %d %s %v, want %d %s %v", name, got.status, got.body, got.header, want.status, want.body, want.header)
		}
	}
	for _, path := range []string{"/operator", "/operator/customers", "/operator/nothing"} {
		same("nobody", "GET", path, people)
		same("a program", "GET", path)
		if w.lastAsked() != nil {
			t.Fatal("a visitor's request reached the hub")
		}
	}
	w.answers(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Security-Policy", "default-src 'none'")
		problem.Write(rw, fault.Errorf("hub", fault.NotFound, "There is nothing at this address."))
	})
	same("a member", "GET", "/operator", people, as(ana))
	same("a member", "POST", "/operator/customers/x/do/credit", people, as(ana), body("amount=1"))
	same("a link that does not work", "GET", "/operator/accept/abc", people)
	w.answers(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		rw.Header().Set("Content-Security-Policy", "default-src 'none'")
		rw.Write([]byte("console"))
	})
	for _, r := range []reply{w.send("GET", "/operator", people, as(ana)), w.send("GET", "/operator/accept/abc", people)} {
		if r.status != 200 || r.body != "console" || r.header.Get("Content-Security-Policy") != "default-src 'none'" {
			t.Errorf("an operator got %d %s %v", r.status, r.body, r.header)
		}
	}
}
