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
		stages := make([][]time.Duration, 5)
		var took []time.Duration
		compose(from)
		for i := range liveWarm + liveChanges {
			title := "Said from here " + strconv.Itoa(i)
			to.Run("bench.seen = bench.whenShown(" + strconv.Quote(title) + "); true")
			w := write(sender, from, title)
			rewrite(from, i)
			seen := browser.Eval[struct{ Drawn, Painted float64 }](to, "bench.seen")
			if i < liveWarm {
				continue
			}
			took = append(took, ms(seen.Painted-w.At))
			at := []float64{w.At, first(sender, "sent", w.At), 0, 0, seen.Drawn, seen.Painted}
			at[2] = first(receiver, "heard", at[1])
			at[3] = first(receiver, "told", at[2])
			for n := range stages {
				stages[n] = append(stages[n], ms(at[n+1]-at[n]))
			}
		}
		p50 := func(n int) float64 { return figure.Percentile(stages[n], 0.5) }
		note := fmt.Sprintf("%d changes, two Chromium processes; p50 of the stages: sent %.1f ms, through the region %.1f, merged %.1f, drawn %.1f, painted %.1f",
			liveChanges, p50(0), p50(1), p50(2), p50(3), p50(4))
		for _, f := range []struct{ q, target float64 }{{0.5, 25}, {0.95, 60}} {
			out = append(out, figure.Figure{ID: "P6", What: fmt.Sprintf("committed in one browser → painted in another, p%.0f", 100*f.q), Unit: "ms",
				Value: figure.Percentile(took, f.q), Target: f.target, Note: note})
		}
	})
	return out, err
}

// first is when a worker first did something after a moment.
func first(p *browser.Person, what string, after float64) float64 {
	return browser.EvalWorker[float64](p, "worker", fmt.Sprintf("bench.first(%q, %f)", what, after))
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
