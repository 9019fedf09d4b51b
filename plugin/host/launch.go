package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/internal/shim"
	"github.com/durasync/durasync/plugin/internal/wire"
)

// ProtocolVersion is the version of the connector protocol that this package speaks.
const ProtocolVersion = wire.Version

const (
	// startTimeout is how long a process may take to say where it listens.
	startTimeout = 30 * time.Second

	// stopTimeout is how long a process may take to end when it is asked to.
	stopTimeout = 5 * time.Second

	// logLine is the longest line of a connector's log that is forwarded as one, in bytes.
	logLine = 1 << 20
)

// Connector is everything that a connector can offer. What it does not offer fails with [plugin.CodeUnimplemented].
type Connector interface {
	plugin.Source
	plugin.Destination
	plugin.Checker
	plugin.Resolver
	plugin.Finder
	plugin.Previewer
}

// Client is one running process of a connector. Its methods may be called from any goroutine. All errors of the calls hold a
// [*plugin.Error]: a process that dies is [plugin.CodeUnavailable], and uncertain if it dies during a Create.
type Client struct {
	Connector

	process  *process
	remove   func() // the program's private copy
	plugin   *goplugin.Client
	patience time.Duration // how long Close waits before it kills
	close    sync.Once
}

// Launch starts a connector's program and returns when it serves. What the process logs goes to the logger, with its level; nil
// throws it away. The caller ends the process with Close. The error is a [*LaunchError], or holds a
// [*plugin.Error] and the context's error. A process that the caller configures is heard as it speaks, with the secrets that it may tell:
// [Configure] and [Pool] hide them.
func Launch(ctx context.Context, cmd Command, logger hclog.Logger) (*Client, error) {
	if logger == nil {
		logger = hclog.NewNullLogger()
	}
	if err := checkFile(cmd.Path); err != nil {
		return nil, err
	}
	path, remove, err := verified(cmd)
	if err != nil {
		return nil, err
	}
	p, stderr := newProcess(path, cmd), &tail{}
	c := &Client{process: p, remove: remove, patience: stopTimeout, plugin: goplugin.NewClient(clientConfig(cmd, p, stderr, logger))}
	result := make(chan error, 1)
	go func() { result <- c.connect() }()
	select {
	case err = <-result:
	case <-ctx.Done():
		_ = p.Kill(ctx)
		<-result //nolint:errcheck // it was killed
		err = shim.Ended(ctx.Err(), fmt.Sprintf("connector %s was not started", cmd.Path))
	}
	if err == nil {
		return c, nil
	}
	c.Close()
	if ctx.Err() != nil {
		return nil, err
	}
	return nil, explain(p, stderr, err)
}

func clientConfig(cmd Command, p *process, stderr *tail, logger hclog.Logger) *goplugin.ClientConfig {
	stdio := func() io.Writer {
		return &secretless{
			to:   logger.StandardWriter(&hclog.StandardLoggerOptions{ForceLevel: hclog.Debug}),
			text: stream{secrets: p.secrets.Load},
		}
	}
	return &goplugin.ClientConfig{
		HandshakeConfig: goplugin.HandshakeConfig{MagicCookieKey: wire.CookieKey, MagicCookieValue: wire.CookieValue},
		VersionedPlugins: map[int]goplugin.PluginSet{
			wire.Version: {wire.Service: connection{}},
		},
		RunnerFunc: func(_ hclog.Logger, handshake *exec.Cmd, _ string) (runner.Runner, error) {
			level := wire.EnvLogLevel + "=" + logger.GetLevel().String()
			p.cmd.Env = environ(append(handshake.Env, level), cmd.Env)
			return p, nil
		},
		AllowedProtocols:    []goplugin.Protocol{goplugin.ProtocolGRPC},
		AutoMTLS:            true,
		SkipHostEnv:         true,
		StartTimeout:        startTimeout,
		Logger:              quiet{logger},
		PluginLogBufferSize: logLine,
		Stderr:              stderr,
		SyncStdout:          stdio(),
		SyncStderr:          stdio(),
		GRPCDialOptions:     shim.DialOptions(),
	}
}

// connect starts the process and connects to it.
func (c *Client) connect() error {
	if _, err := c.plugin.Start(); err != nil {
		return err
	}
	protocol, err := c.plugin.Client()
	if err != nil {
		return err
	}
	raw, err := protocol.Dispense(wire.Service)
	if err != nil {
		return err
	}
	c.Connector = shim.NewClient(raw.(grpc.ClientConnInterface))
	return nil
}

