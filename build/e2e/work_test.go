package e2e

import (
	"encoding/json"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"holdfast/build/browser"
)

// One person's day: account, workspace, tasks in a list and on a board, comment, trash and back, sign out and in.
func TestOnePerson(t *testing.T) {
	s := start(t, "local")
	_, g := owner(t, s, "Write the copy", "Choose a font", "Fix the footer")

	rename(g, "Choose a font", "Choose a typeface")
	g.Click(row("Write the copy"))
	g.Fill("#say", "First draft is in the folder.")
	g.Click("role=button:Comment")
	g.WaitText("First draft is in the folder.")
	closePanel(g)

	before := titles(g)
	g.Focus(row(before[0]))
	g.Press("Alt+ArrowDown")
	g.WaitFor("the first task moved down", titlesJS+"[1] === "+strconv.Quote(before[0]))

	g.Focus(row("Fix the footer"))
	g.Press("Delete")
	g.WaitGone(row("Fix the footer"))
	g.Click(`a[href$="/trash"]`)
	g.WaitText("Fix the footer")
	g.Click("role=button:Restore")
	g.WaitNoText("Fix the footer")
	openProject(g, "Website")
	g.Wait(row("Fix the footer"))
	everywhere(g)
	g.Reload()
	g.Wait(row("Choose a typeface"))
	if got := titles(g); len(got) != 3 {
		t.Errorf("after a reload the list shows %v", got)
	}
}

// Signing out, and in again without typing a name.
func TestSignInAgain(t *testing.T) {
	s := start(t, "local")
	p, g := owner(t, s)
	g.Go(s.url(0) + "/account")
	g.WaitText("This browser") // the lists are there, and nothing moves any more
	p.Touch(false)             // or the autofill would sign in at once
	g.Click("role=button:Sign out")
	g.Wait("role=button:Sign in with a passkey")
	g.Click("role=button:Sign in with a passkey")
	p.Touch(true)
	g.Wait("role=heading:Projects")
	g.WaitText("Website")
	if p.Passkeys() != 1 {
		t.Errorf("the authenticator has %d passkeys", p.Passkeys())
	}
}

// Without a network, and without a server, the app starts, shows everything and takes work; it arrives later by itself.
func TestOffline(t *testing.T) {
	s := start(t, "local")
	ana, g := owner(t, s, "Written online")
	bo, h := member(t, s, g)
	h.Wait(row("Written online"))

	ana.Offline(true)
	offline(g)
	g.Run(`navigator.storage.persist = () => Promise.resolve(globalThis.askedToKeep = true)`)
	addTasks(g, "Written on the train")
	g.WaitFor("the browser to be asked to keep it", `globalThis.askedToKeep`)
	saved(g)
	g.Reload()
	g.Wait(row("Written on the train"))
	if n := h.Count(row("Written on the train")); n != 0 {
		t.Fatal("it was not offline")
	}
	ana.Offline(false)
	h.Wait(row("Written on the train"))
	everywhere(g)

	ana.Allow(".*")
	bo.Allow(".*")
	s.stop(syscall.SIGKILL)
	offline(g)
	g.Reload()
	g.Wait(row("Written online"))
	addTasks(g, "Written without a server")
	s.up()
	h.Wait(row("Written without a server"))
	everywhere(g)
}

// Two regions whose link is cut both go on, and are equal within two seconds of its healing.
func TestTwoRegions(t *testing.T) {
	s := start(t, "eu,us", "--link-delay", "20ms")
	_, g := owner(t, s, "Before the cut")
	_, h := newPerson(t, "bo", s.url(1))
	join(h, strings.Replace(invite(g, s.url(0)), s.url(0), s.url(1), 1), "Bo Lindqvist")
	openProject(g, "Website")
	openProject(h, "Website")
	h.Wait(row("Before the cut"))
	everywhere(g)

	s.link("cut", "us")
	addTasks(g, "Made in eu")
	addTasks(h, "Made in us")
	g.WaitCount(".mark-1", 1) // in the region, not everywhere
	h.WaitCount(".mark-1", 1)
	if g.Count(row("Made in us"))+h.Count(row("Made in eu")) != 0 {
		t.Fatal("the link was not cut")
	}
	s.link("heal", "us")
	g.Wait(row("Made in us"))
	h.Wait(row("Made in eu"))
	everywhere(g)
	everywhere(h)
	want, err := json.Marshal(titles(g))
	must(t, err)
	h.WaitFor("us shows what eu shows", `JSON.stringify(`+titlesJS+`) === `+strconv.Quote(string(want)))
}

// Different columns of one task edited offline are both kept; of one column the later wins and the other is in the history.
func TestConflict(t *testing.T) {
	s := start(t, "local")
	ana, g := owner(t, s, "Ship it")
	bo, h := member(t, s, g)
	h.Wait(row("Ship it"))
	everywhere(g)

	ana.Offline(true)
	bo.Offline(true)
	offline(g)
	offline(h)
	rename(g, "Ship it", "Ship it on Monday")
	g.Focus(row("Ship it on Monday"))
	g.Press("s")
	g.Wait("role=combobox:Set status")
	g.Type("prog")
	g.Press("Enter")
	inStatus(g, "doing", "Ship it on Monday")
	rename(h, "Ship it", "Ship it on Tuesday")
	h.Focus(row("Ship it on Tuesday"))
	setPriority(h, "High")
	ana.Offline(false)
	everywhere(g)
	bo.Offline(false)
	everywhere(h)
	for _, page := range []*browser.Page{g, h} {
		page.Wait(row("Ship it on Tuesday"))
		page.Wait("role=button:Priority: High")
		inStatus(page, "doing", "Ship it on Tuesday")
		page.Click(row("Ship it on Tuesday"))
		page.WaitText("Ship it on Monday") // in the history
		closePanel(page)
	}
	g.Click(row("Ship it on Tuesday"))
	g.Click("role=button:Restore")
	for _, page := range []*browser.Page{g, h} {
		page.Wait(row("Ship it on Monday"))
	}
}

// setPriority sets the priority of the task that has the keyboard.
func setPriority(g *browser.Page, name string) {
	g.Press("p")
	g.Click("role=option:" + name)
	g.Wait("role=button:Priority: " + name)
}
