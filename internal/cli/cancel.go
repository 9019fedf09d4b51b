package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/durasync/durasync/activities"
)

func (a *app) cancelCommand() *cobra.Command {
	return a.reports(&cobra.Command{
		Use:   "cancel JOB|ID",
		Short: "Cancel the runs of a job that go on, or one of them",
		Long: `Cancel the runs of a job that go on, or the one with an id (see durasync runs),
and wait until they have ended. A run does not begin anything new then, but
finishes and notes what it has under way, so that nothing is in doubt. What it
did not come to is left for the next run.

Interrupting this command does not take the cancellation back.`,
		Args:              exactArgs(1, "the name of a job or the id of a run"),
		ValidArgsFunction: a.completeJobs,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			t, err := a.connect(cmd)
			if err != nil {
				return err
			}
			defer t.Close()
			job, runs, err := t.toCancel(ctx, args[0])
			if err != nil {
				return err
			}
			report := &cancelReport{Job: job, Cancelled: []cancelledRun{}}
			if err := a.cancel(ctx, t, job, runs, report); err != nil {
				return err
			}
			if b, err := t.backlog(ctx, job); err == nil {
				report.Buffered = b.Buffered
			}
			if a.json {
				a.writeJSON(report)
				return nil
			}
			report.show(a)
			return nil
		},
	})
}

// cancelReport is what is printed with --json.
type cancelReport struct {
	Job       string         `json:"job"`
	Cancelled []cancelledRun `json:"cancelled"`

	// Buffered is how many runs of the schedule waited for the cancelled one and start now.
	Buffered int `json:"buffered,omitempty"`
}

// cancelledRun is how a run ended that was asked to.
type cancelledRun struct {
	startedRun
	Kind    activities.RunKind `json:"kind"`
	Outcome activities.Outcome `json:"outcome"`
	Counts  activities.Counts  `json:"counts"`
}

// toCancel finds the runs that an argument names, those first that wait for others.
func (t *temporalClient) toCancel(ctx context.Context, arg string) (job string, runs []running, err error) {
	active, err := t.active(ctx)
	if err != nil {
		return "", nil, err
	}
	for name, list := range active {
		for _, r := range list {
			if r.WorkflowID == arg {
				return name, []running{r}, nil
			}
		}
	}
	if strings.Contains(arg, "/") {
		ref, err := t.findRun(ctx, arg, "")
		if err != nil {
			return "", nil, err
		}
		if ref.remembered == nil { // the list of runs that go on is a moment behind
			r, err := t.running(ctx, arg)
			if err != nil || r.RunID == "" {
				return ref.job, nil, err
			}
			return ref.job, []running{r}, nil
		}
		return ref.job, nil, nil
	}
	if _, err := t.knownJob(ctx, arg); err != nil {
		return "", nil, err
	}
	runs = active[arg]
	if state, err := t.job(ctx, arg); err == nil && state != nil && state.Lock != nil {
		id := state.Lock.Owner.WorkflowID
		if !slices.ContainsFunc(runs, func(r running) bool { return r.WorkflowID == id }) {
			r, err := t.running(ctx, id)
			if err != nil {
				return "", nil, err
			}
			if r.RunID != "" {
				runs = append(runs, r)
			}
		}
	}
	// A run that waits would take the lock when the one before it gives it back.
	waiting := func(r running) bool { return r.waiting() }
	not := func(r running) bool { return !r.waiting() }
	return arg, slices.Concat(filter(runs, waiting), filter(runs, not)), nil
}

func filter[T any](list []T, keep func(T) bool) []T {
	var out []T
	for _, v := range list {
		if keep(v) {
			out = append(out, v)
		}
	}
	return out
}

// cancel asks the runs to end and waits until they have.
func (a *app) cancel(ctx context.Context, t *temporalClient, job string, runs []running, report *cancelReport) error {
	var asked []client.WorkflowRun
	for _, r := range runs {
		err := t.CancelWorkflow(ctx, r.WorkflowID, "")
		if err != nil && !is[*serviceerror.NotFound](err) { // it may have ended just now
			return fmt.Errorf("cancel run %s: %w", r.WorkflowID, err)
		}
		if !a.json {
			a.notef("cancelling %s\n", r.WorkflowID)
		}
		asked = append(asked, t.GetWorkflow(ctx, r.WorkflowID, r.RunID))
	}
	for i, run := range asked {
		res, err := a.await(ctx, t, job, run)
		if err != nil && ctx.Err() != nil {
			return &failure{exit: ExitInterrupted, code: codeInterrupted, err: errors.New(
				"interrupted, but the run has been asked to end; see durasync status " + job)}
		}
		done := cancelledRun{startedRun: runs[i].startedRun, Kind: runs[i].Kind, Outcome: endedAs(err)}
		if res != nil { // it was done before the cancellation came
			done.Outcome, done.Counts = res.Outcome, res.Counts
		}
		report.Cancelled = append(report.Cancelled, done)
	}
	if len(runs) == 0 {
		return nil
	}
	// The runs' own accounts are with the job. They are told last, so a worker has to answer only now.
	state, err := t.job(ctx, job)
	if err != nil || state == nil {
		return err
	}
	for i := range report.Cancelled {
		c := &report.Cancelled[i]
		for _, r := range state.Runs {
			if r.Owner.WorkflowID == c.WorkflowID && r.Owner.FirstRunID == c.RunID {
				c.Outcome, c.Counts = r.Outcome, r.Counts
			}
		}
	}
	return nil
}

func (r *cancelReport) show(a *app) {
	st := a.outStyle()
	if len(r.Cancelled) == 0 {
		a.printf("%s: no run goes on\n", st.bold(r.Job))
		return
	}
	for _, c := range r.Cancelled {
		done, left := c.Counts, ""
		if c.Outcome == activities.Cancelled && done.Failed > 0 { // what it did not come to
			done.Failed, left = 0, ", left "+number(c.Counts.Failed)
		}
		a.printf("%s %s\n%s\n", outcomeText(st, c.Outcome), c.WorkflowID, wrap(counts(&done)+left, "  ", a.opts.Width))
	}
	a.printf("%s\n", wrap("What was under way is written and noted. What was left is for the next run.", "", a.opts.Width))
	if r.Buffered > 0 {
		a.printf("%s\n", wrap("One more run of the schedule was waiting and starts now; to keep the job from running, cancel again after durasync pause "+r.Job, "", a.opts.Width))
	}
}
