package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/durasync/durasync/internal/schedules"
	"github.com/durasync/durasync/schema"
	"github.com/durasync/durasync/schema/plan"
	"github.com/durasync/durasync/workflows"
)

func (d *doctor) temporal(ctx context.Context, t *temporalClient) {
	info, err := t.WorkflowService().GetSystemInfo(ctx, &workflowservice.GetSystemInfoRequest{})
	if err != nil {
		d.failed("temporal", err)
		return
	}
	ui := ""
	if t.ui != "" {
		ui = ", web UI at " + t.ui
	}
	d.ok("temporal", "version %s at %s%s", info.GetServerVersion(), t.address, ui)
}

// leastRetention is how long Temporal should keep finished runs: a weekend, so that Friday's can be looked at on Monday.
const leastRetention = 3 * 24 * time.Hour

func (d *doctor) namespace(ctx context.Context, t *temporalClient) {
	const name = "namespace"
	res, err := t.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: t.namespace})
	switch retention := res.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration(); {
	case is[*serviceerror.PermissionDenied](err):
		d.skip(name, "%s: the credentials for Temporal may not read its settings", t.namespace)
	case err != nil:
		d.failed(name, err)
	case retention < leastRetention:
		d.warn(name, fmt.Sprintf("%s keeps finished runs for %s only", t.namespace, schedules.Duration(retention)),
			fmt.Sprintf("temporal operator namespace update -n %s --retention 30d", t.namespace))
	default:
		d.ok(name, "%s, keeps finished runs for %s", t.namespace, schedules.Duration(retention))
	}
}

func (d *doctor) searchAttributes(ctx context.Context, t *temporalClient) {
	const name = "search attributes"
	res, err := t.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: t.namespace})
	if err != nil {
		d.skip(name, "this Temporal does not list them: %s", cause(err))
		return
	}
	var missing, create []string
	for attribute, kind := range workflows.SearchAttributes() {
		if res.GetCustomAttributes()[attribute] != kind {
			missing = append(missing, attribute)
			create = append(create, fmt.Sprintf("--name %s --type %s", attribute, kind))
		}
	}
	if len(missing) == 0 {
		d.ok(name, "registered: runs can be found by job and outcome")
		return
	}
	slices.Sort(missing)
	slices.Sort(create)
	d.warn(name, "not registered: "+strings.Join(missing, ", ")+" (all else works without them)",
		"a worker registers them if Temporal lets it, else: temporal operator search-attribute create "+strings.Join(create, " "))
}

// workers looks for pollers of each queue and returns the connections that are served, if the workflows are.
func (d *doctor) workers(ctx context.Context, t *temporalClient, config *schema.Config) map[string]bool {
	served := map[string]bool{}
	running, err := t.served(ctx, workflows.TaskQueue, enumspb.TASK_QUEUE_TYPE_WORKFLOW)
	switch {
	case err != nil:
		d.failed("worker", err)
	case !running:
		d.problem("worker", ExitEnvironment, "none runs the workflows (task queue "+workflows.TaskQueue+")", "start one with durasync worker in the job directory")
	default:
		d.ok("worker", "runs the workflows (task queue %s)", workflows.TaskQueue)
	}
	for _, c := range config.Connections {
		name, queue := "worker of "+c.ID(), queueOf(c.ID())
		ok, err := t.served(ctx, queue, enumspb.TASK_QUEUE_TYPE_ACTIVITY)
		switch {
		case err != nil:
			d.failed(name, err)
		case !ok:
			d.problem(name, ExitEnvironment, "none serves "+c.ID()+" (task queue "+queue+")", "start one with durasync worker in the directory that declares it")
		default:
			served[c.ID()] = running
			d.ok(name, "serves task queue %s", queue)
		}
	}
	for _, p := range config.Jobs {
		source, destination := p.Source.Connection, p.Destination.Connection
		if !workflows.CanCopy(p) || !served[source] || !served[destination] {
			continue
		}
		name, queue := "worker of job "+p.Job, workflows.CopyQueue(source, destination)
		switch ok, err := t.served(ctx, queue, enumspb.TASK_QUEUE_TYPE_ACTIVITY); {
		case err != nil:
			d.failed(name, err)
		case !ok:
			d.problem(name, ExitEnvironment, fmt.Sprintf("none serves %s and %s together, between which it writes in batches", source, destination),
				"start one with durasync worker in the directory that declares both")
		}
	}
	return served
}

// credentials has a worker try the connections, in the pairs in which jobs use them. It compares the clocks by the way.
func (d *doctor) credentials(ctx context.Context, t *temporalClient, config *schema.Config, served map[string]bool) {
	tried := map[string]bool{}
	var ran *preview
	for _, p := range config.Jobs {
		source, destination := p.Source.Connection, p.Destination.Connection
		if tried[source] && tried[destination] {
			continue
		}
		tried[source], tried[destination] = true, true
		if res := d.tryPair(ctx, t, p, served); res != nil {
			ran = res
		}
	}
	for _, c := range config.Connections {
		if !tried[c.ID()] {
			d.skip("credentials", "of %s: no job uses it", c.ID())
		}
	}
	d.clocks(ctx, t, ran)
}

// tryPair connects to both sides of a job. It returns nil if that could not be tried or failed.
func (d *doctor) tryPair(ctx context.Context, t *temporalClient, p *plan.Plan, served map[string]bool) *preview {
	const name = "credentials"
	source, destination := p.Source.Connection, p.Destination.Connection
	if !served[source] || !served[destination] {
		d.skip(name, "of %s and %s: not checked without a worker", source, destination)
		return nil
	}
	res, err := d.app.preview(ctx, t, p, 0)
	if err != nil {
		d.failed(name, err)
		return nil
	}
	d.ok(name, "are good: %s, %s", reached(source, res.SourceReached), reached(destination, res.DestinationReached))
	return res
}

func reached(connection, summary string) string {
	if summary == "" {
		return connection
	}
	return fmt.Sprintf("%s (%s)", connection, summary)
}

const (
	// smallSkew is a difference of clocks that does no harm, mostSkew one beyond which deadlines of writes can be misjudged.
	smallSkew = 2 * time.Second
	mostSkew  = 30 * time.Second
)

// clocks compares this machine's clock with Temporal's, by when Temporal says that a workflow has started.
func (d *doctor) clocks(ctx context.Context, t *temporalClient, ran *preview) {
	const name = "clocks"
	if ran == nil {
		d.skip(name, "not compared: no workflow could be run")
		return
	}
	desc, err := t.DescribeWorkflowExecution(ctx, ran.WorkflowID, ran.RunID)
	if err != nil {
		d.failed(name, err)
		return
	}
	d.compareClocks(desc.GetWorkflowExecutionInfo().GetStartTime().AsTime(), ran.began, ran.when)
}

// compareClocks judges a moment of Temporal's that lies between two of this machine's.
func (d *doctor) compareClocks(server, before, after time.Time) {
	const name, todo = "clocks", "set both by NTP: workers on this machine would misjudge the deadlines of writes"
	skew, side := time.Duration(0), ""
	switch {
	case server.Before(before):
		skew, side = before.Sub(server), "ahead of"
	case server.After(after):
		skew, side = server.Sub(after), "behind"
	}
	text := fmt.Sprintf("this machine is %s %s Temporal", span(skew), side)
	switch {
	case skew > mostSkew:
		d.problem(name, ExitEnvironment, text, todo)
	case skew > smallSkew:
		d.warn(name, text, todo)
	default:
		d.ok(name, "this machine and Temporal agree")
	}
}
