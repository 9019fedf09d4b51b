//go:build unix

package host

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/internal/shim"
	"github.com/durasync/durasync/plugin/internal/wire"
)

// newPipe makes a named pipe. The channel is closed when all processes that held it are gone.
func newPipe(t *testing.T) (path string, gone <-chan struct{}) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f, err := os.Open(path) // waits for the first holder
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = f.Close() }()
		if _, err := io.Copy(io.Discard, f); err != nil {
			t.Error(err)
		}
	}()
	return path, done
}

func withChild(t *testing.T, c *Client) (gone <-chan struct{}) {
	t.Helper()
	pipe, gone := newPipe(t)
	if got := read[string](t, c, "child", pipe); got != "ready" {
		t.Fatalf("the connector's child: %s", got)
	}
	return gone
}

func TestCloseEndsChildren(t *testing.T) {
	c := launch(t, self(t, "serve"), nil)
	gone := withChild(t, c)
	c.Close()
	<-gone
}

// The child holds the connector's standard error open, which must not hide the connector's end.
func TestDeathEndsChildren(t *testing.T) {
	c := launch(t, self(t, "serve"), nil)
	gone := withChild(t, c)
	if err := syscall.Kill(c.process.pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-c.Done()
	<-gone
	c.Close()
}

func TestStoppedProcessCanBeClosed(t *testing.T) {
	c := launch(t, self(t, "serve"), nil)
	gone := withChild(t, c)
	if err := syscall.Kill(c.process.pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	c.patience = 0
	c.Close()
	<-gone
}

func TestNothingOutlivesTheHost(t *testing.T) {
	pipe, gone := newPipe(t)
	cmd := exec.Command(self(t).Path, "host", pipe)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if strings.TrimSpace(line) != "ready" {
		t.Fatalf("the host says %q, %v", line, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	<-gone
}

func TestTerminationLetsCallsEnd(t *testing.T) {
	c := launch(t, self(t, "serve"), nil)
	if got := read[string](t, c, "term"); got != "still here" {
		t.Errorf("the call in flight answers %q", got)
	}
	<-c.Done()
}

// A host of another make passes no life pipe and no certificate.
func TestServeWithoutLifePipe(t *testing.T) {
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  goplugin.HandshakeConfig{MagicCookieKey: wire.CookieKey, MagicCookieValue: wire.CookieValue},
		VersionedPlugins: map[int]goplugin.PluginSet{wire.Version: {wire.Service: connection{}}},
		Cmd:              exec.Command(self(t).Path, "serve"),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Logger:           quiet{NewPool(nil, nil).log},
	})
	defer client.Kill()
	protocol, err := client.Client()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := protocol.Dispense(wire.Service)
	if err != nil {
		t.Fatal(err)
	}
	got, err := shim.NewClient(raw.(grpc.ClientConnInterface)).Check(t.Context(), &plugin.CheckRequest{})
	if err != nil || got.Summary != "the workspace" {
		t.Errorf("Check = %v, %v", got, err)
	}
}
