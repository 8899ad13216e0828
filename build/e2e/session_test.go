package e2e

import (
	"crypto/ed25519"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast/build/browser"
	"holdfast/sync/sqlite"
	"holdfast/sync/token"
)

const kept2 = "Your 2 changes are kept on this device. Sign in to send them."

// A session is ended from another browser while work waits offline. The page says to sign in, loses nothing over a reload, and
// after signing in in one tab everything is sent, from the other tab too, without a click.
func TestSessionEndedElsewhere(t *testing.T) {
	s := start(t, "local")
	laptop, g := newPerson(t, "laptop", s.url(0))
	laptop.Allow("status of 401", "WebSocket connection")
	ownProject(g, "Written online")
	project := g.URL()
	phone, h := newPerson(t, "phone", s.url(0))
	h.Close()
	phone.SyncPasskeys(laptop)
	h = phone.Open(s.url(0) + "/") // the passkey is offered in the field, and taken
	openProject(h, "Website")
	h.Wait(row("Written online"))

	laptop.Offline(true)
	offline(g)
	addTasks(g, "Written on the train", "Written in the tunnel")
	saved(g)
	h.Go(s.url(0) + "/account")
	h.Click("text=Sign out there")
	h.WaitGone("text=Sign out there")
	laptop.Touch(false) // or the sign-in page would be over before it is seen
	laptop.Offline(false)
	g.WaitText(kept2)
	look(g, "signed-out")
	g.Reload()
	g.WaitText(kept2)
	g.Wait(row("Written in the tunnel"))
	second := laptop.Open(project)
	second.WaitText(kept2)
	second.Click("role=link:Sign in")
	second.Wait("role=button:Sign in with a passkey")
	second.Click("role=button:Sign in with a passkey")
	laptop.Touch(true)
	for _, page := range []*browser.Page{second, g} {
		page.Wait(row("Written on the train"))
		page.WaitNoText("Sign in to send")
		everywhere(page)
	}
	h.Go(project)
	h.Wait(row("Written in the tunnel"))
}

// The session's cookie expires while the region is away. In the one tab that there is the person signs in again and goes on.
func TestSessionExpiresOffline(t *testing.T) {
	s := start(t, "local")
	ana, g := owner(t, s)
	ana.Allow(".*") // the region goes away
	s.stop(syscall.SIGTERM)
	offline(g)
	addTasks(g, "One", "Two")
	ana.LoseCookies()
	s.up()
	g.WaitText(kept2)
	ana.Touch(false)
	g.Click("role=link:Sign in")
	g.Wait("role=button:Sign in with a passkey")
	g.Click("role=button:Sign in with a passkey")
	ana.Touch(true)
	g.Wait(row("Two"))
	everywhere(g)
	g.WaitNoText("Sign in to send")
}

// tokenFor signs a token for the session of another that is over after a while, with the hub's own key. The stack must be down.
func (s *stack) tokenFor(raw string, life time.Duration) string {
	s.t.Helper()
	db, err := sqlite.Open(s.t.Context(), filepath.Join(s.data, "hub", "hub.db"), sqlite.Options{})
	must(s.t, err)
	defer db.Close()
	var seed []byte
	must(s.t, db.QueryRow("SELECT private FROM signing_key WHERE private IS NOT NULL").Scan(&seed))
	key := ed25519.NewKeyFromSeed(seed)
	c, err := token.Verify(raw, func(string) (ed25519.PublicKey, bool) { return key.Public().(ed25519.PublicKey), true }, time.Now())
	must(s.t, err)
	c.Expires = time.Now().Add(life)
	c.Issued = c.Expires.Add(-token.TTL)
	short, err := token.Sign(c, key)
	must(s.t, err)
	return short
}

// The token of a session that stands runs out, by the clock, under an open page: the page gets another by itself, and nobody is asked.
func TestTokenRunsOut(t *testing.T) {
	s := start(t, "local")
	ana, g := owner(t, s, "Written before")
	ana.Allow(".*") // the region goes away
	raw := g.Cookie(token.Cookie)
	s.stop(syscall.SIGTERM)
	short := s.tokenFor(raw, 10*time.Second)
	s.up()
	g.SetCookie(token.Cookie, short)
	g.Reload()
	addTasks(g, "Written with a token that is about to run out")
	within(t, "the page has another token", func() bool { c := g.Cookie(token.Cookie); return c != "" && c != short })
	addTasks(g, "Written with the next token")
	everywhere(g)
	g.WaitNoText("Sign in to send")
	ana.Offline(true)
	offline(g)
	ana.Offline(false)
	online(g)
}

// Ana's work waits on a device, and Bo signs in in the same browser: it is not sent as his, and goes out as hers when she is back.
func TestSomebodyElseSignsIn(t *testing.T) {
	s := start(t, "local")
	ana, _, g, h := two(t, s, "Written online")
	project := g.URL()
	phone, p := newPerson(t, "phone", s.url(0))
	p.Close()
	phone.SyncPasskeys(ana)
	p = phone.Open(s.url(0) + "/account")
	p.WaitText("This browser")
	who := browser.Eval[string](g, `fetch("/api/me").then((r) => r.json()).then((m) => m.person.id)`)
	ana.Allow("status of 401", "WebSocket connection")
	ana.Offline(true)
	offline(g)
	addTasks(g, "Ana's secret plan")
	saved(g)
	ana.LoseCookies()
	ana.Offline(false)
	g.WaitText("Your change is kept on this device. Sign in to send it.")
	link := func(from *browser.Page) string {
		from.Go(s.url(0) + "/account")
		from.WaitText("This browser")
		from.Click("role=button:Make a link")
		from.Wait("label=Link")
		return browser.Eval[string](from, `document.getElementById("copy").value`)
	}
	g.Go(link(h))
	g.Click("role=button:Sign in and make a passkey here")
	g.Wait("role=heading:Projects")
	g.Go(project)
	g.Wait(row("Written online"))
	everywhere(g)
	if g.Count(row("Ana's secret plan")) != 0 {
		t.Error("Bo sees what Ana has not sent")
	}
	// A tab that Ana left open would do this: her replica, with Bo's cookie.
	g.Go(s.url(0) + "/account")
	tenant := strings.Split(strings.TrimPrefix(project, s.url(0)+"/w/"), "/")[0]
	state := browser.Eval[string](g, `new Promise((done) => {
		const port = holdfast.connect("`+tenant+`", "`+who+`");
		port.onmessage = ({ data }) => {
			const s = JSON.parse(data).status;
			if (s?.link === "signed-out" || (s?.link === "online" && !s.waiting)) { port.close(); done(s.link + " " + s.waiting); }
		};
		port.postMessage(JSON.stringify({ id: 1, op: "wake" }));
	})`)
	if state != "signed-out 1" {
		t.Errorf("Ana's replica in Bo's session is %s", state)
	}

	g.Go(link(p)) // Ana is back
	g.Click("role=button:Sign in and make a passkey here")
	g.WaitText("This device has a passkey for this account already.")
	g.Go(project)
	g.Wait(row("Ana's secret plan"))
	everywhere(g)
	h.Go(project)
	h.Click(row("Ana's secret plan"))
	h.Click(".fold")
	h.WaitFor("the history names Ana, and Ana alone", `((text) => text.includes("Ana Ferreira") && !text.includes("Bo Lindqvist"))(document.querySelector(".panel-in").innerText)`)
}
