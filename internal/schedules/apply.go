package schedules

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

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

// Check returns a [*ForeignError] if the job cannot have its schedule. It changes nothing.
func Check(ctx context.Context, c client.ScheduleClient, job string) error {
	desc, err := c.GetHandle(ctx, job).Describe(ctx)
	if isNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("describe the schedule of job %s: %w", job, err)
	}
	return foreign(job, desc.Schedule.Action)
}

// Apply makes the job's schedule what the plan says and reports whether that changed anything. A schedule of the same name that is
// not a job's is left alone and is a [*ForeignError].
func Apply(ctx context.Context, c client.ScheduleClient, p *plan.Plan) (Change, error) {
	want := desired(p)
	change := Unchanged
	err := c.GetHandle(ctx, p.Job).Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			if err := foreign(p.Job, in.Description.Schedule.Action); err != nil {
				return nil, err
			}
			if equal(want, &in.Description.Schedule) {
				return nil, temporal.ErrSkipScheduleUpdate
			}
			change = Changed
			return &client.ScheduleUpdate{Schedule: want}, nil
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
		Paused: s.State.Paused, Note: s.State.Note, Memo: map[string]any{MemoJob: job},
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
