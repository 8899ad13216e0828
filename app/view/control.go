package view

import (
	"strings"
	"unicode/utf8"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/sync/id"
)

// Act reads what a click on or in a control means; act is empty for a click on nothing.
func Act(e app.Event) (act, id string, el app.Value) {
	t := e.Get("target")
	if !t.Truthy() {
		return "", "", nil
	}
	el = t.Call("closest", "[data-act]")
	if !el.Truthy() || el.Call("getAttribute", "aria-disabled").Truthy() {
		return "", "", nil
	}
	d := el.Get("dataset")
	act = d.Get("act").String()
	if v := d.Get("id"); v.Truthy() {
		id = v.String()
	}
	return act, id, el
}

// Plain tells whether a click is one that the app answers itself: not one for a new tab or window.
func Plain(e app.Event) bool {
	return !e.Get("ctrlKey").Bool() && !e.Get("metaKey").Bool() && !e.Get("shiftKey").Bool() && e.Get("button").Int() == 0
}

// Button is a button, or a link when Href is set.
type Button struct {
	Act, ID  string // data-act, data-id
	DOM      string // element id
	Label    string
	Icon     string
	Kind     string // "", "primary", "quiet", "danger"
	Class    string
	Href     string
	Busy     bool // works on it: cannot be pressed, says so
	Disabled bool
	Submit   bool
	Popup    string // aria-haspopup
	Open     bool   // with Popup: aria-expanded
}

func (b Button) UI() app.UI {
	class := strings.TrimSpace("btn " + b.Class)
	if b.Kind != "" {
		class += " btn-" + b.Kind
	}
	inside := []app.UI{}
	if b.Busy {
		inside = append(inside, app.Span().Class("spin").Aria("hidden", "true"))
	} else if b.Icon != "" {
		inside = append(inside, Icon(b.Icon))
	}
	inside = append(inside, app.Span().Text(b.Label))
	if b.Href != "" {
		return app.A().Class(class).Href(b.Href).ID(b.DOM).DataSet("act", b.Act).DataSet("id", b.ID).Body(inside...)
	}
	kind := "button"
	if b.Submit {
		kind = "submit"
	}
	el := app.Button().Class(class).Type(kind).ID(b.DOM).DataSet("act", b.Act).DataSet("id", b.ID).Body(inside...)
	if b.Busy || b.Disabled {
		// Not the attribute disabled: a button keeps the keyboard while it works, and says why it does nothing.
		el = el.Aria("disabled", "true")
	}
	if b.Popup != "" {
		el = el.Aria("haspopup", b.Popup).Aria("expanded", yes(b.Open))
	}
	return el
}

