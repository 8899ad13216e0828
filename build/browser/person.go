// Package browser drives real Chromium in tests: one process for all tests of a package, one isolated profile for each
// person, a virtual authenticator for their passkeys, a network that can be cut, and a record of everything that pages
// and workers complain about, which fails the test.
//
//	func TestTwoPeople(t *testing.T) {
//		ana, bo := browser.New(t, browser.Options{Name: "ana"}), browser.New(t, browser.Options{Name: "bo"})
//		p := ana.Open(url)
//		p.Fill("role=textbox:Title", "Buy milk")
//		p.Press("Enter")
//		bo.Open(url).WaitText("Buy milk")
//	}
//
// Methods that can fail take no error: they end the test with what was looked for and what the page showed. They wait
// up to Options.Patience for what they need, so tests contain no sleeps. All of them must be called on the test's own
// goroutine, as testing.T.FailNow asks.
package browser

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Options describe a person. The zero value is someone at a desk with a passkey-capable device.
type Options struct {
	Name          string        // in messages; default "person"
	Width, Height int           // of pages, CSS pixels; default 1280 × 800
	Dark          bool          // prefers a dark colour scheme
	Motion        bool          // wants animations; by default they ask for reduced motion, so that pictures are stable
	NoPasskeys    bool          // the device has no authenticator
	NoFiles       bool          // a browser that gives no private file system (OPFS); a Chromium of their own
	OwnProcess    bool          // a Chromium of their own, whose profile survives Quit, Kill and Start
	Direct        bool          // no proxy between browser and server: for measuring; the network cannot be cut
	Patience      time.Duration // how long to wait for anything; default patienceMax
	Allow         []string      // regular expressions of complaints that do not fail the test
}

// patienceMax is for a busy machine: it is waited out only by what never comes.
const patienceMax = 90 * time.Second

// Person is one profile: its own storage, cookies, service workers, passkeys and network.
type Person struct {
	tb      testing.TB
	o       Options
	b       *chromium
	context string // browser context; "" with OwnProcess
	profile string // with OwnProcess
	link    *link  // nil with Direct

	mu         sync.Mutex
	targets    []*target
	pages      []*Page
	passkeys   map[string]json.RawMessage // by credential id
	complaints []complaint
	allow      []*regexp.Regexp
	offline    bool
	presence   bool // the authenticator answers without being touched
}

var shared struct {
	sync.Mutex
	b       *chromium
	profile string
}

// sharedChromium starts the process that all people without OwnProcess live in, or starts it again after a crash.
func sharedChromium() (*chromium, error) {
	shared.Lock()
	defer shared.Unlock()
	if shared.b != nil {
		select {
		case <-shared.b.done:
			shared.b.kill()
			removeProfile(shared.profile)
		default:
			return shared.b, nil
		}
	}
	profile, err := newProfile()
	if err != nil {
		return nil, err
	}
	b, err := launch(profile)
	if err != nil {
		removeProfile(profile)
		return nil, err
	}
	shared.b, shared.profile = b, profile
	return b, nil
}

// Main runs a package's tests and then ends the shared Chromium:
//
//	func TestMain(m *testing.M) { os.Exit(browser.Main(m)) }
//
// Without it Chromium ends with the test process too, but its profile folder stays until the next run sweeps it.
func Main(m *testing.M) int {
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.b != nil {
		shared.b.close()
		removeProfile(shared.profile)
		shared.b = nil
	}
	return code
}

