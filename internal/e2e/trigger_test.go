package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/workflows"
)

// runningSync returns the one run that is going on.
func runningSync(ctx context.Context, c client.Client) (activities.Owner, error) {
	res, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Query: "WorkflowType = 'Sync' AND ExecutionStatus = 'Running'",
	})
	if err != nil {
		return activities.Owner{}, err
	}
	if len(res.GetExecutions()) != 1 {
		return activities.Owner{}, errors.New("there is not one run going on")
	}
	e := res.GetExecutions()[0].GetExecution()
	return activities.Owner{WorkflowID: e.GetWorkflowId(), FirstRunID: e.GetRunId()}, nil
}

// TestSyncStartedByHand starts the workflow with what a person types on the command line of Temporal: plain JSON, by name.
func TestSyncStartedByHand(t *testing.T) {
	t.Parallel()
	s, _ := ready(t)
	id := s.meeting("acme", nil)
	c := s.temporal()
	_, err := c.WorkflowService().StartWorkflowExecution(t.Context(), &workflowservice.StartWorkflowExecutionRequest{
		Namespace:    s.namespace,
		WorkflowId:   "typed-by-hand",
		WorkflowType: &commonpb.WorkflowType{Name: "Sync"},
		TaskQueue:    &taskqueuepb.TaskQueue{Name: "durasync"},
		RequestId:    "1",
		Input: &commonpb.Payloads{Payloads: []*commonpb.Payload{{
			Metadata: map[string][]byte{"encoding": []byte("json/plain")},
			Data:     []byte(`{"job":"meetings"}`),
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var res workflows.SyncResult
	if err := c.GetWorkflow(t.Context(), "typed-by-hand", "").Get(t.Context(), &res); err != nil {
		t.Fatal(err)
	}
	if res.Outcome != activities.Completed || res.Counts.Created != 1 {
		t.Errorf("got %+v", res)
	}
	s.once(id)
}

func TestScheduleIsTheJob(t *testing.T) {
	t.Parallel()
	s, _ := ready(t)
	id := s.meeting("acme", nil)
	c := s.temporal()
	handle := c.ScheduleClient().GetHandle(t.Context(), "meetings")
	desc, err := handle.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := desc.Schedule.Policy.Overlap; got != enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE {
		t.Errorf("overlapping runs are treated by %v, want one to be buffered", got)
	}
	if next := desc.Info.NextActionTimes; len(next) == 0 || next[0].UTC().Format("15:04") != "23:00" {
		t.Errorf("the next runs are at %v, want every day at 23:00", next)
	}
	if err := handle.Trigger(t.Context(), client.ScheduleTriggerOptions{Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE}); err != nil {
		t.Fatal(err)
	}
	var run string
	s.until("the schedule starts a run", func() bool {
		desc, err := handle.Describe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range desc.Info.RecentActions {
			run = a.StartWorkflowResult.WorkflowID
		}
		return run != ""
	})
	if !strings.HasPrefix(run, "sync/meetings-") {
		t.Errorf("the run is called %s, want sync/meetings-<time>", run)
	}
	var res json.RawMessage
	if err := c.GetWorkflow(t.Context(), run, "").Get(t.Context(), &res); err != nil {
		t.Fatal(err)
	}
	s.once(id)
}

func TestApplyTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	s, _ := ready(t)
	c := s.temporal()
	handle := c.ScheduleClient().GetHandle(t.Context(), "meetings")
	before, err := handle.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if out := s.ok("apply", s.dir); !strings.Contains(out, "unchanged") {
		t.Errorf("a second apply says\n%s", out)
	}
	after, err := handle.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !after.Info.LastUpdateAt.Equal(before.Info.LastUpdateAt) {
		t.Error("a second apply changed the schedule")
	}
}
