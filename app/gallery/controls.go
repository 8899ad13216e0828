package gallery

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/view"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

// controls is the page /gallery: every control in every state, side by side.
type controls struct{ app.Compo }

func (c *controls) Render() app.UI {
	section := func(name string, body ...app.UI) app.UI {
		return app.Section().Body(app.Header().Body(app.H2().Text(name)), app.Div().Class("row").Style("flex-wrap", "wrap").Style("gap", "12px").Body(body...))
	}
	return app.Div().ID("root").Body(app.Main().Class("page").ID("main").Style("height", "100dvh").Body(app.Div().Class("page-in").Body(
		app.Header().Body(app.H1().Text("Controls"), app.P().Text("Every control in every state.")),
		section("Buttons", buttons()...),
		section("Icon buttons", view.IconButton{Label: "Plain", Icon: "more"}.UI(), view.IconButton{Label: "Pressed", Icon: "filter", Pressed: "true"}.UI(), view.IconButton{Label: "Open", Icon: "menu", Popup: "menu", Open: true}.UI()),
		section("Fields",
			view.Field{DOM: "f1", Label: "Name", Placeholder: "Harbor Studio"}.UI(),
			view.Field{DOM: "f2", Label: "With a hint", Hint: "Your team sees it.", Value: "Ana"}.UI(),
			view.Field{DOM: "f3", Label: "With a fault", Error: "Write a name first.", Value: ""}.UI()),
		section("Choices", view.Check("", "c1", "On", true), view.Check("", "c2", "Off", false),
			view.Tabs("View", view.Tab{Label: "List", Icon: "list", Href: "#1", On: true}, view.Tab{Label: "Board", Icon: "board", Href: "#2"}),
			view.Choice("Period", "", "month", [2]string{"month", "Month"}, [2]string{"year", "Year"})),
		section("Chips", chips()...),
		section("People", view.Avatar("Ana Duarte", "teal", ""), view.Avatar("Bo Lindqvist", "orange", "avatar-lg"), view.Avatar("Mei", "pink", "avatar-here"), view.Avatar("", "", "")),
		section("Marks", marks()...),
		section("Values", values()...),
		section("Keys", view.Kbd("Ctrl+K", "?", "Esc", "Alt")...),
		app.Section().Body(
			view.Notice("", "Something that is good to know."), view.Notice("danger", "Something that went wrong, and what to do now."),
			view.Banner{Text: "A new version of Holdfast is ready.", Do: "Reload", Act: "x"}.UI(),
			view.Banner{Kind: "warn", Text: "You are signed out. Your work on this device stays.", Do: "Sign in", Href: "/signin"}.UI(),
			view.Banner{Kind: "danger", Text: "The copy on this device is damaged.", Do: "Rebuild", Act: "x"}.UI()),
		view.Empty("list", "Nothing here yet", "What this place is for, and how to begin.", view.Button{Label: "Begin", Kind: "primary", Icon: "plus"}.UI()),
		view.Skeleton(3),
	)))
}

func buttons() (out []app.UI) {
	for _, kind := range []string{"", "primary", "quiet", "danger"} {
		name := kind
		if name == "" {
			name = "plain"
		}
		out = append(out, view.Button{Label: name, Kind: kind}.UI(), view.Button{Label: name, Kind: kind, Icon: "plus"}.UI(),
			view.Button{Label: name + ", busy", Kind: kind, Busy: true}.UI(), view.Button{Label: name + ", off", Kind: kind, Disabled: true}.UI())
	}
	return out
}

func chips() (out []app.UI) {
	for _, c := range work.Colors {
		out = append(out, view.Chip{ID: "x", Label: c, Color: c}.UI())
	}
	return out
}

func marks() (out []app.UI) {
	for _, m := range []port.Mark{port.Device, port.Region, port.Everywhere, port.Refused} {
		_, text := view.MarkWords(m)
		out = append(out, app.Span().Class("row").Body(view.Mark(m), app.Span().Text(text)))
	}
	return out
}

func values() (out []app.UI) {
	for _, s := range work.Statuses {
		out = append(out, app.Span().Class("row").Body(view.StatusIcon(s), app.Span().Text(view.StatusName(s))))
	}
	for p := range work.Low + 1 {
		out = append(out, app.Span().Class("row").Body(view.PriorityIcon(p), app.Span().Text(view.PriorityName(p))))
	}
	return out
}

func runControls() {
	engine := app.NewTestEngine()
	if err := engine.Load(&controls{}); err != nil {
		panic(err)
	}
	for {
		engine.ConsumeNext()
	}
}
