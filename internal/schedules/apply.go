package schedules

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/durasync/durasync/internal/codec"
	"github.com/durasync/durasync/schema/plan"
	"github.com/durasync/durasync/workflows"
)

// Change is what applying a plan did to its schedule.
type Change string

// The changes.
const (
	Created   Change = "created"
	Changed   Change = "changed"
	Unchanged Change = "unchanged"
)

// State is how a job's schedule compares with its plan.
type State struct {
	// Exists says that the job has a schedule.
	Exists bool

	// Differences are what about it is not as the plan says.
	Differences []Difference

	// Held is the note of a person who has paused the schedule, which applying a plan leaves so; empty if there is none.
	Held string
}

// ForeignError says that a schedule which a job needs exists already and starts something else.
type ForeignError struct {
	ID       string
	Workflow string // the type of workflow that it starts
}

// Error implements error.
func (e *ForeignError) Error() string {
	return fmt.Sprintf("a schedule %q that starts workflow %q exists in Temporal and is not Durasync's: rename the job, or delete the schedule",
		e.ID, e.Workflow)
}

// Compare returns how the job's schedule, whose payloads the codec reads, compares with the plan. It changes nothing. A schedule of the same name that is not a job's
// is a [*ForeignError].
func Compare(ctx context.Context, c client.ScheduleClient, payloads *codec.Codec, p *plan.Plan) (State, error) {
	desc, err := c.GetHandle(ctx, p.Job).Describe(ctx)
	if isNotFound(err) {
		return State{}, nil
	}
	if err != nil {
		return State{}, fmt.Errorf("describe the schedule of job %s: %w", p.Job, err)
	}
	if err := foreign(p.Job, desc.Schedule.Action); err != nil {
		return State{}, err
	}
	return State{Exists: true, Differences: diff(payloads, p, &desc.Schedule), Held: heldBy(&desc.Schedule)}, nil
}

// Remove deletes the job's schedule. The job's runs and what is known about it stay. A schedule that does not exist is no error; one
// that is not a job's is a [*ForeignError] and left alone.
func Remove(ctx context.Context, c client.ScheduleClient, job string) error {
	handle := c.GetHandle(ctx, job)
	desc, err := handle.Describe(ctx)
	if err == nil {
		if err := foreign(job, desc.Schedule.Action); err != nil {
			return err
		}
		err = handle.Delete(ctx)
	}
	if err != nil && !isNotFound(err) {
		return fmt.Errorf("delete the schedule of job %s: %w", job, err)
	}
	return nil
}

// Apply makes the job's schedule what the plan says and reports whether that changed anything. A schedule of the same name that is
// not a job's is left alone and is a [*ForeignError]. One that a person has paused stays paused.
func Apply(ctx context.Context, c client.ScheduleClient, payloads *codec.Codec, p *plan.Plan) (Change, error) {
	want := desired(p)
	change := Unchanged
	err := c.GetHandle(ctx, p.Job).Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			if err := foreign(p.Job, in.Description.Schedule.Action); err != nil {
				return nil, err
			}
			if len(diff(payloads, p, &in.Description.Schedule)) == 0 {
				return nil, temporal.ErrSkipScheduleUpdate
			}
			change = Changed
			return &client.ScheduleUpdate{Schedule: keepPause(want, &in.Description.Schedule)}, nil
		},
	})
	if isNotFound(err) {
		return create(ctx, c, p.Job, want)
	}
	if err != nil {
		return "", fmt.Errorf("update the schedule of job %s: %w", p.Job, err)
	}
	return change, nil
}

func create(ctx context.Context, c client.ScheduleClient, job string, s *client.Schedule) (Change, error) {
	_, err := c.Create(ctx, client.ScheduleOptions{
		ID: job, Spec: *s.Spec, Action: s.Action, Overlap: s.Policy.Overlap, CatchupWindow: s.Policy.CatchupWindow,
		Paused: s.State.Paused, Note: s.State.Note, Memo: map[string]any{workflows.MemoJob: job},
	})
	if err != nil {
		return "", fmt.Errorf("create the schedule of job %s: %w", job, err)
	}
	return Created, nil
}

// foreign returns an error if the action is not that of a job.
func foreign(job string, action client.ScheduleAction) error {
	a, ok := action.(*client.ScheduleWorkflowAction)
	switch {
	case !ok:
		return &ForeignError{ID: job}
	case a.Workflow != workflows.SyncType:
		return &ForeignError{ID: job, Workflow: fmt.Sprint(a.Workflow)}
	}
	return nil
}

func isNotFound(err error) bool {
	var missing *serviceerror.NotFound
	return errors.As(err, &missing)
}