// configure configures the process, whose description is given. From here on, its log is without the configuration's secrets, and so is the
// error.
func (c *Client) configure(ctx context.Context, d *plugin.DescribeResponse, config json.RawMessage) (*plugin.ConfigureResponse, error) {
	known := newSecrets(config, d.Config)
	c.process.secrets.Store(known)
	settings, err := c.Configure(ctx, &plugin.ConfigureRequest{Config: config})
	known.fault(plugin.AsError(err))
	return settings, err
}

// Done is closed when the process has ended, for whatever reason.
func (c *Client) Done() <-chan struct{} { return c.process.done }

// Close ends the process and everything that it started, and waits for that. Calls in flight fail.
func (c *Client) Close() {
	c.close.Do(func() {
		// go-plugin asks the process to end and waits for its answer, however long that takes.
		impatience := time.AfterFunc(c.patience, func() { _ = c.process.Kill(context.Background()) })
		defer impatience.Stop()
		c.plugin.Kill()
		c.remove()
	})
}

// connection hands the gRPC connection out, which is all that go-plugin is needed for at this end.
type connection struct {
	goplugin.NetRPCUnsupportedPlugin
}

var _ goplugin.GRPCPlugin = connection{}

// GRPCServer implements [goplugin.GRPCPlugin].
func (connection) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error {
	return errors.New("a host calls and does not serve")
}

// GRPCClient implements [goplugin.GRPCPlugin].
func (connection) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}

// explain says why a process did not serve. The process has ended.
func explain(p *process, stderr *tail, err error) *LaunchError {
	e := &LaunchError{Path: p.path, err: err}
	if p.pid == 0 {
		e.Reason, e.problem = NotExecutable, notStarted(err)
		return e
	}
	if line := p.first.String(); line != "" {
		e.Reason, e.problem = badHandshake(line, err)
		return e
	}
	<-p.done
	how, ours := p.exit()
	if ours {
		e.Reason = TimedOut
		e.problem = fmt.Sprintf("it did not begin to serve within %s, and was stopped; is it a connector?", startTimeout)
		return e
	}
	e.Reason = Exited
	e.problem = fmt.Sprintf("it ended before it served (%s) and said nothing; run it with the argument describe to see whether it works", how)
	if said := stderr.said(); said != "" {
		e.problem = fmt.Sprintf("it ended before it served (%s); its last words: %s", how, said)
	}
	return e
}

func notStarted(err error) string {
	machine := runtime.GOOS + "/" + runtime.GOARCH
	switch {
	case errors.Is(err, syscall.ENOEXEC):
		return fmt.Sprintf("it is no program for this machine; install its release for %s", machine)
	case errors.Is(err, fs.ErrNotExist):
		return "the file is there, but the interpreter or loader that it names is not; install that, or another release for " + machine
	case errors.Is(err, fs.ErrPermission):
		return "this user may not run it; check its permissions, and whether its file system is mounted noexec"
	default:
		return fmt.Sprintf("it cannot be started: %v", err)
	}
}

// badHandshake says what is wrong with the first line that a process printed.
func badHandshake(line string, err error) (Reason, string) {
	parts := strings.Split(line, "|")
	if len(parts) < 5 || !isNumber(parts[0]) || !isNumber(parts[1]) {
		return NotConnector, fmt.Sprintf("it is no connector: it printed %q instead of saying where it listens", cut(line, 80))
	}
	if core := strconv.Itoa(goplugin.CoreProtocolVersion); parts[0] != core {
		return Incompatible, fmt.Sprintf("it uses version %s of go-plugin's handshake, this program version %s; install another release of it", parts[0], core)
	}
	if spoken, _ := strconv.Atoi(parts[1]); spoken != ProtocolVersion {
		return Incompatible, otherProtocol(spoken)
	}
	if parts[4] != string(goplugin.ProtocolGRPC) {
		return NotConnector, fmt.Sprintf("it is no connector: it serves %s instead of gRPC", cut(parts[4], 20))
	}
	return NotConnector, fmt.Sprintf("it does not serve as a connector does: %v", err)
}

// otherProtocol says what to do about a connector that speaks another version of the protocol.
func otherProtocol(version int) string {
	text := fmt.Sprintf("it speaks version %d of the connector protocol, this program version %d; install a release of the connector for version %[2]d",
		version, ProtocolVersion)
	if version > ProtocolVersion {
		text += ", or a newer release of this program"
	}
	return text
}

func isNumber(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}
