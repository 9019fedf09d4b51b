//go:build unix

package command_test

import (
	"context"
	"strings"
	"testing"

	"github.com/durasync/durasync/internal/command"
)

func TestOutput(t *testing.T) {
	got, err := command.Output(t.Context(), "sh", "-c", "echo noise >&2; printf 'secret\n'")
	if err != nil || got != "secret\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestFailures(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"says why":   {[]string{"sh", "-c", "echo hunter2; printf 'permission\ndenied\n' >&2; exit 3"}, "sh: exit status 3: permission denied"},
		"is silent":  {[]string{"sh", "-c", "echo hunter2; exit 3"}, "sh: exit status 3, and it does not say why"},
		"is missing": {[]string{"durasync-no-such-command"}, "durasync-no-such-command"},
	} {
		got, err := command.Output(t.Context(), tc.args[0], tc.args[1:]...)
		if err == nil || got != "" || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("a command that %s: got %q and error %v, want one that says %q and nothing of the output", name, got, err, tc.want)
		}
	}
}

func TestCommandsEndWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := command.Output(ctx, "sh", "-c", "while :; do :; done"); err == nil || !strings.Contains(err.Error(), "context canceled") {
		t.Errorf("got error %v", err)
	}
}

func TestTooMuchOutput(t *testing.T) {
	_, err := command.Output(t.Context(), "sh", "-c", "head -c 2000000 /dev/zero")
	if err == nil || !strings.Contains(err.Error(), "printed more than 1048576 bytes") {
		t.Errorf("got error %v", err)
	}
}
