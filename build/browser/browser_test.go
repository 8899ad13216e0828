package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

const home = `<!doctype html><html lang="en"><title>home</title><link rel="icon" href="data:,">
<style>body { background: Canvas; color: CanvasText; color-scheme: light dark } li { height: 30px; user-select: none }</style>
<h1>Home</h1>
<label>Title <input id="title"></label>
<button id="add" onclick="out.textContent += 'clicked ' + document.getElementById('title').value + ';'">Add task</button>
<button disabled>Never</button>
<p id="out"></p>
<ul id="list"><li>one</li><li>two</li><li>three</li></ul>
<div role="dialog" aria-label="Hidden" hidden>nothing</div>
<script>
let held;
list.addEventListener("pointerdown", (e) => { held = e.target; list.setPointerCapture(e.pointerId) });
list.addEventListener("pointerup", (e) => {
  const over = document.elementFromPoint(e.clientX, e.clientY);
  if (held && over !== held && over.tagName === "LI") over.after(held);
  held = null;
});
addEventListener("keydown", (e) => { out.textContent += "[" + (e.ctrlKey ? "Ctrl+" : "") + (e.shiftKey ? "Shift+" : "") + e.key + "]" });
addEventListener("offline", () => { out.textContent += "went offline;" });
addEventListener("online", () => { out.textContent += "went online;" });
</script>`

const worker = `onmessage = async (e) => { try { await fetch("/?w"); postMessage("reached " + navigator.onLine) } catch (e) { postMessage("failed " + navigator.onLine) } }`

const serviceWorker = `
addEventListener("install", (e) => e.waitUntil(caches.open("c").then((c) => c.addAll(["/app"])).then(() => skipWaiting())));
addEventListener("activate", (e) => e.waitUntil(clients.claim()));
addEventListener("fetch", (e) => e.respondWith(caches.match(e.request).then((r) => r ?? fetch(e.request))));`

func site(t *testing.T) (string, *atomic.Int64) {
	t.Helper()
	var sockets atomic.Int64
	mux := http.NewServeMux()
	page := func(path, kind, body string) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.Write([]byte(body))
		})
	}
	page("/{$}", "text/html", home)
	page("/app", "text/html", strings.Replace(home, "Home", "Installed", 1))
	page("/worker.js", "text/javascript", worker)
	page("/sw.js", "text/javascript", serviceWorker)
	mux.HandleFunc("GET /ws", func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		sockets.Add(1)
		defer sockets.Add(-1)
		for {
			kind, b, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), kind, b) != nil {
				return
			}
		}
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return strings.Replace(srv.URL, "127.0.0.1", "localhost", 1), &sockets
}

func TestReadsAndActs(t *testing.T) {
	url, _ := site(t)
	g := New(t, Options{}).Open(url)
	g.Fill("label=Title", "milk & \"bread\"")
	if got := g.TextOf("#title"); got != `milk & "bread"` {
		t.Errorf("field holds %q", got)
	}
	g.Fill("role=textbox:Title", "eggs")
	g.Click("role=button:Add task")
	g.WaitText("clicked eggs;")
	if got := g.Count("role=dialog:Hidden"); got != 0 {
		t.Errorf("%d hidden dialogs found, want none", got)
	}
	if got := g.Count("role=button"); got != 2 {
		t.Errorf("%d buttons found, want 2", got)
	}
	if got := fmt.Sprintf("%s %s %s", g.TextsOf("li"), g.TextOf("li|last"), g.TextOf("role=listitem|1")); got != "[one two three] three two" {
		t.Errorf("list reads %s", got)
	}
	if got := g.Attr("text=Add task", "id"); got != "add" {
		t.Errorf("text=Add task is #%s", got)
	}
	g.Drag("text=one", "text=three", 0.5)
	if got := fmt.Sprint(g.TextsOf("li")); got != "[two three one]" { // the page moves it before the release is answered
		t.Errorf("after dragging the list reads %s", got)
	}
	g.Run("out.textContent = ''; document.activeElement.blur()")
	g.Press("Control+k", "Escape", "Shift+ArrowDown")
	g.Type("aB 1?")
	want := "[Ctrl+k][Escape][Shift+ArrowDown][a][Shift+B][ ][1][?]"
	if got := g.TextOf("#out"); got != want {
		t.Errorf("keys arrived as %s, want %s", got, want)
	}
	g.Reload()
	if got := g.TextOf("#out"); got != "" {
		t.Errorf("a reload kept %q", got)
	}
}

