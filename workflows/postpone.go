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

// sleep waits until the run may begin.
func (s *syncRun) sleep(ctx workflow.Context) error {
	s.publish(ctx)
	wait := max(time.Second, s.in.NotBefore.Sub(workflow.Now(ctx)))
	if err := workflow.NewTimerWithOptions(ctx, wait, workflow.TimerOptions{Summary: s.in.Because}).Get(ctx, nil); err != nil {
		return err
	}
	s.state.Phase, s.state.Started = PhaseWaiting, workflow.Now(ctx)
	return nil
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
