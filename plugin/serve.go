package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/durasync/durasync/plugin/internal/gate"
	"github.com/durasync/durasync/plugin/internal/wire"
	wirev1 "github.com/durasync/durasync/plugin/internal/wire/v1"
)

const (
	// drainTime is how long calls in flight may go on after SIGTERM.
	drainTime = 30 * time.Second

	// flushTime is how long the last answers may take to be sent after that.
	flushTime = 500 * time.Millisecond
)

// Option changes what [Serve] does.
type Option func(*options)

type options struct {
	args []string
}

// WithArgs gives Serve the arguments to look at instead of the program's own, os.Args[1:]. A program that serves several
// connectors by starting itself with a sub-command passes what follows the sub-command.
func WithArgs(args []string) Option {
	return func(o *options) { o.args = args }
}

// Serve is the whole main function of a connector's program. It never returns.
//
//   - Started by a host, it serves the connector until the host ends it or is gone. After SIGTERM it lets calls in flight end,
//     for up to 30 seconds. Standard output belongs to the host.
//   - With the argument describe it prints the connector's description as JSON, with the argument version its name and version.
//   - Started by hand, it says what the program is.
//
// The exit code is 0 after serving or printing, 1 if the description is wrong, 2 if the program was called wrongly.
func Serve(c Connector, opts ...Option) {
	o := options{args: os.Args[1:]}
	for _, opt := range opts {
		opt(&o)
	}
	hosted := os.Getenv(wire.CookieKey) == wire.CookieValue
	if hosted && len(o.args) == 0 {
		serve(c)
		os.Exit(0)
	}
	os.Exit(command(context.Background(), c, o.args, os.Stdout, os.Stderr))
}

// command answers a person who runs the program, and returns the exit code.
func command(ctx context.Context, c Connector, args []string, stdout, stderr io.Writer) int {
	program := filepath.Base(os.Args[0])
	d, err := c.Describe(ctx, &DescribeRequest{})
	if err == nil {
		err = d.Validate()
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "%s: the connector's description is wrong:\n%v\n", program, err)
		return 1
	}
	switch {
	case len(args) == 1 && args[0] == "describe":
		enc := json.NewEncoder(stdout)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		err = enc.Encode(d)
	case len(args) == 1 && args[0] == "version":
		_, err = fmt.Fprintf(stdout, "%s %s\n", d.Name, d.Version)
	default:
		_, _ = fmt.Fprintf(stderr, "%s is the Durasync connector %q, version %s: Durasync starts it by itself for each connection %q;"+
			" by hand, only its sub-commands describe and version are of use.\n", program, d.Name, d.Version, d.Name)
		return 2
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "%s: %v\n", program, err)
		return 1
	}
	return 0
}

// serve serves the connector to the host that started this process, until it is told to end.
func serve(c Connector) {
	logger := hclog.New(&hclog.LoggerOptions{
		Level:      hclog.LevelFromString(os.Getenv(wire.EnvLogLevel)),
		Output:     os.Stderr,
		JSONFormat: true,
	})
	endWithHost(logger)

	s := &server{connector: c, log: logger, gate: gate.New()}
	var terminated atomic.Bool
	newServer := func(opts []grpc.ServerOption) *grpc.Server {
		srv := grpc.NewServer(append(opts, grpc.MaxRecvMsgSize(wire.MaxMessage), grpc.MaxSendMsgSize(wire.MaxMessage))...)
		go stopOnSignal(s.gate, srv, &terminated, logger)
		return srv
	}
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: goplugin.HandshakeConfig{MagicCookieKey: wire.CookieKey, MagicCookieValue: wire.CookieValue},
		VersionedPlugins: map[int]goplugin.PluginSet{
			wire.Version: {wire.Service: service{server: s}},
		},
		GRPCServer: newServer,
		Logger:     logger,
	})
	if terminated.Load() {
		// Linux sends SIGTERM as well when the host is gone, which nobody can be sure of at this moment; and then nobody else
		// ends what this process started.
		killGroup()
	}
}

// stopOnSignal waits for SIGTERM and then ends the server as soon as no call is in flight, which makes go-plugin's Serve return.
// [grpc.Server.GracefulStop] alone would not do: it also waits for go-plugin's own streams, which last as long as the host.
func stopOnSignal(calls *gate.Gate, srv *grpc.Server, terminated *atomic.Bool, logger hclog.Logger) {
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	<-term
	terminated.Store(true)
	logger.Debug("terminating: no new calls, waiting for those in flight")
	select {
	case <-calls.Close():
	case <-time.After(drainTime):
		logger.Warn("calls are still in flight and are ended now", "after", drainTime)
	}
	time.AfterFunc(flushTime, srv.Stop)
	srv.GracefulStop() // sends what is left to send
}

// service makes the server a plugin in go-plugin's sense.
type service struct {
	goplugin.NetRPCUnsupportedPlugin

	server *server
}

var _ goplugin.GRPCPlugin = service{}

// GRPCServer implements [goplugin.GRPCPlugin].
func (s service) GRPCServer(_ *goplugin.GRPCBroker, srv *grpc.Server) error {
	wirev1.RegisterConnectorServer(srv, s.server)
	return nil
}

// GRPCClient implements [goplugin.GRPCPlugin]. The host's end is in package host.
func (service) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, fmt.Errorf("a connector serves and does not call")
}
