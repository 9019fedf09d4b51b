package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"golang.org/x/sync/errgroup"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/internal/entities"
	"github.com/durasync/durasync/workflows"
)

// running is a run that goes on.
type running struct {
	startedRun
	Kind     activities.RunKind  `json:"kind"`
	Since    time.Time           `json:"since"`
	Progress *workflows.Progress `json:"progress,omitempty"`
}

// waiting reports whether the run waits for another one of its job.
func (r *running) waiting() bool {
	return r.Progress != nil && r.Progress.Phase == workflows.PhaseWaiting
}

// kindOf tells what a run is for by its id. A run that somebody started by other means counts as a sync.
func kindOf(workflowID string) activities.RunKind {
	prefix, _, _ := strings.Cut(workflowID, "/")
	switch kind := activities.RunKind(prefix); kind {
	case activities.KindBackfill, activities.KindRetry, activities.KindAdopt:
		return kind
	}
	return activities.KindSync
}

// doing says what a run does, and how far it is.
func doing(p *workflows.Progress) string {
	switch p.Phase {
	case workflows.PhaseWaiting:
		return "it waits for another run of the job to end"
	case workflows.PhasePostponed:
		return fmt.Sprintf("postponed until %s: %s", moment(p.NotBefore), p.Because)
	}
	return fmt.Sprintf("%s: %s", p.Phase, counts(&p.Counts))
}

// maxActive bounds the list of runs that go on.
const maxActive = 500

