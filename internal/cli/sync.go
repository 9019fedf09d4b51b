package cli

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/durasync/durasync/internal/schedules"
)

func (a *app) syncCommand() *cobra.Command {
	var detach bool
	cmd := a.reports(&cobra.Command{
		Use:   "sync JOB",
		Short: "Run a job now and watch it",
		Long: `Run a job now and watch it. The run belongs to Temporal: when this command is
interrupted, the run goes on.

Exits 0 when the run completed, also with rejects; 1 when it did not.`,
		Args:              exactArgs(1, "the name of a job"),
		ValidArgsFunction: a.completeJobs,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, job := cmd.Context(), args[0]
			log, err := a.logger(cmd, hclog.Off)
			if err != nil {
				return err
			}
			t, err := a.dial(ctx, log)
			if err != nil {
				return err
			}
			defer t.Close()
			schedule, err := t.knownJob(ctx, job)
			if err != nil {
				return err
			}
			return a.sync(ctx, t, job, schedule.Summary, detach)
		},
	})
	cmd.Flags().BoolVar(&detach, "detach", false, "start the run and do not wait for it")
	return cmd
}

func (a *app) sync(ctx context.Context, t *temporalClient, job, description string, detach bool) error {
	run, err := t.start(ctx, job, description)
	if err != nil {
		return err
	}
	return a.watchRun(ctx, t, job, run, detach)
}

// watchRun watches a run that was just started and says what it came to.
func (a *app) watchRun(ctx context.Context, t *temporalClient, job string, run client.WorkflowRun, detach bool) error {
	began := time.Now()
	started := t.started(run)
	if detach {
		if a.json {
			a.writeJSON(struct {
				Job string `json:"job"`
				startedRun
			}{job, started})
			return nil
		}
		a.printf("started %s\n", started.WorkflowID)
		if started.URL != "" {
			a.printf("%s\n", started.URL)
		}
		return nil
	}
	if !a.json {
		a.notef("started %s\n", started.WorkflowID)
	}
	res, err := a.follow(ctx, t, job, run)
	if err != nil {
		return withRun(started, err)
	}
	s := newSummary(started, res, time.Since(began))
	if a.json {
		a.writeJSON(s)
		return quietly(s.err())
	}
	s.show(a)
	return s.err()
}

// quietly keeps an error's exit code and leaves its words out: the JSON result has told already.
func quietly(err error) error {
	if err == nil {
		return nil
	}
	return reported(classify(err))
}

// withRun adds the run to its error.
func withRun(run startedRun, err error) error {
	if f, ok := errors.AsType[*failure](err); ok {
		f.run = &run
		if run.URL != "" && f.hint == "" {
			f.hint = "see " + run.URL
		}
	}
	return err
}

// knownJob returns the schedule of a job, or says that there is no such job.
func (t *temporalClient) knownJob(ctx context.Context, job string) (*schedules.Status, error) {
	schedule, err := schedules.Get(ctx, t.ScheduleClient(), job)
	if err != nil || schedule != nil {
		return schedule, err
	}
	all, err := schedules.List(ctx, t.ScheduleClient())
	if err != nil {
		return nil, err
	}
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = s.Job
	}
	f := &failure{exit: ExitInvalid, code: codeUnknownJob}
	switch suggestion := didYouMean(job, names); {
	case len(names) == 0:
		f.err = errors.New("there is no job " + quoted(job) + " in Temporal, nor any other; run durasync apply in a job directory first")
	case suggestion != "":
		f.err = errors.New("there is no job " + quoted(job) + " in Temporal" + suggestion)
	default:
		f.err = errors.New("there is no job " + quoted(job) + " in Temporal, only " + strings.Join(names, ", "))
	}
	return nil, f
}

func quoted(s string) string { return `"` + s + `"` }

// completeJobs gives the shell the names of the jobs.
func (a *app) completeJobs(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	t, err := a.dial(cmd.Context(), hclog.NewNullLogger())
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	defer t.Close()
	all, err := schedules.List(cmd.Context(), t.ScheduleClient())
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = s.Job
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
