package e2e

import (
	"strings"
	"testing"

	"holdfast/build/browser"
)

// A second passkey, a second browser by a link that works once, people who are here, and what the month's usage shows.
func TestAccountAndCompany(t *testing.T) {
	s := start(t, "local")
	_, g := owner(t, s, "Write the copy", "Choose a typeface")
	project := g.URL()

	g.Go(s.url(0) + "/account")
	g.WaitText("This browser") // the lists are there, and nothing moves any more
	g.Click("role=button:Make a link")
	g.Wait("label=Link")
	link := browser.Eval[string](g, `document.getElementById("copy").value`)
	g.Press("Escape")

	laptop, l := newPerson(t, "laptop", s.url(0))
	l.Go(link)
	l.Click("role=button:Sign in and make a passkey here")
	l.Wait("role=heading:Projects")
	openProject(l, "Website")
	l.Wait(row("Choose a typeface"))
	if laptop.Passkeys() != 1 {
		t.Errorf("the second browser has %d passkeys, want one of its own", laptop.Passkeys())
	}
	stranger, x := newPerson(t, "stranger", s.url(0))
	stranger.Allow("/api/auth/link")
	x.Go(link)
	x.Click("role=button:Sign in and make a passkey here")
	x.Wait("role=alert")
	if strings.Contains(x.Text(), "Harbor") {
		t.Error("a link that was used let somebody else in")
	}
	g.Reload()
	g.WaitFor("both passkeys are listed", `document.querySelectorAll("[id^=kr-]").length === 2`)

	g.Go(project)
	g.Wait(row("Choose a typeface"))
	_, h := newPerson(t, "bo", s.url(0))
	join(h, invite(g, s.url(0)), "Bo Lindqvist")
	h.Go(project)
	g.Go(project)
	g.Wait(".avatars[title*='Bo Lindqvist']")
	h.Close()
	g.WaitGone(".avatars[title*='Bo Lindqvist']")

	g.Go(strings.Split(project, "/p/")[0] + "/usage")
	g.WaitText("Changes accepted")
	// What was done is counted within some seconds, and the hub's total shows with the next look at the page.
	for _, meter := range []string{"Changes accepted", "API calls", "Seats", "Storage"} {
		within(t, meter+" is shown", func() bool {
			if browser.Eval[bool](g, fact(meter)) {
				return true
			}
			g.Click("role=button:Refresh")
			g.Wait("role=button:Refresh")
			return false
		})
	}
}

// fact tells whether the usage page shows a number other than zero for a meter.
func fact(meter string) string {
	return `(() => { const f = [...document.querySelectorAll(".fact")].find((f) => f.querySelector("dt").textContent === "` + meter + `"); return !!f && /[1-9]/.test(f.querySelector("dd").textContent); })()`
}
