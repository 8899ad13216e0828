package gateway

import (
	"net/http"
	"strings"

	"holdfast/sync/problem"
	"holdfast/sync/token"
)

// What of the operator's pages is asked for without a session: a one-time link, and how its page looks.
var open = []string{"/operator/accept/", "/operator/assets/"}

// operator passes requests for the operator's pages on. Whoever has nothing there gets what any address gets that does not exist: without
// a session's cookie from here, else once the hub said that there is nothing.
func (g *Gateway) operator(w http.ResponseWriter, r *http.Request) {
	signedOut := true
	for _, p := range open {
		signedOut = signedOut && !strings.HasPrefix(r.URL.Path, p)
	}
	if signedOut {
		if _, err := r.Cookie(token.Cookie); err != nil {
			g.page(w, r)
			return
		}
	}
	g.pass(w, r, func(resp *http.Response) bool {
		if resp.StatusCode != http.StatusNotFound || resp.Header.Get("Content-Type") != problem.ContentType {
			return false
		}
		g.page(w, r)
		return true
	})
}
