package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/internal/entities"
	"github.com/durasync/durasync/workflows"
)

// startedRun names a run.
type startedRun struct {
	WorkflowID string `json:"workflow_id"`
	RunID      string `json:"run_id"`
	URL        string `json:"url,omitempty"`
}

func (t *temporalClient) started(run client.WorkflowRun) startedRun {
	return startedRun{run.GetID(), run.GetRunID(), t.runURL(run.GetID(), run.GetRunID())}
}

// start starts a run of a job.
func (t *temporalClient) start(ctx context.Context, job, summary string) (client.WorkflowRun, error) {
	return t.startNow(ctx, summary, workflows.SyncInput{Job: job})
}

// startNow starts a run that is named by its kind and the time.
func (t *temporalClient) startNow(ctx context.Context, summary string, in workflows.SyncInput) (client.WorkflowRun, error) {
	run, err := t.execute(ctx, workflows.RunID(in.Kind(), in.Job, time.Now()), summary, enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, in)
	if err != nil {
		return nil, fmt.Errorf("start a run of job %s: %w", in.Job, err)
	}
	return run, nil
}

func (t *temporalClient) execute(
	ctx context.Context, id, summary string, reuse enumspb.WorkflowIdReusePolicy, in workflows.SyncInput,
) (client.WorkflowRun, error) {
	var priority temporal.Priority // the server's default is that of scheduled runs
	if in.Kind() == activities.KindBackfill {
		priority.PriorityKey = workflows.PriorityBackfill
	}
	return t.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		Priority:                                 priority,
		ID:                                       id,
		TaskQueue:                                workflows.TaskQueue,
		WorkflowIDReusePolicy:                    reuse,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary:                            summary,
		Memo:                                     map[string]any{workflows.MemoJob: in.Job},
	}, workflows.SyncType, in)
}

const (
	// progressTerminal and progressPlain are how often a run's progress is asked for.
	progressTerminal = 200 * time.Millisecond
	progressPlain    = time.Second

	// quietTime is how long a run may show no progress before it is looked into why.
	quietTime = 3 * time.Second
)

// update is what is known about a run that goes on.
type update struct {
	*workflows.Progress

	// note says what the run waits for; empty if it does not.
	note string
}

// follow waits for a run to end and shows its progress meanwhile. When the context ends the run goes on.
func (a *app) follow(ctx context.Context, t *temporalClient, job string, run client.WorkflowRun) (*workflows.SyncResult, error) {
	res, err := a.await(ctx, t, job, run)
	if err != nil {
		return nil, runError(ctx, job, run, err)
	}
	return res, nil
}

// await is follow with the SDK's error.
func (a *app) await(ctx context.Context, t *temporalClient, job string, run client.WorkflowRun) (*workflows.SyncResult, error) {
	show := a.newDisplay()
	watch, stop := context.WithCancel(ctx)
	defer stop()
	updates := make(chan update)
	go t.watch(watch, job, run, show.interval(), updates)

	var res workflows.SyncResult
	done := make(chan error, 1)
	go func() { done <- run.Get(ctx, &res) }()
	for {
		select {
		case u := <-updates:
			show.update(u)
		case err := <-done:
			show.end()
			if err != nil {
				return nil, err
			}
			return &res, nil
		}
	}
}

// runError says why there is no result of a run.
func runError(ctx context.Context, job string, run client.WorkflowRun, err error) error {
	if ctx.Err() != nil {
		return &failure{exit: ExitInterrupted, code: codeInterrupted, err: fmt.Errorf(
			"interrupted, but the run goes on in Temporal: watch it with durasync status %s, cancel it with durasync cancel %s", job, run.GetID())}
	}
	var app *temporal.ApplicationError
	var cancelled *temporal.CanceledError
	var terminated *temporal.TerminatedError
	switch {
	case errors.As(err, &app):
		return &failure{exit: exitOfRun(app.Type()), code: app.Type(), err: fmt.Errorf("the run of %s failed: %s", job, app.Message())}
	case errors.As(err, &cancelled):
		return &failure{exit: ExitRunFailed, code: string(activities.Cancelled), err: fmt.Errorf("the run of %s was cancelled", job)}
	case errors.As(err, &terminated):
		return &failure{exit: ExitRunFailed, code: "terminated", err: fmt.Errorf("the run of %s was terminated", job)}
	}
	return fmt.Errorf("wait for the run of %s: %w", job, err)
}

