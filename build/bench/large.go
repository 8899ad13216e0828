package main

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"time"

	"holdfast/build/bench/figure"
	"holdfast/build/browser"
)

const (
	largeTasks    = 100_000
	largeComments = 3 // of each task
	largeWrites   = 100
	largeOpens    = 20 // of the list, and as many of the board
	largeStarts   = 5
)

// large measures what a person waits for in a workspace of 100,000 tasks and 300,000 comments: the first start on an
// empty device (P5), opening views (P2), writing (P1), and starting without a server (P3).
func large(ctx context.Context, e env) (out []figure.Figure, err error) {
	err = try(ctx, e, func(t *trial) {
		ana := t.newClient(t.dev(1))
		path := ana.path(ana.device(0).seed(largeTasks, largeComments))
		p, g := ana.browser("ana")
		out = append(out, bootstrap(g, ana.s.url(0)+path))
		e.say("bootstrap %.0f ms", out[0].Value)
		probe(g)
		probeWorker(p)
		profiled(t, p, "P2", func() { out = append(out, opens(g, path)...) })
		profiled(t, p, "P1", func() { out = append(out, writes(p, g)...) })
		g.WaitFor("all has been sent", `!document.querySelector(".mark-1, .mark-2")`)
		ana.s.stop(syscall.SIGKILL)
		out = append(out, coldStarts(g))
	})
	return out, err
}

// usableJS is truthy when rows have been painted, and notes when: the page itself looks, from the first time it is asked.
const usableJS = `globalThis.usable?.at ?? (() => {
  if (globalThis.usable) return 0;
  globalThis.usable = {};
  const look = () => {
    if (document.querySelectorAll("[data-row]").length <= 5) return;
    o.disconnect();
    requestAnimationFrame(() => { const c = new MessageChannel(); c.port1.onmessage = () => { usable.at = performance.now(); }; c.port2.postMessage(0); });
  };
  const o = new MutationObserver(look);
  o.observe(document, { childList: true, subtree: true });
  look();
})()`

// bootstrap opens the workspace on a device that has the app and nothing of the workspace.
func bootstrap(g *browser.Page, url string) figure.Figure {
	g.Go(url)
	g.WaitFor("rows", usableJS)
	took := browser.Eval[float64](g, "usable.at")
	total := browser.Eval[string](g, `[...document.querySelectorAll(".group .n")].map((e) => e.textContent).join(" ")`)
	return figure.Figure{ID: "P5", What: "empty device → rows painted, app already there", Unit: "ms", Value: took, Target: 3000,
		Note: fmt.Sprintf("%d tasks, %d comments; groups of %s", largeTasks, largeTasks*largeComments, strings.Join(strings.Fields(total), ", "))}
}

// opens goes to and fro between another page and the list, then the board.
func opens(g *browser.Page, path string) (out []figure.Figure) {
	aside := path[:strings.Index(path, "/p/")] + "/trash"
	for _, view := range []struct{ name, path string }{{"list", path}, {"board", path + "/board"}} {
		var took []time.Duration
		for i := range largeOpens + 1 {
			g.Run(fmt.Sprintf("{ const a = document.createElement('a'); a.href = %q; document.body.append(a); a.click(); a.remove(); }", aside))
			g.WaitFor("the other page", "bench.rows() === 0")
			d := browser.Eval[float64](g, fmt.Sprintf("bench.open(%q)", view.path))
			if i > 0 { // the first compiles the statements
				took = append(took, ms(d))
			}
		}
		out = append(out, figure.Figure{ID: "P2", What: "click → " + view.name + " of 100,000 tasks painted, p95", Unit: "ms", Value: figure.Percentile(took, 0.95), Target: 50,
			Note: fmt.Sprintf("p50 %.0f ms, %d times", figure.Percentile(took, 0.5), largeOpens)})
	}
	g.Run(fmt.Sprintf("bench.open(%q)", path))
	return out
}

// commitWhat names the figure that a commit of SQLite alone is put beside.
const commitWhat = "the commit by itself, p95"

// writes writes tasks at the keyboard. p is whose worker commits them; nil when the page does.
func writes(p *browser.Person, g *browser.Page) []figure.Figure {
	compose(g)
	var drawn, painted, answered, committed, commit []time.Duration
	for i := range largeWrites + liveWarm {
		w := write(p, g, fmt.Sprintf("Written at the keyboard %d", i))
		rewrite(g, i)
		if i >= liveWarm {
			drawn = append(drawn, ms(w.Drawn))
			painted, answered = append(painted, ms(w.Painted)), append(answered, ms(w.Answered))
			committed, commit = append(committed, ms(w.Committed)), append(commit, ms(w.Commit))
		}
	}
	p50 := func(d []time.Duration) string {
		return fmt.Sprintf("p50 %.1f ms, %d tasks written", figure.Percentile(d, 0.5), largeWrites)
	}
	return []figure.Figure{
		{ID: "P1", What: "Enter → new task painted, p95", Unit: "ms", Value: figure.Percentile(painted, 0.95), Target: 16,
			Note: fmt.Sprintf("%s; in the document at %.1f ms p50, %.1f p95", p50(painted), figure.Percentile(drawn, 0.5), figure.Percentile(drawn, 0.95))},
		{ID: "P1", What: "Enter → committed on the device, p95", Unit: "ms", Value: figure.Percentile(committed, 0.95), Target: 16,
			Note: fmt.Sprintf("%s; the page knows at %.1f ms p50, %.1f p95", p50(committed), figure.Percentile(answered, 0.5), figure.Percentile(answered, 0.95))},
		{ID: "P1", What: commitWhat, Unit: "ms", Value: figure.Percentile(commit, 0.95), Note: p50(commit)},
	}
}

// coldStarts reloads without a server.
func coldStarts(g *browser.Page) figure.Figure {
	var took []time.Duration
	for range largeStarts {
		g.Reload()
		g.WaitFor("rows", usableJS)
		took = append(took, ms(browser.Eval[float64](g, "usable.at")))
	}
	return figure.Figure{ID: "P3", What: "reload with the server gone → rows of 100,000 tasks painted, worst of some", Unit: "ms", Value: figure.Percentile(took, 1), Target: 1000,
		Note: fmt.Sprintf("p50 %.0f ms, %d times", figure.Percentile(took, 0.5), largeStarts)}
}
