package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"holdfast/server/billingdb"
	"holdfast/server/control"
)

type clockCmd struct {
	List    clockListCmd    `cmd:"" help:"List the workspaces on a test clock."`
	Start   clockStartCmd   `cmd:"" help:"Give a workspace a test clock. Its account begins anew there and no real money moves."`
	Advance clockAdvanceCmd `cmd:"" help:"Move a workspace's test clock; whatever falls due until then happens in order."`
	End     clockEndCmd     `cmd:"" help:"Take a workspace's test clock away, with all that its account was there."`
}

type clockListCmd struct{ running }

// Run lists test clocks, one a line.
func (c clockListCmd) Run(ctx context.Context) error {
	var list []billingdb.TestClock
	if err := c.call(ctx, http.MethodGet, "/clocks", nil, &list); err != nil {
		return err
	}
	if len(list) == 0 {
		_, err := fmt.Println("No workspace is on a test clock. Give one a clock with: holdfast clock start")
		return err
	}
	for _, x := range list {
		printClock(x)
	}
	return nil
}

func printClock(c billingdb.TestClock) { fmt.Printf("%s  %s\n", c.Tenant, c.At.Format(time.RFC3339)) }

type clockStartCmd struct {
	running
	Workspace string    `arg:"" help:"The workspace's id."`
	At        time.Time `help:"Where the clock begins, such as 2027-01-31T12:00:00Z; now if it is not given."`
}

// Run starts one.
func (c clockStartCmd) Run(ctx context.Context) error {
	var x billingdb.TestClock
	if err := c.call(ctx, http.MethodPut, "/clocks/"+url.PathEscape(c.Workspace), control.Moment{At: c.At}, &x); err != nil {
		return err
	}
	printClock(x)
	return nil
}

type clockAdvanceCmd struct {
	running
	Workspace string        `arg:"" help:"The workspace's id."`
	To        time.Time     `xor:"to" required:"" help:"The moment to move to, such as 2027-03-01T00:00:00Z."`
	By        time.Duration `xor:"to" required:"" help:"Or how far to move, such as 720h."`
}

// Run moves one.
func (c clockAdvanceCmd) Run(ctx context.Context) error {
	var x billingdb.TestClock
	if err := c.call(ctx, http.MethodPost, "/clocks/"+url.PathEscape(c.Workspace)+"/advance", control.Moment{At: c.To, By: c.By}, &x); err != nil {
		return err
	}
	printClock(x)
	return nil
}

type clockEndCmd struct {
	running
	Workspace string `arg:"" help:"The workspace's id."`
}

// Run ends one.
func (c clockEndCmd) Run(ctx context.Context) error {
	if err := c.call(ctx, http.MethodDelete, "/clocks/"+url.PathEscape(c.Workspace), nil, nil); err != nil {
		return err
	}
	_, err := fmt.Printf("%s is back on real time.\n", c.Workspace)
	return err
}
