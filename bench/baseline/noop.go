package baseline

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

const (
	// noOpQueue is the queue of the workflow, noOpConnection that of its activities: the layout of a Durasync worker with a connection.
	noOpQueue      = "baseline"
	noOpConnection = "baseline/connection"

	// noOpsAtOnce is how many activities the workflow has under way, and noOpSlots how many of them the worker runs at once: those of a
	// run that writes to a destination without limits.
	noOpsAtOnce = 100
	noOpSlots   = 64
)

// NoOps runs n activities that do nothing, and returns how long they took: what the Temporal server can do at most.
func NoOps(ctx context.Context, c client.Client, n int) (time.Duration, error) {
	flows := worker.New(c, noOpQueue, worker.Options{})
	flows.RegisterWorkflow(noOps)
	steps := worker.New(c, noOpConnection, worker.Options{DisableWorkflowWorker: true, MaxConcurrentActivityExecutionSize: noOpSlots})
	steps.RegisterActivity(noOp)
	if err := flows.Start(); err != nil {
		return 0, err
	}
	defer flows.Stop()
	if err := steps.Start(); err != nil {
		return 0, err
	}
	defer steps.Stop()
	began := time.Now()
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: noOpQueue}, noOps, n)
	if err != nil {
		return 0, err
	}
	var done int
	if err := run.Get(ctx, &done); err != nil {
		return 0, err
	}
	if done != n {
		return 0, fmt.Errorf("%d activities were done, not %d", done, n)
	}
	return time.Since(began), nil
}

// noOps runs n activities and returns how many were done.
func noOps(ctx workflow.Context, n int) (int, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{TaskQueue: noOpConnection, StartToCloseTimeout: time.Minute})
	slots, wg := workflow.NewSemaphore(ctx, noOpsAtOnce), workflow.NewWaitGroup(ctx)
	var done int
	var failure error
	for range n {
		if err := slots.Acquire(ctx, 1); err != nil {
			return done, err
		}
		wg.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer wg.Done()
			defer slots.Release(1)
			if err := workflow.ExecuteActivity(ctx, noOp).Get(ctx, nil); err != nil {
				failure = err
				return
			}
			done++
		})
	}
	wg.Wait(ctx)
	return done, failure
}

func noOp(context.Context) error { return nil }
