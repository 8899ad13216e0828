package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"holdfast/server/control"
	"holdfast/server/operator"
)

// running names a hub by its data folder.
type running struct {
	Data string `default:"./data" env:"HOLDFAST_DATA" type:"path" help:"Data folder of the running 'holdfast hub' or 'holdfast dev'."`
}

func (r running) call(ctx context.Context, method, path string, in, out any) error {
	return control.NewClient(r.Data).Call(ctx, method, path, in, out)
}

type operatorCmd struct {
	Invite operatorInviteCmd `cmd:"" help:"Print a link that makes whoever opens it, signed in, an operator. It works once, for 15 minutes."`
	List   operatorListCmd   `cmd:"" help:"List the operators."`
	Remove operatorRemoveCmd `cmd:"" help:"End somebody's being an operator, at once."`
}

type operatorInviteCmd struct{ running }

// Run prints a link.
func (c operatorInviteCmd) Run(ctx context.Context) error {
	var l control.Invited
	if err := c.call(ctx, http.MethodPost, "/operators/links", nil, &l); err != nil {
		return err
	}
	_, err := fmt.Printf("%s\nGood until %s, once. Open it and sign in, or sign up.\n", l.URL, time.UnixMilli(l.ExpiresMS).Format("15:04"))
	return err
}

type operatorListCmd struct{ running }

// Run lists operators, one a line.
func (c operatorListCmd) Run(ctx context.Context) error {
	var list []operator.Operator
	if err := c.call(ctx, http.MethodGet, "/operators", nil, &list); err != nil {
		return err
	}
	if len(list) == 0 {
		_, err := fmt.Println("There is no operator yet. Make one with: holdfast operator invite")
		return err
	}
	for _, o := range list {
		if _, err := fmt.Printf("%s  since %s  %s\n", o.ID, time.UnixMilli(o.SinceMS).Format(time.DateOnly), o.Name); err != nil {
			return err
		}
	}
	return nil
}

type operatorRemoveCmd struct {
	running
	Person string `arg:"" help:"The operator's id, as 'holdfast operator list' prints it."`
}

// Run removes one.
func (c operatorRemoveCmd) Run(ctx context.Context) error {
	if err := c.call(ctx, http.MethodDelete, "/operators/"+url.PathEscape(c.Person), nil, nil); err != nil {
		return err
	}
	_, err := fmt.Printf("%s is no operator any more.\n", c.Person)
	return err
}
