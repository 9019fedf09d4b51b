package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/schema/plan"
)

// keptRuns is how many runs a job remembers.
const keptRuns = 100

// JobState is the input of [Job] and what it carries along when it continues as new.
type JobState struct {
	Plan *plan.Plan `json:"plan,omitempty"`
	Hash string     `json:"hash,omitempty"`

	// First is the start of the first window, Watermark the end of the last completed one. A run that adopts sets First for the
	// one to come.
	//
	// Invariant: the watermark never moves back, and is never derived from the records' times.
	First     time.Time `json:"first,omitzero"`
	Watermark time.Time `json:"watermark,omitzero"`

	// Lock is the run that is going on; nil if there is none.
	Lock *Lock `json:"lock,omitempty"`

	// Runs are the last runs, oldest first.
	Runs []activities.Run `json:"runs,omitempty"`
}

// Lock is a run that has begun.
type Lock struct {
	Owner activities.Owner `json:"owner"`
	Since time.Time        `json:"since"`

	// Adopts says that the run adopts: no run that may write begins before it ends.
	Adopts bool `json:"adopts,omitempty"`

	// Grant is what the run was given, so that it gets the same again.
	Grant activities.BeginResult `json:"grant"`
}

// ApplyRequest is the input of the apply update.
type ApplyRequest struct {
	Plan *plan.Plan `json:"plan"`

	// Hash is the plan's.
	Hash string `json:"hash"`
}

// ApplyResult is the answer of the apply update.
type ApplyResult struct {
	// Created and Changed say whether the job is new, or its plan another one than before.
	Created bool `json:"created,omitempty"`
	Changed bool `json:"changed,omitempty"`
}

// Job is the entity of one job. It runs for ever; its state is small and its handlers never block.
func Job(ctx workflow.Context, state JobState) error {
	j := &job{state: state}
	if err := j.register(ctx); err != nil {
		return err
	}
	if err := untilContinueAsNew(ctx); err != nil {
		return err
	}
	return workflow.NewContinueAsNewError(ctx, Job, j.state)
}

// untilContinueAsNew blocks until the server suggests to continue as new and no handler is running.
func untilContinueAsNew(ctx workflow.Context) error {
	return workflow.Await(ctx, func() bool {
		return workflow.GetInfo(ctx).GetContinueAsNewSuggested() && workflow.AllHandlersFinished(ctx)
	})
}

type job struct{ state JobState }

func (j *job) register(ctx workflow.Context) error {
	return errors.Join(
		workflow.SetQueryHandler(ctx, QueryStatus, func() (JobState, error) { return j.state, nil }),
		workflow.SetUpdateHandler(ctx, UpdateApply, j.apply),
		workflow.SetUpdateHandler(ctx, UpdateBegin, j.begin),
		workflow.SetUpdateHandler(ctx, UpdateFinish, j.finish),
	)
}

// apply stores a plan for the runs that begin from now on.
func (j *job) apply(_ workflow.Context, req ApplyRequest) (ApplyResult, error) {
	res := ApplyResult{Created: j.state.Plan == nil, Changed: j.state.Hash != req.Hash}
	j.state.Plan, j.state.Hash = req.Plan, req.Hash
	return res, nil
}

// begin grants the lock and the window, or names the run that holds the lock.
func (j *job) begin(ctx workflow.Context, req activities.BeginRequest) (activities.BeginResult, error) {
	if j.state.Plan == nil {
		return activities.BeginResult{}, temporal.NewNonRetryableApplicationError("the job has no plan yet; run durasync apply", activities.TypeNotApplied, nil)
	}
	l := j.state.Lock
	if req.Lockless && (l == nil || !l.Adopts || req.DryRun) {
		return activities.BeginResult{Plan: j.state.Plan}, nil
	}
	if l != nil {
		switch {
		case l.Owner == req.Owner:
			return l.Grant, nil
		case req.Dead == nil || l.Owner != *req.Dead:
			return activities.BeginResult{Holder: &l.Owner, Plan: j.state.Plan}, nil
		}
	}
	if req.Lockless { // the lock was a dead run's, and is left to one that wants it
		return activities.BeginResult{Plan: j.state.Plan}, nil
	}
	now := workflow.Now(ctx)
	grant := activities.BeginResult{Plan: j.state.Plan, To: now}
	src := &j.state.Plan.Source
	switch {
	case j.state.Watermark.IsZero() && j.state.First.IsZero():
		grant.From = now.Add(-time.Duration(src.Initial))
	case j.state.Watermark.IsZero():
		grant.From = j.state.First
	default:
		// Invariant: nothing is missed. The overlap is listed again, but not what the first window left out on purpose.
		grant.From = later(j.state.First, j.state.Watermark.Add(-time.Duration(src.Overlap)))
	}
	j.state.Lock = &Lock{Owner: req.Owner, Since: now, Adopts: req.Adopts, Grant: grant}
	return grant, nil
}

// finish records a run and, if it held the lock, gives the lock back.
func (j *job) finish(ctx workflow.Context, req activities.FinishRequest) error {
	run := req.Run
	run.Ended = workflow.Now(ctx)
	if l := j.state.Lock; l != nil && l.Owner == run.Owner {
		j.state.Lock = nil
		run.Started = l.Since
		if run.Kind == activities.KindAdopt {
			j.adopted(&run)
		} else {
			run.From, run.To = l.Grant.From, l.Grant.To
			j.completed(&run)
		}
	} else if run.Outcome != activities.Skipped && run.Kind == activities.KindSync {
		return nil // recorded before, or the lock was taken over
	}
	for _, r := range j.state.Runs {
		if r.Owner == run.Owner {
			return nil
		}
	}
	j.state.Runs = append(j.state.Runs, run)
	if n := len(j.state.Runs) - keptRuns; n > 0 {
		j.state.Runs = append([]activities.Run(nil), j.state.Runs[n:]...)
	}
	return nil
}

// completed moves the watermark if the run completed its window.
func (j *job) completed(run *activities.Run) {
	if run.Outcome != activities.Completed && run.Outcome != activities.CompletedWithRejects {
		return
	}
	if j.state.First.IsZero() {
		j.state.First = run.From
	}
	j.state.Watermark = later(j.state.Watermark, run.To)
}

// adopted makes the first window begin where that of the run began, so that what was not found is looked at. Once a run has
// completed a window, that is no longer to be decided.
func (j *job) adopted(run *activities.Run) {
	if run.Outcome != activities.Completed || !j.state.Watermark.IsZero() {
		return
	}
	if j.state.First.IsZero() || run.From.Before(j.state.First) {
		j.state.First = run.From
	}
}

func later(x, y time.Time) time.Time {
	if x.After(y) {
		return x
	}
	return y
}
