package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	var planHash string
	var prune, paused bool
	cmd := a.reports(&cobra.Command{
		Use:   "apply [DIR]",
		Short: "Make the jobs of a directory known to Temporal",
		Long: `Make the jobs of a directory, the current one by default, known to Temporal:
their plans for the runs that begin from now on, and their schedules. See what
it would do with durasync plan. Needs a running worker, and no secrets.

A job with a mistake is left as it is, and the others are applied: each stands
for itself, and a mistake in one must not keep the others from being mended.
The exit code is 2 then. To apply all or nothing: durasync validate && durasync
apply. Jobs that Temporal has and the directory has not are left alone; with
--prune their schedules are deleted, unless a file has a mistake. Give --prune
only if all the jobs of the namespace are in this one directory.

If the Temporal that the jobs ran in is lost and this one is empty, give
--paused: the schedules are created paused, and no run is started that could
write again what was delivered before. Then see durasync help adopt.`,
		Args: maxArgs(1, "at most one directory"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			log, err := a.logger(cmd, hclog.Off)
			if err != nil {
				return err
			}
			dir := dirArg(args)
			files, err := a.loadValid(ctx, dir, a.connectors(dir, log))
			if err != nil {
				return err
			}
			t, err := a.dial(ctx, log)
			if err != nil {
				return err
			}
			defer t.Close()
			if err := a.awaitWorker(ctx, t, workflows.TaskQueue, enumspb.TASK_QUEUE_TYPE_WORKFLOW, noWorker(t)); err != nil {
				return err
			}
			set, err := t.changes(ctx, files.jobs, changeOptions{prune: prune, partial: files.err != nil})
			if err != nil {
				return err
			}
			if planHash != "" && planHash != set.Hash {
				return staleError(dir, planHash, set.Hash)
			}
			if paused {
				set.pause(a.who())
			}
			applied, err := t.carryOut(ctx, set)
			return a.reportApplied(applied, joined(err, set.err(), files.err))
		},
	})
	cmd.Flags().StringVar(&planHash, "plan-hash", "", "apply only what plan has shown under this hash")
	cmd.Flags().BoolVar(&prune, "prune", false, "delete the schedules of jobs that the directory\nhas not")
	cmd.Flags().BoolVar(&paused, "paused", false, "create schedules paused, and start no run")
	return cmd
}

// pause makes new jobs begin paused by a person, and starts no runs.
func (s *changeSet) pause(who string) {
	for i := range s.Jobs {
		c := &s.Jobs[i]
		c.Starts = false
		if c.Action == actionCreate && c.Enabled {
			c.Held, c.Next = schedules.PauseNote(who, "applied with --paused", time.Now()), nil
		}
	}
}

func staleError(dir, want, have string) error {
	return &failure{exit: ExitInvalid, code: codeStalePlan, err: fmt.Errorf(
		"the plan %s is out of date: the files or Temporal have changed since, and now it is %s; look at it with durasync plan %s", want, have, dir)}
}

// awaitWorker returns when a worker asks for tasks of a queue, or the error otherwise after a while.
func (a *app) awaitWorker(ctx context.Context, t *temporalClient, queue string, kind enumspb.TaskQueueType, otherwise error) error {
	limited, cancel := context.WithTimeout(ctx, workerPatience)
	defer cancel()
	tick := time.NewTicker(workerPoll)
	defer tick.Stop()
	for first := true; ; first = false {
		ok, err := t.served(limited, queue, kind)
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
			return otherwise
		case <-tick.C:
		}
	}
}

func noWorker(t *temporalClient) error {
	return environmentError("no worker answers in the Temporal at %s, namespace %s; start one with durasync worker in the job directory, then try again",
		t.address, t.namespace)
}

// appliedSet is what applying did.
type appliedSet struct {
	*changeSet
	Jobs []appliedJob `json:"jobs"`
}

// appliedJob is what applying did to a job.
type appliedJob struct {
	*change

	// Done says that the action was taken. Nothing is done about an unchanged or blocked job.
	Done bool `json:"done"`

	// Run is the run that was started by sync_on_apply.
	Run *startedRun `json:"run,omitempty"`

	// Error says why the action, or the start of the run, failed.
	Error string `json:"error,omitempty"`
}

// apply makes plans known to Temporal, whatever they change.
func (t *temporalClient) apply(ctx context.Context, plans []*plan.Plan) (*appliedSet, error) {
	set, err := t.changes(ctx, plans, changeOptions{})
	if err != nil {
		return nil, err
	}
	applied, err := t.carryOut(ctx, set)
	return applied, joined(err, set.err())
}

// carryOut does what a set of changes says. What fails for one job does not keep the others from being applied.
func (t *temporalClient) carryOut(ctx context.Context, set *changeSet) (*appliedSet, error) {
	out := &appliedSet{changeSet: set, Jobs: make([]appliedJob, len(set.Jobs))}
	errs := make([]error, len(set.Jobs))
	entity := entities.New(t.Client)
	var all errgroup.Group
	all.SetLimit(applyParallel)
	for i := range set.Jobs {
		out.Jobs[i].change = &set.Jobs[i]
		all.Go(func() error {
			if errs[i] = t.carryOutJob(ctx, entity, &out.Jobs[i]); errs[i] != nil {
				out.Jobs[i].Error = errs[i].Error()
			}
			return nil
		})
	}
	_ = all.Wait() // the errors are in errs
	return out, joined(errs...)
}

func (t *temporalClient) carryOutJob(ctx context.Context, entity *entities.Client, j *appliedJob) error {
	switch j.Action {
	case actionUnchanged, actionBlocked:
		return nil
	case actionRemove:
		if err := schedules.Remove(ctx, t.ScheduleClient(), j.Job); err != nil {
			return err
		}
		j.Done = true
		return nil
	}
	// The plan comes first, so that no run is started without one.
	limited, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	_, err := entity.Apply(limited, j.plan)
	switch {
	case err != nil && limited.Err() != nil && ctx.Err() == nil:
		return noWorker(t)
	case err != nil:
		return fmt.Errorf("job %s: %w", j.Job, err)
	}
	if j.Action == actionCreate && j.Held != "" {
		err = schedules.CreatePaused(ctx, t.ScheduleClient(), j.plan, j.Held)
	} else {
		_, err = schedules.Apply(ctx, t.ScheduleClient(), t.codec, j.plan)
	}
	if err != nil {
		return err
	}
	j.Done = true
	if !j.Starts {
		return nil
	}
	run, err := t.start(ctx, j.Job, schedules.Summary(j.plan))
	if err != nil {
		return err
	}
	started := t.started(run)
	j.Run = &started
	return nil
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

// reportApplied writes what was done, and passes the error on that goes with it.
func (a *app) reportApplied(set *appliedSet, err error) error {
	if !a.json {
		a.showApplied(set)
		return err
	}
	set.fail(err)
	a.writeJSON(set)
	return quietly(err)
}

// joined makes one error of those that are not nil. The first one counts for the exit code.
func joined(errs ...error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) < 2 {
		return errors.Join(errs...)
	}
	first := *classify(errs[0])
	first.err = errors.Join(errs...)
	return &first
}
