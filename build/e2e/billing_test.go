package e2e

import (
	"strconv"
	"testing"
	"time"

	"holdfast/build/browser"
)

const smallPlans = `
currency: EUR
timezone: UTC
align: calendar
meters: {changes: {name: Changes, aggregate: sum}}
features: {changes: {name: Changes this month, type: metered, meter: changes}}
plans:
  free: {name: Free, prices: [{id: base, model: flat, amount: 0}], entitlements: {changes: {limit: 9, period: month}}}
  team: {name: Team, prices: [{id: seats, name: Seats, model: per_unit, quantity: seats, amount: 6}], entitlements: {changes: unlimited}}
`

const again = "role=button:Try again"

// buyTeam adds a card on the billing page and changes to the plan Team.
func buyTeam(g *browser.Page) {
	g.Click("role=button:Add a card")
	g.Fill("label=Card number", "4242 4242 4242 4242")
	g.Press("Enter")
	g.WaitText("•••• 4242")
	g.Click("#plan-team")
	g.WaitText("is charged now")
	g.Click("role=button:Change the plan")
	g.Wait("role=heading:Plan: Team")
	g.WaitText("· Paid")
}

// A workspace reaches its plan's limit: what its owner wrote waits with a sentence, and goes through once the plan is larger. The change of
// plan is previewed, charged to the test bank, and has its invoice.
func TestPlanLimitAndChangeOfPlan(t *testing.T) {
	s := start(t, "local")
	s.sell(smallPlans)
	_, g := owner(t, s)
	compose(g)
	for n := range 12 { // those over the limit are shown until the region refuses them
		g.Type("Task " + strconv.Itoa(n))
		g.Press("Enter")
		g.WaitFor("the field is empty again", `document.activeElement?.id === "compose" && !document.activeElement.value`)
	}
	// The plan of a workspace that was made a moment ago may reach the region after some of them.
	for n := 12; n < 150 && g.Count(`a[href$="/attention"]`) == 0; n++ {
		g.Type("Task " + strconv.Itoa(n))
		g.Press("Enter")
		time.Sleep(time.Second)
	}
	g.Press("Escape")
	g.WaitGone("#compose")
	g.Click(`a[href$="/attention"]`)
	g.WaitText("plan allows 9 changes a month")
	g.WaitText("Nothing you wrote is lost")

	g.Click(`a[href$="/billing"]`)
	g.Wait("role=heading:Plan: Free")
	buyTeam(g)

	g.Click(`a[href$="/attention"]`)
	g.Wait(again)
	g.WaitFor("every change has its fate", `document.getElementById("link-state").textContent.startsWith("All changes sent")`)
	for left := g.Count(again); left > 0; left-- {
		g.Click(again + "|last")
		g.WaitCount(again, left-1)
	}
	openProject(g, "Website")
	g.WaitText("Task 11")
	everywhere(g)
}
