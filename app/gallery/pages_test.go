//go:build !js

package gallery_test

import (
	"flag"
	"testing"

	"holdfast/app/gallery"
	"holdfast/app/route"
	"holdfast/build/browser"
)

var pictures = flag.String("pictures", "", "folder to write pictures of every page to, in four sizes and looks")

// TestEveryPage opens every page and every kind of control, under the policy that the gateway sends. Nothing may complain,
// and axe-core may find nothing, dark on a wide screen and light on a narrow one.
func TestEveryPage(t *testing.T) {
	url := serve(t)
	p := browser.New(t, browser.Options{Allow: []string{"401", "404"}})
	press := func(keys ...string) func(*browser.Page) { return func(g *browser.Page) { g.Press(keys...) } }
	click := func(sel string) func(*browser.Page) { return func(g *browser.Page) { g.Click(sel) } }
	for name, c := range map[string]struct {
		path string
		do   func(*browser.Page)
	}{
		"controls": {"/gallery", nil}, "signin": {"/signin", nil}, "signup": {"/signup", nil}, "join": {"/join/9m4x", nil}, "join-old": {"/join/old", nil}, "link": {"/link/abc", nil},
		"choose": {"/w", nil}, "choose-first": {"/w?state=first", nil}, "account": {"/account", nil}, "lost": {"/nowhere", nil},
		"list": {project("", false), nil}, "board": {project("", true), nil}, "all": {ws(route.All), nil}, "loading": {ws(route.Start) + "?state=loading", nil},
		"panel": {project(gallery.Open, false), click(".fold")}, "board-panel": {project(gallery.Open, true), nil}, "viewer": {project(gallery.Open, false) + "?state=viewer", nil},
		"getting": {ws(route.Start) + "?state=getting", nil}, "not-yet": {ws(route.Start) + "?state=not-yet", nil},
		"trash": {ws(route.Trash), nil}, "attention": {ws(route.Attention) + "?state=refused", nil}, "attention-none": {ws(route.Attention), nil},
		"members": {ws(route.Members), nil}, "labels": {ws(route.Labels), nil}, "usage": {ws(route.Usage), nil}, "billing": {ws(route.Billing), nil}, "plan": {ws(route.Billing), func(g *browser.Page) {
			g.Click("#plan-business")
			g.Wait("role=dialog:Plan Business")
		}}, "webhook": {ws(route.Billing), func(g *browser.Page) {
			g.Click("#hook-ep_1")
			g.Wait("role=dialog:Webhook")
		}}, "webhook-secret": {ws(route.Billing), func(g *browser.Page) {
			g.Click("#hook-add")
			g.Wait("role=dialog:Webhook")
			g.Fill("#h-url", "https://example.com/hooks")
			g.Click("#dialog-ok")
			g.Wait("role=dialog:The webhook's secret")
		}}, "key": {ws(route.Billing), func(g *browser.Page) {
			g.Click("#key-add")
			g.Wait("role=dialog:New API key")
			g.Click("role=checkbox:Read the billing (billing:read)")
		}}, "key-text": {ws(route.Billing), func(g *browser.Page) {
			makeKey(g, "Till")
			g.Wait("role=dialog:The key “Till”")
		}}, "key-revoke": {ws(route.Billing), func(g *browser.Page) {
			g.Click("#key-k3xq7nbd")
			g.Wait("role=dialog:Revoke “Web shop”?")
		}}, "device": {ws(route.Device), nil}, "new": {ws(route.All) + "?state=new", nil},
		"offline": {project("", false) + "?state=offline", nil}, "corrupt": {project("", false) + "?state=corrupt", nil}, "clock": {project("", false) + "?state=clock", nil},
		"signed-out": {project("", false) + "?state=out", nil}, "memory": {project("", false) + "?state=memory", nil}, "outbox": {project("", false) + "?state=outbox", nil},
		"compose": {project("", false), press("c")}, "filter": {project("", false), press("/")}, "rename": {project("", false), press("ArrowDown", "e")},
		"commands": {project("", false), press("Control+k")}, "shortcuts": {project("", false), press("?")}, "picker": {project(gallery.Open, false), press("l")},
		"menu": {project("", false), click("#ws-menu")}, "dialog": {project("", false), click("#project-new")}, "invite": {ws(route.Members), func(g *browser.Page) {
			g.Click("#invite")
			g.Click("role=option|1")
			g.Wait("role=dialog:Invitation link")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			g := p.Open(url + c.path)
			defer g.Close()
			g.Wait("#main")
			answered(g)
			if c.do != nil {
				c.do(g)
				answered(g)
			}
			for _, look := range []struct {
				width int
				dark  bool
			}{{1440, true}, {360, false}} {
				g.Resize(look.width, 800, look.dark)
				answered(g)
				if found := g.Axe(); found != "" {
					t.Errorf("at %d, dark %t:\n%s", look.width, look.dark, found)
				}
			}
			if *pictures != "" {
				g.Pictures(*pictures, name)
			}
		})
	}
}
