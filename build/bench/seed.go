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
