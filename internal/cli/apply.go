package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"
	enumspb "go.temporal.io/api/enums/v1"
	"golang.org/x/sync/errgroup"

	"github.com/durasync/durasync/internal/entities"
	"github.com/durasync/durasync/internal/schedules"
	"github.com/durasync/durasync/schema/plan"
	"github.com/durasync/durasync/workflows"
)

const (
	// workerPatience is how long apply waits for a worker, which may be starting at the same time.
	workerPatience = 10 * time.Second

	// workerPoll is how often it looks.
	workerPoll = 250 * time.Millisecond

	// storeTimeout is how long a worker may take to store a plan. One that was there a minute ago may be gone.
	storeTimeout = 20 * time.Second

	// applyParallel is how many jobs are applied at once.
	applyParallel = 8
)

func (a *app) applyCommand() *cobra.Command {
	return a.reports(&cobra.Command{
		Use:   "apply [DIR]",
		Short: "Make the jobs of a directory known to Temporal",
		Long: `Make the jobs of a directory, the current one by default, known to Temporal:
their plans for the runs that begin from now on, and their schedules. Nothing is
done unless all files are valid. Needs a running worker, and no secrets.

Jobs that Temporal knows and the directory does not have are left alone.`,
		Args: maxArgs(1, "at most one directory"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			log, err := a.logger(cmd, hclog.Off)
			if err != nil {
				return err
			}
			dir := dirArg(args)
			config, err := a.loadJobs(ctx, dir, a.connectors(dir, log))
			if err != nil {
				return err
			}
			t, err := a.dial(ctx, log)
			if err != nil {
				return err
			}
			defer t.Close()
			if err := a.awaitWorker(ctx, t); err != nil {
				return err
			}
			jobs, err := t.apply(ctx, config.Jobs)
			if err != nil {
				a.showApplied(jobs, nil)
				return err
			}
			others, err := t.otherJobs(ctx, config.Jobs)
			if err != nil {
				return err
			}
			a.showApplied(jobs, others)
			return nil
		},
	})
}

// awaitWorker returns when a worker runs that can store plans.
func (a *app) awaitWorker(ctx context.Context, t *temporalClient) error {
	limited, cancel := context.WithTimeout(ctx, workerPatience)
	defer cancel()
	tick := time.NewTicker(workerPoll)
	defer tick.Stop()
	for first := true; ; first = false {
		ok, err := t.served(limited, workflows.TaskQueue, enumspb.TASK_QUEUE_TYPE_WORKFLOW)
		if err != nil && limited.Err() == nil {
			return err
		}
		if ok {
			return nil
		}
		if first && !a.json {
			a.notef("waiting for a worker\n")
		}
		select {
		case <-limited.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return noWorker(t)
		case <-tick.C:
		}
	}
}

func noWorker(t *temporalClient) error {
	return environmentError("no worker answers in the Temporal at %s, namespace %s; start one with durasync worker in the job directory, then apply again",
		t.address, t.namespace)
}

// appliedJob is what applying did to a job.
type appliedJob struct {
	Job      string           `json:"job"`
	Change   schedules.Change `json:"change"`
	Schedule schedules.Change `json:"schedule"`
	Enabled  bool             `json:"enabled"`

	// Run is the run that was started by sync_on_apply.
	Run *startedRun `json:"run,omitempty"`
}

// apply stores the plans and their schedules. What cannot succeed is found out before anything is changed. With an error come
// the jobs that were applied all the same.
func (t *temporalClient) apply(ctx context.Context, plans []*plan.Plan) ([]appliedJob, error) {
	scheduler := t.ScheduleClient()
	check, checkCtx := errgroup.WithContext(ctx)
	check.SetLimit(applyParallel)
	for _, p := range plans {
		check.Go(func() error { return schedules.Check(checkCtx, scheduler, p.Job) })
	}
	if err := check.Wait(); err != nil {
		return nil, err
	}
	entity := entities.New(t.Client)
	results := make([]appliedJob, len(plans))
	errs := make([]error, len(plans))
	var all errgroup.Group
	all.SetLimit(applyParallel)
	for i, p := range plans {
		all.Go(func() error {
			results[i], errs[i] = t.applyJob(ctx, entity, p)
			return nil
		})
	}
	_ = all.Wait() // the errors are in errs
	return slices.DeleteFunc(results, func(j appliedJob) bool { return j.Job == "" }), errors.Join(errs...)
}

// applyJob stores one plan, then its schedule, so that no run is started without a plan.
func (t *temporalClient) applyJob(ctx context.Context, entity *entities.Client, p *plan.Plan) (appliedJob, error) {
	limited, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	stored, err := entity.Apply(limited, p)
	switch {
	case err != nil && limited.Err() != nil && ctx.Err() == nil:
		return appliedJob{}, noWorker(t)
	case err != nil:
		return appliedJob{}, fmt.Errorf("job %s: %w", p.Job, err)
	}
	schedule, err := schedules.Apply(ctx, t.ScheduleClient(), p)
	if err != nil {
		return appliedJob{}, err
	}
	done := appliedJob{Job: p.Job, Change: schedules.Unchanged, Schedule: schedule, Enabled: p.Schedule.Enabled}
	switch {
	case stored.Created:
		done.Change = schedules.Created
	case stored.Changed || schedule != schedules.Unchanged:
		done.Change = schedules.Changed
	}
	if p.Schedule.SyncOnApply && done.Change != schedules.Unchanged {
		run, err := t.start(ctx, p.Job, schedules.Summary(p))
		if err != nil {
			return done, err
		}
		started := t.started(run)
		done.Run = &started
	}
	return done, nil
}

// otherJobs returns the jobs that Temporal knows and that are not among the plans.
func (t *temporalClient) otherJobs(ctx context.Context, plans []*plan.Plan) ([]string, error) {
	all, err := schedules.List(ctx, t.ScheduleClient())
	if err != nil {
		return nil, err
	}
	others := []string{}
	for _, s := range all {
		if !slices.ContainsFunc(plans, func(p *plan.Plan) bool { return p.Job == s.Job }) {
			others = append(others, s.Job)
		}
	}
	return others, nil
}

// showApplied prints what was done; others are the jobs that were left alone.
func (a *app) showApplied(jobs []appliedJob, others []string) {
	if a.json {
		if others == nil {
			return // an error follows, and there is one JSON value
		}
		a.writeJSON(struct {
			Jobs   []appliedJob `json:"jobs"`
			Others []string     `json:"others"`
		}{jobs, others})
		return
	}
	s := a.outStyle()
	for _, j := range jobs {
		change := string(j.Change)
		if j.Change != schedules.Unchanged {
			change = s.green(change)
		}
		state := ""
		if !j.Enabled {
			state = s.dim(" (its schedule is paused: enabled = false)")
		}
		a.printf("%s: %s%s\n", s.bold(j.Job), change, state)
		if j.Run != nil {
			a.printf("  started %s\n", j.Run.WorkflowID)
			if j.Run.URL != "" {
				a.printf("  %s\n", j.Run.URL)
			}
		}
	}
	if len(others) > 0 {
		a.notef("%s %s not in the directory and left alone: %s (to end one: temporal schedule delete -s JOB)\n",
			a.errStyle().dim("hint:"), are(len(others), "job"), strings.Join(others, ", "))
	}
}
