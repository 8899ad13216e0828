package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"holdfast/server/biller"
	"holdfast/server/catalog"
	"holdfast/server/control"
	"holdfast/sync/fault"
)

type catalogShowCmd struct{ running }

// Run prints the running catalogue.
func (c catalogShowCmd) Run(ctx context.Context) error {
	var text []byte
	if err := c.call(ctx, http.MethodGet, "/catalog", nil, &text); err != nil {
		return err
	}
	_, err := os.Stdout.Write(text)
	return err
}

type catalogPlanCmd struct {
	running
	File string `arg:"" help:"The catalogue, a YAML file; - is standard input."`
}

// Run shows what would change.
func (c catalogPlanCmd) Run(ctx context.Context) error {
	text, err := whole(c.File)
	if err != nil {
		return err
	}
	_, err = plan(ctx, c.running, text)
	return err
}

func whole(name string) ([]byte, error) {
	in, err := input(name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	b, err := io.ReadAll(in)
	return b, fault.As("main.whole", fault.Invalid, err)
}

// plan asks the hub and prints the answer; a refused catalogue is an error.
func plan(ctx context.Context, r running, text []byte) (changes int, err error) {
	var p control.Planned
	if err := r.call(ctx, http.MethodPost, "/catalog/plan", text, &p); err != nil {
		return 0, err
	}
	for _, x := range p.Changes {
		printChange(x)
	}
	switch {
	case p.Refused != "":
		return 0, fault.Errorf("main.plan", fault.Conflict, "%s", p.Refused)
	case len(p.Changes) == 0:
		fmt.Println("nothing changes")
	}
	return len(p.Changes), nil
}

func printChange(x catalog.Change) {
	mark := "  "
	if x.Refused {
		mark = "! "
	}
	fmt.Printf("%s%s\n", mark, x.Text)
	if x.Subscribers == 0 {
		return
	}
	fmt.Printf("    %d subscribed", x.Subscribers)
	if x.Kind == "new-version" {
		fmt.Print(", who stay on the version that they have")
	}
	fmt.Println(":")
	for _, w := range x.Who {
		fmt.Printf("    - %s (%s), version %d\n", w.Name, w.ID, w.Version)
	}
	if more := x.Subscribers - len(x.Who); more > 0 {
		fmt.Printf("    - and %d more\n", more)
	}
}

type catalogApplyCmd struct {
	running
	File string `arg:"" help:"The catalogue, a YAML file; - is standard input."`
	Yes  bool   `help:"Do not ask."`
}

// Run shows what changes, asks, and applies it.
func (c catalogApplyCmd) Run(ctx context.Context) error {
	text, err := whole(c.File)
	if err != nil {
		return err
	}
	n, err := plan(ctx, c.running, text)
	if err != nil {
		return err
	}
	if ok, err := confirm(c.Yes, c.File, fmt.Sprintf("Apply %d changes?", n)); !ok {
		return err
	}
	var p control.Planned
	if err := c.call(ctx, http.MethodPost, "/catalog/apply", text, &p); err != nil {
		return err
	}
	if p.Refused != "" { // somebody subscribed in between
		return fault.Errorf("main.apply", fault.Conflict, "%s", p.Refused)
	}
	_, err = fmt.Println("applied")
	return err
}

// confirm asks at a terminal; elsewhere --yes must have been said.
func confirm(yes bool, file, question string) (bool, error) {
	const op = "main.confirm"
	if yes {
		return true, nil
	}
	if s, err := os.Stdin.Stat(); err != nil || s.Mode()&os.ModeCharDevice == 0 || file == "-" {
		return false, fault.Errorf(op, fault.Invalid, "There is nobody to ask. Say --yes to go on.")
	}
	fmt.Printf("%s Type yes to go on: ", question)
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != "yes" {
		return false, fault.Errorf(op, fault.Invalid, "Nothing was changed.")
	}
	return true, nil
}

type catalogMigrateCmd struct {
	running
	Plan string `arg:"" help:"The plan's id."`
	From int    `help:"The version whose subscribers move; all but --to if it is not given."`
	To   int    `help:"The version to which they move; the one for sale if it is not given."`
	When string `enum:"end,now" default:"end" help:"end: with each one's next period. now: at once, prorated."`
	Yes  bool   `help:"Do not ask."`
}

// Run shows who moves, asks, and moves them.
func (c catalogMigrateCmd) Run(ctx context.Context) error {
	m := biller.Migration{Plan: c.Plan, From: c.From, To: c.To, When: c.When, Dry: true}
	var list []biller.Migrated
	if err := c.call(ctx, http.MethodPost, "/catalog/migrate", m, &list); err != nil {
		return err
	}
	if len(list) == 0 {
		_, err := fmt.Println("nobody moves")
		return err
	}
	printMigrated(list)
	if ok, err := confirm(c.Yes, "", fmt.Sprintf("Move %d subscribers?", len(list))); !ok {
		return err
	}
	m.Dry, list = false, nil
	if err := c.call(ctx, http.MethodPost, "/catalog/migrate", m, &list); err != nil {
		return err
	}
	_, err := fmt.Printf("%d moved\n", printMigrated(list))
	return err
}

func printMigrated(list []biller.Migrated) (moved int) {
	for _, x := range list {
		text := ""
		switch {
		case x.Refused != "":
			text = ", stays: " + x.Refused
		case x.DueNow != "":
			text = ", due now: " + x.DueNow
		}
		if x.Refused == "" {
			moved++
		}
		fmt.Printf("  %s (%s), version %d%s\n", x.Name, x.ID, x.Version, text)
	}
	return moved
}
