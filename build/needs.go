package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// need is a program that tests call, any of several names, and the Debian packages that bring it.
type need struct {
	what     string
	names    []string
	packages []string
}

var needs = []need{
	{"a browser", []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}, []string{"chromium"}},
	{"a C compiler, for the race detector", []string{"gcc", "clang"}, []string{"gcc", "libc6-dev"}},
}

// installNeeds sees that what the tests call is there. As root on Debian it installs what is missing, since a fresh
// container has nobody to ask; anyone else gets one line to run.
func installNeeds(ctx context.Context) error {
	if path := os.Getenv("CHROMIUM"); path != "" {
		if _, err := exec.LookPath(path); err != nil {
			return fmt.Errorf("CHROMIUM is set to %s, which cannot be run: %w", path, err)
		}
	}
	var missing, why []string
	for _, n := range needs {
		if !n.met() {
			missing = append(missing, n.packages...)
			why = append(why, n.what)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	line := fmt.Errorf("tests need %s: apt-get install %s", strings.Join(why, " and "), strings.Join(missing, " "))
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return line
	}
	say("installing what tests need: %s", strings.Join(missing, " "))
	for _, args := range [][]string{{"update", "-qq"}, append([]string{"install", "-y", "-qq", "--no-install-recommends"}, missing...)} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if msg, err := cmd.CombinedOutput(); err != nil {
			return errors.Join(line, fmt.Errorf("apt-get %s: %w\n%s", args[0], err, bytes.TrimSpace(msg)))
		}
	}
	say("installed %s", strings.Join(missing, " "))
	return nil
}

func (n need) met() bool {
	if n.names[0] == "chromium" && os.Getenv("CHROMIUM") != "" {
		return true
	}
	for _, name := range n.names {
		if _, err := exec.LookPath(name); err == nil {
			return true
		}
	}
	return false
}
