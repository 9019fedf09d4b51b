package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/durasync/durasync/internal/sandbox"
)

// mistaken is a job file with mistakes of several kinds.
const mistaken = `
job "meetings" {
  source {
    connection = connection.gong.acme
    stream     = "cals"
    initial    = "7 days"
    where      = call.scop == "External"
  }
  destination {
    connection = connection.totango.succes
    object     = "touchpoint"
  }
  schedule { daily = "25:00" }
}
`

// TestScreens runs every command three times: on a terminal, on a terminal of somebody who wants no colours, and through a pipe.
func TestScreens(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.env = slices.DeleteFunc(s.env, func(kv string) bool { return kv == "NO_COLOR=1" })
	s.company(sandbox.Size{})
	mistakes := &system{t: t, dir: t.TempDir()}
	mistakes.write("jobs.hcl", mistaken)
	coloured := false
	screens := func(code int, args ...string) {
		t.Helper()
		what := fmt.Sprint(args)
		for _, wanted := range []bool{true, false} {
			env := s.env
			if !wanted {
				env = with(env, "NO_COLOR", "1")
			}
			got, text := runOnTerminal(t, env, args...)
			if got != code {
				t.Errorf("%s: exit code %d, want %d\n%s", what, got, code, text)
			}
			checkWidth(t, what, lines(strings.ReplaceAll(text, mistakes.dir, "DIR")))
			has := colour.MatchString(text)
			coloured = coloured || has
			if has && !wanted {
				t.Errorf("%s: a colour in spite of NO_COLOR:\n%q", what, text)
			}
		}
		r := s.run(args...)
		if r.code != code {
			t.Errorf("%s: exit code %d, want %d\n%s%s", what, r.code, code, r.stdout, r.stderr)
		}
		checkPlain(t, what, r.stdout+r.stderr)
	}

	screens(0, "version")
	screens(2, "synch")
	screens(2, "sync")
	screens(0, "validate", s.dir)
	screens(2, "validate", mistakes.dir)
	screens(0, "show", "meetings", "--dir", s.dir)
	screens(0, "status")
	screens(3, "doctor", s.dir) // nobody serves the connections
	screens(3, "apply", s.dir)

	s.worker()
	screens(0, "plan", s.dir)
	screens(0, "apply", s.dir)
	screens(0, "plan", s.dir)
	screens(0, "validate", "--connect", s.dir)
	screens(0, "doctor", s.dir)
	screens(0, "preview", "meetings", "--dir", s.dir, "-n", "5")
	screens(0, "sync", "meetings")
	screens(2, "sync", "meeting")
	screens(0, "status")
	screens(0, "status", "meetings")
	screens(0, "runs", "meetings")
	screens(0, "run", "show", "meetings")
	screens(0, "rejects", "meetings")
	screens(0, "retry", "meetings")
	screens(0, "pause", "meetings")
	screens(0, "resume", "meetings")
	screens(0, "backfill", "meetings", "--from", "2026-01-01", "--dry-run")
	if !coloured {
		t.Error("nothing has a colour, not even on a terminal: the test sees none")
	}
}

var (
	// colour is an escape sequence that changes how text looks, sequence is any that the program may use (ECMA-48, 5.4).
	colour   = regexp.MustCompile("\x1b\\[[0-9;]*m")
	sequence = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]")
)

// lines is what is on the screen one after the other: a line that is drawn again becomes lines of its own.
func lines(text string) string {
	return sequence.ReplaceAllString(strings.ReplaceAll(text, "\r", "\n"), "")
}

// runOnTerminal runs the program on a terminal of 80 columns and returns its exit code and what it writes.
func runOnTerminal(t testing.TB, env []string, args ...string) (int, string) {
	t.Helper()
	ours, theirs := openTerminal(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = append(slices.Clone(env), "TERM=xterm-256color"), theirs, theirs, theirs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = theirs.Close() // so that reading ends with the program
	out, err := io.ReadAll(ours)
	if err != nil && !errors.Is(err, unix.EIO) { // which is how a terminal ends
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("durasync %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return cmd.ProcessState.ExitCode(), strings.ReplaceAll(string(out), "\r\n", "\n")
}

// openTerminal returns both ends of a pseudo-terminal (pty(7)).
func openTerminal(t testing.TB) (ours, theirs *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ours.Close() })
	fd := int(ours.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(theirs.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
	return ours, theirs
}
