package cli

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"

	"github.com/durasync/durasync/internal/command"
	"github.com/durasync/durasync/internal/telemetry"
	"github.com/durasync/durasync/internal/worker"
	"github.com/durasync/durasync/schema"
)

func (a *app) workerCommand() *cobra.Command {
	var flags workerFlags
	cmd := &cobra.Command{
		Use:   "worker [DIR]",
		Short: "Run jobs: serve the connections of a directory",
		Long: `Run jobs: serve the connections of a directory, the current one by default,
until interrupted. The worker reads the environment variables that the
connections name, and follows the directory when it changes. Any number of
workers can run.

Connections whose connector does not start, such as one whose program is not the
one that is locked, are left out and tried again from time to time; the others
are served. Where programs of connectors are: durasync connector --help.

With --listen, /metrics has metrics for Prometheus, /healthz answers while the
process runs, and /readyz while it takes tasks and reaches Temporal. With the
variable OTEL_EXPORTER_OTLP_ENDPOINT, metrics and traces are sent there by OTLP
over gRPC; the other standard variables of OpenTelemetry are read, too.

With --deployment and --build-id, the worker is a version of a Temporal worker
deployment: runs end on the version that they began with, and new ones begin on
the version that temporal worker deployment set-current-version names.`,
		Args: maxArgs(1, "at most one directory"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.work(cmd, dirArg(args), flags) },
	}
	cmd.Flags().StringSliceVar(&flags.connections, "connections", nil,
		"serve these connections only, such as gong.acme or\n'totango.*'; the secrets of others are not read")
	cmd.Flags().StringVar(&flags.deployment, "deployment", "",
		"the worker deployment that this is a version of,\nsuch as durasync; needs --build-id")
	cmd.Flags().StringVar(&flags.buildID, "build-id", "", "the version that this is, such as 0.2.0")
	cmd.Flags().StringVar(&flags.listen, "listen", "", "address for metrics and health, such as :9090")
	return cmd
}

// workerFlags are the flags of durasync worker.
type workerFlags struct {
	listen      string
	connections []string

	deployment, buildID string
}

// work runs a worker until it is interrupted.
func (a *app) work(cmd *cobra.Command, dir string, flags workerFlags) error {
	ctx := cmd.Context()
	log, err := a.logger(cmd, hclog.Info)
	if err != nil {
		return err
	}
	found := a.connectors(dir, log)
	for _, pattern := range flags.connections {
		if _, err := path.Match(pattern, ""); err != nil {
			return usageError(cmd, "--connections %s is not a pattern that can be matched", pattern)
		}
	}
	if (flags.deployment == "") != (flags.buildID == "") {
		return usageError(cmd, "--deployment and --build-id need each other")
	}
	opts := worker.Options{
		Files: os.DirFS(dir), Serve: flags.connections, Env: a.env.LookupEnv, Exec: command.Output, Connectors: found, Logger: log,
		Deployment: flags.deployment, BuildID: flags.buildID,
	}
	config, diags := schema.Load(ctx, dir, opts.Schema())
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := a.show(diags); err != nil && !worker.Usable(config, diags) {
		return err
	}
	reports, err := telemetry.Start(ctx, telemetry.Options{
		Version: a.version().Version, OTLP: telemetry.WantedBy(a.env.LookupEnv), Logger: log.Named("telemetry"),
	})
	if err != nil {
		return environmentError("metrics and traces cannot be reported: %w", err)
	}
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), telemetryTimeout)
		defer cancel()
		if err := reports.Stop(stopping); err != nil {
			log.Warn("the last metrics and traces were not sent", "error", err)
		}
	}()
	t, err := a.dialWith(ctx, func(o *client.Options) error {
		o.ConnectionOptions.DialOptions = append(o.ConnectionOptions.DialOptions, grpc.WithChainUnaryInterceptor(undescribed))
		return reports.Configure(o)
	}, log)
	if err != nil {
		return err
	}
	defer t.Close()
	opts.Client, opts.Namespace, opts.Telemetry = t.Client, t.namespace, reports
	w, err := worker.Start(ctx, opts)
	if err != nil {
		return err
	}
	listening, stopListening, err := listen(ctx, flags.listen, reports.Handler(w), log)
	if err != nil {
		w.Stop()
		return err
	}
	a.printf("serving %s (Temporal %s, namespace %s%s)\n", connectionsOf(w), t.address, t.namespace, listening)
	<-ctx.Done()
	a.notef("stopping: steps in flight may end, for up to 30 seconds; interrupt again to stop at once\n")
	w.Stop()
	stopListening()
	return nil
}

// undescribed keeps a worker from failing whose credentials may run workflows and may not look at the namespace: the SDK asks what the
// namespace can do, and gets an empty answer.
func undescribed(
	ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, call grpc.UnaryInvoker, opts ...grpc.CallOption,
) error {
	err := call(ctx, method, req, reply, conn, opts...)
	if method == workflowservice.WorkflowService_DescribeNamespace_FullMethodName && grpcstatus.Code(err) == codes.PermissionDenied {
		return nil
	}
	return err
}

// telemetryTimeout bounds how long the last metrics and traces may take.
const telemetryTimeout = 5 * time.Second

// listen serves at the address, and says where; nothing if the address is empty.
func listen(ctx context.Context, address string, h http.Handler, log hclog.Logger) (where string, stop func(), err error) {
	if address == "" {
		return "", func() {}, nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return "", nil, environmentError("the worker cannot listen for metrics and health: %w", err)
	}
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		ErrorLog: log.StandardLogger(&hclog.StandardLoggerOptions{ForceLevel: hclog.Debug}),
	}
	go func() { _ = server.Serve(listener) }() // ends with Close
	return fmt.Sprintf(", metrics at http://%s/metrics", listener.Addr()), func() { _ = server.Close() }, nil
}

// connectionsOf names what a worker serves.
func connectionsOf(w *worker.Worker) string {
	if names := w.Connections(); len(names) > 0 {
		return strings.Join(names, ", ")
	}
	return "no connections"
}
