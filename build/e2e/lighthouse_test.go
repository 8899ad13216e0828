package e2e

import (
	"testing"

	"holdfast/build/lighthouse"
	"holdfast/sync/token"
)

// What Lighthouse says to strangers and to who is signed in. Its performance score hangs on the machine and on what else it
// does: `make bench` writes that down.
func TestLighthouse(t *testing.T) {
	s := start(t, "eu")
	_, g := owner(t, s, "Write the invitation", "Book the hall", "Ask for prices")
	c := lighthouse.Config{Root: "../..", Cookie: token.Cookie, Categories: []string{lighthouse.Accessibility, lighthouse.Practices}, Log: t.Logf, Visits: []lighthouse.Visit{
		{Name: "sign-in", URL: s.url(0) + "/signin"},
		{Name: "list", URL: g.URL(), Session: g.Cookie(token.Cookie)},
		{Name: "board, wide", URL: g.URL() + "/board", Session: g.Cookie(token.Cookie), Desktop: true},
	}}
	reports, err := lighthouse.Look(t.Context(), c)
	must(t, err)
	for i, r := range reports {
		t.Logf("%s: %v", c.Visits[i].Name, r.Scores)
		for _, category := range c.Categories {
			if r.Scores[category] < lighthouse.Min {
				t.Errorf("%s: %s %d, want at least %d; Lighthouse finds %q", c.Visits[i].Name, category, r.Scores[category], lighthouse.Min, r.Findings)
			}
		}
		if r.Address != c.Visits[i].URL {
			t.Errorf("%s: Lighthouse saw %s", c.Visits[i].Name, r.Address)
		}
	}
}
