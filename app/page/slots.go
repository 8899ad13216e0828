package page

import (
	"strconv"

	"holdfast/app/route"
	"holdfast/app/store"
	"holdfast/app/view"
	"holdfast/sync/id"
	"holdfast/sync/port"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// slots keeps each drawn row in one element while it is drawn, so that scrolling and moving touch only what changed:
// go-app matches children by position, and would otherwise draw every row behind an inserted one again.
type slots struct {
	at []id.ID // slot → row, or ""
}

// assign gives every wanted row a slot, and per slot the index in want or -1.
func (s *slots) assign(want []id.ID) []int {
	index := make(map[id.ID]int, len(want))
	for i, w := range want {
		index[w] = i
	}
	out := make([]int, len(s.at), max(len(s.at), len(want)))
	var free []int
	for n, holds := range s.at {
		if i, ok := index[holds]; ok && holds != "" {
			out[n] = i
			delete(index, holds)
			continue
		}
		out[n] = -1
		s.at[n] = ""
		free = append(free, n)
	}
	for i, w := range want {
		if _, missing := index[w]; !missing {
			continue
		}
		delete(index, w)
		if len(free) > 0 {
			s.at[free[0]], out[free[0]] = w, i
			free = free[1:]
			continue
		}
		s.at = append(s.at, w)
		out = append(out, i)
	}
	return out
}

// span is which places of n lie in the part of a scroller that is seen: rows of height h that start at y.
func span(top, seen, y, h, n int) (from, to int) {
	from = max(0, (top-y)/h-overscan)
	to = min(n, (top+seen-y)/h+1+overscan)
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

// lane draws the tasks of one status, as rows or as cards.
type lane struct {
	status string
	slots  slots
}

// draw gives the slots of what is seen. from and to are places; card chooses the form.
func (l *lane) draw(a *App, r route.Route, from, to, h int, card bool, tab id.ID) []app.UI {
	w := a.store.Window(l.status)
	total, _ := a.store.Total(l.status)
	offset, limit := a.store.Asked(l.status)
	if lo, n := want(from, to, offset, limit, total); lo != offset || n != limit {
		a.store.SetWindow(l.status, lo, n)
		w = a.store.Window(l.status)
	}
	var ids []id.ID
	var tasks []port.Task
	var places []int
	for p := from; p < to; p++ {
		if t, ok := w.At(p); ok {
			ids, tasks, places = append(ids, t.ID), append(tasks, t), append(places, p)
		}
	}
	out := make([]app.UI, 0, len(ids))
	for _, i := range l.slots.assign(ids) {
		li := app.Li()
		if i < 0 {
			out = append(out, li.Style("display", "none").Body(l.cell(view.Row{}, card)))
			continue
		}
		row := a.row(tasks[i], r, tab)
		li = li.Style("transform", "translateY("+strconv.Itoa(places[i]*h)+"px)").
			Aria("posinset", strconv.Itoa(places[i]+1)).Aria("setsize", strconv.Itoa(total))
		if !row.Frozen && !row.Rename {
			li = li.DataSet("drag", string(row.ID))
		}
		out = append(out, li.DataSet("row", string(row.ID)).Body(l.cell(row, card)))
	}
	return out
}

func (l *lane) cell(r view.Row, card bool) app.UI {
	if card {
		return &view.TaskCard{Row: r}
	}
	return &view.TaskRow{Row: r}
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

// narrowMax is the widest window that is drawn as on a phone; the style sheets hold the same number.
const narrowMax = 860

func (a *App) narrow() bool { return a.width > 0 && a.width <= narrowMax }

func (a *App) rowHeight() int { return pick(a.narrow(), view.RowHeightNarrow, view.RowHeight) }
