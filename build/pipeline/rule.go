package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// RulesDir is the folder of the rules in AssemblyScript, relative to the root. Its compiler is installed when it is needed.
const RulesDir = "wasm/rules"

// Rule compiles one of them, as the README there says.
func Rule(ctx context.Context, root, name string, log func(string, ...any)) ([]byte, error) {
	dir := filepath.Join(root, RulesDir)
	if err := NPM(ctx, dir, log); err != nil {
		return nil, err
	}
	out, err := os.CreateTemp("", "holdfast-rule-*.wasm")
	if err != nil {
		return nil, fmt.Errorf("pipeline.Rule: %w", err)
	}
	out.Close()
	defer os.Remove(out.Name())
	cmd := exec.CommandContext(ctx, "node", "node_modules/assemblyscript/bin/asc.js", name+".ts", "--outFile", out.Name(), "-O", "--runtime", "stub", "--use", "abort=")
	cmd.Dir = dir
	if msg, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("the rule %s cannot be compiled: %w\n%s", name, err, bytes.TrimSpace(msg))
	}
	return os.ReadFile(out.Name())
}
