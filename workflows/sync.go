package workflows

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/schema/plan"
)

// SyncInput is the input of [Sync]. A run is started with the job alone.
type SyncInput struct {
	Job string `json:"job"`

	// From and To make the run a backfill: it lists this window instead of the one since the last run, takes no lock, and
	// moves no watermark. From is inclusive, To exclusive.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`

	// DryRun makes a backfill count what it would look at, and write nothing; a run that adopts notes nothing.
	DryRun bool `json:"dry_run,omitempty"`

	// Retry makes the run look at the records that earlier runs rejected, deferred or left in doubt, and at nothing else; with
	// Records, at these only. It takes no lock and moves no watermark.
	Retry   bool     `json:"retry,omitempty"`
	Records []string `json:"records,omitempty"`

	// Adopt makes the run look for the records of the window in the destination, and note those that are there as delivered. It
	// claims and writes nothing. It takes the job's lock, and keeps it through rate limits, so that no sync writes before all is noted;
	// and it begins the job's first window where its own begins.
	Adopt bool `json:"adopt,omitempty"`

	// NotBefore is when the run begins, and Because why not earlier. A run that a rate limit ended starts another one like this; one that
	// adopts sets them for itself.
	NotBefore time.Time `json:"not_before,omitzero"`
	Because   string    `json:"because,omitempty"`

	// State is what a run carries along when it continues as new.
	State *SyncState `json:"state,omitempty"`
}

// SyncState is how far a run has come.
type SyncState struct {
	Plan        *plan.Plan               `json:"plan"`
	Source      activities.ConnectResult `json:"source"`
	Destination activities.ConnectResult `json:"destination"`

	// Started is when the run began: before it continued as new, and after it was postponed.
	Started time.Time `json:"started,omitzero"`

	// Phase is what the run does now; From and To are its window, Next the part of it that is listed.
	Phase Phase     `json:"phase"`
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Next  time.Time `json:"next"`

	// Slice is how much of the window the next listing covers, and SliceFrom where what is not done yet begins, while it is listed.
	Slice     time.Duration `json:"slice,omitempty"`
	SliceFrom time.Time     `json:"slice_from,omitzero"`

	// Pending are records that were found and not looked at yet.
	Pending []activities.Pending `json:"pending,omitempty"`

	// Held are records that a run which is gone may have written; the earliest can be looked for at HeldUntil.
	Held      []activities.Pending `json:"held,omitempty"`
	HeldUntil time.Time            `json:"held_until,omitzero"`

	Counts     activities.Counts    `json:"counts"`
	NewRejects int                  `json:"new_rejects,omitempty"` // of the rejected ones, those that no run had rejected before
	Rejects    []activities.Verdict `json:"rejects,omitempty"`     // the last ones
	Ambiguous  []Ambiguity          `json:"ambiguous,omitempty"`   // likewise

	// SearchAttributes are those of ours that the namespace has.
	SearchAttributes []string `json:"search_attributes,omitempty"`
}

// Phase is a part of a run.
type Phase string

// The phases of a run, in order.
const (
	PhasePostponed  Phase = "postponed"  // until a rate limit allows requests again
	PhaseWaiting    Phase = "waiting"    // for another run of the job
	PhaseListing    Phase = "listing"    // the window
	PhaseRevisiting Phase = "revisiting" // records rejected or deferred before the window
	PhaseHeld       Phase = "held"       // records whose last writer is gone
	PhaseDone       Phase = "done"
)

// SyncResult is the result of [Sync].
type SyncResult struct {
	Job     string             `json:"job"`
	Kind    activities.RunKind `json:"kind"`
	Outcome activities.Outcome `json:"outcome"`
	From    time.Time          `json:"from,omitzero"`
	To      time.Time          `json:"to,omitzero"`
	Counts  activities.Counts  `json:"counts"`

	// Rejects are the last records that were not written, with the reason.
	Rejects []activities.Verdict `json:"rejects,omitempty"`

	// Ambiguous are the last records that could have belonged elsewhere, too.
	Ambiguous []Ambiguity `json:"ambiguous,omitempty"`

	// Error says what ended the run early, and Resumes when another run goes on by itself.
	Error   string    `json:"error,omitempty"`
	Resumes time.Time `json:"resumes,omitzero"`

	// Estimate is what a dry run found.
	Estimate *Estimate `json:"estimate,omitempty"`
}

// Ambiguity is a record whose target was chosen among several.
type Ambiguity struct {
	ID     string                 `json:"id"`
	Target string                 `json:"target"`
	Name   string                 `json:"name,omitempty"`
	Losers []activities.Candidate `json:"losers,omitempty"`

	// Detail says what else was decided, as when the target was found by a domain.
	Detail string `json:"detail,omitempty"`
}

