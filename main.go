// Command holdfast is a work tracker that never waits for the network: every part of it, in one binary.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"holdfast/server/vies"
	"holdfast/sync/fault"
)

// closeMax is how long a shutdown may take before the process ends anyway.
const closeMax = 15 * time.Second

type cli struct {
	LogLevel string `enum:"debug,info,warn,error" default:"warn" env:"HOLDFAST_LOG_LEVEL" help:"How much to log: ${enum}."`
	LogJSON  bool   `env:"HOLDFAST_LOG_JSON" help:"Log as JSON lines."`

	Dev      devCmd      `cmd:"" help:"Run everything in one process on this machine: the hub and one edge per region."`
	Edge     edgeCmd     `cmd:"" help:"Run one region's edge: serves the app, syncs its people, links to the hub."`
	Hub      hubCmd      `cmd:"" help:"Run the hub: people, workspaces, usage. Edges link to it."`
	Link     linkCmd     `cmd:"" help:"Cut, mute, slow or heal a region's link to the hub in a running 'holdfast dev'."`
	Simulate simulateCmd `cmd:"" help:"Try prices: play a file of plans, customers and events, and print invoices, ledger and revenue."`
	Catalog  catalogCmd  `cmd:"" help:"Check, compare and apply catalogues of plans and prices."`
	Operator operatorCmd `cmd:"" help:"Say who runs the whole installation and sees its operator's pages."`
	Mail     mailCmd     `cmd:"" help:"Mails that a running hub sent, tries to send or keeps."`
	Webhook  webhookCmd  `cmd:"" help:"Webhooks of the operator in a running hub."`
	Limit    limitCmd    `cmd:"" help:"Grant one workspace more, or less, than its plan does."`
	Clock    clockCmd    `cmd:"" help:"Let a workspace's billing run on a test clock, and move it."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

func main() {
	var c cli
	k := kong.Parse(&c, kong.Name("holdfast"), kong.ShortUsageOnError(), kong.Vars{"vies_url": vies.URL},
		kong.Description("A work tracker that never waits for the network. Start with 'holdfast dev' and open the address it prints."))
	log := newLog(c.LogLevel, c.LogJSON)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	k.BindTo(ctx, (*context.Context)(nil))
	if err := k.Run(log); err != nil {
		fmt.Fprintln(os.Stderr, "holdfast:", sentence(err))
		log.Debug("failed", "err", err)
		os.Exit(1)
	}
}

func newLog(level string, json bool) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // kong has checked it
	o := &slog.HandlerOptions{Level: l}
	if json {
		return slog.New(slog.NewJSONHandler(os.Stderr, o))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, o))
}

// sentence is what a person at a terminal needs of an error: the text meant for people, or all of it.
func sentence(err error) string {
	if d := fault.DetailOf(err); d != "" {
		return d
	}
	return err.Error()
}

type versionCmd struct{}

// Run prints what `go build` recorded.
func (versionCmd) Run() error {
	version, revision := "devel", ""
	if b, ok := debug.ReadBuildInfo(); ok {
		if b.Main.Version != "" && b.Main.Version != "(devel)" {
			version = b.Main.Version
		}
		for _, s := range b.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				revision = " " + s.Value[:12]
			}
		}
	}
	_, err := fmt.Printf("holdfast %s%s\n", version, revision)
	return err
}

// node is a part that was opened and must be closed.
type node interface {
	Close(ctx context.Context) error
}

// closeAll ends parts in reverse order of their opening, within closeMax.
func closeAll(log *slog.Logger, nodes []node) error {
	ctx, cancel := context.WithTimeout(context.Background(), closeMax)
	defer cancel()
	var all error
	for i := len(nodes) - 1; i >= 0; i-- {
		all = errors.Join(all, nodes[i].Close(ctx))
	}
	if all != nil {
		log.Error("shutdown was not clean", "err", all)
	}
	return all
}
