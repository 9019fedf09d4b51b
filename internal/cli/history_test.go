package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/durasync/durasync/activities"
	"github.com/durasync/durasync/internal/codec"
	"github.com/durasync/durasync/workflows"
)

// recorded is the history that a server recorded of a run of seven meetings: four were written, one of them in a second attempt
// because the connection was reset, one had nobody from outside, one nobody whom Totango knows, and one was not ready.
func recorded(t *testing.T) *history {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "workflows", "testdata", "history", "0.1", "sync-1.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	events, err := client.HistoryFromJSON(f, client.HistoryJSONOptions{})
	if err != nil {
		t.Fatal(err)
	}
	h := newHistory(codec.New(nil))
	h.begin()
	for _, e := range events.GetEvents() {
		if next := h.add(e); next != "" {
			t.Errorf("event %d continues as %s", e.GetEventId(), next)
		}
	}
	return h
}

func TestHistoryOfARecordedRun(t *testing.T) {
	t.Parallel()
	h := recorded(t)
	want := map[string][3]int{ // times, retries, failures
		"Begin": {1}, "Connect": {2}, "Discover": {1}, "Fetch": {1}, "Resolve": {1}, "Render": {1}, "Claim": {1}, "Create": {4, 1},
		"Settle": {1}, "Revisit": {1}, "Finish": {1},
	}
	got := map[string][3]int{}
	for _, s := range h.Steps {
		got[s.Activity] = [3]int{s.Times, s.Retries, s.Failed}
		switch {
		case s.Activity == "Create" && !strings.Contains(s.LastError, "connection reset by peer"):
			t.Errorf("the last error of Create is %q", s.LastError)
		case s.Activity != "Create" && s.LastError != "":
			t.Errorf("the last error of %s is %q, and none happened", s.Activity, s.LastError)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	counts := activities.Counts{Listed: 7, New: 7, Created: 4, Rejected: 2, Deferred: 1}
	if h.Result == nil || h.Result.Counts != counts || h.Recorded == nil || h.Recorded.Counts != counts {
		t.Errorf("result %+v, recorded %+v; want %+v", h.Result, h.Recorded, counts)
	}
	if h.outcome() != activities.CompletedWithRejects || h.Input.Job != "meetings" || h.Executions != 1 || !h.Ended.After(h.Started) {
		t.Errorf("outcome %s of job %s in %d executions from %v to %v", h.outcome(), h.Input.Job, h.Executions, h.Started, h.Ended)
	}
}

// script makes events, a second apart.
type script struct {
	t      *testing.T
	events []*historypb.HistoryEvent
}

func (s *script) add(kind enumspb.EventType, fill func(*historypb.HistoryEvent)) int64 {
	id := int64(len(s.events) + 1)
	e := &historypb.HistoryEvent{EventId: id, EventType: kind, EventTime: timestamppb.New(at("10:00:00").Add(time.Duration(id) * time.Second))}
	fill(e)
	s.events = append(s.events, e)
	return id
}

func (s *script) payloads(v any) *commonpb.Payloads {
	p, err := codec.New(nil).DataConverter().ToPayloads(v)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

func (s *script) began(in workflows.SyncInput) {
	s.add(enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, func(e *historypb.HistoryEvent) {
		e.Attributes = &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
			WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{Input: s.payloads(in)}}
	})
}

func (s *script) scheduled(activity string, in any) int64 {
	return s.add(enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, func(e *historypb.HistoryEvent) {
		e.Attributes = &historypb.HistoryEvent_ActivityTaskScheduledEventAttributes{
			ActivityTaskScheduledEventAttributes: &historypb.ActivityTaskScheduledEventAttributes{
				ActivityType: &commonpb.ActivityType{Name: activity}, Input: s.payloads(in)}}
	})
}

func (s *script) started(scheduled int64, attempt int32, last *failurepb.Failure) {
	s.add(enumspb.EVENT_TYPE_ACTIVITY_TASK_STARTED, func(e *historypb.HistoryEvent) {
		e.Attributes = &historypb.HistoryEvent_ActivityTaskStartedEventAttributes{
			ActivityTaskStartedEventAttributes: &historypb.ActivityTaskStartedEventAttributes{
				ScheduledEventId: scheduled, Attempt: attempt, LastFailure: last}}
	})
}

func (s *script) completed(scheduled int64) {
	s.add(enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, func(e *historypb.HistoryEvent) {
		e.Attributes = &historypb.HistoryEvent_ActivityTaskCompletedEventAttributes{
			ActivityTaskCompletedEventAttributes: &historypb.ActivityTaskCompletedEventAttributes{ScheduledEventId: scheduled}}
	})
}

func (s *script) failed(scheduled int64, f *failurepb.Failure) {
	s.add(enumspb.EVENT_TYPE_ACTIVITY_TASK_FAILED, func(e *historypb.HistoryEvent) {
		e.Attributes = &historypb.HistoryEvent_ActivityTaskFailedEventAttributes{
			ActivityTaskFailedEventAttributes: &historypb.ActivityTaskFailedEventAttributes{ScheduledEventId: scheduled, Failure: f}}
	})
}

func (s *script) timedOut(scheduled int64) {
	s.add(enumspb.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT, func(e *historypb.HistoryEvent) {
		e.Attributes = &historypb.HistoryEvent_ActivityTaskTimedOutEventAttributes{
			ActivityTaskTimedOutEventAttributes: &historypb.ActivityTaskTimedOutEventAttributes{
				ScheduledEventId: scheduled, Failure: &failurepb.Failure{Message: "activity StartToClose timeout"}}}
	})
}

func (s *script) continued(runID string) {
	s.add(enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW, func(e *historypb.HistoryEvent) {
		e.Attributes = &historypb.HistoryEvent_WorkflowExecutionContinuedAsNewEventAttributes{
			WorkflowExecutionContinuedAsNewEventAttributes: &historypb.WorkflowExecutionContinuedAsNewEventAttributes{NewExecutionRunId: runID}}
	})
}

func said(message string) *failurepb.Failure {
	return &failurepb.Failure{
		Message: message, FailureInfo: &failurepb.Failure_ApplicationFailureInfo{ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: "x"}},
	}
}

// A run that continued as new is one run: its steps add up, its input is the first one's, and how it ended is the last one's.
func TestHistoryOfAChain(t *testing.T) {
	t.Parallel()
	h := newHistory(codec.New(nil))
	first, second := &script{t: t}, &script{t: t}
	first.began(workflows.SyncInput{Job: "meetings", From: at("01:00:00"), To: at("02:00:00")})
	slow := first.scheduled("Create", 1)
	first.started(slow, 3, said("503"))
	lost := first.scheduled("Create", 1)
	first.completed(slow)
	first.started(lost, 1, nil)
	first.timedOut(lost)
	first.continued("next")
	second.began(workflows.SyncInput{Job: "meetings", From: at("01:00:00"), To: at("02:00:00"), State: &workflows.SyncState{}})
	refused := second.scheduled("Connect", 1)
	second.started(refused, 1, nil)
	second.failed(refused, said("the key is not accepted"))
	finish := second.scheduled("Finish", activities.FinishInput{Run: activities.Run{Outcome: activities.Cancelled, Counts: activities.Counts{Created: 7}}})
	second.started(finish, 1, nil)
	second.completed(finish)
	second.add(enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, func(*historypb.HistoryEvent) {})
	next := ""
	for _, s := range []*script{first, second} {
		h.begin()
		for _, e := range s.events {
			if n := h.add(e); n != "" {
				next = n
			}
		}
	}
	want := []step{
		{Activity: "Create", Times: 2, Retries: 2, Failed: 1, LastError: "activity StartToClose timeout", LongestMS: 2000},
		{Activity: "Connect", Times: 1, Failed: 1, LastError: "the key is not accepted", LongestMS: 1000},
		{Activity: "Finish", Times: 1, LongestMS: 1000},
	}
	if diff := cmp.Diff(want, h.Steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if next != "next" || h.Executions != 2 || h.Input.Kind() != activities.KindBackfill || h.Input.State != nil {
		t.Errorf("continued as %q, %d executions, input %+v", next, h.Executions, h.Input)
	}
	if h.outcome() != activities.Cancelled || h.Recorded.Counts.Created != 7 || h.Result != nil {
		t.Errorf("outcome %s, recorded %+v", h.outcome(), h.Recorded)
	}
}

// Of a step that goes on the history knows nothing but that it was begun.
func TestHistoryOfWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	s, h := &script{t: t}, newHistory(codec.New(nil))
	s.began(workflows.SyncInput{Job: "meetings"})
	s.scheduled("Fetch", 1)
	h.begin()
	for _, e := range s.events {
		h.add(e)
	}
	h.underWay([]*workflowpb.PendingActivityInfo{{ActivityType: &commonpb.ActivityType{Name: "Fetch"}, Attempt: 4, LastFailure: said("503")}})
	if diff := cmp.Diff([]step{{Activity: "Fetch", Times: 1, Retries: 3, LastError: "503"}}, h.Steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if h.outcome() != "" || !h.Ended.IsZero() {
		t.Errorf("outcome %q, ended %v", h.outcome(), h.Ended)
	}
}

func TestHistoryOutcomes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		event   *historypb.HistoryEvent
		outcome activities.Outcome
		failure string
	}{
		"cancelled before it could say so": {&historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED}, activities.Cancelled, ""},
		"failed": {&historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
			Attributes: &historypb.HistoryEvent_WorkflowExecutionFailedEventAttributes{
				WorkflowExecutionFailedEventAttributes: &historypb.WorkflowExecutionFailedEventAttributes{Failure: said("no worker serves it")}}},
			activities.Failed, "no worker serves it"},
		"terminated": {&historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
			Attributes: &historypb.HistoryEvent_WorkflowExecutionTerminatedEventAttributes{
				WorkflowExecutionTerminatedEventAttributes: &historypb.WorkflowExecutionTerminatedEventAttributes{Reason: "stuck"}}},
			activities.Failed, "terminated: stuck"},
		"timed out": {&historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT}, activities.Failed, "the run took longer than it may"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHistory(codec.New(nil))
			h.begin()
			h.add(tc.event)
			if h.outcome() != tc.outcome || h.Failure != tc.failure {
				t.Errorf("%s, %q; want %s, %q", h.outcome(), h.Failure, tc.outcome, tc.failure)
			}
		})
	}
}

