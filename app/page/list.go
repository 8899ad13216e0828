package page

import (
	"slices"
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/browser"
	"holdfast/app/route"
	"holdfast/app/view"
	"holdfast/sync/id"
	"holdfast/sync/work"
)

// listOrder is that of a list's groups: what is being worked on first, what is over last.
var listOrder = []string{work.Doing, work.Review, work.Todo, work.Backlog, work.Done, work.Canceled}

const (
	listID      = "scroll"
	groupHeight = 40
)

// List is the tasks of a view in groups by status, drawn as far as they are seen.
type List struct {
	app.Compo
	App   *App
	Route route.Route
	Rev   int

	top      int
	lanes    [6]lane
	opening  opening
	wanted   string // the status whose place wantedAt gets the keyboard when it is loaded
	wantedAt int
}

func (c *List) CompoID() string { return string(c.Route.Tenant + c.Route.Project) }

func (c *List) Render() app.UI {
	a := c.App
	c.reach()
	seen := a.tall()
	h := a.rowHeight()
	y, some, known := 0, 0, true
	tab := c.tab()
	groups := make([]app.UI, 0, len(c.lanes))
	for i := range c.lanes {
		l := &c.lanes[i]
		l.status = listOrder[i]
		total, ok := a.store.Total(l.status)
		known = known && ok
		some += total
		composing := a.compose != nil && a.compose.status == l.status
		section := app.Section().Aria("label", view.StatusName(l.status))
		if total == 0 && !composing {
			// It is asked for all the same, so that the first view needs no second question.
			l.draw(a, c.Route, 0, 0, h, "")
			groups = append(groups, section.Hidden(true))
			continue
		}
		y += groupHeight + pick(composing, h, 0)
		closed := a.closed[l.status]
		places := pick(closed, 0, total)
		from, to := span(c.top, seen, c.opening.margin(), y, h, places)
		l.draw(a, c.Route, from, to, h, tab)
		if len(l.next) > 0 {
			c.opening.draws(a)
		}
		y += places * h
		groups = append(groups, section.Body(
			c.group(l.status, total, !closed),
			app.If(composing, func() app.UI { return &Composer{App: a, Status: l.status, Rev: a.rev} }),
			l.zone(places, h),
		))
	}
	return app.Div().Class("scroll").ID(listID).DataSet("drag-root", "tasks").OnScroll(c.onScroll, app.PassiveEvent()).
		OnClick(c.onClick).OnKeyDown(c.onKey).On("hf-drop", c.onDrop).On("focusin", c.onFocus).On("focusout", c.onBlur).
		Body(
			app.Div().Body(groups...),
			app.If(some == 0 && !known, func() app.UI { return view.Skeleton(8) }),
			app.If(some == 0 && known && a.compose == nil, a.noTasks),
		)
}

func (c *List) group(status string, n int, open bool) app.UI {
	return app.Div().Class("group").DataSet("zone-of", "zone-"+status).Body(
		app.H2().Body(app.Button().Type("button").Class("group-toggle").Aria("expanded", strconv.FormatBool(open)).DataSet("act", "fold").DataSet("id", status).Body(
			app.Elem("svg").XMLNS("http://www.w3.org/2000/svg").Attr("class", "icon chev").Aria("hidden", "true").Body(app.Elem("use").XMLNS("http://www.w3.org/2000/svg").Attr("href", "#i-chevron")),
			view.StatusIcon(status), app.Span().Text(view.StatusName(status)), app.Span().Class("n num").Text(view.Number(int64(n))),
		)),
		app.If(c.App.store.CanWrite(), func() app.UI {
			return view.IconButton{Act: "compose", ID: status, Label: "New task in " + view.StatusName(status), Icon: "plus"}.UI()
		}),
	)
}

// tab is the row that the tab key reaches: the last one that had the keyboard if it is drawn, or the first that is seen.
func (c *List) tab() id.ID {
	a, y, h := c.App, 0, c.App.rowHeight()
	for i := range c.lanes {
		if _, drawn := c.lanes[i].drawn[a.at]; drawn {
			return a.at
		}
	}
	for _, st := range listOrder {
		n, _ := a.store.Total(st)
		if n == 0 || a.closed[st] {
			y += pick(n == 0, 0, groupHeight)
			continue
		}
		y += groupHeight
		if first := max(0, (c.top-y+h-1)/h); first < n {
			t, _ := a.store.Window(st).At(first)
			return t.ID
		}
		y += n * h
	}
	return ""
}

func (c *List) onScroll(ctx app.Context, _ app.Event) {
	top, _ := browser.ScrollTop(listID)
	h := c.App.rowHeight()
	if top/h == c.top/h {
		ctx.PreventUpdate() // the same rows
		return
	}
	c.top = top
}

func (c *List) onClick(_ app.Context, e app.Event) { c.App.taskClick(e) }

