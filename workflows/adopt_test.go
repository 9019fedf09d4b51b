package workflows

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
