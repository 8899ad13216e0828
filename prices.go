package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"holdfast/server/catalog"
	"holdfast/server/simulate"
	"holdfast/sync/fault"
)

type simulateCmd struct {
	File    string `arg:"" optional:"" help:"The simulation, a YAML file; - is standard input."`
	JSON    bool   `help:"Print everything as JSON instead of a table."`
	Papers  string `help:"Also write every invoice and credit note as HTML, PDF and e-invoice (EN 16931), and tables for accountants as CSV, into this folder." placeholder:"DIR"`
	Example bool   `help:"Print a documented example to start from."`
}

// Run tries prices: it plays a file and prints what it comes to.
func (c simulateCmd) Run(ctx context.Context) error {
	if c.Example {
		_, err := fmt.Print(simulate.Example)
		return err
	}
	in, err := input(c.File)
	if err != nil {
		return err
	}
	defer in.Close()
	o := simulate.Options{Out: os.Stdout, Open: func(name string) (io.ReadCloser, error) {
		if !filepath.IsAbs(name) && c.File != "-" {
			name = filepath.Join(filepath.Dir(c.File), name)
		}
		return os.Open(name)
	}}
	if c.JSON {
		o.Format = "json"
	}
	if c.Papers != "" {
		if err := os.MkdirAll(c.Papers, 0o755); err != nil {
			return fault.Errorf("main.simulate", fault.Invalid, "%s", err)
		}
		o.Save = func(name string, b []byte) error { return os.WriteFile(filepath.Join(c.Papers, name), b, 0o644) }
	}
	return simulate.Run(ctx, in, o)
}

func input(name string) (io.ReadCloser, error) {
	switch name {
	case "":
		return nil, fault.Errorf("main.input", fault.Invalid, "name a file; --example prints one to start from")
	case "-":
		return io.NopCloser(os.Stdin), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fault.Errorf("main.input", fault.NotFound, "%s", err)
	}
	return f, nil
}

type catalogCmd struct {
	Show    catalogShowCmd    `cmd:"" help:"Print the catalogue that the running hub sells by."`
	Plan    catalogPlanCmd    `cmd:"" help:"Show what a catalogue would change in the running hub, and for whom. Nothing changes."`
	Apply   catalogApplyCmd   `cmd:"" help:"Sell by a catalogue from now on, in the running hub and after a restart. Subscribers stay on their versions."`
	Migrate catalogMigrateCmd `cmd:"" help:"Move the subscribers of a plan's older versions to another version."`
	Check   catalogCheckCmd   `cmd:"" help:"Check a catalogue of plans and prices; every problem is named with its line."`
	Compare catalogCompareCmd `cmd:"" help:"Show what a new catalogue would change against an old one, and what it may not."`
	Example catalogExampleCmd `cmd:"" help:"Print a documented catalogue with one of everything."`
}

type catalogCheckCmd struct {
	File string `arg:"" help:"The catalogue, a YAML file; - is standard input."`
}

func read(name string) (*catalog.Catalog, error) {
	in, err := input(name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return catalog.Parse(in)
}

// Run checks a catalogue.
func (c catalogCheckCmd) Run() error {
	k, err := read(c.File)
	if err != nil {
		return err
	}
	_, err = fmt.Printf("%s is good: %d plans, %d add-ons, %d meters, %d coupons\n", c.File, len(k.Plans), len(k.Addons), len(k.Meters), len(k.Coupons))
	return err
}

type catalogCompareCmd struct {
	Old string `arg:"" help:"The catalogue as it is."`
	New string `arg:"" help:"The catalogue as it should be."`
}

// Run compares two catalogues.
func (c catalogCompareCmd) Run() error {
	old, err := read(c.Old)
	if err != nil {
		return err
	}
	next, err := read(c.New)
	if err != nil {
		return err
	}
	changes, err := catalog.Compare(old, next, time.Now(), func(string, int) []catalog.Subscriber { return nil })
	for _, x := range changes {
		mark := "  "
		if x.Refused {
			mark = "! "
		}
		fmt.Printf("%s%s\n", mark, x.Text)
	}
	if err == nil && len(changes) == 0 {
		fmt.Println("nothing changes")
	}
	return err
}

type catalogExampleCmd struct{}

// Run prints the example.
func (catalogExampleCmd) Run() error {
	_, err := fmt.Print(catalog.Example)
	return err
}
