package page

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/browser"
	"holdfast/app/view"
	"holdfast/sync/work"
)

// dialog asks for something before it is done, or shows something to be closed.
type dialog struct {
	Title   string
	Text    string
	Fields  []view.Field
	Color   string // the color chosen at first; empty: none is asked for
	Body    func() app.UI
	Confirm string // the button's words; empty: there is only Close
	Danger  bool
	Wide    bool
	// Submit does it. It is called on the drawing goroutine; done, from anywhere, with an empty text closes the dialog,
	// with another shows that.
	Submit func(values map[string]string, done func(failed string))
	Act    func(act, id string) // of controls in Body
	Back   string
}

func (a *App) ask(d dialog) {
	d.Back = or(d.Back, browser.Focused())
	a.picker, a.dialog = nil, &d
	a.opened++
	a.touch()
}

func (a *App) closeDialog() {
	if d := a.dialog; d != nil {
		a.dialog = nil
		a.touch()
		a.later(func() { browser.Focus(d.Back) })
	}
}

// showOnce shows a new secret, which cannot be had again.
func (a *App) showOnce(title, text, secret, back string) {
	said := "" // here, because a toast under the dialog is dim and not read aloud
	a.ask(dialog{Title: title, Text: text, Back: back,
		Body: func() app.UI {
			return app.Div().Class("hook").Body(
				app.Div().Class("row").Body(app.Code().Class("address").Text(secret), view.Button{Act: "copy", DOM: "secret-copy", Label: "Copy", Icon: "copy"}.UI()),
				view.Notice("", said))
		},
		Act: func(string, string) {
			go func() {
				ok := browser.Copy(secret)
				a.do(func() {
					said = pick(ok, "It is copied.", "This browser did not let it be copied. Select it and copy it by hand.")
					a.touch()
				})
			}()
		}})
}

// DialogView draws the open dialog with the browser's own: it keeps the keyboard inside and gives Escape.
type DialogView struct {
	app.Compo
	App *App
	Num int
	Rev int

	busy   bool
	failed string
	color  string
}

func (c *DialogView) CompoID() string { return strconv.Itoa(c.Num) }

func (c *DialogView) OnMount(ctx app.Context) {
	ctx.Defer(func(app.Context) {
		browser.ShowModal("dialog")
		if d := c.App.dialog; d != nil && len(d.Fields) > 0 {
			browser.Focus(d.Fields[0].DOM)
			browser.Select(d.Fields[0].DOM)
		}
	})
}

func (c *DialogView) Render() app.UI {
	d := c.App.dialog
	if d == nil {
		return app.Elem("dialog").ID("dialog")
	}
	class := "dialog"
	if d.Wide {
		class += " dialog-wide"
	}
	inside := []app.UI{app.Header().Body(
		app.H2().ID("dialog-title").Text(d.Title),
		view.IconButton{Act: "close", Label: "Close", Icon: "x"}.UI(),
	)}
	if d.Text != "" {
		inside = append(inside, app.P().Text(d.Text))
	}
	for _, f := range d.Fields {
		inside = append(inside, f.UI())
	}
	if d.Color != "" {
		inside = append(inside, c.swatches())
	}
	if d.Body != nil {
		inside = append(inside, d.Body())
	}
	inside = append(inside, view.Notice("danger", c.failed))
	if d.Confirm != "" {
		kind := "primary"
		if d.Danger {
			kind = "danger"
		}
		inside = append(inside, app.Footer().Body(
			view.Button{Act: "close", Label: "Cancel", Kind: "quiet"}.UI(),
			view.Button{Label: d.Confirm, Kind: kind, Submit: true, Busy: c.busy, DOM: "dialog-ok"}.UI(),
		))
	}
	// tabindex 0 lets a long text be scrolled with keys.
	return app.Elem("dialog").ID("dialog").Class(class).Aria("labelledby", "dialog-title").
		On("cancel", c.onCancel).OnClick(c.onClick).OnKeyDown(c.onKey).Body(
		app.Form().Attr("novalidate", "true").OnSubmit(c.onSubmit).Body(inside...))
}

func (c *DialogView) swatches() app.UI {
	on := or(c.color, c.App.dialog.Color)
	inside := make([]app.UI, 0, len(work.Colors))
	for _, name := range work.Colors {
		inside = append(inside, app.Button().Type("button").ID("color-"+name).TabIndex(pick(name == on, 0, -1)).Class("swatch c-"+name).Role("radio").Title(name).Aria("label", name).
			Aria("checked", strconv.FormatBool(name == on)).DataSet("act", "color").DataSet("id", name))
	}
	return app.Div().Class("field").Body(
		app.Span().Class("label").ID("dialog-color").Text("Color"),
		app.Div().Class("swatches").Role("radiogroup").Aria("labelledby", "dialog-color").Body(inside...))
}

func (c *DialogView) onCancel(_ app.Context, e app.Event) {
	e.PreventDefault()
	c.App.closeDialog()
}

// onKey keeps the page's shortcuts out of the dialog, and gives the colors the keys of a radio group.
func (c *DialogView) onKey(ctx app.Context, e app.Event) {
	e.Call("stopPropagation")
	role := e.Get("target").Call("getAttribute", "role")
	if !role.Truthy() || role.String() != "radio" {
		ctx.PreventUpdate()
		return
	}
	switch e.Get("key").String() {
	case "Enter":
		c.onSubmit(ctx, e)
	case "ArrowRight", "ArrowDown":
		c.step(ctx, e, 1)
	case "ArrowLeft", "ArrowUp":
		c.step(ctx, e, -1)
	}
}

// step chooses the color beside the chosen one.
func (c *DialogView) step(ctx app.Context, e app.Event, by int) {
	e.PreventDefault()
	n := len(work.Colors)
	at := slices.Index(work.Colors, or(c.color, c.App.dialog.Color))
	c.color = work.Colors[(at+by+n)%n]
	ctx.Defer(func(app.Context) { browser.Focus("color-" + c.color) })
}

func (c *DialogView) onClick(_ app.Context, e app.Event) {
	act, i, _ := view.Act(e)
	switch d := c.App.dialog; {
	case act == "close":
		c.App.closeDialog()
	case act == "color":
		c.color = i
	case act != "" && d != nil && d.Act != nil:
		d.Act(act, i)
	}
}

func (c *DialogView) onSubmit(ctx app.Context, e app.Event) {
	e.PreventDefault()
	d := c.App.dialog
	if c.busy || d == nil || d.Submit == nil {
		return
	}
	values := map[string]string{"color": or(c.color, d.Color)}
	for _, f := range d.Fields {
		v := strings.TrimSpace(browser.Value(f.DOM))
		if v == "" && f.Required {
			c.failed = "Fill in “" + f.Label + "” first."
			browser.Focus(f.DOM)
			return
		}
		if f.Max > 0 && len(v) > f.Max {
			c.failed = "“" + f.Label + "” is too long by " + view.Count(overlong(v, f.Max), "letter", "letters") + ". Shorten it."
			browser.Focus(f.DOM)
			return
		}
		values[f.DOM] = v
	}
	c.busy, c.failed = true, ""
	d.Submit(values, func(failed string) {
		ctx.Dispatch(func(app.Context) {
			c.busy, c.failed = false, failed
			if failed == "" && c.App.dialog == d {
				c.App.closeDialog()
			}
		})
	})
}

// overlong is how many letters at the end of a text do not fit into so many bytes. A field's own bound counts letters, and lets more
// through where a letter takes several bytes.
func overlong(text string, most int) (n int) {
	for len(text) > most {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
		n++
	}
	return n
}
