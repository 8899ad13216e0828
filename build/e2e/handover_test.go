package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"holdfast/build/browser"
)

// write adds n tasks named prefix 0, prefix 1, … as fast as the keyboard of a script goes; between is called before each.
func write(g *browser.Page, prefix string, n int, between func(i int)) {
	g.Wait("#new-task") // people write when they may
	compose(g)
	for i := range n {
		if between != nil {
			between(i)
		}
		g.Insert(fmt.Sprint(prefix, " ", i))
		g.Press("Enter")
	}
	g.Press("Escape")
}

// saved waits until the page says that everything is on the disk.
func saved(g *browser.Page) {
	g.WaitFor("every change is on the disk", `document.querySelector(".link-line").getAttribute("aria-busy") === "false"`)
}

// total waits until the list's only group holds n tasks, and shows no title twice.
func total(g *browser.Page, n int) {
	g.WaitFor(fmt.Sprint("the list has ", n, " tasks"), `document.querySelector(".group .n")?.textContent.replace(/\D/g, "") === `+strconv.Quote(strconv.Itoa(n)))
	g.WaitFor("no task is there twice", `(() => { const t = [...document.querySelectorAll(".task .title")].map((e) => e.textContent); return new Set(t).size === t.length; })()`)
}

// A region that is killed in the middle of 200 pushes and started again has all of them, each once.
func TestRegionIsKilledWhileWorkArrives(t *testing.T) {
	s := start(t, "local")
	ana, g := owner(t, s)
	bo, h := member(t, s, g)
	openProject(g, "Website")
	ana.Allow(".*") // the region goes away
	bo.Allow(".*")
	write(g, "Task", 200, func(i int) {
		switch i {
		case 80:
			s.stop(syscall.SIGKILL)
		case 140:
			s.up()
		}
	})
	total(g, 200)
	everywhere(g)
	total(h, 200)
	h.Reload()
	total(h, 200)
}

// Three tabs share one replica. When the leading one is closed in the middle of a burst, nothing is lost and the others go on.
func TestLeadingTabIsClosed(t *testing.T) {
	s := start(t, "local")
	ana, g := owner(t, s)
	address := g.URL()
	second, third := ana.Open(address), ana.Open(address)
	for _, page := range []*browser.Page{second, third} {
		page.WaitText("Plan the first task")
	}
	addTasks(third, "From the third tab")
	g.Wait(row("From the third tab"))
	second.Wait(row("From the third tab"))
	second.WaitFor("a worker stands by", `navigator.locks.query().then((l) => l.held.some((x) => x.name.endsWith("/standby")))`)

	write(g, "Task", 30, nil)
	total(g, 31)
	saved(g)
	g.Wait("#new-task") // people write when they may
	compose(g)
	g.Insert("Written as the tab closes")
	g.Press("Enter")
	g.Close()
	closed := time.Now()
	addTasks(second, "After the leader went")
	third.Wait(row("After the leader went"))
	t.Logf("the others went on after %v", time.Since(closed))
	// The task written while its tab closed is there or was never on a disk; the thirty before it are.
	third.WaitFor("all tasks are there", `+document.querySelector(".group .n")?.textContent >= 32`)
	everywhere(third)
	third.Reload()
	third.WaitFor("all tasks are there", `+document.querySelector(".group .n")?.textContent >= 32`)
	everywhere(third)
	n, err := strconv.Atoi(third.TextOf(".group .n"))
	must(t, err)
	second.Reload()
	total(second, n)
	total(third, n)
}

// A browser that is killed in the middle of a burst has, when it is started again without a server, all that it showed as saved.
func TestBrowserIsKilled(t *testing.T) {
	s := start(t, "local")
	p := browser.New(t, browser.Options{Name: "ana", Width: 1440, Height: 900, OwnProcess: true, Allow: []string{".*"}})
	g := p.Open(s.url(0) + "/")
	ownProject(g)
	address := g.URL()
	g.WaitFor("the app is on the device", `navigator.serviceWorker.ready.then((r) => r.active?.state === "activated")`)
	s.stop(syscall.SIGTERM)
	offline(g)
	write(g, "Task", 40, nil)
	total(g, 40)
	saved(g)
	p.WaitStored("holdfast.me", strings.Split(address, "/")[4]) // the browser itself writes down who is signed in some seconds later
	p.Kill()
	p.Start()
	g = p.Open(address)
	total(g, 40)
	s.up()
	// Chromium writes cookies down half a minute late: whoever was killed with the browser signs in again, and loses nothing.
	g.WaitFor("the work was sent, or waits for the person to sign in",
		`!!document.querySelector(".link-online") || document.body.innerText.includes("Your 40 changes are kept on this device.")`)
	total(g, 40)
}
