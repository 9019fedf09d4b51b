// Package worker runs the workflows and activities of a job directory: it wires connectors, the job language and Temporal
// together, and follows the directory when it changes.
package worker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/internal/entities"
	"github.com/durasync/durasync/internal/telemetry"
	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/plugin/host"
	"github.com/durasync/durasync/schema"
	"github.com/durasync/durasync/workflows"
)

// Options are what a worker needs. All but Serve, Deployment, BuildID and Telemetry are required.
type Options struct {
	// Client is a Temporal client, and Namespace its namespace. The caller closes it after the worker has stopped.
	Client    client.Client
	Namespace string

	// Files is the job directory.
	Files fs.FS

	// Serve are the connections to serve, each a name such as "gong.acme" or a pattern such as "gong.*" ([path.Match]); none means all.
	// The secrets of others are not read.
	Serve []string

	// Env reads the environment variables that connections name, and Exec runs the commands.
	Env  func(string) (string, bool)
	Exec func(ctx context.Context, name string, args ...string) (string, error)

	// Connectors knows how connectors are started and what they offer.
	Connectors Connectors

	// Deployment and BuildID are the version of a Temporal worker deployment that the worker is; both are empty if it is of none.
	Deployment, BuildID string

	Logger hclog.Logger

	// Telemetry is what the worker reports through, if it does. The caller stops it after the worker.
	Telemetry *telemetry.Telemetry
}

// Connectors knows the connectors of an installation.
type Connectors interface {
	// Command returns how the connector of a name is started.
	Command(name string) (host.Command, error)
	// Describe returns what the connector offers. It is called concurrently.
	Describe(ctx context.Context, name string) (*plugin.DescribeResponse, error)
}

// Worker is a running worker.
type Worker struct {
	opts  Options
	pool  *host.Pool
	tell  *notifiers
	acts  *activities.Activities
	core  worker.Worker
	stop  context.CancelFunc
	tasks sync.WaitGroup // what runs beside the workers until stop

	stopping atomic.Bool

	mu     sync.Mutex
	queues map[string]worker.Worker // by name
}

// cachedWorkflows is how many workflows a worker keeps in memory between their tasks, instead of replaying them: the runs under way
// and the ledgers that they are at. A ledger may have two megabytes, and a long backfill comes by hundreds of them.
const cachedWorkflows = 100

// stopTimeout is how long activities in flight may take to end when the worker stops.
const stopTimeout = 30 * time.Second

// pollers says how many ask for the tasks of a queue: as many as the server finds useful, and one while there is nothing to do.
var pollers = worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{})

// Start runs a worker until [Worker.Stop]. A directory that is not [Usable] is an error that holds [schema.Diagnostics]. The context
// bounds the start alone.
func Start(ctx context.Context, opts Options) (*Worker, error) {
	config, diags := load(ctx, opts)
	if !Usable(config, diags) {
		return nil, diags.Err()
	}
	if len(opts.Serve) > 0 && len(config.Connections) == 0 && diags.Err() == nil {
		return nil, fmt.Errorf("no connection of the job directory is called %s", strings.Join(opts.Serve, " or "))
	}
	entity := entities.New(opts.Client)
	w := &Worker{
		opts: opts, pool: newPool(opts),
		tell: &notifiers{}, queues: map[string]worker.Worker{},
	}
	attrs := &attributes{client: opts.Client, namespace: opts.Namespace}
	if err := attrs.register(ctx); err != nil {
		opts.Logger.Warn("the search attributes of runs cannot be registered; runs are found by their ids alone", "error", err)
	}
	deps := activities.Dependencies{
		Connectors: connectors{w.pool}, Evaluator: newEvaluator(), Jobs: entity, Ledgers: entity, Runs: entity, Quotas: entity,
		Notifier: w.tell, SearchAttributes: attrs.registered,
	}
	if t := opts.Telemetry; t != nil {
		deps.Jobs, deps.Ledgers, deps.Quotas = t.Jobs(deps.Jobs), t.Ledgers(deps.Ledgers), t.Quotas(deps.Quotas)
	}
	w.acts = activities.New(deps)
	worker.SetStickyWorkflowCacheSize(cachedWorkflows)
	w.core = worker.New(opts.Client, workflows.TaskQueue, worker.Options{
		DeploymentOptions:          opts.deployment(),
		WorkflowTaskPollerBehavior: pollers,
		ActivityTaskPollerBehavior: pollers,
		WorkerStopTimeout:          stopTimeout,
	})
	workflows.Register(versioned{w.core})
	w.core.RegisterActivity(w.acts)
	if err := w.core.Start(); err != nil {
		w.pool.Close()
		return nil, fmt.Errorf("start the worker on task queue %s: %w", workflows.TaskQueue, err)
	}
	if _, err := w.serve(ctx, config); err != nil {
		w.core.Stop()
		w.pool.Close()
		return nil, err
	}
	reportUnserved(opts.Logger, diags)
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.stop = stop
	w.tasks.Go(func() { w.follow(running, diags.Err()) })
	if opts.Telemetry != nil {
		w.tasks.Go(func() { w.observe(running, entity) })
	}
	return w, nil
}

