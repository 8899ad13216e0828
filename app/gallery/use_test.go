//go:build !js

package gallery_test

import (
	"strings"
	"testing"

	"holdfast/app/gallery"
	"holdfast/app/route"
	"holdfast/build/browser"
)

func open(t *testing.T, path string) *browser.Page {
	t.Helper()
	p := browser.New(t, browser.Options{Allow: []string{"401"}})
	g := p.Open(serve(t) + path)
	g.Wait("#main")
	return g
}

// answered waits until the page has heard the answer to all that it asked.
func answered(g *browser.Page) { g.WaitFor("every answer", "!globalThis.galleryAsks") }

// wantTitles waits until a status has the tasks, in the order in which they are seen.
func wantTitles(t *testing.T, g *browser.Page, status, want string) {
	t.Helper()
	g.WaitFor(status+" to hold "+want, `[...document.querySelectorAll("#zone-`+status+` > li")].filter((li) => li.style.display !== "none")
		.sort((a, b) => a.ariaPosInSet - b.ariaPosInSet).map((li) => li.querySelector(".title, .rename")).map((e) => e.value ?? e.textContent).join(" | ") === `+quote(want))
}

func quote(s string) string { return "`" + s + "`" }

const hiring = "Interview plan for the support role"

// openHiring opens the list of a project with one task to do and one in review, and waits until both are there.
func openHiring(t *testing.T) *browser.Page {
	t.Helper()
	g := open(t, route.Route{Page: route.Project, Tenant: gallery.Tenant, Project: gallery.Hiring}.Path())
	g.Wait("text=" + hiring)
	g.Wait("text=Job ad in Portuguese")
	return g
}

func TestWritingTasksOneAfterAnother(t *testing.T) {
	g := openHiring(t)
	g.Press("ArrowDown", "ArrowDown", "c") // from In review into To do
	g.Wait("#compose")
	g.Type("Second")
	g.Press("Enter")
	g.Type("Third")
	g.Press("Enter")
	wantTitles(t, g, "todo", "Second | Third | "+hiring)
	g.Press("Escape")
	g.WaitGone("#compose")
	g.WaitFor("the new row to have the keyboard", `document.activeElement.textContent === "Third"`)
	g.Press("Alt+ArrowUp")
	wantTitles(t, g, "todo", "Third | Second | "+hiring)
	g.WaitFor("the moved row to keep the keyboard", `document.activeElement.textContent === "Third"`)
	g.WaitFor("the move to be said", `document.getElementById("live").textContent.startsWith("Moved to place 1 of 3 in To do")`)
	g.Press("Alt+ArrowRight")
	wantTitles(t, g, "doing", "Third")
	g.Press("e")
	g.Press("Control+a")
	g.Type("Renamed")
	g.Press("Enter")
	wantTitles(t, g, "doing", "Renamed")
	g.Press("Delete")
	g.WaitText("is in Trash")
	g.Click("role=button:Undo")
	wantTitles(t, g, "doing", "Renamed")
}

func TestPropertiesByKeyAndByMouse(t *testing.T) {
	g := openHiring(t)
	g.Press("ArrowDown", "ArrowDown")
	g.WaitFor("the row to have the keyboard", `document.activeElement.textContent === "`+hiring+`"`)
	g.Press("s")
	g.Wait("role=combobox:Set status")
	g.Type("prog")
	g.Press("Enter")
	wantTitles(t, g, "doing", hiring)
	g.Press("p")
	g.Type("urg")
	g.Press("Enter")
	g.Wait("role=button:Priority: Urgent")
	g.Press("a")
	g.Type("bo")
	g.Press("Enter")
	g.Wait("role=button:Assigned to Bo Lindqvist")
	g.Press("l")
	g.Type("new kind")
	g.Press("Enter")
	g.WaitText("new kind")
	g.Press("Escape")
	g.Press("d")
	g.Type("24 Dec")
	g.Press("Enter")
	g.WaitText("24 Dec")
	g.Click("role=button:Status: In progress")
	g.Click("role=option:Done")
	wantTitles(t, g, "done", hiring)
}

