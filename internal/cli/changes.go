package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"golang.org/x/sync/errgroup"

	"github.com/durasync/durasync/internal/schedules"
	"github.com/durasync/durasync/schema"
	"github.com/durasync/durasync/schema/plan"
	"github.com/durasync/durasync/workflows"
)

// action is what applying does to a job.
type action string

// The actions.
const (
	actionCreate    action = "create"
	actionChange    action = "change"
	actionPause     action = "pause"  // the schedule, and nothing else
	actionResume    action = "resume" // likewise
	actionRemove    action = "remove" // the schedule; what is known about the job stays
	actionUnchanged action = "unchanged"
	actionBlocked   action = "blocked" // nothing can be done; see the problem
)

// change is the difference between a job in the files and in Temporal.
type change struct {
	Job    string `json:"job"`
	Action action `json:"action"`

	// Changes are what differs, with the value in Temporal and that in the files. Those of a new job are not listed.
	Changes []schedules.Difference `json:"changes,omitempty"`

	// Problem says why nothing can be done.
	Problem string `json:"problem,omitempty"`

	// Note says what else is worth knowing.
	Note string `json:"note,omitempty"`

	Source      string `json:"source,omitempty"`
	Destination string `json:"destination,omitempty"`

	// Schedule says when the job runs.
	Schedule string `json:"schedule,omitempty"`
	Enabled  bool   `json:"enabled"`

	// Held is the note of a person who has paused the schedule; it stays paused.
	Held string `json:"held,omitempty"`

	// Next are the next times, before jitter.
	Next []time.Time `json:"next,omitempty"`

	// Starts says that a run is started at once (sync_on_apply).
	Starts bool `json:"starts_run,omitempty"`

	// Old and New are the hashes of the plans; empty if there is none.
	Old string `json:"old_plan,omitempty"`
	New string `json:"new_plan,omitempty"`

	plan *plan.Plan
	err  error // the problem
}

// changeSet is the difference between a directory and Temporal.
type changeSet struct {
	// Hash stands for all of it: the plans in the files and the state of Temporal that they were compared with.
	Hash    string   `json:"hash"`
	Changed bool     `json:"changed"`
	Jobs    []change `json:"jobs"`

	// Others are jobs that Temporal has, the files have not, and that are left alone.
	Others []string `json:"others"`

	// Error says why not all of it can be done or was done, and Diagnostics what is wrong in the files.
	Error       *jsonError         `json:"error,omitempty"`
	Diagnostics schema.Diagnostics `json:"diagnostics,omitempty"`
}

// jsonError is an error as programs get it.
type jsonError struct {
	Message string `json:"message"`
	Code    string `json:"code"`
}

// fail notes the error that goes with the set.
func (s *changeSet) fail(err error) {
	if err == nil || errors.Is(err, errReported) {
		return
	}
	f := classify(err)
	s.Error = &jsonError{f.Error(), f.code}
	if partial, ok := errors.AsType[partialError](err); ok {
		s.Diagnostics = partial.diags
	}
}

// count returns how many jobs an action concerns.
func (s *changeSet) count(a action) int {
	n := 0
	for _, c := range s.Jobs {
		if c.Action == a {
			n++
		}
	}
	return n
}

// err is about the jobs that nothing can be done for.
func (s *changeSet) err() error {
	var errs []error
	for _, c := range s.Jobs {
		errs = append(errs, c.err)
	}
	return joined(errs...)
}

// nextRuns is how many runs of a schedule are shown.
const nextRuns = 5

// changeOptions say what is compared.
type changeOptions struct {
	// prune removes the jobs that are not in the files.
	prune bool

	// partial says that the files may hold jobs that could not be read: none is taken for removed.
	partial bool
}

