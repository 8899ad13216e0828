// Package page is the screens: one file a route, and the state that they share. It runs on one goroutine, go-app's;
// whatever waits runs on its own and comes back through App.do.
package page

import (
	"encoding/json"
	"io"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/api"
	"holdfast/app/browser"
	"holdfast/app/route"
	"holdfast/app/store"
	"holdfast/app/view"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/port"
)

// Config is what the page needs. All fields but API are required.
type Config struct {
	API     api.Client
	Connect func(tenant, person id.ID, hear func(port.Message)) store.Link
	Now     func() time.Time
	After   func(time.Duration, func()) // calls the function later, on any goroutine
	Rand    io.Reader
}

// Who is signed in, as far as is known.
type whoState uint8

const (
	whoUnknown whoState = iota // not asked yet, and nothing kept on this device
	whoKept                    // from this device; the service has not confirmed it
	whoKnown                   // confirmed
	whoOut                     // nobody: the session is over or there was none
)

// App is what all pages share. Components hold a pointer to it, and a Rev that changes when they must draw again.
type App struct {
	Config
	ctx   app.Context
	ready bool

	route route.Route
	me    *api.Me
	who   whoState
	store *store.Store
	link  string // the link's state as it was last heard
	kept  bool   // the browser was asked to keep what this device holds
	rev   int

	picker   *picker
	dialog   *dialog
	titled   string // what the window is called
	opened   int    // counts pickers and dialogs, so that each is a new component
	toasts   []toast
	toastNum int
	said     string
	heard    int // changes with said: what is only heard need not be drawn
	width    int
	height   int
	side     bool // the sidebar is out, on a narrow screen
	finding  bool // the filter line is open
	filter   port.Filter
	compose  *compose
	rename   id.ID
	panel    *Panel  // the open task's, when it is drawn
	lanes    []*lane // whose rows are to be drawn
	at       id.ID   // the task that the list's tab key reaches
	last     route.Route
	update   bool
	install  bool
	chord    string // the first key of two
	chordAt  time.Time
	closed   map[string]bool // statuses folded away
}

// NewApp makes the state; Root draws it.
func NewApp(c Config) *App {
	return &App{Config: c, closed: map[string]bool{}}
}

// do runs f on the drawing goroutine and draws.
func (a *App) do(f func()) {
	if !a.ready {
		f()
		return
	}
	a.ctx.Dispatch(func(app.Context) { f() })
}

// later runs f when what is due now has been drawn.
func (a *App) later(f func()) {
	if a.ready {
		a.ctx.Defer(func(app.Context) {
			a.drawRows()
			f()
		})
	}
}

// touch has everything that shows App's own state drawn again.
func (a *App) touch() { a.rev++ }

// Rev is for components that show a store's topics.
func (a *App) Rev(of ...store.Topic) int {
	if a.store == nil {
		return a.rev
	}
	return a.rev + a.store.Rev(of...)
}

// start reads where the person is and who they are.
func (a *App) start() {
	a.width, a.height = browser.Size()
	a.route = route.Parse(browser.Location())
	if kept := browser.Load(keptMe); kept != "" {
		var m api.Me
		if json.Unmarshal([]byte(kept), &m) == nil && m.Person.ID != "" {
			a.me, a.who = &m, whoKept
		}
	}
	a.arrive()
	a.askMe()
}

const (
	keptMe = "holdfast.me"
	keptWS = "holdfast.workspace"
	// keptReplica is boot.js's: whose replica it starts with the page.
	keptReplica = "holdfast.replica"
)

// askMe asks the service who is signed in. Without an answer, what this device keeps stands.
func (a *App) askMe() {
	go func() {
		m, p := a.API.Me()
		if p != nil && p.Fault == fault.Expired && a.API.Renew() == nil {
			m, p = a.API.Me()
		}
		if p == nil && m.Person.ID == "" {
			p = &api.Problem{Fault: fault.Expired} // a visitor
		}
		a.do(func() { a.hearMe(m, p) })
		if p != nil && p.Away() {
			a.After(retryMe, func() { a.do(a.askMe) })
		}
	}()
}