// A press goes to what was meant or to nothing: what comes in between hears nothing of it, and what went away is pressed again.
func TestPressesMeetWhatWasMeant(t *testing.T) {
	url, _ := site(t)
	g := New(t, Options{}).Open(url)
	g.Run(`{
		globalThis.heard = [];
		const rows = document.createElement("ol");
		rows.innerHTML = "<li>red</li><li>blue</li>";
		document.body.append(rows);
		for (const kind of ["pointerdown", "mousedown", "mouseup", "click"]) rows.addEventListener(kind, (e) => heard.push(kind + " " + e.target.textContent));
		const [red, blue] = rows.children;
		// As the mouse comes, a row comes in above what is to be pressed.
		red.addEventListener("mousemove", () => { const late = document.createElement("li"); late.textContent = "late"; rows.prepend(late); }, { once: true });
		// Under the press, the row is made anew.
		blue.addEventListener("mousedown", () => blue.replaceWith(blue.cloneNode(true)), { once: true });
	}`)
	g.Click("text=red")
	if got := Eval[string](g, "heard.splice(0).join()"); got != "pointerdown red,mousedown red,mouseup red,click red" {
		t.Errorf("pressing red was heard as %s", got)
	}
	g.Click("text=blue")
	if got := Eval[string](g, "heard.join()"); !strings.HasSuffix(got, "pointerdown blue,mousedown blue,mouseup blue,click blue") || strings.Count(got, "click") != 1 {
		t.Errorf("pressing blue was heard as %s", got)
	}
}

func TestPeopleAreApart(t *testing.T) {
	url, _ := site(t)
	ana, bo := New(t, Options{Name: "ana"}), New(t, Options{Name: "bo"})
	a, b := ana.Open(url), bo.Open(url)
	a.Run(`localStorage.setItem("who", "ana"); document.cookie = "who=ana"`)
	if got := Eval[string](b, `(localStorage.getItem("who") ?? "nobody") + document.cookie`); got != "nobody" {
		t.Errorf("bo sees %q", got)
	}
	a2 := ana.Open(url)
	if got := Eval[string](a2, `localStorage.getItem("who")`); got != "ana" {
		t.Errorf("ana's second tab sees %q", got)
	}
	a2.Close()
	if got := a.Text(); !strings.Contains(got, "Home") {
		t.Errorf("the first tab shows %q after the second closed", got)
	}
}

const createPasskey = `(async () => {
  const c = await navigator.credentials.create({ publicKey: {
    challenge: new Uint8Array(32), rp: { name: "r" }, user: { id: new Uint8Array([7]), name: "n", displayName: "n" },
    pubKeyCredParams: [{ type: "public-key", alg: -7 }],
    authenticatorSelection: { residentKey: "required", userVerification: "required" } } });
  return c.id })()`

const usePasskey = `(async () => {
  const c = await navigator.credentials.get({ publicKey: { challenge: new Uint8Array(32), userVerification: "required" } });
  return new Uint8Array(c.response.userHandle)[0] })()`

func TestPasskeys(t *testing.T) {
	url, _ := site(t)
	ana := New(t, Options{Name: "ana"})
	first := ana.Open(url)
	second := ana.Open(url)
	Eval[string](first, createPasskey)
	if got := Eval[int](first, usePasskey); got != 7 {
		t.Errorf("signed in as %d, want 7", got)
	}
	for deadline := time.Now().Add(patienceMax); ana.Passkeys() != 1 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	second.WaitFor("the second tab to sign in", `(`+usePasskey[:len(usePasskey)-2]+`)().catch(() => 0)`)
	phone := New(t, Options{Name: "ana's phone"})
	phone.SyncPasskeys(ana)
	if got := Eval[int](phone.Open(url), usePasskey); got != 7 {
		t.Errorf("the phone signed in as %d, want 7", got)
	}
}

