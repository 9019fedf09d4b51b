package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/schema/plan"
	"github.com/durasync/durasync/workflows"
)

const (
	// previewIDPrefix begins the workflow ids of previews.
	previewIDPrefix = "preview/"

	// previewRecords is how many records are shown if nobody says otherwise, and mostPreviewRecords how many can be.
	previewRecords     = 10
	mostPreviewRecords = 100

	// previewTimeout bounds a preview, the workflow and all.
	previewTimeout = 10 * time.Minute

	// cancelTimeout is how long the end of a preview that nobody waits for any more may be asked for.
	cancelTimeout = 3 * time.Second
)

func (a *app) previewCommand() *cobra.Command {
	var n int
	var dir, html string
	cmd := a.reports(&cobra.Command{
		Use:   "preview JOB",
		Short: "Show what a job would write, from real records",
		Long: `Show what a job, as it stands in the files, would write: its newest records are
read, resolved and rendered as in a run, and shown exactly as they would be
written. Those that would not be written are shown with the reason. Nothing is
written, and the job need not be applied.

The worker does it, so that the credentials stay there: one has to serve the
job's connections.`,
		Args:              exactArgs(1, "the name of a job"),
		ValidArgsFunction: a.completeFileJobs(&dir),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if n < 1 || n > mostPreviewRecords {
				return usageError(cmd, "-n %d is not between 1 and %d", n, mostPreviewRecords)
			}
			log, err := a.logger(cmd, hclog.Off)
			if err != nil {
				return err
			}
			p, err := a.loadJob(ctx, dir, args[0], a.connectors(dir, log))
			if err != nil {
				return err
			}
			t, err := a.dial(ctx, log)
			if err != nil {
				return err
			}
			defer t.Close()
			res, err := a.preview(ctx, t, p, n)
			if err != nil {
				return err
			}
			return a.reportPreview(res, html)
		},
	})
	cmd.Flags().IntVarP(&n, "records", "n", previewRecords, "how many of the newest records, up to 100")
	cmd.Flags().StringVar(&dir, "dir", ".", "directory with the job files")
	cmd.Flags().StringVar(&html, "html", "", "also write the preview to this file, as a web page")
	return cmd
}

// preview is what is printed with --json.
type preview struct {
	startedRun
	Job         string                     `json:"job"`
	Description string                     `json:"description,omitempty"`
	Source      string                     `json:"source"`
	Destination string                     `json:"destination"`
	Records     []activities.PreviewRecord `json:"records"` // the newest first

	// SourceReached and DestinationReached say what was reached, in the connectors' words.
	SourceReached      string `json:"source_reached,omitempty"`
	DestinationReached string `json:"destination_reached,omitempty"`

	plan *plan.Plan

	// began and when are this machine's time before the workflow was started and after it had ended.
	began, when time.Time
}

// preview runs the workflow of that name to its end, or asks for its end when the context ends. Nothing is written by it.
func (a *app) preview(ctx context.Context, t *temporalClient, p *plan.Plan, n int) (*preview, error) {
	if err := a.awaitServed(ctx, t, p); err != nil {
		return nil, err
	}
	began := time.Now()
	run, err := t.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       previewIDPrefix + p.Job + "-" + time.Now().UTC().Format(time.RFC3339Nano),
		TaskQueue:                workflows.TaskQueue,
		WorkflowExecutionTimeout: previewTimeout,
		StaticSummary:            "preview of " + p.Job,
		Priority:                 temporal.Priority{PriorityKey: workflows.PriorityInteractive},
		Memo:                     map[string]any{workflows.MemoJob: p.Job},
	}, workflows.PreviewType, workflows.PreviewInput{Plan: p, Count: n})
	if err != nil {
		return nil, fmt.Errorf("start a preview of job %s: %w", p.Job, err)
	}
	var res workflows.PreviewResult
	if err := run.Get(ctx, &res); err != nil {
		if ctx.Err() != nil {
			free, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTimeout)
			defer cancel()
			_ = t.CancelWorkflow(free, run.GetID(), run.GetRunID()) // its own timeout ends it, too
			return nil, ctx.Err()
		}
		return nil, withRun(t.started(run), previewError(p.Job, err))
	}
	out := &preview{
		startedRun: t.started(run), Job: p.Job, Description: p.Description, Records: res.Records, plan: p, began: began, when: time.Now(),
		Source: p.Source.Connection + " " + p.Source.Stream, Destination: p.Destination.Connection + " " + p.Destination.Object,
	}
	if out.Records == nil {
		out.Records = []activities.PreviewRecord{}
	}
	out.SourceReached, out.DestinationReached = res.Source, res.Destination
	return out, nil
}

// previewError says why there is no result of a preview.
func previewError(job string, err error) error {
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		return &failure{exit: exitOfRun(app.Type()), code: app.Type(), err: fmt.Errorf("the preview of %s failed: %s", job, app.Message())}
	}
	if is[*temporal.TimeoutError](err) {
		return environmentError("the preview of %s did not end in time; see that the workers of its connections are well: durasync doctor", job)
	}
	return fmt.Errorf("wait for the preview of %s: %w", job, err)
}

// awaitServed returns when workers serve the workflows and both connections of a job, or says which of them nobody serves.
func (a *app) awaitServed(ctx context.Context, t *temporalClient, p *plan.Plan) error {
	if err := a.awaitWorker(ctx, t, workflows.TaskQueue, enumspb.TASK_QUEUE_TYPE_WORKFLOW, noWorker(t)); err != nil {
		return err
	}
	for _, connection := range []string{p.Source.Connection, p.Destination.Connection} {
		if err := a.awaitWorker(ctx, t, queueOf(connection), enumspb.TASK_QUEUE_TYPE_ACTIVITY, unserved(connection)); err != nil {
			return err
		}
	}
	return nil
}

// queueOf is the task queue of a connection's activities.
func queueOf(connection string) string {
	kind, name, _ := strings.Cut(connection, ".")
	return workflows.ConnectionQueue(kind, name)
}

func unserved(connection string) error {
	return &failure{exit: ExitEnvironment, code: activities.TypeUnserved, err: fmt.Errorf(
		"no worker serves connection %s; start one with durasync worker in the directory that declares it", connection)}
}

func (a *app) reportPreview(p *preview, html string) error {
	if html != "" {
		if err := p.writeHTML(html); err != nil {
			return err
		}
	}
	if a.json {
		a.writeJSON(p)
		return nil
	}
	p.show(a)
	if html != "" {
		a.printf("\nwritten as a web page: %s\n", html)
	}
	return nil
}
