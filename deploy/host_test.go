// Package deploy tests the Compose file, the Kubernetes manifests, the systemd unit and the image's recipe: what they say, and that
// the program does what they want of it. There are no containers here: their commands run on this machine, with their environment and
// with the files that they would see.
package deploy

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait. It is far longer than anything takes, and is reached only by a test that fails.
const patience = 3 * time.Minute

// program is the path of the durasync binary under test, with its embedded server: make build makes it.
func program(t *testing.T) string {
	t.Helper()
	path := os.Getenv("DURASYNC_BIN")
	if path == "" {
		t.Fatal("DURASYNC_BIN does not name the program; run make check-deploy")
	}
	return path
}

// container is what a service of Compose or a container of a pod runs.
type container struct {
	name   string
	args   []string          // of durasync
	env    map[string]string // besides the image's
	mounts map[string]string // path in the container -> file or directory of this machine
}

// host is this machine, which stands in for containers and the networks between them.
type host struct {
	t        *testing.T
	stand    map[string]string // what stands in a file -> what it is here, such as an address
	temporal string            // address of the Temporal server
	ui       string            // URL of its web UI
}

// newHost starts a Temporal server.
func newHost(t *testing.T) *host {
	t.Helper()
	h := &host{t: t, stand: map[string]string{}}
	server := h.start(container{name: "temporal", args: []string{"server", "--json", "--port", "0", "--ui-port", "0"}}, nil)
	var at struct{ Address, UI string }
	if err := json.Unmarshal([]byte(server.line(`"address"`)), &at); err != nil {
		t.Fatal(err)
	}
	h.temporal, h.ui = at.Address, at.UI
	return h
}

// here replaces in a text what is elsewhere on this machine: the container's files, and what stand says.
func (h *host) here(c container, stand map[string]string, text string) string {
	all := maps.Clone(h.stand)
	maps.Copy(all, c.mounts)
	maps.Copy(all, stand)
	var pairs []string
	for _, k := range slices.SortedFunc(maps.Keys(all), func(a, b string) int { return len(b) - len(a) }) {
		pairs = append(pairs, k, all[k])
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// command is a container's command on this machine.
func (h *host) command(ctx context.Context, c container, stand map[string]string) *exec.Cmd {
	h.t.Helper()
	var args []string
	for _, a := range c.args {
		args = append(args, h.here(c, stand, a))
	}
	cmd := exec.CommandContext(ctx, program(h.t), args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + h.t.TempDir(), "TMPDIR=" + h.t.TempDir(), "NO_COLOR=1"}
	for k, v := range c.env {
		cmd.Env = append(cmd.Env, k+"="+h.here(c, stand, v))
	}
	cmd.Dir = h.t.TempDir() // /jobs, where the image works, if nothing is there
	if jobs := c.mounts["/jobs"]; jobs != "" {
		cmd.Dir = jobs
	}
	return cmd
}

// jobs copies a directory of job files, with the paths and hosts in them as they are here.
func (h *host) jobs(c container, dir string) string {
	h.t.Helper()
	to := h.t.TempDir()
	for _, name := range files(h.t, dir) {
		write(h.t, filepath.Join(to, name), h.here(c, nil, read(h.t, filepath.Join(dir, name))))
	}
	return to
}

// process is a container that runs.
type process struct {
	t     *testing.T
	name  string
	cmd   *exec.Cmd
	lines chan string // of standard output
	ended chan struct{}

	mu     sync.Mutex
	stderr bytes.Buffer
}

// Write takes standard error.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.Write(b)
}

func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.String()
}

// start starts a container. It is killed at the end of the test if it still runs.
func (h *host) start(c container, stand map[string]string) *process {
	h.t.Helper()
	p := &process{t: h.t, name: c.name, cmd: h.command(context.Background(), c, stand), lines: make(chan string, 10_000)}
	p.ended = make(chan struct{})
	p.cmd.Stderr = p
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	go func() {
		for scan := bufio.NewScanner(stdout); scan.Scan(); {
			p.lines <- scan.Text()
		}
		close(p.lines)
		_ = p.cmd.Wait() // ProcessState has the exit code
		close(p.ended)
	}()
	h.t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it may be gone already
		<-p.ended
	})
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
				p.t.Fatalf("%s ended before it said %q:\n%s", p.name, text, p.said())
			}
			if strings.Contains(l, text) {
				return l
			}
		case <-deadline:
			p.t.Fatalf("%s did not say %q:\n%s", p.name, text, p.said())
		}
	}
}

// stop ends the container as an orchestrator does, and returns its exit code.
func (p *process) stop() int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatalf("%s ended by itself:\n%s", p.name, p.said())
	}
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		p.t.Fatalf("%s does not end when it is told to:\n%s", p.name, p.said())
		return -1
	}
}

// answers waits until a URL answers with 2xx.
func (p *process) answers(url string) {
	p.t.Helper()
	until(p.t, p.name+" answers at "+url, func() error {
		select {
		case <-p.ended:
			p.t.Fatalf("%s ended before it answered at %s:\n%s", p.name, url, p.said())
		default:
		}
		_, err := get(url)
		return err
	})
}

// run runs a container to its end.
func (h *host) run(c container, stand map[string]string) (code int, stdout, stderr string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	cmd := h.command(ctx, c, stand)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		h.t.Fatalf("%s: %v\n%s%s", c.name, err, &out, &errs)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// ok runs a container that must succeed.
func (h *host) ok(c container, stand map[string]string) string {
	h.t.Helper()
	code, stdout, stderr := h.run(c, stand)
	if code != 0 {
		h.t.Fatalf("durasync %s: exit code %d\n%s%s", strings.Join(c.args, " "), code, stdout, stderr)
	}
	return stdout
}

// until waits for a condition.
func until(t *testing.T, what string, met func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := met()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("never: %s: %v", what, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// get returns what a URL answers with 2xx.
func get(url string) (string, error) {
	resp, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("status %d: %s", resp.StatusCode, b)
	}
	return string(b), err
}

// freePort returns a port of 127.0.0.1 that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// files returns the names of the files in a directory.
func files(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.Type()&fs.ModeType == 0 {
			names = append(names, e.Name())
		}
	}
	return names
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