// Estimate is what a backfill would take at most, as far as can be known before the records are read.
type Estimate struct {
	Records             int           `json:"records"`              // to look at
	SourceRequests      int           `json:"source_requests"`      // still to make
	DestinationRequests int           `json:"destination_requests"` // if all of them are written
	Time                time.Duration `json:"time"`                 // that the rate limits alone need
}

const (
	// keptRejects is how many rejects a result holds; the ledgers hold all.
	keptRejects = 50

	// lockPoll is how often a waiting run asks for the job's lock.
	lockPoll = 5 * time.Second

	// defaultWait is how long a run waits for another one if the job does not say.
	defaultWait = time.Hour
)

// Kind says what the input asks for.
func (in *SyncInput) Kind() activities.RunKind {
	switch {
	case in.Adopt:
		return activities.KindAdopt
	case in.Retry:
		return activities.KindRetry
	case !in.From.IsZero() || !in.To.IsZero():
		return activities.KindBackfill
	}
	return activities.KindSync
}

// check returns what is wrong with an input that somebody typed.
func (in *SyncInput) check() error {
	var wrong string
	switch {
	case in.Job == "":
		wrong = `the input names no job; start Sync with {"job":"NAME"}`
	case in.Retry && (!in.From.IsZero() || !in.To.IsZero()):
		wrong = "the input asks for a retry and for a window; one run does one of them"
	case len(in.Records) > 0 && !in.Retry:
		wrong = `the input names records but asks for no retry; add "retry":true`
	case in.Adopt && in.Retry:
		wrong = "the input asks to adopt and for a retry; one run does one of them"
	case in.windowed() && !in.From.Before(in.To):
		wrong = "the input's window is empty: from has to be before to, and both have to be given"
	case in.DryRun && !in.windowed():
		wrong = "only a run with from and to can be a dry run"
	default:
		return nil
	}
	return temporal.NewNonRetryableApplicationError(wrong, activities.TypeInvalidInput, nil)
}

// windowed reports whether the run brings its own window.
func (in *SyncInput) windowed() bool {
	return in.Kind() == activities.KindBackfill || in.Kind() == activities.KindAdopt
}

// next is the input of the next execution of the chain.
func (in SyncInput) next(state *SyncState) SyncInput {
	in.State = state
	return in
}

// Sync is one run of a job: it lists the window, writes what the destination does not have, and gives account.
//
// It survives anything that Temporal survives. It ends with an error only if a person has to do something; what one record
// suffers is counted and reported, and never ends the run.
func Sync(ctx workflow.Context, in SyncInput) (*SyncResult, error) {
	info := workflow.GetInfo(ctx)
	s := &syncRun{
		in: in, job: in.Job, kind: in.Kind(),
		owner: activities.Owner{WorkflowID: info.WorkflowExecution.ID, FirstRunID: info.FirstRunID},
		state: in.State,
	}
	if s.state == nil {
		s.state = &SyncState{Phase: PhaseWaiting}
		if !in.NotBefore.IsZero() {
			s.state.Phase = PhasePostponed
		}
	}
	if s.state.Started.IsZero() {
		s.state.Started = info.WorkflowStartTime
	}
	if err := workflow.SetQueryHandler(ctx, QueryProgress, func() (*Progress, error) { return s.progress(), nil }); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	s.root = ctx
	return s.run(ctx)
}

// syncRun is a run.
type syncRun struct {
	in    SyncInput
	job   string
	kind  activities.RunKind
	owner activities.Owner
	state *SyncState

	// root is the run's context: it ends when the run is cancelled.
	root workflow.Context

	// copies holds a slot for each copy under way; nil if the run does not copy.
	copies workflow.Semaphore

	// failure ends the run; the first one counts.
	failure error

	// resumes is when another run goes on; zero if none does.
	resumes time.Time
}

func (s *syncRun) run(ctx workflow.Context) (*SyncResult, error) {
	if s.state.Phase == PhasePostponed {
		if err := s.sleep(ctx); err != nil {
			return nil, err
		}
		s.state.Phase, s.state.Started = PhaseWaiting, workflow.Now(ctx)
	}
	if s.state.Phase == PhaseWaiting {
		granted, err := s.begin(ctx)
		if err != nil {
			return nil, err
		}
		if !granted {
			return s.finish(ctx, activities.Skipped, nil)
		}
		if err := s.patiently(ctx, s.connect); err != nil {
			return s.stop(ctx, err)
		}
	}
	if s.in.DryRun && s.kind == activities.KindBackfill {
		return s.estimate(ctx)
	}
	err := s.patiently(ctx, s.process)
	switch {
	case workflow.IsContinueAsNewError(err):
		return nil, err
	case err != nil:
		return s.stop(ctx, err)
	case s.in.DryRun:
		return s.result(activities.Completed), nil
	case s.kind == activities.KindAdopt:
		return s.finish(ctx, activities.Completed, nil)
	case s.state.Counts.Failed > 0:
		return s.finish(ctx, activities.Partial, nil)
	case s.state.Counts.Rejected > 0:
		return s.finish(ctx, activities.CompletedWithRejects, nil)
	}
	return s.finish(ctx, activities.Completed, nil)
}

