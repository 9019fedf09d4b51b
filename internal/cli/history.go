package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/internal/codec"
	"github.com/durasync/durasync/workflows"
)

// step is what a run did by one activity.
type step struct {
	Activity string `json:"activity"`
	Times    int    `json:"times"`

	// Retries are the attempts beyond the first, Failed the times that the last attempt failed, too.
	Retries   int    `json:"retries"`
	Failed    int    `json:"failed"`
	LastError string `json:"last_error,omitempty"`

	// LongestMS is the longest that an attempt took of those that ended the step; zero for steps inside of the workflow's worker.
	LongestMS int64 `json:"longest_ms"`
}

// history is what the histories of a run tell, which are several when it has continued as new.
type history struct {
	Executions int
	Started    time.Time
	Ended      time.Time // zero while the run goes on
	Status     enumspb.WorkflowExecutionStatus
	Input      workflows.SyncInput
	Result     *workflows.SyncResult // nil unless the run completed
	Failure    string

	// Recorded is what the run told its job about itself at the end, if it got there.
	Recorded *activities.Run

	Steps []step

	codec   *codec.Codec
	index   map[string]int // activity -> position in Steps
	pending map[int64]*pendingStep
}

// pendingStep is an activity that was scheduled, by the id of that event.
type pendingStep struct {
	activity string
	started  time.Time
}

func newHistory(c *codec.Codec) *history {
	return &history{codec: c, Status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, index: map[string]int{}}
}

// readHistory reads the histories of a run from the first one on. A history that is gone is a serviceerror.NotFound.
func (t *temporalClient) readHistory(ctx context.Context, workflowID, firstRunID string) (*history, error) {
	h := newHistory(t.codec)
	for runID := firstRunID; runID != ""; {
		h.begin()
		next := ""
		events := t.GetWorkflowHistory(ctx, workflowID, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for events.HasNext() {
			event, err := events.Next()
			if err != nil {
				return nil, fmt.Errorf("read the history of run %s %s: %w", workflowID, runID, err)
			}
			next = cmp.Or(h.add(event), next)
		}
		runID = next
	}
	return h, nil
}

// begin begins with the next execution of the chain.
func (h *history) begin() {
	h.Executions++
	h.pending = map[int64]*pendingStep{}
}

// add takes an event in, in the order of the history. It returns the run id of the next execution if the event ends one that
// continues as new.
func (h *history) add(e *historypb.HistoryEvent) (next string) {
	at := e.GetEventTime().AsTime()
	switch e.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
		if h.Started.IsZero() {
			h.Started = at
			h.decode(e.GetWorkflowExecutionStartedEventAttributes().GetInput(), &h.Input)
		}
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
		h.scheduled(e)
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_STARTED:
		a := e.GetActivityTaskStartedEventAttributes()
		if p := h.pending[a.GetScheduledEventId()]; p != nil {
			p.started = at
			s := h.step(p.activity)
			s.Retries += max(0, int(a.GetAttempt())-1)
			s.LastError = cmp.Or(h.failureText(a.GetLastFailure()), s.LastError)
		}
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
		h.ended(e.GetActivityTaskCompletedEventAttributes().GetScheduledEventId(), at)
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_CANCELED:
		h.ended(e.GetActivityTaskCanceledEventAttributes().GetScheduledEventId(), at)
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_FAILED:
		a := e.GetActivityTaskFailedEventAttributes()
		h.failed(a.GetScheduledEventId(), a.GetFailure(), at)
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
		a := e.GetActivityTaskTimedOutEventAttributes()
		h.failed(a.GetScheduledEventId(), a.GetFailure(), at)
	case enumspb.EVENT_TYPE_MARKER_RECORDED:
		h.local(e.GetMarkerRecordedEventAttributes())
	default:
		return h.closed(e, at)
	}
	return ""
}

