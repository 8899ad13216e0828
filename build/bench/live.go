package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"holdfast/build/bench/figure"
	"holdfast/build/browser"
)

const (
	liveChanges = 200
	liveWarm    = 10
)

// propagation is how long a change takes from one browser's disk to another browser's screen, in one region (P6).
func propagation(ctx context.Context, e env) (out []figure.Figure, err error) {
	err = try(ctx, e, func(t *trial) {
		ana := t.newClient(t.dev(1))
		project := ana.device(0).seed(12, 0)
		sender, from := ana.browser("from")
		receiver, to := ana.browser("to")
		for p, g := range map[*browser.Person]*browser.Page{sender: from, receiver: to} {
			g.Go(ana.s.url(0) + ana.path(project))
			g.Wait(".link-online")
			g.WaitFor("rows", `document.querySelectorAll("[data-row]").length > 5`)
			probe(g)
			probeWorker(p)
		}
		var took []time.Duration
		compose(from)
		for i := range liveWarm + liveChanges {
			title := "Said from here " + strconv.Itoa(i)
			to.Run("bench.seen = bench.whenShown(" + strconv.Quote(title) + ").then((t) => t.painted); true")
			s := write(sender, from, title)
			rewrite(from, i)
			at := browser.Eval[float64](to, "bench.seen")
			if i >= liveWarm {
				took = append(took, ms(at-s.At))
			}
		}
		for _, f := range []struct{ q, target float64 }{{0.5, 25}, {0.95, 60}} {
			out = append(out, figure.Figure{ID: "P6", What: fmt.Sprintf("committed in one browser → painted in another, p%.0f", 100*f.q), Unit: "ms",
				Value: figure.Percentile(took, f.q), Target: f.target, Note: fmt.Sprintf("%d changes, two Chromium processes", liveChanges)})
		}
	})
	return out, err
}

// compose opens the line in which tasks are written, in the list's first group, so that what is written is seen.
func compose(g *browser.Page) {
	g.Click(`[data-act="compose"]`)
	g.WaitFor("the new task's field has the keyboard", `document.activeElement?.id === "compose"`)
}

// rewrite begins again at the group's top, before what is written runs out of sight.
func rewrite(g *browser.Page, i int) {
	if i%8 == 7 {
		g.Press("Escape")
		g.WaitGone("#compose")
		compose(g)
	}
}

// write writes a task, when the one before is in the region: nobody writes faster. p is whose worker commits it, or nil.
func write(p *browser.Person, g *browser.Page, title string) written {
	g.WaitFor("the task before to be sent", `!document.querySelector(".mark-2, .mark-4")`)
	g.Insert(title)
	g.Run("bench.key(" + strconv.Quote(title) + "); true")
	g.Press("Enter")
	k := browser.Eval[key](g, "bench.last")
	c := commit{k.Sent, k.Answered}
	if p != nil {
		c = browser.EvalWorker[commit](p, "worker", fmt.Sprintf("bench.commits.get(%d)", k.ID))
	}
	return written{Drawn: k.Drawn - k.Key, Painted: k.Painted - k.Key, Answered: k.Answered - k.Key, Committed: c.Done - k.Key, Commit: c.Done - c.Heard, At: c.Done}
}