// New makes a person. When the test ends their browser is closed, and what it complained about fails the test.
func New(tb testing.TB, o Options) *Person {
	tb.Helper()
	o.Name = defaultTo(o.Name, "person")
	o.Width, o.Height = defaultTo(o.Width, 1280), defaultTo(o.Height, 800)
	o.Patience = defaultTo(o.Patience, patienceMax)
	p := &Person{tb: tb, o: o, passkeys: map[string]json.RawMessage{}, presence: true}
	p.Allow(o.Allow...)
	if !o.Direct {
		l, err := newLink()
		p.must(err)
		p.link = l
		tb.Cleanup(l.close)
	}
	if o.OwnProcess || o.NoFiles {
		profile, err := newProfile()
		p.must(err)
		p.profile = profile
		tb.Cleanup(func() { removeProfile(profile) })
		p.Start()
	} else {
		p.join()
	}
	tb.Cleanup(p.leave)
	return p
}

func defaultTo[T comparable](v, d T) T {
	var zero T
	if v == zero {
		return d
	}
	return v
}

// join gives the person an isolated context in the shared Chromium.
func (p *Person) join() {
	p.tb.Helper()
	b, err := sharedChromium()
	p.must(err)
	params := map[string]any{}
	if p.link != nil {
		params["proxyServer"] = p.link.address()
		params["proxyBypassList"] = "<-loopback>" // Chromium leaves loopback out of proxies unless told
	}
	var res struct{ BrowserContextID string }
	ctx, cancel := p.patience()
	defer cancel()
	p.must(b.call(ctx, "", "Target.createBrowserContext", params, &res))
	p.b, p.context = b, res.BrowserContextID
	b.mu.Lock()
	b.people[p.context] = p
	b.mu.Unlock()
}

// Start opens the browser of a person with OwnProcess again after Quit or Kill. Storage and passkeys are as they were.
func (p *Person) Start() {
	p.tb.Helper()
	if p.profile == "" {
		p.tb.Fatalf("%s: Start needs Options.OwnProcess", p.o.Name)
	}
	var extra []string
	if p.link != nil {
		extra = []string{"--proxy-server=" + p.link.address(), "--proxy-bypass-list=<-loopback>"}
	}
	if p.o.NoFiles {
		extra = append(extra, "--disable-blink-features=FileSystemAccessOriginPrivate")
	}
	b, err := launch(p.profile, extra...)
	p.must(err)
	p.b = b
	b.mu.Lock()
	b.people[""] = p
	b.mu.Unlock()
}

// Quit closes the browser of a person with OwnProcess as its menu does. Their pages are gone.
func (p *Person) Quit() { p.end((*chromium).close) }

// Kill ends the browser of a person with OwnProcess at once, as a crash does.
func (p *Person) Kill() { p.end((*chromium).kill) }

func (p *Person) end(how func(*chromium)) {
	p.tb.Helper()
	if p.profile == "" {
		p.tb.Fatalf("%s: Quit and Kill need Options.OwnProcess", p.o.Name)
	}
	how(p.b)
	p.mu.Lock()
	p.targets, p.pages = nil, nil
	p.mu.Unlock()
}

// leave runs when the test ends.
func (p *Person) leave() {
	if p.tb.Failed() {
		p.showFailure()
	}
	p.reportComplaints()
	if p.profile != "" {
		p.b.close()
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), endMax)
	defer cancel()
	p.b.call(ctx, "", "Target.disposeBrowserContext", map[string]any{"browserContextId": p.context}, nil) // best effort
	p.b.mu.Lock()
	delete(p.b.people, p.context)
	p.b.mu.Unlock()
}

// Offline takes the person's network away, or gives it back: connections break, new ones fail, and pages and workers
// are told (navigator.onLine). It returns when all of them know.
func (p *Person) Offline(off bool) {
	p.tb.Helper()
	state := linkUp
	if off {
		state = linkCut
	}
	p.network(state, off)
}

// LoseCookies deletes the person's cookies, as the browser does when they expire.
func (p *Person) LoseCookies() {
	p.tb.Helper()
	ctx, cancel := p.patience()
	defer cancel()
	params := map[string]any{}
	if p.context != "" {
		params["browserContextId"] = p.context
	}
	p.must(p.b.call(ctx, "", "Storage.clearCookies", params, nil))
}

