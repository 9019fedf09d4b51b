package workflows

import (
	"errors"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/durasync/durasync/activities"
)

// stop ends the run early. One that a rate limit ends for long is partial, and another run goes on when the limit allows.
func (s *syncRun) stop(ctx workflow.Context, cause error) (*SyncResult, error) {
	wait, limited := activities.Postponed(cause)
	switch {
	case temporal.IsCanceledError(cause):
		return s.finish(ctx, activities.Cancelled, cause)
	case !limited || s.in.DryRun || workflow.GetVersion(ctx, changeResume, workflow.DefaultVersion, 1) == workflow.DefaultVersion:
		return s.finish(ctx, activities.Failed, cause)
	}
	if err := s.resume(ctx, wait, message(cause)); err != nil {
		return s.finish(ctx, activities.Failed, errors.Join(cause, err))
	}
	return s.finish(ctx, activities.Partial, cause)
}

// sleep waits until the run may begin, or go on.
func (s *syncRun) sleep(ctx workflow.Context) error {
	s.publish(ctx)
	wait := max(time.Second, s.in.NotBefore.Sub(workflow.Now(ctx)))
	return workflow.NewTimerWithOptions(ctx, wait, workflow.TimerOptions{Summary: s.in.Because}).Get(ctx, nil)
}

// patiently takes a step, which can be repeated. Where a rate limit would end a run that adopts, it waits and takes the step again.
//
// Invariant: a run that adopts keeps the job's lock until all is noted. If another run went on for it, a sync could come between, and write
// again what is in the destination and not noted yet.
func (s *syncRun) patiently(ctx workflow.Context, step func(workflow.Context) error) error {
	for {
		err := step(ctx)
		wait, limited := activities.Postponed(err)
		if !limited || s.kind != activities.KindAdopt || s.in.DryRun ||
			workflow.GetVersion(ctx, changeAdopt, workflow.DefaultVersion, 1) == workflow.DefaultVersion {
			return err
		}
		phase := s.state.Phase
		s.state.Phase, s.in.NotBefore, s.in.Because = PhasePostponed, workflow.Now(ctx).Add(wait), message(err)
		if err := s.sleep(ctx); err != nil {
			return err
		}
		s.state.Phase = phase
	}
}

// resume starts the run that goes on. Of several runs that the same limit ends, the first one starts it for all, unless they have
// windows of their own.
func (s *syncRun) resume(ctx workflow.Context, wait time.Duration, because string) error {
	st := s.state
	at := workflow.Now(ctx).Add(wait).Truncate(time.Minute).Add(time.Minute)
	id := RunID(s.kind, s.job, at)
	next := s.in
	next.State, next.NotBefore, next.Because = nil, at, because
	if s.kind != activities.KindSync {
		id += "-" + s.owner.FirstRunID
	}
	if s.kind == activities.KindBackfill && st.Phase == PhaseListing && len(st.Held) == 0 && st.SliceFrom.After(next.From) {
		next.From = st.SliceFrom // all before is done
	}
	ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: id, TaskQueue: TaskQueue, ParentClosePolicy: enumspb.PARENT_CLOSE_POLICY_ABANDON,
		StaticSummary: s.job + " goes on after a rate limit",
		Memo:          map[string]any{MemoJob: s.job},
	})
	err := workflow.ExecuteChildWorkflow(ctx, Sync, next).GetChildWorkflowExecution().Get(ctx, nil)
	if err != nil && !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return err
	}
	s.resumes = at
	return nil
}