// begin takes the job's lock, waiting for a run that holds it. It reports false if that took too long.
func (s *syncRun) begin(ctx workflow.Context) (bool, error) {
	started := workflow.Now(ctx)
	for {
		var res activities.BeginResult
		req := activities.BeginRequest{Owner: s.owner, Lockless: s.lockless(), Adopts: s.kind == activities.KindAdopt, DryRun: s.in.DryRun}
		in := activities.BeginInput{Job: s.job, BeginRequest: req}
		err := workflow.ExecuteActivity(entityOptions(ctx, "begin "+s.job), a.Begin, in).Get(ctx, &res)
		if err != nil {
			return false, clean(err)
		}
		if res.Holder == nil {
			return true, s.take(ctx, &res)
		}
		wait := defaultWait
		if res.Plan != nil && res.Plan.Source.Wait > 0 {
			wait = time.Duration(res.Plan.Source.Wait)
		}
		if workflow.Now(ctx).Sub(started) >= wait {
			s.state.Plan = res.Plan // says who wants to know
			return false, nil
		}
		s.publish(ctx)
		if err := workflow.Sleep(ctx, lockPoll); err != nil {
			return false, err
		}
	}
}

// lockless reports whether the run goes on beside others of the job.
func (s *syncRun) lockless() bool {
	return s.in.DryRun || s.kind != activities.KindSync && s.kind != activities.KindAdopt
}

// take takes what begin granted: the plan, and the window unless the run brings its own.
func (s *syncRun) take(ctx workflow.Context, res *activities.BeginResult) error {
	st := s.state
	st.Plan, st.From, st.To, st.SearchAttributes = res.Plan, res.From, res.To, res.SearchAttributes
	now := workflow.Now(ctx)
	switch s.kind {
	case activities.KindBackfill, activities.KindAdopt:
		st.From, st.To = s.in.From, s.in.To
		if st.To.After(now) {
			st.To = now
		}
	case activities.KindRetry:
		st.From, st.To = now, now // all that was noted before; nothing to list
	}
	st.Next = st.From
	return s.mark(ctx, temporal.NewSearchAttributeKeyKeyword(AttributeJob).ValueSet(s.job))
}

// connect checks both connections at once.
func (s *syncRun) connect(ctx workflow.Context) error {
	src, dst, err := connect(ctx, s.state.Plan, copies(ctx, s.state.Plan))
	if err != nil {
		return err
	}
	s.state.Source, s.state.Destination, s.state.Phase = *src, *dst, PhaseListing
	return nil
}

// connect checks both connections of a plan at once. Where records will be copied from one to the other, a worker has to check the source
// that serves the destination, too.
func connect(ctx workflow.Context, p *plan.Plan, copied bool) (source, destination *activities.ConnectResult, err error) {
	src, dst := p.Source.Connection, p.Destination.Connection
	queue, who := queueOf(src), "connection "+src
	if copied {
		queue, who = CopyQueue(src, dst), fmt.Sprintf("both connections %s and %s, as a job needs that writes in batches", src, dst)
	}
	fs := workflow.ExecuteActivity(connectOptions(ctx, queue, "connect "+src), a.Connect, activities.ConnectInput{Connection: src})
	fd := workflow.ExecuteActivity(connectOptions(ctx, queueOf(dst), "connect "+dst), a.Connect, activities.ConnectInput{Connection: dst})
	errSource := unserved(who, fs.Get(ctx, &source))
	errDestination := unserved("connection "+dst, fd.Get(ctx, &destination))
	if errSource != nil {
		return nil, nil, errSource
	}
	return source, destination, errDestination
}

// unserved turns the timeout of an activity that nobody took into words.
func unserved(what string, err error) error {
	var timeout *temporal.TimeoutError
	if errors.As(err, &timeout) && timeout.TimeoutType() == timeoutScheduleToStart {
		return temporal.NewNonRetryableApplicationError(fmt.Sprintf(
			"no worker serves %s; start one with durasync worker in the directory that declares it", what), activities.TypeUnserved, nil)
	}
	return clean(err)
}
