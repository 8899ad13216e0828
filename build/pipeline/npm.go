package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// SQLiteWasm is the official SQLite build as npm unpacks it, relative to the root.
const SQLiteWasm = "node_modules/@sqlite.org/sqlite-wasm/dist/sqlite3.wasm"

// npmStamp records which lock file node_modules was installed from.
const npmStamp = "node_modules/.holdfast-lock"

// NPM installs the packages of package-lock.json under root unless that is done already.
func NPM(ctx context.Context, root string, log func(string, ...any)) error {
	start := time.Now()
	want, err := os.ReadFile(filepath.Join(root, "package-lock.json"))
	if err != nil {
		return fmt.Errorf("pipeline.NPM: %w", err)
	}
	stamp := filepath.Join(root, npmStamp)
	if got, err := os.ReadFile(stamp); err == nil && bytes.Equal(got, want) {
		return nil
	}
	if _, err := exec.LookPath("npm"); errors.Is(err, exec.ErrNotFound) {
		return errors.New("npm is missing: install Node 20 or newer with npm (Debian packages: nodejs npm)")
	}
	log("installing npm packages")
	// The packages' minimum Node version concerns running them in Node; here they are only bundled.
	cmd := exec.CommandContext(ctx, "npm", "ci", "--loglevel=error", "--no-progress", "--ignore-scripts")
	cmd.Dir = root
	if msg, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci failed (%w); check the network and try again:\n%s", err, bytes.TrimSpace(msg))
	}
	log("installed npm packages in %s", since(start))
	return writeFile(stamp, want)
}
