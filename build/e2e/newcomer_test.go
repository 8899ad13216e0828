package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"holdfast/build/browser"
)

// fits leaves pictures of a page, and checks that on a phone's width nothing is beside the screen, and that the keyboard reaches all.
func fits(t *testing.T, g *browser.Page, name string) {
	t.Helper()
	look(g, name)
	g.Resize(360, 740, false)
	g.Rest()
	if wide := browser.Eval[int](g, `document.documentElement.scrollWidth`); wide > 360 {
		t.Errorf("%s is %d pixels wide on a screen of 360", name, wide)
	}
	lost := browser.Eval[string](g, `[...document.querySelectorAll("main :is(button, a[href], input, textarea)")].filter((e) => {
		const r = e.getBoundingClientRect(), s = getComputedStyle(e);
		return r.width > 1 && s.visibility !== "hidden" && (r.left < -1 || r.right > 361) && !e.closest("#board, .scroll-x");
	}).map((e) => e.ariaLabel || e.textContent || e.id).join(", ")`)
	if lost != "" {
		t.Errorf("%s: beside the screen: %s", name, lost)
	}
	// Rows of a list have one tab stop and their own keys; everything else is reached with Tab.
	unreached := browser.Eval[string](g, `[...document.querySelectorAll(":is(button, a[href], input, textarea, select)")].filter((e) =>
		e.tabIndex < 0 && e.getClientRects().length && !e.closest(".win, [role=listbox], [role=menu]")).map((e) => e.ariaLabel || e.textContent || e.id).join(", ")`)
	if unreached != "" {
		t.Errorf("%s: not reached with the Tab key: %s", name, unreached)
	}
	g.Resize(1440, 900, false)
}

// A newcomer's first hour: every page that there is, on a narrow and a wide screen.
func TestNewcomer(t *testing.T) {
	s := start(t, "local")
	ana, g := newPerson(t, "ana", s.url(0))
	ana.Touch(false)
	g.Wait("role=button:Sign in with a passkey")
	fits(t, g, "01-signin")
	g.Click("role=link:Create an account")
	g.Wait("label=Your name")
	fits(t, g, "02-signup")
	g.Fill("label=Your name", "Ana Ferreira")
	g.Click("role=button:Create account with a passkey")
	ana.Touch(true)
	g.Wait("label=Workspace name")
	fits(t, g, "03-workspace")
	newWorkspace(g, "Harbor Studio")
	g.WaitText("All changes sent")
	fits(t, g, "04-empty")
	newProject(g, "Website")
	fits(t, g, "05-first-project")
	addTasks(g, "Write the copy for the pricing page, with the three plans side by side and a calculator", "Choose a typeface", "Fix the footer on small screens", "Works on the train")
	g.Focus(row("Choose a typeface"))
	setPriority(g, "High")
	everywhere(g)
	fits(t, g, "06-list")
	g.Click(row("Choose a typeface"))
	g.Wait("#panel-title")
	g.Fill("#say", "Something with old-style figures.")
	g.Click("role=button:Comment")
	g.WaitText("Something with old-style figures.")
	fits(t, g, "07-panel")
	g.Press("Escape", "Escape")
	g.WaitGone("#panel-title")
	g.Click("role=link:Board")
	g.Wait("#board")
	fits(t, g, "08-board")
	g.Resize(360, 740, false)
	g.Reload()
	g.WaitFor("a phone shows the first column with something in it", `(() => { const r = document.getElementById("col-todo")?.getBoundingClientRect(); return r && r.left >= 0 && r.right <= 360; })()`)
	g.Click("role=button:Open the sidebar")
	g.Wait(".side.is-open")
	if *pictures != "" {
		g.WaitFor("the sidebar to have moved in", `new Promise((r) => setTimeout(() => r(true), 500))`)
		g.Picture(filepath.Join(*pictures, "08-sidebar-360-light.png"))
	}
	g.Press("Escape")
	g.WaitGone(".side.is-open")
	g.Resize(1440, 900, false)
	g.Focus(row("Works on the train"))
	g.Press("Delete")
	g.WaitGone(row("Works on the train"))
	workspace := strings.Split(g.URL(), "/p/")[0]
	for _, page := range []string{"labels", "members", "usage", "billing", "trash", "device", "attention"} {
		g.Go(workspace + "/" + page)
		g.Wait("h1")
		g.WaitGone(".sk")
		fits(t, g, "09-"+page)
	}
	g.Go(s.url(0) + "/account")
	g.WaitText("This browser")
	fits(t, g, "10-account")
	_, h := newPerson(t, "bo", s.url(0))
	g.Go(s.url(0) + "/")
	g.Wait("role=heading:Projects")
	h.Go(invite(g, s.url(0)))
	h.Wait("role=link:Create an account")
	fits(t, h, "11-invited")
}