// endedAs is the outcome that an error of a run which has ended stands for.
func endedAs(err error) activities.Outcome {
	switch {
	case err == nil:
		return activities.Completed
	case is[*temporal.CanceledError](err):
		return activities.Cancelled
	}
	return activities.Failed
}

// watch sends what a run is doing until the context ends.
func (t *temporalClient) watch(ctx context.Context, job string, run client.WorkflowRun, interval time.Duration, out chan<- update) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var last workflows.Progress
	changed := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var u update
		if p, err := t.progress(ctx, run.GetID()); err == nil {
			u.Progress = p
			if *p != last {
				last, changed = *p, time.Now()
			}
		}
		if time.Since(changed) > quietTime {
			u.note = t.reason(ctx, job, run, u.Progress)
		}
		select {
		case <-ctx.Done():
			return
		case out <- u:
		}
	}
}

// progress asks a run how far it is. A worker has to answer.
func (t *temporalClient) progress(ctx context.Context, workflowID string) (*workflows.Progress, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	value, err := t.QueryWorkflow(ctx, workflowID, "", workflows.QueryProgress)
	if err != nil {
		return nil, err
	}
	var p workflows.Progress
	if err := value.Get(&p); err != nil {
		return nil, err
	}
	return &p, nil
}

// reason finds out what a run without progress waits for. What cannot be found out is left open.
func (t *temporalClient) reason(ctx context.Context, job string, run client.WorkflowRun, p *workflows.Progress) string {
	desc, err := t.DescribeWorkflowExecution(ctx, run.GetID(), "")
	if err != nil {
		return ""
	}
	if task := desc.GetPendingWorkflowTask(); task.GetState() == enumspb.PENDING_WORKFLOW_TASK_STATE_SCHEDULED &&
		time.Since(task.GetScheduledTime().AsTime()) > quietTime {
		return "waiting for a worker: none takes the run; start one with durasync worker in the job directory"
	}
	if p != nil && p.Phase == workflows.PhaseWaiting {
		if state, err := t.job(ctx, job); err == nil && state != nil && state.Lock != nil && state.Lock.Owner.WorkflowID != run.GetID() {
			wait := ""
			if state.Plan != nil && state.Plan.Source.Wait > 0 {
				wait = fmt.Sprintf("; it waits for at most %s and is skipped then", span(time.Duration(state.Plan.Source.Wait)))
			}
			return fmt.Sprintf("waiting for another run of the job to end: %s, since %s%s", state.Lock.Owner.WorkflowID, moment(state.Lock.Since), wait)
		}
	}
	for _, activity := range desc.GetPendingActivities() {
		queue := activity.GetActivityOptions().GetTaskQueue().GetName()
		if activity.GetState() != enumspb.PENDING_ACTIVITY_STATE_SCHEDULED || queue == "" {
			continue
		}
		if ok, err := t.served(ctx, queue, enumspb.TASK_QUEUE_TYPE_ACTIVITY); err == nil && !ok {
			return fmt.Sprintf("waiting for a worker: none serves %s; start one with durasync worker in the directory that declares the connection", queue)
		}
	}
	return ""
}

// workerSilent reports whether an error means that no worker answered.
func workerSilent(err error) bool {
	return is[*serviceerror.FailedPrecondition](err) || is[*serviceerror.DeadlineExceeded](err) || errors.Is(err, context.DeadlineExceeded)
}

// job returns what Temporal knows about a job, or nil. A worker has to answer.
func (t *temporalClient) job(ctx context.Context, job string) (*workflows.JobState, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return entities.New(t.Client).Job(ctx, job)
}
