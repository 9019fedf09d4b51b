package workflows

import (
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/schema/plan"
)

// mark sets search attributes, those that the namespace has.
//
// Invariant: an attribute that is not registered is never set, for that would hang the workflow for ever.
func (s *syncRun) mark(ctx workflow.Context, updates ...temporal.SearchAttributeUpdate) error {
	names := []string{AttributeJob}
	if len(updates) > 1 {
		names = []string{AttributeOutcome, AttributeCreated, AttributeRejected, AttributeFailed}
	}
	var known []temporal.SearchAttributeUpdate
	for i, u := range updates {
		if slices.Contains(s.state.SearchAttributes, names[i]) {
			known = append(known, u)
		}
	}
	if len(known) == 0 {
		return nil
	}
	return workflow.UpsertTypedSearchAttributes(ctx, known...)
}

// finish records the run with the job, tells those who want to know, and returns the result. It also does so when the run was
// cancelled.
func (s *syncRun) finish(ctx workflow.Context, outcome activities.Outcome, cause error) (*SyncResult, error) {
	c := &s.state.Counts
	c.Failed = c.New - c.Created - c.Rejected - c.Deferred
	s.state.Phase = PhaseDone
	s.publish(ctx)
	free, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	errMark := s.markOutcome(free, outcome)

	info := workflow.GetInfo(ctx)
	run := activities.Run{
		Kind: s.kind, Owner: s.owner, RunID: info.WorkflowExecution.RunID, Started: s.state.Started,
		Outcome: outcome, From: s.state.From, To: s.state.To, Counts: *c,
	}
	if cause != nil {
		run.Error, run.Resumes = message(cause), s.resumes
	}
	err := workflow.ExecuteActivity(entityOptions(free, "finish "+s.job), a.Finish, activities.FinishInput{Job: s.job, Run: run}).Get(free, nil)
	s.notify(free, &run)
	switch {
	case cause != nil && s.resumes.IsZero():
		return nil, cause
	case err != nil:
		return nil, clean(err)
	case errMark != nil:
		return nil, errMark
	}
	res := s.result(outcome)
	res.Error, res.Resumes = run.Error, s.resumes
	return res, nil
}

func (s *syncRun) result(outcome activities.Outcome) *SyncResult {
	return &SyncResult{
		Job: s.job, Kind: s.kind, Outcome: outcome, From: s.state.From, To: s.state.To, Counts: s.state.Counts,
		Rejects: s.state.Rejects, Ambiguous: s.state.Ambiguous,
	}
}

func (s *syncRun) markOutcome(ctx workflow.Context, outcome activities.Outcome) error {
	c := &s.state.Counts
	return s.mark(ctx,
		temporal.NewSearchAttributeKeyKeyword(AttributeOutcome).ValueSet(string(outcome)),
		temporal.NewSearchAttributeKeyInt64(AttributeCreated).ValueSet(int64(c.Created)),
		temporal.NewSearchAttributeKeyInt64(AttributeRejected).ValueSet(int64(c.Rejected)),
		temporal.NewSearchAttributeKeyInt64(AttributeFailed).ValueSet(int64(c.Failed)),
	)
}

// notify tells those who want to know of a run like this one. A receiver that cannot be reached changes nothing: the run's
// history says so.
func (s *syncRun) notify(ctx workflow.Context, run *activities.Run) {
	if s.state.Plan == nil {
		return
	}
	for _, n := range s.state.Plan.Notify {
		notice, ok := s.notice(n.On, run.Outcome)
		if !ok {
			continue
		}
		in := activities.NotifyInput{To: n.To, Notice: activities.Notice{
			Job: s.job, Summary: s.state.Plan.Description, Kind: notice, Run: *run, NewRejects: s.state.NewRejects, Rejects: last(s.state.Rejects, noticeRejects),
		}}
		queue := queueOf(s.state.Plan.Source.Connection)
		if err := workflow.ExecuteActivity(notifyOptions(ctx, queue, "notify "+n.To), a.Notify, in).Get(ctx, nil); err != nil {
			workflow.GetLogger(ctx).Warn("a notice was not delivered", "to", n.To, "error", message(err))
		}
	}
}

// noticeRejects is how many rejects a notice shows.
const noticeRejects = 10

// notice returns the first of the wanted notices that fits the run.
func (s *syncRun) notice(wanted []plan.Notice, outcome activities.Outcome) (plan.Notice, bool) {
	for _, n := range wanted {
		fits := false
		switch n {
		case plan.NoticeFailed:
			fits = outcome == activities.Failed || outcome == activities.Partial || outcome == activities.Skipped
		case plan.NoticeRejected:
			fits = s.state.NewRejects > 0
		case plan.NoticeEmpty:
			fits = outcome == activities.Completed && s.kind != activities.KindRetry && s.state.Counts.Listed == 0
		}
		if fits {
			return n, true
		}
	}
	return "", false
}
