//go:build !js

package gallery_test

import (
	"strconv"
	"testing"

	"holdfast/build/browser"
)

const controlled = `navigator.serviceWorker.controller !== null`

func TestTheAppStartsWithoutANetwork(t *testing.T) {
	p := browser.New(t, browser.Options{Allow: []string{"401", "Failed to load", "ERR_"}})
	g := p.Open(serve(t) + project("", false))
	g.WaitFor("the app to be stored", controlled)
	p.Offline(true)
	g.Reload()
	g.Wait("text=Header jumps on slow connections")
}

func TestANewVersionIsOfferedAndTaken(t *testing.T) {
	url, next := serveVersions(t)
	g := browser.New(t, browser.Options{Allow: []string{"401"}}).Open(url + project("", false))
	g.WaitFor("the app to be stored", controlled)
	if g.Count("text=A new version of Holdfast is ready.") != 0 {
		t.Error("the first version says that it is new")
	}
	next()
	g.Run(`navigator.serviceWorker.getRegistration().then((r) => r.update()).then(() => true)`)
	g.WaitText("A new version of Holdfast is ready.")
	g.Run(`window.before = true`)
	g.Click("role=button:Reload")
	g.WaitFor("the page to load again", `window.before === undefined && document.querySelector(".task") !== null`)
	if g.Count("text=A new version of Holdfast is ready.") != 0 {
		t.Error("the new version says that there is a newer one")
	}
}

// A finger that rests on a row takes it; one that moves at once scrolls.
func TestDraggingByTouch(t *testing.T) {
	g := openHiring(t)
	g.Press("c")
	g.Wait("#compose")
	for _, title := range []string{"one", "two"} {
		g.Type(title)
		g.Press("Enter")
	}
	g.Press("Escape")
	wantTitles(t, g, "todo", "one | two | "+hiring)
	touch := func(rest int) {
		g.Run(`(async () => {
			const rows = [...document.querySelectorAll("#zone-todo > li")].filter((li) => li.style.display !== "none").sort((a, b) => a.ariaPosInSet - b.ariaPosInSet);
			const at = (el) => { const b = el.getBoundingClientRect(); return [b.left + 200, b.top + b.height / 2] };
			const [x, y] = at(rows[0]), [, to] = at(rows[2]);
			const fire = (type, y) => document.elementFromPoint(x, y).dispatchEvent(new PointerEvent(type, { bubbles: true, cancelable: true, pointerType: "touch", pointerId: 7, button: 0, clientX: x, clientY: y }));
			fire("pointerdown", y);
			if (` + strconv.Itoa(rest) + `) await new Promise((r) => setTimeout(r, ` + strconv.Itoa(rest) + `)); // the timer that lifts it was set before and is due before
			fire("pointermove", y + 12);
			fire("pointermove", to + 12);
			fire("pointerup", to + 12);
		})()`)
	}
	touch(0)
	wantTitles(t, g, "todo", "one | two | "+hiring)
	touch(350)
	wantTitles(t, g, "todo", "two | "+hiring+" | one")
}
