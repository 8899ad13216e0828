package main

import (
	"crypto/rand"
	"fmt"
	"net/url"
	"time"

	"holdfast/build/browser"
	"holdfast/sync/change"
	"holdfast/sync/crdt"
	"holdfast/sync/id"
	"holdfast/sync/port"
	"holdfast/sync/token"
	"holdfast/sync/work"
)

const (
	seedRows = 10  // rows in a transaction: enough transactions that a new device takes the snapshot
	seedTxs  = 100 // transactions in a push
)

// seed fills a workspace through the door that browsers use: one project with tasks in all statuses, and comments.
func (d *device) seed(tasks, commentsEach int) (project id.ID) {
	began := time.Now()
	ranks := d.ranks(tasks)
	project = newID()
	d.push(d.next(work.NewProject(project, "Website", "blue", "a0V")))
	var edits []port.Edit
	var list []id.ID
	for i := range tasks {
		task := newID()
		list = append(list, task)
		edits = append(edits, work.NewTask(work.TaskDraft{ID: task, Project: project, Title: fmt.Sprintf("Task number %d has a title of common length", i),
			Status: work.Statuses[i%len(work.Statuses)], Priority: i % 5, Rank: ranks[i], Author: d.c.person}))
	}
	d.pushAll(edits)
	edits = edits[:0]
	for i := range tasks * commentsEach {
		edits = append(edits, work.NewComment(newID(), list[i/commentsEach], d.c.person, "A comment with a sentence or two, as people write them."))
	}
	d.pushAll(edits)
	d.c.t.say("a workspace of %d tasks and %d comments, pushed in %s", tasks, tasks*commentsEach, time.Since(began).Round(100*time.Millisecond))
	return project
}

func (d *device) ranks(n int) []string {
	r, err := crdt.Spread("", "", n, rand.Reader)
	d.c.t.must(err)
	return r
}

func (d *device) pushAll(edits []port.Edit) {
	for len(edits) > 0 {
		d.c.t.must(d.c.t.ctx.Err())
		var txs []change.Tx
		for len(txs) < seedTxs && len(edits) > 0 {
			n := min(seedRows, len(edits))
			txs = append(txs, d.next(edits[:n]...))
			edits = edits[n:]
		}
		d.push(txs...)
	}
}

// browser opens a Chromium of its own that is signed in as the client. It starts on a page without a workspace.
func (c *client) browser(name string) (*browser.Person, *browser.Page) {
	p := browser.New(c.t, browser.Options{Name: name, Width: 1440, Height: 900, OwnProcess: true, Direct: true, Patience: 30 * time.Second, Allow: []string{".*"}})
	g := p.Open(c.s.url(0) + "/healthz")
	g.Run(fmt.Sprintf("document.cookie = %q", token.Cookie+"="+c.cookie()+"; path=/"))
	g.Go(c.s.url(0) + "/account")
	g.WaitText("Ana Ferreira")
	return p, g
}

// path is a project's list in the app.
func (c *client) path(project id.ID) string {
	return "/w/" + url.PathEscape(string(c.tenant)) + "/p/" + url.PathEscape(string(project))
}

// probe puts the stop watch into a page: bench.key waits for a key, bench.open follows a link; both give milliseconds.
func probe(g *browser.Page) { g.Run(probeJS) }

const probeJS = `
globalThis.bench = {
  sent: new Map(), committed: [], painted: {}, hooked: new WeakSet(),
  wall() { return performance.timeOrigin + performance.now(); },
  // after calls back when what is in the document now has been painted.
  after(f) { requestAnimationFrame(() => { const c = new MessageChannel(); c.port1.onmessage = f; c.port2.postMessage(0); }); },
  shown(title) { for (const e of document.querySelectorAll(".title")) if (e.textContent === title) return true; return false; },
  // whenShown gives the wall time at which a task's title was painted.
  whenShown(title) {
    return new Promise((done) => {
      const look = () => { if (!bench.shown(title)) return false; o.disconnect(); bench.after(() => done(bench.wall())); return true; };
      const o = new MutationObserver(look);
      o.observe(document.body, { childList: true, subtree: true, characterData: true });
      look();
    });
  },
  // key arms the watch for the next Enter: painted and committed, in wall time and since the key.
  key(title) {
    bench.last = new Promise((done) => {
      addEventListener("keydown", (e) => {
        if (e.key !== "Enter") return;
        const at = performance.timeOrigin + e.timeStamp;
        const commit = new Promise((c) => { bench.onCommit = c; });
        Promise.all([bench.whenShown(title), commit]).then(([painted, committed]) =>
          done({ painted: painted - at, committed: committed.at - at, commit: committed.at - committed.sent, at: committed.at }));
      }, { capture: true, once: true });
    });
  },
  rows() { return document.querySelectorAll("[data-row]").length; },
  // open follows a link and gives how long it took until rows were painted.
  open(path) {
    return new Promise((done) => {
      const look = () => { if (location.pathname !== path || bench.rows() < 5) return; o.disconnect(); bench.after(() => done(performance.now() - at)); };
      const o = new MutationObserver(look);
      o.observe(document.body, { childList: true, subtree: true });
      const a = document.createElement("a");
      a.href = path;
      document.body.append(a);
      const at = performance.now();
      a.click();
      a.remove();
    });
  },
};
const post = Worker.prototype.postMessage;
Worker.prototype.postMessage = function (m, ...rest) {
  if (m?.text) {
    const r = JSON.parse(m.text);
    if (r.op === "do") bench.sent.set(r.id, bench.wall());
    if (!bench.hooked.has(this)) {
      bench.hooked.add(this);
      this.addEventListener("message", ({ data }) => {
        if (!bench.sent.has(data.re)) return;
        bench.onCommit?.({ at: bench.wall(), sent: bench.sent.get(data.re) });
        bench.sent.delete(data.re);
      });
    }
  }
  return post.call(this, m, ...rest);
};
true`

func ms(v float64) time.Duration { return time.Duration(v * float64(time.Millisecond)) }