// closed takes in how an execution ended.
func (h *history) closed(e *historypb.HistoryEvent, at time.Time) (next string) {
	var status enumspb.WorkflowExecutionStatus
	switch e.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
		return e.GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId()
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
		status = enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
		res := &workflows.SyncResult{}
		if h.decode(e.GetWorkflowExecutionCompletedEventAttributes().GetResult(), res) {
			h.Result = res
		}
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
		status = enumspb.WORKFLOW_EXECUTION_STATUS_FAILED
		h.Failure = h.failureText(e.GetWorkflowExecutionFailedEventAttributes().GetFailure())
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
		status = enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
		status = enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED
		h.Failure = "terminated: " + cmp.Or(e.GetWorkflowExecutionTerminatedEventAttributes().GetReason(), "no reason given")
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
		status = enumspb.WORKFLOW_EXECUTION_STATUS_TIMED_OUT
		h.Failure = "the run took longer than it may"
	default:
		return ""
	}
	h.Status, h.Ended = status, at
	return ""
}

func (h *history) step(activity string) *step {
	i, ok := h.index[activity]
	if !ok {
		i = len(h.Steps)
		h.index[activity] = i
		h.Steps = append(h.Steps, step{Activity: activity})
	}
	return &h.Steps[i]
}

func (h *history) scheduled(e *historypb.HistoryEvent) {
	a := e.GetActivityTaskScheduledEventAttributes()
	name := a.GetActivityType().GetName()
	h.pending[e.GetEventId()] = &pendingStep{activity: name}
	h.step(name).Times++
	if name == finishActivity {
		var in activities.FinishInput
		if h.decode(a.GetInput(), &in) {
			h.Recorded = &in.Run
		}
	}
}

// finishActivity is the name of [activities.Activities.Finish].
const finishActivity = "Finish"

func (h *history) ended(scheduled int64, at time.Time) {
	p := h.pending[scheduled]
	if p == nil {
		return
	}
	delete(h.pending, scheduled)
	if !p.started.IsZero() {
		s := h.step(p.activity)
		s.LongestMS = max(s.LongestMS, at.Sub(p.started).Milliseconds())
	}
}

func (h *history) failed(scheduled int64, f *failurepb.Failure, at time.Time) {
	if p := h.pending[scheduled]; p != nil {
		s := h.step(p.activity)
		s.Failed++
		s.LastError = cmp.Or(h.failureText(f), s.LastError)
	}
	h.ended(scheduled, at)
}

// local takes in the marker of a step that ran inside of the workflow's worker. The Go SDK writes it when the step has ended.
func (h *history) local(m *historypb.MarkerRecordedEventAttributes) {
	const localActivity, dataKey = "LocalActivity", "data"
	if m.GetMarkerName() != localActivity {
		return
	}
	var data struct {
		ActivityType string
		Attempt      int
	}
	if !h.decode(m.GetDetails()[dataKey], &data) || data.ActivityType == "" {
		return
	}
	s := h.step(data.ActivityType)
	s.Times++
	s.Retries += max(0, data.Attempt-1)
	if m.GetFailure() != nil {
		s.Failed++
		s.LastError = cmp.Or(h.failureText(m.GetFailure()), s.LastError)
	}
}

// underWay adds the attempts of activities that have not ended: a history tells of them only afterwards.
func (h *history) underWay(pending []*workflowpb.PendingActivityInfo) {
	for _, p := range pending {
		s := h.step(p.GetActivityType().GetName())
		s.Retries += max(0, int(p.GetAttempt())-1)
		s.LastError = cmp.Or(h.failureText(p.GetLastFailure()), s.LastError)
	}
}

// outcome is how the run ended; "" while it goes on.
func (h *history) outcome() activities.Outcome {
	switch {
	case h.Result != nil:
		return h.Result.Outcome
	case h.Status == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
		return ""
	case h.Recorded != nil:
		return h.Recorded.Outcome
	case h.Status == enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED:
		return activities.Cancelled
	}
	return activities.Failed
}

// failureText is the innermost sentence of a failure: the layers around it name workflows and activities.
func (h *history) failureText(f *failurepb.Failure) string {
	text := ""
	for ; f != nil; f = f.GetCause() {
		text = cmp.Or(strings.TrimSpace(h.codec.Message(f)), text)
		if f.GetApplicationFailureInfo() != nil && text != "" {
			break
		}
	}
	return text
}

// decode decodes the first of some payloads and reports whether that worked.
func (h *history) decode(payloads *commonpb.Payloads, to any) bool {
	return len(payloads.GetPayloads()) > 0 && h.codec.Decode(payloads.GetPayloads()[0], to)
}

// historyGone reports whether an error means that Temporal has forgotten the run.
func historyGone(err error) bool { return is[*serviceerror.NotFound](err) }
