package host

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-plugin/runner"
)

// drainPipes is how long the output of an ended process is still read. It matters only if something that left the process's
// group holds the pipes open.
const drainPipes = 2 * time.Second

// maxFirstLine bounds what is kept of the line that a process prints to say where it listens.
const maxFirstLine = 16 << 10

// process runs a connector's program for go-plugin. go-plugin's own runner would do but for three things: it kills the process and
// not what the process started; it notices the end of a process only when nothing holds its output open any more; and
// it keeps the process's first words, which say what is wrong with a program that is no connector, to itself.
type process struct {
	cmd            *exec.Cmd
	path           string   // the program's, for people
	stdout, stderr *os.File // our ends
	first          *firstLine
	life           *os.File // our end of the pipe whose end tells the process that we are gone
	pid            int

	// secrets are what the process was configured with, and must not be shown of what it says.
	secrets atomic.Pointer[secrets]

	done    chan struct{} // closed when the process has ended
	waitErr error         // why, once done is closed

	mu     sync.Mutex
	ended  bool // reaped: the pid is not ours any more
	killed bool // by us
}

var _ runner.Runner = (*process)(nil)

// newProcess prepares a process of the program at the path, which is the command's or a copy; its environment is set later.
func newProcess(path string, c Command) *process {
	cmd := &exec.Cmd{Path: path, Args: append([]string{c.Path}, c.Args...)}
	return &process{cmd: cmd, path: c.Path, first: &firstLine{}, done: make(chan struct{})}
}

// Start implements [runner.Runner].
func (p *process) Start(context.Context) error {
	outR, outW, err := os.Pipe()
	if err != nil {
		return err
	}
	errR, errW, err := os.Pipe()
	if err != nil {
		return errors.Join(err, outR.Close(), outW.Close())
	}
	p.stdout, p.stderr = outR, errR
	p.cmd.Stdout, p.cmd.Stderr = outW, errW
	started := make(chan error)
	go func() {
		// Linux ends a process whose parent-death signal is set when the thread that started it ends, so that thread stays.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.start()
		_, _ = outW.Close(), errW.Close()
		started <- err
		if err == nil {
			p.wait()
		}
	}()
	if err := <-started; err != nil {
		return errors.Join(err, outR.Close(), errR.Close())
	}
	return nil
}

func (p *process) start() error {
	closeChildEnd, err := p.prepare()
	if err != nil {
		return err
	}
	defer closeChildEnd()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.killed {
		return errors.New("stopped before it was started")
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	p.pid = p.cmd.Process.Pid
	return nil
}

// wait waits for the end of the process and takes everything with it that it started.
func (p *process) wait() {
	err := p.cmd.Wait()
	p.mu.Lock()
	p.ended, p.waitErr = true, err
	killGroup(p.pid) // at once, before the number can be given to another process
	p.mu.Unlock()
	if p.life != nil {
		_ = p.life.Close()
	}
	time.AfterFunc(drainPipes, func() { _, _ = p.stdout.Close(), p.stderr.Close() })
	close(p.done)
}

// Kill implements [runner.AttachedRunner]. It ends the process and everything that it started, and does not wait.
func (p *process) Kill(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.killed = true
	if p.ended || p.pid == 0 {
		return nil
	}
	killGroup(p.pid)
	if err := p.cmd.Process.Kill(); !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// Wait implements [runner.AttachedRunner].
func (p *process) Wait(context.Context) error {
	<-p.done
	return p.waitErr
}

// exit says how the process ended, once done is closed; ours says that it was killed by us and did not end by itself.
func (p *process) exit() (how string, ours bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waitErr == nil {
		return "exit status 0", false
	}
	var exit *exec.ExitError
	signaled := errors.As(p.waitErr, &exit) && exit.ExitCode() == -1
	return p.waitErr.Error(), p.killed && signaled
}

// Stdout implements [runner.Runner].
func (p *process) Stdout() io.ReadCloser { return teeCloser{io.TeeReader(p.stdout, p.first), p.stdout} }

// Stderr implements [runner.Runner].
func (p *process) Stderr() io.ReadCloser { return newLogLines(p.stderr, p.secrets.Load) }

// Name implements [runner.Runner].
func (p *process) Name() string { return p.path }

// ID implements [runner.AttachedRunner].
func (p *process) ID() string { return strconv.Itoa(p.pid) }

// Diagnose implements [runner.Runner]. The host makes its own errors.
func (p *process) Diagnose(context.Context) string { return "" }

// PluginToHost implements [runner.AddrTranslator]: both are on the same machine.
func (p *process) PluginToHost(network, addr string) (string, string, error) {
	return network, addr, nil
}

// HostToPlugin implements [runner.AddrTranslator].
func (p *process) HostToPlugin(network, addr string) (string, string, error) {
	return network, addr, nil
}

type teeCloser struct {
	io.Reader
	io.Closer
}

// firstLine keeps the first line written to it.
type firstLine struct {
	mu   sync.Mutex
	line strings.Builder
	full bool
}

// Write implements [io.Writer] and never fails.
func (f *firstLine) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.full {
		return len(b), nil
	}
	text, _, found := strings.Cut(string(b), "\n")
	f.line.WriteString(text)
	f.full = found || f.line.Len() > maxFirstLine
	return len(b), nil
}

func (f *firstLine) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.TrimSpace(f.line.String())
}
