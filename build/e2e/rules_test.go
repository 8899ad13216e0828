package e2e

import (
	"encoding/base64"
	"strconv"
	"strings"
	"testing"

	"holdfast/build/browser"
	"holdfast/sync/guest/guesttest"
)

const ruledPlans = `
currency: EUR
timezone: UTC
align: calendar
meters: {rule-nanoseconds: {name: Rule run time, aggregate: sum}}
plans:
  free: {name: Free, prices: [{id: rules, name: Rule hours begun, model: package, meter: rule-nanoseconds, size: 3600000000000, amount: 7.25}]}
`

// An owner adds a rule from a file: what it refuses waits with its name and sentence, and goes through once it is off. How long it ran is
// on the billing page, and a line of the next invoice.
func TestRuleOfAWorkspace(t *testing.T) {
	s := start(t, "local")
	s.sell(ruledPlans)
	ana, g := newPerson(t, "ana", s.url(0))
	ana.Allow("400 .Bad Request. .*/rules") // the broken module
	ownProject(g, "Buy paint")

	add := func(name string, module []byte) {
		g.Click("role=button:Add a rule")
		g.Fill("label=Name", name)
		g.Run(`{ const d = new DataTransfer(); d.items.add(new File([Uint8Array.from(atob(` + strconv.Quote(base64.StdEncoding.EncodeToString(module)) +
			`), c => c.charCodeAt(0))], "rule.wasm")); document.getElementById("r-file").files = d.files }`)
		g.Click("role=button:Add the rule")
	}
	g.Click(`a[href$="/members"]`)
	add("Broken", guesttest.Trap())
	g.WaitText("it failed (unreachable)")
	g.Press("Escape")
	g.WaitGone("#dialog")
	add("Freeze", guesttest.Refuse("Nothing new before Monday."))
	g.WaitGone("#dialog")
	g.WaitText("Freeze")

	openProject(g, "Website")
	compose(g)
	g.Type("Sell paint")
	g.Press("Enter")
	g.Wait(`a[href$="/attention"]`)
	g.Press("Escape")
	g.WaitGone("#compose")
	g.Click(`a[href$="/attention"]`)
	g.WaitText("Rule “Freeze”: Nothing new before Monday.")
	g.WaitText("Sell paint")
	look(g, "rule-refused")

	g.Click(`a[href$="/members"]`)
	g.Click("role=button:Switch off")
	g.WaitText("The rule is off.")
	g.Click(`a[href$="/attention"]`)
	g.Click(again)
	g.WaitGone(again)
	openProject(g, "Website")
	g.WaitText("Sell paint")
	everywhere(g)

	g.Click(`a[href$="/billing"]`)
	g.Wait("role=heading:Plan: Free")
	shown := func() bool {
		page := browser.Eval[string](g, "document.body.innerText")
		return strings.Contains(page, "Rule hours begun") && strings.Contains(page, "7.25")
	}
	within(t, "the rule's time is a line of the next invoice", func() bool {
		if shown() {
			return true
		}
		g.Reload()
		g.Wait("role=heading:Plan: Free")
		return shown()
	})
}
