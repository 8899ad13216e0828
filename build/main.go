// Command build makes Holdfast from its sources.
//
//	go run ./build assets [-release]   compile, bundle and compress the web app into build/assets/dist
//	go run ./build binary [-release]   the same, then compile the program to bin/holdfast
//	go run ./build bench [P1 P6 …]     measure Holdfast beside its peers, all figures or some
//	go run ./build clean               remove what was built
//	go run ./build generated           see that generated files are up to date
//	go run ./build needs               see that what the tests call is installed; as root, install it
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"holdfast/build/pipeline"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

const usage = "usage: go run ./build assets [-release] | binary [-release] | bench [P1 P6 …] | clean | generated | needs"

func command(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("no command given\n%s", usage)
	}
	root, err := findRoot()
	if err != nil {
		return err
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	release := flags.Bool("release", false, "compress as far as possible (slower)")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "assets":
		return buildAssets(ctx, root, *release)
	case "binary":
		if err := buildAssets(ctx, root, *release); err != nil {
			return err
		}
		return buildBinary(ctx, root)
	case "bench":
		return bench(ctx, root, flags.Args())
	case "clean":
		return clean(root)
	case "generated":
		return generated(ctx, root)
	case "needs":
		return installNeeds(ctx)
	default:
		return fmt.Errorf("there is no command %q\n%s", args[0], usage)
	}
}

// say prints a line of progress with the time since the tool started.
func say(format string, a ...any) {
	fmt.Printf("%6.1fs  %s\n", time.Since(started).Seconds(), fmt.Sprintf(format, a...))
}

var started = time.Now()

func buildAssets(ctx context.Context, root string, release bool) error {
	m, err := pipeline.Build(ctx, pipeline.Config{Root: root, Release: release, Log: say})
	if err != nil {
		return err
	}
	var raw, wire int
	for _, e := range m.Entries {
		raw += e.Bytes
		wire += e.Wire()
	}
	say("web app %s: %d files, %.2f MB, %.2f MB over the wire", m.Version, len(m.Entries), float64(raw)/1e6, float64(wire)/1e6)
	return nil
}

func buildBinary(ctx context.Context, root string) error {
	say("compiling bin/holdfast")
	args := []string{"build", "-trimpath", "-o", "bin/holdfast"}
	if exec.CommandContext(ctx, "git", "-C", root, "status", "--porcelain").Run() != nil {
		args = append(args, "-buildvcs=false") // no git, no clone, or somebody else's: build without the commit's name
	}
	cmd := exec.CommandContext(ctx, "go", append(args, ".")...)
	cmd.Dir = root
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("bin/holdfast does not compile: %w", err)
	}
	say("bin/holdfast is ready")
	return nil
}

// bench measures with what is built: a program of its own, because it is made of the product and this tool must not be.
func bench(ctx context.Context, root string, only []string) error {
	cmd := exec.CommandContext(ctx, "go", "run", "./build/bench", "-only", strings.Join(only, ","))
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, os.Stdout, os.Stderr
	return cmd.Run()
}

func clean(root string) error {
	for _, path := range []string{"bin", pipeline.Dist + "/files", pipeline.Dist + "/manifest.json", pipeline.CacheDir, "node_modules", "build/bench/peers/node_modules", "build/lighthouse/node_modules"} {
		if err := os.RemoveAll(filepath.Join(root, path)); err != nil {
			return err
		}
	}
	return nil
}

// findRoot looks for go.mod upwards from the working directory.
func findRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	mod := strings.TrimSpace(string(out))
	if filepath.Base(mod) != "go.mod" {
		return "", fmt.Errorf("run this inside Holdfast's source tree")
	}
	return filepath.Dir(mod), nil
}
