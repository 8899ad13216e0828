package main

import (
	"context"
	"strings"

	"holdfast/build/bench/figure"
	"holdfast/build/lighthouse"
	"holdfast/sync/token"
)

const auditTasks = 1000

// audits is what Lighthouse says of the sign-in page and of a list of tasks.
func audits(ctx context.Context, e env) (out []figure.Figure, err error) {
	err = try(ctx, e, func(t *trial) {
		ana := t.newClient(t.dev(1))
		list := ana.s.url(0) + ana.path(ana.device(0).seed(auditTasks, 1))
		c := lighthouse.Config{Root: e.root, Cookie: token.Cookie, Log: e.say,
			Categories: []string{lighthouse.Performance, lighthouse.Accessibility, lighthouse.Practices}, Visits: []lighthouse.Visit{
				{Name: "sign-in page, wide screen", URL: ana.s.url(0) + "/signin", Desktop: true},
				{Name: "sign-in page, phone", URL: ana.s.url(0) + "/signin"},
				{Name: "list, first visit, wide screen", URL: list, Session: ana.cookie(), Desktop: true},
				{Name: "list, first visit, phone", URL: list, Session: ana.cookie()},
			}}
		reports, err := lighthouse.Look(ctx, c)
		t.must(err)
		for i, r := range reports {
			for _, category := range c.Categories {
				f := figure.Figure{ID: "Lighthouse", What: category + ", " + c.Visits[i].Name, Value: float64(r.Scores[category]), Target: lighthouse.Min, More: true}
				if f.Value < lighthouse.Min {
					f.Note = strings.Join(r.Findings, "; ")
				}
				out = append(out, f)
			}
		}
	})
	return out, err
}