// Stall makes the person's network swallow everything without breaking a connection, until Offline(false).
// The browser believes itself online.
func (p *Person) Stall() {
	p.tb.Helper()
	p.network(linkStalled, false)
}

func (p *Person) network(s linkState, off bool) {
	p.tb.Helper()
	if p.link == nil {
		p.tb.Fatalf("%s: the network cannot change with Options.Direct", p.o.Name)
	}
	p.link.set(s)
	p.mu.Lock()
	p.offline = off
	targets := slices.Clone(p.targets)
	p.mu.Unlock()
	if s != linkUp {
		// What pages and workers say about a network that the test took away is no news.
		p.Allow(`net::ERR_`, `WebSocket connection to .* failed`, `Failed to fetch`, `NetworkError`)
	}
	ctx, cancel := p.patience()
	defer cancel()
	for _, t := range targets {
		method, params := networkState(off)
		t.b.call(ctx, t.session, method, params, nil) // a target that just closed needs no news
	}
}

// networkState sets what navigator.onLine says and fires the online and offline events. The proxy does the real work:
// this emulation reaches neither open WebSockets nor all workers.
func networkState(off bool) (method string, params any) {
	return "Network.emulateNetworkConditions", map[string]any{
		"offline": off, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1,
	}
}

// prepare sends what a new page or worker needs before its first line of script.
func (p *Person) prepare(ctx context.Context, t *target, send func(method string, params any)) {
	send("Runtime.enable", nil)
	send("Log.enable", nil)
	send("Network.enable", nil)
	// Under the lock, so that what network sends after a change comes after this.
	p.mu.Lock()
	if p.offline {
		send(networkState(true))
	}
	p.mu.Unlock()
	if t.kind != "page" {
		return
	}
	send("Page.enable", nil)
	send("Emulation.setFocusEmulationEnabled", map[string]any{"enabled": true}) // every page believes itself in front
	p.dress(p.o.Width, p.o.Height, p.o.Dark, send)
	if !p.o.NoPasskeys {
		p.giveAuthenticator(ctx, t)
	}
}

// dress sets size and colour scheme.
func (p *Person) dress(width, height int, dark bool, send func(method string, params any)) {
	scheme, motion := "light", "reduce"
	if dark {
		scheme = "dark"
	}
	if p.o.Motion {
		motion = "no-preference"
	}
	send("Emulation.setDeviceMetricsOverride", map[string]any{
		"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
	})
	send("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{
		{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": motion},
	}})
}

func (p *Person) remember(t *target) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.targets = append(p.targets, t)
}

func (p *Person) forget(t *target) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.targets = slices.DeleteFunc(p.targets, func(x *target) bool { return x == t })
	p.pages = slices.DeleteFunc(p.pages, func(x *Page) bool { return x.t == t })
}

// Open opens a new tab and goes to an address.
func (p *Person) Open(address string) *Page {
	p.tb.Helper()
	ctx, cancel := p.patience()
	defer cancel()
	t, err := p.b.open(ctx, p.context)
	p.must(err)
	page := &Page{p: p, t: t}
	p.mu.Lock()
	p.pages = append(p.pages, page)
	p.mu.Unlock()
	page.Go(address)
	return page
}

func (p *Person) patience() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), p.o.Patience)
}

func (p *Person) must(err error) {
	if err != nil {
		p.tb.Helper()
		p.tb.Fatalf("%s: %v", p.o.Name, err)
	}
}

// artifact is where something to look at after a failure is written.
func artifact(tb testing.TB, name string) (string, error) {
	dir := os.Getenv("HOLDFAST_ARTIFACTS")
	if dir == "" {
		dir = os.TempDir() + "/holdfast-failures"
	}
	name = url.PathEscape(strings.ReplaceAll(tb.Name()+"-"+name, "/", "-"))
	return dir + "/" + name, os.MkdirAll(dir, 0o755)
}
