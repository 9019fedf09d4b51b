package workflows

import (
	"fmt"
	"testing"
	"time"

	"github.com/durasync/durasync/activities"
)

func TestSyncCopiesWhereNothingHasToBeClaimed(t *testing.T) {
	var ids []string
	for i := range 2300 {
		ids = append(ids, fmt.Sprintf("%04d", i))
	}
	w := newWorld(t, ids...)
	w.plan.Destination.Idempotent, w.plan.Destination.ResolvedBy = true, ""
	w.verdicts["0007"] = activities.Verdict{State: activities.Rejected, Reason: activities.ReasonRefused, Detail: "no such column"}
	res, err := w.sync()
	if err != nil {
		t.Fatal(err)
	}
	want := activities.Counts{Listed: 2300, New: 2300, Created: 2299, Rejected: 1}
	if res.Outcome != activities.CompletedWithRejects || res.Counts != want {
		t.Errorf("%s with %+v, want completed_with_rejects with %+v", res.Outcome, res.Counts, want)
	}
	for _, id := range ids {
		if n := w.written[id]; n != 1 && id != "0007" {
			t.Errorf("record %s was written %d times", id, n)
		}
	}
	if len(w.copies) != 3 || len(w.fetches) > 0 || len(w.settled) > 0 {
		t.Errorf("%d batches were copied, want 3; %d were fetched and %d records settled, want none", len(w.copies), len(w.fetches), len(w.settled))
	}
	if len(res.Rejects) != 1 || res.Rejects[0].Detail != "no such column" {
		t.Errorf("the result shows the rejects %+v", res.Rejects)
	}
}

// The parts of a window are listed while those before them are copied, so more than one may be undone when a limit ends the run.
func TestBackfillThatALimitEndsGoesOnWhereNotAllIsCopied(t *testing.T) {
	from := epoch.AddDate(0, 0, -93)
	for _, refused := range []int{2, 40, 92} {
		w := newWorld(t)
		w.plan.Destination.Idempotent, w.plan.Destination.ResolvedBy = true, ""
		for i := range 93 {
			at := from.AddDate(0, 0, i)
			w.records = append(w.records, activities.Pending{ID: fmt.Sprint(i), Time: at, Day: activities.Day(at)})
		}
		w.copyErr = map[string]error{fmt.Sprint(refused): limited(2 * time.Hour)}
		res, started, err := w.startPostponing(SyncInput{Job: "meetings", From: from, To: epoch})
		if err != nil {
			t.Fatal(err)
		}
		if res.Outcome != activities.Partial || len(started) != 1 || started[0].input.From.After(w.records[refused].Time) {
			t.Errorf("the run ended as %s and started %+v, want a run that goes on from %v or before", res.Outcome, started, w.records[refused].Time)
		}
		for _, r := range w.records {
			if w.written[r.ID] == 0 {
				t.Errorf("after the refusal of record %d, %s was never copied", refused, r.ID)
			}
		}
	}
}
