package page

import (
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/browser"
	"holdfast/app/view"
)

// option is one thing to pick.
type option struct {
	Key, Label string
	Sign       func() app.UI // icon or avatar
	Hint       string        // small words at the end
	Keys       []string      // its shortcut
	Section    string
	On         bool // chosen now
	Danger     bool
}

// picker is a list to pick from: a combobox over a list box, or a menu of things to do.
type picker struct {
	Label   string // its name, and what the field asks for
	Anchor  browser.Rect
	Center  bool // in the middle of the window: the command menu
	Menu    bool // things to do rather than values
	Multi   bool // stays open; picking switches
	Options func() []option
	Free    func(text string) (option, bool) // an option made of what was typed
	Pick    func(key string)
	Back    string // the element that gets the keyboard back
}

// open shows p under an element; the element gets the keyboard back.
func (a *App) open(p picker, anchor string) {
	p.Anchor = browser.RectOf(anchor)
	p.Back = or(p.Back, or(browser.Focused(), anchor))
	a.picker = &p
	a.opened++
	a.touch()
}

func (a *App) closePicker() {
	if p := a.picker; p != nil {
		a.picker = nil
		a.touch()
		a.later(func() { browser.Focus(p.Back) })
	}
}

// PickerView draws the open picker.
type PickerView struct {
	app.Compo
	App *App
	Num int

	text string
	at   int
}

func (c *PickerView) CompoID() string { return strconv.Itoa(c.Num) }

func (c *PickerView) OnInit() {
	if p := c.App.picker; p != nil && !p.Multi {
		for i, o := range p.Options() {
			if o.On && o.Section == "" {
				c.at = i
			}
		}
	}
}

func (c *PickerView) OnMount(ctx app.Context) {
	ctx.Defer(func(app.Context) {
		if !browser.Focus("pick-input") {
			browser.Focus("pick-list")
		}
	})
}

// found is the options that hold every word of the text.
func (c *PickerView) found() []option {
	p := c.App.picker
	if p == nil {
		return nil
	}
	words := strings.Fields(strings.ToLower(c.text))
	var out, inside []option
next:
	for _, o := range p.Options() {
		hay := strings.ToLower(o.Section + " " + o.Label)
		for _, w := range words {
			if !strings.Contains(hay, w) {
				continue next
			}
		}
		// Without sections, what has a word that begins with the text comes before what only holds it.
		if len(words) == 0 || o.Section != "" || strings.Contains(hay, " "+words[0]) {
			out = append(out, o)
		} else {
			inside = append(inside, o)
		}
	}
	out = append(out, inside...)
	out = out[:min(len(out), optionsMax)]
	if p.Free != nil && strings.TrimSpace(c.text) != "" {
		if o, ok := p.Free(strings.TrimSpace(c.text)); ok {
			out = append(out, o)
		}
	}
	c.at = max(0, min(c.at, len(out)-1))
	return out
}

func (c *PickerView) Render() app.UI {
	p := c.App.picker
	if p == nil {
		return app.Div()
	}
	found := c.found()
	list := app.Ul().Class("pop-list").ID("pick-list").Aria("label", p.Label)
	active := ""
	if len(found) > 0 {
		active = "opt-" + strconv.Itoa(c.at)
	}
	if p.Menu {
		list = list.Role("menu").TabIndex(0).Aria("activedescendant", active)
	} else {
		list = list.Role("listbox").TabIndex(-1)
		if p.Multi {
			list = list.Aria("multiselectable", "true")
		}
	}
	pop := app.Div().Class("pop").Role("dialog").Aria("modal", "true").Aria("label", p.Label).OnKeyDown(c.onKey)
	if p.Center {
		pop = pop.Class("pop-center")
	} else {
		x, y := place(p.Anchor, len(found))
		pop = pop.Style("left", strconv.Itoa(x)+"px").Style("top", strconv.Itoa(y)+"px")
	}
	return app.Div().OnClick(c.onClick).On("pointerover", c.onOver).Body(
		app.Div().Class("scrim").DataSet("act", "close"),
		pop.Body(
			app.If(!p.Menu, func() app.UI {
				return app.Input().Class("pop-search").ID("pick-input").Type("text").Placeholder(p.Label).Role("combobox").
					Aria("label", p.Label).Aria("expanded", "true").Aria("controls", "pick-list").Aria("autocomplete", "list").
					Aria("activedescendant", active).AutoComplete(false).Spellcheck(false).OnInput(c.onInput)
			}),
			list.Body(c.options(found)...),
			app.If(len(found) == 0, func() app.UI { return app.P().Class("pop-none").Role("status").Text("Nothing matches what you typed.") }),
		),
	)
}

func (c *PickerView) options(found []option) []app.UI {
	p := c.App.picker
	out := make([]app.UI, 0, len(found))
	section := ""
	for i, o := range found {
		if o.Section != section {
			section = o.Section
			out = append(out, app.Li().Class("opt-sec").Role("presentation").Text(section))
		}
		li := app.Li().Class("opt").ID("opt-"+strconv.Itoa(i)).DataSet("act", "pick").DataSet("id", strconv.Itoa(i))
		if o.Danger {
			li = li.Class("opt-danger")
		}
		if i == c.at {
			li = li.DataSet("on", "1")
		}
		if p.Menu {
			li = li.Role("menuitem")
		} else {
			li = li.Role("option").Aria("selected", strconv.FormatBool(o.On || (!p.Multi && i == c.at)))
		}
		li = li.Body(
			app.If(o.Sign != nil, func() app.UI { return o.Sign() }),
			app.Span().Class("clip").Text(o.Label),
			app.If(o.Hint != "", func() app.UI { return app.Elem("small").Text(o.Hint) }),
			app.If(len(o.Keys) > 0, func() app.UI { return app.Span().Class("row tick").Body(view.Kbd(o.Keys...)...) }),
			app.If(o.On, func() app.UI { return app.Span().Class("tick").Body(view.Icon("check")) }),
		)
		out = append(out, li)
	}
	return out
}

