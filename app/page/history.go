package page

import (
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/view"
	"holdfast/sync/change"
	"holdfast/sync/id"
	"holdfast/sync/port"
)

// past is what a task was before: lost values first and in plain sight, the rest folded away.
func (c *Panel) past(d port.DetailResult) app.UI {
	a := c.App
	var lost, rest []app.UI
	for i, h := range d.History {
		if h.Lost {
			lost = append(lost, c.lost(i, h, d.History))
		}
	}
	shown := d.History[max(0, len(d.History)-historyTail):]
	for i := len(shown) - 1; i >= 0; i-- {
		rest = append(rest, app.Li().Body(
			view.Avatar(or(a.store.Member(shown[i].Actor).Name, "?"), a.store.Member(shown[i].Actor).Color, ""),
			app.Span().Class("what").Body(a.happened(shown[i])...),
			app.Time().DateTime(stamp(shown[i].AtMS)).Text(view.Ago(shown[i].AtMS, a.Now())),
		))
	}
	return app.Section().Aria("label", "History").Body(
		app.If(len(lost) > 0, func() app.UI { return app.Ul().Class("history").Body(lost...) }),
		app.If(len(rest) > 0, func() app.UI {
			return app.Button().Type("button").Class("fold").Aria("expanded", strconv.FormatBool(c.history)).DataSet("act", "history").Body(
				app.Elem("svg").XMLNS("http://www.w3.org/2000/svg").Attr("class", "icon chev").Aria("hidden", "true").Body(app.Elem("use").XMLNS("http://www.w3.org/2000/svg").Attr("href", "#i-chevron")),
				app.Span().Text("History"), app.Span().Class("muted num").Text(view.Number(int64(len(d.History)))))
		}),
		app.If(c.history, func() app.UI { return app.Ul().Class("history").Body(rest...) }),
	)
}

// lost is a value that somebody wrote and somebody else replaced without having seen it.
func (c *Panel) lost(i int, h port.HistItem, all []port.HistItem) app.UI {
	a := c.App
	by := or(a.store.Member(h.Actor).Name, "Somebody")
	winner := ""
	for _, w := range all {
		if w.Col == h.Col && w.Now {
			winner = or(a.store.Member(w.Actor).Name, "somebody")
		}
	}
	text := "Two people changed the " + view.ColumnName(h.Col) + " at once. " + winner + "’s stands; " + by + " had written "
	return app.Li().Class("lost").Body(
		view.Icon("history"),
		app.Span().Class("what").Body(app.Text(text), app.Q().Text(a.valueWords(h.Col, h.Value)), app.Text(".")),
		app.If(a.store.CanWrite(), func() app.UI {
			return view.Button{Act: "take-back", ID: strconv.Itoa(i), Label: "Restore"}.UI()
		}),
	)
}

// happened says one entry of the history.
func (a *App) happened(h port.HistItem) []app.UI {
	who := or(a.store.Member(h.Actor).Name, "Somebody")
	value := a.valueWords(h.Col, h.Value)
	switch h.Col {
	case "deleted":
		return []app.UI{app.Text(who + pick(h.Value.IsNull(), " took it out of Trash", " moved it to Trash"))}
	case "assignee":
		if h.Value.IsNull() {
			return []app.UI{app.Text(who + " unassigned it")}
		}
		return []app.UI{app.Text(who + " assigned it to " + value)}
	case "project":
		return []app.UI{app.Text(who + " put it into " + value)}
	case "due":
		if h.Value.IsNull() {
			return []app.UI{app.Text(who + " took the due date off")}
		}
	case "description":
		if h.Value.IsNull() {
			return []app.UI{app.Text(who + " emptied the description")}
		}
	}
	if h.Col == "title" || h.Col == "description" {
		return []app.UI{app.Text(who + " wrote the " + view.ColumnName(h.Col) + " "), app.Q().Text(value)}
	}
	return []app.UI{app.Text(who + " set the " + view.ColumnName(h.Col) + " to " + value)}
}

// valueWords is a stored value as people read it.
func (a *App) valueWords(col string, v change.Value) string {
	switch col {
	case "status":
		return view.StatusName(v.Text)
	case "priority":
		return view.PriorityName(int(v.Int))
	case "assignee":
		if v.IsNull() {
			return "nobody"
		}
		return or(a.store.Member(id.ID(v.Text)).Name, "a former member")
	case "project":
		if p, ok := a.store.Project(id.ID(v.Text)); ok {
			return p.Name
		}
		return "a project in Trash"
	case "due":
		if v.IsNull() {
			return "no date"
		}
		text, _ := view.Due(v.Text, a.Now())
		return text
	case "deleted":
		return pick(v.IsNull(), "not in Trash", "in Trash")
	}
	if r := []rune(strings.TrimSpace(v.Text)); len(r) > 200 {
		return string(r[:200]) + "…"
	}
	return v.Text
}