func yes(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

// IconButton is a button that shows only an icon; Label is its name and tooltip.
type IconButton struct {
	Act, ID, DOM string
	Label, Icon  string
	Class        string
	Popup        string
	Open         bool
	Pressed      string // aria-pressed, "" for none
	Out          bool   // not in the tab order: the row has a key for it
}

func (b IconButton) UI() app.UI {
	el := app.Button().Type("button").Class(strings.TrimSpace("icon-btn "+b.Class)).ID(b.DOM).Title(b.Label).Aria("label", b.Label).
		DataSet("act", b.Act).DataSet("id", b.ID).Body(Icon(b.Icon))
	if b.Popup != "" {
		el = el.Aria("haspopup", b.Popup).Aria("expanded", yes(b.Open))
	}
	if b.Pressed != "" {
		el = el.Aria("pressed", b.Pressed)
	}
	if b.Out {
		el = el.TabIndex(-1)
	}
	return el
}

// Field is a labeled one-line text field. Its value is the browser's: read it with browser.Value(DOM).
type Field struct {
	DOM, Label, Hint, Error string
	Value                   string // at first
	Placeholder             string
	Complete                string // autocomplete
	Accept                  string // a file of this type is chosen, and not a text written
	Max                     int
	Required                bool
}

func (f Field) UI() app.UI {
	in := app.Input().Class("input").ID(f.DOM).Type("text").Placeholder(f.Placeholder).Attr("value", f.Value).
		Attr("autocomplete", or(f.Complete, "off")).Required(f.Required)
	if f.Accept != "" {
		in = in.Type("file").Accept(f.Accept)
	}
	if f.Max > 0 {
		in = in.MaxLength(f.Max)
	}
	if f.Error != "" {
		in = in.Aria("invalid", "true")
	}
	if f.Error+f.Hint != "" {
		in = in.Aria("describedby", f.DOM+"-note")
	}
	note := app.Span().Class("hint").ID(f.DOM + "-note").Text(f.Hint)
	if f.Error != "" {
		note = app.Span().Class("field-error").ID(f.DOM+"-note").Attr("role", "alert").Body(Icon("alert"), app.Span().Text(f.Error))
	}
	return app.Div().Class("field").Body(
		app.Label().For(f.DOM).Text(f.Label),
		in,
		app.If(f.Error+f.Hint != "", func() app.UI { return note }),
	)
}

func or[T comparable](a, b T) T {
	var zero T
	if a == zero {
		return b
	}
	return a
}

// Check is a check box.
func Check(act, dom, label string, on bool) app.UI {
	return app.Button().Type("button").Class("check").ID(dom).Role("checkbox").Aria("checked", yes(on)).DataSet("act", act).Body(
		app.Span().Class("check-box").Body(Icon("check")), app.Span().Text(label))
}

// Tab is one of a row of choices that are places: links.
type Tab struct {
	Label, Icon, Href string
	On                bool
}

// Tabs switch between views of one thing.
func Tabs(label string, tabs ...Tab) app.UI {
	inside := make([]app.UI, 0, len(tabs))
	for _, t := range tabs {
		a := app.A().Class("tab").Href(t.Href).Aria("label", t.Label).Body(Icon(t.Icon), app.Span().Text(t.Label))
		if t.On {
			a = a.Aria("current", "page")
		}
		inside = append(inside, a)
	}
	return app.Nav().Class("tabs").Aria("label", label).Body(inside...)
}

// Choice is a row of buttons of which one is on.
func Choice(label, act string, on string, options ...[2]string) app.UI {
	inside := make([]app.UI, 0, len(options))
	for _, o := range options {
		inside = append(inside, app.Button().Type("button").Class("tab").Aria("pressed", yes(o[0] == on)).DataSet("act", act).DataSet("id", o[0]).Text(o[1]))
	}
	return app.Div().Class("tabs").Role("group").Aria("label", label).Body(inside...)
}

// Chip is a small colored word. It is comparable.
type Chip struct {
	ID    id.ID
	Label string
	Color string
}

func (c Chip) UI() app.UI {
	var m markup
	m.chip(c)
	return app.Raw(m.String())
}

// Avatar is a person's initials on their color; an empty name is nobody.
func Avatar(name, color, class string) app.UI {
	var m markup
	m.avatar(name, color, class)
	return app.Raw(m.String())
}

// Initials are the first letters of a name's first and last words.
func Initials(name string) string {
	words := strings.Fields(name)
	if len(words) == 0 {
		return "?"
	}
	first := func(w string) string { _, n := utf8.DecodeRuneInString(w); return w[:n] }
	out := first(words[0])
	if len(words) > 1 {
		out += first(words[len(words)-1])
	}
	return out
}

// Empty is what a place without content says: what it is for, and how to begin.
func Empty(icon, title, text string, actions ...app.UI) app.UI {
	return app.Div().Class("empty").Body(
		Icon(icon), app.H2().Text(title), app.P().Text(text),
		app.If(len(actions) > 0, func() app.UI { return app.Div().Class("row").Body(actions...) }),
	)
}

// Banner is a line over the page about something that lasts.
type Banner struct {
	Kind string // "", "warn", "danger"
	Text string
	Act  string
	Do   string // the button's words
	Href string // or a link's
}

func (b Banner) UI() app.UI {
	class, sign, role := "banner", "info", "status"
	if b.Kind != "" {
		class, sign = class+" banner-"+b.Kind, "alert"
	}
	if b.Kind == "danger" {
		role = "alert"
	}
	return app.Div().Class(class).Role(role).Body(
		Icon(sign), app.P().Text(b.Text),
		app.If(b.Do != "", func() app.UI { return Button{Act: b.Act, Label: b.Do, Href: b.Href}.UI() }),
	)
}

// Notice is a boxed sentence inside a page.
func Notice(kind, text string) app.UI {
	if text == "" {
		return nil
	}
	class, sign, role := "notice", "info", "status"
	if kind != "" {
		class, sign, role = class+" notice-"+kind, "alert", "alert"
	}
	return app.Div().Class(class).Role(role).Body(Icon(sign), app.Span().Text(text))
}

// Kbd is a key's picture.
func Kbd(keys ...string) []app.UI {
	out := make([]app.UI, 0, len(keys))
	for _, k := range keys {
		out = append(out, app.Elem("kbd").Class("kbd").Text(k))
	}
	return out
}

// Skeleton stands where rows will be.
func Skeleton(rows int) app.UI {
	widths := []string{"62%", "48%", "71%", "39%", "55%", "66%", "44%"}
	inside := make([]app.UI, 0, rows)
	for i := range rows {
		inside = append(inside, app.Div().Class("task").Body(app.Span().Class("sk").Style("width", "16px"), app.Span().Class("sk").Style("width", widths[i%len(widths)])))
	}
	return app.Div().Aria("hidden", "true").Body(inside...)
}
