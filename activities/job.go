package activities

import (
	"context"
	"time"

	"github.com/durasync/durasync/schema/plan"
)

// Jobs is the client side of the Job workflows.
type Jobs interface {
	// Begin asks for the job's lock and a window. A job that was never applied is an error of type [TypeNotApplied].
	Begin(ctx context.Context, job string, req BeginRequest) (*BeginResult, error)
	// Finish gives the lock back and records the run.
	Finish(ctx context.Context, job string, req FinishRequest) error
}

// BeginRequest is the input of the Job's begin update.
type BeginRequest struct {
	Owner Owner `json:"owner"`

	// Lockless asks for the plan alone: the run brings its own window and takes no lock.
	Lockless bool `json:"lockless,omitempty"`

	// Adopts says that the run adopts. While it has the lock, no other run begins, not even one without a lock, unless it is DryRun:
	// what is not noted yet would be written again.
	Adopts bool `json:"adopts,omitempty"`
	DryRun bool `json:"dry_run,omitempty"`

	// Dead is a holder that was found to be no longer running; the lock is taken from it.
	Dead *Owner `json:"dead,omitempty"`
}

// BeginResult is the answer of the Job's begin update. The same owner gets the same answer again.
type BeginResult struct {
	// Holder is the other run that has the lock; nil if the lock was granted.
	Holder *Owner `json:"holder,omitempty"`

	// Plan is pinned for the run: applying a new one affects later runs. It comes with a refusal, too.
	Plan *plan.Plan `json:"plan,omitempty"`

	// From and To are the window to list; From is inclusive, To exclusive.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`

	// SearchAttributes are those of ours that the namespace has.
	SearchAttributes []string `json:"search_attributes,omitempty"`
}

// Outcome is how a run ended.
type Outcome string

// The outcomes.
const (
	Completed            Outcome = "completed"
	CompletedWithRejects Outcome = "completed_with_rejects"
	Partial              Outcome = "partial" // some records failed, or a limit ended it; the next run tries them again
	Skipped              Outcome = "skipped" // another run of the job did not end in time
	Failed               Outcome = "failed"
	Cancelled            Outcome = "cancelled"
)

// Counts are the numbers of a run: Listed = Known + New, and New = Created + Rejected + Deferred + Failed when it has ended.
type Counts struct {
	Listed   int `json:"listed"`   // records seen in the window, or looked at again
	Known    int `json:"known"`    // of those, delivered before or given up
	New      int `json:"new"`      // the others
	Created  int `json:"created"`  // written by this run, or found written by an earlier attempt
	Rejected int `json:"rejected"` // cannot be written as they are, with a reason
	Deferred int `json:"deferred"` // not ready, or in another run's hands
	Failed   int `json:"failed"`   // given up for this run; the next one tries again

	// Adopted are those of Known that this run found in the destination.
	Adopted int `json:"adopted,omitempty"`
}

// RunKind is what a run was for.
type RunKind string

// The kinds of runs.
const (
	KindSync     RunKind = "sync"     // the window since the last run
	KindBackfill RunKind = "backfill" // a window that somebody asked for
	KindRetry    RunKind = "retry"    // records that earlier runs did not write
	KindAdopt    RunKind = "adopt"    // what the destination has already, for a job that has lost its ledger
)

// Run is a run as the Job remembers it.
type Run struct {
	Kind    RunKind   `json:"kind,omitempty"` // empty means KindSync
	Owner   Owner     `json:"owner"`
	RunID   string    `json:"run_id"` // the last execution of the chain
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended,omitzero"`
	Outcome Outcome   `json:"outcome"`
	From    time.Time `json:"from,omitzero"`
	To      time.Time `json:"to,omitzero"`
	Counts  Counts    `json:"counts"`
	Error   string    `json:"error,omitempty"`

	// Resumes is when another run goes on by itself.
	Resumes time.Time `json:"resumes,omitzero"`
}

// FinishRequest is the input of the Job's finish update.
type FinishRequest struct {
	Run Run `json:"run"`
}

// BeginInput is the input of [Activities.Begin].
type BeginInput struct {
	Job string `json:"job"`
	BeginRequest
}

// Begin asks for the job's lock. A holder that no longer runs loses it.
func (a *Activities) Begin(ctx context.Context, in BeginInput) (*BeginResult, error) {
	res, err := a.begin(ctx, in)
	if err != nil {
		return nil, err
	}
	res.SearchAttributes = a.deps.SearchAttributes(ctx)
	return res, nil
}

func (a *Activities) begin(ctx context.Context, in BeginInput) (*BeginResult, error) {
	res, err := a.deps.Jobs.Begin(ctx, in.Job, in.BeginRequest)
	if err != nil || res.Holder == nil {
		return res, err
	}
	alive, err := a.deps.Runs.Alive(ctx, *res.Holder)
	if err != nil || alive {
		return res, err
	}
	in.Dead = res.Holder
	return a.deps.Jobs.Begin(ctx, in.Job, in.BeginRequest)
}

// FinishInput is the input of [Activities.Finish].
type FinishInput struct {
	Job string `json:"job"`
	Run Run    `json:"run"`
}

// Finish gives the job's lock back and records the run.
func (a *Activities) Finish(ctx context.Context, in FinishInput) error {
	return a.deps.Jobs.Finish(ctx, in.Job, FinishRequest{Run: in.Run})
}
