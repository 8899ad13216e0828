//go:build !js

package gallery_test

import (
	"strconv"
	"strings"
	"testing"

	"holdfast/app/gallery"
	"holdfast/app/route"
	"holdfast/build/browser"
	"holdfast/sync/work"
)

func wantProjects(g *browser.Page, want string) {
	g.WaitFor("the projects "+want, `[...document.querySelectorAll("#projects .nav .clip")].map((e) => e.textContent).join(" | ") === "`+want+`"`)
}

func TestProjectsAreMadeMovedRenamedAndTrashed(t *testing.T) {
	g := open(t, project("", false))
	wantProjects(g, "Website relaunch | Mobile app | Hiring | Harbor festival")
	g.Focus(`#projects li:nth-child(2) a`)
	g.Press("Alt+ArrowUp")
	wantProjects(g, "Mobile app | Website relaunch | Hiring | Harbor festival")
	g.WaitFor("the moved project to keep the keyboard", `document.activeElement.textContent.startsWith("Mobile app")`)
	g.Drag("#projects li:nth-child(1)", "#projects li:nth-child(4)", 0.9)
	wantProjects(g, "Website relaunch | Hiring | Harbor festival | Mobile app")
	g.Click("#project-new")
	g.Fill("#project-name", strings.Repeat("é", work.NameBytesMax/2+3)) // as many letters as the field takes, but more bytes than fit
	g.Press("Enter")
	g.WaitText("“Name” is too long by 3 letters. Shorten it.")
	g.Fill("#project-name", "Autumn")
	g.Click("role=radio:teal")
	g.Press("Enter")
	g.Wait("#compose")
	g.Press("Escape")
	wantProjects(g, "Website relaunch | Hiring | Harbor festival | Mobile app | Autumn")
	g.Click("#project-menu")
	g.Click("role=menuitem:Rename or recolor")
	g.Fill("#project-name", "Winter")
	g.Press("Enter")
	wantProjects(g, "Website relaunch | Hiring | Harbor festival | Mobile app | Winter")
	g.Click("#project-menu")
	g.Click("role=menuitem:Move to Trash")
	wantProjects(g, "Website relaunch | Hiring | Harbor festival | Mobile app")
	g.Click(`a[href$="/trash"]`)
	g.WaitText("Winter")
	g.Click(`.cards [data-act="project"]`)
	g.WaitText("The project is back.")
}

func TestAttentionIsRetriedEditedAndDiscarded(t *testing.T) {
	g := open(t, ws(route.Attention)+"?state=refused")
	g.WaitText("The photos from Tuesday are in the shared folder.")
	g.WaitCount(".cards > li", 2)
	g.Click("role=button:More for this change|last")
	g.Click("role=menuitem:Edit and send")
	g.Fill("#fix", "Move the blog, once more")
	g.Press("Enter")
	g.WaitCount(".cards > li", 1)
	g.Click("role=button:More for this change")
	g.Click("role=menuitem:Give it up")
	g.Click("#dialog-ok")
	g.WaitText("Nothing needs you")
	g.Go(browser.Eval[string](g, "location.origin") + project("", false))
	g.Wait("text=Header jumps on slow connections")
}

func TestLabels(t *testing.T) {
	g := open(t, ws(route.Labels))
	g.Click("#label-new")
	g.Fill("#label-name", "Bug")
	g.Press("Enter")
	g.WaitText("There is a label of this name already.")
	g.Fill("#label-name", "press")
	g.Press("Enter")
	g.WaitGone("#dialog")
	g.WaitText("6 labels")
	g.Click("role=button:Delete the label press")
	g.WaitText("5 labels")
	g.Click("role=button:Undo")
	g.WaitText("6 labels")
}

// choose puts a file into the open dialog's field, as the browser's own window for it does.
func choose(g *browser.Page, dom, name, content string) {
	g.Run(`{ const d = new DataTransfer(); d.items.add(new File([` + strconv.Quote(content) + `], ` + strconv.Quote(name) + `)); document.getElementById(` + strconv.Quote(dom) + `).files = d.files }`)
}

// A rule is added by choosing its file, what is wrong with the file is said in the dialog, and it is switched off, on and removed.
func TestRulesAreAddedSwitchedAndRemoved(t *testing.T) {
	g := open(t, ws(route.Members))
	g.WaitText("Done needs somebody")
	g.WaitText("Switched off · 4.6 KB")
	g.Click("#rule-add")
	g.Fill("#r-name", "No shouting")
	g.Press("Enter")
	g.WaitText("Fill in “Module” first.")
	choose(g, "r-file", "rule.txt", "no module")
	g.Click("#dialog-ok")
	g.WaitText("The file is not a WebAssembly module.")
	choose(g, "r-file", "rule.wasm", strings.Repeat("x", 200_000))
	g.Click("#dialog-ok")
	g.WaitText("has more than")
	choose(g, "r-file", "rule.wasm", "\x00asm and more")
	g.Click("#dialog-ok")
	g.WaitGone("#dialog")
	g.WaitText("No shouting")
	g.WaitText("On · 13 bytes · changed just now")
	g.Click("#rule-r3")
	g.WaitText("The rule is off.")
	g.WaitText("Switched off · 13 bytes")
	g.Click("role=button:Remove No shouting")
	g.WaitText("are accepted from then on")
	g.Click("#dialog-ok")
	g.WaitText("The rule is removed.")
	g.WaitGone("text=No shouting")
}