// changes compares plans with Temporal. It changes nothing. A worker has to answer if one of the jobs has been applied before.
func (t *temporalClient) changes(ctx context.Context, plans []*plan.Plan, o changeOptions) (*changeSet, error) {
	now := time.Now()
	set := &changeSet{Jobs: make([]change, len(plans)), Others: []string{}}
	g, groupCtx := errgroup.WithContext(ctx)
	g.SetLimit(applyParallel)
	for i, p := range plans {
		g.Go(func() (err error) {
			set.Jobs[i], err = t.change(groupCtx, p, now)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	others, err := t.otherJobs(ctx, plans)
	switch {
	case err != nil:
		return nil, err
	case o.prune && !o.partial:
		for _, job := range others {
			set.Jobs = append(set.Jobs, change{Job: job, Action: actionRemove})
		}
	case !o.partial:
		set.Others = others
	}
	set.Changed = len(set.Jobs) > set.count(actionUnchanged)+set.count(actionBlocked)
	set.Hash = set.digest()
	return set, nil
}

// digest leaves out what passes with time, and the jobs that are left alone.
func (s *changeSet) digest() string {
	jobs := slices.Clone(s.Jobs)
	for i := range jobs {
		jobs[i].Next = nil
	}
	return digest(jobs)
}

func shortHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}

// change compares one plan.
func (t *temporalClient) change(ctx context.Context, p *plan.Plan, now time.Time) (change, error) {
	c := change{
		Job: p.Job, Action: actionUnchanged, New: p.Hash(), plan: p, Schedule: schedules.Words(&p.Schedule), Enabled: p.Schedule.Enabled,
		Source: p.Source.Connection + " " + p.Source.Stream, Destination: p.Destination.Connection + " " + p.Destination.Object,
	}
	next, err := schema.NextRuns(p.Schedule, now, nextRuns)
	if err != nil {
		return c, fmt.Errorf("job %s: %w", p.Job, err)
	}
	if p.Schedule.Enabled {
		c.Next = next
	}
	schedule, err := schedules.Compare(ctx, t.ScheduleClient(), t.codec, p)
	if is[*schedules.ForeignError](err) {
		c.Action, c.Problem, c.err = actionBlocked, err.Error(), err
		return c, nil
	}
	if err != nil {
		return c, err
	}
	state, err := t.appliedState(ctx, p.Job)
	if err != nil {
		return c, err
	}
	c.compare(schedule, state)
	return c, nil
}

// compare finds out what is to be done for a job.
func (c *change) compare(schedule schedules.State, state *workflows.JobState) {
	if c.Held = schedule.Held; c.Held != "" {
		c.Next = nil
	}
	known := state != nil && state.Plan != nil
	if known {
		c.Old = state.Plan.Hash()
	}
	switch {
	case known && schedule.Exists:
		c.Changes = slices.Concat(planDiff(state.Plan, c.plan), schedule.Differences)
		if len(c.Changes) == 0 && c.Old != c.New { // the schedule was changed by other means before the file was
			c.Changes = scheduleDiff(&state.Plan.Schedule, &c.plan.Schedule)
		}
		c.Action = actionOf(c.Changes, c.Enabled)
	case known:
		c.Action, c.Note = actionCreate, "known from before: what was delivered and where the last run ended is kept"
	default:
		c.Action = actionCreate
	}
	c.Starts = c.plan.Schedule.SyncOnApply && c.Action != actionUnchanged && c.Action != actionPause
}

// scheduleDiff compares when two plans run.
func scheduleDiff(old, now *plan.Schedule) []schedules.Difference {
	if was, is := schedules.Words(old), schedules.Words(now); was != is {
		return []schedules.Difference{{Field: schedules.FieldSchedule, Old: was, New: is}}
	}
	return []schedules.Difference{{Field: "enabled", Old: fmt.Sprint(old.Enabled), New: fmt.Sprint(now.Enabled)}}
}

// actionOf names what changes in a job that exists come to.
func actionOf(changes []schedules.Difference, enabled bool) action {
	switch {
	case len(changes) == 0:
		return actionUnchanged
	case len(changes) > 1 || changes[0].Field != schedules.FieldState:
		return actionChange
	case enabled:
		return actionResume
	}
	return actionPause
}

// appliedState returns what a job's entity knows, or nil if it does not run: then applying makes a new one.
func (t *temporalClient) appliedState(ctx context.Context, job string) (*workflows.JobState, error) {
	desc, err := t.DescribeWorkflowExecution(ctx, workflows.JobID(job), "")
	if is[*serviceerror.NotFound](err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("describe job %s: %w", job, err)
	}
	if desc.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return nil, nil
	}
	state, err := t.job(ctx, job)
	if workerSilent(err) && ctx.Err() == nil {
		return nil, noWorker(t)
	}
	return state, err
}
