package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/schema/plan"
)

const (
	// copySize is how many records one activity copies: as many as make its own cost small beside theirs.
	copySize = 1000

	// copyParallel is how many copies are under way at once, which bounds what a worker holds in memory.
	copyParallel = 4
)

// copies reports whether the records of a plan are copied: the destination takes a record again without harm, and each belongs where
// it is written without being asked for. Nothing has to be claimed then, and no record enters a history.
func copies(ctx workflow.Context, p *plan.Plan) bool {
	return CanCopy(p) &&
		workflow.GetVersion(ctx, changeCopy, workflow.DefaultVersion, 1) != workflow.DefaultVersion
}

// CanCopy reports whether a plan's records can be copied. Workers that serve both of its connections poll its [CopyQueue].
func CanCopy(p *plan.Plan) bool { return p.Destination.Idempotent && p.Destination.ResolvedBy == "" }

// copyPending copies the pending records. While the window is listed, it leaves the last of them under way.
func (s *syncRun) copyPending(ctx workflow.Context) error {
	batches := slices.Collect(slices.Chunk(s.state.Pending, copySize))
	s.state.Pending = nil
	for _, batch := range batches {
		if err := s.copies.Acquire(ctx, 1); err != nil {
			s.fail(err)
			break
		}
		if s.failure != nil {
			s.copies.Release(1)
			break
		}
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer s.copies.Release(1)
			if err := s.copyBatch(ctx, batch); err != nil {
				s.fail(err)
			}
		})
	}
	full := workflow.GetInfo(ctx).GetContinueAsNewSuggested()
	if len(batches) > 0 && s.failure == nil && !full && s.state.Phase == PhaseListing &&
		workflow.GetVersion(ctx, changeCopyAhead, workflow.DefaultVersion, 1) != workflow.DefaultVersion {
		return nil
	}
	s.awaitCopies(ctx)
	if s.failure == nil && full {
		return workflow.NewContinueAsNewError(ctx, Sync, s.in.next(s.state))
	}
	return s.failure
}

// awaitCopies waits for the copies under way, also when the run is cancelled: so are they.
func (s *syncRun) awaitCopies(ctx workflow.Context) {
	free, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	if err := s.copies.Acquire(free, copyParallel); err == nil { // it fails for a context that ends, which this one does not
		s.copies.Release(copyParallel)
	}
}

// copied reports whether all that was handed over is in the destination.
func (s *syncRun) copied(ctx workflow.Context) bool {
	if s.failure != nil || !s.copies.TryAcquire(ctx, copyParallel) {
		return false
	}
	s.copies.Release(copyParallel)
	return true
}

func (s *syncRun) copyBatch(ctx workflow.Context, batch []activities.Pending) error {
	st := s.state
	var res activities.CopyResult
	err := workflow.ExecuteActivity(
		readOptions(ctx, CopyQueue(st.Plan.Source.Connection, st.Plan.Destination.Connection), "copy "+records(len(batch)), copyTimeout), a.Copy,
		activities.CopyInput{Plan: st.Plan, Pending: batch, WriteTimeout: st.Destination.WriteTimeout},
	).Get(ctx, &res)
	if err != nil {
		return clean(err)
	}
	st.Counts.Created += res.Created
	st.Counts.Rejected += res.Rejected
	st.Counts.Deferred += res.Deferred
	st.NewRejects += res.Rejected // nothing remembers those of earlier runs
	st.Rejects = last(append(st.Rejects, res.Verdicts...), keptRejects)
	s.publish(ctx)
	return nil
}
