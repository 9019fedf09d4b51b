package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/internal/schedules"
	"github.com/durasync/durasync/workflows"
)

func (a *app) runCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Look at one run",
		Args:  noCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.runShowCommand())
	return cmd
}

func (a *app) runShowCommand() *cobra.Command {
	var runID string
	cmd := a.reports(&cobra.Command{
		Use:   "show ID|JOB",
		Short: "Show what one run did, step by step, and what was not written",
		Long: `Show what one run did, by its id (see durasync runs), or the last run of a job:
counts, window, duration and rate, each step with its retries and its last
error, the records that were not written and those whose account was chosen
among several.

Runs that share an id, as those may that the schedule held back, are told apart
by --run-id; without it the last one is shown. Of a run whose history Temporal
has forgotten, what its job remembers is shown.`,
		Args:              exactArgs(1, "the id of a run or the name of a job"),
		ValidArgsFunction: a.completeJobs,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			t, err := a.connect(cmd)
			if err != nil {
				return err
			}
			defer t.Close()
			ref, err := t.findRun(ctx, args[0], runID)
			if err != nil {
				return err
			}
			d, err := t.runDetails(ctx, ref)
			if err != nil {
				return err
			}
			if a.json {
				a.writeJSON(d)
				return nil
			}
			d.show(a)
			return nil
		},
	})
	cmd.Flags().StringVar(&runID, "run-id", "", "the run's own id, where runs share one")
	return cmd
}

// runRef names a run that exists, or existed.
type runRef struct {
	startedRun // with the first run id of the chain
	job        string

	// remembered is what the job remembers of a run that Temporal has forgotten; nil if Temporal knows the run.
	remembered *activities.Run
}

// findRun finds the run that an argument names: an id, or a job, whose last run it is then.
func (t *temporalClient) findRun(ctx context.Context, arg, runID string) (*runRef, error) {
	if !strings.Contains(arg, "/") {
		_, errJob := t.knownJob(ctx, arg)
		if errJob == nil {
			return t.lastRun(ctx, arg)
		}
		ref, err := t.describedRun(ctx, arg, runID)
		if historyGone(err) {
			return nil, errJob
		}
		return ref, err
	}
	ref, err := t.describedRun(ctx, arg, runID)
	if !historyGone(err) {
		return ref, err
	}
	return t.rememberedRun(ctx, arg, runID)
}

// lastRun is the run of a job that began last.
func (t *temporalClient) lastRun(ctx context.Context, job string) (*runRef, error) {
	active, err := t.active(ctx)
	if err != nil {
		return nil, err
	}
	if list := active[job]; len(list) > 0 {
		return &runRef{startedRun: list[len(list)-1].startedRun, job: job}, nil
	}
	state, err := t.state(ctx, job)
	if err != nil {
		return nil, err
	}
	if len(state.Runs) == 0 {
		return nil, &failure{exit: ExitInvalid, code: codeUnknownRun, err: fmt.Errorf("job %s has not run yet; start it with durasync sync %s", job, job)}
	}
	r := &state.Runs[len(state.Runs)-1]
	ref, err := t.describedRun(ctx, r.Owner.WorkflowID, r.RunID)
	if historyGone(err) {
		return t.refTo(job, r), nil
	}
	return ref, err
}

// describedRun asks Temporal for a run. One that Temporal does not know is a serviceerror.NotFound.
func (t *temporalClient) describedRun(ctx context.Context, workflowID, runID string) (*runRef, error) {
	desc, err := t.DescribeWorkflowExecution(ctx, workflowID, runID)
	if err != nil {
		return nil, fmt.Errorf("describe run %s: %w", workflowID, err)
	}
	info := desc.GetWorkflowExecutionInfo()
	if name := info.GetType().GetName(); name != workflows.SyncType {
		return nil, &failure{exit: ExitInvalid, code: codeUnknownRun, err: fmt.Errorf("%s is a workflow of type %s, not a run of a job", workflowID, name)}
	}
	return &runRef{
		startedRun: startedRun{workflowID, info.GetFirstRunId(), t.runURL(workflowID, info.GetExecution().GetRunId())},
		job:        t.memoJob(info.GetMemo()),
	}, nil
}

// rememberedRun looks for a run that Temporal has forgotten in what the jobs remember.
func (t *temporalClient) rememberedRun(ctx context.Context, workflowID, runID string) (*runRef, error) {
	all, err := schedules.List(ctx, t.ScheduleClient())
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if !strings.Contains(workflowID, s.Job) {
			continue
		}
		state, err := t.state(ctx, s.Job)
		if err != nil {
			return nil, err
		}
		for i := len(state.Runs) - 1; i >= 0; i-- {
			r := &state.Runs[i]
			if r.Owner.WorkflowID == workflowID && (runID == "" || runID == r.RunID || runID == r.Owner.FirstRunID) {
				return t.refTo(s.Job, r), nil
			}
		}
	}
	what := quoted(workflowID)
	if runID != "" {
		what += " with the run id " + runID
	}
	return nil, &failure{exit: ExitInvalid, code: codeUnknownRun, err: errors.New("there is no run " + what + ", nor does a job remember one"), hint: "durasync runs JOB lists the runs of a job"}
}

// codeUnknownRun is the code of errors about runs that do not exist.
const codeUnknownRun = "unknown_run"

