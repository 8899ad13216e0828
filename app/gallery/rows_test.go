//go:build !js

package gallery_test

import (
	"testing"

	"holdfast/build/browser"
)

// What a redraw leaves as it is stays the same element: it keeps the keyboard, and a press that began on it becomes a click.
func TestRowsChangeInPlace(t *testing.T) {
	g := openHiring(t)
	g.Run(`{
		const list = document.createElement("ul");
		list.id = "rows";
		document.body.append(list);
		globalThis.row = (id, place, drag, html) => [id, place, drag, html].join("\x1f");
		globalThis.draw = (total, ...rows) => holdfast.drawRows("rows", 40, total, rows.join("\x1e"));
		globalThis.looks = () => [...list.children].sort((a, b) => a.ariaPosInSet - b.ariaPosInSet)
			.map((li) => [li.dataset.row, li.ariaPosInSet, li.ariaSetSize, li.dataset.drag ?? "", li.style.transform, li.innerHTML].join(" ")).join("\n");
	}`)
	step := func(what, js string, want any) {
		t.Helper()
		if got := browser.Eval[any](g, js); got != want {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	step("two rows", `draw(9, row("a", 0, "1", '<div><a id="ta" href="#">A</a><button>B</button></div>'), row("b", 1, "", "<div>b</div>"))`, true)
	step("their looks", "looks()", "a 1 9 a translateY(0px) <div><a id=\"ta\" href=\"#\">A</a><button>B</button></div>\nb 2 9  translateY(40px) <div>b</div>")
	g.Run(`globalThis.a = document.getElementById("ta"); a.focus(); globalThis.button = a.nextSibling; true`)
	step("a changed row, moved, and a new one", `draw(8, row("c", 0, "", "<div>c</div>"), row("a", 1, "", '<div class="is-open"><a id="ta" href="#" tabindex="0">A2</a><button title="x">B</button><i>new</i></div>'), row("b", 2, "1", ""))`, true)
	step("their looks", "looks()", "c 1 8  translateY(0px) <div>c</div>\na 2 8  translateY(40px) <div class=\"is-open\"><a id=\"ta\" href=\"#\" tabindex=\"0\">A2</a><button title=\"x\">B</button><i>new</i></div>\nb 3 8 b translateY(80px) <div>b</div>")
	step("the keyboard and the button", `document.activeElement === a && a.nextSibling === button`, true)
	step("an element in another's place", `draw(8, row("a", 0, "", '<div class=""><input id="ra"></div>'))`, true)
	step("one row", "looks()", `a 1 8  translateY(0px) <div class=""><input id="ra"></div>`)
	step("a row that is not there", `draw(8, row("z", 0, "", ""))`, false)
	step("no rows", `draw(0, "")`, true)
	step("nothing", "looks()", "")
	step("a list that is gone", `holdfast.drawRows("none", 40, 1, row("a", 0, "", ""))`, true)
}
