package page

import (
	"strconv"
	"strings"

	"holdfast/app/browser"
	"holdfast/app/route"
	"holdfast/app/store"
	"holdfast/app/view"
	"holdfast/sync/id"
	"holdfast/sync/port"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// opening is a list or a board that has just come: its first frame has what is seen, and the next one what lies around it.
type opening struct{ begun, over bool }

// margin is how many pixels of rows to draw above and below what is seen.
func (o *opening) margin() int { return pick(o.over, overscan, 0) }

// draws is told when rows are drawn.
func (o *opening) draws(a *App) {
	if o.begun {
		return
	}
	o.begun = true
	browser.AfterFrame(func() {
		a.do(func() {
			o.over = true
			a.touch()
		})
	})
}

// span is which places of n lie in the part of a scroller that is seen, and within margin of it: rows of height h that start at y.
func span(top, seen, margin, y, h, n int) (from, to int) {
	from = max(0, (top-y-margin)/h)
	to = min(n, (top+seen-y+margin)/h+1)
	if from >= to {
		return 0, 0
	}
	return from, to
}

// want is which places to ask for, so that from to to are there and what lies around them too. What was asked for stays
// while it is enough.
func want(from, to, offset, limit, total int) (int, int) {
	const near = ahead / 3
	if limit > 0 && (from >= offset+near || offset == 0) && (to+near <= offset+limit || offset+limit >= total) && from >= offset && to <= max(offset+limit, total) {
		return offset, limit
	}
	lo := max(0, from-ahead)
	return lo, min(store.WindowMax, max(to-lo+ahead, ahead))
}

// lane draws the tasks of one status, as rows or as cards, into the element of its zone. The rows are not go-app's: it
// would make and compare each of their forty elements by calls into JavaScript. They go there as text, and only those that
// look different (rows.js).
type lane struct {
	status string
	card   bool
	drawn  map[id.ID]view.Row // what the element holds
	next   []placed           // what it is to hold
	height int                // of a row
	total  int
}

type placed struct {
	row   view.Row
	place int
}

func zoneID(status string) string { return "zone-" + status }

// draw has the rows of what is seen drawn. from and to are places.
func (l *lane) draw(a *App, r route.Route, from, to, h int, tab id.ID) {
	w := a.store.Window(l.status)
	total, _ := a.store.Total(l.status)
	offset, limit := a.store.Asked(l.status)
	if lo, n := want(from, to, offset, limit, total); lo != offset || n != limit {
		a.store.SetWindow(l.status, lo, n)
		w = a.store.Window(l.status)
	}
	l.next, l.height, l.total = l.next[:0], h, total
	for p := from; p < to; p++ {
		if t, ok := w.At(p); ok {
			l.next = append(l.next, placed{a.row(t, r, tab), p})
		}
	}
	a.drawLater(l)
}

// zone is what is drawn into: a list without go-app's children.
func (l *lane) zone(places, h int) app.HTMLUl {
	return app.Ul().Class("win").ID(zoneID(l.status)).Role("list").Aria("label", view.StatusName(l.status)).
		DataSet("zone", l.status).DataSet("h", strconv.Itoa(h)).DataSet("n", strconv.Itoa(places)).
		Style("height", strconv.Itoa(places*h)+"px")
}

// flush draws what draw has prepared. An element that is a new one knows nothing of what was drawn before: then it gets all.
func (l *lane) flush() {
	if !browser.DrawRows(zoneID(l.status), l.height, l.total, l.text()) {
		l.drawn = nil
		browser.DrawRows(zoneID(l.status), l.height, l.total, l.text())
	}
	l.drawn = make(map[id.ID]view.Row, len(l.next))
	for _, p := range l.next {
		l.drawn[p.row.ID] = p.row
	}
}

// text is the rows for rows.js: of each its id, its place, whether it can be dragged, and its HTML unless that is drawn.
func (l *lane) text() string {
	var b strings.Builder
	for i, p := range l.next {
		if i > 0 {
			b.WriteByte(0x1e)
		}
		b.WriteString(string(p.row.ID))
		b.WriteByte(0x1f)
		b.WriteString(strconv.Itoa(p.place))
		b.WriteByte(0x1f)
		if !p.row.Frozen && !p.row.Rename {
			b.WriteByte('1')
		}
		b.WriteByte(0x1f)
		if old, ok := l.drawn[p.row.ID]; !ok || old != p.row {
			b.WriteString(p.row.HTML(l.card))
		}
	}
	return b.String()
}

// drawLater has a lane's rows drawn when the elements around them are there, before anything else that waits for that.
func (a *App) drawLater(l *lane) {
	if len(a.lanes) == 0 {
		a.later(func() {})
	}
	a.lanes = append(a.lanes, l)
}

func (a *App) drawRows() {
	for _, l := range a.lanes {
		l.flush()
	}
	a.lanes = a.lanes[:0]
}

// row is a task as it is drawn now.
func (a *App) row(t port.Task, r route.Route, tab id.ID) view.Row {
	row := view.NewRow(t, a.store, a.Now())
	row.Href = r.ToTask(t.ID).Path()
	row.Open, row.Rename, row.Tab, row.Frozen = r.Task == t.ID, a.rename == t.ID, tab == t.ID, !a.store.CanWrite()
	if r.Page == route.All {
		if p, ok := a.store.Project(t.Project); ok {
			row.Project = view.Chip{ID: p.ID, Label: p.Name, Color: p.Color}
		}
	}
	return row
}

// sideWidth is the side bar's, in windows that are not narrow; the style sheets hold the same number.
const sideWidth = 244

// narrowMax is the widest window that is drawn as on a phone; the style sheets hold the same number.
const narrowMax = 860

func (a *App) narrow() bool { return a.width > 0 && a.width <= narrowMax }

// tall is as much as can be seen at once of a list: the window's height, which is known without asking for a layout.
func (a *App) tall() int { return or(a.height, 1000) }

func (a *App) rowHeight() int { return pick(a.narrow(), view.RowHeightNarrow, view.RowHeight) }