func makeKey(g *browser.Page, name string) {
	g.Click("#key-add")
	g.Fill("#k-name", name)
	g.Click("role=checkbox:Send usage events (events:write)")
	g.Click("#dialog-ok")
}

// A key is made, is shown once, can be copied, and is gone when it is revoked. Without keys the page says what they are for.
func TestAPIKeysAreMadeCopiedAndRevoked(t *testing.T) {
	g := open(t, ws(route.Billing))
	g.WaitText("expires on 23 December 2026")
	g.WaitText("expired on 20 November 2026")
	g.Click("#key-add")
	g.Press("Enter")
	g.WaitText("Fill in “Name” first.")
	g.Type("Till")
	g.Press("Enter")
	g.WaitText("Choose what the key may do.")
	g.Press("Tab", "Space")
	g.WaitFor("the first check box is on", `document.activeElement.getAttribute("aria-checked") === "true"`)
	g.Click("role=button:30")
	g.Click("#dialog-ok")
	g.WaitText("It is not shown again")
	text := g.TextOf("dialog code")
	g.Run(`navigator.clipboard.writeText = (s) => { window.copied = s; return Promise.resolve() }`)
	g.Click("#secret-copy")
	g.WaitFor("the key on the clipboard", "window.copied === "+strconv.Quote(text))
	g.WaitText("It is copied.")
	g.Press("Escape")
	g.WaitFor("the button to have the keyboard again", `document.activeElement.id === "key-add"`)
	g.WaitText("expires on 23 December 2026")
	g.WaitText("Made just now by Ana Duarte")
	g.WaitNoText(text)
	for left, name := range []string{"Bookkeeping", "Web shop", "Till"} {
		g.Click("role=button:Revoke " + name)
		g.WaitText("This cannot be undone.")
		g.Press("Escape")
		g.WaitFor("the key's button to have the keyboard", `document.activeElement.ariaLabel === "Revoke `+name+`"`)
		g.Press("Enter")
		g.WaitText("they can no longer ")
		g.Click("#dialog-ok")
		g.WaitCount(`[data-act="revoke"]`, 2-left)
		g.WaitFor("a button to have the keyboard", `document.activeElement.id === "key-add"`)
	}
	g.WaitText("with a key your own programs")
}

func TestCommentsAreEditedAndDeleted(t *testing.T) {
	g := open(t, project(gallery.Open, false))
	g.WaitText("One question is left")
	g.Hover("text=One question is left")
	g.Click("role=button:Menu of the comment by Ana Duarte")
	g.Click("role=menuitem:Edit")
	g.Fill(`.comments textarea`, "No question is left.")
	g.Click("role=button:Save")
	g.WaitText("No question is left.")
	g.Click("role=button:Menu of the comment by Ana Duarte")
	g.Click("role=menuitem:Delete")
	g.WaitGone("text=No question is left.")
	g.Click("role=button:Undo")
	g.WaitText("No question is left.")
}

func TestTheLookIsChosenAndKept(t *testing.T) {
	g := open(t, project("", false))
	dark := `getComputedStyle(document.body).backgroundColor === "rgb(14, 15, 18)"`
	g.Click("#ws-menu")
	g.Click("role=menuitem:Dark")
	g.WaitFor("the dark look", dark)
	g.Reload()
	g.WaitFor("the dark look after a reload", dark)
	g.Click("#ws-menu")
	g.Click("role=menuitem:As the device")
	g.WaitFor("the device's look", "!("+dark+")")
}

func TestViewersAreOfferedNothingToChange(t *testing.T) {
	g := open(t, project(gallery.Open, false)+"?state=viewer")
	g.WaitText("One question is left")
	for _, sel := range []string{"#new-task", "#project-new", "#say", ".grip", "#prop-status", `[data-act="status"]`} {
		if n := g.Count(sel); n != 0 {
			t.Errorf("a viewer is offered %s", sel)
		}
	}
	g.Press("Escape")
	g.Press("c", "s")
	if g.Count("#compose")+g.Count(".pop") != 0 {
		t.Error("a viewer's keys open something to change")
	}
}

// A click misses what moves: nothing on the account page does while its lists come.
func TestTheAccountPageKeepsItsPlace(t *testing.T) {
	g := open(t, "/account")
	g.Run(`{
		globalThis.shifted = 0;
		new PerformanceObserver((list) => { for (const e of list.getEntries()) shifted += e.value; }).observe({ type: "layout-shift", buffered: true });
	}`)
	g.Wait("role=button:Sign out")
	g.WaitText("This browser")
	g.Wait("role=button:Make a link")
	g.WaitFor("the lists to be painted", "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")
	if moved := browser.Eval[float64](g, "shifted"); moved != 0 {
		t.Errorf("what stood there moved by %g of the window", moved)
	}
}
