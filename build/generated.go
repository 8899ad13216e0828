package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// generated fails when `go generate` changes a file that is in version control: then what is committed is not what the
// sources say.
func generated(ctx context.Context, root string) error {
	diff := func() (string, error) {
		cmd := exec.CommandContext(ctx, "git", "diff")
		cmd.Dir = root
		out, err := cmd.Output()
		if err != nil {
			return "", fmt.Errorf("git diff: %w", err)
		}
		return string(out), nil
	}
	before, err := diff()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "generate", "./...")
	cmd.Dir = root
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go generate: %w", err)
	}
	after, err := diff()
	if err != nil {
		return err
	}
	if before != after {
		return fmt.Errorf("generated files were out of date; they are up to date now: look at git diff and commit them")
	}
	return nil
}