func (t *temporalClient) refTo(job string, r *activities.Run) *runRef {
	return &runRef{
		startedRun: startedRun{r.Owner.WorkflowID, r.Owner.FirstRunID, t.runURL(r.Owner.WorkflowID, r.RunID)}, job: job, remembered: r,
	}
}

// runDetails is what is printed with --json.
type runDetails struct {
	startedRun
	Job     string             `json:"job"`
	Kind    activities.RunKind `json:"kind"`
	Outcome activities.Outcome `json:"outcome,omitempty"` // empty while the run goes on
	Phase   workflows.Phase    `json:"phase,omitempty"`   // of a run that goes on
	Error   string             `json:"error,omitempty"`
	Resumes time.Time          `json:"resumes,omitzero"` // when another run goes on by itself

	progress *workflows.Progress // of a run that goes on, if a worker answers

	Started    time.Time `json:"started"`
	Ended      time.Time `json:"ended,omitzero"`
	DurationMS int64     `json:"duration_ms"`
	From       time.Time `json:"from,omitzero"`
	To         time.Time `json:"to,omitzero"`

	Counts activities.Counts `json:"counts"`

	// RecordsPerSecond is how many of the new records the run dealt with, by its duration.
	RecordsPerSecond float64 `json:"records_per_second"`

	// History says that Temporal still has the run's history. Without one there is only what the job remembers.
	History    bool `json:"history"`
	Executions int  `json:"executions,omitempty"` // more than one if the run continued as new

	Steps     []step                `json:"steps"`
	Records   []openRecord          `json:"records"` // the last ones that were not written
	Ambiguous []workflows.Ambiguity `json:"ambiguous"`
	Estimate  *workflows.Estimate   `json:"estimate,omitempty"`
}

// runDetails collects what is known about a run.
func (t *temporalClient) runDetails(ctx context.Context, ref *runRef) (*runDetails, error) {
	d := &runDetails{startedRun: ref.startedRun, Job: ref.job, Kind: kindOf(ref.WorkflowID), Steps: []step{}, Records: []openRecord{}, Ambiguous: []workflows.Ambiguity{}}
	if ref.remembered != nil {
		d.remember(ref.remembered)
		return d, nil
	}
	h, err := t.readHistory(ctx, ref.WorkflowID, ref.RunID)
	if historyGone(err) {
		remembered, errMemory := t.rememberedRun(ctx, ref.WorkflowID, ref.RunID)
		if errMemory != nil {
			return nil, errMemory
		}
		d.remember(remembered.remembered)
		return d, nil
	}
	if err != nil {
		return nil, err
	}
	if h.Status == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		desc, err := t.DescribeWorkflowExecution(ctx, ref.WorkflowID, "")
		if err != nil {
			return nil, fmt.Errorf("describe run %s: %w", ref.WorkflowID, err)
		}
		h.underWay(desc.GetPendingActivities())
	}
	d.fill(h, time.Now())
	if d.Outcome == "" {
		if p, err := t.progress(ctx, ref.WorkflowID); err == nil { // no worker may be there to answer
			d.progress, d.Kind = p, cmp.Or(p.Kind, d.Kind)
			d.Phase, d.Counts, d.From, d.To = p.Phase, p.Counts, p.From, p.To
			d.rate()
		}
	}
	return d, nil
}

// remember fills in what a job remembers of a run.
func (d *runDetails) remember(r *activities.Run) {
	d.Kind = cmp.Or(r.Kind, activities.KindSync)
	d.Outcome, d.Error, d.Resumes, d.Started, d.Ended, d.From, d.To, d.Counts = r.Outcome, r.Error, r.Resumes, r.Started, r.Ended, r.From, r.To, r.Counts
	d.DurationMS = r.Ended.Sub(r.Started).Milliseconds()
	d.rate()
}

// fill fills in what the histories tell.
func (d *runDetails) fill(h *history, now time.Time) {
	d.History, d.Executions, d.Outcome, d.Error = true, h.Executions, h.outcome(), h.Failure
	d.Job, d.Kind = cmp.Or(h.Input.Job, d.Job), h.Input.Kind()
	d.Started, d.Ended, d.From, d.To = h.Started, h.Ended, h.Input.From, h.Input.To
	d.Steps = append(d.Steps, h.Steps...)
	end := d.Ended
	if end.IsZero() {
		end = now
	}
	d.DurationMS = end.Sub(d.Started).Milliseconds()
	if r := h.Recorded; r != nil {
		d.Counts, d.From, d.To = r.Counts, r.From, r.To
		d.Error, d.Resumes = cmp.Or(d.Error, r.Error), r.Resumes
	}
	if r := h.Result; r != nil {
		d.Counts, d.From, d.To, d.Estimate = r.Counts, r.From, r.To, r.Estimate
		for _, v := range r.Rejects {
			d.Records = append(d.Records, recordOf(v))
		}
		d.Ambiguous = append(d.Ambiguous, r.Ambiguous...)
	}
	sortRecords(d.Records)
	d.rate()
}

func (d *runDetails) rate() {
	d.RecordsPerSecond = 0
	c := &d.Counts
	if done := c.Created + c.Rejected + c.Deferred; done > 0 && d.DurationMS > 0 {
		d.RecordsPerSecond = float64(done) / (float64(d.DurationMS) / 1000)
	}
}
