package schedules

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/durasync/durasync/workflows"
)

// Status is a job's schedule as Temporal knows it.
type Status struct {
	Job    string
	Paused bool
	Note   string

	// Summary is the summary of the runs that it starts. List leaves it empty.
	Summary string

	// Next is when the next run starts by the schedule; zero if there is none.
	Next time.Time
}

// List returns the schedules of all jobs in the namespace, ordered by job. What was created moments ago may be missing: Temporal
// lists from an index.
func List(ctx context.Context, c client.ScheduleClient) ([]Status, error) {
	it, err := c.List(ctx, client.ScheduleListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list the schedules: %w", err)
	}
	var all []Status
	for it.HasNext() {
		s, err := it.Next()
		if err != nil {
			return nil, fmt.Errorf("list the schedules: %w", err)
		}
		if s.WorkflowType.Name != workflows.SyncType {
			continue
		}
		status := Status{Job: s.ID, Paused: s.Paused, Note: s.Note}
		if len(s.NextActionTimes) > 0 && !s.Paused {
			status.Next = s.NextActionTimes[0]
		}
		all = append(all, status)
	}
	slices.SortFunc(all, func(x, y Status) int { return strings.Compare(x.Job, y.Job) })
	return all, nil
}

// Get returns a job's schedule, or nil if it has none.
func Get(ctx context.Context, c client.ScheduleClient, job string) (*Status, error) {
	desc, err := c.GetHandle(ctx, job).Describe(ctx)
	if isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("describe the schedule of job %s: %w", job, err)
	}
	action, ok := desc.Schedule.Action.(*client.ScheduleWorkflowAction)
	if !ok || action.Workflow != workflows.SyncType {
		return nil, nil
	}
	status := &Status{Job: job, Summary: action.StaticSummary}
	if s := desc.Schedule.State; s != nil {
		status.Paused, status.Note = s.Paused, s.Note
	}
	if len(desc.Info.NextActionTimes) > 0 && !status.Paused {
		status.Next = desc.Info.NextActionTimes[0]
	}
	return status, nil
}