func (a *App) hearMe(m api.Me, p *api.Problem) {
	switch {
	case p == nil:
		a.setMe(&m)
	case p.Fault == fault.Expired || p.Fault == fault.Denied:
		a.who = whoOut
		a.touch()
		a.arrive()
	case a.who == whoUnknown:
		// Nothing is known and nobody answers: the pages that need nobody work, the others say so.
		a.touch()
	}
}

func (a *App) setMe(m *api.Me) {
	a.me, a.who = m, whoKnown
	if b, err := json.Marshal(m); err == nil {
		browser.Store(keptMe, string(b))
	}
	a.touch()
	a.arrive()
	if a.store != nil && a.store.Status().Link == port.SignedOut {
		a.store.Wake() // what waits is sent now
	}
}

// linkMoved takes what the link's state says about the session: it ended, or somebody signed in from another tab.
func (a *App) linkMoved() {
	to := a.store.Status().Link
	if to == a.link {
		return
	}
	a.link = to
	if to == port.SignedOut && a.who == whoKnown || to == port.Online && a.who == whoOut {
		a.who = whoKept
		a.askMe()
	}
}

// Go shows another page.
func (a *App) Go(r route.Route) { a.goTo(r, false) }

func (a *App) goTo(r route.Route, replace bool) {
	if r == a.route {
		return
	}
	browser.Go(r.Path(), replace)
	a.moved(r)
}

// moved takes a new location: of a link, of the history, or of Go.
func (a *App) moved(r route.Route) {
	before := a.route
	a.route = r
	a.side, a.picker, a.dialog, a.rename = false, nil, nil, ""
	if before.Page != r.Page || before.Project != r.Project || before.Tenant != r.Tenant {
		a.keepWaiting()
		a.compose, a.filter, a.finding, a.at = nil, port.Filter{}, false, ""
		a.later(func() { browser.Focus("main") })
	}
	if r.Task == "" && before.Task != "" {
		a.at = before.Task
		a.later(func() { browser.Focus("t-" + string(before.Task)) })
	}
	a.touch()
	a.arrive()
}

// arrive opens what the present route needs, and leads on from pages that only decide where to go.
func (a *App) arrive() {
	r := a.route
	switch {
	case r.Page == route.Home:
		a.home()
		return
	case (r.Page == route.SignIn || r.Page == route.SignUp) && a.who == whoKnown:
		a.goTo(route.Parse(or(r.Next, "/")), true)
		return
	case r.Page == route.Account && a.who == whoOut, r.Page == route.Choose && a.who == whoOut && a.me == nil:
		a.goTo(route.Route{Page: route.SignIn, Next: r.Path()}, true)
		return
	case r.InWorkspace() && a.who == whoOut && (a.me == nil || a.store == nil):
		if _, mine := a.me.Workspace(r.Tenant); !mine {
			a.goTo(route.Route{Page: route.SignIn, Next: r.Path()}, true)
			return
		}
	}
	a.openStore()
	a.openRoute()
}

func or[T comparable](a, b T) T {
	var zero T
	if a == zero {
		return b
	}
	return a
}

func (a *App) home() {
	switch {
	case a.me != nil:
		last := id.ID(browser.Load(keptWS))
		if _, ok := a.me.Workspace(last); !ok {
			if last = ""; len(a.me.Workspaces) == 1 {
				last = a.me.Workspaces[0].ID
			}
		}
		if last != "" {
			a.goTo(route.Route{Page: route.Start, Tenant: last}, true)
			return
		}
		if a.who == whoOut {
			a.goTo(route.Route{Page: route.SignIn}, true)
			return
		}
		a.goTo(route.Route{Page: route.Choose}, true)
	case a.who == whoOut:
		a.goTo(route.Route{Page: route.SignIn}, true)
	}
}