// A ceremony waits for the person's touch, however long before it was asked for; one in a field waits for being picked there.
func TestCeremoniesWaitForATouch(t *testing.T) {
	url, _ := site(t)
	ana := New(t, Options{Name: "ana"})
	g := ana.Open(url)
	ana.Touch(false)
	g.Reload()
	g.Run(`globalThis.made = ""; void ` + createPasskey + `.then((id) => { made = id }); true`)
	if got := Eval[string](g, `new Promise((r) => setTimeout(() => r(made), 100))`); got != "" || ana.Passkeys() != 0 {
		t.Errorf("made without a touch: %s", got)
	}
	ana.Touch(true)
	g.WaitFor("the passkey", "made")
	ana.Touch(false)
	g.Run(`globalThis.got = []; globalThis.stop = new AbortController();
		void navigator.credentials.get({ signal: stop.signal, mediation: "conditional", publicKey: { challenge: new Uint8Array(32) } }).catch((e) => { got.push(e.name) });
		void ` + usePasskey + `.then((v) => { got.push(v) }); true`)
	ana.Touch(true)
	g.WaitFor("the dialog's answer", "got.join() === '7'")
	g.Run("stop.abort(); true")
	g.WaitFor("the field's end", "got.join() === '7,AbortError'")
}

func TestOffline(t *testing.T) {
	url, sockets := site(t)
	ana := New(t, Options{Name: "ana"})
	g := ana.Open(url)
	g.Run(`globalThis.w = new Worker("/worker.js"); globalThis.ask = () => new Promise((r) => { w.onmessage = (e) => r(e.data); w.postMessage(0) });
	  new Promise((ok, bad) => { globalThis.ws = new WebSocket(location.origin.replace("http", "ws") + "/ws"); ws.onopen = ok; ws.onerror = bad; ws.onclose = () => { globalThis.broke = true } }).then(() => true)`)
	if got := Eval[string](g, "ask()"); got != "reached true" {
		t.Fatalf("worker online: %s", got)
	}
	if got := EvalWorker[string](ana, "worker.js", "self.constructor.name"); got != "DedicatedWorkerGlobalScope" {
		t.Errorf("evaluated in %s", got)
	}
	// The server counts the socket a moment after the page has it.
	for deadline := time.Now().Add(patienceMax); sockets.Load() != 1; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d sockets, want 1", sockets.Load())
		}
	}
	ana.Offline(true)
	g.WaitFor("the socket to break", "globalThis.broke")
	g.WaitText("went offline;")
	if got := Eval[string](g, "ask()"); got != "failed false" {
		t.Errorf("worker offline: %s", got)
	}
	if Eval[bool](g, "navigator.onLine") {
		t.Error("the page believes itself online")
	}
	if Eval[bool](g, `fetch("/").then(() => true, () => false)`) {
		t.Error("a fetch got through")
	}
	ana.Offline(false)
	g.WaitText("went online;")
	if got := Eval[string](g, "ask()"); got != "reached true" {
		t.Errorf("worker online again: %s", got)
	}
}

func TestStall(t *testing.T) {
	url, _ := site(t)
	ana := New(t, Options{Name: "ana"})
	g := ana.Open(url)
	ana.Stall()
	g.Run(`globalThis.state = "waiting"; fetch("/?slow").then(() => { state = "arrived" }); true`)
	if got := Eval[string](g, `new Promise((r) => setTimeout(() => r(state + navigator.onLine), 300))`); got != "waitingtrue" {
		t.Errorf("while stalled: %s", got)
	}
	ana.Offline(false)
	g.WaitFor("the answer", `state === "arrived"`)
}

