package page

import (
	"strconv"

	"holdfast/app/browser"
	"holdfast/app/route"
	"holdfast/app/view"
	"holdfast/sync/fault"
	"holdfast/sync/port"
)

// clockOffMS is from when on a clock's error is told: less does not change what people see.
const clockOffMS = 2 * 60 * 1000

func (a *App) banners() []view.Banner {
	s := a.store
	out := banners(s.Status(), s.Waiting(), s.Unkept(), a.who == whoOut, a.route)
	if a.update {
		out = append(out, view.Banner{Text: "A new version of Holdfast is ready.", Act: "update", Do: "Reload"})
	}
	return out
}

// banners are what a workspace's page says about its state, the gravest first.
func banners(st port.Status, waiting, unkept int, out bool, r route.Route) (list []view.Banner) {
	add := func(kind, text, act, do, href string) {
		list = append(list, view.Banner{Kind: kind, Text: text, Act: act, Do: do, Href: href})
	}
	if p := st.Problem; p != nil {
		switch p.Kind {
		case fault.Corrupt:
			add("danger", "The copy on this device is damaged. Rebuild it from the region; changes that wait here are kept.", "rebuild", "Rebuild", "")
		case fault.Full:
			if unkept == 0 {
				add("danger", "This device has no room left, so new changes cannot be kept. Free some space.", "", "", "")
			}
		default:
			add("danger", view.Sentence(p.Kind, p.Detail), "", "", "")
		}
	}
	if unkept > 0 {
		add("danger", "This device had no room for "+pick(unkept > 1, "your last "+view.Number(int64(unkept))+" changes, and they are", "your last change, and it is")+
			" not kept. Free some space, then try again, before you close this tab.", "keep", "Try again", "")
	}
	switch {
	case st.Link == port.Removed:
		add("danger", "You are no longer a member of this workspace. What this device holds can still be read and copied.", "", "", "")
	case (st.Link == port.SignedOut || out) && waiting > 0:
		kept := "Your change is"
		if waiting > 1 {
			kept = "Your " + view.Number(int64(waiting)) + " changes are"
		}
		add("warn", kept+" kept on this device. Sign in to send "+pick(waiting > 1, "them", "it")+".", "", "Sign in", route.Route{Page: route.SignIn, Next: r.Path()}.Path())
	case st.Link == port.SignedOut || out:
		add("warn", "You are signed out. Your work on this device stays; sign in to send and receive changes.", "", "Sign in", route.Route{Page: route.SignIn, Next: r.Path()}.Path())
	}
	switch st.Storage {
	case port.Outbox:
		add("warn", "This browser gives Holdfast no place for files, as in some private windows. Work goes on: changes are kept until they are sent, everything else is loaded again each time.", "", "", "")
	case port.Memory:
		add("danger", "This browser keeps nothing for Holdfast, as in some private windows or when it has no room left. Work goes on, but closing every tab loses what has not been sent.", "", "", "")
	}
	if st.OffsetMS > clockOffMS || st.OffsetMS < -clockOffMS {
		mins := st.OffsetMS / 60000
		way := "ahead"
		if mins > 0 {
			way = "behind"
		} else {
			mins = -mins
		}
		add("warn", "This device's clock is "+clock(mins)+" "+way+". Nothing is lost, but set it right so that times and dates are.", "", "", "")
	}
	return list
}

func clock(mins int64) string {
	switch {
	case mins >= 2*24*60:
		return strconv.FormatInt(mins/24/60, 10) + " days"
	case mins >= 120:
		return strconv.FormatInt(mins/60, 10) + " hours"
	}
	return strconv.FormatInt(mins, 10) + " minutes"
}

func (a *App) runUpdate() { browser.Update() }

func (a *App) askRebuild() {
	a.ask(dialog{Title: "Rebuild this device's copy?", Confirm: "Rebuild",
		Text: "The rows kept on this device are thrown away and fetched from the region again. Changes that wait to be sent are kept. It needs the network.",
		Submit: func(_ map[string]string, done func(string)) {
			a.store.Rebuild()
			done("")
			a.toast("Rebuilding from the region.", "", nil)
		}})
}
