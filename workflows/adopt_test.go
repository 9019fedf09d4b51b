package workflows

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/durasync/durasync/activities"
)

// adopt ends a run that adopts the window from a time on.
func (s *jobScript) adopt(at time.Duration, owner activities.Owner, from time.Duration, outcome activities.Outcome) {
	s.at(at, func() {
		run := activities.Run{Kind: activities.KindAdopt, Owner: owner, Outcome: outcome, From: epoch.Add(from)}
		update[any](s.script, UpdateFinish, activities.FinishRequest{Run: run}, func(_ any, err error) {
			if err != nil {
				s.t.Errorf("finish at %v: %v", at, err)
			}
		})
	})
}

// TestTheFirstRunBeginsWhereAdoptingBegan adopts once from later and once from earlier, and fails to from earlier still.
func TestTheFirstRunBeginsWhereAdoptingBegan(t *testing.T) {
	s := newJobScript(t)
	s.begin(1*time.Hour, alice, nil)
	s.adopt(2*time.Hour, alice, -20*day, activities.Completed)
	s.begin(3*time.Hour, bob, nil)
	s.adopt(4*time.Hour, bob, -30*day, activities.Completed)
	s.begin(5*time.Hour, alice, nil)
	s.adopt(6*time.Hour, alice, -40*day, activities.Cancelled)
	s.begin(7*time.Hour, bob, nil)
	s.finish(8*time.Hour, bob, activities.Completed)
	// A window has been completed: adopting no longer says where runs begin.
	s.begin(9*time.Hour, alice, nil)
	s.adopt(10*time.Hour, alice, -50*day, activities.Completed)
	s.begin(11*time.Hour, bob, nil)
	s.run(Job, JobState{})
	want := []began{
		window(1*time.Hour-week, 1*time.Hour), window(-20*day, 3*time.Hour), window(-30*day, 5*time.Hour), window(-30*day, 7*time.Hour),
		window(7*time.Hour-2*day, 9*time.Hour), window(7*time.Hour-2*day, 11*time.Hour),
	}
	if diff := cmp.Diff(want, s.got); diff != "" {
		t.Errorf("windows (-want +got):\n%s", diff)
	}
}

// Find has the records that are in the destination.
func (w *world) Find(_ context.Context, in activities.FindInput) (*activities.FindResult, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.findErrs) > 0 {
		err := w.findErrs[0]
		w.findErrs = w.findErrs[1:]
		return nil, err
	}
	res := &activities.FindResult{Found: map[string]activities.Found{}}
	for _, item := range in.Items {
		for id := range w.written {
			if item.Key == "gong/calls/"+id {
				res.Found[item.Key] = activities.Found{Target: item.Targets[0], ID: "note of " + id}
			}
		}
	}
	return res, nil
}

func TestAdoptNotesWhatIsThereAndWritesNothing(t *testing.T) {
	for name, dry := range map[string]bool{"for good": false, "dry": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "there", "missing", "nobody's", "young")
			w.written["there"] = 1
			w.unresolved["nobody's"] = true
			w.verdicts["young"] = activities.Verdict{State: activities.Deferred, Reason: activities.ReasonNotReady}
			res, err := w.start(SyncInput{Job: "meetings", Adopt: true, From: w.from, To: w.to, DryRun: dry})
			if err != nil {
				t.Fatal(err)
			}
			if want := (activities.Counts{Listed: 4, Known: 1, New: 3, Rejected: 1, Deferred: 2, Adopted: 1}); res.Counts != want || res.Outcome != activities.Completed {
				t.Errorf("%s with %+v, want completed with %+v", res.Outcome, res.Counts, want)
			}
			want := map[string]string{"there": "delivered"}
			if dry {
				want = map[string]string{}
			}
			got := map[string]string{}
			for id, r := range w.settled {
				got[id] = string(r.State)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the ledger was told (-want +got):\n%s", diff)
			}
			if len(w.doubts) > 0 || len(w.revisits) > 0 {
				t.Errorf("it wrote %v, or looked at what earlier runs had left", w.doubts)
			}
			if ends := len(w.finished); dry != (ends == 0) {
				t.Errorf("the job was told of %d runs", ends)
			}
		})
	}
}

// TestAdoptKeepsTheLockThroughLongRateLimits meets limits at the beginning and in the middle. No other run goes on, and the job hears of
// one run, at the end.
func TestAdoptKeepsTheLockThroughLongRateLimits(t *testing.T) {
	w := newWorld(t, "there", "missing")
	w.written["there"] = 1
	w.connectErrs = []error{limited(20 * time.Hour)}
	w.findErrs = []error{limited(2 * time.Hour)}
	var waiting []Progress
	var ended, followUps int
	progress := func() {
		v, err := w.env.QueryWorkflow(QueryProgress)
		var p Progress
		if err == nil {
			err = v.Get(&p)
		}
		if err != nil {
			t.Error(err)
		}
		waiting, ended = append(waiting, p), ended+len(w.finished)
	}
	adopt := SyncInput{Job: "meetings", Adopt: true, From: w.from, To: w.to}
	w.prepare = func() {
		w.env.RegisterDelayedCallback(progress, 19*time.Hour)
		w.env.RegisterDelayedCallback(progress, 21*time.Hour)
		w.env.SetOnChildWorkflowStartedListener(func(*workflow.Info, workflow.Context, converter.EncodedValues) { followUps++ })
	}
	res, err := w.start(adopt)
	if err != nil {
		t.Fatal(err)
	}
	if followUps > 0 || ended > 0 || len(w.finished) != 1 {
		t.Errorf("%d runs were started to go on, and the job was told of %d ends while it waited and of %d in all", followUps, ended, len(w.finished))
	}
	for i, hours := range []time.Duration{20, 22} {
		if p := waiting[i]; p.Phase != PhasePostponed || p.NotBefore.Sub(epoch).Round(time.Minute) != hours*time.Hour || p.Because != "totango.success: no more requests today" {
			t.Errorf("while it waits for hour %d it says %+v", hours, p)
		}
	}
	if want := (activities.Counts{Listed: 2, Known: 1, New: 1, Deferred: 1, Adopted: 1}); res.Outcome != activities.Completed || res.Counts != want {
		t.Errorf("%s with %+v, want completed with %+v", res.Outcome, res.Counts, want)
	}
	if len(w.settled) != 1 || w.settled["there"].State != activities.Delivered {
		t.Errorf("the ledger was told %+v", w.settled)
	}

	adopt.DryRun, w.prepare, w.findErrs = true, nil, []error{limited(2 * time.Hour)}
	if _, err := w.start(adopt); err == nil {
		t.Error("a dry run waited out a limit of hours, with somebody in front of it")
	}
}