// taskClick is a click in a list or on a board.
func (a *App) taskClick(e app.Event) {
	act, i, el := view.Act(e)
	switch act {
	case "fold":
		a.closed[i] = !a.closed[i]
		a.touch()
	case "compose":
		a.startCompose(i)
	case "status", "priority", "assignee":
		a.pickFor(id.ID(i), act, el.Get("id").String())
	case "":
		if row := e.Get("target").Call("closest", "[data-row]"); row.Truthy() && view.Plain(e) && !e.Get("target").Call("closest", "input, a, button").Truthy() {
			a.Go(a.route.ToTask(id.ID(row.Get("dataset").Get("row").String())))
		}
	}
}

func (c *List) onFocus(ctx app.Context, e app.Event) {
	t, ok := rowOf(e)
	if !ok || t == c.App.at {
		ctx.PreventUpdate()
		return
	}
	c.App.at = t
	c.App.touch()
}

// rowOf is the task whose title has the keyboard.
func rowOf(e app.Event) (id.ID, bool) {
	dom := e.Get("target").Get("id")
	if !dom.Truthy() {
		return "", false
	}
	t, ok := strings.CutPrefix(dom.String(), "t-")
	return id.ID(t), ok
}

func (c *List) onBlur(ctx app.Context, e app.Event) { c.App.renameBlur(ctx, e) }

func (c *List) onKey(ctx app.Context, e app.Event) {
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
	step := map[string]int{"ArrowDown": 1, "j": 1, "ArrowUp": -1, "k": -1}[key]
	switch {
	case step != 0 && alt && len(key) > 1:
		a.moveBy(t, status, place, step)
	case (key == "ArrowLeft" || key == "ArrowRight") && alt:
		a.shiftStatus(t, status, pick(key == "ArrowLeft", -1, 1))
	case step != 0 && plainKey(e):
		c.step(status, place, step)
	case (key == "Home" || key == "End") && plainKey(e):
		c.edge(key == "End")
	default:
		ctx.PreventUpdate()
		return
	}
	e.PreventDefault()
	e.Call("stopPropagation")
}

func plainKey(e app.Event) bool {
	return !e.Get("altKey").Bool() && !e.Get("ctrlKey").Bool() && !e.Get("metaKey").Bool()
}

// step moves the keyboard to the next or previous row, over the borders of groups.
func (c *List) step(status string, place, by int) {
	a := c.App
	total, _ := a.store.Total(status)
	if place+by >= 0 && place+by < total {
		c.focus(status, place+by)
		return
	}
	for i := slices.Index(listOrder, status) + by; i >= 0 && i < len(listOrder); i += by {
		st := listOrder[i]
		if n, _ := a.store.Total(st); n > 0 && !a.closed[st] {
			c.focus(st, pick(by > 0, 0, n-1))
			return
		}
	}
}

func (c *List) edge(end bool) {
	by := pick(end, -1, 1)
	for i := pick(end, len(listOrder)-1, 0); i >= 0 && i < len(listOrder); i += by {
		st := listOrder[i]
		if n, _ := c.App.store.Total(st); n > 0 && !c.App.closed[st] {
			c.focus(st, pick(end, n-1, 0))
			return
		}
	}
}

// focus scrolls to a place and gives it the keyboard, at the latest when it is loaded.
func (c *List) focus(status string, place int) {
	a, h, y := c.App, c.App.rowHeight(), 0
	for _, st := range listOrder {
		n, _ := a.store.Total(st)
		if n > 0 || (a.compose != nil && a.compose.status == st) {
			y += groupHeight + pick(a.compose != nil && a.compose.status == st, h, 0)
		}
		if st == status {
			break
		}
		y += pick(a.closed[st], 0, n) * h
	}
	y += place * h
	_, seen := browser.ScrollTop(listID)
	// The group's heading stays at the top, so a row under it is not seen.
	if y < c.top+groupHeight {
		c.top = max(0, y-groupHeight)
		browser.SetScrollTop(listID, c.top)
	} else if y+h > c.top+seen {
		c.top = y + h - seen
		browser.SetScrollTop(listID, c.top)
	}
	c.wanted, c.wantedAt = status, place
	c.reach()
	a.touch()
}

// reach gives the wanted place the keyboard, once its task is loaded.
func (c *List) reach() {
	if c.wanted == "" {
		return
	}
	if t, ok := c.App.store.Window(c.wanted).At(c.wantedAt); ok {
		c.wanted, c.App.at = "", t.ID
		c.App.later(func() { focusSoon("t-" + string(t.ID)) })
	}
}

// focusSoon gives an element the keyboard that may be drawn only in this frame.
func focusSoon(dom string) { browser.Focus(dom) }

func indexOf(status string) int {
	for i, s := range work.Statuses {
		if s == status {
			return i
		}
	}
	return 0
}

func (c *List) onDrop(_ app.Context, e app.Event) {
	if t, zone, place, ok := dropped(e); ok {
		c.App.dropTask(t, zone, place)
	}
}

// dropped reads what drag.js says: what was let go, over which zone, at which place.
func dropped(e app.Event) (what id.ID, zone string, place int, ok bool) {
	parts := strings.Split(e.Get("detail").String(), "\n")
	if len(parts) != 3 {
		return "", "", 0, false
	}
	place, err := strconv.Atoi(parts[2])
	return id.ID(parts[0]), parts[1], place, err == nil
}
