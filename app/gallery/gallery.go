// Package gallery runs the whole page on a replica in memory and a service that answers from memory, with people and
// tasks to look at. Only a test program holds it: it is how every page and state is looked at, and how the page is tried
// without a worker.
//
// The address /gallery shows the controls alone. The state shown elsewhere is chosen by the address's query: ?state=offline and so on, see states.
package gallery

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"holdfast/app/api"
	"holdfast/app/browser"
	"holdfast/app/page"
	"holdfast/app/store"
	"holdfast/app/store/memory"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/work"
)

// Run draws the app on data in memory and does not return.
func Run() {
	if browser.Location() == "/gallery" {
		runControls()
	}
	state := ""
	if _, query, ok := strings.Cut(browser.Location(), "state="); ok {
		state, _, _ = strings.Cut(query, "&")
	}
	w := newWorld(state)
	switch {
	case state == "out":
		browser.Store("holdfast.me", `{"person":{"id":"`+string(Ana)+`","name":"Ana Duarte"},"workspaces":[{"id":"`+string(Tenant)+`","name":"Harbor Studio"}]}`)
	case strings.HasPrefix(browser.Location(), "/sign"):
		browser.Store("holdfast.me", "")
	}
	page.Run(page.Config{API: api.Client{Fetch: w.fetch}, Connect: w.connect, Now: w.now, After: after, Rand: w.rand})
}

type world struct {
	state   string
	started time.Time
	rand    *rand.ChaCha8
	replica *memory.Replica
	keys    []api.Key
	rules   []api.Rule
	asks    int // requests without an answer
}

func newWorld(state string) *world {
	w := &world{state: state, started: time.Now(), rand: rand.NewChaCha8([32]byte{7}), keys: slices.Clone(keys), rules: slices.Clone(rules)}
	w.replica = memory.New(Ana, w.now)
	w.seed()
	w.replica.SetStatus(func(s *port.Status) {
		if change := states[state]; change != nil {
			change(s)
		}
	})
	return w
}

// Noon is when the gallery's day begins: pictures show the same dates on every day.
var Noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func (w *world) now() time.Time { return Noon.Add(time.Since(w.started)) }

// after takes its time: messages that go away by themselves are still there for whoever looks at them from a busy machine.
func after(d time.Duration, f func()) { time.AfterFunc(20*d, f) }

// states are what the link and the disk can be like.
var states = map[string]func(*port.Status){
	"offline": func(s *port.Status) { s.Link = port.Offline },
	"memory":  func(s *port.Status) { s.Storage = port.Memory },
	"outbox":  func(s *port.Status) { s.Storage = port.Outbox },
	"corrupt": func(s *port.Status) { s.Problem = &port.Error{Kind: fault.Corrupt} },
	"full":    func(s *port.Status) { s.Problem = &port.Error{Kind: fault.Full} },
	"out":     func(s *port.Status) { s.Link = port.SignedOut },
	"removed": func(s *port.Status) { s.Link = port.Removed },
	"clock":   func(s *port.Status) { s.OffsetMS = -3 * 3600 * 1000 },
}

func (w *world) connect(_, _ id.ID, hear func(port.Message)) store.Link {
	switch w.state {
	case "loading":
		return silent{}
	case "getting":
		go hear(port.Message{Status: &port.Status{Link: port.Online, Loading: 0.4, Storage: port.Disk}})
		return silent{}
	case "not-yet":
		go hear(port.Message{Status: &port.Status{Link: port.Offline, Storage: port.Disk}})
		return silent{}
	case "busy":
		time.AfterFunc(busyAfter, func() { w.replica.Apply(work.RenameTask(Open, BusyTitle), Bo, w.now()) })
	}
	return w.replica.Connect(hear)
}

// In the state busy somebody renames the open task after a while.
const (
	busyAfter = 2 * time.Second
	BusyTitle = "Renamed by somebody else"
)

// silent is a worker that has no rows yet.
type silent struct{}

func (silent) Send(port.Request) {}
func (silent) Close()            {}