// openStore connects to the workspace of the route, and leaves the one before.
func (a *App) openStore() {
	if a.store != nil && (a.store.Tenant() != a.route.Tenant || a.me == nil || a.store.Person() != a.me.Person.ID) {
		if a.route.Page == route.Account && a.me != nil {
			return // the way back is short
		}
		a.store.Close()
		a.store = nil
	}
	if a.store != nil || a.me == nil || !a.route.InWorkspace() || a.route.Page == route.Lost {
		return
	}
	browser.Store(keptWS, string(a.route.Tenant))
	tenant, person := a.route.Tenant, a.me.Person.ID
	a.link = ""
	a.store = store.New(store.Config{
		Tenant: tenant, Person: person, Now: a.Now, Rand: a.Rand,
		Connect:  func(hear func(port.Message)) store.Link { return a.Connect(tenant, person, hear) },
		Dispatch: func(f func()) { a.do(func() { f(); a.heardStore() }) },
		Failed:   a.failed,
	})
	a.store.Open()
}

// heardStore follows what the store has just heard.
func (a *App) heardStore() {
	if a.store == nil {
		return // left meanwhile
	}
	a.linkMoved()
	if st := a.store.Status(); st.Waiting > 0 && st.Link == port.Offline && !a.kept {
		a.kept = true // not before: only now is there something that exists nowhere else for long
		browser.KeepData()
	}
	a.openRoute()
}

// failed tells about an edit or request that the device could not take. A comment goes back to where it was written.
func (a *App) failed(edit port.Edit, e port.Error) {
	for _, r := range edit.Rows {
		if edit.Command == "comment.create" && r.Table == "comment" {
			a.giveBack(id.ID(r.Set["task"].Text), r.Set["body"].Text)
		}
	}
	a.toast(view.Sentence(e.Kind, e.Detail), "", nil)
}

// openRoute watches what the present page shows.
func (a *App) openRoute() {
	s, r := a.store, a.route
	if s == nil {
		return
	}
	f, ok := s.Frame()
	if r.Page == route.Start && ok {
		next := r.To(route.All)
		if len(f.Projects) > 0 {
			next = r.ToProject(f.Projects[0].ID)
		}
		a.goTo(next, true)
		return
	}
	if r.Tasks() {
		s.OpenView(store.View{Project: r.Project, Filter: a.filter})
	}
	a.createWaiting()
	s.OpenDetail(r.Task)
	if r.Page == route.Trash {
		s.OpenTrash()
	} else if _, open := s.Trash(); open {
		s.CloseTrash()
	}
	if r.Page == route.Attention {
		s.OpenAttention()
	} else if _, open := s.Attention(); open {
		s.CloseAttention()
	}
	if v := r.View(); a.last != r {
		a.last = r
		s.Looking(v)
	}
}

// title is the window's: what is open, and where.
func (a *App) title() string {
	name := pageName(a.route.Page)
	if s := a.store; s != nil {
		if p, ok := s.Project(a.route.Project); ok {
			name = p.Name
		}
		if d, _ := s.Detail(); a.route.Task != "" && d.Found {
			name = d.Task.Title
		}
	}
	if name == "" {
		return "Holdfast"
	}
	return name + " · Holdfast"
}

func pageName(p route.Page) string {
	switch p {
	case route.SignIn:
		return "Sign in"
	case route.SignUp:
		return "Sign up"
	case route.Join:
		return "Invitation"
	case route.Link:
		return "Sign in this browser"
	case route.Choose:
		return "Workspaces"
	case route.Account:
		return "Account"
	case route.All:
		return "All tasks"
	case route.Trash:
		return "Trash"
	case route.Attention:
		return "Needs attention"
	case route.Members:
		return "Members"
	case route.Labels:
		return "Labels"
	case route.Usage:
		return "Usage"
	case route.Billing:
		return "Billing"
	case route.Device:
		return "This device"
	case route.Lost:
		return "No such page"
	}
	return ""
}
