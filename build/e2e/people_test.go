package e2e

import (
	"testing"

	"holdfast/build/browser"
)

// The steps that people take, in the words that they read.

// newPerson opens a region in a browser of its own.
func newPerson(t *testing.T, name, url string) (*browser.Person, *browser.Page) {
	t.Helper()
	p := browser.New(t, browser.Options{Name: name, Width: 1440, Height: 900})
	return p, p.Open(url + "/")
}

// signUp makes an account with a passkey.
func signUp(g *browser.Page, name string) {
	g.Click("role=link:Create an account")
	g.Fill("label=Your name", name)
	g.Click("role=button:Create account with a passkey")
}

// newWorkspace names the first workspace and waits until it is open.
func newWorkspace(g *browser.Page, name string) {
	g.Fill("label=Workspace name", name)
	g.Click("role=button:Create workspace")
	g.Wait("role=heading:Projects")
}

// owner is Ana, looking at a project of her own with tasks that have arrived.
func owner(t *testing.T, s *stack, titles ...string) (*browser.Person, *browser.Page) {
	t.Helper()
	ana, g := newPerson(t, "ana", s.url(0))
	ownProject(g, titles...)
	return ana, g
}

func ownProject(g *browser.Page, titles ...string) {
	signUp(g, "Ana Ferreira")
	newWorkspace(g, "Harbor")
	newProject(g, "Website")
	if len(titles) > 0 {
		addTasks(g, titles...)
	}
	everywhere(g)
}

// member is Bo, who was invited; both look at the project.
func member(t *testing.T, s *stack, g *browser.Page) (*browser.Person, *browser.Page) {
	t.Helper()
	bo, h := newPerson(t, "bo", s.url(0))
	join(h, invite(g, s.url(0)), "Bo Lindqvist")
	openProject(h, "Website")
	openProject(g, "Website")
	return bo, h
}

// compose opens the field for a new task.
func compose(g *browser.Page) {
	g.Press("c")
	g.WaitFor("the new task's field has the keyboard", `document.activeElement?.id === "compose"`)
}

func newProject(g *browser.Page, name string) {
	g.Click("#project-new")
	g.Fill("label=Name", name)
	g.Press("Enter")
	g.Wait("role=heading:" + name)
	g.Wait("#compose") // the first task can be written at once
	g.Press("Escape")
	g.WaitGone("#compose")
}

// addTasks writes tasks one after another with the keyboard alone.
func addTasks(g *browser.Page, titles ...string) {
	g.Wait("#new-task") // people write when they may
	compose(g)
	for _, title := range titles {
		g.Type(title)
		g.Press("Enter")
		g.WaitText(title)
	}
	g.Press("Escape")
	g.WaitGone("#compose")
}

// invite gives the link with which another may join.
func invite(g *browser.Page, origin string) string {
	g.Go(origin + browser.Eval[string](g, `location.pathname.match(/^\/w\/[^/]+/)[0] + "/members"`))
	g.Click("role=button:Invite by link")
	g.Click("text=all the work")
	g.Wait("label=Link")
	link := browser.Eval[string](g, `document.getElementById("copy").value`)
	g.Press("Escape")
	return link
}

// join opens an invitation as somebody new.
func join(g *browser.Page, link, name string) {
	g.Go(link)
	signUp(g, name)
	g.Click("role=button:Join as " + name)
	g.Wait("role=heading:Projects")
}

// everywhere waits until all that this page shows is in every region.
func everywhere(g *browser.Page) {
	g.WaitFor("every change is everywhere", `!document.querySelector(".mark-1, .mark-2, .mark-4") && !!document.querySelector(".link-online")`)
}

// online waits until the page's replica is in step with its region.
func online(g *browser.Page) { g.Wait(".link-online") }

// offline waits until the page knows that there is no way to its region.
func offline(g *browser.Page) { g.Wait(".link-offline") }

// titles are the tasks of the list as they are seen, from top to bottom.
func titles(g *browser.Page) []string { return browser.Eval[[]string](g, titlesJS) }

const titlesJS = `[...document.querySelectorAll(".task .title")].sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top).map((e) => e.textContent)`

// row is the selector of the task with a title.
func row(title string) string { return "role=link:" + title }

// rename gives a task another title in its panel.
func rename(g *browser.Page, from, to string) {
	g.Click(row(from))
	g.Wait("#panel-title")
	g.Fill("#panel-title", to)
	closePanel(g)
	g.WaitText(to)
}

// closePanel leaves the open task with the keyboard: out of the field, if it is in one, and out of the panel.
func closePanel(g *browser.Page) {
	g.Focus("#panel-title")
	g.Press("Escape", "Escape")
	g.WaitGone("#panel-title")
}

// openProject follows the sidebar's link.
func openProject(g *browser.Page, name string) {
	g.Click("text=" + name)
	g.Wait("role=heading:" + name)
}
