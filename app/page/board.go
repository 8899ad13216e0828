package page

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/browser"
	"holdfast/app/route"
	"holdfast/app/store"
	"holdfast/app/view"
	"holdfast/sync/id"
	"holdfast/sync/work"
)

// Board is the tasks of a view in a column per status.
type Board struct {
	app.Compo
	App   *App
	Route route.Route
	Rev   int

	placed  bool
	opening opening
}

func (c *Board) CompoID() string { return string(c.Route.Tenant + c.Route.Project) }

func (c *Board) OnMount(ctx app.Context)  { c.place(ctx) }
func (c *Board) OnUpdate(ctx app.Context) { c.place(ctx) }

// place shows a phone, which has room for one column, the first with something in it; once, when that is known.
func (c *Board) place(ctx app.Context) {
	if c.placed || !c.App.narrow() {
		return
	}
	first := ""
	for _, st := range work.Statuses {
		n, known := c.App.store.Total(st)
		if !known {
			return
		}
		if n > 0 && first == "" {
			first = st
		}
	}
	c.placed = true
	if first != "" {
		ctx.Defer(func(app.Context) { browser.ScrollIntoView(columnID(first)) })
	}
}

func (c *Board) Render() app.UI {
	cols := make([]app.UI, 0, len(work.Statuses))
	for i, st := range work.Statuses {
		cols = append(cols, &Column{App: c.App, Route: c.Route, Status: st, Rev: c.App.Rev(store.Frame, store.Tasks), Margin: c.opening.margin(), Away: c.away(i)})
		if len(c.App.store.Window(st).Tasks) > 0 {
			c.opening.draws(c.App)
		}
	}
	return app.Div().Class("board").ID("board").DataSet("drag-root", "tasks").TabIndex(-1).
		On("hf-drop", c.onDrop).OnClick(c.onClick).OnKeyDown(c.onKey).On("focusin", c.onFocus).On("focusout", c.onBlur).Body(cols...)
}

// away tells whether a column is out of sight when the board opens. On a phone the first one with something in it is shown.
func (c *Board) away(i int) bool {
	return !c.opening.over && !c.App.narrow() && i*view.ColumnWidth > c.App.width-sideWidth
}

func (c *Board) onDrop(_ app.Context, e app.Event) {
	if t, zone, place, ok := dropped(e); ok {
		c.App.dropTask(t, zone, place)
	}
}

func (c *Board) onClick(_ app.Context, e app.Event)  { c.App.taskClick(e) }
func (c *Board) onBlur(ctx app.Context, e app.Event) { c.App.renameBlur(ctx, e) }
func (c *Board) onFocus(ctx app.Context, e app.Event) {
	t, ok := rowOf(e)
	if !ok || t == c.App.at {
		ctx.PreventUpdate()
		return
	}
	c.App.at = t
	c.App.touch()
}

func (c *Board) onKey(ctx app.Context, e app.Event) {
	a := c.App
	if a.renameKey(e) {
		return
	}
	t, ok := rowOf(e)
	if !ok {
		ctx.PreventUpdate()
		return
	}
	status, place := a.placeOf(t)
	key, alt := e.Get("key").String(), e.Get("altKey").Bool()
	up := map[string]int{"ArrowDown": 1, "j": 1, "ArrowUp": -1, "k": -1}[key]
	side := map[string]int{"ArrowRight": 1, "ArrowLeft": -1}[key]
	switch {
	case up != 0 && alt && len(key) > 1:
		a.moveBy(t, status, place, up)
	case side != 0 && alt:
		a.shiftStatus(t, status, side)
	case up != 0 && plainKey(e):
		c.focus(status, place+up)
	case side != 0 && plainKey(e):
		for i := indexOf(status) + side; i >= 0 && i < len(work.Statuses); i += side {
			if n, _ := a.store.Total(work.Statuses[i]); n > 0 {
				c.focus(work.Statuses[i], min(place, n-1))
				break
			}
		}
	default:
		ctx.PreventUpdate()
		return
	}
	e.PreventDefault()
	e.Call("stopPropagation")
}

func (c *Board) focus(status string, place int) {
	t, ok := c.App.store.Window(status).At(place)
	if !ok {
		return
	}
	dom := columnID(status)
	y := place * view.CardHeight
	if top, seen := browser.ScrollTop(dom); y < top {
		browser.SetScrollTop(dom, y)
	} else if y+view.CardHeight > top+seen {
		browser.SetScrollTop(dom, y+view.CardHeight-seen)
	}
	c.App.at = t.ID
	c.App.touch()
	c.App.later(func() { focusSoon("t-" + string(t.ID)) })
}

func columnID(status string) string { return "col-" + status }

// Column is one status of a board, drawn as far as it is seen.
type Column struct {
	app.Compo
	App    *App
	Route  route.Route
	Status string
	Rev    int
	Margin int  // pixels of cards drawn above and below what is seen
	Away   bool // out of sight for now: no cards are drawn

	top  int
	lane lane
}

func (c *Column) Render() app.UI {
	a, h := c.App, view.CardHeight
	c.lane.status, c.lane.card = c.Status, true
	total, known := a.store.Total(c.Status)
	from, to := 0, 0
	if !c.Away {
		from, to = span(c.top, a.tall(), c.Margin, 0, h, total)
	}
	tab := c.tab()
	c.lane.draw(a, c.Route, from, to, h, tab)
	composing := a.compose != nil && a.compose.status == c.Status
	name := view.StatusName(c.Status)
	zone := zoneID(c.Status)
	return app.Section().Class("col").Aria("label", name).Body(
		app.Div().Class("col-h").DataSet("zone-of", zone).Body(
			view.StatusIcon(c.Status), app.H2().Class("clip").Style("font-size", "inherit").Text(name),
			app.Span().Class("n num").Text(view.Number(int64(total))),
			app.If(a.store.CanWrite(), func() app.UI {
				return view.IconButton{Act: "compose", ID: c.Status, Label: "New task in " + name, Icon: "plus"}.UI()
			}),
		),
		app.If(composing, func() app.UI { return &Composer{App: a, Status: c.Status, Rev: a.rev} }),
		app.Div().Class("col-scroll").ID(columnID(c.Status)).TabIndex(-1).DataSet("zone-of", zone).OnScroll(c.onScroll, app.PassiveEvent()).Body(
			c.lane.zone(total, h),
			app.If(total == 0 && known && !composing, func() app.UI {
				return app.P().Class("col-none").Text("Nothing here")
			}),
		),
	)
}

func (c *Column) tab() id.ID {
	w := c.App.store.Window(c.Status)
	if w.Place(c.App.at) >= 0 {
		return c.App.at
	}
	if len(w.Tasks) > 0 {
		return w.Tasks[0].ID
	}
	return ""
}

func (c *Column) onScroll(ctx app.Context, _ app.Event) {
	top, _ := browser.ScrollTop(columnID(c.Status))
	if top/view.CardHeight == c.top/view.CardHeight {
		ctx.PreventUpdate()
		return
	}
	c.top = top
}
