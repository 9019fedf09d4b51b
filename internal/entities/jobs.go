package entities

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/schema/plan"
	"github.com/durasync/durasync/workflows"
)

// Apply stores a job's plan, creating the job's entity if it is new.
func (c *Client) Apply(ctx context.Context, p *plan.Plan) (workflows.ApplyResult, error) {
	var res workflows.ApplyResult
	e := entity{id: workflows.JobID(p.Job), workflow: workflows.JobType, input: workflows.JobState{}, summary: "job " + p.Job}
	err := c.update(ctx, e, workflows.UpdateApply, workflows.ApplyRequest{Plan: p, Hash: p.Hash()}, &res)
	return res, err
}

// Job returns a job's state, or nil if it was never applied.
func (c *Client) Job(ctx context.Context, job string) (*workflows.JobState, error) {
	var state workflows.JobState
	found, err := c.query(ctx, workflows.JobID(job), workflows.QueryStatus, &state)
	if err != nil || !found {
		return nil, err
	}
	return &state, nil
}

// Begin implements [activities.Jobs].
func (c *Client) Begin(ctx context.Context, job string, req activities.BeginRequest) (*activities.BeginResult, error) {
	var res activities.BeginResult
	if err := c.updateJob(ctx, job, workflows.UpdateBegin, req, &res); err != nil {
		return nil, err
	}
	return &res, nil
}

// Finish implements [activities.Jobs].
func (c *Client) Finish(ctx context.Context, job string, req activities.FinishRequest) error {
	return c.updateJob(ctx, job, workflows.UpdateFinish, req, nil)
}

// updateJob updates a job that must exist.
func (c *Client) updateJob(ctx context.Context, job, name string, arg, result any) error {
	handle, err := c.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: workflows.JobID(job), UpdateName: name, Args: []any{arg}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return temporal.NewNonRetryableApplicationError(
			fmt.Sprintf("job %q is not known to Temporal; run durasync apply in the directory that declares it", job),
			activities.TypeNotApplied, err)
	}
	if err == nil {
		err = handle.Get(ctx, result)
	}
	return wrap(err, "update %s of job %s", name, job)
}
