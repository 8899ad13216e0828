package browser

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

var axeScript = sync.OnceValues(func() (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	b, err := os.ReadFile(filepath.Join(root, "node_modules/axe-core/axe.min.js"))
	if err != nil {
		return "", errors.New("axe-core is not installed: run make assets")
	}
	return string(b), nil
})

// Axe has axe-core look at the page once it has come to rest and returns what is not accessible, one finding a line; "" for none.
func (g *Page) Axe() string {
	g.p.tb.Helper()
	script, err := axeScript()
	g.p.must(err)
	g.Run(script + "; true")
	// What it finds in a page that changes while it looks is true of no page that anybody sees: then it looks again.
	var found struct {
		Text    string
		Changed bool
	}
	ctx, cancel := g.p.patience()
	defer cancel()
	for found.Changed = true; found.Changed && ctx.Err() == nil; {
		g.Rest()
		g.p.must(g.eval(ctx, `(async () => {
			let changed = false;
			const watch = new MutationObserver(() => { changed = true; });
			watch.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
			const { violations } = await axe.run(document, { resultTypes: ["violations"] });
			watch.disconnect();
			return { changed, text: violations.map((v) =>
				v.id + ": " + v.help + "\n" + v.nodes.slice(0, 4).map((n) => "    " + n.target.join(" ") + "  " + n.failureSummary.split("\n").slice(1, 3).join(" ")).join("\n")).join("\n") };
		})()`, &found))
	}
	return strings.TrimSpace(found.Text)
}