// deployment says which version the worker is, to all queues: a run's steps stay with the version that it began with.
func (o *Options) deployment() worker.DeploymentOptions {
	if o.Deployment == "" {
		return worker.DeploymentOptions{}
	}
	return worker.DeploymentOptions{
		UseVersioning: true,
		Version:       worker.WorkerDeploymentVersion{DeploymentName: o.Deployment, BuildID: o.BuildID},
	}
}

// versioned registers workflows with what becomes of those under way when another version of a deployment takes over: a run ends on the
// version that it began with, and what lives for ever, the jobs, ledgers and quotas, moves on.
type versioned struct{ worker.WorkflowRegistry }

// RegisterWorkflowWithOptions implements [worker.WorkflowRegistry].
func (v versioned) RegisterWorkflowWithOptions(w any, o workflow.RegisterOptions) {
	switch o.Name {
	case workflows.SyncType, workflows.PreviewType:
		o.VersioningBehavior = workflow.VersioningBehaviorPinned
	default:
		o.VersioningBehavior = workflow.VersioningBehaviorAutoUpgrade
	}
	v.WorkflowRegistry.RegisterWorkflowWithOptions(w, o)
}

func newPool(opts Options) *host.Pool {
	log := opts.Logger.Named("connector")
	if opts.Telemetry == nil {
		return host.NewPool(log, nil)
	}
	return host.NewPool(log, opts.Telemetry)
}

var errStopping = errors.New("the worker is stopping")

// Usable reports whether a directory can be served: it has no mistakes, but there may be connectors that do not start. A worker
// leaves their connections to other workers, says so, and tries them again from time to time.
func Usable(config *schema.Config, diags schema.Diagnostics) bool {
	return diags.Err() == nil || len(config.Connections) > 0 && !slices.ContainsFunc(diags, func(d schema.Diagnostic) bool {
		return d.Severity == schema.SeverityError && d.Code != schema.CodeConnector
	})
}

// load reads the job directory, with the connections that are to be served alone.
func load(ctx context.Context, opts Options) (*schema.Config, schema.Diagnostics) {
	config, diags := schema.LoadFS(ctx, opts.Files, opts.Schema())
	config.Connections = slices.DeleteFunc(config.Connections, func(c schema.Connection) bool { return !opts.serves(c.ID()) })
	return config, diags
}

// Schema says how the worker reads the job directory.
func (o *Options) Schema() schema.Options {
	return schema.Options{Describe: o.Connectors.Describe, Env: o.Env, Exec: o.Exec, Serves: o.serves}
}

// serves reports whether a connection is to be served.
func (o *Options) serves(connection string) bool {
	return len(o.Serve) == 0 || slices.ContainsFunc(o.Serve, func(pattern string) bool {
		ok, err := path.Match(pattern, connection)
		return err == nil && ok
	})
}

// Connections returns the names of the connections that the worker serves, sorted.
func (w *Worker) Connections() []string { return w.pool.Names() }

