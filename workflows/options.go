package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/durasync/durasync/activities"
)

// The priorities of workflows, which their activities inherit: what people wait for goes before scheduled runs, and backfills
// come last. Whoever starts a workflow sets them; the server's default is that of a scheduled run.
const (
	PriorityInteractive = 1
	PriorityBackfill    = 5
)

// unservedAfter is how long a connection's first activity waits for a worker before the run says that there is none.
const unservedAfter = 2 * time.Minute

// entityOptions are for the activities that talk to the entities. They succeed as soon as Temporal and a worker are up, so
// they are tried for ever.
func entityOptions(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           TaskQueue,
		StartToCloseTimeout: 15 * time.Second,
		Summary:             summary,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: 200 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second,
			NonRetryableErrorTypes: []string{activities.TypeNotApplied},
		},
	})
}

// connectOptions are for the first call on a connection: what does not work now is reported now.
func connectOptions(ctx workflow.Context, queue, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:              queue,
		ScheduleToStartTimeout: unservedAfter,
		StartToCloseTimeout:    time.Minute,
		Summary:                summary,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 8 * time.Second, MaximumAttempts: 5,
		},
	})
}

// readOptions are for listing, reading and resolving, which can be repeated at will. Outages of hours are waited out.
func readOptions(ctx workflow.Context, queue, summary string, timeout time.Duration) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:              queue,
		ScheduleToCloseTimeout: 12 * time.Hour,
		StartToCloseTimeout:    timeout,
		HeartbeatTimeout:       activities.HeartbeatTimeout,
		Summary:                summary,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 5 * time.Minute,
		},
	})
}

// findTimeout is how long looking for a wave of records may take, under a rate limit, too.
const findTimeout = 15 * time.Minute

// copyTimeout is how long a batch may take to be read, rendered and written, under a rate limit, too.
const copyTimeout = 30 * time.Minute

// createOptions are for one write under a claim.
//
// Invariant: the start-to-close timeout is longer than the wait for a slot, a write and the search lag together, so that an
// attempt after a crash begins when the write before can be found. There is no heartbeat timeout for the same reason. The
// schedule-to-close timeout ends the attempts when the claim does.
func createOptions(ctx workflow.Context, queue, summary string, conn *activities.ConnectResult, left time.Duration) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:              queue,
		ScheduleToCloseTimeout: left,
		StartToCloseTimeout:    createAttempt(conn),
		Summary:                summary,
		WaitForCancellation:    true,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute,
		},
	})
}

// createAttempt is the longest that one attempt to write may take.
func createAttempt(conn *activities.ConnectResult) time.Duration {
	return activities.MaxTransit + activities.MaxSlotWait + conn.WriteTimeout + conn.SearchLag
}

// claimTTL is how long a claim lasts: a few attempts at the slowest, and the wait of many for their turn under a rate limit.
func claimTTL(conn *activities.ConnectResult) time.Duration {
	ttl := 4 * createAttempt(conn)
	if len(conn.Limits) > 0 {
		ttl = max(ttl, 5*time.Minute)
	}
	return ttl
}

// renderOptions are for rendering, a pure local activity that only fails if a worker does.
func renderOptions(ctx workflow.Context, summary string) workflow.Context {
	return workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: 10 * time.Second,
		Summary:             summary,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 100 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: time.Second},
	})
}

// notifyOptions are for telling somebody, which is worth a few attempts. A notice that may have arrived is not sent again: the
// activity says so.
func notifyOptions(ctx workflow.Context, queue, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:              queue,
		ScheduleToCloseTimeout: 10 * time.Minute,
		StartToCloseTimeout:    time.Minute,
		Summary:                summary,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 3, MaximumInterval: time.Minute, MaximumAttempts: 5,
		},
	})
}
