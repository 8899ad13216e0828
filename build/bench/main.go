// Command bench measures the figures of Holdfast beside its peers, writes build/bench/RESULTS.md, and prints one table.
//
//	go run ./build/bench [-only P1,P4] [-long]
//
// Each measurement is a function in this folder, registered in methods.go. It never fails a build: what cannot be
// measured is written down with the reason.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"holdfast/build/bench/figure"
)

// env is what a measurement is given.
type env struct {
	root string                        // folder of go.mod
	long bool                          // outages of minutes too
	say  func(format string, a ...any) // a line of progress
}

// resultsFile is written by a full run; a run of some figures only prints.
const resultsFile = "build/bench/RESULTS.md"

func main() {
	only := flag.String("only", "", "measure only these, such as P1,P4")
	long := flag.Bool("long", false, "also what takes minutes: outages of 200 s")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *only, *long); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string, long bool) error {
	mod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return fmt.Errorf("go env GOMOD: %w", err)
	}
	root := filepath.Dir(strings.TrimSpace(string(mod)))
	wanted, err := choose(only)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(programDir) }() // "" when nothing was built
	began, here := time.Now(), machine(ctx, root)
	var figures []figure.Figure
	var failures []figure.Failure
	for _, m := range wanted {
		start := time.Now()
		say := func(format string, a ...any) { fmt.Printf("%-4s %s\n", m.id, fmt.Sprintf(format, a...)) }
		say("measuring")
		got, err := m.run(ctx, env{root: root, long: long, say: say})
		if err != nil {
			say("not measured: %v", err)
			for _, err := range each(err) {
				failures = append(failures, figure.Failure{ID: m.id, Err: err})
			}
		} else {
			say("measured in %s", time.Since(start).Round(100*time.Millisecond))
		}
		figures = append(figures, got...)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	fmt.Printf("\nin %s\n\n%s", time.Since(began).Round(time.Second), figure.Table(figures))
	if only != "" {
		return nil
	}
	return os.WriteFile(filepath.Join(root, resultsFile), []byte(figure.Report(here, figures, methods(), failures)), 0o644)
}

// each takes apart what a measurement joined: a peer that failed beside others.
func each(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

func choose(only string) ([]measurement, error) {
	if only == "" {
		return measurements, nil
	}
	var wanted []measurement
	for id := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(measurements, func(m measurement) bool { return slices.Contains(strings.Fields(m.id), strings.TrimSpace(id)) })
		if i < 0 {
			var have []string
			for _, m := range measurements {
				have = append(have, strings.Fields(m.id)...)
			}
			return nil, fmt.Errorf("there is no measurement %q; there are %s", id, strings.Join(have, ", "))
		}
		if !slices.ContainsFunc(wanted, func(m measurement) bool { return m.id == measurements[i].id }) {
			wanted = append(wanted, measurements[i])
		}
	}
	return wanted, nil
}
