// Package command runs the commands that a configuration names to get secrets from, such as a vault's.
package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

const (
	// timeout bounds a command: a worker waits for it when it starts.
	timeout = 15 * time.Second

	// maxOutput is the most that a command may print, in bytes.
	maxOutput = 1 << 20

	// maxComplaint is how much of what a failed command says on its standard error is shown, in bytes.
	maxComplaint = 500
)

// Output runs a command, with this process's environment and without a shell, and returns what it prints. What it prints never appears
// in an error; the end of what it says on standard error does if it fails, because that is where vaults say why.
func Output(ctx context.Context, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("it did not end within %v", timeout))
	defer cancel()
	var stdout, stderr limited
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second // for children that keep its output open
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("%s: %w", name, context.Cause(ctx))
	case is[*exec.ExitError](err):
		return "", fmt.Errorf("%s: %w%s", name, err, complaint(stderr.String()))
	case err != nil: // it was not found, or cannot be run
		return "", fmt.Errorf("%s: %w", name, err)
	case stdout.cut:
		return "", fmt.Errorf("%s: it printed more than %d bytes", name, maxOutput)
	}
	return stdout.String(), nil
}

func is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}

// complaint is the end of what a command said, in one line.
func complaint(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if text == "" {
		return ", and it does not say why"
	}
	if n := len(text) - maxComplaint; n > 0 {
		text = "..." + strings.ToValidUTF8(text[n:], "")
	}
	return ": " + text
}

// limited keeps the first bytes written to it.
type limited struct {
	kept bytes.Buffer // no embedded one, whose ReadFrom would know no limit
	cut  bool
}

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	room := maxOutput - l.kept.Len()
	l.cut = l.cut || len(p) > room
	l.kept.Write(p[:min(len(p), room)])
	return len(p), nil
}

// String returns what was kept.
func (l *limited) String() string { return l.kept.String() }
