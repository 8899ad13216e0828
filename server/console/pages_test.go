package console

import (
	"flag"
	"path/filepath"
	"strings"
	"testing"

	"holdfast/build/browser"
	"holdfast/sync/token"
)

var pictures = flag.String("pictures", "", "folder to write pictures of every page to, in four sizes and looks")

// enter opens a page as the operator with a session.
func (w *world) enter(p *browser.Person, session string) *browser.Page {
	g := p.Open(w.origin() + prefix)
	g.Run("document.cookie = '" + token.Cookie + "=" + session + "; path=/'; true")
	return g
}

func TestEveryPageLooksRight(t *testing.T) {
	w, session := town(t)
	list := w.bill.Accounts()
	first, late, trial := customerHref(list[0].ID), customerHref(list[10].ID), customerHref(list[12].ID)
	p := browser.New(t, browser.Options{Allow: []string{"404", "422"}})
	g := w.enter(p, session)
	for name, path := range map[string]string{"overview": "", "customers": "/customers", "found": "/customers?q=nord", "nobody": "/customers?q=nobody", "subscriptions": "/subscriptions", "move": "/subscriptions/move?plan=team&when=now", "payments": "/payments", "revenue": "/revenue",
		"meters": "/meters", "catalogue": "/catalogue", "reconciliation": "/reconciliation", "audit": "/audit", "customer": first[len(prefix):], "late": late[len(prefix):] + "?done=collect", "trial": trial[len(prefix):],
		"plan": first[len(prefix):] + "/do/plan", "plan-shown": first[len(prefix):] + "/do/plan?show=1&plan=business&when=now", "void": late[len(prefix):] + "/do/void?invoice=" + list[10].Invoices[0].Number,
		"cancel-shown": first[len(prefix):] + "/do/cancel?show=1&when=now&credit=refund&reason=asked", "mail": late[len(prefix):] + "/mails/1", "limit": first[len(prefix):] + "/do/limit", "limit-shown": first[len(prefix):] + "/do/limit?show=1&feature=seats&value=1200&until=2030-12-31&reason=a+pilot",
		"credit-wrong": first[len(prefix):] + "/do/credit?show=1&amount=-1", "missing": "/customers/nobody"} {
		t.Run(name, func(t *testing.T) {
			g.Go(w.origin() + prefix + path)
			g.Wait("#main")
			if text := g.Text(); strings.ContainsAny(text, "<>") || strings.Contains(text, "ZgotmplZ") {
				t.Errorf("markup is read as text: %s", text)
			}
			for _, look := range []struct {
				width int
				dark  bool
			}{{1440, true}, {360, false}} {
				g.Resize(look.width, 800, look.dark)
				if found := g.Axe(); found != "" {
					t.Errorf("at %d, dark %t:\n%s", look.width, look.dark, found)
				}
				if wide := browser.Eval[int](g, "document.querySelector('#scroll').scrollWidth - document.querySelector('#scroll').clientWidth"); wide > 0 {
					t.Errorf("at %d the page is %d pixels too wide", look.width, wide)
				}
			}
			if *pictures == "" {
				return
			}
			for look, size := range map[string][2]int{"360-light": {360, 1500}, "360-dark": {360, 740}, "1440-light": {1440, 1700}, "1440-dark": {1440, 1000}} {
				g.Resize(size[0], size[1], strings.HasSuffix(look, "dark"))
				g.Picture(filepath.Join(*pictures, name+"-"+look+".png"))
			}
		})
	}
}
