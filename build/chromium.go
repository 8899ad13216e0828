package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// chromium sees that a Chromium is there for the browser tests. As root on Debian it installs the missing package,
// since a fresh container has no person to ask; anyone else gets one line to run.
func chromium(ctx context.Context) error {
	if os.Getenv("CHROMIUM") != "" {
		return nil // the tests themselves say when it is wrong
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if _, err := exec.LookPath(name); err == nil {
			return nil
		}
	}
	missing := errors.New("the browser tests need Chromium: apt-get install chromium (or set CHROMIUM to its path)")
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return missing
	}
	say("installing the Debian package chromium, which the browser tests need")
	for _, args := range [][]string{{"update", "-qq"}, {"install", "-y", "-qq", "--no-install-recommends", "chromium"}} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if msg, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w\napt-get %s: %w\n%s", missing, args[0], err, msg)
		}
	}
	say("installed chromium")
	return nil
}
