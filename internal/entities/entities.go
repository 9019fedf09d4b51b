// Package entities is the client side of the entity workflows: it turns the interfaces that package activities declares into
// updates and queries. The CLI uses it too.
package entities

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/workflows"
)

// Client talks to the entities. Its methods are safe for concurrent use.
type Client struct {
	temporal client.Client
	ledgers  *gates
	quotas   *quotas
}

// New returns a client of the entities in the Temporal client's namespace.
func New(c client.Client) *Client {
	e := &Client{temporal: c, ledgers: newGates()}
	e.quotas = &quotas{lease: e.lease, block: e.block, buckets: map[string]*bucket{}}
	return e
}

var (
	_ activities.Jobs    = (*Client)(nil)
	_ activities.Ledgers = (*Client)(nil)
	_ activities.Runs    = (*Client)(nil)
	_ activities.Quotas  = (*Client)(nil)
)

// entity names an entity workflow and how it is started.
type entity struct {
	id, workflow, summary string
	input                 any
}

// update sends an update to an entity, starting it if it does not run yet.
func (c *Client) update(ctx context.Context, e entity, name string, arg, result any) error {
	start := c.temporal.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
		ID:                       e.id,
		TaskQueue:                workflows.TaskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            e.summary,
	}, e.workflow, e.input)
	handle, err := c.temporal.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: start,
		UpdateOptions: client.UpdateWorkflowOptions{
			WorkflowID: e.id, UpdateName: name, Args: []any{arg}, WaitForStage: client.WorkflowUpdateStageCompleted,
		},
	})
	if err == nil {
		err = handle.Get(ctx, result)
	}
	return wrap(err, "update %s of %s", name, e.id)
}

// query asks an entity. It reports false if the entity does not exist.
func (c *Client) query(ctx context.Context, id, name string, result any, args ...any) (bool, error) {
	value, err := c.temporal.QueryWorkflow(ctx, id, "", name, args...)
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return false, nil
	}
	if err == nil {
		err = value.Get(result)
	}
	return err == nil, wrap(err, "query %s of %s", name, id)
}

// wrap adds what was tried to an error, but leaves an entity's own words as they are.
func wrap(err error, format string, args ...any) error {
	var app *temporal.ApplicationError
	if err == nil || errors.As(err, &app) {
		return err
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}

// Alive implements [activities.Runs]. The workflow is described by its id alone and its first run compared: a single run of
// the chain reads as closed as soon as it has continued as new.
func (c *Client) Alive(ctx context.Context, owner activities.Owner) (bool, error) {
	desc, err := c.temporal.DescribeWorkflowExecution(ctx, owner.WorkflowID, "")
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("describe workflow %s: %w", owner.WorkflowID, err)
	}
	info := desc.GetWorkflowExecutionInfo()
	return info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING && info.GetFirstRunId() == owner.FirstRunID, nil
}
