package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is the path of the durasync binary under test. It is built without the race detector: the tests watch it from outside,
// and the embedded server is slow to build with it.
var program string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	if program = os.Getenv("DURASYNC_BIN"); program != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "durasync-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program = filepath.Join(dir, "durasync")
	build := exec.Command("go", "build", "-o", program, "github.com/durasync/durasync/cmd/durasync")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build durasync:", err)
		return 1
	}
	return m.Run()
}

// patience bounds every wait of these tests. It is far longer than anything takes, and is reached only by a test that fails.
const patience = 3 * time.Minute

// result is how a command ended.
type result struct {
	code           int
	stdout, stderr string
}

// run runs the program to its end.
func run(t testing.TB, env []string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("durasync %s: %v\n%s%s", strings.Join(args, " "), err, &stdout, &stderr)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// process is a running command of the program.
type process struct {
	t      testing.TB
	cmd    *exec.Cmd
	lines  chan string // of standard output
	ended  chan struct{}
	err    error // set when ended is closed
	stderr lockedBuffer
}

// lockedBuffer is a buffer that a process may write to while a test reads it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// start starts the program. It is killed at the end of the test if it still runs.
func start(t testing.TB, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(program, args...), lines: make(chan string, 10_000), ended: make(chan struct{})}
	p.cmd.Env, p.cmd.Stderr = env, &p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		scan := bufio.NewScanner(stdout)
		scan.Buffer(nil, 1<<20)
		for scan.Scan() {
			p.lines <- scan.Text()
		}
		close(p.lines)
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(p.kill)
	return p
}

// line waits for a line of standard output that holds the text.
func (p *process) line(text string) string {
	p.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case l, ok := <-p.lines:
			if !ok {
				p.t.Fatalf("%s ended before it said %q:\n%s", p.cmd, text, &p.stderr)
			}
			if strings.Contains(l, text) {
				return l
			}
		case <-deadline:
			p.t.Fatalf("%s did not say %q:\n%s", p.cmd, text, &p.stderr)
		}
	}
}

// kill ends the process at once, as a crash does, and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may be gone already
	<-p.ended
}

// interrupt sends the signal of Ctrl-C and returns the exit code.
func (p *process) interrupt() int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		p.t.Fatal(err)
	}
	return p.wait()
}

// wait waits for the end and returns the exit code.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatalf("%s did not end:\n%s", p.cmd, &p.stderr)
	}
	return p.cmd.ProcessState.ExitCode()
}

// output waits for the end of standard output, however long it takes, and returns it.
func (p *process) output() string {
	var b strings.Builder
	for l := range p.lines {
		b.WriteString(l + "\n")
	}
	return b.String()
}

// rest waits for the end of standard output and returns what has come since the last line that was read.
func (p *process) rest() string {
	p.t.Helper()
	var b strings.Builder
	deadline := time.After(patience)
	for {
		select {
		case l, ok := <-p.lines:
			if !ok {
				return b.String()
			}
			b.WriteString(l + "\n")
		case <-deadline:
			p.t.Fatalf("%s did not end:\n%s", p.cmd, &p.stderr)
		}
	}
}

// decode decodes JSON that the program printed.
func decode[T any](t testing.TB, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("not the JSON that was expected: %v\n%s", err, text)
	}
	return v
}
