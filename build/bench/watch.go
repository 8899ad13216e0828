package main

import (
	"os"
	"path/filepath"
	"time"

	"holdfast/build/browser"
)

// The stop watches run inside the page and its worker and read only their own clocks: what the kit takes to ask for them is in
// no figure. Painted is the end of the frame in which a row is first in the document: the task posted in that frame's
// requestAnimationFrame comes after its layout and painting, and before what the page itself put off until then.

// probe puts the stop watches into a page, and probeWorker into the worker that keeps its replica.
func probe(g *browser.Page)         { g.Run(block(pageWatch)) }
func probeWorker(p *browser.Person) { browser.EvalWorker[bool](p, "worker", block(workerWatch)) }

// block keeps a script's names to itself, so that it can be run again.
func block(js string) string { return "{" + js + "}" }

// profiled runs a part of a measurement and, with HOLDFAST_PROFILE set to a folder, leaves there what the page and its worker
// spent it on (browser.Person.Profile). The figures of such a run are worse.
func profiled(t *trial, p *browser.Person, name string, part func()) {
	dir := os.Getenv("HOLDFAST_PROFILE")
	if dir == "" {
		part()
		return
	}
	stop := p.Profile()
	part()
	for kind, profile := range stop() {
		t.must(os.WriteFile(filepath.Join(dir, name+"-"+kind+".cpuprofile"), profile, 0o644))
	}
}

// written is one task that was written with the keyboard, in milliseconds.
type written struct {
	Drawn     float64 // from the key until the row is in the document
	Painted   float64 // from the key to the screen
	Answered  float64 // from the key to the worker's answer, in the page
	Committed float64 // from the key to the end of the commit, in the worker
	Commit    float64 // the part of it from the worker's hearing of it
	At        float64 // wall time of the commit
}

// key is what the page saw of a written task, in wall time.
type key struct {
	ID                                  int
	Key, Sent, Drawn, Painted, Answered float64
}

// commit is when who commits it heard of it, and was done, in wall time.
type commit struct{ Heard, Done float64 }

// wallJS is the system's clock, the same for all processes, in parts of a millisecond: performance.timeOrigin may be some
// milliseconds off when a process started on a busy machine.
const wallJS = `
const offset = (() => {
  let best = -Infinity;
  for (let i = 0; i < 10; i++) {
    const before = Date.now();
    let at = before;
    while (at === before) at = Date.now();
    best = Math.max(best, at - performance.now());
  }
  return best;
})();
const wall = () => offset + performance.now();
`

const pageWatch = wallJS + `
globalThis.bench = {
  wall,
  // after calls back when what is in the document now has been painted.
  after(f) { requestAnimationFrame(() => scheduler.postTask(f, { priority: "user-blocking" })); },
  // when resolves to the wall times at which something was in the document, and painted.
  when(is) {
    return new Promise((done) => {
      const look = () => {
        if (!is()) return false;
        const drawn = bench.wall();
        o.disconnect();
        bench.after(() => done({ drawn, painted: bench.wall() }));
        return true;
      };
      const o = new MutationObserver(look);
      if (!look()) o.observe(document.body, { childList: true, subtree: true, characterData: true });
    });
  },
  whenShown(title) {
    const titles = document.getElementsByClassName("title");
    return bench.when(() => { for (const e of titles) if (e.textContent === title) return true; return false; });
  },
  // key arms the watch for the next Enter.
  key(title) {
    bench.last = new Promise((done) => {
      addEventListener("keydown", (e) => {
        if (e.key !== "Enter") return;
        const answer = new Promise((f) => { bench.onCommit = f; });
        Promise.all([bench.whenShown(title), answer]).then(([shown, { id, at, sent }]) =>
          done({ id, key: offset + e.timeStamp, sent, ...shown, answered: at }));
      }, { capture: true, once: true });
    });
  },
  rows() { return document.querySelectorAll("[data-row]").length; },
  // open follows a link and gives how long it took until rows were painted.
  open(path) {
    const a = document.createElement("a");
    a.href = path;
    document.body.append(a);
    const at = bench.wall();
    a.click();
    a.remove();
    return bench.when(() => location.pathname === path && bench.rows() >= 5).then(({ painted }) => painted - at);
  },
};
const edits = new Map(); // request → when it was sent
const post = Worker.prototype.postMessage;
Worker.prototype.postMessage = function (m, ...rest) {
  const r = m?.text && JSON.parse(m.text);
  if (r?.op === "do") edits.set(r.id, bench.wall());
  if (!this.watched) {
    this.watched = true;
    this.addEventListener("message", ({ data }) => {
      if (edits.has(data.re)) bench.onCommit?.({ id: data.re, at: bench.wall(), sent: edits.get(data.re) });
    });
  }
  return post.call(this, m, ...rest);
};
true`

// workerWatch notes, in wall time: of each edit when it was heard of and committed; of everything when the worker sent to the region,
// heard from it, and told its page.
const workerWatch = wallJS + `
globalThis.bench = { commits: new Map(), sent: [], heard: [], told: [] };
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (m) {
  bench.sent.push(wall());
  if (!this.watched) {
    this.watched = true;
    const hear = this.onmessage; // a listener of its own would be called after it
    this.onmessage = (e) => { bench.heard.push(wall()); hear(e); };
  }
  send.call(this, m);
};
bench.first = (what, after) => bench[what].find((at) => at >= after) ?? 0;
const hear = self.onmessage;
self.onmessage = (e) => {
  const heard = wall();
  const r = e.data.text && JSON.parse(e.data.text);
  if (r?.op === "do") bench.commits.set(r.id, { heard, done: 0 });
  hear(e);
};
const answer = self.postMessage;
self.postMessage = (m) => {
  const c = bench.commits.get(m.re);
  if (c) c.done = wall();
  else bench.told.push(wall());
  answer.call(self, m);
};
true`

func ms(v float64) time.Duration { return time.Duration(v * float64(time.Millisecond)) }
