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
		_, from := ana.browser("from")
		_, to := ana.browser("to")
		for _, g := range []*browser.Page{from, to} {
			g.Go(ana.s.url(0) + ana.path(project))
			g.Wait(".link-online")
			g.WaitFor("rows", `document.querySelectorAll("[data-row]").length > 5`)
			probe(g)
		}
		var took []time.Duration
		compose(from)
		for i := range liveWarm + liveChanges {
			title := "Said from here " + strconv.Itoa(i)
			to.Run("bench.seen = bench.whenShown(" + strconv.Quote(title) + "); true")
			s := write(from, title)
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

// written is one task that was written with the keyboard, in milliseconds.
type written struct {
	Painted   float64 // from the key to the screen
	Committed float64 // from the key to the answer that it is on the disk
	Commit    float64 // the part of it between the page's message to the worker and the answer
	At        float64 // wall time of that answer
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

func write(g *browser.Page, title string) written {
	g.Insert(title)
	g.Run("bench.key(" + strconv.Quote(title) + "); true")
	g.Press("Enter")
	return browser.Eval[written](g, "bench.last")
}
