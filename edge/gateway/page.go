package gateway

import (
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"holdfast/build/assets"
	"holdfast/sync/fault"
	"holdfast/sync/problem"
)

// Paths of the app begin with one of these; the page behind all of them is the same, and finds out by itself what to show.
var pages = []string{"", "signin", "signup", "join", "link", "w", "account", "gallery"}

// page answers with the app, or with one of the files at fixed addresses such as /sw.js. An address that the app does not
// know gets the app too, which says so, with status 404.
func (g *Gateway) page(w http.ResponseWriter, r *http.Request) {
	if f, ok := g.cfg.Assets(r.URL.Path); ok && r.URL.Path != "/" {
		f.ServeHTTP(w, r)
		return
	}
	if g.toLocalhost(w, r) {
		return
	}
	f, ok := g.cfg.Assets("/")
	if !ok {
		g.notBuilt(w)
		return
	}
	head, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if !slices.Contains(pages, head) {
		// Only people get the page for an unknown address; programs get a short answer.
		if !strings.Contains(r.Header.Get("Accept"), "text/html") {
			g.nothing(w, r)
			return
		}
		r.Header.Del("If-None-Match") // 304 would hide the status
		other := &withStatus{ResponseWriter: w, status: http.StatusNotFound}
		f.ServeHTTP(other, r)
		other.WriteHeader(http.StatusOK) // HEAD has no body that would have sent it
		return
	}
	f.ServeHTTP(w, r)
}

// toLocalhost sends whoever opened http://127.0.0.1 to http://localhost: passkeys belong to a name, not to an address.
func (g *Gateway) toLocalhost(w http.ResponseWriter, r *http.Request) bool {
	if g.origin.Hostname() != "localhost" || (r.Method != http.MethodGet && r.Method != http.MethodHead) {
		return false
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err != nil || !a.IsLoopback() {
		return false
	}
	http.Redirect(w, r, g.cfg.URL+r.URL.RequestURI(), http.StatusTemporaryRedirect)
	return true
}

// file answers with a hashed file. A missing one is plainly missing: the page in its place would be taken for a script.
func (g *Gateway) file(w http.ResponseWriter, r *http.Request) {
	f, ok := g.cfg.Assets(r.URL.Path)
	if !ok {
		g.nothing(w, r)
		return
	}
	f.ServeHTTP(w, r)
}

func (g *Gateway) notBuilt(w http.ResponseWriter) {
	g.cfg.Log.Error("the app is not part of this binary", "err", assets.ErrNotBuilt)
	problem.Write(w, fault.Errorf("gateway.page", fault.Unavailable, "The app is not part of this build. Build it with: make build"))
}

func (g *Gateway) nothing(w http.ResponseWriter, _ *http.Request) {
	problem.Write(w, fault.Errorf("gateway", fault.NotFound, "There is nothing at this address."))
}

// ready is for load balancers: nobody should be sent here now when it is an error.
func (g *Gateway) ready(w http.ResponseWriter, _ *http.Request) {
	if err := g.cfg.Node.Ready(); err != nil {
		problem.Write(w, err)
		return
	}
	writeJSON(w, struct {
		Status string `json:"status"`
		Region string `json:"region"`
	}{"ready", g.cfg.Region})
}

// health tells that the process lives: the region serves its people with or without the hub.
func (g *Gateway) health(w http.ResponseWriter, _ *http.Request) {
	hub := "away"
	if g.cfg.Node.Linked() {
		hub = "linked"
	}
	writeJSON(w, struct {
		Status string `json:"status"`
		Region string `json:"region"`
		Hub    string `json:"hub"`
	}{"ok", g.cfg.Region, hub})
}

func writeJSON(w http.ResponseWriter, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		problem.Write(w, fault.E("gateway.writeJSON", fault.Other, err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Write(append(b, '\n')) // a failed write is a client that left
}

// withStatus sends a file with another status than 200.
type withStatus struct {
	http.ResponseWriter
	status int
	sent   bool
}

func (w *withStatus) WriteHeader(status int) {
	if w.sent {
		return
	}
	w.sent = true
	if status < http.StatusBadRequest {
		status = w.status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *withStatus) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.ResponseWriter.Write(b)
}