// active returns the runs that go on, by job, those that came first first. Temporal's list follows what happens at a distance of
// about a second. A run that names its job only in its input is found if a worker answers.
func (t *temporalClient) active(ctx context.Context) (map[string][]running, error) {
	executions, err := t.runningSyncs(ctx)
	if err != nil {
		return nil, err
	}
	runs := make([]running, len(executions))
	jobs := make([]string, len(executions))
	g, groupCtx := errgroup.WithContext(ctx)
	g.SetLimit(statusParallel)
	for i, e := range executions {
		g.Go(func() (err error) {
			jobs[i] = t.memoJob(e.GetMemo())
			runs[i], err = t.running(groupCtx, e.GetExecution().GetWorkflowId())
			if p := runs[i].Progress; p != nil {
				jobs[i] = cmp.Or(p.Job, jobs[i])
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	byJob := map[string][]running{}
	for i, job := range jobs {
		if runs[i].RunID != "" {
			byJob[job] = append(byJob[job], runs[i])
		}
	}
	for _, list := range byJob {
		slices.SortFunc(list, func(x, y running) int { return x.Since.Compare(y.Since) })
	}
	return byJob, nil
}

func (t *temporalClient) runningSyncs(ctx context.Context) ([]*workflowpb.WorkflowExecutionInfo, error) {
	req := &workflowservice.ListWorkflowExecutionsRequest{
		Query: fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus = 'Running'", workflows.SyncType),
	}
	var all []*workflowpb.WorkflowExecutionInfo
	for {
		res, err := t.ListWorkflow(ctx, req)
		if err != nil {
			return nil, fmt.Errorf("list the runs that go on: %w", err)
		}
		all = append(all, res.GetExecutions()...)
		req.NextPageToken = res.GetNextPageToken()
		if len(req.NextPageToken) == 0 || len(all) >= maxActive {
			return all, nil
		}
	}
}

// running describes a run that goes on. A run that has ended meanwhile comes back without a run id. What a worker would have to
// tell is left out if none answers.
func (t *temporalClient) running(ctx context.Context, workflowID string) (running, error) {
	desc, err := t.DescribeWorkflowExecution(ctx, workflowID, "")
	if is[*serviceerror.NotFound](err) {
		return running{}, nil
	}
	if err != nil {
		return running{}, fmt.Errorf("describe run %s: %w", workflowID, err)
	}
	info := desc.GetWorkflowExecutionInfo()
	if info.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return running{}, nil
	}
	first := info.GetFirstRunId()
	r := running{
		startedRun: startedRun{workflowID, first, t.runURL(workflowID, info.GetExecution().GetRunId())},
		Kind:       kindOf(workflowID), Since: info.GetStartTime().AsTime(),
	}
	if first != info.GetExecution().GetRunId() { // it has continued as new
		if begin, err := t.DescribeWorkflowExecution(ctx, workflowID, first); err == nil {
			r.Since = begin.GetWorkflowExecutionInfo().GetStartTime().AsTime()
		}
	}
	p, err := t.progress(ctx, workflowID)
	switch {
	case err == nil:
		r.Progress, r.Kind = p, cmp.Or(p.Kind, r.Kind)
	case ctx.Err() != nil:
		return running{}, ctx.Err()
	}
	return r, nil
}

// memoJob is the job that a run's memo names, or "".
func (t *temporalClient) memoJob(memo *commonpb.Memo) string {
	var job string
	if !t.codec.Decode(memo.GetFields()[workflows.MemoJob], &job) {
		return ""
	}
	return job
}

// backlog is what a schedule holds back and has dropped.
type backlog struct {
	// Buffered is how many triggers wait for the run that goes on; the schedule keeps one and drops any further.
	Buffered int `json:"buffered,omitempty"`

	// Dropped is how many it has dropped since it was created.
	Dropped int `json:"dropped,omitempty"`
}

// backlog asks a job's schedule. The SDK's description leaves out how many triggers are buffered.
func (t *temporalClient) backlog(ctx context.Context, job string) (backlog, error) {
	res, err := t.WorkflowService().DescribeSchedule(ctx, &workflowservice.DescribeScheduleRequest{Namespace: t.namespace, ScheduleId: job})
	if is[*serviceerror.NotFound](err) {
		return backlog{}, nil
	}
	if err != nil {
		return backlog{}, fmt.Errorf("describe the schedule of job %s: %w", job, err)
	}
	info := res.GetInfo()
	return backlog{Buffered: int(info.GetBufferSize()), Dropped: int(info.GetOverlapSkipped() + info.GetBufferDropped())}, nil
}

// lines are what there is to say about a backlog.
func (b backlog) lines() []string {
	var lines []string
	if b.Buffered > 0 {
		lines = append(lines, "one run of the schedule waits; a further trigger is dropped")
	}
	if b.Dropped > 0 {
		lines = append(lines, fmt.Sprintf("%s dropped so far, because one was waiting already", were(b.Dropped, "trigger")))
	}
	return lines
}

// were is "1 trigger was", "2 triggers were".
func were(n int, noun string) string {
	if n == 1 {
		return plural(n, noun) + " was"
	}
	return plural(n, noun) + " were"
}

// statePatience is how long a worker may take to tell a job's state. When one has just crashed, Temporal waits for it for some seconds
// before it asks another.
const statePatience = 20 * time.Second

// state returns the state of a job that has been applied. It needs a worker.
func (t *temporalClient) state(ctx context.Context, job string) (*workflows.JobState, error) {
	served, err := t.served(ctx, workflows.TaskQueue, enumspb.TASK_QUEUE_TYPE_WORKFLOW)
	if err != nil {
		return nil, err
	}
	var state *workflows.JobState
	if served {
		limited, cancel := context.WithTimeout(ctx, statePatience)
		defer cancel()
		state, err = entities.New(t.Client).Job(limited, job)
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case !served, workerSilent(err):
		return nil, environmentError("no worker answers in the Temporal at %s, namespace %s; start one with durasync worker in the job directory",
			t.address, t.namespace)
	case err != nil:
		return nil, err
	case state == nil || state.Plan == nil:
		return nil, &failure{exit: ExitInvalid, code: activities.TypeNotApplied, err: errors.New(
			"job " + quoted(job) + " has no plan yet; run durasync apply in the directory that declares it")}
	}
	return state, nil
}