func TestDraggingInAListAndOnABoard(t *testing.T) {
	g := openHiring(t)
	g.Press("c")
	g.Wait("#compose")
	for _, title := range []string{"one", "two", "three"} {
		g.Type(title)
		g.Press("Enter")
	}
	g.Press("Escape")
	wantTitles(t, g, "todo", "one | two | three | "+hiring)
	g.Drag("text=one", "text=three", 0.9)
	wantTitles(t, g, "todo", "two | three | one | "+hiring)
	g.Click("role=link:Board")
	g.Wait("#board")
	wantTitles(t, g, "todo", "two | three | one | "+hiring)
	g.Drag("text=two", "#col-doing", 0.3)
	wantTitles(t, g, "doing", "two")
	wantTitles(t, g, "todo", "three | one | "+hiring)
	g.Focus("text=one")
	g.Press("Alt+ArrowRight")
	g.WaitFor("a column further", `document.querySelector("#zone-doing").textContent.includes("one")`)
}

func TestATaskInThePanel(t *testing.T) {
	g := openHiring(t)
	g.Click("text=" + hiring)
	g.Wait("#panel")
	g.WaitFor("the title", `document.querySelector("#panel-title").value === "`+hiring+`"`)
	g.Fill("#panel-title", "Interview plan")
	g.Press("Enter")
	g.Type("Two rounds.")
	g.Click("#say")
	g.Type("Who leads?")
	g.Press("Control+Enter")
	g.WaitText("Who leads?")
	wantTitles(t, g, "todo", "Interview plan")
	g.Click(".fold")
	g.WaitText("wrote the description")
	g.Press("Escape")
	g.WaitGone("#panel")
	g.WaitFor("the row to have the keyboard", `document.activeElement.textContent === "Interview plan"`)
	g.Press("Enter")
	g.Wait("#panel")
	g.WaitFor("the description", `document.querySelector("#panel-text").value === "Two rounds."`)
}

func TestALostValueIsOneClickAway(t *testing.T) {
	g := open(t, project(gallery.Open, false))
	g.WaitText("Two people changed the title at once")
	g.Click("role=button:Restore")
	g.WaitFor("the title", `document.querySelector("#panel-title").value === "Pricing page: three plans and a calculator"`)
	g.Wait("text=Pricing page: three plans and a calculator")
}

// chord presses "g" and another key. A machine that stands still in between makes two keys of them: then it is done again.
func chord(g *browser.Page, key, leadsTo string) {
	for n := 0; n < 20 && !strings.HasSuffix(g.URL(), leadsTo); n++ {
		g.Press("g", key)
	}
}

func TestFilterAndCommands(t *testing.T) {
	g := open(t, project("", false))
	g.Wait("text=Header jumps on slow connections")
	g.Press("/")
	g.Wait("#find")
	g.Type("case study")
	g.WaitGone("text=Header jumps on slow connections")
	g.Wait("text=Case study: the ferry timetable")
	g.Press("Escape")
	g.Wait("text=Header jumps on slow connections")
	g.Press("Control+k")
	g.Type("mobile app")
	g.Press("Enter")
	g.Wait("text=Crash when the timetable is empty")
	g.Press("?")
	g.Wait("role=dialog:Keyboard shortcuts")
	g.Press("Escape")
	g.WaitGone("role=dialog:Keyboard shortcuts")
	chord(g, "t", "/trash")
	g.WaitText("Countdown to the festival")
	chord(g, "m", "/members")
	g.WaitText("Open invitations")
}

func TestScrollingALongList(t *testing.T) {
	g := open(t, project("", false)+"?state=many")
	g.Wait("text=Header jumps on slow connections")
	if n := browser.Eval[int](g, `document.querySelectorAll(".task").length`); n > 120 {
		t.Errorf("%d rows are drawn, want only what is seen", n)
	}
	g.Run(`document.getElementById("scroll").scrollTop = 30000`)
	g.WaitFor("rows to be drawn where it was scrolled to", `(() => { const b = document.getElementById("scroll").getBoundingClientRect();
		const e = document.elementFromPoint(b.left + 200, b.top + 300); return !!e.closest(".task") })()`)
	g.Press("j")
	g.Press("End")
	g.WaitFor("the last row to have the keyboard", `document.activeElement.classList.contains("title")`)
}

func TestVisitingAFieldDoesNotUndoAnother(t *testing.T) {
	g := open(t, project(gallery.Open, false)+"?state=busy")
	g.Click("#panel-title")
	g.Wait("text=" + gallery.BusyTitle)
	g.Click("#say")
	g.Type("half a thought")
	g.WaitFor("the other's title", `document.getElementById("panel-title").value === "`+gallery.BusyTitle+`"`)
	g.Press("Escape", "Escape")
	g.WaitGone("#panel")
	g.Wait("text=" + gallery.BusyTitle)
	g.Click("text=" + gallery.BusyTitle)
	g.WaitFor("the draft", `document.getElementById("say")?.value === "half a thought"`)
}
