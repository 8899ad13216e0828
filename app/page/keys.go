package page

import (
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/browser"
	"holdfast/app/route"
	"holdfast/app/view"
	"holdfast/sync/id"
)

// chordWithin is how long the second key of two may take.
const chordWithin = 1500 * time.Millisecond

// mod is a shortcut's first key as this device writes it.
func mod(key string) string {
	if browser.Mac() {
		return "⌘" + key
	}
	return "Ctrl+" + key
}

// key takes the keys that no field and no list wanted.
func (a *App) key(e app.Event) {
	if e.Get("defaultPrevented").Bool() || e.Get("isComposing").Bool() {
		return
	}
	key := e.Get("key").String()
	ctrl := e.Get("ctrlKey").Bool() || e.Get("metaKey").Bool()
	if ctrl && strings.EqualFold(key, "k") && a.store != nil && a.dialog == nil {
		e.PreventDefault()
		a.commands()
		return
	}
	if a.picker != nil || a.dialog != nil || a.store == nil {
		return
	}
	if key == "Escape" {
		a.escape(e)
		return
	}
	if ctrl || e.Get("altKey").Bool() || browser.Typing() {
		return
	}
	if a.chordKey(key) || a.pageKey(key) || a.taskKey(key) {
		e.PreventDefault()
	}
}

func (a *App) escape(e app.Event) {
	switch {
	case browser.Typing() && a.route.Task != "":
		browser.Focus("panel")
	case a.route.Task != "":
		e.PreventDefault()
		a.Go(a.route.ToTask(""))
	case a.side:
		a.side = false
		a.touch()
	}
}

// places are where "g" and a letter lead.
var places = map[string]route.Page{"a": route.All, "t": route.Trash, "m": route.Members, "l": route.Labels, "u": route.Usage, "d": route.Device, "n": route.Attention}

func (a *App) chordKey(key string) bool {
	first := a.chord
	fresh := a.Now().Sub(a.chordAt) < chordWithin
	a.chord = ""
	if first == "g" && fresh {
		if p, ok := places[key]; ok {
			a.Go(a.route.To(p))
			return true
		}
		return false
	}
	if key == "g" {
		a.chord, a.chordAt = key, a.Now()
		return true
	}
	return false
}

func (a *App) pageKey(key string) bool {
	switch key {
	case "?":
		a.shortcuts()
	case "c":
		if !a.route.Tasks() {
			return false
		}
		a.startCompose("")
	case "/":
		if !a.route.Tasks() {
			return false
		}
		if a.finding {
			browser.Focus("find")
		} else {
			a.toggleFilter()
		}
	case "v":
		if !a.route.Tasks() {
			return false
		}
		r := a.route
		r.Board = !r.Board
		a.Go(r)
	case "ArrowDown", "j":
		// Into the list, from anywhere on its page.
		return a.route.Tasks() && a.route.Task == "" && browser.FocusFirst(`a.title[tabindex="0"]`)
	default:
		return false
	}
	return true
}

// target is the task that a key is about: the row with the keyboard, or the open one.
func (a *App) target() (task id.ID, anchor func(what string) string) {
	if t, ok := strings.CutPrefix(browser.Focused(), "t-"); ok {
		return id.ID(t), func(string) string { return "t-" + t }
	}
	return a.route.Task, func(what string) string { return "prop-" + what }
}

func (a *App) taskKey(key string) bool {
	t, anchor := a.target()
	if t == "" || !a.store.CanWrite() {
		return false
	}
	what := map[string]string{"s": "status", "p": "priority", "a": "assignee", "l": "labels", "d": "due", "m": "project"}[key]
	switch {
	case what != "":
		a.pickFor(t, what, anchor(what))
	case key == "F2" || key == "e":
		a.startRename(t)
	case key == "Delete" || key == "Backspace":
		a.trashTask(t)
	case key == "o":
		a.Go(a.route.ToTask(t))
	case key == "y":
		a.copy(browser.Origin()+a.route.ToTask(t).Path(), "The task's link is copied.")
	default:
		return false
	}
	return true
}

type keyHelp struct {
	keys []string
	what string
}

func keySections() []struct {
	name string
	keys []keyHelp
} {
	return []struct {
		name string
		keys []keyHelp
	}{
		{"Everywhere", []keyHelp{{[]string{mod("K")}, "Search and commands"}, {[]string{"?"}, "This list"}, {[]string{"Esc"}, "Close"},
			{[]string{"G", "A"}, "Go to all tasks"}, {[]string{"G", "N"}, "Go to what needs attention"}, {[]string{"G", "T"}, "Go to Trash"},
			{[]string{"G", "M"}, "Go to members"}, {[]string{"G", "L"}, "Go to labels"}, {[]string{"G", "D"}, "Go to this device"}}},
		{"List and board", []keyHelp{{[]string{"C"}, "New task"}, {[]string{"/"}, "Filter"}, {[]string{"V"}, "Switch list and board"},
			{[]string{"↑", "↓"}, "Move between tasks"}, {[]string{"Alt", "↑"}, "Move the task up"}, {[]string{"Alt", "↓"}, "Move the task down"},
			{[]string{"Alt", "→"}, "Next status"}, {[]string{"Alt", "←"}, "Status before"}}},
		{"A task", []keyHelp{{[]string{"Enter"}, "Open"}, {[]string{"E"}, "Rename"}, {[]string{"S"}, "Status"}, {[]string{"P"}, "Priority"},
			{[]string{"A"}, "Assignee"}, {[]string{"L"}, "Labels"}, {[]string{"D"}, "Due date"}, {[]string{"M"}, "Move to a project"},
			{[]string{"Y"}, "Copy link"}, {[]string{"Del"}, "Move to Trash"}}},
	}
}

