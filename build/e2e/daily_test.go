package e2e

import (
	"strconv"
	"strings"
	"testing"

	"holdfast/build/browser"
)

// inStatus waits until a status of the list or board holds the tasks, in this order.
func inStatus(g *browser.Page, status string, titles ...string) {
	want := strings.Join(titles, " | ")
	g.WaitFor(status+" to hold "+want, `[...document.querySelectorAll("#zone-`+status+` > li")].filter((li) => li.style.display !== "none")
		.sort((a, b) => a.ariaPosInSet - b.ariaPosInSet).map((li) => li.querySelector(".title").textContent).join(" | ") === `+strconv.Quote(want))
}

// two are Ana and Bo in browsers of their own, looking at one project with tasks.
func two(t *testing.T, s *stack, titles ...string) (ana, bo *browser.Person, g, h *browser.Page) {
	t.Helper()
	ana, g = owner(t, s, titles...)
	bo, h = member(t, s, g)
	for _, page := range []*browser.Page{g, h} {
		page.Wait(row(titles[len(titles)-1]))
	}
	return ana, bo, g, h
}

// Tasks moved by mouse and by keyboard, in the list and on the board, stand where they were put: on the other's screen, and after a reload.
func TestOrderIsKept(t *testing.T) {
	s := start(t, "local")
	_, _, g, h := two(t, s, "One", "Two", "Three", "Four")
	inStatus(g, "todo", "One", "Two", "Three", "Four")
	g.Drag("text=One", "text=Three", 0.9)
	inStatus(g, "todo", "Two", "Three", "One", "Four")
	g.Focus(row("Four"))
	g.Press("Alt+ArrowUp", "Alt+ArrowUp")
	inStatus(g, "todo", "Two", "Four", "Three", "One")
	inStatus(h, "todo", "Two", "Four", "Three", "One")

	h.Click("role=link:Board")
	h.Wait("#board")
	h.Drag("text=Three", "#col-doing", 0.3)
	inStatus(h, "doing", "Three")
	h.Drag("text=One", "text=Two", 0.1)
	inStatus(h, "todo", "One", "Two", "Four")
	h.Focus(row("Two"))
	h.Press("Alt+ArrowRight")
	inStatus(h, "todo", "One", "Four")
	everywhere(h)
	h.WaitFor("both are in progress", `[...document.querySelectorAll("#zone-doing .title")].map((e) => e.textContent).sort().join() === "Three,Two"`)
	h.Focus(row("Two"))
	h.Press("Alt+ArrowDown")
	inStatus(h, "doing", "Three", "Two")
	for _, page := range []*browser.Page{g, h} {
		inStatus(page, "doing", "Three", "Two")
		inStatus(page, "todo", "One", "Four")
		everywhere(page)
		page.Reload()
		inStatus(page, "doing", "Three", "Two")
		inStatus(page, "todo", "One", "Four")
	}
}

// Everything that a task has can be set by key, is seen by the other, and is there after a reload.
func TestProperties(t *testing.T) {
	s := start(t, "local")
	_, _, g, h := two(t, s, "Plan the trip")
	g.Focus(row("Plan the trip"))
	pick := func(key, choice string) {
		g.Press(key)
		g.Wait("role=combobox")
		g.Type(choice)
		g.Press("Enter")
		if key != "l" { // labels may be several
			g.WaitGone("role=combobox")
		}
	}
	pick("s", "prog")
	pick("p", "urg")
	pick("a", "bo")
	pick("d", "24 Dec")
	pick("l", "travel")
	g.WaitText("travel")
	g.Press("Escape")
	g.WaitGone("role=combobox")
	for _, page := range []*browser.Page{g, h, g, h} {
		inStatus(page, "doing", "Plan the trip")
		page.Wait("role=button:Priority: Urgent")
		page.Wait("role=button:Assigned to Bo Lindqvist")
		page.WaitText("24 Dec")
		page.WaitText("travel")
		everywhere(page)
		page.Reload()
	}
	h.Wait(row("Plan the trip"))
	h.Click("role=button:Assigned to Bo Lindqvist")
	h.Click("role=option:Nobody")
	g.Wait("role=button:Assigned to nobody")
}

// A second passkey, made in the account page on another authenticator, signs in: with the button, and picked in the field.
func TestSecondPasskey(t *testing.T) {
	s := start(t, "local")
	ana, g := newPerson(t, "ana", s.url(0))
	signUp(g, "Ana Ferreira")
	newWorkspace(g, "Harbor")
	g.Go(s.url(0) + "/account")
	g.WaitFor("the passkey is listed", `document.querySelectorAll("[id^=kr-]").length === 1`)
	g.Click("role=button:Add a passkey")
	g.WaitText("This device has a passkey for this account already.")
	g.SwapAuthenticator()
	g.Click("role=button:Add a passkey")
	g.WaitFor("both passkeys are listed", `document.querySelectorAll("[id^=kr-]").length === 2`)
	look(g, "account")
	if ana.Passkeys() != 1 {
		t.Fatalf("the new authenticator has %d passkeys", ana.Passkeys())
	}
	signOut := func() {
		g.Go(s.url(0) + "/account")
		g.WaitText("This browser") // the lists are there, and nothing moves any more
		ana.Touch(false)
		g.Click("role=button:Sign out")
		g.Wait("role=button:Sign in with a passkey")
	}
	signOut()
	look(g, "signin")
	g.Click("role=button:Sign in with a passkey")
	ana.Touch(true)
	g.Wait("role=heading:Projects")
	signOut()
	if got := g.Attr("label=Passkey", "autocomplete"); got != "username webauthn" {
		t.Errorf("the field completes %q", got)
	}
	ana.Touch(true)
	g.Reload() // picked in the field as soon as it is offered: nothing else is done
	g.Wait("role=heading:Projects")
}

// A text that is too long is not cut and not lost: it stays in its field with a sentence about it, and is kept once it is shorter.
func TestTextsThatAreTooLong(t *testing.T) {
	s := start(t, "local")
	_, g := owner(t, s)
	const title, text = "That title is too long and is not kept.", "That text is too long and is not kept."
	long := strings.Repeat("é", 1<<19) // 1 MB
	holds := func(dom string) {
		t.Helper()
		g.WaitFor(dom+" holds the whole text", `document.getElementById("`+dom+`").value.length >= 1 << 19`)
	}
	compose(g)
	g.Insert(long)
	g.Press("Enter")
	g.WaitText(title)
	holds("compose")
	g.Fill("#compose", "A title that fits")
	g.Press("Enter", "Escape")
	g.Wait(row("A title that fits"))

	g.Click(row("A title that fits"))
	g.Wait("#panel-title")
	for _, dom := range []string{"panel-title", "panel-text"} {
		g.Fill("#"+dom, long)
		g.Run(`document.activeElement.blur()`)
		g.WaitText(map[string]string{"panel-title": title, "panel-text": text}[dom])
		holds(dom)
		g.Fill("#"+dom, "Short "+dom)
		g.Focus("#say")
	}
	g.Fill("#say", long)
	g.Press("Control+Enter")
	holds("say")
	g.Fill("#say", "A short comment")
	g.Press("Control+Enter")
	g.WaitFor("the comment is there", `document.querySelector(".panel").innerText.includes("A short comment") && document.getElementById("say").value === ""`)
	everywhere(g)
	g.Reload()
	g.Wait("#panel-title")
	g.WaitFor("what fits is kept", `document.getElementById("panel-title").value === "Short panel-title" && document.getElementById("panel-text").value === "Short panel-text"`)
	g.WaitText("A short comment")
}