// place finds room for a list of n options near its anchor.
func place(at browser.Rect, n int) (x, y int) {
	const width, gap, edge = 260, 4, 8
	w, h := browser.Size()
	height := min(400, 56+n*34)
	x = max(edge, min(at.X, w-width-edge))
	y = at.Y + at.H + gap
	if y+height > h-edge {
		if above := at.Y - gap - height; above >= edge {
			return x, above
		}
		y = max(edge, h-edge-height)
	}
	return x, y
}

func (c *PickerView) onInput(ctx app.Context, _ app.Event) {
	c.text, c.at = ctx.JSSrc().Get("value").String(), 0
}

func (c *PickerView) onClick(_ app.Context, e app.Event) {
	switch act, i, _ := view.Act(e); act {
	case "close":
		c.App.closePicker()
	case "pick":
		n, _ := strconv.Atoi(i)
		c.pick(n)
	}
}

func (c *PickerView) onOver(ctx app.Context, e app.Event) {
	act, i, _ := view.Act(e)
	n, err := strconv.Atoi(i)
	if act != "pick" || err != nil || n == c.at {
		ctx.PreventUpdate()
		return
	}
	c.at = n
}

func (c *PickerView) onKey(ctx app.Context, e app.Event) {
	found := c.found()
	switch e.Get("key").String() {
	case "ArrowDown":
		c.at = (c.at + 1) % max(1, len(found))
	case "ArrowUp":
		c.at = (c.at - 1 + len(found)) % max(1, len(found))
	case "Home", "PageUp":
		c.at = 0
	case "End", "PageDown":
		c.at = max(0, len(found)-1)
	case "Enter":
		if e.Get("isComposing").Bool() {
			return
		}
		c.pick(c.at)
	case " ":
		if !c.App.picker.Menu {
			e.Call("stopPropagation")
			return
		}
		c.pick(c.at)
	case "Escape", "Tab":
		c.App.closePicker()
	default:
		e.Call("stopPropagation")
		return
	}
	e.PreventDefault()
	e.Call("stopPropagation")
	at := c.at
	ctx.Defer(func(app.Context) { browser.ScrollIntoView("opt-" + strconv.Itoa(at)) })
}

func (c *PickerView) pick(i int) {
	p, found := c.App.picker, c.found()
	if p == nil || i < 0 || i >= len(found) {
		return
	}
	key := found[i].Key
	if p.Multi {
		p.Pick(key)
		if c.text != "" {
			c.text, c.at = "", 0
			browser.ForceValue("pick-input", "")
		}
		browser.Focus("pick-input")
		return
	}
	c.App.closePicker()
	p.Pick(key)
}

// toast is a short word about what was done, with a way back where there is one.
type toast struct {
	num      int
	text, do string
	act      func()
}

func (a *App) toast(text, do string, act func()) {
	a.toastNum++
	num := a.toastNum
	a.toasts = append(a.toasts, toast{num, text, do, act})
	if len(a.toasts) > toastsMax {
		a.toasts = a.toasts[1:]
	}
	a.touch()
	a.After(toastFor, func() { a.do(func() { a.dropToast(num) }) })
}

func (a *App) dropToast(num int) (t toast, ok bool) {
	for i, x := range a.toasts {
		if x.num == num {
			a.toasts = append(a.toasts[:i:i], a.toasts[i+1:]...)
			a.touch()
			return x, true
		}
	}
	return t, false
}

// say has a screen reader say what the eye sees.
func (a *App) say(text string) {
	if a.said == text {
		text += "\u00a0" // the same words again are said again
	}
	a.said = text
	a.heard++
}

// Toasts draws them, and the line that is only heard.
type Toasts struct {
	app.Compo
	App *App
	Rev int
}

func (c *Toasts) Render() app.UI {
	inside := make([]app.UI, 0, len(c.App.toasts))
	for _, t := range c.App.toasts {
		n := strconv.Itoa(t.num)
		inside = append(inside, app.Div().Class("toast").Body(
			app.Span().Text(t.text),
			app.If(t.do != "", func() app.UI { return view.Button{Act: "toast", ID: n, Label: t.do}.UI() }),
			view.IconButton{Act: "toast-x", ID: n, Label: "Close this message", Icon: "x"}.UI(),
		))
	}
	return app.Div().OnClick(c.onClick).Body(
		app.Div().Class("toasts").Role("status").Body(inside...),
		app.Div().Class("vh").ID("live").Aria("live", "polite").Text(c.App.said),
	)
}

func (c *Toasts) onClick(_ app.Context, e app.Event) {
	act, i, _ := view.Act(e)
	n, _ := strconv.Atoi(i)
	if act == "" {
		return
	}
	if t, ok := c.App.dropToast(n); ok && act == "toast" {
		t.act()
	}
}