func (a *App) shortcuts() {
	a.ask(dialog{Title: "Keyboard shortcuts", Wide: true, Body: func() app.UI {
		var sections []app.UI
		for _, s := range keySections() {
			var rows []app.UI
			for _, k := range s.keys {
				rows = append(rows, app.Div().Body(app.Dt().Text(k.what), app.Dd().Body(view.Kbd(k.keys...)...)))
			}
			sections = append(sections, app.Section().Body(app.H3().Text(s.name), app.Dl().Body(rows...)))
		}
		return app.Div().Class("keys").Body(sections...)
	}})
}

// commands is the menu of everything that can be done or gone to from here.
func (a *App) commands() {
	if a.picker != nil {
		return
	}
	s, r := a.store, a.route
	task, _ := a.target()
	a.open(picker{Label: "Search tasks on this page, projects and commands", Center: true,
		Options: func() []option {
			var out []option
			if t, ok := s.FindTask(task); ok && s.CanWrite() {
				in := "“" + short(t.Title) + "”"
				for _, c := range [][3]string{{"status", "Set status", "S"}, {"priority", "Set priority", "P"}, {"assignee", "Assign to", "A"},
					{"labels", "Change labels", "L"}, {"due", "Set due date", "D"}, {"project", "Move to project", "M"}} {
					out = append(out, option{Key: "do:" + c[0], Label: c[1], Section: in, Sign: sign("edit"), Keys: []string{c[2]}})
				}
				out = append(out, option{Key: "do:trash", Label: "Move to Trash", Section: in, Sign: sign("trash")})
			}
			if s.CanWrite() {
				if r.Tasks() {
					out = append(out, option{Key: "new", Label: "New task", Section: "Do", Sign: sign("plus"), Keys: []string{"C"}},
						option{Key: "filter", Label: "Filter tasks", Section: "Do", Sign: sign("filter"), Keys: []string{"/"}},
						option{Key: "view", Label: pick(r.Board, "Show as list", "Show as board"), Section: "Do", Sign: sign(pick(r.Board, "list", "board")), Keys: []string{"V"}})
				}
				out = append(out, option{Key: "project", Label: "New project", Section: "Do", Sign: sign("plus")})
			}
			for _, p := range a.projectOptions("") {
				p.Key, p.Section = "p:"+p.Key, "Go to"
				out = append(out, p)
			}
			for _, p := range []struct {
				to   route.Page
				icon string
			}{{route.All, "list"}, {route.Attention, "alert"}, {route.Members, "users"}, {route.Labels, "label"}, {route.Usage, "usage"}, {route.Trash, "trash"}, {route.Device, "device"}} {
				out = append(out, option{Key: "g:" + string(p.to), Label: pageName(p.to), Section: "Go to", Sign: sign(p.icon)})
			}
			out = append(out, option{Key: "account", Label: "Account and passkeys", Section: "Go to", Sign: sign("key")},
				option{Key: "keys", Label: "Keyboard shortcuts", Section: "Help", Sign: sign("help"), Keys: []string{"?"}})
			for _, st := range statusOptions("") {
				for _, t := range s.Window(st.Key).Tasks {
					out = append(out, option{Key: "t:" + string(t.ID), Label: t.Title, Section: "Tasks", Sign: func() app.UI { return view.StatusIcon(t.Status) }})
				}
			}
			return out
		},
		Pick: func(k string) { a.command(k, task) }}, "main")
}

func (a *App) command(k string, task id.ID) {
	kind, rest, _ := strings.Cut(k, ":")
	switch kind {
	case "do":
		if rest == "trash" {
			a.trashTask(task)
			return
		}
		a.later(func() { a.do(func() { a.pickFor(task, rest, or(browser.Focused(), "main")) }) })
	case "new":
		a.startCompose("")
	case "filter":
		a.toggleFilter()
	case "view":
		r := a.route
		r.Board = !r.Board
		a.Go(r)
	case "project":
		a.newProject()
	case "p":
		a.Go(a.route.ToProject(id.ID(rest)))
	case "g":
		a.Go(a.route.To(route.Page(rest)))
	case "t":
		a.Go(a.route.ToTask(id.ID(rest)))
	case "account":
		a.Go(route.Route{Page: route.Account})
	case "keys":
		a.shortcuts()
	}
}
