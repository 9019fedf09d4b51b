package workflows

import (
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/durasync/durasync/activities"
)

// limited is how an activity fails when a system wants no requests for a time.
func limited(wait time.Duration) error {
	return temporal.NewApplicationErrorWithOptions("totango.success: no more requests today", "rate_limited",
		temporal.ApplicationErrorOptions{NonRetryable: true, NextRetryDelay: wait, Details: []any{true}})
}

// followUp is the run that another one starts.
type followUp struct {
	id    string
	input SyncInput
}

// startPostponing is start, and returns the runs that the run starts.
func (w *world) startPostponing(in SyncInput) (*SyncResult, []followUp, error) {
	var started []followUp
	w.prepare = func() {
		w.env.SetOnChildWorkflowStartedListener(func(info *workflow.Info, _ workflow.Context, args converter.EncodedValues) {
			f := followUp{id: info.WorkflowExecution.ID}
			if err := args.Get(&f.input); err != nil {
				w.t.Error(err)
			}
			started = append(started, f)
		})
	}
	res, err := w.start(in)
	return res, started, err
}

func TestLongRateLimitEndsTheRunAndAnotherGoesOn(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	w.create["b"] = []answer{{err: limited(2 * time.Hour)}, {writes: true, result: activities.CreateResult{ID: "note of b"}}}
	res, started, err := w.startPostponing(SyncInput{Job: "meetings"})
	if err != nil {
		t.Fatal(err)
	}
	if want := (activities.Counts{Listed: 3, New: 3, Created: 2, Failed: 1}); res.Outcome != activities.Partial || res.Counts != want {
		t.Errorf("%s with %+v, want partial with %+v", res.Outcome, res.Counts, want)
	}
	for _, id := range []string{"a", "b", "c"} {
		if w.written[id] != 1 {
			t.Errorf("record %s was written %d times, want once, by this run or the one that goes on", id, w.written[id])
		}
	}
	if len(started) != 1 {
		t.Fatalf("%d runs were started to go on, want 1", len(started))
	}
	next := started[0]
	if at := next.input.NotBefore; at.Before(epoch.Add(2*time.Hour)) || at.After(epoch.Add(2*time.Hour+2*time.Minute)) {
		t.Errorf("it goes on at %v, want two hours after %v", at, epoch)
	}
	if want := (SyncInput{Job: "meetings", NotBefore: next.input.NotBefore, Because: "totango.success: no more requests today"}); !sameInput(next.input, want) {
		t.Errorf("the run that goes on has the input %+v, want %+v", next.input, want)
	}
	if !strings.HasPrefix(next.id, "sync/meetings-2026-") {
		t.Errorf("the run that goes on is named %s", next.id)
	}
	if !res.Resumes.Equal(next.input.NotBefore) || res.Error != "totango.success: no more requests today" {
		t.Errorf("the result says that the run ended by %q and goes on at %v", res.Error, res.Resumes)
	}
	if len(w.finished) != 2 || w.finished[1].Outcome != activities.Completed || w.begun.Before(next.input.NotBefore) {
		t.Errorf("the job was told %+v, want a second run that completed, begun at %v", w.finished, next.input.NotBefore)
	}
	if run := w.finished[0]; run.Error != res.Error || !run.Resumes.Equal(res.Resumes) {
		t.Errorf("the job was told %+v", run)
	}
}

// sameInput compares inputs that carry no state.
func sameInput(x, y SyncInput) bool {
	return x.Job == y.Job && x.From.Equal(y.From) && x.To.Equal(y.To) && x.Retry == y.Retry && x.NotBefore.Equal(y.NotBefore) && x.Because == y.Because &&
		x.State == nil && y.State == nil
}

func TestLongRateLimitAtTheBeginningIsWaitedOutToo(t *testing.T) {
	w := newWorld(t, "a")
	w.connectErrs = []error{limited(20 * time.Hour)}
	res, started, err := w.startPostponing(SyncInput{Job: "meetings", From: epoch.Add(-3 * day), To: epoch.Add(-day)})
	if err != nil {
		t.Fatal(err)
	}
	if res.Outcome != activities.Partial || len(started) != 1 {
		t.Fatalf("%s, and %d runs go on; want partial and 1", res.Outcome, len(started))
	}
	in := started[0].input
	if !in.From.Equal(epoch.Add(-3*day)) || !in.To.Equal(epoch.Add(-day)) {
		t.Errorf("the backfill goes on from %v to %v, which is another window", in.From, in.To)
	}
}

func TestShortRateLimitEndsNothing(t *testing.T) {
	w := newWorld(t, "a")
	w.create["a"] = []answer{{err: temporal.NewApplicationErrorWithOptions("busy", "rate_limited",
		temporal.ApplicationErrorOptions{NextRetryDelay: time.Minute, Details: []any{true}})}, {}}
	w.create["a"][1] = answer{writes: true, result: activities.CreateResult{ID: "note of a"}}
	res, started, err := w.startPostponing(SyncInput{Job: "meetings"})
	if err != nil {
		t.Fatal(err)
	}
	w.check(res, activities.Completed, activities.Counts{Listed: 1, New: 1, Created: 1}, "a")
	if len(started) > 0 {
		t.Errorf("%d runs were started to go on", len(started))
	}
}

func TestPostponedRunBeginsInTime(t *testing.T) {
	w := newWorld(t, "a")
	at := epoch.Add(5 * time.Hour)
	var early Progress
	w.prepare = func() {
		w.env.RegisterDelayedCallback(func() {
			v, err := w.env.QueryWorkflow(QueryProgress)
			if err == nil {
				err = v.Get(&early)
			}
			if err != nil {
				t.Error(err)
			}
		}, 4*time.Hour)
	}
	res, err := w.start(SyncInput{Job: "meetings", NotBefore: at, Because: "no more requests today"})
	if err != nil {
		t.Fatal(err)
	}
	if early.Phase != PhasePostponed || !early.NotBefore.Equal(at) || early.Because != "no more requests today" {
		t.Errorf("an hour before its time it says %+v", early)
	}
	if w.begun.Before(at) {
		t.Errorf("it began at %v, before %v", w.begun, at)
	}
	w.check(res, activities.Completed, activities.Counts{Listed: 1, New: 1, Created: 1}, "a")
}