func TestServiceWorkerAnswersOffline(t *testing.T) {
	url, _ := site(t)
	ana := New(t, Options{Name: "ana"})
	g := ana.Open(url)
	g.Run(`navigator.serviceWorker.register("/sw.js").then(() => navigator.serviceWorker.ready).then(() => true)`)
	g.WaitFor("the service worker to take over", "navigator.serviceWorker.controller")
	ana.Offline(true)
	g.Go(url + "/app")
	g.WaitText("Installed")
	g.Reload()
	g.WaitText("Installed")
	if EvalWorker[bool](ana, "sw.js", "navigator.onLine") {
		t.Error("the service worker believes itself online")
	}
}

func TestOwnProcessKeepsItsProfile(t *testing.T) {
	url, _ := site(t)
	ana := New(t, Options{Name: "ana", OwnProcess: true})
	g := ana.Open(url)
	Eval[string](g, createPasskey)
	g.Run(`(async () => {
	  const d = await navigator.storage.getDirectory();
	  const w = await (await d.getFileHandle("kept", { create: true })).createWritable();
	  await w.write("kept"); await w.close() })()`)
	ana.Kill()
	ana.Start()
	g = ana.Open(url)
	if got := Eval[string](g, `(async () => (await (await (await navigator.storage.getDirectory()).getFileHandle("kept")).getFile()).text())()`); got != "kept" {
		t.Errorf("after a crash OPFS holds %q", got)
	}
	if got := Eval[int](g, usePasskey); got != 7 {
		t.Errorf("after a crash signed in as %d", got)
	}
	ana.Quit()
	ana.Start()
	ana.Offline(true)
	ana.Offline(false)
	ana.Open(url).WaitText("Home")
}

// recorder is a testing.TB that remembers that it failed, to test the kit's own complaints.
type recorder struct {
	testing.TB
	failed   bool
	text     string
	cleanups []func()
}

func (r *recorder) Errorf(format string, a ...any) {
	r.failed, r.text = true, fmt.Sprintf(format, a...)
}
func (r *recorder) Failed() bool     { return r.failed }
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) finish() {
	for i := len(r.cleanups) - 1; i >= 0; i-- {
		r.cleanups[i]()
	}
}

func TestComplaintsFailTheTest(t *testing.T) {
	url, _ := site(t)
	for _, c := range []struct{ name, js, want string }{
		{"console-error", `console.error("broken", {a: 1})`, "broken"},
		{"uncaught", `setTimeout(() => { throw new Error("late") })`, "late"},
		{"rejection", `void Promise.reject(new Error("dropped"))`, "dropped"},
		{"missing-file", `void fetch("/nothing")`, "404"},
		{"other-machine", `void fetch("http://example.com/").catch(() => 0)`, "asked another machine"},
		{"worker", `void new Worker(URL.createObjectURL(new Blob(["console.error('from the worker')"])))`, "from the worker"},
		{"nothing", `console.log("fine")`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &recorder{TB: t}
			p := New(r, Options{})
			g := p.Open(url)
			g.Run(c.js)
			for deadline := time.Now().Add(patienceMax); c.want != "" && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
				if strings.Contains(strings.Join(p.Console(), "\n"), c.want) {
					break
				}
			}
			r.finish()
			if r.failed != (c.want != "") || !strings.Contains(r.text, c.want) {
				t.Errorf("failed %v with %q, want %q", r.failed, r.text, c.want)
			}
		})
	}
}

func TestPictures(t *testing.T) {
	url, _ := site(t)
	dir := t.TempDir()
	g := New(t, Options{}).Open(url)
	g.Pictures(dir, "home")
	sizes := map[string]bool{}
	for _, f := range []string{"home-360-light.png", "home-360-dark.png", "home-1440-light.png", "home-1440-dark.png"} {
		b, err := os.ReadFile(dir + "/" + f)
		if err != nil {
			t.Fatal(err)
		}
		sizes[string(b)] = true
	}
	if len(sizes) != 4 {
		t.Errorf("%d different pictures, want 4", len(sizes))
	}
	if got := Eval[int](g, "innerWidth"); got != 1280 {
		t.Errorf("the tab is %d wide afterwards, want 1280", got)
	}
}
