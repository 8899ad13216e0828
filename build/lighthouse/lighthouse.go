// Package lighthouse looks at pages of a running Holdfast as the npm package lighthouse does, in Debian's Chromium.
//
// Accessibility and best practices come out the same every time and are held by a test; performance depends on the
// machine and its load, and is measured by the benchmark.
package lighthouse

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"holdfast/build/browser"
	"holdfast/build/pipeline"
)

// Dir holds the script and its packages, relative to the root. They are 190 MB, so that only Look installs them.
const Dir = "build/lighthouse"

// Min is what every score must be (targets.md).
const Min = 95

// Visit is one page to look at.
type Visit struct {
	Name    string // for people: "sign-in, wide"
	URL     string
	Session string // of who is signed in; "" for nobody
	Desktop bool   // a wide screen and a good line; otherwise a middling phone on slow 4G, as Lighthouse imagines it
}

// Report is what Lighthouse says of a visit: scores from 0 to 100, and what it would mend.
type Report struct {
	Address  string         // where the visit ended
	Scores   map[string]int // by category
	Findings []string
}

// What a page is judged by. Performance depends on the machine, the others do not.
const (
	Performance   = "performance"
	Accessibility = "accessibility"
	Practices     = "best-practices"
)

// Config says what to look at.
type Config struct {
	Root       string // folder of go.mod
	Cookie     string // name of the one that a session goes into
	Visits     []Visit
	Categories []string
	Log        func(format string, a ...any) // a line of progress
}

// Look visits pages one after the other, each in a profile of its own.
func Look(ctx context.Context, c Config) ([]Report, error) {
	dir := filepath.Join(c.Root, Dir)
	if err := pipeline.NPM(ctx, dir, c.Log); err != nil {
		return nil, err
	}
	chromium, err := browser.Path()
	if err != nil {
		return nil, err
	}
	in := map[string]any{"chromium": chromium, "cookie": c.Cookie, "visits": c.Visits, "categories": c.Categories, "root": os.Geteuid() == 0}
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "node", "look.mjs")
	cmd.Dir, cmd.Stdin, cmd.Stderr = dir, bytes.NewReader(body), &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("lighthouse: %w\n%s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	var reports []Report
	if err := json.Unmarshal(out, &reports); err != nil {
		return nil, fmt.Errorf("lighthouse: %w", err)
	}
	if len(reports) != len(c.Visits) {
		return nil, fmt.Errorf("lighthouse: %d reports of %d visits", len(reports), len(c.Visits))
	}
	return reports, nil
}