// Stop ends the worker: it takes no more tasks, lets activities in flight end, and then ends the connectors.
func (w *Worker) Stop() {
	w.stopping.Store(true)
	w.stop()
	w.tasks.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	var wg sync.WaitGroup
	for _, q := range w.queues {
		wg.Go(q.Stop)
	}
	wg.Go(w.core.Stop)
	wg.Wait()
	w.pool.Close()
}

// serve makes the worker serve exactly the connections of the configuration, and reports whether that changed anything.
func (w *Worker) serve(ctx context.Context, config *schema.Config) (changed bool, err error) {
	specs := make([]host.Spec, 0, len(config.Connections))
	for _, c := range config.Connections {
		cmd, err := w.opts.Connectors.Command(c.Type)
		if err != nil {
			return false, err
		}
		specs = append(specs, host.Spec{Name: c.ID(), Connector: c.Type, Command: cmd, Config: c.Config})
	}
	if err := w.tell.set(config.Notifiers); err != nil {
		return false, err
	}
	wanted := queuesOf(config)
	w.mu.Lock()
	defer w.mu.Unlock()
	var wg sync.WaitGroup
	for name, q := range w.queues {
		if wanted[name] == nil {
			wg.Go(q.Stop) // takes no more work, before the connector ends
			delete(w.queues, name)
			changed = true
		}
	}
	wg.Wait()
	replaced, err := w.pool.Apply(specs)
	if err != nil {
		return changed, err
	}
	var missing []string
	for name := range wanted {
		if w.queues[name] == nil {
			missing = append(missing, name)
		}
	}
	started, errs := make([]worker.Worker, len(missing)), make([]error, len(missing))
	for i, name := range missing {
		wg.Go(func() { started[i], errs[i] = w.startQueue(ctx, name, wanted[name]) })
	}
	wg.Wait()
	for i, q := range started {
		if q != nil {
			w.queues[missing[i]] = q
		}
	}
	return changed || replaced || len(missing) > 0, errors.Join(errs...)
}

// queuesOf are the queues to poll, with the connections that their activities call: one for each connection, and one for each pair
// between which a job copies.
func queuesOf(config *schema.Config) map[string][]string {
	queues := map[string][]string{}
	served := map[string]bool{}
	for _, c := range config.Connections {
		queues[workflows.ConnectionQueue(c.Type, c.Name)] = []string{c.ID()}
		served[c.ID()] = true
	}
	for _, p := range config.Jobs {
		from, to := p.Source.Connection, p.Destination.Connection
		if workflows.CanCopy(p) && served[from] && served[to] {
			queues[workflows.CopyQueue(from, to)] = []string{from, to}
		}
	}
	return queues
}

// startQueue polls a queue. A connector that does not start is no error here: the runs that need it say so.
func (w *Worker) startQueue(ctx context.Context, name string, connections []string) (worker.Worker, error) {
	var limits []plugin.RateLimit
	for _, connection := range connections {
		if conn, err := w.pool.Get(ctx, connection); err != nil {
			w.opts.Logger.Error("the connector does not start; runs that use the connection will fail", "connection", connection, "error", err)
		} else if settings, err := conn.Settings(ctx); err == nil {
			limits = append(limits, settings.RateLimits...)
		}
	}
	q := worker.New(w.opts.Client, name, worker.Options{
		DeploymentOptions:                  w.opts.deployment(),
		DisableWorkflowWorker:              true,
		ActivityTaskPollerBehavior:         pollers,
		MaxConcurrentActivityExecutionSize: concurrency(limits),
		WorkerStopTimeout:                  stopTimeout,
	})
	q.RegisterActivity(w.acts)
	if err := q.Start(); err != nil {
		return nil, fmt.Errorf("start the worker on task queue %s: %w", name, err)
	}
	return q, nil
}

// concurrency is how many activities of a connection run at once: as many as get a turn within a few seconds under the rate
// limits, so that the others wait in Temporal, where their timeouts do not run, and a bounded number if there are none.
func concurrency(limits []plugin.RateLimit) int {
	const (
		most, fewest = 64, 4
		span         = 5 * time.Second
	)
	n := most
	for _, l := range limits {
		if l.Requests > 0 && l.Per < 24*time.Hour {
			n = min(n, int(span*time.Duration(l.Requests)/l.Per))
		}
	}
	return max(n, fewest)
}