// The sentence of a failure is the one that an activity wrote, not what the SDK put around it.
func TestFailureText(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]*failurepb.Failure{
		"":                  nil,
		"the key is wrong":  {Message: "activity error", Cause: said("the key is wrong")},
		"outer, with cause": {Message: "outer, with cause", FailureInfo: said("").FailureInfo, Cause: said("inner")},
		"StartToClose":      {Message: "StartToClose", Cause: &failurepb.Failure{}},
	} {
		if got := newHistory(codec.New(nil)).failureText(f); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// What is shown of a run is what its history says.
func TestRunDetailsOfARecordedRun(t *testing.T) {
	t.Parallel()
	h := recorded(t)
	d := &runDetails{}
	d.fill(h, time.Time{})
	want := &runDetails{
		Job: "meetings", Kind: activities.KindSync, Outcome: activities.CompletedWithRejects, History: true, Executions: 1,
		Counts: activities.Counts{Listed: 7, New: 7, Created: 4, Rejected: 2, Deferred: 1},
	}
	ignore := cmpopts.IgnoreFields(runDetails{}, "Started", "Ended", "DurationMS", "From", "To", "RecordsPerSecond", "Steps", "Records")
	if diff := cmp.Diff(want, d, ignore, cmp.AllowUnexported(runDetails{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if d.DurationMS <= 0 || d.RecordsPerSecond < 7/(float64(d.DurationMS)/1000)-0.01 || d.RecordsPerSecond > 7/(float64(d.DurationMS)/1000)+0.01 {
		t.Errorf("%d ms, %.2f records a second", d.DurationMS, d.RecordsPerSecond)
	}
	reasons := map[activities.Reason]int{}
	for _, r := range d.Records {
		reasons[r.Reason]++
	}
	if diff := cmp.Diff(map[activities.Reason]int{activities.ReasonInternalOnly: 1, activities.ReasonUnresolved: 1, activities.ReasonNotReady: 1}, reasons); diff != "" {
		t.Errorf("records not written (-want +got):\n%s", diff)
	}
}
