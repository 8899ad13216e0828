package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"text/tabwriter"
	"time"

	"holdfast/server/control"
	"holdfast/server/entitlement"
)

type limitCmd struct {
	List limitListCmd `cmd:"" help:"List what a workspace may use, and what is granted otherwise than by its plan."`
	Set  limitSetCmd  `cmd:"" help:"Grant a workspace a feature otherwise than its plan does, such as a higher limit."`
	End  limitEndCmd  `cmd:"" help:"Grant a feature as the plan does again."`
}

type limitListCmd struct {
	running
	Workspace string `arg:"" help:"The workspace's id."`
}

// Run lists entitlements, one a line.
func (c limitListCmd) Run(ctx context.Context) error {
	var list []entitlement.Entitlement
	if err := c.call(ctx, http.MethodGet, "/entitlements/"+url.PathEscape(c.Workspace), nil, &list); err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, e := range list {
		note := ""
		if o := e.Override; o != nil {
			note = "since " + o.Since.Format(time.DateOnly)
			if !o.Until.IsZero() {
				note += " until " + o.Until.Format(time.RFC3339)
			}
			note += ": " + o.Reason
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", e.Feature, granted(e), used(e), note)
	}
	if len(list) == 0 {
		fmt.Fprintln(w, "The catalogue has no features.")
	}
	return w.Flush()
}

func granted(e entitlement.Entitlement) string {
	switch {
	case !e.On:
		return "off"
	case e.Type == "boolean":
		return "on"
	case e.Unlimited:
		return "unlimited"
	}
	return e.Limit.Text(2)
}

func used(e entitlement.Entitlement) string {
	if e.Type != "metered" {
		return ""
	}
	return e.Used.Text(2) + " used"
}

// oneLimit names a feature of a workspace.
type oneLimit struct {
	running
	Workspace string `arg:"" help:"The workspace's id."`
	Feature   string `arg:"" help:"The feature, as 'holdfast limit list' prints it."`
}

func (c oneLimit) path() string {
	return "/entitlements/" + url.PathEscape(c.Workspace) + "/" + url.PathEscape(c.Feature)
}

type limitSetCmd struct {
	oneLimit
	Value  string    `arg:"" help:"A number, unlimited or off; of a switch on or off."`
	Reason string    `required:"" help:"Why, for other operators."`
	Until  time.Time `help:"When it ends, such as 2027-03-01T00:00:00Z; not given: it stays."`
}

// Run sets one.
func (c limitSetCmd) Run(ctx context.Context) error {
	return c.call(ctx, http.MethodPut, c.path(), control.Override{Value: c.Value, Reason: c.Reason, Until: c.Until}, nil)
}

type limitEndCmd struct{ oneLimit }

// Run ends one.
func (c limitEndCmd) Run(ctx context.Context) error {
	return c.call(ctx, http.MethodDelete, c.path(), nil, nil)
}
